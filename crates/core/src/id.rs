//! Identifiers: one newtype per kind of thing, so that a pull request's number never passes for an issue's key.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Defines a numeric id: `Copy`, ordered, printed as the bare number.
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// Number of an issue or a pull request inside its repository; both share one sequence, as on GitHub.
    Number
);
number_id!(
    /// An account of the forge. Logins can be imitated, ids cannot (S10).
    ActorId
);
number_id!(
    /// One review thread of a pull request.
    ThreadId
);
number_id!(
    /// One comment on an issue or a pull request.
    CommentId
);
number_id!(
    /// One review of a pull request.
    ReviewId
);
number_id!(
    /// One job in the store, whether it came as a file or from the pipeline.
    JobId
);
number_id!(
    /// One run of one engine on one job.
    AttemptId
);
number_id!(
    /// Fencing token: grows by one at each claim; a write with an older one is refused (Q12).
    Token
);
