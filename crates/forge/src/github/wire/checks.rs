//! Checks of a commit on the wire: check runs and commit statuses.

use super::{Actor, Page, Word, lenient, word};
use banksman_core::{
    signals::CheckState,
    text::{CheckName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// Checks of a commit.
#[derive(Deserialize)]
pub(crate) struct Rollup {
    #[serde(default)]
    pub(crate) commit: Option<CommitWire>,
    #[serde(default)]
    pub(crate) contexts: Page<Context>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) oid: Option<Sha>,
    #[serde(default)]
    pub(crate) committed_date: Option<Timestamp>,
}

/// A check run or a commit status: all fields of both, so that no answer is without a shape.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Context {
    #[serde(rename = "__typename", deserialize_with = "word")]
    pub(crate) sort: Sort,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<CheckName>,
    #[serde(default, deserialize_with = "word")]
    pub(crate) status: Progress,
    #[serde(default)]
    pub(crate) conclusion: Option<Conclusion>,
    #[serde(default)]
    pub(crate) check_suite: Option<Suite>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) context: Option<CheckName>,
    #[serde(default)]
    pub(crate) state: Option<StatusWord>,
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) creator: Option<Actor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Run,
    Status,
    Other,
}

impl Word for Sort {
    fn of(word: &str) -> Self {
        match word {
            "CheckRun" => Self::Run,
            "StatusContext" => Self::Status,
            _ => Self::Other,
        }
    }
}

/// Whether a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Progress {
    Completed,
    #[default]
    UnderWay,
}

impl Word for Progress {
    fn of(word: &str) -> Self {
        if word == "COMPLETED" { Self::Completed } else { Self::UnderWay }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conclusion(pub(crate) CheckState);

impl Word for Conclusion {
    fn of(word: &str) -> Self {
        Self(match word {
            "SUCCESS" | "NEUTRAL" | "SKIPPED" => CheckState::Passing,
            _ => CheckState::Failing,
        })
    }
}

impl<'de> Deserialize<'de> for Conclusion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

/// How a commit status stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusWord(pub(crate) CheckState);

impl Word for StatusWord {
    fn of(word: &str) -> Self {
        Self(match word {
            "SUCCESS" => CheckState::Passing,
            "PENDING" | "EXPECTED" => CheckState::Pending,
            _ => CheckState::Failing,
        })
    }
}

impl<'de> Deserialize<'de> for StatusWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Suite {
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) app: Option<AppWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppWire {
    #[serde(default)]
    pub(crate) database_id: Option<u64>,
}
