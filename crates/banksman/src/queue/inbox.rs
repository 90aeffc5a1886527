//! Takes in what people drop into the inbox folder (Q10). A file is taken once it has not changed for a moment, so that no half-written one
//! is; a bad one is rejected with its reason beside it. A crash in between neither loses nor doubles a job: the file is first moved
//! aside under a name that becomes the job's key.

use super::{Folders, folders::listed, prepare::prepare};
use crate::config::Settings;
use anyhow::Context as _;
use banksman_core::{
    id::JobId,
    job::Stage,
    manifest::Manifest,
    port::{AddError, Added, Queue},
    text::{Holder, JobKey, JobName},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// A file that stays the same for this long is whole.
const SETTLED: Duration = Duration::from_millis(500);
/// So long after it was moved aside nobody is at it any more.
const LEFT: Duration = Duration::from_secs(10);
/// Longest name of a dropped file that is kept, in bytes, without its ending.
const LONGEST: usize = 150;
/// File systems keep time in steps of some milliseconds.
const STEP: Duration = Duration::from_millis(50);
/// Largest file that is read: manifest, body and their fences (Q3).
const LARGEST: u64 = (1 << 20) + (64 << 10) + 64;

/// What became of a dropped file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is a job now.
    Job(Added),
    /// It was rejected; where it lies now.
    Rejected(PathBuf),
}

/// How a file was when it was last looked at.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Look {
    length: u64,
    changed: Option<SystemTime>,
}

/// The inbox.
pub(crate) struct Inbox {
    folders: Folders,
    settings: Settings,
    cwd: PathBuf,
    /// Dropped files that are not whole yet.
    looks: BTreeMap<PathBuf, (Look, Instant)>,
    /// Files that are those of jobs which wait here.
    own: BTreeSet<PathBuf>,
    /// When the folder had changed last, when all that is in it was looked at.
    seen: Option<SystemTime>,
}

impl Inbox {
    /// The inbox of a home. `cwd` is where jobs run that do not say where.
    pub(crate) fn new(folders: Folders, settings: Settings, cwd: PathBuf) -> Self {
        Self { folders, settings, cwd, looks: BTreeMap::new(), own: BTreeSet::new(), seen: None }
    }

    /// Takes in what is whole. `moment` and `now` are the same point in time.
    pub(crate) async fn take_in<Q: Queue>(
        &mut self,
        queue: &Q,
        who: &Holder,
        moment: Instant,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Taken>> {
        let mut taken = Vec::new();
        let mut failed = None;
        let mut note = |took: anyhow::Result<Option<Taken>>| match took {
            Ok(one) => taken.extend(one),
            // One file that cannot be taken does not hold the others up.
            Err(error) => failed = Some(error),
        };
        for file in listed(&self.folders.taking())? {
            if is_left_behind(&file) {
                note(self.take(queue, who, &file, now).await);
            }
        }
        for (number, file) in self.whole(queue, moment).await?.into_iter().enumerate() {
            let aside = format!("{:x}.{number}~{}", now.as_nanosecond(), short_name(&file));
            let aside = self.folders.taking().join(aside);
            match fs::rename(&file, &aside) {
                Ok(()) => note(self.take(queue, who, &aside, now).await),
                // Another worker was faster, or somebody took it away again.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    note(Err(error).with_context(|| format!("cannot move {}", file.display())));
                }
            }
        }
        match failed {
            Some(error) if taken.is_empty() => Err(error),
            _ => Ok(taken),
        }
    }

    /// Whether a dropped file is waited for.
    pub(crate) fn is_settling(&self) -> bool {
        !self.looks.is_empty()
    }

    /// Dropped files that have not changed for a moment.
    async fn whole<Q: Queue>(&mut self, queue: &Q, moment: Instant) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folders.folder(Stage::Inbox);
        let changed = fs::metadata(&folder).and_then(|folder| folder.modified()).ok();
        if changed.is_some() && changed == self.seen && self.looks.is_empty() {
            return Ok(Vec::new());
        }
        // A change right after the list was read could have the same time.
        self.seen = changed.filter(|at| at.elapsed().is_ok_and(|age| age >= STEP));
        let (own, dropped) = self.sort(queue, listed(&folder)?).await?;
        self.own = own;
        let mut seen = BTreeMap::new();
        let mut whole = Vec::new();
        for file in dropped {
            let Ok(facts) = fs::symlink_metadata(&file) else { continue };
            let look = Look { length: facts.len(), changed: facts.modified().ok() };
            let since = match self.looks.remove(&file) {
                Some((before, since)) if before == look => since,
                _ => moment,
            };
            if moment.duration_since(since) >= SETTLED {
                whole.push(file.clone());
            }
            seen.insert(file, (look, since));
        }
        self.looks = seen;
        Ok(whole)
    }

    /// Tells the files of jobs which wait here from those that were dropped, be it under such a name. Others are none of ours.
    async fn sort<Q: Queue>(
        &mut self,
        queue: &Q,
        files: Vec<PathBuf>,
    ) -> anyhow::Result<(BTreeSet<PathBuf>, Vec<PathBuf>)> {
        let name =
            |file: &Path| file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let (known, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| self.own.contains(file));
        let mut own: BTreeSet<PathBuf> = known.into_iter().collect();
        let asked: Vec<JobId> = others.iter().filter_map(|file| Folders::job_of(&name(file))).collect();
        let places = if asked.is_empty() { Vec::new() } else { queue.places(&asked).await? };
        let names: BTreeSet<String> =
            places.into_iter().map(|place| Folders::file_name(place.job, &place.name)).collect();
        let mut dropped = Vec::new();
        for file in others {
            let name = name(&file);
            if names.contains(&name) {
                own.insert(file);
            } else if !name.starts_with('.') && name.ends_with(".md") {
                dropped.push(file);
            }
        }
        Ok((own, dropped))
    }

    /// Makes a job of a file that was moved aside.
    async fn take<Q: Queue>(
        &self,
        queue: &Q,
        who: &Holder,
        file: &Path,
        now: Timestamp,
    ) -> anyhow::Result<Option<Taken>> {
        let aside = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (nonce, dropped) = aside.split_once('~').unwrap_or(("0", aside));
        let text = match read(file) {
            Ok(text) => text,
            // Another worker took it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return self.reject(file, dropped, &format!("{dropped}: {error}\n")),
        };
        let name = JobName::from_title(dropped.trim_end_matches(".md"));
        let prepared = prepare(text, dropped, &Manifest::default(), name, &self.cwd, &self.settings, now);
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(errors) => return self.reject(file, dropped, &(errors.join("\n") + "\n")),
        };
        let own = prepared.job.key.clone();
        if own.is_none() {
            prepared.job.key = JobKey::new(&format!("inbox:{nonce}")).ok();
        }
        let name = prepared.job.name.clone();
        let added = match queue.add(vec![prepared.job], who, now).await {
            Ok(added) => added.into_iter().next(),
            Err(AddError::Store(error)) => return Err(error.into()),
            Err(refused) => return self.reject(file, dropped, &format!("{dropped}: {refused}\n")),
        };
        let Some(added) = added else { return Ok(None) };
        if let (Added::Exists(id), Some(key)) = (added, own)
            && self.has_file(id)
        {
            let reason = format!("{dropped}: job {id} has the idempotency key {key} already\n");
            return self.reject(file, dropped, &reason);
        }
        let target = self.folders.folder(Stage::Inbox).join(Folders::file_name(added.id(), &name));
        match fs::rename(file, &target) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot move {}", file.display())),
            Ok(()) => Ok(Some(Taken::Job(added))),
        }
    }

    /// Whether a job's file lies in some stage's folder: then a second file with its key is another one.
    fn has_file(&self, id: JobId) -> bool {
        Stage::ALL.iter().any(|stage| {
            self.folders.files(*stage).is_ok_and(|files| files.iter().any(|file| file.job == id))
        })
    }

    fn reject(&self, file: &Path, dropped: &str, reason: &str) -> anyhow::Result<Option<Taken>> {
        let moved = self.folders.reject(file, dropped, reason);
        let moved = moved.with_context(|| format!("cannot move {} to the rejected files", file.display()))?;
        Ok(Some(Taken::Rejected(moved)))
    }
}

/// The name of a dropped file, cut so that what is put before and behind it still fits into a file name.
fn short_name(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("job.md");
    let stem = name.strip_suffix(".md").unwrap_or(name);
    let end = (0..=stem.len().min(LONGEST)).rev().find(|end| stem.is_char_boundary(*end)).unwrap_or(0);
    format!("{}.md", &stem[..end])
}

/// Whether a file was moved aside by a worker that is gone by now: those that live take it in at once.
fn is_left_behind(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // The time of the file itself is that of its last change; the move shows in its inode.
    let moved = |facts: fs::Metadata| {
        let secs = u64::try_from(facts.ctime()).unwrap_or(0);
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(secs))
    };
    let moved = fs::symlink_metadata(file).ok().and_then(moved);
    moved.is_some_and(|at| at.elapsed().map_or(true, |age| age >= LEFT))
}

/// Reads a file, or says why it cannot be a job.
pub(crate) fn read(file: &Path) -> std::io::Result<String> {
    use std::io::{Error, ErrorKind, Read as _};
    let mut text = String::new();
    let mut file = fs::File::open(file)?.take(LARGEST + 1);
    file.read_to_string(&mut text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"),
        _ => error,
    })?;
    if text.len() as u64 > LARGEST {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "it is larger than a manifest of 64 KiB and a body of 1 MiB",
        ));
    }
    Ok(text)
}
