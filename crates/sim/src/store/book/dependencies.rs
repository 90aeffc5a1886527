//! Dependencies: what a job waits for, how its end wakes or fails others, and that nobody waits for himself.

use super::Book;
use banksman_core::{
    id::JobId,
    job::{Job, JobEvent, JobWork, Stage},
    manifest::Dependency,
    port::{AddError, NewJob},
    text::{Holder, JobKey},
    work::FailReason,
};
use jiff::Timestamp;
use serde::Serialize;

/// One thing that a job waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Tie {
    on: Dependency,
    /// The job, once there is one.
    to: Option<JobId>,
}

impl Book {
    /// The ties of a job that is to be written.
    pub(super) fn ties_of(&self, work: &JobWork) -> Vec<Tie> {
        let wanted = work.spec().map(|spec| spec.depends_on.as_slice()).unwrap_or_default();
        let mut ties: Vec<Tie> = Vec::new();
        for on in wanted {
            let to = match on {
                Dependency::Id(id) => Some(self.newest(*id)),
                Dependency::Key(key) => self.by_key(key).map(|job| job.id),
            };
            if !ties.iter().any(|tie| tie.on == *on) {
                ties.push(Tie { on: on.clone(), to });
            }
        }
        ties
    }

    /// The newest repetition of a job.
    fn newest(&self, mut job: JobId) -> JobId {
        while let Some(again) = self.place(job).ok().and_then(|at| self.jobs[at].repeated_as) {
            job = again;
        }
        job
    }

    fn end_of(&self, tie: &Tie) -> Option<&Job> {
        tie.to.and_then(|job| self.job(job))
    }

    /// Whether what it waits for is shipped.
    pub(super) fn is_met(&self, tie: &Tie) -> bool {
        self.end_of(tie).is_some_and(|job| job.state.stage() == Stage::Shipped)
    }

    /// Whether what it waits for has ended otherwise.
    pub(super) fn is_hopeless(&self, tie: &Tie) -> bool {
        self.end_of(tie).is_some_and(|job| matches!(job.state.stage(), Stage::Failed | Stage::Cancelled))
    }

    /// Ties jobs that wait for a key to the job that has it from now on.
    pub(super) fn tie_waiting(&mut self, new: JobId) {
        let Some(key) = self.job(new).and_then(|job| job.key.clone()) else { return };
        let on = Dependency::Key(key);
        for tie in self.jobs.iter_mut().flat_map(|row| &mut row.ties) {
            if tie.to.is_none() && tie.on == on {
                tie.to = Some(new);
            }
        }
    }

    /// A job has ended: who waits for it is woken, or fails too.
    pub(super) fn ended(&mut self, ended: JobId, stage: Stage, who: &Holder, now: Timestamp) {
        let waiting: Vec<JobId> = self
            .jobs
            .iter()
            .filter(|row| row.job.state.is_waiting() && row.ties.iter().any(|tie| tie.to == Some(ended)))
            .map(|row| row.job.id)
            .collect();
        for job in waiting {
            if stage == Stage::Shipped {
                let Ok(at) = self.place(job) else { continue };
                let unmet = self.jobs[at].ties.iter().filter(|tie| !self.is_met(tie)).count() as u32;
                self.jobs[at].job.waits_for = unmet;
            } else {
                let failed = JobEvent::Failed { reason: FailReason::Dependency, at: now };
                // One that was failed meanwhile by way of another one takes no event any more.
                let _ = self.apply(job, failed, who, None, now);
            }
        }
    }

    /// Refuses a batch in which a job depends on one that does not exist, or would wait for itself.
    pub(super) fn check_batch(&self, jobs: &[NewJob]) -> Result<(), AddError> {
        let mut next = self.jobs.len() as u64 + 1;
        // Keys and ids of the new jobs before this one, and what each waits for.
        let mut before: Vec<(JobId, Option<&JobKey>, &[Dependency])> = Vec::new();
        for new in jobs {
            let known = |key: &JobKey| {
                self.by_key(key).is_some() || before.iter().any(|(_, other, _)| *other == Some(key))
            };
            if new.key.as_ref().is_some_and(known) {
                continue;
            }
            for on in &new.spec.depends_on {
                if let Dependency::Id(id) = on
                    && (id.0 == 0 || id.0 >= next)
                {
                    return Err(AddError::UnknownJob(*id));
                }
            }
            before.push((JobId(next), new.key.as_ref(), &new.spec.depends_on));
            next += 1;
            if let Some(key) = &new.key
                && self.reaches(key, &new.spec.depends_on, &before)
            {
                return Err(AddError::Cycle(key.clone()));
            }
        }
        Ok(())
    }

    /// Whether one of these dependencies leads to a job that waits for the key.
    fn reaches(
        &self,
        key: &JobKey,
        from: &[Dependency],
        new: &[(JobId, Option<&JobKey>, &[Dependency])],
    ) -> bool {
        let mut open: Vec<Dependency> = from.to_vec();
        let mut seen: Vec<Dependency> = Vec::new();
        while let Some(on) = open.pop() {
            if matches!(&on, Dependency::Key(wanted) if wanted == key) {
                return true;
            }
            if seen.contains(&on) {
                continue;
            }
            let old = match &on {
                Dependency::Id(id) => self.job(self.newest(*id)),
                Dependency::Key(wanted) => self.by_key(wanted),
            };
            match old {
                // One that has ended waits for nothing.
                Some(job) if job.state.is_final() => {}
                Some(job) => {
                    open.extend(job.work.spec().iter().flat_map(|spec| &spec.depends_on).cloned());
                }
                None => {
                    let same = |(id, wanted, _): &&(JobId, Option<&JobKey>, &[Dependency])| match &on {
                        Dependency::Id(other) => id == other,
                        Dependency::Key(other) => *wanted == Some(other),
                    };
                    open.extend(new.iter().filter(same).flat_map(|(_, _, more)| more.iter().cloned()));
                }
            }
            seen.push(on);
        }
        false
    }

    pub(crate) fn blockers(&self, job: JobId) -> Vec<(Dependency, Option<Stage>)> {
        let Ok(at) = self.place(job) else { return Vec::new() };
        let open = self.jobs[at].ties.iter().filter(|tie| !self.is_met(tie));
        open.map(|tie| (tie.on.clone(), self.end_of(tie).map(|j| j.state.stage()))).collect()
    }
}
