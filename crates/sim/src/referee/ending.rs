//! The end of a world of jobs: every acknowledged job has ended (I1, I9), nothing is held, nothing is left (I11), every stage is to be told.

use crate::{universe::Universe, violation::Invariant};
use banksman_core::{
    id::JobId,
    job::{Job, Move},
    manifest::Dependency,
};

impl Universe {
    /// The id of the newest repetition of a job.
    pub(crate) fn newest_id(&self, id: JobId) -> JobId {
        self.newest(id).map_or(id, |job| job.id)
    }

    /// A job that waits for a key which no job has.
    pub(crate) fn waits_in_vain(&self) -> Option<JobId> {
        let waiting = self.store.rows().iter().map(|row| &row.job).filter(|job| job.state.is_waiting());
        let unknown =
            |on: &Dependency| matches!(on, Dependency::Key(key) if self.store.by_key(key).is_none());
        let mut vain =
            waiting.filter(|job| job.work.spec().is_some_and(|s| s.depends_on.iter().any(unknown)));
        vain.next().map(|job| job.id)
    }

    /// Whether every job has ended, nothing is held, nothing runs, and nothing is left.
    pub(crate) fn jobs_are_over(&self) -> bool {
        self.store.rows().iter().all(|row| row.job.state.is_final())
            && self.store.holds().is_empty()
            && self.log.running(self.now).next().is_none()
            && self.log.places().next().is_none()
    }

    /// The end of a world of jobs: all acknowledged ones are there and have ended, nothing is held, nothing runs, nothing is left.
    pub(crate) fn check_jobs_end(&mut self) {
        self.look_at_moves();
        let mut found: Vec<(Invariant, String)> = Vec::new();
        for id in &self.model.acknowledged {
            match self.store.job(*id) {
                None => found.push((Invariant::NothingLost, format!("job {id} is gone"))),
                Some(job) if !job.state.is_final() => {
                    found.push((Invariant::Ends, format!("job {id} is still {:?}", job.state)));
                }
                Some(_) => {}
            }
        }
        for hold in self.store.holds() {
            found.push((Invariant::Ends, format!("attempt {} still holds job {}", hold.attempt, hold.job)));
        }
        for (attempt, proc) in self.log.running(self.now) {
            found.push((
                Invariant::NothingLeft,
                format!("attempt {attempt} still runs on host {}", proc.host),
            ));
        }
        for (attempt, host, _) in self.log.places() {
            found
                .push((Invariant::NothingLeft, format!("attempt {attempt} left a workspace on host {host}")));
        }
        for row in self.store.rows() {
            found.extend(self.judge_echo(&row.job, &row.moves));
        }
        found.into_iter().for_each(|(invariant, what)| self.violated(invariant, what));
    }

    /// T14: each change of the stage of a job with auto-echo is wished once, and the echo is due until somebody tells it.
    fn judge_echo(&self, job: &Job, way: &[Move]) -> Option<(Invariant, String)> {
        let echo = self.store.echo(job.id);
        let wishes = way.iter().filter(|step| step.from != Some(step.to)).count() as u64;
        let wanted = job.work.spec().is_some_and(|spec| spec.auto_echo);
        let fits = match &echo {
            None => !wanted,
            Some(echo) => wanted && echo.job == job.id && echo.wished >= wishes && echo.due.is_some(),
        };
        (!fits).then(|| (Invariant::Echoed, format!("job {}: {echo:?} after {wishes} changes", job.id)))
    }
}
