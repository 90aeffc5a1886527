//! The invariants by name, and what a violation of one says.

use serde::Serialize;
use std::fmt;

/// What always holds (90-safety.md, "Invariants", and the requirements of 50-execute.md that can be seen from outside).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// I1: nothing that was acknowledged is lost.
    NothingLost,
    /// I2: no two attempts at one job or under one lock at a time, and at most one of them publishes.
    NoOverlap,
    /// I3: at most one effect per key, and none without an intent.
    OneEffect,
    /// I3, S7: only fixed sentences, to whom they concern, as often as the limits allow.
    Sentences,
    /// I4: reserved and spent stay within the cap.
    Cap,
    /// I5: ticks are monotone, true, and foreign edits survive.
    Checklist,
    /// I7: what is merged was evaluated, is green and is ours to merge.
    MergedAsEvaluated,
    /// I6: stages move along the declared graph.
    OnGraph,
    /// Q7, Q8: what ships was built, reviewed and verified as its manifest says.
    StagesPassed,
    /// Q11: the most urgent, then the oldest job that fits is claimed, and no other.
    ClaimOrder,
    /// Q11: nothing is begun before what it depends on is shipped.
    Dependencies,
    /// As many attempts and fix rounds as the manifest allows, lost and limited ones not counted.
    Attempts,
    /// T14: each change of a stage is to be told.
    Echoed,
    /// I8: no write under an old fencing token is accepted.
    Fenced,
    /// I9: when faults stop, all work ends.
    Ends,
    /// I11: no process and no workspace is left.
    NothingLeft,
    /// I10: text of strangers is nowhere but in its slots.
    NoCanary,
    /// X2: phases in order; X3: features with approval only; X5: issues of trusted authors only.
    Dispatch,
    /// Row 4 of the policy: threads are resolved by an answer of the implementer only.
    Threads,
    /// X10, X13: closed only after what closes it.
    ClosedInOrder,
}

impl Invariant {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingLost => "I1 nothing is lost",
            Self::NoOverlap => "I2 no two attempts overlap",
            Self::OneEffect => "I3 at most one effect per key",
            Self::Sentences => "I3/S7 fixed sentences within limits",
            Self::Cap => "I4 spend within the cap",
            Self::Checklist => "I5 checklists are monotone",
            Self::MergedAsEvaluated => "I7 merged as evaluated",
            Self::OnGraph => "I6 stages move along the graph",
            Self::StagesPassed => "Q7/Q8 stages are passed",
            Self::ClaimOrder => "Q11 claim order",
            Self::Dependencies => "Q11 dependencies first",
            Self::Attempts => "attempts and fix rounds within limits",
            Self::Echoed => "T14 stages are echoed",
            Self::Fenced => "I8 old tokens are refused",
            Self::Ends => "I9 all work ends",
            Self::NothingLeft => "I11 nothing is left",
            Self::NoCanary => "I10 no canary",
            Self::Dispatch => "X2/X3/X5 dispatch",
            Self::Threads => "row 4 threads",
            Self::ClosedInOrder => "X10/X13 closed in order",
        }
    }
}

/// What a world is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// Repositories whose findings become merged pull requests.
    Pipeline,
    /// Jobs of manifests, run by a fleet.
    Jobs,
    /// Repositories on a hostile GitHub, through its genuine client.
    Github,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// In which of its worlds.
    pub world: WorldKind,
    /// Which one.
    pub invariant: Invariant,
    /// Virtual seconds since the beginning.
    pub at_seconds: f64,
    /// What was seen.
    pub detail: String,
}

impl Eq for Violation {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = match self.world {
            WorldKind::Pipeline => "pipeline",
            WorldKind::Jobs => "jobs",
            WorldKind::Github => "github",
        };
        write!(
            f,
            "seed {} ({world}), {:.1} s: {}: {}",
            self.seed,
            self.at_seconds,
            self.invariant.name(),
            self.detail
        )
    }
}
