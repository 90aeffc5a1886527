//! Pull requests on the wire. Words of GitHub's vocabularies that are not known are read in the careful way: undecided, not mergeable, failing.

use super::{Actor, NodeId, NumberIn, Page, Word, lenient, word};
use banksman_core::{
    signals::{CheckState, MergeState, Mergeable},
    text::{BranchName, CheckName, Login, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullWire {
    pub(crate) id: NodeId,
    pub(crate) number: u64,
    #[serde(deserialize_with = "word")]
    pub(crate) state: Life,
    pub(crate) is_draft: bool,
    #[serde(deserialize_with = "word")]
    pub(crate) merge_state_status: MergeState,
    #[serde(deserialize_with = "word")]
    pub(crate) mergeable: Mergeable,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_oid: Option<Sha>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_name: Option<BranchName>,
    pub(crate) is_cross_repository: bool,
    #[serde(default)]
    pub(crate) head_repository_owner: Option<Owner>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) base_ref_name: Option<BranchName>,
    #[serde(default)]
    pub(crate) base_ref: Option<BaseRef>,
    #[serde(default)]
    pub(crate) author: Option<Actor>,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) changed_files: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    #[serde(default)]
    pub(crate) closed_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) merged_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) merge_commit: Option<Oid>,
    #[serde(default)]
    pub(crate) review_decision: Option<Decision>,
    #[serde(default)]
    pub(crate) viewer_can_enable_auto_merge: bool,
    #[serde(default)]
    pub(crate) auto_merge_request: Option<Armed>,
    #[serde(default)]
    pub(crate) is_in_merge_queue: bool,
    #[serde(default)]
    pub(crate) is_merge_queue_enabled: bool,
    #[serde(default)]
    pub(crate) status_check_rollup: Option<Rollup>,
    #[serde(default)]
    pub(crate) review_threads: Page<ThreadWire>,
    #[serde(default)]
    pub(crate) latest_opinionated_reviews: Option<Page<ReviewWire>>,
    #[serde(default)]
    pub(crate) closing_issues_references: Option<Page<NumberIn>>,
}

/// Open, merged or closed; what is not known is taken for closed, of which nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    Merged,
    Closed,
}

impl Word for Life {
    fn of(word: &str) -> Self {
        match word {
            "OPEN" => Self::Open,
            "MERGED" => Self::Merged,
            _ => Self::Closed,
        }
    }
}

impl Word for MergeState {
    fn of(word: &str) -> Self {
        match word {
            "CLEAN" => Self::Clean,
            "BEHIND" => Self::Behind,
            "BLOCKED" => Self::Blocked,
            "DIRTY" => Self::Dirty,
            "UNSTABLE" => Self::Unstable,
            "HAS_HOOKS" => Self::HasHooks,
            "DRAFT" => Self::Draft,
            _ => Self::Unknown,
        }
    }
}

impl Word for Mergeable {
    fn of(word: &str) -> Self {
        match word {
            "MERGEABLE" => Self::Mergeable,
            "CONFLICTING" => Self::Conflicting,
            _ => Self::Unknown,
        }
    }
}

/// The owner of a repository.
#[derive(Deserialize)]
pub(crate) struct Owner {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) login: Option<Login>,
}

/// What protects the base, as far as everybody may see it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseRef {
    #[serde(default)]
    pub(crate) ref_update_rule: Option<UpdateRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateRule {
    #[serde(default)]
    pub(crate) required_approving_review_count: Option<u32>,
    #[serde(default)]
    pub(crate) required_status_check_contexts: Option<Vec<Required>>,
}

/// The name of a required check; `None`: it has no valid shape.
pub(crate) struct Required(pub(crate) Option<CheckName>);

impl<'de> Deserialize<'de> for Required {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient(from).map(Self)
    }
}

/// A commit by its id.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Oid {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) oid: Option<Sha>,
}

/// What the reviews come to by the base's own rules; there is none where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Approved,
    Missing,
}

impl Word for Decision {
    fn of(word: &str) -> Self {
        if word == "APPROVED" { Self::Approved } else { Self::Missing }
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

/// Auto-merge is on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Armed {
    #[serde(default)]
    pub(crate) enabled_at: Option<Timestamp>,
}

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadWire {
    pub(crate) id: NodeId,
    pub(crate) is_resolved: bool,
    #[serde(default)]
    pub(crate) resolved_by: Option<Actor>,
}

#[derive(Deserialize)]
pub(crate) struct ReviewWire {
    #[serde(deserialize_with = "word")]
    pub(crate) state: Opinion,
    #[serde(default)]
    pub(crate) commit: Option<Oid>,
    #[serde(default)]
    pub(crate) author: Option<Actor>,
}

/// A reviewer's last verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    Approved,
    ChangesRequested,
    Other,
}

impl Word for Opinion {
    fn of(word: &str) -> Self {
        match word {
            "APPROVED" => Self::Approved,
            "CHANGES_REQUESTED" => Self::ChangesRequested,
            _ => Self::Other,
        }
    }
}
