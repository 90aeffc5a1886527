//! Takes in what people drop into the inbox folder (Q10). A file is taken once it has not changed for a moment, so that no half-written one
//! is; a bad one is rejected with its reason beside it. A crash in between neither loses nor doubles a job: the file is first moved
//! aside under a name that becomes the job's key.

use super::{
    Folders,
    folders::{Entries, entries, listed},
    prepare::prepare,
};
use crate::config::Settings;
use anyhow::Context as _;
use banksman_core::{
    id::JobId,
    job::Stage,
    manifest::{JobSpec, Manifest},
    port::{AddError, Added, Queue},
    text::{Holder, JobKey, JobName},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// A file that stays the same for this long is whole.
const SETTLED: Duration = Duration::from_millis(500);
/// So long after it was moved aside nobody is at it any more.
const LEFT: Duration = Duration::from_secs(10);
/// How long after a job was added its file may still be put in its place.
const PLACED: Duration = Duration::from_secs(10);
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
    /// It is left alone, because of what it is. Told once.
    LeftAlone(PathBuf, &'static str),
}

/// Why a file is left alone.
const NO_MARKDOWN: &str = "its name does not end with .md";
/// Why something else is.
const NO_FILE: &str = "it is a link or a special file; put a file in its place";

/// How a file was when it was last looked at.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Look {
    length: u64,
    changed: Option<SystemTime>,
    inode: u64,
}

impl Look {
    fn of(facts: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { length: facts.len(), changed: facts.modified().ok(), inode: facts.ino() }
    }
}

/// The inbox.
pub(crate) struct Inbox {
    folders: Folders,
    settings: Settings,
    cwd: PathBuf,
    /// Dropped files that are not whole yet.
    looks: BTreeMap<OsString, (Look, Instant)>,
    /// Files that are those of jobs which wait here, as they were when they were looked at last.
    own: HashMap<OsString, Look>,
    /// Those of them that somebody put something else in place of, as it seems.
    suspects: Vec<OsString>,
    /// When they were looked at last.
    owned: Option<Instant>,
    /// What is left alone, and was told.
    told: BTreeSet<OsString>,
    /// When the folder had changed last, when all that is in it was looked at.
    seen: Option<SystemTime>,
}

impl Inbox {
    /// The inbox of a home. `cwd` is where jobs run that do not say where.
    pub(crate) fn new(folders: Folders, settings: Settings, cwd: PathBuf) -> Self {
        let (looks, own, suspects, told) = Default::default();
        Self { folders, settings, cwd, looks, own, suspects, owned: None, told, seen: None }
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
        let taking = self.folders.taking();
        for file in listed(&taking)?.into_iter().map(|name| taking.join(name)) {
            if is_left_behind(&file) {
                note(self.take(queue, who, &file, now).await);
            }
        }
        self.look_at_own(moment);
        let (whole, left_alone) = self.whole(queue, moment).await?;
        for name in std::mem::take(&mut self.suspects) {
            note(self.compare(queue, &name, now).await);
        }
        left_alone.into_iter().for_each(|one| note(Ok(Some(one))));
        for (number, file) in whole.into_iter().enumerate() {
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

    /// Dropped files that have not changed for a moment, and what is left alone since the last look.
    async fn whole<Q: Queue>(
        &mut self,
        queue: &Q,
        moment: Instant,
    ) -> anyhow::Result<(Vec<PathBuf>, Vec<Taken>)> {
        let folder = self.folders.folder(Stage::Inbox);
        let changed = fs::metadata(&folder).and_then(|folder| folder.modified()).ok();
        if changed.is_some() && changed == self.seen && self.looks.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        // A change right after the list was read could have the same time.
        self.seen = changed.filter(|at| at.elapsed().is_ok_and(|age| age >= STEP));
        let Entries { files, odd } = entries(&folder)?;
        let (dropped, others) = self.sort(queue, files).await?;
        let left_alone = self.left_alone(others, odd);
        let mut seen = BTreeMap::new();
        let mut whole = Vec::new();
        for name in dropped {
            let file = folder.join(&name);
            let Ok(facts) = fs::symlink_metadata(&file) else { continue };
            let look = Look::of(&facts);
            let since = match self.looks.remove(&name) {
                Some((before, since)) if before == look => since,
                _ => moment,
            };
            if moment.duration_since(since) >= SETTLED {
                whole.push(file);
            }
            seen.insert(name, (look, since));
        }
        self.looks = seen;
        Ok((whole, left_alone))
    }

    /// Tells files that were dropped, be it under the name of a job's file, from those of jobs which wait here, which are remembered; second
    /// those that are neither.
    async fn sort<Q: Queue>(
        &mut self,
        queue: &Q,
        files: Vec<OsString>,
    ) -> anyhow::Result<(Vec<OsString>, Vec<OsString>)> {
        let (mut own, mut others) = (HashMap::with_capacity(files.len()), Vec::new());
        for name in files {
            match self.own.remove_entry(&name) {
                Some((name, look)) => drop(own.insert(name, look)),
                None => others.push(name),
            }
        }
        let asked: Vec<JobId> =
            others.iter().filter_map(|name| Folders::job_of(name.to_str().unwrap_or_default())).collect();
        let places = if asked.is_empty() { Vec::new() } else { queue.places(&asked).await? };
        let of_jobs = places
            .into_iter()
            .map(|place| (Folders::file_name(place.job, &place.name).into(), place.added_at));
        let names: HashMap<OsString, Timestamp> = of_jobs.collect();
        let folder = self.folders.folder(Stage::Inbox);
        let (mut dropped, mut neither) = (Vec::new(), Vec::new());
        for name in others {
            let shown = name.to_string_lossy();
            if let Some(added_at) = names.get(&name) {
                let Ok(facts) = fs::symlink_metadata(folder.join(&name)) else { continue };
                if moved_at(&facts).is_some_and(|at| at > SystemTime::from(*added_at) + PLACED) {
                    self.suspects.push(name.clone());
                }
                own.insert(name, Look::of(&facts));
            } else if shown.starts_with('.') {
                // Something that is being written.
            } else if shown.ends_with(".md") {
                dropped.push(name);
            } else {
                neither.push(name);
            }
        }
        self.own = own;
        Ok((dropped, neither))
    }

    /// Notices, now and then, when the file of a job that waits has become another one.
    fn look_at_own(&mut self, moment: Instant) {
        if self.owned.is_some_and(|at| moment.duration_since(at) < LEFT) {
            return;
        }
        self.owned = Some(moment);
        let folder = self.folders.folder(Stage::Inbox);
        for (name, look) in &mut self.own {
            let now = fs::symlink_metadata(folder.join(name)).map(|facts| Look::of(&facts));
            if let Ok(now) = now
                && now != *look
            {
                *look = now;
                self.suspects.push(name.clone());
            }
        }
    }

    /// Rejects what was put in the place of a waiting job's file, if it says something else, and puts the job's own back: the job stays what
    /// it is, and what somebody wrote is not lost silently.
    async fn compare<Q: Queue>(
        &mut self,
        queue: &Q,
        name: &OsStr,
        now: Timestamp,
    ) -> anyhow::Result<Option<Taken>> {
        let (file, shown) =
            (self.folders.folder(Stage::Inbox).join(name), name.to_string_lossy().into_owned());
        let Some(id) = Folders::job_of(&shown) else { return Ok(None) };
        let (Some(job), body) = (queue.job(id).await?, queue.body(id).await?) else { return Ok(None) };
        let text = match read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(_) => String::new(),
        };
        let read =
            prepare(text, &shown, &Manifest::default(), job.name.clone(), &self.cwd, &self.settings, now);
        let same = match (read, job.work.spec()) {
            (Ok(read), Some(spec)) => {
                // What depends on where and when it was added is left out.
                let (cwd, not_before) = (spec.cwd.clone(), spec.not_before);
                let (preamble, fix_rounds) = (spec.preamble.clone(), spec.fix_rounds);
                let read_spec = JobSpec { cwd, not_before, preamble, fix_rounds, ..read.job.spec };
                read.job.body.as_str() == body.as_str() && read_spec == *spec
            }
            _ => false,
        };
        if same || job.state.stage() != Stage::Inbox {
            return Ok(None);
        }
        let reason = format!(
            "{shown}: job {id} waits as it was added, whatever its file says; drop this under a name of its own to add it as another job, \
             after `banksman cancel {id}` if it is to take its place\n"
        );
        let rejected = self.reject(&file, &shown, &reason)?;
        let front = format!(
            "---\n# The file of job {id} was replaced; `banksman status {id}` tells its manifest.\n---\n"
        );
        let placed = self.folders.place(id, &job.name, &(front + body.as_str()))?;
        if let Ok(facts) = fs::symlink_metadata(placed) {
            self.own.insert(name.to_owned(), Look::of(&facts));
        }
        Ok(rejected)
    }

    /// What lies in the folder and is no job, once each.
    fn left_alone(&mut self, others: Vec<OsString>, odd: Vec<OsString>) -> Vec<Taken> {
        let folder = self.folders.folder(Stage::Inbox);
        let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        let others = others.into_iter().map(|name| (name, NO_MARKDOWN));
        let odd = odd.into_iter().filter(|name| !hidden(name)).map(|name| (name, NO_FILE));
        let found: Vec<(OsString, &'static str)> = others.chain(odd).collect();
        let new = found.iter().filter(|(name, _)| !self.told.contains(name));
        let new = new.map(|(name, why)| Taken::LeftAlone(folder.join(name), why)).collect();
        self.told = found.into_iter().map(|(name, _)| name).collect();
        new
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

/// When a file was moved last: the time of the file itself is that of its last change, the move shows in its inode.
fn moved_at(facts: &fs::Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let secs = u64::try_from(facts.ctime()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(secs))
}

/// Whether a file was moved aside by a worker that is gone by now: those that live take it in at once.
fn is_left_behind(file: &Path) -> bool {
    let moved = fs::symlink_metadata(file).ok().and_then(|facts| moved_at(&facts));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{home::Home, host::block_on};
    use banksman_core::{job::Body, port::NewJob};
    use banksman_store::Chosen;

    const TEXT: &str = "---\nengine: shell\nnot-before: 9h\n---\ntrue\n";

    #[test]
    fn what_is_put_in_the_place_of_a_waiting_jobs_file_is_rejected_and_the_job_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let (folders, settings) = (Folders::of(&home), Settings::built_in(dir.path().to_owned()));
        folders.make().unwrap();
        block_on(async {
            let store = Chosen::sqlite(&home.store())?;
            let (who, now) = (Holder::new("me").unwrap(), Timestamp::now());
            let minute_ago = now - jiff::SignedDuration::from_mins(1);
            for _ in 0..3 {
                let name = JobName::new("a").unwrap();
                let made = prepare(
                    TEXT.into(),
                    "a.md",
                    &Manifest::default(),
                    name,
                    dir.path(),
                    &settings,
                    minute_ago,
                );
                let job: NewJob = made.map_err(|e| e.join("")).unwrap().job;
                let (name, added) = (job.name.clone(), store.add(vec![job], &who, minute_ago).await?);
                folders.place(added[0].id(), &name, TEXT)?;
            }
            let inbox = folders.folder(Stage::Inbox);
            // One becomes another, one is only touched, one becomes another while somebody looks.
            fs::write(inbox.join("job-1-a.md"), TEXT.replace("true", "echo other"))?;
            let (mut look, begin) =
                (Inbox::new(folders.clone(), settings, dir.path().to_owned()), Instant::now());
            let rejected = |job: u32| Taken::Rejected(folders.rejected().join(format!("job-{job}-a.md")));
            assert_eq!(look.take_in(&store, &who, begin, now).await?, [rejected(1)]);
            fs::write(inbox.join("job-3-a.md"), TEXT.replace("9h", "9h\npriority: high"))?;
            assert_eq!(look.take_in(&store, &who, begin + LEFT / 2, now).await?, []);
            assert_eq!(look.take_in(&store, &who, begin + LEFT, now).await?, [rejected(3)]);
            assert_eq!(look.take_in(&store, &who, begin + LEFT * 3, now).await?, []);
            let reason = fs::read_to_string(folders.rejected().join("job-1-a.md.error"))?;
            assert!(reason.starts_with("job-1-a.md: job 1 waits as it was added"), "{reason}");
            let restored = fs::read_to_string(inbox.join("job-1-a.md"))?;
            assert!(restored.ends_with("---\ntrue\n"), "{restored}");
            assert_eq!(fs::read_to_string(inbox.join("job-2-a.md"))?, TEXT);
            assert_eq!(store.body(JobId(1)).await?.as_str(), Body::new("true\n".into()).as_str());
            Ok(())
        })
        .unwrap();
    }
}
