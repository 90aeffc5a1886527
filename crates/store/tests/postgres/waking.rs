//! Wake-up: a change is heard in this process and in others, and again after the connection that listens was lost.

use crate::server::{block_on, fresh, url};
use banksman_core::port::Queue;
use banksman_store::{
    conformance::{job_samples::*, samples::*},
    postgres::PostgresStore,
};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Well under the time after which a waiter looks by itself.
const SOON: Duration = Duration::from_secs(2);

async fn add_one(store: &PostgresStore, name: &str) {
    store.add(vec![new_job(name, spec())], &holder(1), at(0)).await.unwrap();
}

#[test]
fn a_change_is_heard_here_and_elsewhere() {
    block_on(async {
        let address = fresh();
        let here = PostgresStore::open(&address).await.unwrap();
        let elsewhere = PostgresStore::open(&address).await.unwrap();
        let (mut near, mut far) = (here.changes(), elsewhere.changes());
        let start = Instant::now();
        add_one(&here, "one").await;
        timeout(SOON, near.next()).await.unwrap();
        timeout(SOON, far.next()).await.unwrap();
        eprintln!("heard elsewhere after {:?}", start.elapsed());
        // A claim is no news.
        elsewhere.claim(&holder(2), &offer(), at(1), TTL).await.unwrap().unwrap();
        assert!(timeout(Duration::from_millis(300), near.next()).await.is_err());
    });
}

#[test]
fn a_change_is_heard_after_the_connections_were_cut() {
    block_on(async {
        let address = fresh();
        let here = PostgresStore::open(&address).await.unwrap();
        let elsewhere = PostgresStore::open(&address).await.unwrap();
        let mut far = elsewhere.changes();
        cut(address.schema()).await;
        // Whoever listens again has to look: something may have happened meanwhile.
        timeout(SOON, far.next()).await.unwrap();
        add_one(&here, "one").await;
        timeout(SOON, far.next()).await.unwrap();
        assert_eq!(elsewhere.counts().await.unwrap().inbox, 1);
    });
}

/// Ends all connections that use a schema, as an administrator or a broken network would.
async fn cut(schema: &str) {
    let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls).await.unwrap();
    let task = tokio::spawn(connection);
    let cut = client
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid() AND query LIKE '%' || $1 || '%'",
            &[&schema],
        )
        .await
        .unwrap();
    assert!(cut >= 2, "both connections that listen: {cut}");
    drop(client);
    task.await.unwrap().unwrap();
}
