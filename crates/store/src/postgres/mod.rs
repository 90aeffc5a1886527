//! The store on a PostgreSQL server, for a fleet: the same ports as on SQLite, the same conformance suite.
//!
//! - `address`: where the server is, how the way to it is encrypted, who asks. `tls`, `link`, `pool`: connections, each with its
//!   prepared statements. `schema`: migrations.
//! - `trial`: one write or read until it is done, refused, or the server has been away for too long.
//! - `lane`, `batches`: coalesce what waits at the same time: claims, advances and adds are carried out many in one statement.
//! - `changes`: wake-up by `NOTIFY`.
//! - `store`, `queue`: the ports. The statements stand in `tables`.
//!
//! # What a lost connection means
//!
//! Whatever had not reached the server is sent again for [`PATIENCE`]; then [`StoreError::Away`] comes back. A write whose answer was
//! lost may have happened: it is repeated too, but each function that is not the same twice looks first whether it finds its own
//! trace (a receipt, a move with its attempt and time, the number of the call), so that nothing happens twice. The functions say what
//! they look for.
//!
//! # Durability (S22)
//!
//! *Acknowledged* is `synchronous_commit = on`. *Restartable* is `off`: what was written in the last half second is undone when the
//! server itself is killed, in the order in which it was written. Claims are flushed all the same: if one was forgotten, its
//! lock would be free while its processes run (I2).
//!
//! [`StoreError::Away`]: banksman_core::port::StoreError::Away
//! [`PATIENCE`]: trial::PATIENCE

mod address;
mod batches;
mod budget;
mod changes;
mod columns;
mod error;
mod lane;
mod link;
mod pool;
mod queue;
mod schema;
mod store;
mod tables;
mod tls;
mod training;
mod trial;

pub use address::{Address, AddressError};
pub use changes::Changes;
pub use error::PgError;
pub use store::PostgresStore;
