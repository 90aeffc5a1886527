//! The table itself. Row numbers and order are those of 50-execute.md; the first row that matches wins.

use super::{Action, EscalateReason, History, Limits, Reply, Requests, Resolution, WaitReason};
use crate::signals::{AutoMerge, CheckCounts, MergeState, Mergeable, PullState, Signals};
use jiff::{SignedDuration, Timestamp};

/// Everything a row may look at. Counts are taken once, so that a decision stays far under a microsecond.
pub struct Case<'a> {
    signals: &'a Signals,
    history: &'a History,
    limits: &'a Limits,
    now: Timestamp,
    unresolved: u32,
    checks: CheckCounts,
    review: Asked,
    conflict: Asked,
}

/// How a kind of request stands: "asked" = sent and no newer head commit has come since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nothing is outstanding.
    No,
    /// Outstanding, within the response time.
    Lately,
    /// Outstanding, response time over.
    LongAgo,
}

/// One row of the table.
pub struct Row {
    /// Its number in 50-execute.md.
    pub number: u8,
    /// Its condition in words.
    pub when: &'static str,
    /// Its condition, apart from the rows above it.
    pub matches: fn(&Case<'_>) -> bool,
    /// What it says to do.
    pub then: fn(&Case<'_>) -> Action,
}

/// What was decided and by which row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Number of the row that fired.
    pub row: u8,
    /// What to do.
    pub action: Action,
}

impl<'a> Case<'a> {
    /// Looks at one pull request at one moment.
    pub fn new(signals: &'a Signals, history: &'a History, limits: &'a Limits, now: Timestamp) -> Self {
        Self {
            signals,
            history,
            limits,
            now,
            unresolved: signals.unresolved(),
            checks: signals.check_counts(),
            review: asked(&history.review, history, limits, now),
            conflict: asked(&history.conflict, history, limits, now),
        }
    }

    /// Unresolved threads that the implementer's newest commit answers, but for those that were resolved for such a reason before;
    /// empty unless that commit came after a review request.
    pub(super) fn answered_threads(&self) -> impl Iterator<Item = crate::id::ThreadId> + '_ {
        let pushed = match (self.history.review.last, self.history.implementer_head_at) {
            (Some(request), Some(pushed)) if pushed > request.at => Some(pushed),
            _ => None,
        };
        self.signals
            .threads
            .iter()
            .filter(move |t| !t.resolved && pushed.is_some_and(|p| t.created_at < p))
            .filter(|t| !self.history.resolved.contains(&t.id))
            .map(|t| t.id)
    }

    pub(super) fn review_limit(&self) -> bool {
        self.history.review.count >= self.limits.review_requests
    }

    fn checks_undecided_too_long(&self) -> bool {
        let since =
            self.history.checks_fix_ended_at.map_or(self.signals.head_at, |t| t.max(self.signals.head_at));
        !self.history.fixing_checks && over(since, self.limits.red_checks, self.now)
    }

    pub(super) fn reviews_satisfied(&self) -> bool {
        let reviews = self.signals.reviews;
        reviews.approved >= reviews.required && reviews.changes_requested == 0
    }

    pub(super) fn forge_lets_merge(&self) -> bool {
        matches!(self.signals.merge_state, MergeState::Clean | MergeState::HasHooks)
            && self.signals.mergeable == Mergeable::Mergeable
            && self.signals.auto_merge != AutoMerge::Armed
    }
}

fn over(since: Timestamp, allowed: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(since) >= allowed
}

fn asked(requests: &Requests, history: &History, limits: &Limits, now: Timestamp) -> Asked {
    let Some(last) = requests.last else { return Asked::No };
    if history.implementer_head_at.is_some_and(|pushed| pushed > last.at) {
        return Asked::No;
    }
    match last.reply {
        Reply::Working => Asked::Lately,
        Reply::Ended => Asked::LongAgo,
        Reply::Unknown if over(last.at, limits.response_time, now) => Asked::LongAgo,
        Reply::Unknown => Asked::Lately,
    }
}

fn wait(reason: WaitReason) -> Action {
    Action::Wait { reason }
}

/// The policy. Rows 5 and 7 share one limit of review requests, so that a reviewer who is never content ends at a person.
pub static TABLE: [Row; 16] = [
    Row {
        number: 1,
        when: "merged or closed",
        matches: |c| c.signals.state != PullState::Open,
        then: |_| Action::Resolve,
    },
    Row {
        number: 2,
        when: "draft, or mergeable unknown",
        matches: |c| {
            c.signals.is_draft
                || c.signals.merge_state == MergeState::Draft
                || c.signals.mergeable == Mergeable::Unknown
                || c.signals.merge_state == MergeState::Unknown
        },
        then: |c| {
            if c.signals.is_draft || c.signals.merge_state == MergeState::Draft {
                wait(WaitReason::Draft)
            } else {
                wait(WaitReason::MergeabilityUnknown)
            }
        },
    },
    Row {
        number: 3,
        when: "escalated already and nothing changed since",
        matches: |c| c.history.escalated.as_ref().is_some_and(|mark| *mark == c.signals.mark()),
        then: |_| wait(WaitReason::Escalated),
    },
    Row {
        number: 4,
        when: "unresolved threads older than a head commit that came after the last review request",
        matches: |c| c.answered_threads().next().is_some(),
        then: |c| Action::ResolveThreads { threads: c.answered_threads().collect() },
    },
    Row {
        number: 5,
        when: "unresolved threads, not asked",
        matches: |c| c.unresolved > 0 && c.review == Asked::No && !c.review_limit(),
        then: |_| Action::RequestReviewFix,
    },
    Row {
        number: 6,
        when: "unresolved threads, asked less than the response time ago",
        matches: |c| c.unresolved > 0 && c.review == Asked::Lately,
        then: |_| wait(WaitReason::ReviewFixAsked),
    },
    Row {
        number: 7,
        when: "unresolved threads, asked longer ago, fewer than the limit of requests",
        matches: |c| c.unresolved > 0 && c.review == Asked::LongAgo && !c.review_limit(),
        then: |_| Action::RequestReviewFix,
    },
    Row {
        number: 8,
        when: "conflicting, fewer than the limit of conflict requests, not asked or response time over",
        matches: |c| {
            c.signals.conflicting()
                && c.history.resolution == Resolution::NotTried
                && c.history.conflict.count < c.limits.conflict_requests
                && c.conflict != Asked::Lately
        },
        then: |_| Action::RequestConflictFix,
    },
    Row {
        number: 9,
        when: "conflicting, asked less than the response time ago, or being resolved",
        matches: |c| {
            c.signals.conflicting()
                && (c.history.resolution == Resolution::Running
                    || (c.history.resolution == Resolution::NotTried && c.conflict == Asked::Lately))
        },
        then: |c| {
            if c.history.resolution == Resolution::Running {
                wait(WaitReason::ResolvingConflict)
            } else {
                wait(WaitReason::ConflictFixAsked)
            }
        },
    },
    Row {
        number: 10,
        when: "conflicting, the limit of conflict requests reached, not resolved here yet",
        matches: |c| c.signals.conflicting() && c.history.resolution == Resolution::NotTried,
        then: |_| Action::ResolveConflict,
    },
    Row {
        number: 11,
        when: "conflicting after resolve_conflict, or a request limit reached with its matter unsettled",
        matches: |c| c.signals.conflicting() || c.unresolved > 0,
        then: |c| {
            if c.signals.conflicting() {
                Action::Escalate { reason: EscalateReason::ConflictUnresolved }
            } else {
                Action::Escalate { reason: EscalateReason::ReviewLimit }
            }
        },
    },
    Row {
        number: 12,
        when: "behind its base, not conflicting",
        matches: |c| c.signals.merge_state == MergeState::Behind,
        then: |c| Action::UpdateBranch { head: c.signals.head.clone() },
    },
    Row {
        number: 13,
        when: "auto-merge off and the forge offers it",
        matches: |c| c.signals.auto_merge == AutoMerge::Off,
        then: |c| Action::EnableAutoMerge { head: c.signals.head.clone() },
    },
    Row {
        number: 14,
        when: "a check fails, or checks are pending",
        matches: |c| c.checks.failing > 0 || c.checks.pending > 0,
        then: |c| {
            if c.checks_undecided_too_long() {
                Action::Escalate { reason: EscalateReason::ChecksRed }
            } else if c.checks.failing > 0 {
                wait(WaitReason::ChecksFailing)
            } else {
                wait(WaitReason::ChecksPending)
            }
        },
    },
    Row {
        number: 15,
        when: "all green, reviews satisfied, up to date, not merging by itself",
        matches: |c| c.signals.all_green() && c.reviews_satisfied() && c.forge_lets_merge(),
        then: |c| Action::Merge { head: c.signals.head.clone() },
    },
    Row {
        number: 16,
        when: "otherwise",
        matches: |_| true,
        then: |c| {
            wait(if c.signals.auto_merge == AutoMerge::Armed {
                WaitReason::AutoMergeArmed
            } else if c.checks.total == 0 {
                WaitReason::NoChecks
            } else if !c.reviews_satisfied() {
                WaitReason::ReviewRequired
            } else {
                WaitReason::Blocked
            })
        },
    },
];

/// Decides what to do next with a pull request: the first row of [`TABLE`] that matches. Pure: time is an argument.
pub fn decide(signals: &Signals, history: &History, limits: &Limits, now: Timestamp) -> Decision {
    let case = Case::new(signals, history, limits, now);
    for row in &TABLE[..15] {
        if (row.matches)(&case) {
            return Decision { row: row.number, action: (row.then)(&case) };
        }
    }
    let last = &TABLE[15];
    Decision { row: last.number, action: (last.then)(&case) }
}
