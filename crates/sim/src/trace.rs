//! The trace: what happened in which order. Always hashed, so that two runs of a seed can be compared; kept as lines only in a replay.

use crate::executor::{Micros, Process, SECOND};

/// Everything that happened.
#[derive(Debug, Default)]
pub(crate) struct Record {
    hash: u64,
    lines: Option<Vec<String>>,
}

/// The trace of one replayed seed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Hash over everything that happened, the same at each run of the seed.
    pub hash: u64,
    /// One line per event: virtual seconds, process, what.
    pub lines: Vec<String>,
    /// What was violated; empty if nothing was.
    pub violations: Vec<crate::Violation>,
}

impl Record {
    /// A trace that is kept.
    pub(crate) fn kept() -> Self {
        Self { hash: 0, lines: Some(Vec::new()) }
    }

    /// Notes one event. `number` goes into the hash; `detail` is made only in a replay.
    pub(crate) fn note(
        &mut self,
        at: Micros,
        process: Process,
        what: &'static str,
        number: u64,
        detail: impl FnOnce() -> String,
    ) {
        let words = [at as u64, u64::from(process.0), number, what.len() as u64];
        for word in words.into_iter().chain(what.bytes().take(4).map(u64::from)) {
            self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>11.3} p{:<3} {what}: {}", at as f64 / SECOND as f64, process.0, detail()));
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
