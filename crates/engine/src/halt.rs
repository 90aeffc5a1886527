//! Why an attempt or a check run goes no further, and which errors of the host count as what.

use crate::{
    git::{GitError, is_disk_full},
    host::ControlError,
    workspace::WorkspaceError,
};
use banksman_core::{port::EngineError, work::FailReason};
use jiff::Timestamp;
use std::io;

/// Why an attempt goes no further.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It failed.
    Failed(FailReason),
    /// The engine's quota is used up.
    Limited(Option<Timestamp>),
    /// It could not be made.
    Error(EngineError),
}

impl From<FailReason> for Halt {
    fn from(reason: FailReason) -> Self {
        Self::Failed(reason)
    }
}

impl From<EngineError> for Halt {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

impl From<GitError> for Halt {
    fn from(error: GitError) -> Self {
        if error.disk_full() {
            return Self::Failed(FailReason::DiskFull);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "git failed");
        if error.denied() {
            return Self::Error(EngineError::Host(
                "the forge does not let the token read or write the repository",
            ));
        }
        if let GitError::NoCredential = error {
            return Self::Error(EngineError::Host("there is no token for the forge's repository"));
        }
        Self::Error(EngineError::Host("git failed on the control repository (see the log)"))
    }
}

impl From<WorkspaceError> for Halt {
    fn from(error: WorkspaceError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a workspace could not be made");
        Self::Failed(error.reason())
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        if is_disk_full(&error) {
            return Self::Failed(FailReason::DiskFull);
        }
        tracing::error!(error = &error as &dyn std::error::Error, "a process of an attempt could not be run");
        Self::Error(EngineError::Host("a process could not be run (see the log)"))
    }
}

impl From<ControlError> for Halt {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Unknown => Self::Error(EngineError::Host("the repository is not configured")),
            ControlError::Git(error) => error.into(),
        }
    }
}

impl From<Halt> for EngineError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Error(error) => error,
            Halt::Failed(reason) => Self::Host(reason.describe()),
            Halt::Limited(_) => Self::Host("the quota of an engine is used up"),
        }
    }
}
