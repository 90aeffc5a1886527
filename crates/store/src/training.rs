//! The port of training data on SQLite. One commit a batch; nobody is woken by it.

use crate::{
    sqlite::Durability,
    store::SqliteStore,
    tables::{Stop, training},
};
use banksman_core::{
    port::{
        StoreError, Training,
        training::{PointCounts, PointQuery},
    },
    training::Point,
};

impl Training for SqliteStore {
    async fn record_points(&self, points: Vec<Point>) -> Result<(), StoreError> {
        self.write(Durability::Acknowledged, move |tx| -> Result<(), Stop> {
            tx.quiet();
            training::record(tx, &points)
        })
        .await
    }

    async fn points(&self, query: &PointQuery) -> Result<Vec<Point>, StoreError> {
        let query = query.clone();
        self.read(move |db| training::page(db, &query)).await
    }

    async fn point_counts(&self) -> Result<PointCounts, StoreError> {
        self.read(training::counts).await
    }
}
