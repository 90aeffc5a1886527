//! A job's file on its way into the queue: read, checked, filled with its profile and the host's defaults.

use crate::config::Settings;
use banksman_core::{
    job::Body,
    manifest::{self, Manifest},
    port::NewJob,
    text::JobName,
};
use jiff::Timestamp;
use std::path::Path;

/// A job that can be added, and the text of its file.
pub(crate) struct Prepared {
    /// The job.
    pub(crate) job: NewJob,
    /// Its file, verbatim.
    pub(crate) text: String,
}

/// Reads a job. `place` is where its text comes from, for the errors; `cwd` the folder that a relative or missing `cwd` means. Each
/// error is one line that says where and what.
pub(crate) fn prepare(
    text: String,
    place: &str,
    over: &Manifest,
    name: JobName,
    cwd: &Path,
    settings: &Settings,
    now: Timestamp,
) -> Result<Prepared, Vec<String>> {
    let (manifest, body) = manifest::parse(&text).map_err(|errors| {
        errors.problems().iter().map(|error| format!("{place}:{error}")).collect::<Vec<_>>()
    })?;
    let manifest = over.clone().over(manifest);
    let job = resolve(&manifest, body, name, cwd, settings, now)
        .map_err(|error| vec![format!("{place}: {error}")])?;
    Ok(Prepared { job, text })
}

/// A job from its manifest and body.
pub(crate) fn resolve(
    manifest: &Manifest,
    body: Body,
    name: JobName,
    cwd: &Path,
    settings: &Settings,
    now: Timestamp,
) -> Result<NewJob, manifest::ResolveError> {
    let spec = manifest.resolve(&settings.profiles, &settings.job_defaults(), cwd, now)?;
    Ok(NewJob { name, key: manifest.idempotency_key.clone(), spec, body })
}
