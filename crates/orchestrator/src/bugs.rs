//! Deliberate bugs, one at a time, behind the feature `seeded-bugs`: each has to be caught by the simulation. Never in a release.

use std::cell::Cell;

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each name says what goes wrong")]
pub enum Bug {
    DoubleComment,
    EffectBeforeIntent,
    RecoveryRepeats,
    ReceiptNotRecorded,
    StaleMergeSha,
    LostTick,
    PhaseOrderIgnored,
    StrangerDispatched,
    CapIgnored,
    OwnHeadCounts,
    EscalationForgotten,
    JournalMissing,
    /// Looked at by the simulated store.
    FenceIgnored,
    RequestLimitIgnored,
    MergeWhileRed,
    TickEarly,
    TextLeak,
    ReapForgotten,
    RetryUnlimited,
    ReviewSkipped,
    /// A step is begun without a look at the lease, by a worker that stood still.
    LeaseNotLookedAt,
    /// A job is begun beside an attempt of the same worker that is still ending.
    BeganBeside,
    /// This one and those below are looked at by the simulated store.
    LockFreedAtCancel,
    DependencyIgnored,
    LossCounted,
    PriorityIgnored,
    ClaimFenceIgnored,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 27] = [
        Bug::DoubleComment,
        Bug::EffectBeforeIntent,
        Bug::RecoveryRepeats,
        Bug::ReceiptNotRecorded,
        Bug::StaleMergeSha,
        Bug::LostTick,
        Bug::PhaseOrderIgnored,
        Bug::StrangerDispatched,
        Bug::CapIgnored,
        Bug::OwnHeadCounts,
        Bug::EscalationForgotten,
        Bug::JournalMissing,
        Bug::FenceIgnored,
        Bug::RequestLimitIgnored,
        Bug::MergeWhileRed,
        Bug::TickEarly,
        Bug::TextLeak,
        Bug::ReapForgotten,
        Bug::RetryUnlimited,
        Bug::ReviewSkipped,
        Bug::LeaseNotLookedAt,
        Bug::BeganBeside,
        Bug::LockFreedAtCancel,
        Bug::DependencyIgnored,
        Bug::LossCounted,
        Bug::PriorityIgnored,
        Bug::ClaimFenceIgnored,
    ];
}

thread_local! {
    static ON: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Switches one bug on for this thread, or all off.
pub fn switch(bug: Option<Bug>) {
    ON.set(bug);
}

/// Whether a bug is on for this thread.
pub fn on(bug: Bug) -> bool {
    ON.get() == Some(bug)
}
