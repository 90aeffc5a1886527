//! The types of a point. What stands here is exactly what the table of 70-training.md names, and nothing else can be recorded.

use super::ActionTaken;
use crate::{
    id::Number,
    port::{OutcomeDetail, OutcomeResult},
    signals::MergeState,
    text::{BadText, Login, RepoName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// A repository as the tag of a series: `owner_name`, as existing dashboards expect it. At most 165 characters of
/// `[A-Za-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoTag(Arc<str>);

impl RepoTag {
    /// Takes a tag; one that is written with `/` is taken as if it had `_`.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let bad = Err(BadText("repository tag (owner_name)"));
        if text.is_empty() || text.len() > 165 || text.starts_with(['-', '.', '_', '/']) {
            return bad;
        }
        if text.bytes().all(plain) {
            return Ok(Self(text.into()));
        }
        RepoName::new(text).map_or(bad, |repo| Ok(Self::of(&repo)))
    }

    /// The tag of a repository.
    pub fn of(repo: &RepoName) -> Self {
        Self(repo.as_str().replacen('/', "_", 1).into())
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The repository that it most likely is: the first `_` stands for the `/`, for owners have no `_` on GitHub. `None`: it has none.
    pub fn repo(&self) -> Option<RepoName> {
        RepoName::new(&self.0.replacen('_', "/", 1)).ok()
    }
}

impl fmt::Display for RepoTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for RepoTag {
    type Error = BadText;
    fn try_from(text: String) -> Result<Self, BadText> {
        Self::new(&text)
    }
}

impl From<RepoTag> for String {
    fn from(tag: RepoTag) -> String {
        tag.0.to_string()
    }
}

/// What a point is about: the tags `repo` and `pr`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// The repository.
    pub repo: RepoTag,
    /// The pull request.
    pub pull: Number,
}

/// Which measurement a point belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What was seen.
    PrObservation,
    /// What was decided and done.
    ActionTaken,
    /// How it ended.
    Outcome,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PrObservation, Self::ActionTaken, Self::Outcome];

    /// Name of the measurement.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrObservation => "pr_observation",
            Self::ActionTaken => "action_taken",
            Self::Outcome => "outcome",
        }
    }
}

/// One entry of a time series. Series, measurement (for observations the author too) and time are its key: whoever writes the same key
/// again overwrites what stood there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What it is about.
    #[serde(flatten)]
    pub series: Series,
    /// When, to the nanosecond; between 1677 and 2262.
    pub at: Timestamp,
    /// The content.
    #[serde(flatten)]
    pub measured: Measured,
}

impl Point {
    /// Its measurement.
    pub fn kind(&self) -> Kind {
        match self.measured {
            Measured::Observation(_) => Kind::PrObservation,
            Measured::Action(_) => Kind::ActionTaken,
            Measured::Outcome(_) => Kind::Outcome,
        }
    }

    /// Its time in nanoseconds since 1970, cut off at the ends of the range.
    pub fn nanos(&self) -> i64 {
        let nanos = self.at.as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
        let nanos = nanos as i64;
        nanos
    }
}

/// Content of a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "measurement")]
pub enum Measured {
    /// What was seen.
    #[serde(rename = "pr_observation")]
    Observation(Observation),
    /// What was decided and done.
    #[serde(rename = "action_taken")]
    Action(ActionTaken),
    /// How it ended.
    #[serde(rename = "outcome")]
    Outcome(Outcome),
}

/// What was seen of a pull request at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Login of its author; a tag.
    pub author: Login,
    /// The forge's summary of what stands in the way of a merge.
    pub merge_state: MergeState,
    /// Head and base merge without a conflict.
    pub mergeable: bool,
    /// Its author marked it as not ready.
    pub is_draft: bool,
    /// The forge is about to merge it by itself.
    pub auto_merge_enabled: bool,
    /// Checks of the head that count.
    pub checks_total: u32,
    /// Green ones.
    pub checks_passing: u32,
    /// Red ones.
    pub checks_failing: u32,
    /// Approvals of the head.
    pub reviews_approved: u32,
    /// Reviewers who want changes.
    pub reviews_changes_requested: u32,
    /// Review threads.
    pub threads_total: u32,
    /// Open ones.
    pub threads_unresolved: u32,
    /// Whole hours since it was opened.
    pub pr_age_hours: u32,
    /// Whole hours since the forge first saw the head.
    pub last_push_hours: u32,
    /// Whole hours since anything about it changed.
    pub last_activity_hours: u32,
    /// Requests to remove a conflict so far.
    pub conflict_attempts: u32,
    /// Requests to answer reviews so far.
    pub review_fix_attempts: u32,
}

/// The number of a merge state in databases; never change one.
pub fn merge_state_number(state: MergeState) -> u8 {
    match state {
        MergeState::Clean => 1,
        MergeState::Behind => 2,
        MergeState::Blocked => 3,
        MergeState::Dirty => 4,
        MergeState::Unstable => 5,
        MergeState::HasHooks => 6,
        MergeState::Draft => 7,
        MergeState::Unknown => 8,
    }
}

/// The merge state of a number.
pub fn merge_state_of(number: u8) -> Option<MergeState> {
    Some(match number {
        1 => MergeState::Clean,
        2 => MergeState::Behind,
        3 => MergeState::Blocked,
        4 => MergeState::Dirty,
        5 => MergeState::Unstable,
        6 => MergeState::HasHooks,
        7 => MergeState::Draft,
        8 => MergeState::Unknown,
        _ => return None,
    })
}

/// The word of a merge state, as the forge writes it.
pub fn merge_state_word(state: MergeState) -> &'static str {
    match state {
        MergeState::Clean => "CLEAN",
        MergeState::Behind => "BEHIND",
        MergeState::Blocked => "BLOCKED",
        MergeState::Dirty => "DIRTY",
        MergeState::Unstable => "UNSTABLE",
        MergeState::HasHooks => "HAS_HOOKS",
        MergeState::Draft => "DRAFT",
        MergeState::Unknown => "UNKNOWN",
    }
}

impl Observation {
    /// The counts with the names of their fields, in the order of the table.
    pub fn counts(&self) -> [(&'static str, u32); 12] {
        [
            ("checks_total", self.checks_total),
            ("checks_passing", self.checks_passing),
            ("checks_failing", self.checks_failing),
            ("reviews_approved", self.reviews_approved),
            ("reviews_changes_requested", self.reviews_changes_requested),
            ("threads_total", self.threads_total),
            ("threads_unresolved", self.threads_unresolved),
            ("pr_age_hours", self.pr_age_hours),
            ("last_push_hours", self.last_push_hours),
            ("last_activity_hours", self.last_activity_hours),
            ("conflict_attempts", self.conflict_attempts),
            ("review_fix_attempts", self.review_fix_attempts),
        ]
    }
}

/// How a pull request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// In one word.
    pub result: OutcomeResult,
    /// In another.
    pub detail: OutcomeDetail,
    /// Hours from opening to the end; finite.
    pub resolution_hours: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_states_have_their_numbers_and_words() {
        for number in 1..=8 {
            let state = merge_state_of(number).unwrap();
            assert_eq!(merge_state_number(state), number);
            assert_eq!(serde_json::to_value(state).unwrap(), merge_state_word(state));
        }
        assert_eq!(merge_state_of(0), None);
    }

    #[test]
    fn a_repository_is_its_tag_and_back() {
        let repo = RepoName::new("acme/the_shop").unwrap();
        let tag = RepoTag::of(&repo);
        assert_eq!(tag.as_str(), "acme_the_shop");
        assert_eq!(tag.repo(), Some(repo));
        assert_eq!(RepoTag::new("acme/the_shop"), Ok(tag));
        for bad in ["", "a b", "a,b", "a/b/c", "_x", "caf\u{e9}_x"] {
            assert!(RepoTag::new(bad).is_err(), "{bad:?}");
        }
    }
}
