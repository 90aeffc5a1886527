//! By structure alone (S1 to S4): what the GitHub client asks for, what it hands out, and what it reads of webhooks, held against what GitHub
//! publishes. The material is installed by `measure/conformance.sh npm`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allow;
mod documents;
mod material;
mod strings;
mod webhooks;
