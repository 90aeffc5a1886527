//! What happens when a store is opened: many at once, a newer schema, a server that is not there, a wrong password.

use crate::server::{block_on, fresh, open, url};
use banksman_core::port::{Budget, LedgerState, Queue, Store};
use banksman_store::{
    conformance::samples::*,
    postgres::{Address, PgError, PostgresStore},
};
use futures_util::future::join_all;
use secrecy::SecretString;

#[test]
fn many_open_a_new_schema_at_once() {
    block_on(async {
        let address = fresh();
        let stores = join_all((0..8).map(|_| PostgresStore::open(&address))).await;
        for store in stores {
            assert_eq!(store.unwrap().counts().await.unwrap().inbox, 0);
        }
    });
}

#[test]
fn two_schemas_of_one_database_do_not_see_each_other() {
    block_on(async {
        let (first, second) = (open().await, open().await);
        lease(&*first).await;
        assert_eq!(first.repos().await.unwrap(), [repo()]);
        assert_eq!(second.repos().await.unwrap(), []);
    });
}

#[test]
fn a_newer_schema_is_refused() {
    block_on(async {
        let address = fresh();
        drop(PostgresStore::open(&address).await.unwrap());
        let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls).await.unwrap();
        let task = tokio::spawn(connection);
        let sql = format!("UPDATE {}.schema_version SET version = 999", address.schema());
        client.batch_execute(&sql).await.unwrap();
        drop(client);
        task.await.unwrap().unwrap();
        let refused = PostgresStore::open(&address).await.map(drop).unwrap_err();
        assert!(matches!(refused, PgError::Newer { found: 999, .. }), "{refused}");
    });
}

#[test]
fn a_server_that_is_not_there_is_named() {
    block_on(async {
        // Nobody listens on port 1.
        let address = Address::parse("postgres://me:canary@127.0.0.1:1/db").unwrap();
        let error = PostgresStore::open(&address).await.map(drop).unwrap_err();
        assert!(matches!(error, PgError::Unreachable { .. }), "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("127.0.0.1:1") && !text.contains("canary"), "{text}");
    });
}

#[test]
fn a_wrong_password_is_refused_at_once_and_not_repeated() {
    block_on(async {
        // The server of this machine asks for one; a server that was named to us may not.
        let url = url();
        let Some((before, rest)) = url.split_once(":test@") else { return };
        let bare = Address::parse(&format!("{before}@{rest}")).unwrap();
        let wrong = bare.clone().with_password(&SecretString::from("canary"));
        let error = PostgresStore::open(&wrong).await.map(drop).unwrap_err();
        assert!(matches!(error, PgError::Refused { .. }), "{error}");
        assert!(!format!("{error} {error:?} {wrong:?}").contains("canary"));
        let schema = fresh().schema().to_owned();
        let right = Address::parse(&format!("{before}@{rest}?schema={schema}")).unwrap();
        PostgresStore::open(&right.with_password(&SecretString::from("test"))).await.unwrap();
    });
}

#[test]
fn encryption_that_the_server_does_not_have_is_not_done_without() {
    block_on(async {
        let address = Address::parse(&format!("{}?sslmode=require", url())).unwrap();
        let error = PostgresStore::open(&address).await.map(drop).unwrap_err();
        assert!(matches!(error, PgError::Refused { .. } | PgError::Tls(_)), "{error}");
    });
}

#[test]
fn a_ledger_of_the_first_schema_is_kept() {
    block_on(async {
        let address = fresh();
        let (client, connection) = tokio_postgres::connect(&url(), tokio_postgres::NoTls).await.unwrap();
        let task = tokio::spawn(connection);
        let schema = address.schema();
        client.batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path TO {schema}")).await.unwrap();
        client.batch_execute(include_str!("../../migrations/postgres/0001.sql")).await.unwrap();
        let rows =
            "CREATE TABLE schema_version (version integer NOT NULL); INSERT INTO schema_version VALUES (1);
            INSERT INTO lease VALUES ('acme/shop', 'a', 1, 0);
            INSERT INTO intent (repo, key, subject, deed, created_at, state, ended_at)
                VALUES ('acme/shop', 'dispatch:4', 4, '{}', 7, 'done', 8);
            INSERT INTO ledger SELECT id, 7, repo, 4, 'claude', 1, 3, 'settled' FROM intent";
        client.batch_execute(rows).await.unwrap();
        drop(client);
        task.await.unwrap().unwrap();
        let store = PostgresStore::open(&address).await.unwrap();
        let entries = store.ledger_between(jiff::Timestamp::UNIX_EPOCH, at(0)).await.unwrap();
        assert_eq!(entries.len(), 1);
        let entry = &entries[0];
        assert_eq!((entry.cost, entry.provider.as_str(), entry.epic.map(|e| e.0)), (3, "claude", Some(1)));
        assert_eq!((entry.state, &entry.member), (LedgerState::Settled, &None));
    });
}
