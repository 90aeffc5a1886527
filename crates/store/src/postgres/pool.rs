//! A few connections that are lent out one call at a time. Made when they are needed, kept for the next one.

use super::{
    address::Address,
    error::{self, PgError, Stop},
    link::Link,
    tls::Connector,
};
use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{AsyncMessage, Client, Connection, Socket, tls::MakeTlsConnect};

/// Connections at one time; more calls wait. A fleet of ten hosts stays inside a server's usual hundred.
const AT_ONCE: usize = 9;

/// Connections to one server.
pub(super) struct Pool {
    address: Address,
    connector: Connector,
    idle: Mutex<Vec<Link>>,
    room: Semaphore,
}

/// A connection of the pool; goes back when it is dropped, unless it broke.
pub(super) struct Loan<'p> {
    link: Option<Link>,
    pool: &'p Pool,
    _permit: Option<SemaphorePermit<'p>>,
}

impl Pool {
    /// Connects nowhere yet.
    pub(super) fn new(address: Address) -> Result<Self, PgError> {
        let connector = Connector::new(&address)?;
        Ok(Self { address, connector, idle: Mutex::default(), room: Semaphore::new(AT_ONCE) })
    }

    /// Where the server is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// A connection; waits for one to come back when all are out. `Lost` when the server does not answer.
    pub(super) async fn take(&self) -> Result<Loan<'_>, Stop> {
        // The semaphore is never closed; without a permit there would only be one connection more.
        let permit = self.room.acquire().await.ok();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let link = match idle.filter(Link::is_sound) {
            Some(link) => link,
            None => self.connect().await.map_err(|error| match error {
                PgError::Unreachable { .. } => Stop::Lost,
                other => Stop::Failed(other.to_string()),
            })?,
        };
        Ok(Loan { link: Some(link), pool: self, _permit: permit })
    }

    /// Closes the connections that nobody uses: after one broke, the others are likely to be broken.
    pub(super) fn forget_idle(&self) {
        let old = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(old);
    }

    /// A new connection, set up.
    pub(super) async fn connect(&self) -> Result<Link, PgError> {
        let (client, connection) = self.dial().await?;
        let task = tokio::spawn(async move {
            // The error comes to whoever waits for an answer.
            let _ = connection.await;
        });
        let link = Link::new(client, task);
        self.set_up(&link).await?;
        Ok(link)
    }

    /// A new connection that hands over what the server says unasked.
    pub(super) async fn listen(
        &self,
        mut hear: impl FnMut(AsyncMessage) + Send + 'static,
    ) -> Result<Link, PgError> {
        let (client, mut connection) = self.dial().await?;
        let task = tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                hear(message);
            }
        });
        let link = Link::new(client, task);
        self.set_up(&link).await?;
        Ok(link)
    }

    async fn dial(
        &self,
    ) -> Result<(Client, Connection<Socket, <Connector as MakeTlsConnect<Socket>>::Stream>), PgError> {
        let dialled = self.address.config().connect(self.connector.clone()).await;
        dialled.map_err(|error| self.refusal(&error))
    }

    /// Independent of how the server or the role is configured. Every statement but one has an index for all that it looks for, and
    /// is planned once. Without statistics, as long as tables are new and fill quickly, the planner would choose to read whole
    /// tables, so it gets no choice.
    async fn set_up(&self, link: &Link) -> Result<(), PgError> {
        let sql = format!(
            "SET search_path TO {}, pg_temp; SET default_transaction_isolation TO 'read committed';
             SET synchronous_commit TO on; SET statement_timeout TO 0; SET lock_timeout TO 0;
             SET idle_in_transaction_session_timeout TO '60s'; SET enable_seqscan TO off; SET enable_bitmapscan TO off;
             SET enable_hashjoin TO off; SET enable_mergejoin TO off; SET plan_cache_mode TO force_generic_plan;
             SET jit TO off; SET client_min_messages TO warning",
            self.address.schema()
        );
        link.batch(&sql).await.map_err(|stop| match stop {
            Stop::Failed(what) => PgError::Sql(what),
            _ => self.unreachable("the connection was closed".to_owned()),
        })
    }

    fn refusal(&self, error: &tokio_postgres::Error) -> PgError {
        match error.as_db_error() {
            Some(db) if error::ends_connection(db.code()) => self.unreachable(db.message().to_owned()),
            Some(db) => PgError::Refused { place: self.address.place(), reason: db.message().to_owned() },
            None => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(error);
                while let Some(inner) = cause {
                    text = inner.to_string();
                    cause = inner.source();
                }
                if error::is_lost(error) || text.contains("timed out") {
                    self.unreachable(text)
                } else {
                    PgError::Refused { place: self.address.place(), reason: text }
                }
            }
        }
    }

    fn unreachable(&self, reason: String) -> PgError {
        PgError::Unreachable { place: self.address.place(), reason }
    }
}

impl Deref for Loan<'_> {
    type Target = Link;
    fn deref(&self) -> &Link {
        #[expect(clippy::expect_used, reason = "taken out by drop alone")]
        self.link.as_ref().expect("a loan has its connection")
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(link) = self.link.take()
            && link.is_sound()
        {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        }
    }
}
