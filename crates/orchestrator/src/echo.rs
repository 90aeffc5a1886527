//! Tells trackers what becomes of their items' jobs (T10 to T14): a status for the stage, and a comment of metrics at the end. A loop of
//! its own over the outbox in the queue, so that it never fails, delays or changes a job.
//!
//! What was told is written down in an order that decides what a crash may repeat: a status is sent, then recorded, for sending it
//! twice changes nothing; a comment is recorded as begun, then sent, for there must never be a second one (T12).

use crate::stop::{Level, Stop};
use banksman_core::{
    event::{Event, What},
    id::JobId,
    job::{Job, Stage},
    port::{
        Clock, EchoRecord, JobFilter, Queue, StoreError, Tracker, TrackerError, Watcher,
        tracker::{Comment, Fault, ItemStatus, Note},
    },
    text::ItemId,
};
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use std::{future::Future, pin::pin};

/// How long an echo that was taken is nobody else's.
const HOLD: SignedDuration = SignedDuration::from_secs(60);
/// How long telling may take; less than [`HOLD`], so that its end is written in time.
const LIMIT: SignedDuration = SignedDuration::from_secs(50);
/// Pause after the first failed try, doubled with each further one.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// Longest pause between two tries (T13).
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// Longest pause between two looks at the outbox: what is due again by its time alone is found then.
const LOOK: SignedDuration = SignedDuration::from_secs(5);
/// Shortest one: a busy queue wakes often, and changes that overtake each other collapse meanwhile (T14).
const BREATH: SignedDuration = SignedDuration::from_millis(250);
/// How long one that is on its way may take when everything stops.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What came of an echo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The item was told of this stage.
    Now(Stage),
    /// It had been told before; nothing was sent (T12).
    Before(Stage),
    /// Nothing is told of this stage (T10).
    Nothing(Stage),
    /// The job has no item, or there is no such job.
    NoItem,
    /// It failed and is tried again then (T13).
    Later(TrackerError, Timestamp),
    /// Another process is at it.
    Elsewhere,
}

/// Tells one tracker.
pub struct Echo<'a, Q, T, C, W> {
    /// Where jobs and the outbox are.
    pub queue: &'a Q,
    /// Who is told.
    pub tracker: &'a T,
    /// Time and wake-up.
    pub clock: &'a C,
    /// Who watches.
    pub watcher: &'a W,
}

/// Why telling stopped halfway.
enum Halt {
    Store(StoreError),
    Tracker(TrackerError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<Q: Queue, T: Tracker, C: Clock, W: Watcher> Echo<'_, Q, T, C, W> {
    /// Tells whatever is due, until stopped. Failures are logged and tried again.
    pub async fn run(&self, stop: &Stop) {
        while !stop.wished() {
            let began = self.clock.now();
            let grace = async {
                stop.more_than(Level::GoOn).await;
                self.clock.sleep_until(self.clock.now() + GRACE).await;
            };
            let Some(round) = first(self.one(), grace).await else { return };
            let next = match round {
                Ok(Some((_, Told::Later(error, _)))) if error.passes() => {
                    // The tracker is away: the others in the outbox would fail as well.
                    first(self.clock.sleep_until(began + LOOK), stop.more_than(Level::GoOn)).await;
                    continue;
                }
                Ok(Some(_)) => continue,
                Ok(None) => began + LOOK,
                Err(error) => {
                    tracing::warn!(%error, "the outbox of echoes cannot be used; tried again");
                    began + LOOK
                }
            };
            let wait = async {
                self.clock.sleep_until(began + BREATH).await;
                self.clock.changed(next).await;
            };
            first(wait, stop.more_than(Level::GoOn)).await;
        }
    }

    /// Tells whatever is due now, for a process that ends by itself. A tracker that is away ends it too: the rest is told by whoever
    /// comes next.
    pub async fn settle(&self) -> Result<(), StoreError> {
        while let Some((_, told)) = self.one().await? {
            if matches!(told, Told::Later(error, _) if error.passes()) {
                break;
            }
        }
        Ok(())
    }

    /// Tells the item of one job what became of it, now (`to-tracker`). Whatever else is due in the outbox goes first.
    pub async fn of(&self, job: JobId) -> Result<Told, StoreError> {
        let Some(found) = self.queue.job(job).await? else { return Ok(Told::NoItem) };
        if item(&found).is_none() {
            return Ok(Told::NoItem);
        }
        self.queue.want_echo(job, self.clock.now()).await?;
        let until = self.clock.now() + HOLD;
        loop {
            while let Some((about, told)) = self.one().await? {
                if about == job {
                    return Ok(told);
                }
            }
            // Somebody else took it.
            match self.queue.echo(job).await? {
                Some(echo) if echo.due.is_none() => {
                    return Ok(echo.patched.map_or(Told::Nothing(found.state.stage()), Told::Before));
                }
                _ if self.clock.now() >= until => return Ok(Told::Elsewhere),
                _ => self.clock.sleep_until(self.clock.now() + BREATH).await,
            }
        }
    }

    /// Takes the echo that is due longest and tells it; `None`: none is due.
    pub async fn one(&self) -> Result<Option<(JobId, Told)>, StoreError> {
        let now = self.clock.now();
        let hold = i64::try_from(HOLD.as_millis()).unwrap_or(i64::MAX);
        let Some(mut echo) = self.queue.take_echo(now, hold).await? else { return Ok(None) };
        let about = echo.job;
        let told = first(self.tell(&mut echo), self.clock.sleep_until(now + LIMIT)).await;
        let told = match told.unwrap_or(Err(Halt::Tracker(TrackerError::Unavailable(Fault::Unclear)))) {
            Ok(told) => told,
            Err(Halt::Store(error)) => return Err(error),
            Err(Halt::Tracker(error)) => {
                let due = self.clock.now() + pause(about, echo.tries);
                tracing::warn!(job.id = about.0, tries = echo.tries + 1, %error, "a tracker item could not be told");
                echo.tries = echo.tries.saturating_add(1);
                echo.due = Some(due);
                self.queue.put_echo(&echo).await?;
                return Ok(Some((about, Told::Later(error, due))));
            }
        };
        echo.tries = 0;
        echo.due = None;
        self.queue.put_echo(&echo).await?;
        if let Told::Now(stage) = told {
            let what = What::Echoed { job: about, stage };
            self.watcher.event(&Event { at: self.clock.now(), repo: None, what });
        }
        Ok(Some((about, told)))
    }

    /// Tells the item what it does not know yet of the job as it is now: whatever was overtaken meanwhile is never told (T14).
    async fn tell(&self, echo: &mut EchoRecord) -> Result<Told, Halt> {
        let Some(job) = self.queue.job(echo.job).await? else { return Ok(Told::NoItem) };
        let Some(item) = item(&job) else { return Ok(Told::NoItem) };
        let stage = job.state.stage();
        let Some(status) = ItemStatus::of(stage) else { return Ok(Told::Nothing(stage)) };
        let mut told = Told::Before(stage);
        if echo.patched.and_then(ItemStatus::of) != Some(status) && !self.is_superseded(&job, item).await? {
            self.tracker.set_status(item, status, Note::of(&job).as_ref()).await.map_err(Halt::Tracker)?;
            echo.patched = Some(stage);
            self.queue.note_echo(echo).await?;
            told = Told::Now(stage);
        }
        if echo.comment_begun == Some(stage) {
            return Ok(told);
        }
        let attempts = self.queue.attempts(job.id).await?;
        let Some(comment) = Comment::of(&job, &attempts) else { return Ok(told) };
        echo.comment_begun = Some(stage);
        self.queue.note_echo(echo).await?;
        match self.tracker.comment(item, &comment).await {
            Ok(()) => echo.commented = Some(stage),
            Err(error) if error.had_no_effect() => {
                echo.comment_begun = None;
                return Err(Halt::Tracker(error));
            }
            Err(error) => {
                tracing::warn!(job.id = job.id.0, %error, "it is not known whether a comment arrived; it is not repeated");
            }
        }
        Ok(Told::Now(stage))
    }

    /// Whether a later job of the same item, such as one that repeats this one, has a say about its status.
    async fn is_superseded(&self, job: &Job, item: &ItemId) -> Result<bool, StoreError> {
        let all = self.queue.jobs(&JobFilter::Item(item.clone())).await?;
        Ok(all.iter().any(|other| other.id > job.id && ItemStatus::of(other.state.stage()).is_some()))
    }
}

/// The tracker item of a job.
fn item(job: &Job) -> Option<&ItemId> {
    job.work.spec()?.tracker_item.as_ref()
}

/// The pause after so many failed tries; up to a quarter longer, so that those that failed together come back apart.
fn pause(job: JobId, tries: u32) -> SignedDuration {
    let doubled = (PAUSE.as_secs() << tries.min(20)).min(LONGEST.as_secs());
    let quarter = doubled * 1000 / 4 + 1;
    let spread = i64::from(u32::try_from(job.0.wrapping_mul(2_654_435_761) % 1024).unwrap_or(0));
    SignedDuration::from_secs(doubled) + SignedDuration::from_millis(quarter * spread / 1024)
}

/// What the first one gives; `None` when the second one was there before.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    match select(pin!(one), pin!(other)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
