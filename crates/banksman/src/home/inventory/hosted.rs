//! Hosted agents of a repository: implementers that somebody else runs. A label hands them an issue; they open pull requests under an
//! account of their own.

use banksman_core::{
    repo::HostedAgent,
    text::{EngineName, Label, Login},
};
use serde::{Deserialize, Serialize};

/// Agents that are known without saying more than their name: name, label, account.
const KNOWN: [(&str, &str, &str); 2] =
    [("jules", "jules", "google-labs-jules[bot]"), ("copilot", "copilot", "copilot-swe-agent[bot]")];

/// One hosted agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostedAccount {
    /// Its name among the implementers, and the label that it listens to.
    pub(crate) agent: HostedAgent,
    /// The account that opens its pull requests.
    pub(crate) login: Login,
}

/// All hosted agents of a repository, as `hosted = "jules"`, as a list of names, or as tables `{ name, label, login }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Vec<WrittenOne>")]
pub(crate) struct HostedAgents(pub(crate) Vec<HostedAccount>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(WrittenOne),
    Several(Vec<WrittenOne>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenOne {
    Name(EngineName),
    Table(WrittenTable),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    name: EngineName,
    #[serde(default)]
    label: Option<Label>,
    #[serde(default)]
    login: Option<Login>,
}

impl HostedAccount {
    /// The agent of that name, if it is one of those that are known.
    pub(crate) fn known(name: &EngineName) -> Option<Self> {
        let (_, label, login) = KNOWN.iter().find(|(known, ..)| *known == name.as_str())?;
        let agent = HostedAgent { name: name.clone(), label: Label::new(label).ok()? };
        Some(Self { agent, login: Login::new(login).ok()? })
    }
}

impl HostedAgents {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an agent, or replaces the one of its name.
    pub(crate) fn put(&mut self, hosted: HostedAccount) {
        self.0.retain(|known| known.agent.name != hosted.agent.name);
        self.0.push(hosted);
    }
}

impl TryFrom<Written> for HostedAgents {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let all = match written {
            Written::One(one) => vec![one],
            Written::Several(all) => all,
        };
        let mut hosted = Self::default();
        for one in all {
            let table = match one {
                WrittenOne::Name(name) => WrittenTable { name, label: None, login: None },
                WrittenOne::Table(table) => table,
            };
            let known = HostedAccount::known(&table.name);
            let label = table.label.or_else(|| Some(known.as_ref()?.agent.label.clone()));
            let login = table.login.or_else(|| Some(known.as_ref()?.login.clone()));
            let (Some(label), Some(login)) = (label, login) else {
                return Err(format!(
                    "the hosted agent {0} is not a known one: write {{ name = \"{0}\", label = \"...\", login = \"...\" }}",
                    table.name
                ));
            };
            hosted.put(HostedAccount { agent: HostedAgent { name: table.name, label }, login });
        }
        Ok(hosted)
    }
}

impl From<HostedAgents> for Vec<WrittenOne> {
    fn from(all: HostedAgents) -> Self {
        let written = |hosted: HostedAccount| {
            if HostedAccount::known(&hosted.agent.name).as_ref() == Some(&hosted) {
                return WrittenOne::Name(hosted.agent.name);
            }
            let HostedAgent { name, label } = hosted.agent;
            WrittenOne::Table(WrittenTable { name, label: Some(label), login: Some(hosted.login) })
        };
        all.0.into_iter().map(written).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        hosted: HostedAgents,
    }

    fn read(text: &str) -> Result<File, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_name_a_list_and_a_table_are_read_and_written_back() {
        let one = read("hosted = \"jules\"\n").unwrap();
        assert_eq!(one.hosted.0[0].agent.label.as_str(), "jules");
        assert_eq!(one.hosted.0[0].login.as_str(), "google-labs-jules[bot]");
        let two =
            read("hosted = [\"jules\", { name = \"devin\", label = \"devin\", login = \"devin[bot]\" }]\n");
        let two = two.unwrap();
        assert_eq!(two.hosted.0.len(), 2);
        assert_eq!(read(&toml::to_string(&two).unwrap()).unwrap(), two);
        assert!(toml::to_string(&one).unwrap().contains("hosted = [\"jules\"]"));
    }

    #[test]
    fn an_agent_that_nobody_knows_needs_its_label_and_its_account() {
        assert!(read("hosted = \"devin\"\n").is_err());
        assert!(read("hosted = { name = \"devin\", label = \"devin\" }\n").is_err());
        assert!(read("hosted = { name = \"jules\", lable = \"x\" }\n").is_err());
    }
}
