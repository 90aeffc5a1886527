//! What GitHub's answers look like on the wire: hand-written structs that ignore everything they do not name (S2). Only this folder knows the
//! shapes; whatever leaves the client is a type of the core.

mod issues;
mod leaf;
mod pulls;

pub(super) use issues::{IssueLife, IssueWire, LabelWire};
pub(super) use leaf::{Actor, NOBODY, NodeId, NumberIn, Page, PageInfo, Word, actor_of, big, lenient, word};
pub(super) use pulls::{
    Armed, Conclusion, Context, Decision, Life, Oid, Opinion, Progress, PullWire, ReviewWire, Sort,
    StatusWord, Suite, ThreadWire,
};
