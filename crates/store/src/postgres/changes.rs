//! Wake-up: tells that somebody committed, in this process at once, in others by `NOTIFY`.
//!
//! The notification is sent after the commit, by a connection of its own: inside the transaction it would make the server commit
//! one by one. Should a process die between the two, the others look after [`LOOK`].

use super::{address::Address, columns::Columns, error::Stop, link::Link, pool::Pool};
use std::{sync::Arc, time::Duration};
use tokio::{
    select,
    sync::{Notify, oneshot, watch},
    task::JoinHandle,
    time,
};
use tokio_postgres::AsyncMessage;

/// How long a waiter goes without looking by itself.
const LOOK: Duration = Duration::from_secs(5);
/// Pause before the connection is made again.
const PAUSE: Duration = Duration::from_millis(250);

/// Rings for commits of this process and hears those of others. Connects again by itself.
pub(super) struct Bell {
    changed: Arc<watch::Sender<u64>>,
    ring: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bell {
    /// Begins to listen; answers when it does, or when the server could not be asked just now.
    pub(super) async fn hang(pool: Arc<Pool>) -> Arc<Self> {
        let (changed, ring) = (Arc::new(watch::Sender::new(0)), Arc::new(Notify::new()));
        let (ready, listening) = oneshot::channel();
        let task = tokio::spawn(listen(pool, Arc::clone(&changed), Arc::clone(&ring), ready));
        let _ = listening.await;
        Arc::new(Self { changed, ring, task })
    }

    /// Something was committed that somebody may wait for.
    pub(super) fn ring(&self) {
        bump(&self.changed);
        self.ring.notify_one();
    }

    /// A stream of wake-ups that begins now.
    pub(super) fn changes(self: &Arc<Self>) -> Changes {
        let mut seen = self.changed.subscribe();
        seen.mark_unchanged();
        Changes { seen, _bell: Arc::clone(self) }
    }
}

fn bump(changed: &watch::Sender<u64>) {
    changed.send_modify(|count| *count += 1);
}

/// A place in the stream of commits. Waking is a hint: it may come for a commit that does not matter to the waiter, and comes each few
/// seconds for none at all.
pub struct Changes {
    seen: watch::Receiver<u64>,
    _bell: Arc<Bell>,
}

impl Changes {
    /// Returns when something was committed since the last call (or since the value was made). Can be dropped at any time without
    /// losing a change, so a deadline is a `select!` beside it.
    pub async fn next(&mut self) {
        select! {
            // The sender lives in the bell that this value keeps.
            _ = self.seen.changed() => {}
            () = time::sleep(LOOK) => {}
        }
    }
}

async fn listen(
    pool: Arc<Pool>,
    changed: Arc<watch::Sender<u64>>,
    ring: Arc<Notify>,
    ready: oneshot::Sender<()>,
) {
    let mut ready = Some(ready);
    loop {
        if let Ok((link, closed)) = subscribe(&pool, &changed).await {
            // Whatever happened while nobody listened.
            if ready.is_none() {
                bump(&changed);
            }
            if let Some(ready) = ready.take() {
                let _ = ready.send(());
            }
            pass_on(&link, pool.address(), &ring, closed).await;
            tracing::debug!("the connection that listens is lost");
        }
        drop(ready.take());
        time::sleep(PAUSE).await;
    }
}

/// Rings until the connection is lost.
async fn pass_on(link: &Link, address: &Address, ring: &Notify, mut closed: oneshot::Receiver<()>) {
    let sql = format!("NOTIFY {}", channel(address));
    loop {
        select! {
            () = ring.notified() => if link.batch(&sql).await.is_err() { return },
            _ = &mut closed => return,
        }
    }
}

/// A connection that hears; the receiver ends with it.
async fn subscribe(
    pool: &Pool,
    changed: &Arc<watch::Sender<u64>>,
) -> Result<(Link, oneshot::Receiver<()>), Stop> {
    let (own, heard) = (Arc::new(std::sync::OnceLock::new()), Arc::clone(changed));
    let (alive, closed) = oneshot::channel::<()>();
    let myself = Arc::clone(&own);
    let hear = move |message| {
        let _lives_as_long = &alive;
        if let AsyncMessage::Notification(note) = message
            && myself.get() != Some(&note.process_id())
        {
            bump(&heard);
        }
    };
    let link = pool.listen(hear).await.map_err(|_| Stop::Lost)?;
    let process = link.one("SELECT pg_backend_pid()", &[]).await?.col::<i32>(0)?;
    let _ = own.set(process);
    link.batch(&format!("LISTEN {}", channel(pool.address()))).await?;
    Ok((link, closed))
}

/// One channel for each schema; channels are told apart by database already.
fn channel(address: &Address) -> String {
    format!("banksman_{}", address.schema())
}
