//! Pull requests on the wire. Words of GitHub's vocabularies that are not known are read in the careful way: undecided, not mergeable, failing.

use super::{Actor, NodeId, NumberIn, Page, Rollup, Word, lenient, word};
use banksman_core::{
    signals::{MergeState, Mergeable},
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
