//! What Banksman knows, without I/O, clock or randomness: the words of the domain, the policy, the parsers
//! and the ports through which everything else is reached.
pub mod audit;
pub mod benchmark;
pub mod budget;
pub mod epic;
pub mod event;
pub mod id;
pub mod insights;
pub mod intent;
pub mod job;
pub mod journal;
pub mod manifest;
pub mod policy;
pub mod port;
pub mod repo;
pub mod say;
pub mod signals;
pub mod tainted;
pub mod text;
pub mod training;
pub mod work;
