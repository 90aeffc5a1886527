//! The GitHub client: the port over GraphQL and REST, by structure alone (S1 to S10).

pub mod transport;
