//! From a spool to its sink: in order, each batch until it is taken. A sink that is away is asked again after growing pauses; what it
//! refuses for its content is narrowed down to the points it is about, which are put aside, so that all others go on.

use crate::spool::{Spool, SpoolError};
use banksman_core::{
    port::training::{Sink, SinkError},
    training::Point,
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{select, sync::Notify, time::sleep};

/// Points in one call at most.
const TOGETHER: usize = 5_000;

/// Pauses between two tries while a sink is away: each twice the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// The first one.
    pub first: Duration,
    /// The longest one.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// What a delivery came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Points that were taken.
    pub taken: u64,
    /// Points that were put aside, because the sink refuses them for what stands in them.
    pub refused: u64,
    /// Why the sink took no more; `None`: nothing waits.
    pub stopped: Option<SinkError>,
}

/// Delivers what waits now. Ends at the first failure that may pass.
pub async fn deliver_what_waits(sink: &impl Sink, spool: &Arc<Spool>) -> Result<Delivered, SpoolError> {
    let mut delivered = Delivered::default();
    loop {
        let batches = beside(spool, |spool| spool.next_ones(TOGETHER)).await?;
        let Some(last) = batches.last().cloned() else { return Ok(delivered) };
        let points: Vec<Point> = batches.into_iter().flat_map(|batch| batch.points).collect();
        let mut refused = Vec::new();
        if let Err(stopped) = send(sink, &points, &mut refused).await {
            delivered.stopped = Some(stopped);
            return Ok(delivered);
        }
        delivered.taken += (points.len() - refused.len()) as u64;
        delivered.refused += refused.len() as u64;
        beside(spool, move |spool| {
            if !refused.is_empty() {
                tracing::warn!(points = refused.len(), folder = %spool.folder().display(), "the sink refuses points; they are in refused.jsonl");
                spool.put_aside(&refused)?;
            }
            spool.done_with(&last)
        })
        .await?;
    }
}

/// Sends points; those that the sink refuses for good are narrowed down and come out in `refused`.
async fn send(sink: &impl Sink, points: &[Point], refused: &mut Vec<Point>) -> Result<(), SinkError> {
    let mut left = vec![points];
    // Halves in their order: what stands first is sent first.
    while let Some(part) = left.pop() {
        match sink.write(part).await {
            Ok(()) => {}
            Err(SinkError::Refused) if part.len() > 1 => {
                let (first, second) = part.split_at(part.len() / 2);
                left.push(second);
                left.push(first);
            }
            Err(SinkError::Refused) => refused.extend_from_slice(part),
            Err(passing) => return Err(passing),
        }
    }
    Ok(())
}

/// Delivers until stopped. `more` is told when something was appended. A batch that is under way when it is stopped is finished.
pub async fn deliver(
    sink: &impl Sink,
    spool: &Arc<Spool>,
    more: &Notify,
    pauses: Pauses,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut pause = pauses.first;
    let mut told = false;
    loop {
        let wait = match deliver_what_waits(sink, spool).await {
            Ok(Delivered { stopped: None, .. }) => {
                if told {
                    tracing::info!(folder = %spool.folder().display(), "the sink takes batches again");
                }
                (pause, told) = (pauses.first, false);
                None
            }
            Ok(Delivered { stopped: Some(error), taken, .. }) => {
                if !told {
                    tracing::warn!(%error, folder = %spool.folder().display(), "the sink takes nothing; batches wait in the spool");
                    told = true;
                }
                if taken > 0 {
                    pause = pauses.first;
                }
                Some(pause)
            }
            Err(error) => {
                tracing::error!(%error, "the spool cannot be read");
                Some(pauses.longest)
            }
        };
        match wait {
            None => select! {
                () = more.notified() => {}
                // Another process may have appended.
                () = sleep(pauses.longest) => {}
                () = &mut stop => return,
            },
            Some(wait) => {
                select! {
                    () = sleep(wait) => {}
                    () = &mut stop => return,
                }
                pause = (wait * 2).min(pauses.longest);
            }
        }
    }
}

/// Runs work on the spool's files beside the runtime.
async fn beside<T: Send + 'static>(
    spool: &Arc<Spool>,
    work: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    let spool = Arc::clone(spool);
    let folder = spool.folder().to_owned();
    let done = tokio::task::spawn_blocking(move || work(&spool)).await;
    done.unwrap_or_else(|_| Err(SpoolError::Io(folder, std::io::Error::other("the work was broken off"))))
}
