//! An issue or a pull request as people write it: `118`, `#118`, `shop#118`, `acme/shop#118`.

use crate::output::Failure;
use banksman_core::id::Number;
use std::{fmt, str::FromStr};

/// One thing of a repository, with the repository where it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The repository as it was written; `None`: the one that is meant anyway.
    repo: Option<String>,
    /// The number.
    pub(crate) number: Number,
}

impl FromStr for Subject {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "write a number, or REPO#NUMBER such as shop#118 or acme/shop#118";
        let (repo, number) = text.rsplit_once('#').unwrap_or(("", text));
        let number = number.parse().ok().filter(|number| *number > 0).ok_or(SHAPE)?;
        Ok(Self { repo: (!repo.is_empty()).then(|| repo.to_owned()), number: Number(number) })
    }
}

impl Subject {
    /// The repository that is meant, where `--repo` may name one too; an error where both do and differ.
    pub(crate) fn repo<'a>(of: Option<&'a Self>, flag: Option<&'a str>) -> anyhow::Result<Option<&'a str>> {
        match (of.and_then(|subject| subject.repo.as_deref()), flag) {
            (Some(named), Some(flag)) if named != flag => Err(Failure::usage(
                format!("two repositories are named: {named} and {flag}"),
                "name one, in front of the # or with --repo",
            )),
            (named, flag) => Ok(named.or(flag)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repo.as_deref().unwrap_or_default(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_or_without_their_repository() {
        for (text, repo, number) in [
            ("118", None, 118),
            ("#7", None, 7),
            ("shop#1", Some("shop"), 1),
            ("acme/shop#9", Some("acme/shop"), 9),
        ] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!((subject.repo.as_deref(), subject.number), (repo, Number(number)), "{text}");
        }
        for bad in ["", "#", "x", "0", "acme/shop", "acme/shop#", "acme/shop#x", "1#"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_repository_is_named_once() {
        let subject: Subject = "acme/shop#9".parse().unwrap();
        assert_eq!(Subject::repo(Some(&subject), None).unwrap(), Some("acme/shop"));
        assert_eq!(Subject::repo(Some(&subject), Some("acme/shop")).unwrap(), Some("acme/shop"));
        assert_eq!(Subject::repo(None, Some("shop")).unwrap(), Some("shop"));
        assert!(Subject::repo(Some(&subject), Some("shop")).is_err());
    }
}
