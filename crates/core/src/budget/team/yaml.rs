//! Imports the older `team.yaml` (B2). What is taken of it: under `members`, as a list or as a table by name, each member's `name` (or
//! `login`, `user`, `id`) and its quotas: a table `providers`, `quotas` or `agents` of provider to a number, or to a table with `daily`,
//! `quota`, `daily_quota`, `daily_limit`, `tasks` or `limit`; or a list of such tables with `name` or `provider`; or one `provider` and
//! `daily_quota` on the member itself. `timezone` (or `tz`, `zone`) and `reset` (or `reset_time`) of the file. A list of bare provider names takes the
//! file's `daily_quota` or 300. All else is left out and told.

use super::{Mistake, Team, TeamError, read::clock_time};
use crate::{
    budget::{Cost, Provider, Quota, Unit},
    manifest::{Document, DocumentValue, read_document},
    text::{EngineName, MemberName, ProviderName},
};
use std::fmt::Write as _;

/// Tasks a day where the file names a provider and no number.
const USUAL: u64 = 300;

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The team.
    pub team: Team,
    /// The same as `team.toml`.
    pub toml: String,
    /// What was left out, with its line.
    pub left_out: Vec<Mistake>,
}

/// Reads the older form.
pub fn from_yaml(text: &str) -> Result<Imported, TeamError> {
    let mut problems = Vec::new();
    let entries = read_document(text, &mut problems);
    if !problems.is_empty() {
        let told = problems.into_iter().map(|(line, what)| Mistake { line, what });
        return Err(TeamError(told.collect()));
    }
    let mut reader =
        Reader { team: Team::default(), usual: USUAL, left_out: Vec::new(), mistakes: Vec::new() };
    reader.file(&entries);
    let Reader { team, left_out, mut mistakes, .. } = reader;
    if mistakes.is_empty() && team.quotas.is_empty() {
        mistakes.push(Mistake {
            line: 0,
            what: "no member with a quota: expected `members:`, each with `name` and `providers`".to_owned(),
        });
    }
    if !mistakes.is_empty() {
        return Err(TeamError(mistakes));
    }
    let toml = written(&team);
    Ok(Imported { team, toml, left_out })
}

struct Reader {
    team: Team,
    usual: u64,
    left_out: Vec<Mistake>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn wrong(&mut self, line: usize, what: impl Into<String>) {
        self.mistakes.push(Mistake { line, what: what.into() });
    }

    fn leave(&mut self, line: usize, key: &str) {
        let key: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
        self.left_out.push(Mistake { line, what: format!("`{key}` is left out") });
    }

    fn file(&mut self, entries: &[(String, Document)]) {
        // One table around it all is as good.
        if let [(key, inner)] = entries
            && key == "team"
            && let DocumentValue::Map(inner) = &inner.value
        {
            return self.file(inner);
        }
        for (key, value) in entries {
            match (key.as_str(), &value.value) {
                ("timezone" | "tz" | "zone", DocumentValue::Text(zone)) => match zone.parse() {
                    Ok(zone) => self.team.day.zone = zone,
                    Err(error) => self.wrong(value.line, format!("`{key}`: {error}")),
                },
                ("reset" | "reset_time", DocumentValue::Text(time)) => match clock_time(time) {
                    Some(time) => self.team.day.reset = time,
                    None => self.wrong(value.line, format!("`{key}` is a time of day such as \"09:00\"")),
                },
                ("daily_quota" | "daily", DocumentValue::Text(number)) => match number.parse() {
                    Ok(number) => self.usual = number,
                    Err(_) => self.wrong(value.line, format!("`{key}` is a whole number")),
                },
                _ => {}
            }
        }
        for (key, value) in entries {
            match (key.as_str(), &value.value) {
                ("members" | "team", DocumentValue::List(members)) => {
                    members.iter().for_each(|member| self.listed(member));
                }
                ("members" | "team", DocumentValue::Map(members)) => {
                    members.iter().for_each(|(name, member)| self.member(name, value.line, member));
                }
                (
                    "timezone" | "tz" | "zone" | "reset" | "reset_time" | "daily_quota" | "daily",
                    DocumentValue::Text(_),
                ) => {}
                (other, _) => self.leave(value.line, other),
            }
        }
    }

    fn listed(&mut self, member: &Document) {
        match &member.value {
            DocumentValue::Map(entries) => {
                let name =
                    entries.iter().find(|(key, _)| matches!(key.as_str(), "name" | "login" | "user" | "id"));
                match name {
                    Some((_, Document { value: DocumentValue::Text(name), .. })) => {
                        self.member(name, member.line, member);
                    }
                    _ => self.wrong(member.line, "a member needs a `name`"),
                }
            }
            _ => self.wrong(member.line, "a member is a table with `name` and `providers`"),
        }
    }

    fn member(&mut self, name: &str, line: usize, member: &Document) {
        let Ok(name) = MemberName::new(name) else {
            return self.wrong(line, "a member's name is made of letters, digits, `-`, `_` and `.`");
        };
        if self.team.members.contains(&name) {
            return self.wrong(line, format!("the member {name} is there twice"));
        }
        self.team.members.push(name.clone());
        let DocumentValue::Map(entries) = &member.value else {
            return self.wrong(line, format!("{name} is a table with `providers`"));
        };
        let mut alone = (None, None);
        for (key, value) in entries {
            match (key.as_str(), &value.value) {
                ("name" | "login" | "user" | "id", _) => {}
                ("providers" | "quotas" | "agents", _) => self.providers(&name, value),
                ("provider" | "agent", DocumentValue::Text(provider)) => alone.0 = Some(provider.clone()),
                ("quota" | "daily_quota" | "daily" | "daily_limit" | "tasks", DocumentValue::Text(_)) => {
                    alone.1 = Some(value);
                }
                (other, _) => self.leave(value.line, other),
            }
        }
        match alone {
            (Some(provider), quota) => self.quota(&name, line, &provider, quota),
            (None, Some(quota)) => self.wrong(quota.line, "a quota needs its `provider`"),
            (None, None) => {}
        }
    }

    fn providers(&mut self, member: &MemberName, providers: &Document) {
        match &providers.value {
            DocumentValue::Map(entries) => {
                for (provider, quota) in entries {
                    self.quota(member, quota.line, provider, Some(quota));
                }
            }
            DocumentValue::List(items) => {
                for item in items {
                    match &item.value {
                        DocumentValue::Text(provider) => self.quota(member, item.line, provider, None),
                        DocumentValue::Map(entries) => {
                            let name = entries
                                .iter()
                                .find(|(k, _)| matches!(k.as_str(), "name" | "provider" | "agent"));
                            match name {
                                Some((_, Document { value: DocumentValue::Text(provider), .. })) => {
                                    self.quota(member, item.line, provider, Some(item));
                                }
                                _ => self.wrong(item.line, "a quota needs its `provider`"),
                            }
                        }
                        _ => {
                            self.wrong(item.line, "a provider is a name, or a table with `name` and `daily`")
                        }
                    }
                }
            }
            DocumentValue::Text(provider) => self.quota(member, providers.line, provider, None),
            DocumentValue::Nothing => {}
        }
    }

    fn quota(&mut self, member: &MemberName, line: usize, provider: &str, quota: Option<&Document>) {
        const NAMES: [&str; 7] =
            ["daily", "quota", "daily_quota", "daily_limit", "tasks", "limit", "tasks_per_day"];
        let Ok(provider) = ProviderName::new(provider) else {
            return self.wrong(line, "a provider's name is made of letters, digits, `-`, `_` and `.`");
        };
        let number = match quota.map(|quota| &quota.value) {
            None => Some(self.usual.to_string()),
            Some(DocumentValue::Text(number)) => Some(number.clone()),
            Some(DocumentValue::Map(entries)) => {
                for (key, value) in entries {
                    if !NAMES.contains(&key.as_str())
                        && !matches!(key.as_str(), "name" | "provider" | "agent")
                    {
                        self.leave(value.line, key);
                    }
                }
                let found = entries.iter().find(|(key, _)| NAMES.contains(&key.as_str()));
                match found {
                    Some((_, Document { value: DocumentValue::Text(number), .. })) => Some(number.clone()),
                    Some(_) => None,
                    None => Some(self.usual.to_string()),
                }
            }
            Some(DocumentValue::List(_) | DocumentValue::Nothing) => None,
        };
        let Some(most) = number.and_then(|number| number.replace('_', "").parse::<u64>().ok()) else {
            return self.wrong(
                line,
                format!("the quota of {member} at {provider} is a whole number of tasks a day"),
            );
        };
        if self.team.quotas.iter().any(|q| q.member == *member && q.provider == provider) {
            return self.wrong(line, format!("{member} has two quotas at {provider}"));
        }
        if self.team.provider(&provider).is_none() {
            let implementers = EngineName::new(provider.as_str()).into_iter().collect();
            self.team.providers.push(Provider { name: provider.clone(), implementers, task: Cost::TASK });
        }
        let window = self.team.day.clone();
        self.team.quotas.push(Quota { member: member.clone(), provider, unit: Unit::Tasks, most, window });
    }
}

/// The team as `team.toml`.
fn written(team: &Team) -> String {
    let mut out = format!("zone = \"{}\"\nreset = \"{}\"\n", team.day.zone, team.day.reset.strftime("%H:%M"));
    for member in &team.members {
        // Writing to a string cannot fail.
        let _ = write!(out, "\n[[member]]\nname = \"{member}\"\n");
        for quota in team.quotas.iter().filter(|quota| quota.member == *member) {
            let _ = write!(
                out,
                "\n[[member.quota]]\nprovider = \"{}\"\ntasks = {}\nper = \"day\"\n",
                quota.provider, quota.most
            );
        }
    }
    out
}
