//! `/healthz` and `/readyz` (O3): whether the process lives, and whether it takes work.

use axum::{Router, http::StatusCode, routing::get};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether the process takes work. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Every part has begun.
    pub(super) fn begun(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// It drains.
    pub(super) fn ending(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn status(&self) -> (StatusCode, &'static str) {
        if self.0.load(Ordering::Acquire) {
            (StatusCode::OK, "ready\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}

/// The two paths.
pub(super) fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(async move || readiness.status()))
}
