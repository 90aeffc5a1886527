//! Answers about a repository, its branches and its issues.

use super::{Actor, IssueWire, LabelWire, NodeId, NumberIn, Oid, Page, PullWire, lenient, words::tainted};
use banksman_core::{
    epic::Checklist,
    text::{BranchName, RepoName},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// An answer about a repository; `None`: there is none, or it may not be seen.
#[derive(Deserialize)]
#[serde(bound = "R: Deserialize<'de>")]
pub(crate) struct In<R> {
    #[serde(default = "Option::default")]
    pub(crate) repository: Option<R>,
}

/// An answer about nodes; those that are gone are `None`.
#[derive(Deserialize)]
#[serde(bound = "N: Deserialize<'de>")]
pub(crate) struct Nodes<N> {
    #[serde(default = "Vec::new")]
    pub(crate) nodes: Vec<Option<N>>,
}

/// An answer of which nothing is read.
#[derive(Deserialize)]
pub(crate) struct Done {}

#[derive(Deserialize)]
pub(crate) struct FactsData {
    #[serde(default)]
    pub(crate) viewer: Option<Actor>,
    #[serde(default)]
    pub(crate) repository: Option<FactsIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FactsIn {
    pub(crate) id: NodeId,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name_with_owner: Option<RepoName>,
    #[serde(default)]
    pub(crate) is_archived: bool,
    #[serde(default)]
    pub(crate) is_disabled: bool,
    #[serde(default)]
    pub(crate) is_locked: bool,
    #[serde(default)]
    pub(crate) is_private: bool,
    #[serde(default)]
    pub(crate) auto_merge_allowed: bool,
    #[serde(default)]
    pub(crate) squash_merge_allowed: bool,
    #[serde(default)]
    pub(crate) merge_commit_allowed: bool,
    #[serde(default)]
    pub(crate) delete_branch_on_merge: bool,
    #[serde(default)]
    pub(crate) default_branch_ref: Option<RefWire>,
    #[serde(default)]
    pub(crate) merge_queue: Option<Done>,
}

#[derive(Deserialize)]
pub(crate) struct GlanceData {
    #[serde(default)]
    pub(crate) viewer: Option<Actor>,
    #[serde(default)]
    pub(crate) repository: Option<GlanceIn>,
}

/// The facts with the lists of a glance. The facts stand here once more: a flattened struct would keep the whole answer in memory twice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GlanceIn {
    id: NodeId,
    #[serde(default, deserialize_with = "lenient")]
    name_with_owner: Option<RepoName>,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_disabled: bool,
    #[serde(default)]
    is_locked: bool,
    #[serde(default)]
    is_private: bool,
    #[serde(default)]
    auto_merge_allowed: bool,
    #[serde(default)]
    squash_merge_allowed: bool,
    #[serde(default)]
    merge_commit_allowed: bool,
    #[serde(default)]
    delete_branch_on_merge: bool,
    #[serde(default)]
    default_branch_ref: Option<RefWire>,
    #[serde(default)]
    merge_queue: Option<Done>,
    pull_requests: Page<PullWire>,
    issues: Page<IssueWire>,
    #[serde(default)]
    epics: Page<EpicWire>,
    #[serde(default)]
    recent: Page<RecentWire>,
    #[serde(default)]
    refs: Option<Page<RefWire>>,
}

/// The lists of a glance.
pub(crate) struct GlanceLists {
    pub(crate) pull_requests: Page<PullWire>,
    pub(crate) issues: Page<IssueWire>,
    pub(crate) epics: Page<EpicWire>,
    pub(crate) recent: Page<RecentWire>,
    pub(crate) refs: Page<RefWire>,
}

impl GlanceIn {
    /// The facts and the lists.
    pub(crate) fn apart(self) -> (FactsIn, GlanceLists) {
        let facts = FactsIn {
            id: self.id,
            name_with_owner: self.name_with_owner,
            is_archived: self.is_archived,
            is_disabled: self.is_disabled,
            is_locked: self.is_locked,
            is_private: self.is_private,
            auto_merge_allowed: self.auto_merge_allowed,
            squash_merge_allowed: self.squash_merge_allowed,
            merge_commit_allowed: self.merge_commit_allowed,
            delete_branch_on_merge: self.delete_branch_on_merge,
            default_branch_ref: self.default_branch_ref,
            merge_queue: self.merge_queue,
        };
        let lists = GlanceLists {
            pull_requests: self.pull_requests,
            issues: self.issues,
            epics: self.epics,
            recent: self.recent,
            refs: self.refs.unwrap_or_default(),
        };
        (facts, lists)
    }
}

/// The checklist of an epic.
#[derive(Deserialize)]
pub(crate) struct EpicWire {
    pub(crate) number: u64,
    #[serde(rename = "body", default, deserialize_with = "checklist")]
    pub(crate) checklist: Checklist,
}

/// Reads a checklist while the answer is parsed; the body itself goes nowhere.
fn checklist<'de, D: Deserializer<'de>>(from: D) -> Result<Checklist, D::Error> {
    tainted(from).map(|body| Checklist::read(&body))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentWire {
    pub(crate) number: u64,
    pub(crate) updated_at: Timestamp,
}

#[derive(Deserialize)]
pub(crate) struct RefWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<BranchName>,
    #[serde(default)]
    pub(crate) target: Option<Oid>,
    #[serde(default)]
    pub(crate) compare: Option<CompareWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompareWire {
    pub(crate) ahead_by: u64,
}

#[derive(Deserialize)]
pub(crate) struct BranchIn {
    #[serde(rename = "ref", default)]
    pub(crate) reference: Option<RefWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BranchToDeleteIn {
    pub(crate) id: NodeId,
    #[serde(default)]
    pub(crate) default_branch_ref: Option<RefWire>,
    #[serde(rename = "ref", default)]
    pub(crate) reference: Option<RefWire>,
    pub(crate) pull_requests: Page<NumberIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenIssuesIn {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name_with_owner: Option<RepoName>,
    pub(crate) issues: Page<IssueWire>,
}

/// Up to twelve of a kind.
#[derive(Deserialize)]
#[serde(bound = "E: Deserialize<'de>")]
pub(crate) struct Twelve<E> {
    #[serde(default = "Option::default")]
    i0: Option<E>,
    #[serde(default = "Option::default")]
    i1: Option<E>,
    #[serde(default = "Option::default")]
    i2: Option<E>,
    #[serde(default = "Option::default")]
    i3: Option<E>,
    #[serde(default = "Option::default")]
    i4: Option<E>,
    #[serde(default = "Option::default")]
    i5: Option<E>,
    #[serde(default = "Option::default")]
    i6: Option<E>,
    #[serde(default = "Option::default")]
    i7: Option<E>,
    #[serde(default = "Option::default")]
    i8: Option<E>,
    #[serde(default = "Option::default")]
    i9: Option<E>,
    #[serde(default = "Option::default")]
    i10: Option<E>,
    #[serde(default = "Option::default")]
    i11: Option<E>,
}

impl<E> Twelve<E> {
    /// The entries of the first so many places, as far as they are there.
    pub(crate) fn first(self, count: usize) -> impl Iterator<Item = E> {
        let Self { i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11 } = self;
        [i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11].into_iter().take(count).flatten()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubjectIn {
    #[serde(default)]
    pub(crate) label: Option<NodeWire>,
    #[serde(default)]
    pub(crate) issue_or_pull_request: Option<SubjectWire>,
}

#[derive(Deserialize)]
pub(crate) struct NodeWire {
    pub(crate) id: NodeId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubjectWire {
    pub(crate) id: NodeId,
    pub(crate) updated_at: Timestamp,
    #[serde(default)]
    pub(crate) labels: Option<Page<LabelWire>>,
}

#[derive(Deserialize)]
pub(crate) struct ReferencesIn {
    pub(crate) issues: Page<Referred>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Referred {
    pub(crate) number: u64,
    #[serde(default)]
    pub(crate) timeline_items: Option<Page<ReferenceEvent>>,
}

#[derive(Deserialize)]
pub(crate) struct ReferenceEvent {
    #[serde(default)]
    pub(crate) source: Option<NumberIn>,
    #[serde(default)]
    pub(crate) subject: Option<NumberIn>,
}
