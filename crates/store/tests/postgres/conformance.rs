//! PostgreSQL passes the suite that every store passes.

use crate::server::{block_on, open};

banksman_store::store_conformance!(open, block_on);
banksman_store::training_conformance!(open, block_on);
