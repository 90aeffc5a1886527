//! Coalesces what waits at the same time: callers put their orders into a queue, a few tasks take all that are there and carry them
//! out together. An order that was put in is carried out even if its caller goes away.

use std::{future::Future, sync::Arc};
use tokio::{
    sync::{Mutex, mpsc},
    task::yield_now,
};

/// Orders in one batch at most.
const MOST: usize = 128;

/// A queue of orders of one kind. Its tasks end when it is dropped and the last order is carried out.
pub(super) struct Lane<O> {
    orders: mpsc::UnboundedSender<O>,
}

impl<O: Send + 'static> Lane<O> {
    /// A lane with so many batches under way at a time.
    pub(super) fn new<F, W>(at_once: usize, carry: F) -> Self
    where
        F: Fn(Vec<O>) -> W + Send + Sync + Clone + 'static,
        W: Future<Output = ()> + Send,
    {
        let (orders, waiting) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..at_once {
            let (waiting, carry) = (Arc::clone(&waiting), carry.clone());
            tokio::spawn(async move {
                loop {
                    let batch = gather(&waiting).await;
                    if batch.is_empty() {
                        return;
                    }
                    carry(batch).await;
                }
            });
        }
        Self { orders }
    }

    /// Puts an order in. Each caller waits for its answer, so that the queue is as long as there are callers.
    pub(super) fn put(&self, order: O) {
        // The tasks end after this sender only; should one have panicked, the dropped order answers by itself.
        let _ = self.orders.send(order);
    }
}

/// All orders that are there; nothing when there will be none. Callers that were answered together come back together: one breath
/// lets the others put theirs in behind the first.
async fn gather<O>(waiting: &Mutex<mpsc::UnboundedReceiver<O>>) -> Vec<O> {
    let mut batch = Vec::new();
    let mut waiting = waiting.lock().await;
    if waiting.recv_many(&mut batch, MOST).await > 0 {
        yield_now().await;
        while batch.len() < MOST
            && let Ok(order) = waiting.try_recv()
        {
            batch.push(order);
        }
    }
    batch
}
