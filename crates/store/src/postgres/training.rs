//! The port of training data on PostgreSQL. A batch is one transaction; it is the same when it is done twice.

use super::{
    link::Durability::Acknowledged,
    store::PostgresStore,
    tables::training,
    trial::{read, transact},
};
use banksman_core::{
    port::{
        StoreError, Training,
        training::{PointCounts, PointQuery},
    },
    training::Point,
};

impl Training for PostgresStore {
    async fn record_points(&self, points: Vec<Point>) -> Result<(), StoreError> {
        let batch = training::Batch::of(&points);
        transact!(&self.0.pool, Acknowledged, |tx, _which| training::record(&tx, &batch))
    }

    async fn points(&self, query: &PointQuery) -> Result<Vec<Point>, StoreError> {
        read!(&self.0.pool, |db| training::page(db, query))
    }

    async fn point_counts(&self) -> Result<PointCounts, StoreError> {
        read!(&self.0.pool, |db| training::counts(db))
    }
}
