//! One read or write until it is done: repeated while the connection is lost or another transaction is in the way.

use super::{
    error::Stop,
    pool::{Loan, Pool},
};
use banksman_core::port::StoreError;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a call waits for a server that is away: longer than a restart takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// First pause before the server is asked again; each is twice the last one.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Whether a write was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    /// Nothing of it can be there.
    First,
    /// The answer of an earlier one was lost: it may have happened.
    Again,
}

/// What is to be done after a try.
pub(super) enum Verdict<T> {
    /// It is over.
    Over(Result<T, StoreError>),
    /// Once more.
    Repeat,
}

/// The tries of one call.
pub(super) struct Trial<'p> {
    pool: &'p Pool,
    until: Instant,
    pause: Duration,
    which: Try,
}

impl<'p> Trial<'p> {
    /// Begins now.
    pub(super) fn new(pool: &'p Pool) -> Self {
        Self { pool, until: Instant::now() + PATIENCE, pause: PAUSE, which: Try::First }
    }

    /// Which try this is.
    pub(super) fn which(&self) -> Try {
        self.which
    }

    /// A connection, waited for while the server is away.
    pub(super) async fn link(&mut self) -> Result<Loan<'p>, StoreError> {
        loop {
            match self.pool.take().await {
                Ok(loan) => return Ok(loan),
                Err(Stop::Lost) => self.rest().await?,
                Err(stop) => return Err(stop.into()),
            }
        }
    }

    /// Looks at how a try went.
    pub(super) async fn judge<T>(&mut self, result: Result<T, Stop>) -> Verdict<T> {
        match result {
            Ok(value) => Verdict::Over(Ok(value)),
            Err(Stop::Lost) => {
                self.which = Try::Again;
                self.pool.forget_idle();
                self.rest_or_end().await
            }
            Err(Stop::Undone) => self.rest_or_end().await,
            Err(stop) => Verdict::Over(Err(stop.into())),
        }
    }

    async fn rest_or_end<T>(&mut self) -> Verdict<T> {
        match self.rest().await {
            Ok(()) => Verdict::Repeat,
            Err(error) => Verdict::Over(Err(error)),
        }
    }

    async fn rest(&mut self) -> Result<(), StoreError> {
        if Instant::now() + self.pause > self.until {
            return Err(StoreError::Away);
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Reads: the block gets a connection and answers `Result<_, Stop>`.
macro_rules! read {
    ($pool:expr, |$link:ident| $body:expr) => {{
        let mut trial = $crate::postgres::trial::Trial::new($pool);
        loop {
            let loan = trial.link().await?;
            let $link: &$crate::postgres::link::Link = &loan;
            let result: Result<_, $crate::postgres::error::Stop> = $body.await;
            drop(loan);
            if let $crate::postgres::trial::Verdict::Over(result) = trial.judge(result).await {
                break result;
            }
        }
    }};
}

/// Writes in one transaction: the block gets it and which try this is, and answers `Result<_, Stop>`. An error undoes everything.
/// Begins with a pool, or goes on with a trial.
macro_rules! transact {
    (on $trial:expr, $durability:expr, |$tx:ident, $which:ident| $body:expr) => {{
        let trial: &mut $crate::postgres::trial::Trial<'_> = $trial;
        loop {
            let loan = trial.link().await?;
            let $which = trial.which();
            let result: Result<_, $crate::postgres::error::Stop> = async {
                let $tx = loan.begin($durability).await?;
                match $body.await {
                    Ok(value) => $tx.commit().await.map(|()| value),
                    Err(stop) => {
                        if !matches!(stop, $crate::postgres::error::Stop::Lost) {
                            $tx.undo().await?;
                        }
                        Err(stop)
                    }
                }
            }
            .await;
            drop(loan);
            if let $crate::postgres::trial::Verdict::Over(result) = trial.judge(result).await {
                break result;
            }
        }
    }};
    ($pool:expr, $durability:expr, |$tx:ident, $which:ident| $body:expr) => {
        transact!(on &mut $crate::postgres::trial::Trial::new($pool), $durability, |$tx, $which| $body)
    };
}

pub(super) use {read, transact};
