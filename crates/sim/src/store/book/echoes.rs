//! The echo outbox: what a tracker is still to be told about a job.

use super::{Answer, Book, end};
use banksman_core::{
    id::JobId,
    manifest::JobSpec,
    port::{EchoRecord, StoreError},
};
use jiff::Timestamp;
use serde::Serialize;

/// One row of the outbox.
#[derive(Debug, Serialize)]
pub(crate) struct EchoRow {
    #[serde(skip)]
    record: EchoRecord,
    /// Nobody else gets it until then.
    taken_until: Option<Timestamp>,
}

impl Book {
    /// A stage has changed: a job with auto-echo wants its item told.
    pub(super) fn echo_stage(&mut self, job: JobId, now: Timestamp) {
        let echoed = |spec: &JobSpec| spec.auto_echo && spec.tracker_item.is_some();
        if self.job(job).and_then(|j| j.work.spec()).is_some_and(echoed) {
            self.wish(job, now);
        }
    }

    fn wish(&mut self, job: JobId, at: Timestamp) {
        let row = self.echoes.entry(job).or_insert_with(|| EchoRow {
            record: EchoRecord {
                job,
                patched: None,
                comment_begun: None,
                commented: None,
                tries: 0,
                due: None,
                wished: 0,
            },
            taken_until: None,
        });
        row.record.wished += 1;
        row.record.due = Some(row.record.due.map_or(at, |due| due.min(at)));
    }

    pub(crate) fn want_echo(&mut self, job: JobId, at: Timestamp) -> Answer<()> {
        let linked =
            self.job(job).and_then(|j| j.work.spec()).is_some_and(|spec| spec.tracker_item.is_some());
        if !linked {
            return Err(StoreError::Missing("job with a tracker item"));
        }
        self.wish(job, at);
        Ok(())
    }

    pub(crate) fn take_echo(&mut self, now: Timestamp, ttl_ms: i64) -> Option<EchoRecord> {
        let ready = |row: &&mut EchoRow| {
            row.record.due.is_some_and(|due| due <= now) && row.taken_until.is_none_or(|until| until <= now)
        };
        let row = self.echoes.values_mut().filter(ready).min_by_key(|row| row.record.due)?;
        row.taken_until = Some(end(now, ttl_ms));
        Some(row.record.clone())
    }

    pub(crate) fn put_echo(&mut self, echo: &EchoRecord) -> Answer<()> {
        let row = self.echoes.get_mut(&echo.job).ok_or(StoreError::Missing("echo"))?;
        let (wished, due) = (row.record.wished, row.record.due);
        row.record = echo.clone();
        row.taken_until = None;
        if wished > echo.wished {
            row.record.wished = wished;
            row.record.due = due;
        }
        Ok(())
    }

    pub(crate) fn note_echo(&mut self, echo: &EchoRecord) -> Answer<()> {
        let row = self.echoes.get_mut(&echo.job).ok_or(StoreError::Missing("echo"))?;
        row.record = EchoRecord { due: row.record.due, wished: row.record.wished, ..echo.clone() };
        Ok(())
    }

    pub(crate) fn echo(&self, job: JobId) -> Option<EchoRecord> {
        self.echoes.get(&job).map(|row| row.record.clone())
    }
}
