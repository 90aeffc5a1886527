//! The store on a PostgreSQL server: the suite that every store passes, and what only shows from outside.
//!
//! The server is the one that `BANKSMAN_TEST_POSTGRES` names, else one of this machine's own that is shared by all tests of a run
//! (see `measure/postgres.sh`). Without PostgreSQL's programs the tests say that they were left out; with `CI` set they fail.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conformance;
mod opening;
mod outages;
mod server;
mod waking;
