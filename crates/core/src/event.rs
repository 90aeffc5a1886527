//! The one stream of events: what the orchestrator did and saw, for every surface (table, lines, JSON). Numbers, closed words
//! and validated names only.

use crate::{
    budget::Held,
    id::{AttemptId, JobId, Number},
    job::{Outcome, Stage, Why},
    policy::{ActionKind, EscalateReason, WaitReason},
    port::Refusal,
    text::{BranchName, EngineName, JobName, RepoName, Sha},
    work::{FailReason, SandboxLevel, Task},
};
use jiff::Timestamp;
use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// In which repository; `None` for a job of a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<RepoName>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[expect(missing_docs, reason = "the fields repeat the words of 00-overview.md")]
pub enum What {
    /// An issue was made of a finding.
    IssueCreated { issue: Number },
    /// An epic was made.
    EpicCreated { epic: Number, branch: BranchName, children: u32 },
    /// A child was handed to an implementer.
    Dispatched { epic: Number, child: Number, implementer: EngineName },
    /// A feature waits for approval.
    ApprovalNeeded { child: Number },
    /// The cap holds a dispatch back.
    OverCap { child: Number },
    /// The budget holds a dispatch back: a quota, or the plan of the day.
    OverBudget { child: Number, held: Held },
    /// An attempt started.
    AttemptStarted { attempt: AttemptId, engine: EngineName, task: Task },
    /// An attempt ended with a result.
    AttemptEnded {
        attempt: AttemptId,
        engine: EngineName,
        task: Task,
        outcome: Outcome,
        sandbox: Option<SandboxLevel>,
    },
    /// An attempt failed; another one follows unless it was the last.
    AttemptFailed { attempt: AttemptId, engine: EngineName, task: Task, reason: FailReason, last: bool },
    /// A job of a manifest moved (Q9).
    JobMoved {
        job: JobId,
        name: JobName,
        engine: Option<EngineName>,
        attempt: Option<AttemptId>,
        to: Stage,
        why: Why,
    },
    /// An engine's quota is used up; it rests.
    CoolingDown { engine: EngineName, until: Timestamp },
    /// A tracker item was told what became of its job.
    Echoed { job: JobId, stage: Stage },
    /// A pull request was opened.
    PullOpened { pull: Number, child: Number },
    /// A decision that differs from the last one about this pull request.
    Decided { pull: Number, row: u8, action: ActionKind, wait: Option<WaitReason> },
    /// An action was carried out.
    Acted { subject: Number, action: ActionKind },
    /// The forge refused an action.
    Refused { subject: Number, action: ActionKind, reason: Refusal },
    /// A pull request was merged.
    Merged { pull: Number, commit: Sha },
    /// Children were ticked.
    Ticked { epic: Number, children: Vec<Number> },
    /// A person was called.
    Escalated { subject: Number, reason: EscalateReason },
    /// A child is finished and its journal line written.
    Journaled { epic: Option<Number>, child: Number },
    /// All children of an epic are through and its pull request is open.
    EpicPullOpened { epic: Number, pull: Number },
    /// An epic is closed.
    EpicClosed { epic: Number },
    /// Intents that an earlier process left open were settled.
    Recovered { intents: u32 },
}
