//! What was done about a pull request so far, as far as the policy needs it.

use crate::{id::ThreadId, signals::Mark};
use jiff::Timestamp;

/// What was done about one pull request. Derived from intents, attempts and observed heads; never stored itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// When the implementer last pushed (server time); Banksman's own pushes do not count as an answer.
    pub implementer_head_at: Option<Timestamp>,
    /// Requests about reviews.
    pub review: Requests,
    /// Requests about conflicts.
    pub conflict: Requests,
    /// Banksman's own attempt at the conflict.
    pub resolution: Resolution,
    /// An engine of ours is working on the red checks right now.
    pub fixing_checks: bool,
    /// When the last work on red checks ended; red time counts from there.
    pub checks_fix_ended_at: Option<Timestamp>,
    /// Threads that Banksman resolved, ever. One of them that is open again was opened again by somebody who is not content with the
    /// answer: the implementer is asked about it, nothing resolves it a second time.
    pub resolved: Vec<ThreadId>,
    /// What the last escalation saw; an earlier one that saw the present state goes before it.
    pub escalated: Option<Mark>,
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// How many were sent, in all.
    pub count: u32,
    /// The last one.
    pub last: Option<Request>,
}

/// One request to an implementer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it was sent (server time of the comment).
    pub at: Timestamp,
    /// What is known of the answer besides new commits.
    pub reply: Reply,
}

/// What is known of an implementer's answer before a new commit comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// A hosted agent or a person: only time tells.
    Unknown,
    /// An engine of ours has the request queued or is working on it; the response time does not run out meanwhile.
    Working,
    /// The engine's attempts ended without a new commit: the response time is over.
    Ended,
}

/// Banksman's own attempt to resolve a conflict; made once per pull request (row 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolution {
    /// Not tried.
    #[default]
    NotTried,
    /// Under way.
    Running,
    /// Tried; whether it helped the signals tell.
    Ended,
}
