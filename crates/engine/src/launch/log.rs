//! The log of an attempt: as much of the beginning and of the end as the cap allows, the middle dropped and marked (Q15).
//!
//! The beginning goes straight into the file, which can be read while it grows. What comes after half the cap goes by turns into
//! two files beside it, each a quarter of the cap, so that dropping the middle costs nothing; at the end they are put behind the beginning.
//! A part is never renamed over another nor emptied before it is written again: ext4 would write all of it to the disk each time. An
//! attempt that prints nothing has no file.

use super::parts::{self, Tail};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A log that never grows beyond its cap.
#[derive(Debug)]
pub(crate) struct CappedLog {
    path: PathBuf,
    cap: u64,
    /// There once there is something in it.
    head: Option<File>,
    head_len: u64,
    tail: Option<Tail>,
    taken: u64,
    trouble: Option<io::Error>,
}

impl CappedLog {
    /// Makes the file anew. `cap` is in bytes, not counting the mark.
    pub(crate) fn create(path: PathBuf, cap: u64) -> io::Result<Self> {
        let cap = cap.max(4096);
        let fresh = options().create_new(true).open(&path);
        let (head, is_fresh) = match fresh {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (open_new(&path)?, false),
            head => (head?, true),
        };
        let log = Self { path, cap, head: Some(head), head_len: 0, tail: None, taken: 0, trouble: None };
        if !is_fresh {
            log.remove_parts();
        }
        Ok(log)
    }

    /// The same without making the file: it is there as soon as there is something in it. What an attempt with this number left that another
    /// store knew is removed.
    pub(crate) fn silent(path: PathBuf, cap: u64) -> io::Result<Self> {
        let log =
            Self { path, cap: cap.max(4096), head: None, head_len: 0, tail: None, taken: 0, trouble: None };
        match fs::remove_file(&log.path) {
            Ok(()) => log.remove_parts(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(log)
    }

    /// Takes the next piece. Trouble with the disk is remembered and does not stop the caller, who has to drain a pipe.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.taken += bytes.len() as u64;
        if self.trouble.is_none()
            && let Err(error) = self.try_write(bytes)
        {
            tracing::warn!(%error, "the log of an attempt can no longer be written");
            self.trouble = Some(error);
        }
    }

    fn try_write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let room = (self.cap / 2).saturating_sub(self.head_len);
        if room > 0 {
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            let head = match &mut self.head {
                Some(head) => head,
                none => none.insert(open_new(&self.path)?),
            };
            head.write_all(now)?;
            self.head_len += now.len() as u64;
            bytes = later;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let tail = match &mut self.tail {
            Some(tail) => tail,
            none => none.insert(Tail::create(&self.path, self.cap / 2)?),
        };
        tail.write(bytes)
    }

    /// Bytes taken so far, dropped ones among them.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Puts the end behind the beginning. Gives the error that stopped the log, if one did.
    pub(crate) fn finish(mut self) -> Result<PathBuf, io::Error> {
        if let (Some(tail), Some(head)) = (self.tail.take(), &mut self.head) {
            if let Err(error) = tail.join(self.taken, head) {
                self.trouble.get_or_insert(error);
            }
            self.remove_parts();
        }
        match self.trouble.take() {
            Some(error) => Err(error),
            None => Ok(self.path.clone()),
        }
    }

    /// The log if it has to be finished: what fitted into the beginning is whole as it is.
    pub(crate) fn unless_whole(self) -> Option<Self> {
        if self.tail.is_some() { Some(self) } else { None }
    }

    /// Whether the disk was full when something was to be written.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.trouble.as_ref().is_some_and(crate::git::is_disk_full)
    }

    fn remove_parts(&self) {
        if let Err(error) = parts::remove(&self.path) {
            tracing::warn!(%error, "parts of a log stay beside it");
        }
    }
}

/// The last `max` bytes of a finished log, as text; what is not UTF-8 is replaced.
pub(crate) fn tail(path: &Path, max: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(max)))?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that only the user may read: output may show what the user would not. Nothing is written through a link.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(no_follow());
    options
}

fn open_new(path: &Path) -> io::Result<File> {
    options().create(true).truncate(true).open(path)
}

pub(super) fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn logged(pieces: &[Vec<u8>], cap: u64) -> (Vec<u8>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = CappedLog::create(dir.path().join("a.log"), cap).unwrap();
        pieces.iter().for_each(|piece| log.write(piece));
        assert_eq!(log.taken(), pieces.iter().map(|p| p.len() as u64).sum::<u64>());
        let path = log.finish().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the parts are gone");
        (pieces.concat(), fs::read(path).unwrap())
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let (all, kept) = logged(&[vec![b'a'; 5000], vec![b'b'; 3192]], 8192);
        assert_eq!(all, kept);
    }

    #[test]
    fn the_beginning_can_be_read_while_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = CappedLog::create(path.clone(), 1 << 20).unwrap();
        log.write(b"first line\n");
        assert_eq!(fs::read(&path).unwrap(), b"first line\n");
    }

    #[test]
    fn a_full_disk_is_told_at_the_end() {
        let mut log = CappedLog::create("/dev/full".into(), 1 << 20).unwrap();
        log.write(b"lost");
        log.write(b"lost too");
        assert!(crate::git::is_disk_full(&log.finish().unwrap_err()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn head_and_tail_are_true_and_the_cap_holds(sizes in proptest::collection::vec(0usize..9000, 0..40)) {
            let pieces: Vec<Vec<u8>> =
                sizes.iter().enumerate().map(|(n, size)| vec![u8::try_from(n).unwrap(); *size]).collect();
            let (all, kept) = logged(&pieces, 8192);
            prop_assert!(kept.len() <= 8192 + 80);
            let head = all.len().min(4096);
            prop_assert_eq!(&all[..head], &kept[..head]);
            let tail = all.len().min(2048);
            prop_assert_eq!(&all[all.len() - tail..], &kept[kept.len() - tail..]);
        }
    }
}
