//! All that is ever read of a pull request and an issue: states, counts, times and ids, never a word of text (50-execute.md,
//! "Signals").

use crate::{
    id::{ActorId, Number, ThreadId},
    intent::APPROVED,
    text::{BranchName, CheckName, Label, Login, ScopeWord, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The structural state of one pull request at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// The pull request.
    pub number: Number,
    /// Open, merged or closed.
    pub state: PullState,
    /// The author marked it as not ready.
    pub is_draft: bool,
    /// The forge's summary of what stands in the way of a merge.
    pub merge_state: MergeState,
    /// Whether head and base merge without a conflict.
    pub mergeable: Mergeable,
    /// The commit at the tip of the head branch.
    pub head: Sha,
    /// When the forge first saw that commit (server time, S10).
    pub head_at: Timestamp,
    /// The branch it goes into.
    pub base: BranchName,
    /// The branch it comes from.
    pub head_branch: BranchName,
    /// Who opened it.
    pub author: ActorId,
    /// Name of that account, for people.
    pub author_login: Login,
    /// Checks of the head commit from pinned sources only (S10).
    pub checks: Vec<Check>,
    /// Reviews that count for the head commit.
    pub reviews: Reviews,
    /// Review threads, oldest first.
    pub threads: Vec<Thread>,
    /// Whether the forge can merge, or is about to merge, by itself.
    pub auto_merge: AutoMerge,
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files touched.
    pub changed_files: u64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// Issues that it closes, from the forge's structure.
    pub closes: Vec<Number>,
}

/// Where a pull request is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum PullState {
    /// Still in play.
    Open,
    /// In its base.
    Merged {
        /// Server time of the merge.
        at: Timestamp,
        /// The commit on the base branch.
        commit: Sha,
    },
    /// Ended without a merge.
    Closed {
        /// Server time of the closing.
        at: Timestamp,
    },
}

/// GitHub's `mergeStateStatus`, in its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the forge's own closed vocabulary")]
pub enum MergeState {
    Clean,
    Behind,
    Blocked,
    Dirty,
    Unstable,
    HasHooks,
    Draft,
    Unknown,
}

/// Whether head and base merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the forge's own closed vocabulary")]
pub enum Mergeable {
    Mergeable,
    Conflicting,
    Unknown,
}

/// Auto-merge as the forge sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoMerge {
    /// The forge has no such thing here.
    NotOffered,
    /// Offered and off.
    Off,
    /// The forge merges by itself once it can.
    Armed,
}

/// One check of the head commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which check.
    pub name: CheckName,
    /// How it stands.
    pub state: CheckState,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Queued or running.
    Pending,
    /// Success, neutral or skipped.
    Passing,
    /// Anything else that ended.
    Failing,
}

/// Reviews that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reviews {
    /// Reviewers whose latest verdict on this head is approval.
    pub approved: u32,
    /// Reviewers whose latest verdict asks for changes.
    pub changes_requested: u32,
    /// Approvals that the base branch requires.
    pub required: u32,
}

/// One review thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The thread.
    pub id: ThreadId,
    /// When it was opened (server time).
    pub created_at: Timestamp,
    /// Settled by somebody whose word counts (S10).
    pub resolved: bool,
}

/// Counts of checks by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckCounts {
    /// All of them.
    pub total: u32,
    /// Green ones.
    pub passing: u32,
    /// Red ones.
    pub failing: u32,
    /// Undecided ones.
    pub pending: u32,
}

impl Signals {
    /// Counts the checks by state.
    pub fn check_counts(&self) -> CheckCounts {
        let mut counts = CheckCounts::default();
        for check in &self.checks {
            counts.total += 1;
            match check.state {
                CheckState::Pending => counts.pending += 1,
                CheckState::Passing => counts.passing += 1,
                CheckState::Failing => counts.failing += 1,
            }
        }
        counts
    }

    /// Number of unresolved threads.
    pub fn unresolved(&self) -> u32 {
        self.threads.iter().map(|t| u32::from(!t.resolved)).sum()
    }

    /// Head and base cannot be merged as they are.
    pub fn conflicting(&self) -> bool {
        self.mergeable == Mergeable::Conflicting || self.merge_state == MergeState::Dirty
    }

    /// Every check ended green and there is at least one: no checks at all is not green (S10).
    pub fn all_green(&self) -> bool {
        let counts = self.check_counts();
        counts.total > 0 && counts.passing == counts.total
    }

    /// What an escalation remembers, to notice that something changed since (row 3 of the policy).
    pub fn mark(&self) -> Mark {
        let checks = self.check_counts();
        Mark {
            head: self.head.clone(),
            unresolved: self.unresolved(),
            conflicting: self.conflicting(),
            failing: checks.failing > 0,
            pending: checks.failing == 0 && checks.pending > 0,
        }
    }
}

/// The part of the signals whose change reopens an escalated pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Head commit.
    pub head: Sha,
    /// Unresolved threads.
    pub unresolved: u32,
    /// Conflicting with the base.
    pub conflicting: bool,
    /// At least one check red.
    pub failing: bool,
    /// No check red, at least one undecided: checks that took too long may still turn green.
    #[serde(default)]
    pub pending: bool,
}

/// All that is ever read of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueFacts {
    /// The issue.
    pub number: Number,
    /// Still open.
    pub open: bool,
    /// Its labels; a label that has no valid shape is left out.
    pub labels: Vec<Label>,
    /// Who wrote it (X5).
    pub author: ActorId,
    /// What its title begins with, from a closed list.
    pub title: TitleHead,
    /// Open issues that block it, from the forge's structure.
    pub blocked_by: Vec<Number>,
    /// The epic that has it as a sub-issue, if any.
    pub parent: Option<Number>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

impl IssueFacts {
    /// Whether it carries the label.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.as_str() == label)
    }

    /// A feature that no person approved yet: it is not dispatched (X3).
    pub fn awaits_approval(&self) -> bool {
        self.title.kind == Some(TitleKind::Feat) && !self.has_label(APPROVED)
    }
}

/// The structure of a title: a word from a closed list and a scope of a fixed shape. Nothing else of a title is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TitleHead {
    /// `feat`, `fix`, ...; `None` for any other beginning.
    pub kind: Option<TitleKind>,
    /// The word in parentheses after it.
    pub scope: Option<ScopeWord>,
}

/// What a title may begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of A4, E7, X3 and 30-audit.md")]
pub enum TitleKind {
    Audit,
    Epic,
    Feat,
    Fix,
    Security,
    Quality,
    Perf,
    Test,
    Docs,
}

impl TitleHead {
    /// Reads the beginning of a title: `kind(scope): ...`, `[Audit] ...` or `audit: ...`, any case.
    pub fn read(title: &str) -> Self {
        let title = title.trim_start();
        if title.get(..7).is_some_and(|t| t.eq_ignore_ascii_case("[audit]")) {
            return Self { kind: Some(TitleKind::Audit), scope: None };
        }
        let end = title.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(title.len());
        let (word, rest) = title.split_at(end);
        let kind = match word.to_ascii_lowercase().as_str() {
            "audit" => TitleKind::Audit,
            "epic" => TitleKind::Epic,
            // X3 is about every title that begins with `feat`, whatever follows.
            w if w.starts_with("feat") => TitleKind::Feat,
            "fix" => TitleKind::Fix,
            "security" => TitleKind::Security,
            "quality" => TitleKind::Quality,
            "perf" => TitleKind::Perf,
            "test" => TitleKind::Test,
            "docs" => TitleKind::Docs,
            _ => return Self::default(),
        };
        let (scope, rest) = match rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            Some((scope, rest)) => (ScopeWord::new(scope).ok(), rest),
            None => (None, rest),
        };
        if kind != TitleKind::Feat && !rest.starts_with([':', '!']) {
            return Self::default();
        }
        Self { kind: Some(kind), scope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_read_by_their_head_only() {
        let head = TitleHead::read("fix(api): do a thing");
        assert_eq!((head.kind, head.scope.unwrap().as_str()), (Some(TitleKind::Fix), "api"));
        assert_eq!(TitleHead::read("[AUDIT] x").kind, Some(TitleKind::Audit));
        assert_eq!(TitleHead::read("Audit: x").kind, Some(TitleKind::Audit));
        assert_eq!(TitleHead::read("Feature request").kind, Some(TitleKind::Feat));
        assert_eq!(TitleHead::read("fix it").kind, None);
        assert_eq!(TitleHead::read("fix(a b): it").scope, None);
    }
}
