//! The inventory `repos.toml`: which repositories there are and how each is run. Written by `onboard` and `repos`, edited by people;
//! their comments stay. It lies in the home and never in a repository (S16). A repository of the embedded forge is known by one word, one of
//! GitHub by `owner/name`.

mod entry;
mod hosted;

pub(crate) use entry::{Checks, Entry, Merge, Place};
pub(crate) use hosted::HostedAccount;

use crate::{
    config::{ConfigError, toml_error},
    output::Failure,
};
use anyhow::Context;
use banksman_core::text::RepoName;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use toml_edit::DocumentMut;

/// All repositories of a home.
#[derive(Debug)]
pub(crate) struct Inventory {
    file: PathBuf,
    document: DocumentMut,
    repos: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    repos: BTreeMap<String, Entry>,
}

/// What stands at the top of a new file.
const HEAD: &str = "# The repositories that Banksman works on: see docs/cli.md, `banksman repos`. Edit freely; comments stay.\n";

impl Inventory {
    /// Reads the inventory; a missing file is an empty one.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HEAD.to_owned(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        let written: Written = toml::from_str(&text).map_err(|e| toml_error(file, &text, &e, 0))?;
        if let Some(bad) = written.repos.keys().find(|name| repo_name(name).is_err()) {
            let what = format!("`{bad}` is no name for a repository: letters, digits, `-`, `_` and `.`");
            return Err(ConfigError { place: file.display().to_string(), what }.into());
        }
        for (name, entry) in &written.repos {
            if let Some(mistake) = entry.mistake(name) {
                return Err(ConfigError {
                    place: file.display().to_string(),
                    what: format!("{name} {mistake}"),
                }
                .into());
            }
        }
        let document = text.parse().with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self { file: file.to_owned(), document, repos: written.repos })
    }

    /// All repositories, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (RepoName, &Entry)> {
        self.repos.iter().filter_map(|(name, entry)| Some((repo_name(name).ok()?, entry)))
    }

    /// The repository of that name (`shop` or `local/shop`, `acme/shop`), that lies at that path, or the only one.
    pub(crate) fn find(&self, wanted: Option<&str>) -> anyhow::Result<(RepoName, &Entry)> {
        let names = || self.repos.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some(wanted) = wanted else {
            let here = std::env::current_dir().ok().and_then(|here| std::fs::canonicalize(here).ok());
            let inside = |entry: &Entry| {
                here.as_ref().zip(entry.folder()).is_some_and(|(here, folder)| here.starts_with(folder))
            };
            let mut found: Vec<_> = self.all().filter(|(_, entry)| inside(entry)).collect();
            if found.is_empty() {
                found = self.all().collect();
            }
            return match found.as_slice() {
                [] => Err(Failure::new(
                    "Banksman knows no repository yet",
                    "`banksman onboard PATH --audit FILE --engine NAME` adds one and starts; `banksman repos add PATH` only adds it.",
                )),
                [only] => Ok(only.clone()),
                _ => Err(Failure::usage("which repository is meant?", format!("Name one of: {}", names()))),
            };
        };
        let path = std::fs::canonicalize(wanted).ok();
        self.all()
            .find(|(name, entry)| {
                // GitHub takes names in any case.
                let on_github = matches!(entry.place(), Place::Github(_));
                name.as_str() == wanted
                    || short(name) == wanted
                    || (on_github && name.as_str().eq_ignore_ascii_case(wanted))
                    || (path.is_some() && entry.folder() == path.as_deref())
            })
            .ok_or_else(|| {
                let help = match crate::config::nearest(wanted, self.repos.keys().map(String::as_str)) {
                    Some(near) => format!("Did you mean {near}?"),
                    None if self.repos.is_empty() => "`banksman repos add PATH` adds one.".to_owned(),
                    None => format!("Known are: {}", names()),
                };
                Failure::new(format!("Banksman knows no repository {wanted}"), help)
            })
    }

    /// Adds or replaces a repository. Comments of other entries stay.
    pub(crate) fn put(&mut self, name: &str, entry: Entry) -> anyhow::Result<()> {
        let text = toml::to_string(&entry).context("cannot write the entry")?;
        let new: DocumentMut = text.parse().context("cannot write the entry")?;
        let repos = self.document.entry("repos").or_insert_with(|| {
            let mut table = toml_edit::Table::new();
            table.set_implicit(true);
            toml_edit::Item::Table(table)
        });
        let Some(repos) = repos.as_table_mut() else {
            return Err(Failure::new(
                "`repos` is no table in repos.toml",
                "Write each repository as [repos.NAME].",
            ));
        };
        match repos.get_mut(name).and_then(|item| item.as_table_mut()) {
            Some(table) => {
                let gone: Vec<String> =
                    table.iter().map(|(k, _)| k.to_owned()).filter(|k| !new.contains_key(k)).collect();
                gone.iter().for_each(|key| drop(table.remove(key)));
                let before: toml::Table =
                    self.repos.get(name).and_then(|old| toml::Table::try_from(old).ok()).unwrap_or_default();
                let after = toml::Table::try_from(&entry).context("cannot write the entry")?;
                // What did not change keeps the way it is written.
                for (key, item) in new.iter().filter(|(key, _)| before.get(*key) != after.get(*key)) {
                    table.insert(key, item.clone());
                }
            }
            None => drop(repos.insert(name, toml_edit::Item::Table(new.as_table().clone()))),
        }
        self.repos.insert(name.to_owned(), entry);
        self.save()
    }

    /// Takes a repository out. Its issues, pull requests and journals stay.
    pub(crate) fn remove(&mut self, name: &str) -> anyhow::Result<()> {
        if let Some(repos) = self.document.get_mut("repos").and_then(|item| item.as_table_mut()) {
            repos.remove(name);
        }
        self.repos.remove(name);
        self.save()
    }

    fn save(&self) -> anyhow::Result<()> {
        let text = self.document.to_string();
        let written = || -> std::io::Result<()> {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
            let next = self.file.with_extension("toml.new");
            std::fs::write(&next, &text)?;
            std::fs::File::open(&next)?.sync_all()?;
            std::fs::rename(&next, &self.file)
        };
        written().with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// The forge's name of a repository of the inventory: of the embedded forge where it is one word.
pub(crate) fn repo_name(name: &str) -> Result<RepoName, banksman_core::text::BadText> {
    if name.contains('/') { RepoName::new(name) } else { RepoName::new(&format!("local/{name}")) }
}

/// The inventory's name of a repository.
pub(crate) fn short(repo: &RepoName) -> &str {
    repo.as_str().strip_prefix("local/").unwrap_or(repo.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        toml::from_str(
            "path = \"/code/shop\"\ndefault_branch = \"main\"\nimplementers = [\"claude\"]\nchecks = [[\"test\", \"make test\"]]\n",
        )
        .unwrap()
    }

    #[test]
    fn comments_and_other_entries_survive_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repos.toml");
        let text = "# mine\n[repos.blog] # the blog\npath = \"/b\"\ndefault_branch = \"main\"\nimplementers = [\"shell\"] # cheap\n";
        std::fs::write(&file, text).unwrap();
        let mut inventory = Inventory::read(&file).unwrap();
        inventory.put("shop", entry()).unwrap();
        let mut blog = inventory.find(Some("blog")).unwrap().1.clone();
        blog.required_approvals = 1;
        inventory.put("blog", blog).unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        for kept in ["# mine", "# the blog", "# cheap", "required_approvals = 1", "[repos.shop]"] {
            assert!(written.contains(kept), "{kept} is missing in\n{written}");
        }
        let mut again = Inventory::read(&file).unwrap();
        assert_eq!(again.find(Some("shop")).unwrap().1, &entry());
        again.remove("shop").unwrap();
        assert_eq!(Inventory::read(&file).unwrap().all().count(), 1);
    }

    #[test]
    fn checks_may_be_a_list_or_a_table() {
        let table: Entry = toml::from_str(
            "path = \"/x\"\ndefault_branch = \"main\"\nimplementers = []\n[checks]\ntest = \"make test\"\n",
        )
        .unwrap();
        assert_eq!(table.checks, entry().checks);
    }

    #[test]
    fn repositories_of_github_are_found_by_their_whole_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repos.toml");
        let mut inventory = Inventory::read(&file).unwrap();
        let name = RepoName::new("acme/shop").unwrap();
        let branch = banksman_core::text::BranchName::new("main").unwrap();
        let mut entry = Entry::on_github(name.clone(), branch);
        entry.hosted.put(HostedAccount::known(&"jules".parse().unwrap()).unwrap());
        inventory.put(short(&name), entry.clone()).unwrap();
        inventory.put("shop", self::entry()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("[repos.\"acme/shop\"]\ngithub = \"acme/shop\"\n"), "{text}");
        assert!(text.contains("hosted = [\"jules\"]"), "{text}");
        let again = Inventory::read(&file).unwrap();
        assert_eq!(again.find(Some("Acme/Shop")).unwrap(), (name.clone(), &entry));
        assert_eq!(again.find(Some("shop")).unwrap().0.as_str(), "local/shop");
        let settings = crate::config::Settings::built_in("/h".into());
        let rules = entry.rules(&name, &settings).unwrap();
        assert_eq!((rules.implementer.as_str(), rules.hosted.len()), ("jules", 1));
        assert_eq!(rules.own_engine(), None);
    }

    #[test]
    fn an_entry_lives_in_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repos.toml");
        for (head, body, mistake) in [
            ("a", "", "neither `path`"),
            ("a", "path = \"/a\"\ngithub = \"b/a\"\n", "both `path` and `github`"),
            ("a", "github = \"b/a\"\n", "write it as [repos.\"b/a\"]"),
            ("\"b/a\"", "path = \"/a\"\n", "one word"),
            ("\"local/a\"", "github = \"local/a\"\n", "the embedded forge's"),
        ] {
            std::fs::write(&file, format!("[repos.{head}]\ndefault_branch = \"main\"\n{body}")).unwrap();
            let error = Inventory::read(&file).unwrap_err().to_string();
            assert!(error.contains(mistake), "{error}");
        }
    }

    #[test]
    fn a_mistake_names_its_place_and_the_nearest_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repos.toml");
        std::fs::write(&file, "[repos.a]\npath = \"/a\"\ndefault_brunch = \"x\"\n").unwrap();
        let error = Inventory::read(&file).unwrap_err().to_string();
        assert!(
            error.ends_with("repos.toml:3:1: unknown key `default_brunch`; did you mean `default_branch`?"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_repository_is_answered_with_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        let mut inventory = Inventory::read(&folder.path().join("repos.toml")).unwrap();
        inventory.put("shop", entry()).unwrap();
        assert!(inventory.find(Some("shpo")).is_err());
        assert_eq!(inventory.find(None).unwrap().0.as_str(), "local/shop");
    }
}
