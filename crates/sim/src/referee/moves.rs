//! The moves of a job against the declared graph (I6), against what its attempts did (Q7, Q8), and against what its manifest allows.

use crate::{universe::Universe, violation::Invariant};
use banksman_core::{
    id::JobId,
    job::{Job, Move, Stage, Why},
    work::FailReason,
};

impl Universe {
    /// Looks at the new moves of all jobs: the end of one may be the end of others.
    pub(super) fn look_at_moves(&mut self) {
        for id in 1..=self.store.rows().len() as u64 {
            self.look_at(JobId(id));
        }
    }

    /// Looks at the new moves of a job, and of others if it has ended.
    pub(super) fn look_at(&mut self, id: JobId) {
        let Some(row) = (id.0 as usize).checked_sub(1).and_then(|at| self.store.rows().get(at)) else {
            return;
        };
        let seen = self.model.judged.insert(id, row.moves.len()).unwrap_or_default();
        if seen == row.moves.len() {
            return;
        }
        let mut found: Vec<(Invariant, String)> = Vec::new();
        for at in seen..row.moves.len() {
            let object = |(invariant, what): (Invariant, String)| (invariant, format!("job {id}: {what}"));
            found.extend(self.judge_move(&row.job, &row.moves[..=at]).into_iter().map(object));
        }
        let ended = row.job.state.is_final();
        found.extend(self.judge_counts(&row.job, &row.moves));
        found.into_iter().for_each(|(invariant, what)| self.violated(invariant, what));
        if ended {
            self.look_at_moves();
        }
    }

    /// Judges the last of these moves.
    fn judge_move(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let (step, before) = way.split_last()?;
        let from = before.last().map(|step| step.to);
        if step.from != from || !on_graph(step) {
            return Some((Invariant::OnGraph, format!("moved {step:?} after {from:?}")));
        }
        let spec = job.work.spec()?;
        let attempt = step.attempt?;
        let work = self.log.work(attempt);
        let (reviewed, verified) =
            (work.approved || spec.review.is_none(), work.verified || spec.verify.is_empty());
        match (step.to, step.why) {
            (Stage::Building, Why::Claimed) if job_failures(way, self) > spec.retries => {
                Some((Invariant::Attempts, format!("attempt {attempt} is one too many")))
            }
            (Stage::Review, Why::Passed) if !work.built => {
                Some((Invariant::StagesPassed, "reviewed before it was built".to_owned()))
            }
            (Stage::Testing, Why::Passed) if !reviewed => {
                Some((Invariant::StagesPassed, "tested without its review".to_owned()))
            }
            (Stage::Shipped, _) if !(work.landed && reviewed && verified) => {
                Some((Invariant::StagesPassed, format!("shipped after {work:?}")))
            }
            (Stage::Building, Why::Changes | Why::Refuted) => {
                let rounds = way
                    .iter()
                    .filter(|m| m.attempt == Some(attempt) && matches!(m.why, Why::Changes | Why::Refuted));
                let rounds = rounds.count() as u32;
                (rounds > spec.fix_rounds)
                    .then(|| (Invariant::Attempts, format!("fix round {rounds} of {}", spec.fix_rounds)))
            }
            (Stage::Failed, Why::Failed(reason))
                if reason.worth_retrying() && job_failures(way, self) <= spec.retries =>
            {
                Some((Invariant::Attempts, format!("given up too early, for {reason:?}")))
            }
            _ => None,
        }
    }

    /// What a job says of its failures and losses is what its moves say.
    fn judge_counts(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let losses = way.iter().filter(|step| step.why == Why::Lost).count() as u32;
        let failures = job_failures(way, self);
        (job.failures != failures || job.losses != losses).then(|| {
            let what = format!(
                "job {}: says {} failures and {} losses, had {failures} and {losses}",
                job.id, job.failures, job.losses
            );
            (Invariant::Attempts, what)
        })
    }
}

/// Failures that count: moves after which another attempt follows or none, whose attempt's record has a failure.
fn job_failures(way: &[Move], universe: &Universe) -> u32 {
    let failed = way.iter().filter(|step| {
        matches!(step.why, Why::Retried(_) | Why::Failed(_))
            && step.attempt.is_some_and(|attempt| universe.store.failed(attempt))
    });
    failed.count() as u32
}

/// I6: the declared graph.
fn on_graph(step: &Move) -> bool {
    use Stage as S;
    match (step.from, step.to, step.why) {
        (None, S::Inbox, Why::Added) => true,
        (Some(S::Inbox | S::Building), S::Building, Why::Claimed) => true,
        (Some(S::Building), S::Review, Why::Passed)
        | (Some(S::Review), S::Testing, Why::Passed)
        | (Some(S::Testing), S::Shipped, Why::Passed)
        | (Some(S::Review), S::Building, Why::Changes)
        | (Some(S::Testing), S::Building, Why::Refuted) => true,
        (
            Some(S::Building | S::Review | S::Testing),
            S::Building,
            Why::Retried(_) | Why::Limited | Why::Lost | Why::Interrupted,
        ) => true,
        (Some(S::Inbox | S::Building), S::Failed, Why::Failed(FailReason::Dependency)) => true,
        (Some(S::Building | S::Review | S::Testing), S::Failed, Why::Failed(reason)) => {
            reason != FailReason::Dependency
        }
        (Some(from), S::Cancelled, Why::Cancelled) => !from.is_final(),
        _ => false,
    }
}
