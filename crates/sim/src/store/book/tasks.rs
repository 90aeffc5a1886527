//! Tasks of the pipeline as jobs: the same task once for an engine, until it is repeated.

use super::{Answer, Book, jobs::Draft};
use banksman_core::{
    id::JobId,
    job::{Body, Job, JobEvent, JobWork},
    port::{Lease, NewTask, Retried, StoreError, TaskFilter},
};
use jiff::Timestamp;

impl Book {
    pub(crate) fn enqueue(&mut self, lease: &Lease, new: &NewTask) -> Answer<JobId> {
        self.about(lease, &new.repo)?;
        let key = new.task.key();
        let known = self.rows().iter().rfind(|row| {
            matches!(&row.job.work, JobWork::Task { repo, task, engine }
                if *repo == new.repo && *engine == new.engine && task.key() == key)
        });
        if let Some(known) = known {
            return Ok(known.job.id);
        }
        let draft = Draft {
            name: new.task.name(),
            key: None,
            work: JobWork::Task {
                repo: new.repo.clone(),
                task: new.task.clone(),
                engine: new.engine.clone(),
            },
            body: Body::default(),
            retry_of: None,
        };
        Ok(self.write(draft, &lease.holder, new.at))
    }

    pub(crate) fn enqueue_again(&mut self, lease: &Lease, job: JobId, now: Timestamp) -> Answer<JobId> {
        self.own_task(lease, job)?;
        match self.retry(job, &lease.holder, now)? {
            Retried::As(id) | Retried::Already(id) => Ok(id),
            Retried::NotEnded(_) => Err(StoreError::Missing("failed or cancelled job")),
        }
    }

    pub(crate) fn withdraw(&mut self, lease: &Lease, job: JobId, now: Timestamp) -> Answer<()> {
        if self.own_task(lease, job)?.state.is_waiting() {
            self.apply(job, JobEvent::Cancelled { at: now }, &lease.holder, None, now)?;
        }
        Ok(())
    }

    fn own_task(&mut self, lease: &Lease, job: JobId) -> Answer<&Job> {
        self.fenced(lease)?;
        let own = self.job(job).filter(|j| j.work.repo() == Some(&lease.repo));
        own.ok_or(StoreError::Missing("job"))
    }

    pub(crate) fn tasks(&self, filter: &TaskFilter) -> Vec<Job> {
        let newest = self.rows().iter().filter(|row| row.repeated_as.is_none());
        let wanted = newest.map(|row| &row.job).filter(|job| {
            let JobWork::Task { repo, task, .. } = &job.work else { return false };
            match filter {
                TaskFilter::Repo(wanted) => repo == wanted,
                TaskFilter::Subject(wanted, subject) => repo == wanted && task.subject() == *subject,
            }
        });
        wanted.cloned().collect()
    }
}
