//! Moves the files of jobs along as their stages change, and brings the folders in line with the store at the start and now and then: other
//! hosts move jobs too, and a crash may come between the two.

use super::Folders;
use banksman_core::{
    id::JobId,
    job::Stage,
    port::{JobPlace, Queue, StoreError},
    text::JobName,
};
use std::{collections::BTreeMap, io};

/// Stages whose folders a file can leave.
const LEFT: [Stage; 4] = [Stage::Inbox, Stage::Building, Stage::Review, Stage::Testing];

/// A job that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The job.
    pub(crate) job: JobId,
    /// Its name.
    pub(crate) name: JobName,
    /// Where it is now.
    pub(crate) to: Stage,
}

/// What moves the files.
#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    folders: Folders,
}

impl Mirror {
    /// A mirror in these folders.
    pub(crate) fn new(folders: Folders) -> Self {
        Self { folders }
    }

    /// Moves the file of a job that moved. A job without a file here (another host has it) is none of ours.
    pub(crate) fn follow(&self, moved: &Moved) {
        let name = Folders::file_name(moved.job, &moved.name);
        let target = self.folders.folder(moved.to).join(&name);
        for stage in LEFT.into_iter().filter(|stage| *stage != moved.to) {
            match std::fs::rename(self.folders.folder(stage).join(&name), &target) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(job = %moved.job, %error, "a job's file could not be moved along");
                    return;
                }
            }
        }
    }

    /// Brings every file that can still move in line with the store.
    pub(crate) async fn reconcile<Q: Queue>(&self, queue: &Q) -> Result<(), StoreError> {
        for stage in LEFT {
            let files = self.folders.files(stage).unwrap_or_else(|error| {
                tracing::warn!(stage = stage.as_str(), %error, "a folder of the queue cannot be read");
                Vec::new()
            });
            let ids: Vec<JobId> = files.iter().map(|file| file.job).collect();
            let places = queue.places(&ids).await?.into_iter().filter(|place| place.stage != stage);
            let moved: BTreeMap<JobId, JobPlace> = places.map(|place| (place.job, place)).collect();
            for file in files {
                let Some(place) = moved.get(&file.job) else { continue };
                let own = Folders::file_name(place.job, &place.name);
                if file.path.file_name().is_some_and(|name| name == own.as_str()) {
                    self.follow(&Moved { job: place.job, name: place.name.clone(), to: place.stage });
                }
            }
        }
        Ok(())
    }
}
