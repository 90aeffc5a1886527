//! The embedded tracker: the items API of 20-tracker.md over the port [`ItemBook`]. A bearer token is always needed, the `Host` has to be
//! ours, bodies and patience are limited. Text of items goes in and out and nowhere else; nothing of it is logged.

mod gate;
mod listen;
mod routes;
mod token;
mod wire;

pub use gate::{Gate, Hosts};
pub use listen::Listening;
pub use token::{TokenError, kept_token};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use banksman_core::port::{Clock, tracker::ItemBook};
use std::sync::Arc;

/// Largest body of a request, in bytes: a description of 1 MiB fits however it is escaped.
const LARGEST: usize = 8 * 1024 * 1024;

/// What every handler gets.
struct Shared<B, C> {
    book: B,
    clock: C,
}

/// The items API, guarded by the gate; to be served by [`Listening`] or merged into a larger router.
pub fn router<B: ItemBook + 'static, C: Clock + 'static>(book: B, clock: C, gate: Gate) -> Router {
    Router::new()
        .route("/items", get(routes::list::<B, C>).post(routes::make::<B, C>))
        .route("/items/{id}", get(routes::show::<B, C>).patch(routes::change::<B, C>))
        .route("/items/{id}/comments", post(routes::comment::<B, C>))
        .fallback(routes::nowhere)
        .method_not_allowed_fallback(routes::not_this_way)
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(Arc::new(gate), gate::guard))
        .with_state(Arc::new(Shared { book, clock }))
}
