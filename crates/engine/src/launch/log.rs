//! The log of an attempt: as much of the beginning and of the end as the cap allows, the middle dropped and marked (Q15).
//!
//! The beginning goes straight into the file, which can be read while it grows. What comes after half the cap goes by turns into
//! two files beside it, each a quarter of the cap, so that dropping the middle costs nothing; at the end they are put behind the beginning.
//! A part is never renamed over another nor emptied before it is written again: ext4 would write all of it to the disk each time.

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
    head: File,
    head_len: u64,
    tail: Option<Tail>,
    taken: u64,
    trouble: Option<io::Error>,
}

#[derive(Debug)]
struct Tail {
    parts: [Part; 2],
    /// Which of them is being written.
    newest: usize,
}

#[derive(Debug)]
struct Part {
    file: File,
    len: u64,
}

/// What the names of the parts end with.
const PARTS: [&str; 2] = ["part1", "part2"];

impl Tail {
    fn create(log: &Path) -> io::Result<Self> {
        let part = |name| {
            io::Result::Ok(Part {
                file: options().read(true).create(true).truncate(true).open(part_path(log, name))?,
                len: 0,
            })
        };
        Ok(Self { parts: [part(PARTS[0])?, part(PARTS[1])?], newest: 0 })
    }

    /// The part to be written, the other one when this one is full.
    fn with_room(&mut self, most: u64) -> io::Result<&mut Part> {
        if self.parts[self.newest].len >= most {
            self.newest = 1 - self.newest;
            let part = &mut self.parts[self.newest];
            if part.len > 0 {
                // Its old pages are dropped, whether they have reached the disk or not.
                part.file.set_len(1)?;
                part.file.rewind()?;
                part.len = 0;
            }
        }
        Ok(&mut self.parts[self.newest])
    }
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
        let log = Self { path, cap, head, head_len: 0, tail: None, taken: 0, trouble: None };
        if !is_fresh {
            log.remove_parts();
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
        let room = (self.cap / 2).saturating_sub(self.head_len);
        if room > 0 {
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.head.write_all(now)?;
            self.head_len += now.len() as u64;
            bytes = later;
        }
        let part = self.cap / 4;
        while !bytes.is_empty() {
            let tail = match &mut self.tail {
                Some(tail) => tail,
                none => none.insert(Tail::create(&self.path)?),
            };
            let newest = tail.with_room(part)?;
            let room = usize::try_from(part - newest.len).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            newest.file.write_all(now)?;
            newest.len += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Bytes taken so far, dropped ones among them.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Puts the end behind the beginning. Gives the error that stopped the log, if one did.
    pub(crate) fn finish(mut self) -> Result<PathBuf, io::Error> {
        if let Some(Tail { mut parts, newest }) = self.tail.take() {
            if newest == 0 {
                parts.reverse();
            }
            let kept = self.head_len + parts.iter().map(|part| part.len).sum::<u64>();
            let dropped = self.taken.saturating_sub(kept);
            let joined = (|| {
                if dropped > 0 {
                    writeln!(self.head, "\n[banksman: {dropped} bytes of output were dropped here]")?;
                }
                for Part { mut file, len } in parts {
                    file.rewind()?;
                    io::copy(&mut file.take(len), &mut self.head)?;
                }
                Ok(())
            })();
            if let Err(error) = joined {
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
        for name in PARTS {
            let _ = fs::remove_file(part_path(&self.path, name));
        }
    }
}

/// Puts the parts behind the beginning for a process that died before it could, the one that was written last at the end.
pub(crate) fn rejoin(path: &Path) -> io::Result<()> {
    let mut parts = Vec::new();
    for part in PARTS.map(|name| part_path(path, name)) {
        match fs::metadata(&part) {
            Ok(found) => parts.push((found.modified()?, part)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if parts.is_empty() {
        return Ok(());
    }
    parts.sort();
    let mut log = OpenOptions::new().append(true).custom_flags(no_follow()).open(path)?;
    writeln!(log, "\n[banksman: output may have been dropped here]")?;
    for (_, part) in parts {
        io::copy(&mut File::open(&part)?, &mut log)?;
        fs::remove_file(&part)?;
    }
    Ok(())
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

fn part_path(log: &Path, name: &str) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".{name}"));
    path.into()
}

/// A file that only the user may read: output may show what the user would not. Nothing is written through a link.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(no_follow());
    options
}

fn open_new(path: &Path) -> io::Result<File> {
    options().create(true).truncate(true).open(path)
}

fn no_follow() -> i32 {
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
