//! Runs engines: definitions, private clones and the control repository, the sandbox, process groups, and the way of an agent's work back
//! to the forge. It carries out one order at a time for its caller and decides nothing about what is to be done.
//!
//! The way of an attempt: `host` takes the order, `control` fetches the branches, `workspace` makes the clone, `sandbox` and `launch`
//! run the engine, `collect` brings out what it made, `inspect` looks at it, `publish` pushes it. Jobs of manifests go the same way
//! step by step, in `job`.

mod acp;
mod attempt;
mod bring_in;
mod builtin;
mod check;
mod collect;
mod control;
mod definition;
mod doctor;
mod git;
mod halt;
mod holder;
mod host;
mod inspect;
mod job;
mod launch;
mod leftovers;
mod locks;
mod network;
mod procs;
mod programs;
mod publish;
mod remote;
mod resolve;
mod review;
mod room;
mod sandbox;
mod session;
mod spares;
mod stops;
mod tidy;
mod usage;
mod workspace;

pub use builtin::engines as builtin_engines;
pub use definition::{
    DefinitionError, EngineDefinition, EngineSettings, Network, PromptVia, Unattended, engines,
};
pub use doctor::{Diagnosis, EngineFound, Found};
pub use holder::{ThisHost, holder, holder_in};
pub use host::{EngineHost, EngineHostConfig, HostError, RepositorySetup};
pub use launch::LogReader;
pub use leftovers::Reaped;
pub use remote::{AskCredential, BadUrl, Credential, HttpsRemote, NoCredential, Remote, RemoteUrl};
pub use sandbox::{Limits, Offered, SandboxPolicy};
pub use usage::{Limited, UsageFormat, UsageReader};
