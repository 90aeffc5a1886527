//! The documents with what is read of their answers. One operation a file; what a file selects is checked against the allowlist and GitHub's
//! schema by tests (S1).

use super::{
    graphql::{Document, document},
    look::Ancestor,
    wire::{
        Actor, Armed, Conclusion, Context, IssueWire, LabelWire, Life, NodeId, NumberIn, Oid, Page, Progress,
        PullWire, ReviewWire, Suite, ThreadWire, actor_of, big, lenient, word,
    },
};
use banksman_core::{
    id::Number,
    signals::{MergeState, Mergeable},
    tainted::Tainted,
    text::{BranchName, CheckName, RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

document!(
    /// What a repository is and offers.
    RepositoryFacts, "repository", FactsData
);
document!(
    /// The head of a branch.
    BranchHead, "branch", In<BranchIn>
);
document!(
    /// What has to be known before a branch is deleted.
    BranchToDelete, "branch_delete", In<BranchToDeleteIn>
);
document!(
    /// Moves or deletes references.
    UpdateRefs, "update_refs", Done
);
document!(
    /// Open pull requests, by the page.
    OpenPulls, "open_pulls", In<OpenPullsIn>
);
document!(
    /// Five pull requests.
    PullsByNumber, "pulls_by_number", In<PullsByNumberIn>
);
document!(
    /// Further checks.
    PullChecks, "pull_checks", In<Of<MoreChecks>>
);
document!(
    /// Further threads.
    PullThreads, "pull_threads", In<Of<MoreThreads>>
);
document!(
    /// Further reviews.
    PullReviews, "pull_reviews", In<Of<MoreReviews>>
);
document!(
    /// Who threads are.
    ThreadOrigins, "thread_origins", Nodes<OriginWire>
);
document!(
    /// Mergeability, asked again.
    Mergeability, "mergeability", Nodes<MergeabilityWire>
);
document!(
    /// The last commits of a pull request.
    Lineage, "lineage", In<Of<LineageIn>>
);
document!(
    /// Where a pull request stands.
    PullStateOf, "pull_state", In<Of<StateWire>>
);
document!(
    /// Switches auto-merge on.
    EnableAutoMerge, "enable_auto_merge", Done
);
document!(
    /// Puts into the merge queue.
    Enqueue, "enqueue", EnqueuedData
);
document!(
    /// Updates a head branch.
    UpdateBranch, "update_branch", UpdatedData
);
document!(
    /// Resolves a thread.
    ResolveThread, "resolve_thread", Done
);
document!(
    /// Whether a thread is resolved.
    ThreadState, "thread_state", ThreadStateData
);
document!(
    /// Open issues, by the page.
    OpenIssues, "open_issues", In<OpenIssuesIn>
);
document!(
    /// Twelve issues.
    IssuesByNumber, "issues_by_number", In<Twelve<IssueWire>>
);
document!(
    /// Twelve titles.
    Titles, "titles", In<Twelve<TitleWire>>
);
document!(
    /// The body of an epic.
    EpicBody, "checklist", In<OfIssue>
);
document!(
    /// The text of an audit.
    AuditText, "audit", In<OfIssue>
);
document!(
    /// The nodes of a subject and a label.
    Subject, "subject", In<SubjectIn>
);
document!(
    /// Adds labels.
    AddLabels, "add_labels", Done
);
document!(
    /// Cross-references of open issues.
    References, "references", In<ReferencesIn>
);

document!(
    /// The words of an issue.
    BriefIssue, "brief_issue", In<BriefIssueIn>
);
document!(
    /// The words of threads.
    BriefThreads, "brief_threads", In<Of<BriefThreadsIn>>
);
document!(
    /// What checks say.
    BriefChecks, "brief_checks", In<Of<BriefChecksIn>>
);

/// A document that reads the further pages of one list of a pull request.
pub(super) trait Paged: Document {
    /// The document.
    const NEW: Self;
    /// What is listed.
    type Entry;

    /// The page in an answer; `None` when the pull request is not as it was, with another head or none.
    fn page(data: Self::Data, head: Option<&Sha>) -> Option<Page<Self::Entry>>;
}

impl Paged for PullChecks {
    const NEW: Self = Self;
    type Entry = Context;

    fn page(data: Self::Data, head: Option<&Sha>) -> Option<Page<Context>> {
        let pull = data.repository?.pull_request.filter(|pull| pull.head_ref_oid.as_ref() == head)?;
        Some(pull.status_check_rollup?.contexts)
    }
}

impl Paged for PullThreads {
    const NEW: Self = Self;
    type Entry = ThreadWire;

    fn page(data: Self::Data, _: Option<&Sha>) -> Option<Page<ThreadWire>> {
        Some(data.repository?.pull_request?.review_threads)
    }
}

impl Paged for PullReviews {
    const NEW: Self = Self;
    type Entry = ReviewWire;

    fn page(data: Self::Data, _: Option<&Sha>) -> Option<Page<ReviewWire>> {
        data.repository?.pull_request?.latest_opinionated_reviews
    }
}

/// An answer about a repository; `None`: there is none, or it may not be seen.
#[derive(Deserialize)]
#[serde(bound = "R: Deserialize<'de>")]
pub(super) struct In<R> {
    #[serde(default = "Option::default")]
    pub(super) repository: Option<R>,
}

/// An answer about one pull request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "P: Deserialize<'de>")]
pub(super) struct Of<P> {
    #[serde(default = "Option::default")]
    pub(super) pull_request: Option<P>,
}

/// An answer about nodes; those that are gone are `None`.
#[derive(Deserialize)]
#[serde(bound = "N: Deserialize<'de>")]
pub(super) struct Nodes<N> {
    #[serde(default = "Vec::new")]
    pub(super) nodes: Vec<Option<N>>,
}

/// An answer of which nothing is read.
#[derive(Deserialize)]
pub(super) struct Done {}

#[derive(Deserialize)]
pub(super) struct FactsData {
    #[serde(default)]
    pub(super) viewer: Option<Actor>,
    #[serde(default)]
    pub(super) repository: Option<FactsIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FactsIn {
    pub(super) id: NodeId,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name_with_owner: Option<RepoName>,
    #[serde(default)]
    pub(super) is_archived: bool,
    #[serde(default)]
    pub(super) is_disabled: bool,
    #[serde(default)]
    pub(super) is_locked: bool,
    #[serde(default)]
    pub(super) is_private: bool,
    #[serde(default)]
    pub(super) auto_merge_allowed: bool,
    #[serde(default)]
    pub(super) squash_merge_allowed: bool,
    #[serde(default)]
    pub(super) merge_commit_allowed: bool,
    #[serde(default)]
    pub(super) delete_branch_on_merge: bool,
    #[serde(default)]
    pub(super) default_branch_ref: Option<RefWire>,
    #[serde(default)]
    pub(super) merge_queue: Option<Done>,
}

#[derive(Deserialize)]
pub(super) struct RefWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: Option<BranchName>,
    #[serde(default)]
    pub(super) target: Option<Oid>,
    #[serde(default)]
    pub(super) compare: Option<CompareWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompareWire {
    pub(super) ahead_by: u64,
}

#[derive(Deserialize)]
pub(super) struct BranchIn {
    #[serde(rename = "ref", default)]
    pub(super) reference: Option<RefWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BranchToDeleteIn {
    pub(super) id: NodeId,
    #[serde(default)]
    pub(super) default_branch_ref: Option<RefWire>,
    #[serde(rename = "ref", default)]
    pub(super) reference: Option<RefWire>,
    pub(super) pull_requests: Page<NumberIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPullsIn {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name_with_owner: Option<RepoName>,
    pub(super) pull_requests: Page<PullWire>,
}

#[derive(Deserialize)]
pub(super) struct PullsByNumberIn {
    #[serde(default)]
    pub(super) p0: Option<PullWire>,
    #[serde(default)]
    pub(super) p1: Option<PullWire>,
    #[serde(default)]
    pub(super) p2: Option<PullWire>,
    #[serde(default)]
    pub(super) p3: Option<PullWire>,
    #[serde(default)]
    pub(super) p4: Option<PullWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoreChecks {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) head_ref_oid: Option<Sha>,
    #[serde(default)]
    pub(super) status_check_rollup: Option<MoreContexts>,
}

#[derive(Deserialize)]
pub(super) struct MoreContexts {
    pub(super) contexts: Page<Context>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoreThreads {
    pub(super) review_threads: Page<ThreadWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoreReviews {
    #[serde(default)]
    pub(super) latest_opinionated_reviews: Option<Page<ReviewWire>>,
}

#[derive(Deserialize)]
pub(super) struct OriginWire {
    #[serde(default)]
    pub(super) id: Option<NodeId>,
    #[serde(default)]
    pub(super) comments: Option<Page<FirstComment>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstComment {
    #[serde(default, deserialize_with = "big")]
    pub(super) full_database_id: Option<u64>,
    pub(super) created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MergeabilityWire {
    #[serde(default)]
    pub(super) number: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) head_ref_oid: Option<Sha>,
    #[serde(deserialize_with = "word")]
    pub(super) mergeable: Mergeable,
    #[serde(deserialize_with = "word")]
    pub(super) merge_state_status: MergeState,
    #[serde(default)]
    pub(super) viewer_can_enable_auto_merge: bool,
}

#[derive(Deserialize)]
pub(super) struct LineageIn {
    #[serde(default)]
    pub(super) commits: Page<LineageNode>,
}

#[derive(Deserialize)]
pub(super) struct LineageNode {
    pub(super) commit: LineageCommit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineageCommit {
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
    pub(super) fn ancestor(self) -> Option<Ancestor> {
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
pub(super) struct StateWire {
    pub(super) id: NodeId,
    #[serde(deserialize_with = "word")]
    pub(super) state: Life,
    #[serde(deserialize_with = "word")]
    pub(super) mergeable: Mergeable,
    #[serde(deserialize_with = "word")]
    pub(super) merge_state_status: MergeState,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) head_ref_oid: Option<Sha>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) head_ref_name: Option<BranchName>,
    #[serde(default)]
    pub(super) is_cross_repository: bool,
    #[serde(default)]
    pub(super) merged_at: Option<Timestamp>,
    pub(super) updated_at: Timestamp,
    #[serde(default)]
    pub(super) merge_commit: Option<Oid>,
    #[serde(default)]
    pub(super) author: Option<Actor>,
    #[serde(default)]
    pub(super) auto_merge_request: Option<Armed>,
    #[serde(default)]
    pub(super) is_merge_queue_enabled: bool,
    #[serde(default)]
    pub(super) merge_queue_entry: Option<QueueEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueueEntry {
    pub(super) enqueued_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnqueuedData {
    #[serde(default)]
    pub(super) enqueue_pull_request: Option<Enqueued>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Enqueued {
    #[serde(default)]
    pub(super) merge_queue_entry: Option<QueueEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdatedData {
    #[serde(default)]
    pub(super) update_pull_request_branch: Option<Of<HeadWire>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeadWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) head_ref_oid: Option<Sha>,
}

#[derive(Deserialize)]
pub(super) struct ThreadStateData {
    #[serde(default)]
    pub(super) node: Option<ThreadStateWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadStateWire {
    pub(super) is_resolved: bool,
    #[serde(default)]
    pub(super) resolved_by: Option<Actor>,
    pub(super) pull_request: UpdatedAt,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdatedAt {
    pub(super) updated_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenIssuesIn {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name_with_owner: Option<RepoName>,
    pub(super) issues: Page<IssueWire>,
}

/// Up to twelve of a kind.
#[derive(Deserialize)]
#[serde(bound = "E: Deserialize<'de>")]
pub(super) struct Twelve<E> {
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
    pub(super) fn first(self, count: usize) -> impl Iterator<Item = E> {
        let Self { i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11 } = self;
        [i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11].into_iter().take(count).flatten()
    }
}

/// A title on its way to an epic's checklist or the title of a pull request.
#[derive(Deserialize)]
pub(super) struct TitleWire {
    pub(super) number: u64,
    #[serde(deserialize_with = "tainted")]
    pub(super) title: Tainted,
}

#[derive(Deserialize)]
pub(super) struct OfIssue {
    #[serde(default)]
    pub(super) issue: Option<BodyWire>,
}

/// A body on its way to its parser.
#[derive(Deserialize)]
pub(super) struct BodyWire {
    #[serde(deserialize_with = "tainted")]
    pub(super) body: Tainted,
}

/// Text of strangers, wrapped as it is parsed.
pub(super) fn tainted<'de, D: Deserializer<'de>>(from: D) -> Result<Tainted, D::Error> {
    Ok(Tainted::new(Option::<String>::deserialize(from)?.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubjectIn {
    #[serde(default)]
    pub(super) label: Option<NodeWire>,
    #[serde(default)]
    pub(super) issue_or_pull_request: Option<SubjectWire>,
}

#[derive(Deserialize)]
pub(super) struct NodeWire {
    pub(super) id: NodeId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubjectWire {
    pub(super) id: NodeId,
    pub(super) updated_at: Timestamp,
    #[serde(default)]
    pub(super) labels: Option<Page<LabelWire>>,
}

#[derive(Deserialize)]
pub(super) struct ReferencesIn {
    pub(super) issues: Page<Referred>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Referred {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) timeline_items: Option<Page<ReferenceEvent>>,
}

#[derive(Deserialize)]
pub(super) struct ReferenceEvent {
    #[serde(default)]
    pub(super) source: Option<NumberIn>,
    #[serde(default)]
    pub(super) subject: Option<NumberIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BriefIssueIn {
    #[serde(default)]
    pub(super) issue_or_pull_request: Option<Words>,
}

/// Title, body and comments on their way to a task file.
#[derive(Deserialize)]
pub(super) struct Words {
    #[serde(deserialize_with = "tainted")]
    pub(super) title: Tainted,
    #[serde(deserialize_with = "tainted")]
    pub(super) body: Tainted,
    #[serde(default)]
    pub(super) comments: Page<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    #[serde(default, deserialize_with = "big")]
    pub(super) full_database_id: Option<u64>,
    #[serde(default)]
    pub(super) author: Option<Actor>,
    #[serde(deserialize_with = "tainted")]
    pub(super) body: Tainted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BriefThreadsIn {
    pub(super) review_threads: Page<ThreadWords>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadWords {
    #[serde(deserialize_with = "tainted")]
    pub(super) path: Tainted,
    #[serde(default)]
    pub(super) line: Option<u64>,
    #[serde(default)]
    pub(super) original_line: Option<u64>,
    pub(super) comments: Page<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BriefChecksIn {
    #[serde(default)]
    pub(super) status_check_rollup: Option<CheckWords>,
}

#[derive(Deserialize)]
pub(super) struct CheckWords {
    #[serde(default)]
    pub(super) contexts: Page<RunWords>,
}

/// A check run with what it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunWords {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: Option<CheckName>,
    #[serde(default, deserialize_with = "word")]
    pub(super) status: Progress,
    #[serde(default)]
    pub(super) conclusion: Option<Conclusion>,
    #[serde(default)]
    pub(super) check_suite: Option<Suite>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(super) title: Option<Tainted>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(super) summary: Option<Tainted>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(super) text: Option<Tainted>,
    #[serde(default)]
    pub(super) annotations: Option<Page<Annotation>>,
}

fn some_tainted<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tainted>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Tainted::new))
}

#[derive(Deserialize)]
pub(super) struct Annotation {
    #[serde(deserialize_with = "tainted")]
    pub(super) path: Tainted,
    #[serde(default)]
    pub(super) location: Option<Span>,
    #[serde(deserialize_with = "tainted")]
    pub(super) message: Tainted,
}

#[derive(Deserialize)]
pub(super) struct Span {
    #[serde(default)]
    pub(super) start: Option<Line>,
}

#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) line: u64,
}

/// Variables of documents that ask for several numbers: places that are left are filled with the last one.
#[derive(Serialize)]
pub(super) struct ByNumber<'a> {
    owner: &'a str,
    name: &'a str,
    #[serde(flatten)]
    numbers: BTreeMap<String, u64>,
}

/// Variables for up to `N` numbers.
pub(super) fn by_number<'a, const N: usize>(repo: &'a RepoName, numbers: &[Number]) -> ByNumber<'a> {
    let (owner, name) = super::look::parts(repo);
    let last = numbers.last().map_or(0, |number| number.0);
    let place = |index: usize| numbers.get(index).map_or(last, |number| number.0);
    let numbers = (0..N).map(|index| (format!("n{index}"), place(index))).collect();
    ByNumber { owner, name, numbers }
}
