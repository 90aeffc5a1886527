//! What a worker is given: who it is, what it may run, and how patient it is.

use banksman_core::{
    port::Hosts,
    repo::RepoRules,
    text::{Capability, ClassName, EngineName, Holder, ProfileName},
};
use jiff::SignedDuration;
use std::{collections::BTreeMap, sync::Arc};

/// Longest grace that the lease has room for.
const MOST_GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How long after its grace an attempt is surely gone.
const AFTER_GRACE: SignedDuration = SignedDuration::from_secs(5);

/// An engine of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineRoom {
    /// Its name.
    pub name: EngineName,
    /// Its class.
    pub class: ClassName,
    /// Most attempts of it at once, at least 1.
    pub parallel: u32,
}

/// What a worker needs to know. It comes from the host's configuration.
#[derive(Clone)]
pub struct WorkerSetup {
    /// Names this worker in claims; unique among the workers of all hosts, now and later.
    pub holder: Holder,
    /// Tells which holders of this host are gone.
    pub hosts: Arc<dyn Hosts>,
    /// Its engines; for a job of a class the first one with room is taken.
    pub engines: Vec<EngineRoom>,
    /// What it offers to jobs that require it.
    pub capabilities: Vec<Capability>,
    /// What single engines offer beside that, as long as they have room.
    pub of_engines: BTreeMap<EngineName, Vec<Capability>>,
    /// Most attempts at once of jobs with a profile; a profile that is not here has no limit of its own.
    pub profiles: BTreeMap<ProfileName, u32>,
    /// Most attempts at once, at least 1.
    pub at_once: u32,
    /// The repositories whose tasks it may do.
    pub rules: Vec<RepoRules>,
    /// Pause before the first repetition of a failed attempt at the job of a manifest; it doubles with each further one.
    pub retry_pause: SignedDuration,
    /// How long an engine rests whose quota is used up, where it does not say until when (Q21).
    pub rest: SignedDuration,
    /// Time that an attempt which is to end gets until it is killed, at most 30 s.
    pub grace: SignedDuration,
    /// How often it looks whether other workers of this host are gone, while they hold something.
    pub watch: SignedDuration,
}

impl WorkerSetup {
    /// A setup with the documented defaults: one attempt at once, no engines, no capabilities, no repositories.
    pub fn new(holder: Holder, hosts: Arc<dyn Hosts>) -> Self {
        Self {
            holder,
            hosts,
            engines: Vec::new(),
            capabilities: Vec::new(),
            of_engines: BTreeMap::new(),
            profiles: BTreeMap::new(),
            at_once: 1,
            rules: Vec::new(),
            retry_pause: SignedDuration::from_secs(5),
            rest: SignedDuration::from_mins(15),
            grace: SignedDuration::from_secs(10),
            watch: SignedDuration::from_secs(1),
        }
    }

    /// So long before the end of its lease an attempt is ended that could not be renewed: longer than its grace, so that no process of it
    /// is left when somebody else may take the job.
    pub(super) fn margin(&self) -> SignedDuration {
        self.grace.min(MOST_GRACE) + AFTER_GRACE
    }
}
