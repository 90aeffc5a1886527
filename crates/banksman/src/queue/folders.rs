//! The folders of the queue: one for each stage, a job's file in the one of its stage. Names are made of the job's id and its
//! sanitised name, so that nothing ever leaves the folder (Q5). Every file appears whole: it is written beside and renamed.

use crate::home::Home;
use anyhow::Context as _;
use banksman_core::{id::JobId, job::Stage, text::JobName};
use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The folders.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    root: PathBuf,
}

/// A file whose name is that of a job's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobFile {
    /// Whose it is.
    pub(crate) job: JobId,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Folders {
    /// The folders of a home; nothing is made yet.
    pub(crate) fn of(home: &Home) -> Self {
        Self { root: home.queue() }
    }

    /// Makes what is missing, readable by its owner only.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        let folders = Stage::ALL.map(|stage| self.folder(stage));
        for folder in folders.into_iter().chain([self.rejected(), self.taking()]) {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// The folder of a stage.
    pub(crate) fn folder(&self, stage: Stage) -> PathBuf {
        self.root.join(stage.as_str())
    }

    /// Where files go that are no jobs.
    pub(crate) fn rejected(&self) -> PathBuf {
        self.folder(Stage::Inbox).join("rejected")
    }

    /// Where a dropped file lies while it is being taken in, so that a crash in between is noticed.
    pub(crate) fn taking(&self) -> PathBuf {
        self.folder(Stage::Inbox).join(".taking")
    }

    /// The name of a job's file.
    pub(crate) fn file_name(job: JobId, name: &JobName) -> String {
        format!("job-{job}-{name}.md")
    }

    /// The job that a file name speaks of.
    pub(crate) fn job_of(file_name: &str) -> Option<JobId> {
        let (id, name) = file_name.strip_prefix("job-")?.strip_suffix(".md")?.split_once('-')?;
        JobName::new(name).ok()?;
        id.parse().ok().map(JobId)
    }

    /// Writes the file of a job that was just added.
    pub(crate) fn place(&self, job: JobId, name: &JobName, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder(Stage::Inbox).join(Self::file_name(job, name));
        write_whole(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// The files of jobs in one stage.
    pub(crate) fn files(&self, stage: Stage) -> io::Result<Vec<JobFile>> {
        let folder = self.folder(stage);
        let of_job =
            |name: OsString| Some(JobFile { job: Self::job_of(name.to_str()?)?, path: folder.join(name) });
        Ok(listed(&folder)?.into_iter().filter_map(of_job).collect())
    }

    /// Moves a file to the rejected ones, with the reason beside it.
    pub(crate) fn reject(&self, file: &Path, wanted: &str, reason: &str) -> io::Result<PathBuf> {
        let folder = self.rejected();
        let mut target = folder.join(wanted);
        let mut count = 1;
        while target.exists() {
            count += 1;
            target = folder.join(format!("{count}-{wanted}"));
        }
        let mut beside = target.clone().into_os_string();
        beside.push(".error");
        // The reason first: a rejected file is never without one.
        write_whole(Path::new(&beside), reason)?;
        fs::rename(file, &target)?;
        Ok(target)
    }
}

/// The names of the files of a folder, in their order; none where the folder is missing.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<OsString>> {
    Ok(entries(folder)?.files)
}

/// What is in a folder, by name.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) files: Vec<OsString>,
    /// Links, pipes, sockets and the like; no folders.
    pub(super) odd: Vec<OsString>,
}

/// What is in a folder, in the order of the names; nothing where it is missing.
pub(super) fn entries(folder: &Path) -> io::Result<Entries> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::default()),
        other => other?,
    };
    let mut found = Entries::default();
    for entry in listed {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() {
            found.files.push(entry.file_name());
        } else if !kind.is_dir() {
            found.odd.push(entry.file_name());
        }
    }
    found.files.sort_unstable();
    found.odd.sort_unstable();
    Ok(found)
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_job() {
        let name = JobName::new("fix-login").unwrap();
        assert_eq!(Folders::job_of(&Folders::file_name(JobId(7), &name)), Some(JobId(7)));
        for other in ["7-fix-login.md", "job-7.md", "job-x-y.md", "job-7-y.txt", "job-7-..md", "fix.md"] {
            assert_eq!(Folders::job_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_rejected_file_keeps_its_words_and_gets_a_reason_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::of(&Home::at(folder.path()));
        folders.make().unwrap();
        for round in 0..2 {
            let dropped = folders.folder(Stage::Inbox).join("bad.md");
            fs::write(&dropped, format!("words {round}")).unwrap();
            let moved = folders.reject(&dropped, "bad.md", "a reason").unwrap();
            assert_eq!(fs::read_to_string(&moved).unwrap(), format!("words {round}"));
            assert!(!dropped.exists());
        }
        assert_eq!(listed(&folders.rejected()).unwrap().len(), 4);
    }
}
