//! Port to the hosts of the fleet: whether the process that holds a claim is still there.

use crate::text::Holder;

/// What is known of the process of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// It runs on this host.
    Alive,
    /// It ran on this host and has ended: by pid and start time, so that a reused pid is not taken for it (Q13).
    Gone,
    /// It is of another host, which cannot be asked: only its lease tells.
    Elsewhere,
}

/// Knows the processes of this host.
pub trait Hosts: Send + Sync {
    /// What is known of a holder's process.
    fn life(&self, holder: &Holder) -> Life;
}
