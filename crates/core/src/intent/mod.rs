//! Intents: what Banksman is about to change in the world, written down first (architecture, "Effects are intents first"). A
//! [`Deed`] is one decision; it expands into [`Step`]s, single effects on the forge; each step done leaves a [`Receipt`].

mod deed;
mod draft;
mod labels;
mod steps;

pub use deed::Deed;
pub use draft::{EpicDraft, Phase, PhaseDraft, Theme};
pub use labels::{AGENTIC, APPROVED, NEEDS_APPROVAL, NEEDS_INTERVENTION, label};
pub use steps::{Made, MergeMethod, Receipt, Step};

use crate::{id::Number, port::Refusal, text::RepoName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An intent to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// The repository.
    pub repo: RepoName,
    /// Unique inside the repository; see [`Deed::key`].
    pub key: String,
    /// What it is about.
    pub subject: Number,
    /// What is intended.
    pub deed: Deed,
    /// Now.
    pub at: Timestamp,
}

/// An intent in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The repository.
    pub repo: RepoName,
    /// Unique inside the repository.
    pub key: String,
    /// What it is about.
    pub subject: Number,
    /// What is intended.
    pub deed: Deed,
    /// When it was written.
    pub created_at: Timestamp,
    /// One receipt per step done so far, in order.
    pub receipts: Vec<Receipt>,
    /// Where it is.
    pub state: IntentState,
}

/// Where an intent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum IntentState {
    /// Written; some steps may be done. After a crash recovery looks at the forge for the first step without a receipt and
    /// goes on.
    Open,
    /// All steps done.
    Done {
        /// Server time of the last step.
        at: Timestamp,
    },
    /// The forge refused a step for good. The same key may be opened again, which counts a try.
    Refused {
        /// Why.
        reason: Refusal,
        /// When.
        at: Timestamp,
        /// How often, this time included.
        tries: u32,
    },
}
