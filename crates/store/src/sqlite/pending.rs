//! Writes that wait for the thread that writes: a closure, its result once it ran, and where its answer goes.

use super::{DbError, Tx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// A write with its type of answer forgotten.
pub(super) trait Write: Send {
    /// Runs the closure and keeps its result; whether its changes are to stay.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Whether it may be run again after what it did was undone.
    fn is_repeatable(&self) -> bool;
    /// Hands the result over, or the reason why the group was not committed.
    fn answer(self: Box<Self>, group: Result<(), DbError>);
}

/// A closure that is run once.
pub(super) struct Once<F>(Option<F>);

/// A closure that may be run again.
pub(super) struct Repeatable<F>(F);

/// What a write does.
pub(super) trait Work<T>: Send {
    /// Whether it may be done again.
    const REPEATABLE: bool;
    /// Does it; `None`: it was done before and cannot be done again.
    fn run(&mut self, tx: &Tx<'_>) -> Option<T>;
}

impl<T, F: FnOnce(&Tx<'_>) -> T + Send> Work<T> for Once<F> {
    const REPEATABLE: bool = false;
    fn run(&mut self, tx: &Tx<'_>) -> Option<T> {
        self.0.take().map(|work| work(tx))
    }
}

impl<T, F: Fn(&Tx<'_>) -> T + Send> Work<T> for Repeatable<F> {
    const REPEATABLE: bool = true;
    fn run(&mut self, tx: &Tx<'_>) -> Option<T> {
        Some((self.0)(tx))
    }
}

/// A write that waits.
pub(super) struct Pending<W, T, E> {
    work: W,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Pending<Once<F>, T, E> {
    /// A write and where its answer goes.
    pub(super) fn once(work: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Once(Some(work)), result: None, reply }
    }
}

impl<F, T, E> Pending<Repeatable<F>, T, E> {
    /// A write that may be run again, and where its answer goes.
    pub(super) fn repeatable(work: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Repeatable(work), result: None, reply }
    }
}

impl<W, T, E> Write for Pending<W, T, E>
where
    W: Work<Result<T, E>>,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // A panic must not take the thread with it: the other writes of the group are innocent.
        self.result = catch_unwind(AssertUnwindSafe(|| self.work.run(tx))).ok().flatten();
        matches!(self.result, Some(Ok(_)))
    }

    fn is_repeatable(&self) -> bool {
        W::REPEATABLE
    }

    fn answer(self: Box<Self>, group: Result<(), DbError>) {
        let result = match (self.result, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(group)) => Err(group.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(DbError::Undone.into()),
        };
        // Nobody waits any more: the caller went away. The write stands all the same.
        let _ = self.reply.send(result);
    }
}
