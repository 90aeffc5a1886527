//! The queue for commands that only look at it or add to it: the store alone, without forge and engines.

use crate::{config::Settings, home::Home, output::Failure};
use anyhow::Context as _;
use banksman_core::{
    id::JobId,
    job::Job,
    port::Queue as _,
    text::{Holder, JobKey},
};
use banksman_store::{Chosen, postgres::Address};

/// Opens the store that the configuration names. Makes the home if it is missing.
pub(crate) async fn open_store(settings: &Settings, home: &Home) -> anyhow::Result<Chosen> {
    home.make()?;
    match &settings.store {
        None => {
            refuse_without_store(home)?;
            Chosen::sqlite(&home.store()).with_context(|| format!("cannot open {}", home.store().display()))
        }
        Some(url) => {
            let cannot = || format!("cannot open the store {}", url.shown());
            let mut address = Address::parse(url.secret()).with_context(cannot)?;
            let known = &settings.store_password;
            if let Some(password) = &known.password {
                address = address.with_password(password);
            }
            if let Some(file) = &known.file {
                address = address.with_passfile(file).with_context(cannot)?;
            }
            Chosen::at(&address).await.with_context(cannot)
        }
    }
}

/// A queue whose store is gone is not begun anew beside the files of its jobs: their numbers would mean others.
pub(crate) fn refuse_without_store(home: &Home) -> anyhow::Result<()> {
    match home.orphaned_jobs() {
        0 => Ok(()),
        files => Err(Failure::new(
            format!(
                "{} is missing or empty, but the folders of {} still hold files of jobs ({files})",
                home.store().display(),
                home.queue().display()
            ),
            "put the store back from a copy; or, to begin anew, move the folder of the queue away and drop the files of jobs that are still \
             to be done into the new inbox",
        )),
    }
}

/// The name under which a command of a person moves jobs.
pub(crate) fn person() -> Holder {
    banksman_engine::holder("person")
}

/// The job that a person names by its id or its idempotency key.
pub(crate) async fn find_job(store: &Chosen, wanted: &str) -> anyhow::Result<Job> {
    let found = match wanted.parse::<u64>() {
        Ok(id) => store.job(JobId(id)).await?,
        Err(_) => match JobKey::new(wanted) {
            Ok(key) => store.job_by_key(&key).await?,
            Err(_) => None,
        },
    };
    found.ok_or_else(|| {
        Failure::new(
            format!("there is no job {}", crate::output::clean(wanted)),
            "name a job by its number or its idempotency key; `banksman status` lists them",
        )
    })
}
