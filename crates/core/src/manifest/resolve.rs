//! A manifest as written to one that is complete: the job's own keys, then its profile's, then the configured defaults.

use super::{
    Choice, Dependency, JobSpec, Manifest, NotBefore, Profile,
    error::{Nearness, nearest},
};
use crate::text::{ClassName, ProfileName};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, hash::Hash, path::Path};

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
        let base = &profile.manifest;
        let not_before = match self.not_before.or(base.not_before) {
            None => None,
            Some(NotBefore::At(at)) => Some(at),
            Some(NotBefore::After(span)) => {
                Some(now.checked_add(span).map_err(|_too_far| ResolveError::TooFar)?)
            }
        };
        let mut extra = base.extra.clone();
        extra.extend(self.extra.clone());
        Ok(JobSpec {
            engine: first(&self.engine, &base.engine).unwrap_or_else(|| defaults.engine.clone()),
            profile: self.profile.clone(),
            cwd: self.cwd.as_ref().map_or_else(|| current.to_path_buf(), |cwd| current.join(cwd)),
            worktree: self.worktree.or(base.worktree).unwrap_or(true),
            yolo: self.yolo.or(base.yolo).unwrap_or(false),
            lock: first(&self.lock, &base.lock),
            timeout: self.timeout.or(base.timeout).unwrap_or(defaults.timeout),
            priority: self.priority.or(base.priority).unwrap_or_default(),
            capabilities: once(first(&self.capabilities, &base.capabilities)),
            depends_on: once::<Dependency>(self.depends_on.clone()),
            tracker_item: self.tracker_item.clone(),
            auto_echo: defaults.auto_echo && self.tracker_item.is_some(),
            retries: self.retries.or(base.retries).unwrap_or(defaults.retries),
            not_before,
            review: first(&self.review, &base.review),
            verify: first(&self.verify, &base.verify).unwrap_or_default(),
            fix_rounds: defaults.fix_rounds,
            base: first(&self.base, &base.base),
            branch: first(&self.branch, &base.branch),
            max_cost: self.max_cost.or(base.max_cost),
            max_tokens: self.max_tokens.or(base.max_tokens),
            env: once(first(&self.env, &base.env)),
            preamble: profile.preamble.clone(),
            extra,
        })
    }
}

fn first<T: Clone>(own: &Option<T>, profile: &Option<T>) -> Option<T> {
    own.as_ref().or(profile.as_ref()).cloned()
}

/// The items without repetitions, in their order.
fn once<T: Eq + Hash + Clone>(items: Option<Vec<T>>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
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
