//! One file of records. Appended to by one process at a time, under the spool's lock.

use super::record;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The file of a segment.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.seg"))
}

/// Numbers and lengths of the segments, ascending. Files of other names are none of ours.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|n| n.parse().ok());
        if let Some(number) = number {
            match entry.metadata() {
                Ok(facts) => all.push((number, facts.len())),
                // Whoever delivers has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    all.sort_unstable();
    Ok(all)
}

/// The segment that is appended to.
pub(super) struct Segment {
    number: u64,
    file: File,
    length: u64,
}

impl Segment {
    /// Begins a new one.
    pub(super) fn begin(folder: &Path, number: u64) -> io::Result<Self> {
        let path = path(folder, number);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        // Its name has to be on the disk as well.
        File::open(folder)?.sync_all()?;
        Ok(Self { number, file, length: 0 })
    }

    /// Goes on with one; a torn tail is cut off.
    pub(super) fn mend(folder: &Path, number: u64) -> io::Result<Self> {
        let path = path(folder, number);
        let whole = record::whole_end(&path)?;
        let mut file = OpenOptions::new().write(true).open(&path)?;
        let length = file.metadata()?.len();
        if length > whole {
            tracing::warn!(segment = number, bytes = length - whole, "the torn tail of a spool is cut off");
            file.set_len(whole)?;
        }
        file.seek(SeekFrom::Start(whole))?;
        Ok(Self { number, file, length: whole })
    }

    /// Number and length.
    pub(super) fn at(&self) -> (u64, u64) {
        (self.number, self.length)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends records and flushes. When that fails nothing of them stays.
    pub(super) fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(records).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length += records.len() as u64;
                Ok(())
            }
            Err(error) => {
                let _ = self.file.set_len(self.length);
                self.file.seek(SeekFrom::Start(self.length))?;
                Err(error)
            }
        }
    }
}
