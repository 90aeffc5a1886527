//! A tracker that does what it is told: fails, holds still, and remembers what arrived.

use banksman_core::{
    port::tracker::{Comment, Item, ItemFilter, ItemPage, ItemStatus, Note, PageMark, Tracker, TrackerError},
    text::ItemId,
};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// A call that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Status(String, Option<String>),
    Comment(String),
}

/// Where a call holds still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    StatusBefore,
    StatusAfter,
    CommentBefore,
    CommentAfter,
}

#[derive(Default)]
struct Script {
    calls: Vec<Call>,
    fail_any: Vec<TrackerError>,
    fail_comments: Vec<TrackerError>,
    tried_comments: usize,
    hold: Option<(At, Hold)>,
}

/// A point that a call reaches and stays at until it is released.
#[derive(Clone)]
pub(crate) struct Hold {
    reached: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Hold {
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub(crate) fn release(&self) {
        self.released.add_permits(1);
    }

    async fn stay(&self) {
        self.reached.add_permits(1);
        self.released.acquire().await.unwrap().forget();
    }
}

/// The tracker.
#[derive(Default)]
pub(crate) struct ScriptedTracker(Mutex<Script>);

impl ScriptedTracker {
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        let status = |call| match call {
            Call::Status(word, _) => Some(word),
            Call::Comment(_) => None,
        };
        self.calls().into_iter().filter_map(status).collect()
    }

    pub(crate) fn comments(&self) -> usize {
        self.calls().len() - self.statuses().len()
    }

    /// Statuses and comments that arrived.
    pub(crate) fn done(&self) -> (usize, usize) {
        (self.statuses().len(), self.comments())
    }

    pub(crate) fn tried_comments(&self) -> usize {
        self.0.lock().unwrap().tried_comments
    }

    pub(crate) fn fail_next(&self, times: usize, error: TrackerError) {
        self.0.lock().unwrap().fail_any = vec![error; times];
    }

    pub(crate) fn fail_comments(&self, times: usize, error: TrackerError) {
        self.0.lock().unwrap().fail_comments = vec![error; times];
    }

    pub(crate) fn hold(&self, at: At) -> Hold {
        let hold = Hold { reached: Arc::new(Semaphore::new(0)), released: Arc::new(Semaphore::new(0)) };
        self.0.lock().unwrap().hold = Some((at, hold.clone()));
        hold
    }

    pub(crate) fn hold_next_status(&self) -> Hold {
        self.hold(At::StatusBefore)
    }

    async fn stay(&self, at: At) {
        let hold = self.0.lock().unwrap().hold.take_if(|(point, _)| *point == at);
        if let Some((_, hold)) = hold {
            hold.stay().await;
        }
    }
}

impl Tracker for ScriptedTracker {
    async fn item(&self, id: &ItemId) -> Result<Item, TrackerError> {
        Err(TrackerError::Missing(id.clone()))
    }

    async fn items(&self, _: &ItemFilter, _: Option<&PageMark>) -> Result<ItemPage, TrackerError> {
        Ok(ItemPage { items: Vec::new(), next: None })
    }

    async fn set_status(
        &self,
        _: &ItemId,
        status: ItemStatus,
        note: Option<&Note>,
    ) -> Result<(), TrackerError> {
        self.stay(At::StatusBefore).await;
        {
            let mut script = self.0.lock().unwrap();
            if let Some(error) = script.fail_any.pop() {
                return Err(error);
            }
            let note = note.map(|note| note.as_str().to_owned());
            script.calls.push(Call::Status(status.as_str().to_owned(), note));
        }
        self.stay(At::StatusAfter).await;
        Ok(())
    }

    async fn comment(&self, _: &ItemId, comment: &Comment) -> Result<(), TrackerError> {
        self.stay(At::CommentBefore).await;
        {
            let mut script = self.0.lock().unwrap();
            script.tried_comments += 1;
            let failure = script.fail_comments.pop().or_else(|| script.fail_any.pop());
            if let Some(error) = failure {
                return Err(error);
            }
            script.calls.push(Call::Comment(comment.as_str().to_owned()));
        }
        self.stay(At::CommentAfter).await;
        Ok(())
    }
}
