//! Batches that wait for one sink: on disk, in order, each until it was acknowledged.
//!
//! A folder with numbered segments, each a row of records, and a file that says up to where all is done:
//!
//! ```text
//! 00000001.seg    length, checksum, JSON of the points; and again
//! done            "1 4711": everything before byte 4711 of segment 1 was taken
//! lock            held while a record is appended
//! delivery.lock   held by the one process that delivers
//! ```
//!
//! A record counts once it is flushed. A tail that was torn by a crash is cut off by the next one who appends; a record in the middle that
//! is damaged ends its segment, which is told and kept beside. Any number of processes may append, one delivers.

mod record;
mod segment;

use banksman_core::training::Point;
use rustix::fs::{FlockOperation, flock};
use segment::{Segment, segments};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Size of a segment, in bytes.
const SEGMENT: u64 = 8 * 1024 * 1024;

/// The spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk is full. Nothing of the batch is there.
    #[error(
        "the disk is full: the spool in {} cannot take more; free some space", .0.display()
    )]
    DiskFull(PathBuf),
    /// So much waits that the bound is reached. Nothing of the batch is there.
    #[error(
        "the spool in {} has reached its bound of {} MiB: its sink has been away for too long; bring the sink back or raise \
         training.spool_limit", .folder.display(), .most / 1_048_576
    )]
    Bound {
        /// The spool.
        folder: PathBuf,
        /// Its bound, in bytes.
        most: u64,
    },
    /// A file cannot be read or written.
    #[error("the spool in {} cannot be used", .0.display())]
    Io(PathBuf, #[source] io::Error),
}

/// A batch that waits, and where it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Its points.
    pub points: Vec<Point>,
    segment: u64,
    end: u64,
}

/// A place: everything before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Done {
    segment: u64,
    offset: u64,
}

/// The batches of one sink.
pub struct Spool {
    folder: PathBuf,
    most: u64,
    /// Bytes after which a new segment is begun.
    segment: u64,
    lock: File,
    /// The segment that is appended to, as this process last saw it; and where delivery is.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<Segment>,
    done: Option<Done>,
}

impl Spool {
    /// Opens or makes the folder. `most`: bytes that may wait.
    pub fn open(folder: &Path, most: u64) -> Result<Self, SpoolError> {
        let failed = |error| SpoolError::of(folder, error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = private(&folder.join("lock")).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), most, segment: SEGMENT, lock, state: Mutex::default() })
    }

    /// Appends batches, all or none. They are on the disk when this returns.
    pub fn append(&self, batches: &[&[Point]]) -> Result<(), SpoolError> {
        let mut records = Vec::new();
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            record::write(&mut records, batch).map_err(|error| self.failed(error))?;
        }
        if records.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        flock(&self.lock, FlockOperation::LockExclusive).map_err(|error| self.failed(error.into()))?;
        let appended = self.append_locked(&mut state, &records);
        let _ = flock(&self.lock, FlockOperation::Unlock);
        appended
    }

    fn append_locked(&self, state: &mut State, records: &[u8]) -> Result<(), SpoolError> {
        let all = segments(&self.folder).map_err(|error| self.failed(error))?;
        let waiting: u64 = all.iter().map(|(_, length)| length).sum();
        if waiting.saturating_add(records.len() as u64) > self.most {
            return Err(SpoolError::Bound { folder: self.folder.clone(), most: self.most });
        }
        // Another process may have appended, or died while it did.
        let newest = all.last().copied();
        let same = matches!((&state.last, newest), (Some(last), Some(newest)) if last.at() == newest);
        if !same {
            state.last = match newest {
                Some((number, _)) => Some(Segment::mend(&self.folder, number).map_err(|e| self.failed(e))?),
                None => None,
            };
        }
        let full = state.last.as_ref().is_none_or(|last| last.length() >= self.segment);
        if full {
            let number = match newest {
                Some((number, _)) => number + 1,
                // Numbers never go back, so that what is done cannot mean a later segment.
                None => self.done().map_err(|error| self.failed(error))?.segment + 1,
            };
            state.last = Some(Segment::begin(&self.folder, number).map_err(|error| self.failed(error))?);
        }
        match &mut state.last {
            Some(last) => last.append(records).map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    /// The oldest batch that waits. Only for whoever delivers.
    pub fn first(&self) -> Result<Option<Batch>, SpoolError> {
        Ok(self.next_ones(1)?.into_iter().next())
    }

    /// The oldest batches that wait, in their order, up to so many points; one at least if there is any. Only for whoever delivers.
    pub fn next_ones(&self, points: usize) -> Result<Vec<Batch>, SpoolError> {
        let mut done = self.delivered()?;
        let mut batches: Vec<Batch> = Vec::new();
        let mut found = 0;
        for (number, length) in segments(&self.folder).map_err(|error| self.failed(error))? {
            if number < done.segment {
                continue;
            }
            if number > done.segment {
                done = Done { segment: number, offset: 0 };
            }
            let open = segment::path(&self.folder, number);
            let read = record::read(&open, done.offset, length, points.saturating_sub(found));
            let (records, damaged) = read.map_err(|error| self.failed(error))?;
            for (points, end) in records {
                found += points.len();
                batches.push(Batch { points, segment: number, end });
            }
            if found >= points.max(1) {
                break;
            }
            if damaged && self.is_closed(number)? {
                tracing::error!(segment = number, folder = %self.folder.display(), "a spooled batch is damaged and left out");
            }
        }
        Ok(batches)
    }

    /// Whether there is a later segment, so that nothing is appended to this one any more.
    fn is_closed(&self, number: u64) -> Result<bool, SpoolError> {
        let all = segments(&self.folder).map_err(|error| self.failed(error))?;
        Ok(all.iter().any(|(other, _)| *other > number))
    }

    /// The batch, and all before it, was taken by the sink: it waits no more.
    pub fn done_with(&self, batch: &Batch) -> Result<(), SpoolError> {
        let done = Done { segment: batch.segment, offset: batch.end };
        self.keep_done(done).map_err(|error| self.failed(error))?;
        self.state().done = Some(done);
        let all = segments(&self.folder).map_err(|error| self.failed(error))?;
        let newest = all.last().map_or(0, |(number, _)| *number);
        for (number, length) in all {
            let over =
                number < done.segment || (number == done.segment && done.offset >= length && number < newest);
            if over && record::is_whole(&segment::path(&self.folder, number)).unwrap_or(false) {
                let _ = fs::remove_file(segment::path(&self.folder, number));
            }
        }
        // The last one goes once nothing waits in it, under the lock, so that nobody appends to a file that is gone.
        if done.segment == newest && done.offset >= self.segment {
            self.drop_last(done).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn drop_last(&self, done: Done) -> io::Result<()> {
        flock(&self.lock, FlockOperation::LockExclusive)?;
        let all = segments(&self.folder)?;
        if all.last() == Some(&(done.segment, done.offset)) {
            fs::remove_file(segment::path(&self.folder, done.segment))?;
        }
        flock(&self.lock, FlockOperation::Unlock)?;
        Ok(())
    }

    /// Bytes that wait, the records' heads included.
    pub fn waiting(&self) -> Result<u64, SpoolError> {
        let done = self.delivered()?;
        let all = segments(&self.folder).map_err(|error| self.failed(error))?;
        Ok(all
            .into_iter()
            .filter(|(number, _)| *number >= done.segment)
            .map(
                |(number, length)| {
                    if number == done.segment { length.saturating_sub(done.offset) } else { length }
                },
            )
            .sum())
    }

    /// The right to deliver; `None` while another process has it.
    pub fn deliverer(&self) -> Result<Option<File>, SpoolError> {
        let file = private(&self.folder.join("delivery.lock")).map_err(|error| self.failed(error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                // Another process may have delivered meanwhile.
                self.state().done = None;
                Ok(Some(file))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(self.failed(error.into())),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a batch aside that its sink will never take; it stays in a file for people to look at.
    pub fn put_aside(&self, points: &[Point]) -> Result<(), SpoolError> {
        let mut text = String::new();
        for point in points {
            text.push_str(&serde_json::to_string(point).map_err(|error| self.failed(error.into()))?);
            text.push('\n');
        }
        let path = self.folder.join("refused.jsonl");
        let put = OpenOptions::new().append(true).create(true).mode(0o600).open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_data()
        });
        put.map_err(|error| self.failed(error))
    }

    fn delivered(&self) -> Result<Done, SpoolError> {
        if let Some(done) = self.state().done {
            return Ok(done);
        }
        let done = self.done().map_err(|error| self.failed(error))?;
        self.state().done = Some(done);
        Ok(done)
    }

    /// From the file; the beginning where there is none or it is not readable: what is delivered again overwrites itself.
    fn done(&self) -> io::Result<Done> {
        let text = match fs::read_to_string(self.folder.join("done")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut numbers = text.split_ascii_whitespace().filter_map(|word| word.parse().ok());
        Ok(match (numbers.next(), numbers.next()) {
            (Some(segment), Some(offset)) => Done { segment, offset },
            _ => Done { segment: 0, offset: 0 },
        })
    }

    /// Not flushed: after a loss of power some batches are delivered once more, which overwrites what they wrote.
    fn keep_done(&self, done: Done) -> io::Result<()> {
        let beside = self.folder.join("done.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        write!(file, "{} {}", done.segment, done.offset)?;
        fs::rename(beside, self.folder.join("done"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: io::Error) -> SpoolError {
        SpoolError::of(&self.folder, error)
    }
}

impl SpoolError {
    /// The same error once more, for somebody else who waits.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::DiskFull(folder) => Self::DiskFull(folder.clone()),
            Self::Bound { folder, most } => Self::Bound { folder: folder.clone(), most: *most },
            Self::Io(folder, error) => {
                Self::Io(folder.clone(), io::Error::new(error.kind(), error.to_string()))
            }
        }
    }

    fn of(folder: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull(folder.to_owned())
            }
            _ => Self::Io(folder.to_owned(), error),
        }
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
