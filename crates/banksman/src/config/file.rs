//! Reads one configuration file into settings, with line and column for every mistake and every value.

use super::{
    KEYS, Key,
    error::{ConfigError, position, toml_error, unknown},
    load::Source,
    settings::Settings,
};
use banksman_core::{
    journal::Model,
    manifest::Profile,
    text::{EngineName, Login, ProfileName},
};
use banksman_engine::EngineSettings;
use serde::{Deserialize, de::IntoDeserializer};
use std::{collections::BTreeMap, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where each value came from, by the key's full name.
pub(super) type Origins = BTreeMap<String, Source>;

/// Applies a file to the settings.
pub(super) fn apply(
    settings: &mut Settings,
    origins: &mut Origins,
    path: &Path,
    text: &str,
) -> Result<(), ConfigError> {
    let table = DeTable::parse(text).map_err(|e| toml_error(path, text, &e, 0))?;
    let mut reader = Reader { settings, origins, path, text };
    reader.table("", table.get_ref())
}

struct Reader<'a> {
    settings: &'a mut Settings,
    origins: &'a mut Origins,
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (word, value) in table {
            let name = format!("{prefix}{}", word.get_ref());
            let inner = format!("{name}.");
            if name == "engines" {
                self.engines(value)?;
            } else if name == "profiles" {
                self.profiles(value)?;
            } else if name == "models" {
                self.models(value)?;
            } else if let Some(key) = Key::named(&name) {
                self.value(key, value)?;
            } else if let Some(table) =
                value.get_ref().as_table().filter(|_| KEYS.iter().any(|k| k.name.starts_with(&inner)))
            {
                self.table(&inner, table)?;
            } else {
                let tables = ["engines", "profiles", "models"];
                let known = KEYS.iter().map(|k| k.name).chain(tables);
                return Err(self.mistake(word.span().start, unknown("key", &name, known)));
            }
        }
        Ok(())
    }

    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        if key.is_secret() {
            let what = format!(
                "`{0}` is a secret and belongs into no configuration file: use ${1}, or `{0}_file`",
                key.name,
                key.variable()
            );
            return Err(self.mistake(value.span().start, what));
        }
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(yes) => yes.to_string(),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => String::new(),
        };
        (key.set)(self.settings, &text).map_err(|allowed| {
            self.mistake(value.span().start, format!("`{}` has to be {allowed}", key.name))
        })?;
        self.origins.insert(key.name.to_owned(), self.source(value.span().start));
        Ok(())
    }

    fn engines(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        let table = value.get_ref().as_table().ok_or_else(|| {
            self.mistake(value.span().start, "`engines` has to be a table: `[engines.NAME]`")
        })?;
        for (word, value) in table {
            let name = EngineName::new(word.get_ref()).map_err(|_| {
                self.mistake(
                    word.span().start,
                    "an engine's name is made of letters, digits, `-`, `_` and `.`",
                )
            })?;
            EngineSettings::deserialize(value.clone().into_deserializer())
                .map_err(|e| self.located(&e, value.span().start))?;
            for (key, value) in value.get_ref().as_table().into_iter().flatten() {
                let full = format!("engines.{name}.{}", key.get_ref());
                self.origins.insert(full, self.source(value.span().start));
                let plain = toml::Value::deserialize(value.clone().into_deserializer())
                    .map_err(|e| self.located(&e, value.span().start))?;
                let engine = self.settings.engines.entry(name.clone()).or_default();
                engine.insert(key.get_ref().to_string(), plain);
            }
        }
        Ok(())
    }

    fn profiles(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        let table = value.get_ref().as_table().ok_or_else(|| {
            self.mistake(value.span().start, "`profiles` has to be a table: `[profiles.NAME]`")
        })?;
        for (word, value) in table {
            let name = ProfileName::new(word.get_ref()).map_err(|_| {
                self.mistake(
                    word.span().start,
                    "a profile's name is made of letters, digits, `-`, `_` and `.`",
                )
            })?;
            let table = serde_json::Value::deserialize(value.clone().into_deserializer())
                .map_err(|e| self.located(&e, value.span().start))?;
            let profile = Profile::from_value(&table).map_err(|errors| {
                let what: Vec<&str> = errors.problems().iter().map(|p| p.message.as_str()).collect();
                self.mistake(value.span().start, format!("profile {name}: {}", what.join("; ")))
            })?;
            self.origins.insert(format!("profiles.{name}"), self.source(word.span().start));
            self.settings.profiles.insert(name, profile);
        }
        Ok(())
    }

    fn models(&mut self, value: &Spanned<DeValue<'_>>) -> Result<(), ConfigError> {
        let table = value.get_ref().as_table().ok_or_else(|| {
            self.mistake(
                value.span().start,
                "`models` has to be a table: `[models.NAME]`, by engine or login",
            )
        })?;
        for (word, value) in table {
            let name = Login::new(word.get_ref()).map_err(|_| {
                self.mistake(word.span().start, "an engine or login is one word of printable characters")
            })?;
            let model = Model::deserialize(value.clone().into_deserializer())
                .map_err(|e| self.located(&e, value.span().start))?;
            self.origins.insert(format!("models.{name}"), self.source(word.span().start));
            self.settings.models.0.insert(name, model);
        }
        Ok(())
    }

    fn located(&self, error: &toml::de::Error, fallback: usize) -> ConfigError {
        toml_error(self.path, self.text, error, fallback)
    }

    fn mistake(&self, byte: usize, what: impl Into<String>) -> ConfigError {
        ConfigError::at(self.path, self.text, byte, what)
    }

    fn source(&self, byte: usize) -> Source {
        Source::File { path: self.path.to_owned(), line: position(self.text, byte).0 }
    }
}
