//! All sinks of a process: what is recorded goes into the spool of each, and from there to the sink. Whoever records waits for neither.

use crate::{
    delivery::{Delivered, Pauses, deliver, deliver_what_waits},
    files::{JsonFile, LineFile},
    influx::{BadInflux, Influx, InfluxSettings},
    spool::{Spool, SpoolError},
};
use banksman_core::{
    port::training::{Outlet, Sink, SinkError},
    training::Point,
};
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};
use tokio::sync::{Notify, oneshot, watch};

/// Batches that wait to be spooled at most; more only come while the disk does not answer.
const IN_HAND: usize = 4_096;
/// Pause before batches that could not be spooled are tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// Points that are held in memory while the disk is full; the oldest go first. They stand in the store all the same.
const HELD: usize = 200_000;

/// One sink.
#[derive(Debug, Clone)]
pub enum SinkKind {
    /// InfluxDB 2.
    Influx(InfluxSettings),
    /// A file of line protocol.
    Lines(PathBuf),
    /// A file of JSON lines.
    Json(PathBuf),
}

/// A sink with the name of its spool.
#[derive(Debug, Clone)]
pub struct SinkSettings {
    /// What it is called; name of its folder.
    pub name: &'static str,
    /// Which.
    pub kind: SinkKind,
}

/// A sink that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SinkOpenError {
    /// InfluxDB is not configured as it must be.
    #[error(transparent)]
    Influx(#[from] BadInflux),
    /// Its spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// No thread could be started.
    #[error("no thread can be started")]
    Thread(#[source] std::io::Error),
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub name: &'static str,
    /// Bytes that wait for it.
    pub waiting: u64,
    /// What came of a delivery; `None`: another process delivers.
    pub delivered: Option<Delivered>,
}

/// A sink of any kind.
enum AnySink {
    Influx(Box<Influx>),
    Lines(LineFile),
    Json(JsonFile),
}

impl Sink for AnySink {
    async fn write(&self, points: &[Point]) -> Result<(), SinkError> {
        match self {
            Self::Influx(sink) => sink.write(points).await,
            Self::Lines(sink) => sink.write(points).await,
            Self::Json(sink) => sink.write(points).await,
        }
    }
}

/// One sink with what belongs to it.
struct Way {
    name: &'static str,
    sink: AnySink,
    spool: Arc<Spool>,
    more: Notify,
}

/// What the thread that spools is asked for.
enum Order {
    Spool(Vec<Point>),
    /// To answer when everything before it is on the disk, or why not.
    Flush(oneshot::Sender<Result<(), SpoolError>>),
}

/// The sinks of a process. Cheap to clone; when the last one goes, what was recorded is on the disk.
#[derive(Clone)]
pub struct Sinks(Arc<Open>);

struct Open {
    ways: Arc<Vec<Way>>,
    orders: Option<mpsc::SyncSender<Order>>,
    spooler: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Sinks {
    /// Opens sinks with their spools below `folder`; `most` bytes may wait for each. Sends nothing yet.
    pub fn open(settings: Vec<SinkSettings>, folder: &Path, most: u64) -> Result<Self, SinkOpenError> {
        let mut ways = Vec::with_capacity(settings.len());
        for SinkSettings { name, kind } in settings {
            let sink = match kind {
                SinkKind::Influx(settings) => AnySink::Influx(Box::new(Influx::open(&settings)?)),
                SinkKind::Lines(path) => AnySink::Lines(LineFile::new(&path)),
                SinkKind::Json(path) => AnySink::Json(JsonFile::new(&path)),
            };
            let spool = Arc::new(Spool::open(&folder.join(name), most)?);
            ways.push(Way { name, sink, spool, more: Notify::new() });
        }
        let ways = Arc::new(ways);
        if ways.is_empty() {
            return Ok(Self(Arc::new(Open { ways, orders: None, spooler: Mutex::default() })));
        }
        let (orders, waiting) = mpsc::sync_channel(IN_HAND);
        let own = Arc::clone(&ways);
        let spooler = thread::Builder::new()
            .name("spooler".to_owned())
            .spawn(move || spool(&own, &waiting))
            .map_err(SinkOpenError::Thread)?;
        Ok(Self(Arc::new(Open { ways, orders: Some(orders), spooler: Mutex::new(Some(spooler)) })))
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.0.ways.is_empty()
    }

    /// Returns when all that was recorded before is on the disk of every spool, or says why it is not.
    pub async fn flush(&self) -> Result<(), SpoolError> {
        let Some(orders) = self.0.orders.clone() else { return Ok(()) };
        let (done, flushed) = oneshot::channel();
        // The channel may be full for a moment.
        let sent = tokio::task::spawn_blocking(move || orders.send(Order::Flush(done))).await;
        match (sent, flushed.await) {
            (Ok(Ok(())), Ok(result)) => result,
            _ => Err(SpoolError::Io(PathBuf::new(), std::io::Error::other("the spooler has ended"))),
        }
    }

    /// Delivers to all sinks until stopped, this process alone; where another one delivers it is left to that one.
    pub async fn deliver_until(&self, pauses: Pauses, stop: impl Future<Output = ()>) {
        let (ending, ended) = watch::channel(());
        let mut tasks = tokio::task::JoinSet::new();
        for index in 0..self.0.ways.len() {
            let (own, mut ended) = (self.clone(), ended.clone());
            tasks.spawn(async move {
                let Some(way) = own.0.ways.get(index) else { return };
                let stop = async {
                    // The sender only ever goes away.
                    while ended.changed().await.is_ok() {}
                };
                let _right = match way.spool.deliverer() {
                    Ok(Some(right)) => right,
                    Ok(None) => {
                        tracing::info!(sink = way.name, "another process delivers to the sink");
                        return;
                    }
                    Err(error) => {
                        tracing::error!(sink = way.name, %error, "the spool cannot be used");
                        return;
                    }
                };
                deliver(&way.sink, &way.spool, &way.more, pauses, stop).await;
            });
        }
        drop(ended);
        stop.await;
        drop(ending);
        while tasks.join_next().await.is_some() {}
    }

    /// Delivers what waits now, once, and tells how each sink stands.
    pub async fn deliver_once(&self) -> Result<Vec<Standing>, SpoolError> {
        self.flush().await?;
        let mut all = Vec::with_capacity(self.0.ways.len());
        for way in self.0.ways.iter() {
            let delivered = match way.spool.deliverer()? {
                Some(_right) => Some(deliver_what_waits(&way.sink, &way.spool).await?),
                None => None,
            };
            all.push(Standing { name: way.name, waiting: way.spool.waiting()?, delivered });
        }
        Ok(all)
    }
}

impl Outlet for Sinks {
    fn recorded(&self, points: &[Point]) {
        let Some(orders) = &self.0.orders else { return };
        if !points.is_empty() && orders.try_send(Order::Spool(points.to_vec())).is_err() {
            tracing::error!(
                points = points.len(),
                "the spool does not keep up; these points are in the store alone"
            );
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.orders.take());
        let spooler = self.spooler.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if spooler.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the spooler panicked");
        }
    }
}

/// The thread that spools: what waits together is flushed together.
fn spool(ways: &[Way], orders: &mpsc::Receiver<Order>) {
    // What each spool has not taken yet, oldest first.
    let mut held: Vec<Vec<Vec<Point>>> = ways.iter().map(|_| Vec::new()).collect();
    loop {
        let behind = held.iter().any(|batches| !batches.is_empty());
        let next = if behind {
            orders.recv_timeout(AGAIN)
        } else {
            orders.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected)
        };
        let mut flushes = Vec::new();
        let mut next = match next {
            Ok(order) => Some(order),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        };
        while let Some(order) = next {
            match order {
                Order::Spool(points) => held.iter_mut().for_each(|batches| batches.push(points.clone())),
                Order::Flush(done) => flushes.push(done),
            }
            next = orders.try_recv().ok();
        }
        let result = append_all(ways, &mut held);
        for done in flushes {
            // Whoever asked may have gone.
            let _ = done.send(match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(error.again()),
            });
        }
    }
}

/// Appends what each spool has not taken; the first failure.
fn append_all(ways: &[Way], held: &mut [Vec<Vec<Point>>]) -> Result<(), SpoolError> {
    let mut result = Ok(());
    for (way, batches) in ways.iter().zip(held) {
        if batches.is_empty() {
            continue;
        }
        let refs: Vec<&[Point]> = batches.iter().map(Vec::as_slice).collect();
        match way.spool.append(&refs) {
            Ok(()) => {
                batches.clear();
                way.more.notify_one();
            }
            Err(error) => {
                tracing::error!(sink = way.name, %error, "batches cannot be spooled; they are held in memory");
                let mut points: usize = batches.iter().map(Vec::len).sum();
                while points > HELD && batches.len() > 1 {
                    points -= batches.remove(0).len();
                    tracing::error!(sink = way.name, "a batch is let go; it is in the store alone");
                }
                result = result.and(Err(error));
            }
        }
    }
    result
}
