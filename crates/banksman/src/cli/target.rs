//! What a command that takes a new repository is pointed at, and who implements there.

use crate::home::{Entry, HostedAccount};
use banksman_core::{
    repo::HostedAgent,
    text::{EngineName, Label, Login, RepoName},
};
use std::{convert::Infallible, path::PathBuf, str::FromStr};

/// A repository to be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A folder, for the embedded forge.
    Folder(PathBuf),
    /// One on GitHub.
    Github(RepoName),
}

impl FromStr for Target {
    type Err = Infallible;

    /// `https://github.com/acme/shop` and `github:acme/shop` are on GitHub, and so is `acme/shop` unless there is such a folder.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let marked = ["github:", "https://github.com/"].iter().find_map(|mark| text.strip_prefix(mark));
        let name = marked.unwrap_or(text);
        let name = RepoName::new(name.trim_end_matches('/').trim_end_matches(".git"));
        let name = name.ok().filter(|name| !name.as_str().starts_with("local/"));
        let folder = PathBuf::from(text);
        Ok(match name {
            Some(name) if marked.is_some() || !folder.exists() => Self::Github(name),
            Some(_) | None => Self::Folder(folder),
        })
    }
}

/// Whoever writes the code of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Implementer {
    /// An engine of this host.
    Engine(EngineName),
    /// An agent that somebody else hosts.
    Hosted(HostedAccount),
}

impl FromStr for Implementer {
    type Err = String;

    /// `NAME`, of a known hosted agent or else of an engine, or `NAME:LABEL:LOGIN` of another hosted agent.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let name = EngineName::new(parts.next().unwrap_or_default()).map_err(|bad| bad.to_string())?;
        match (parts.next(), parts.next()) {
            (None, _) => Ok(HostedAccount::known(&name).map_or(Self::Engine(name), Self::Hosted)),
            (Some(label), Some(login)) => {
                let label = Label::new(label).map_err(|bad| bad.to_string())?;
                let login = Login::new(login).map_err(|bad| bad.to_string())?;
                Ok(Self::Hosted(HostedAccount { agent: HostedAgent { name, label }, login }))
            }
            (Some(_), None) => Err("a hosted agent is written NAME:LABEL:LOGIN".to_owned()),
        }
    }
}

impl Implementer {
    /// Makes it the first one of an entry.
    pub(crate) fn put_first(&self, entry: &mut Entry) {
        let name = match self {
            Self::Engine(name) => name,
            Self::Hosted(hosted) => {
                entry.hosted.put(hosted.clone());
                &hosted.agent.name
            }
        };
        entry.implementers.retain(|known| known != name);
        entry.implementers.insert(0, name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_folder_is_on_github() {
        let github = |text: &str| match text.parse().unwrap() {
            Target::Github(name) => Some(name.to_string()),
            Target::Folder(_) => None,
        };
        for text in [
            "acme/shop",
            "github:acme/shop",
            "https://github.com/acme/shop.git",
            "https://github.com/acme/shop/",
        ] {
            assert_eq!(github(text).as_deref(), Some("acme/shop"), "{text}");
        }
        for text in [".", "/code/shop", "shop", "./acme/shop", "local/shop", "a/b/c"] {
            assert_eq!(github(text), None, "{text}");
        }
        // The tests of a package run in its folder.
        assert_eq!(github("src/cli"), None);
    }

    #[test]
    fn implementers_are_engines_or_hosted_agents() {
        assert!(matches!("claude".parse(), Ok(Implementer::Engine(name)) if name.as_str() == "claude"));
        assert!(
            matches!("jules".parse(), Ok(Implementer::Hosted(hosted)) if hosted.agent.label.as_str() == "jules")
        );
        let Ok(Implementer::Hosted(devin)) = "devin:ai work:devin[bot]".parse() else { panic!("no agent") };
        assert_eq!((devin.agent.label.as_str(), devin.login.as_str()), ("ai work", "devin[bot]"));
        assert!("devin:devin".parse::<Implementer>().is_err());
    }
}
