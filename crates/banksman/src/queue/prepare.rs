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
    if body.as_str().trim().is_empty() {
        return Err(vec![format!(
            "{place}: there are no instructions: write below the manifest what is to be done"
        )]);
    }
    let manifest = over.clone().over(manifest);
    if let Some(name) = manifest.env.iter().flatten().find(|name| is_secret(name.as_str())) {
        return Err(vec![format!(
            "{place}: `env` names {name}, which no engine gets: it is Banksman's own, a key to a forge, tracker or store, or decides what \
             programs load; leave it out"
        )]);
    }
    let job = resolve(&manifest, body, name, cwd, settings, now)
        .map_err(|error| vec![format!("{place}: {error}")])?;
    Ok(Prepared { job, text })
}

/// Whether a variable is Banksman's own, gives access to a forge, a tracker or the store (S11, S19), or decides what programs load.
fn is_secret(name: &str) -> bool {
    const OWN: [&str; 4] = ["BANKSMAN_", "AQ_", "LD_", "DYLD_"];
    const TOKENS: [&str; 6] =
        ["GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "LINEAR_API_KEY", "PGPASSWORD", "PGPASSFILE"];
    OWN.iter().any(|prefix| name.starts_with(prefix)) || TOKENS.contains(&name)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let name = JobName::new("job").unwrap();
        let (settings, now) = (Settings::built_in("/h".into()), Timestamp::UNIX_EPOCH);
        let prepared =
            prepare(text.to_owned(), "a.md", &Manifest::default(), name, Path::new("/x"), &settings, now);
        prepared.err().map(|errors| errors.join("\n")).unwrap_or_default()
    }

    #[test]
    fn what_gives_no_job_is_refused_with_its_place() {
        assert!(refusal("").starts_with("a.md: there are no instructions"));
        assert!(refusal("---\nlock: a\n---\n \n").starts_with("a.md: there are no instructions"));
        for name in ["BANKSMAN_STORE", "AQ_TRACKER_TOKEN", "LD_PRELOAD", "GH_TOKEN", "PGPASSWORD"] {
            let said = refusal(&format!("---\nenv: [HOME, {name}]\n---\nDo it.\n"));
            assert!(said.starts_with(&format!("a.md: `env` names {name}")), "{said}");
        }
        assert_eq!(refusal("---\nenv: [PGP_KEY, PAGER]\n---\nDo it.\n"), "");
    }

    #[test]
    fn a_manifest_that_begins_late_is_not_taken_for_instructions() {
        for text in ["\n---\nlock: a\n---\nDo it.\n", " ---\nlock: a\n---\nDo it.\n"] {
            assert!(refusal(text).contains("the front matter begins in line"), "{text}");
        }
        assert_eq!(refusal("\n---\n\nA line above, then words.\n"), "");
    }
}
