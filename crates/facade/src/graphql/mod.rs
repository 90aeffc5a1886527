//! The GraphQL side. `schema.graphql` says what there is; `schema` builds the executable schema from that file; every field is
//! answered by the thing that it is asked of (`thing`), most of which is put together only when somebody asks for it.

mod branch;
mod checks;
mod commit;
mod connection;
mod cost;
mod issue;
mod mutation;
mod pull;
mod query;
mod records;
mod repository;
mod review;
mod route;
mod schema;
mod thing;
mod unions;

pub use schema::{SchemaError, sdl};

pub(crate) use pull::decision;
pub(crate) use records::escape;
pub(crate) use review::opinion;
pub(crate) use route::routes;
pub(crate) use schema::{Executable, schema};
