//! How long a job was in each stage, from the record of its way (Q9, Q22).

use crate::job::{Move, Stage};
use jiff::Timestamp;
use serde::Serialize;

/// Time that a job spent in a stage, all visits added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Milliseconds. Backoff between two attempts is part of `building`.
    pub ms: u64,
    /// Times that it was entered.
    pub visits: u32,
}

/// The stages that a job was in, in the order of the way; `moves` oldest first. The stage that it is in now counts up to `now`; final
/// stages take no time and are left out.
pub fn stage_times(moves: &[Move], now: Timestamp) -> Vec<StageTime> {
    Stage::ALL
        .into_iter()
        .filter(|stage| !stage.is_final())
        .filter_map(|stage| time_in(stage, moves, now))
        .collect()
}

fn time_in(stage: Stage, moves: &[Move], now: Timestamp) -> Option<StageTime> {
    let mut time = StageTime { stage, ms: 0, visits: 0 };
    for (index, entered) in moves.iter().enumerate().filter(|(_, one)| one.to == stage) {
        let left = moves.get(index + 1).map_or(now, |next| next.at);
        // Clocks that were set back give 0.
        time.ms += u64::try_from(left.duration_since(entered.at).as_millis()).unwrap_or(0);
        time.visits += u32::from(entered.from != Some(stage));
    }
    (time.visits > 0).then_some(time)
}
