//! What a tracker is told of a job beside its status (T11): metrics, in compiled-in words. There is no other way to make these
//! types, so that no prompt, output, name or secret can get into one.

use crate::{
    id::JobId,
    job::{Job, JobState},
    port::AttemptRecord,
};
use jiff::SignedDuration;
use std::fmt::{self, Write as _};

/// Why an item is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// For a job that failed; `None` for any other.
    pub fn of(job: &Job) -> Option<Self> {
        match &job.state {
            JobState::Failed { reason, .. } => {
                Some(Self(format!("Banksman job {} failed: {}", job.id, reason.describe())))
            }
            _ => None,
        }
    }

    /// For the tracker.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The metrics of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment(String);

impl Comment {
    /// Of a job that is shipped or failed, from its attempts; `None` while it is neither.
    pub fn of(job: &Job, attempts: &[AttemptRecord]) -> Option<Self> {
        let result = match &job.state {
            JobState::Shipped { .. } => "shipped".to_owned(),
            JobState::Failed { reason, .. } => format!("failed: {}", reason.describe()),
            _ => return None,
        };
        Some(Self(Totals::of(attempts).written(job.id, &result)))
    }

    /// For the tracker.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// All attempts at a job, added up. What no attempt reported is `None`, not zero.
#[derive(Default)]
struct Totals {
    attempts: usize,
    /// Of the attempts whose end is known.
    wall: Option<SignedDuration>,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    tokens_cached: Option<u64>,
    cost_usd: Option<f64>,
}

impl Totals {
    fn of(attempts: &[AttemptRecord]) -> Self {
        fn add(total: &mut Option<u64>, more: Option<u64>) {
            if let Some(more) = more {
                *total = Some(total.unwrap_or(0).saturating_add(more));
            }
        }
        let mut totals = Self { attempts: attempts.len(), ..Self::default() };
        for attempt in attempts {
            let usage = &attempt.measured.usage;
            add(&mut totals.tokens_in, usage.tokens_in);
            add(&mut totals.tokens_out, usage.tokens_out);
            add(&mut totals.tokens_cached, usage.tokens_cached);
            if let Some(cost) = usage.cost_usd.filter(|cost| cost.is_finite()) {
                totals.cost_usd = Some(totals.cost_usd.unwrap_or(0.0) + cost);
            }
            if let Some(end) = attempt.ended_at {
                let wall = end.duration_since(attempt.started_at).max(SignedDuration::ZERO);
                totals.wall = Some(totals.wall.unwrap_or_default().saturating_add(wall));
            }
        }
        totals
    }

    fn written(&self, job: JobId, result: &str) -> String {
        let mut text = format!("Banksman job {job} {result}\n\n- attempts: {}", self.attempts);
        if let Some(wall) = self.wall {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n- duration: {}", Span(wall));
        }
        let tokens = [(self.tokens_in, "in"), (self.tokens_out, "out"), (self.tokens_cached, "cached")];
        let tokens: Vec<String> =
            tokens.iter().filter_map(|(count, word)| Some(format!("{} {word}", (*count)?))).collect();
        if !tokens.is_empty() {
            let _ = write!(text, "\n- tokens: {}", tokens.join(", "));
        }
        if let Some(cost) = self.cost_usd {
            let _ = write!(text, "\n- cost: ${cost:.4}");
        }
        text
    }
}

/// A duration as people write it: `45s`, `3m 20s`, `2h 5m`.
struct Span(SignedDuration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..60 => write!(f, "{seconds}s"),
            seconds @ 60..3600 => write!(f, "{}m {}s", seconds / 60, seconds % 60),
            seconds => write!(f, "{}h {}m", seconds / 3600, seconds % 3600 / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_to_read() {
        let cases =
            [(0, "0 ms"), (850, "850 ms"), (45_000, "45s"), (200_999, "3m 20s"), (7_500_000, "2h 5m")];
        for (millis, text) in cases {
            assert_eq!(Span(SignedDuration::from_millis(millis)).to_string(), text);
        }
    }

    #[test]
    fn what_nobody_reported_is_left_out() {
        assert_eq!(Totals::of(&[]).written(JobId(7), "shipped"), "Banksman job 7 shipped\n\n- attempts: 0");
    }
}
