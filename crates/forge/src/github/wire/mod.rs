//! What GitHub's answers look like on the wire: hand-written structs that ignore everything they do not name (S2). Only this folder knows the
//! shapes; whatever leaves the client is a type of the core.

mod checks;
mod issues;
mod leaf;
mod looks;
mod pulls;
mod repository;
mod words;

pub(super) use checks::{Conclusion, Context, Progress, Rollup, Sort, StatusWord, Suite};
pub(super) use issues::{IssueLife, IssueWire, LabelWire};
pub(super) use leaf::{Actor, NOBODY, NodeId, NumberIn, Page, PageInfo, Word, actor_of, big, lenient, word};
pub(super) use looks::{
    EnqueuedData, LineageIn, MergeabilityWire, MoreChecks, MoreReviews, MoreThreads, Of, OpenPullsIn,
    OriginWire, PullsByNumberIn, StateWire, ThreadStateData, UpdatedData,
};
pub(super) use pulls::{Armed, Decision, Life, Oid, Opinion, PullWire, ReviewWire, ThreadWire};
pub(super) use repository::{
    BranchIn, BranchToDeleteIn, Done, FactsData, FactsIn, GlanceData, In, Nodes, OpenIssuesIn, ReferencesIn,
    SubjectIn, Twelve,
};
pub(super) use words::{BriefChecksIn, BriefIssueIn, BriefThreadsIn, OfEdits, OfIssue, TitleWire};
