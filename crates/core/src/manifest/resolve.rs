//! A manifest as written to one that is complete: the job's own keys, then its profile's, then the configured defaults.

use super::{
    Choice, JobSpec, Manifest, NotBefore, Profile,
    error::{Nearness, nearest},
};
use crate::text::{ClassName, ProfileName};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, HashSet},
    hash::Hash,
    path::Path,
};

/// What holds where neither job nor profile says anything; from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// Who runs a job.
    pub engine: Choice,
    /// Time limit of an attempt.
    pub timeout: SignedDuration,
    /// Further attempts after a failed one.
    pub retries: u32,
    /// Times that a job may go back to building (Q8).
    pub fix_rounds: u32,
    /// Whether each change of the stage of a job with a tracker item is echoed (T14).
    pub auto_echo: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant in the shape of a class")]
        let class = ClassName::new("agentic-coder").expect("the default class is valid");
        Self {
            engine: Choice::Class(class),
            timeout: SignedDuration::from_hours(1),
            retries: 1,
            fix_rounds: 2,
            auto_echo: false,
        }
    }
}

/// A manifest that cannot be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It names a profile that is not configured.
    #[error("there is no profile `{name}`{}", hint(.nearest.as_ref()))]
    UnknownProfile {
        /// The profile.
        name: ProfileName,
        /// The configured one that is nearest.
        nearest: Option<ProfileName>,
    },
    /// The folder that relative ones start from is itself relative.
    #[error("the current directory is not known by its whole path")]
    NoCurrentDirectory,
    /// Its earliest start is beyond the end of time.
    #[error("`not-before` is too far away")]
    TooFar,
}

fn hint(nearest: Option<&ProfileName>) -> String {
    nearest.map_or_else(|| "; none is configured".to_owned(), |name| format!("; did you mean `{name}`?"))
}

impl Manifest {
    /// Fills in what the manifest leaves out. `current` is the folder that a relative `cwd` starts from, absolute; durations of
    /// `not-before` count from `now`.
    pub fn resolve(
        &self,
        profiles: &BTreeMap<ProfileName, Profile>,
        defaults: &Defaults,
        current: &Path,
        now: Timestamp,
    ) -> Result<JobSpec, ResolveError> {
        if !current.is_absolute() {
            return Err(ResolveError::NoCurrentDirectory);
        }
        let none = Profile::default();
        let profile = match &self.profile {
            None => &none,
            Some(name) => profiles.get(name).ok_or_else(|| unknown(name, profiles))?,
        };
        let m = self.clone().over(profile.manifest.clone());
        let not_before = match m.not_before {
            None => None,
            Some(NotBefore::At(at)) => Some(at),
            Some(NotBefore::After(span)) => {
                Some(now.checked_add(span).map_err(|_too_far| ResolveError::TooFar)?)
            }
        };
        Ok(JobSpec {
            engine: m.engine.unwrap_or_else(|| defaults.engine.clone()),
            profile: m.profile,
            cwd: m.cwd.map_or_else(|| current.to_path_buf(), |cwd| current.join(cwd)),
            worktree: m.worktree.unwrap_or(true),
            yolo: m.yolo.unwrap_or(false),
            lock: m.lock,
            timeout: m.timeout.unwrap_or(defaults.timeout),
            priority: m.priority.unwrap_or_default(),
            capabilities: once(m.capabilities),
            depends_on: once(m.depends_on),
            auto_echo: defaults.auto_echo && m.tracker_item.is_some(),
            tracker_item: m.tracker_item,
            retries: m.retries.unwrap_or(defaults.retries),
            not_before,
            review: m.review,
            verify: m.verify.unwrap_or_default(),
            fix_rounds: defaults.fix_rounds,
            base: m.base,
            branch: m.branch,
            max_cost: m.max_cost,
            max_tokens: m.max_tokens,
            env: once(m.env),
            preamble: profile.preamble.clone(),
            extra: m.extra,
        })
    }
}

/// The items without repetitions, in their order.
fn once<T: Eq + Hash + Clone>(items: Option<Vec<T>>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.unwrap_or_default().into_iter().filter(|item| seen.insert(item.clone())).collect()
}

fn unknown(name: &ProfileName, profiles: &BTreeMap<ProfileName, Profile>) -> ResolveError {
    let nearest = nearest(name.as_str(), profiles.keys().map(ProfileName::as_str));
    let nearest = match nearest {
        Some((found, Nearness::Meant | Nearness::Far)) => ProfileName::new(found).ok(),
        None => None,
    };
    ResolveError::UnknownProfile { name: name.clone(), nearest }
}
