//! Items into jobs (T3 to T9): each item once, whatever became of its job.

use banksman_core::{
    id::JobId,
    job::{Body, Job},
    manifest::{self, LabelProblems, MAX_BODY, Manifest, ResolveError},
    port::{
        AddError, Added, NewJob, Queue, StoreError,
        tracker::{Item, ItemFilter, Misunderstanding, PageMark, Tracker, TrackerError},
    },
    text::{Holder, ItemId, JobKey, JobName},
};
use jiff::Timestamp;

/// Pages that are read at most, against a tracker whose list has no end.
const PAGES: u32 = 10_000;

/// Brings items into a queue.
pub struct Pull<'a, Q, T, R> {
    /// Where jobs are.
    pub queue: &'a Q,
    /// Where items are.
    pub tracker: &'a T,
    /// Completes a manifest with profiles and defaults.
    pub resolve: R,
    /// Who adds the jobs.
    pub who: Holder,
    /// Now.
    pub now: Timestamp,
}

/// What became of an item.
pub enum Pulled {
    /// A job was made of it.
    New {
        /// The job.
        job: JobId,
        /// Its name.
        name: JobName,
        /// The text of its file.
        file: String,
    },
    /// It has a job, in whatever stage (T6).
    Exists(Box<Job>),
}

/// An item that did not become a job. Nothing was added (T8).
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The tracker.
    #[error(transparent)]
    Tracker(#[from] TrackerError),
    /// Its labels.
    #[error("item {0} cannot become a job: {1}")]
    Labels(ItemId, LabelProblems),
    /// What its manifest names.
    #[error("item {0} cannot become a job: {1}")]
    Resolve(ItemId, ResolveError),
    /// Its description is over 1 MiB.
    #[error("item {0} cannot become a job: its description is over 1 MiB")]
    TooLong(ItemId),
    /// The queue refused the job.
    #[error("item {0} cannot become a job: {1}")]
    Add(ItemId, AddError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far bringing many items in has come.
pub enum Progress<'a> {
    /// So many more items were found.
    Found(usize),
    /// This became of one of them.
    Item(&'a ItemId, Result<Pulled, PullError>),
}

/// How many items became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Jobs that were made.
    pub new: u64,
    /// Items that had one.
    pub known: u64,
    /// Items that cannot become one.
    pub failed: u64,
}

impl<Q, T, R> Pull<'_, Q, T, R>
where
    Q: Queue,
    T: Tracker,
    R: Fn(&Manifest, Body, JobName) -> Result<NewJob, ResolveError>,
{
    /// Makes a job of one item, unless there is one. One that is there is found without asking the tracker.
    pub async fn one(&self, id: &ItemId) -> Result<Pulled, PullError> {
        if let Some(job) = self.existing(id).await? {
            return Ok(Pulled::Exists(job));
        }
        self.take(self.tracker.item(id).await?).await
    }

    /// Makes a job of every open item with that label. One item's failure is its own: `each` is told of every item, and the rest goes on.
    pub async fn all(&self, label: &str, mut each: impl FnMut(Progress<'_>)) -> Result<Tally, TrackerError> {
        let filter = ItemFilter { label: label.to_owned() };
        let (mut tally, mut from) = (Tally::default(), None::<PageMark>);
        for _ in 0..PAGES {
            let page = self.tracker.items(&filter, from.as_ref()).await?;
            each(Progress::Found(page.items.len()));
            for item in page.items {
                let id = item.id.clone();
                let pulled = match self.existing(&id).await {
                    Ok(Some(job)) => Ok(Pulled::Exists(job)),
                    Ok(None) => self.take(item).await,
                    Err(error) => Err(error.into()),
                };
                match &pulled {
                    Ok(Pulled::New { .. }) => tally.new += 1,
                    Ok(Pulled::Exists(_)) => tally.known += 1,
                    Err(_) => tally.failed += 1,
                }
                each(Progress::Item(&id, pulled));
            }
            let Some(next) = page.next else { return Ok(tally) };
            from = Some(next);
        }
        Err(TrackerError::Invalid(Misunderstanding::Answer("its list of items has no end")))
    }

    async fn existing(&self, id: &ItemId) -> Result<Option<Box<Job>>, StoreError> {
        // An id that makes no key has no job; `from_item` says what is wrong with it.
        let Ok(key) = JobKey::new(&format!("tracker-{id}")) else { return Ok(None) };
        Ok(self.queue.job_by_key(&key).await?.map(Box::new))
    }

    async fn take(&self, item: Item) -> Result<Pulled, PullError> {
        let Item { id, title, description, labels, status: _ } = item;
        let manifest = manifest::from_item(&id, &labels).map_err(|e| PullError::Labels(id.clone(), e))?;
        if description.as_str().len() > MAX_BODY {
            return Err(PullError::TooLong(id));
        }
        let name = title.structure(JobName::from_title);
        let file = manifest::print(&manifest, &description);
        let job = (self.resolve)(&manifest, description, name.clone())
            .map_err(|e| PullError::Resolve(id.clone(), e))?;
        let added = self.queue.add(vec![job], &self.who, self.now).await;
        match added.map_err(|e| PullError::Add(id.clone(), e))?.first() {
            Some(Added::New(job)) => Ok(Pulled::New { job: *job, name, file }),
            // Somebody else was faster, or the queue answered nothing.
            Some(Added::Exists(_)) | None => match self.existing(&id).await? {
                Some(job) => Ok(Pulled::Exists(job)),
                None => Err(StoreError::Missing("job").into()),
            },
        }
    }
}
