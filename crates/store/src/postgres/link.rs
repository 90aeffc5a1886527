//! One connection with its prepared statements, and a transaction on it.

use super::error::Stop;
use futures_util::future::join_all;
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Row, Statement, types::ToSql};

/// Values of a statement.
pub(super) type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// What a write survives (S22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Loss of power: the server has flushed its log before it answers.
    Acknowledged,
    /// Death of every process of ours. A server that is killed forgets the last half second.
    Restartable,
}

impl Durability {
    fn begin(self) -> &'static str {
        match self {
            Self::Acknowledged => "BEGIN",
            Self::Restartable => "BEGIN; SET LOCAL synchronous_commit TO OFF",
        }
    }
}

/// A connection. Dropping it closes it, and the server undoes what was not committed.
pub(super) struct Link {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// A transaction was left open on it: not to be used again.
    spoiled: AtomicBool,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Over an open connection; `task` moves its bytes.
    pub(super) fn new(client: Client, task: JoinHandle<()>) -> Self {
        Self { client, statements: Mutex::default(), spoiled: AtomicBool::new(false), task }
    }

    /// Whether it may be used again.
    pub(super) fn is_sound(&self) -> bool {
        !self.client.is_closed() && !self.spoiled.load(Ordering::Relaxed)
    }

    /// Statements without values, in one round trip.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Stop> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// A prepared statement; made at its first use on this connection.
    pub(super) async fn statement(&self, sql: &'static str) -> Result<Statement, Stop> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    /// All rows.
    pub(super) async fn rows(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, Stop> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// The row, if there is one.
    pub(super) async fn maybe(&self, sql: &'static str, values: Values<'_>) -> Result<Option<Row>, Stop> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The row that is always there.
    pub(super) async fn one(&self, sql: &'static str, values: Values<'_>) -> Result<Row, Stop> {
        self.maybe(sql, values).await?.ok_or(Stop::Shape("no row"))
    }

    /// How many rows it changed.
    pub(super) async fn run(&self, sql: &'static str, values: Values<'_>) -> Result<u64, Stop> {
        let statement = self.statement(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, durability: Durability) -> Result<Tx<'_>, Stop> {
        let tx = Tx { link: self, open: true };
        self.batch(durability.begin()).await?;
        Ok(tx)
    }

    /// Statements as a transaction of their own, in one round trip; the rows of each.
    pub(super) async fn together<const N: usize>(
        &self,
        durability: Durability,
        statements: [(&'static str, Values<'_>); N],
    ) -> Result<[Vec<Row>; N], Stop> {
        let mut prepared = Vec::with_capacity(N);
        for (sql, values) in statements {
            prepared.push((self.statement(sql).await?, values));
        }
        // Until the end of the transaction is certain the connection is not to be used again.
        let mut tx = Tx { link: self, open: true };
        // Polled in this order for the first time, so sent in this order. When one fails, the commit undoes all.
        let queries = prepared.iter().map(|(statement, values)| self.client.query(statement, values));
        let (begun, rows, ended) = tokio::join!(
            biased;
            async {
                match (durability, N) {
                    // A statement alone is a transaction, flushed as the session says.
                    (Durability::Acknowledged, 1) => Ok(()),
                    _ => self.client.batch_execute(durability.begin()).await,
                }
            },
            join_all(queries),
            async {
                match (durability, N) {
                    (Durability::Acknowledged, 1) => Ok(()),
                    _ => self.client.batch_execute("COMMIT").await,
                }
            },
        );
        tx.open = ended.is_err();
        begun?;
        let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
        ended?;
        rows.try_into().map_err(|_| Stop::Shape("as many answers as statements"))
    }
}

/// An open transaction; statements go through the connection that it is. Dropped without an end it spoils the connection, which is
/// closed then, and the server undoes.
pub(super) struct Tx<'l> {
    link: &'l Link,
    open: bool,
}

impl Tx<'_> {
    /// Keeps what it wrote. Answered after the commit.
    pub(super) async fn commit(mut self) -> Result<(), Stop> {
        self.link.batch("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    /// Undoes what it wrote.
    pub(super) async fn undo(mut self) -> Result<(), Stop> {
        self.link.batch("ROLLBACK").await?;
        self.open = false;
        Ok(())
    }
}

impl Deref for Tx<'_> {
    type Target = Link;
    fn deref(&self) -> &Link {
        self.link
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.open {
            self.link.spoiled.store(true, Ordering::Relaxed);
        }
    }
}
