//! Answers about one pull request, beside its structure: further pages, where it stands, what a change of it came to.

use super::{
    Actor, Armed, Context, Life, NodeId, Oid, Page, PullWire, ReviewWire, ThreadWire, actor_of, big, lenient,
    word,
};
use crate::github::lineage::Ancestor;
use banksman_core::{
    signals::{MergeState, Mergeable},
    text::{BranchName, RepoName, Sha},
};
use jiff::Timestamp;
use serde::Deserialize;

/// An answer about one pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "P: Deserialize<'de>")]
pub(crate) struct Of<P> {
    #[serde(default = "Option::default")]
    pub(crate) pull_request: Option<P>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenPullsIn {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name_with_owner: Option<RepoName>,
    pub(crate) pull_requests: Page<PullWire>,
}

#[derive(Deserialize)]
pub(crate) struct PullsByNumberIn {
    #[serde(default)]
    pub(crate) p0: Option<PullWire>,
    #[serde(default)]
    pub(crate) p1: Option<PullWire>,
    #[serde(default)]
    pub(crate) p2: Option<PullWire>,
    #[serde(default)]
    pub(crate) p3: Option<PullWire>,
    #[serde(default)]
    pub(crate) p4: Option<PullWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoreChecks {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_oid: Option<Sha>,
    #[serde(default)]
    pub(crate) status_check_rollup: Option<MoreContexts>,
}

#[derive(Deserialize)]
pub(crate) struct MoreContexts {
    pub(crate) contexts: Page<Context>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoreThreads {
    pub(crate) review_threads: Page<ThreadWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoreReviews {
    #[serde(default)]
    pub(crate) latest_opinionated_reviews: Option<Page<ReviewWire>>,
}

#[derive(Deserialize)]
pub(crate) struct OriginWire {
    #[serde(default)]
    pub(crate) id: Option<NodeId>,
    #[serde(default)]
    pub(crate) comments: Option<Page<FirstComment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FirstComment {
    #[serde(default, deserialize_with = "big")]
    pub(crate) full_database_id: Option<u64>,
    pub(crate) created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MergeabilityWire {
    #[serde(default)]
    pub(crate) number: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_oid: Option<Sha>,
    #[serde(deserialize_with = "word")]
    pub(crate) mergeable: Mergeable,
    #[serde(deserialize_with = "word")]
    pub(crate) merge_state_status: MergeState,
    #[serde(default)]
    pub(crate) viewer_can_enable_auto_merge: bool,
}

#[derive(Deserialize)]
pub(crate) struct LineageIn {
    #[serde(default)]
    pub(crate) commits: Page<LineageNode>,
}

#[derive(Deserialize)]
pub(crate) struct LineageNode {
    pub(crate) commit: LineageCommit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineageCommit {
    #[serde(default, deserialize_with = "lenient")]
    oid: Option<Sha>,
    committed_date: Timestamp,
    #[serde(default)]
    author: Option<GitActor>,
    #[serde(default)]
    parents: Page<Oid>,
}

#[derive(Deserialize)]
struct GitActor {
    #[serde(default)]
    user: Option<Actor>,
}

impl LineageCommit {
    /// The commit, if its ids can be read.
    pub(crate) fn ancestor(self) -> Option<Ancestor> {
        Some(Ancestor {
            sha: self.oid?,
            by: actor_of(self.author.as_ref().and_then(|author| author.user.as_ref())),
            parents: self.parents.nodes.into_iter().filter_map(|parent| parent.oid).collect(),
            at: self.committed_date,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StateWire {
    pub(crate) id: NodeId,
    #[serde(deserialize_with = "word")]
    pub(crate) state: Life,
    #[serde(deserialize_with = "word")]
    pub(crate) mergeable: Mergeable,
    #[serde(deserialize_with = "word")]
    pub(crate) merge_state_status: MergeState,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_oid: Option<Sha>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_name: Option<BranchName>,
    #[serde(default)]
    pub(crate) is_cross_repository: bool,
    #[serde(default)]
    pub(crate) merged_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    #[serde(default)]
    pub(crate) merge_commit: Option<Oid>,
    #[serde(default)]
    pub(crate) author: Option<Actor>,
    #[serde(default)]
    pub(crate) auto_merge_request: Option<Armed>,
    #[serde(default)]
    pub(crate) is_merge_queue_enabled: bool,
    #[serde(default)]
    pub(crate) merge_queue_entry: Option<QueueEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueEntry {
    pub(crate) enqueued_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnqueuedData {
    #[serde(default)]
    pub(crate) enqueue_pull_request: Option<Enqueued>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Enqueued {
    #[serde(default)]
    pub(crate) merge_queue_entry: Option<QueueEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdatedData {
    #[serde(default)]
    pub(crate) update_pull_request_branch: Option<Of<HeadWire>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeadWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) head_ref_oid: Option<Sha>,
}

#[derive(Deserialize)]
pub(crate) struct ThreadStateData {
    #[serde(default)]
    pub(crate) node: Option<ThreadStateWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadStateWire {
    pub(crate) is_resolved: bool,
    #[serde(default)]
    pub(crate) resolved_by: Option<Actor>,
    pub(crate) pull_request: UpdatedAt,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdatedAt {
    pub(crate) updated_at: Timestamp,
}
