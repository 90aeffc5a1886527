//! The inventory `repos.toml`: which repositories there are and how each is run. Written by `onboard` and `repos`, edited by people;
//! their comments stay. It lies in the home and never in a repository (S16).

use crate::{
    config::{ConfigError, Settings, toml_error},
    output::Failure,
};
use anyhow::Context;
use banksman_core::{
    repo::RepoRules,
    text::{BranchName, CheckName, EngineName, Login, RepoName},
};
use banksman_forge::local::{Freshness, LocalRepo};
use jiff::{SignedDuration, fmt::serde::duration::friendly::compact::optional as friendly};
use serde::{Deserialize, Serialize};
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

/// One repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its folder.
    pub(crate) path: PathBuf,
    /// The branch that epics are merged into.
    pub(crate) default_branch: BranchName,
    /// Engines that implement children; the first by default.
    pub(crate) implementers: Vec<EngineName>,
    /// Engines that review every head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reviewers: Vec<EngineName>,
    /// What has to pass before a merge.
    #[serde(default, skip_serializing_if = "Checks::is_empty")]
    pub(crate) checks: Checks,
    /// Approvals that a merge needs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) required_approvals: u32,
    /// A head has to contain its base's head before it is merged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) require_up_to_date: bool,
    /// Logins whose issues may go to local engines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed: Vec<Login>,
    /// Further paths that engines and checks may read inside the sandbox, such as `~/.cargo` and `~/.rustup`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) read_only: Vec<PathBuf>,
    /// Further paths that they may write, such as a cache; all attempts share them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) writable: Vec<PathBuf>,
    /// Checks keep the host's network.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) check_network: bool,
    /// Patterns, as in `.gitattributes`, of files of which a merge takes the lines of both sides, such as lock files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) union_merge: Vec<String>,
    /// How much it matters, in a word of the host's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<String>,
    /// Its main language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// Its share where repositories compete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<u32>,
    /// Its own cap of tasks in 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) daily_tasks: Option<u32>,
    /// Its own number of attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u32>,
    /// Its own number of rounds for red checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) check_fix_rounds: Option<u32>,
    /// Its own limits of the policy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) policy: PolicyEntry,
}

/// Limits that differ from the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyEntry {
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "friendly")]
    pub(crate) response_time: Option<SignedDuration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) review_requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conflict_requests: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "friendly")]
    pub(crate) red_checks: Option<SignedDuration>,
}

/// Checks as `[["name", "command"], ...]` or as a table `name = "command"`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ChecksWritten", into = "Vec<(CheckName, String)>")]
pub(crate) struct Checks(pub(crate) Vec<(CheckName, String)>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ChecksWritten {
    List(Vec<(CheckName, String)>),
    Table(BTreeMap<CheckName, String>),
}

impl From<ChecksWritten> for Checks {
    fn from(written: ChecksWritten) -> Self {
        match written {
            ChecksWritten::List(list) => Self(list),
            ChecksWritten::Table(table) => Self(table.into_iter().collect()),
        }
    }
}

impl From<Checks> for Vec<(CheckName, String)> {
    fn from(checks: Checks) -> Self {
        checks.0
    }
}

impl Checks {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
        let document = text.parse().with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self { file: file.to_owned(), document, repos: written.repos })
    }

    /// All repositories, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (RepoName, &Entry)> {
        self.repos.iter().filter_map(|(name, entry)| Some((repo_name(name).ok()?, entry)))
    }

    /// The repository of that name (`shop` or `local/shop`), that lies at that path, or the only one.
    pub(crate) fn find(&self, wanted: Option<&str>) -> anyhow::Result<(RepoName, &Entry)> {
        let names = || self.repos.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some(wanted) = wanted else {
            let here = std::env::current_dir().ok().and_then(|here| std::fs::canonicalize(here).ok());
            let inside = |entry: &Entry| here.as_ref().is_some_and(|here| here.starts_with(&entry.path));
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
                name.as_str() == wanted || short(name) == wanted || Some(&entry.path) == path.as_ref()
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

impl Entry {
    /// A repository with nothing set but its place.
    pub(crate) fn new(path: PathBuf, default_branch: BranchName) -> Self {
        Self {
            path,
            default_branch,
            implementers: Vec::new(),
            reviewers: Vec::new(),
            checks: Checks::default(),
            required_approvals: 0,
            require_up_to_date: false,
            allowed: Vec::new(),
            read_only: Vec::new(),
            writable: Vec::new(),
            check_network: false,
            union_merge: Vec::new(),
            tier: None,
            language: None,
            weight: None,
            daily_tasks: None,
            attempts: None,
            check_fix_rounds: None,
            policy: PolicyEntry::default(),
        }
    }

    /// The repository as the embedded forge is told of it.
    pub(crate) fn local_repo(&self, repo: &RepoName, check_timeout: SignedDuration) -> LocalRepo {
        LocalRepo {
            name: repo.clone(),
            folder: self.path.clone(),
            default_branch: self.default_branch.clone(),
            checks: self.checks.0.clone(),
            check_timeout,
            required_approvals: self.required_approvals,
            freshness: if self.require_up_to_date { Freshness::UpToDate } else { Freshness::Any },
            allowed: self.allowed.clone(),
        }
    }

    /// How the repository is run: the host's values with its own on top.
    pub(crate) fn rules(&self, repo: &RepoName, settings: &Settings) -> anyhow::Result<RepoRules> {
        let Some(implementer) = self.implementers.first() else {
            return Err(Failure::new(
                format!("{} has no implementer", short(repo)),
                format!("`banksman repos edit {} --engine NAME` sets one.", short(repo)),
            ));
        };
        let mut rules = RepoRules::new(repo.clone(), implementer.clone());
        rules.reviewers = self.reviewers.clone();
        // A person may hand an issue to any engine of the host.
        rules.engines = settings.engine_definitions()?.into_keys().collect();
        rules.limits = settings.limits;
        let own = &self.policy;
        rules.limits.response_time = own.response_time.unwrap_or(rules.limits.response_time);
        rules.limits.review_requests = own.review_requests.unwrap_or(rules.limits.review_requests);
        rules.limits.conflict_requests = own.conflict_requests.unwrap_or(rules.limits.conflict_requests);
        rules.limits.red_checks = own.red_checks.unwrap_or(rules.limits.red_checks);
        rules.child_merge = settings.child_merge;
        rules.epic_merge = settings.epic_merge;
        rules.attempts = self.attempts.unwrap_or(settings.attempts);
        rules.check_fix_rounds = self.check_fix_rounds.unwrap_or(settings.check_fix_rounds);
        rules.daily_tasks = self.daily_tasks.or(settings.daily_tasks);
        rules.retry_pause = settings.retry_pause;
        Ok(rules)
    }
}

/// The forge's name of a repository of the inventory.
pub(crate) fn repo_name(name: &str) -> Result<RepoName, banksman_core::text::BadText> {
    RepoName::new(&format!("local/{name}"))
}

/// The inventory's name of a repository.
pub(crate) fn short(repo: &RepoName) -> &str {
    repo.as_str().split_once('/').map_or(repo.as_str(), |(_, name)| name)
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
