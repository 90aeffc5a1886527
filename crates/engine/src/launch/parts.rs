//! The end of a log that is over half its cap: two files by turns, each a quarter of the cap. Each begins with its number and the length
//! of the log's beginning, so that who reads along and who puts them together after a crash know what they have.

use super::log::{no_follow, options};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// What the names of the two files end with; the first part is in the second one's place, as its number is odd.
const ENDINGS: [&str; 2] = ["part2", "part1"];
/// Length of what stands in front of a part.
const FRONT: usize = 16;

/// The two files of a log that is being written.
#[derive(Debug)]
pub(super) struct Tail {
    parts: [Part; 2],
    /// Number of the part that is being written; the first one has 1.
    newest: u64,
    /// Length of the log's beginning; a part is half as long.
    half: u64,
}

#[derive(Debug)]
struct Part {
    file: File,
    len: u64,
}

impl Tail {
    pub(super) fn create(log: &Path, half: u64) -> io::Result<Self> {
        let part = |number| {
            io::Result::Ok(Part {
                file: options().read(true).create(true).truncate(true).open(path(log, number))?,
                len: 0,
            })
        };
        let mut tail = Self { parts: [part(2)?, part(1)?], newest: 1, half };
        tail.parts[place(1)].file.write_all(&front(1, half))?;
        Ok(tail)
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let most = self.half / 2;
        while !bytes.is_empty() {
            let part = self.with_room(most)?;
            let room = usize::try_from(most - part.len).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            part.file.write_all(now)?;
            part.len += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// The part to be written, the other one when this one is full.
    fn with_room(&mut self, most: u64) -> io::Result<&mut Part> {
        if self.parts[place(self.newest)].len >= most {
            self.newest += 1;
            let part = &mut self.parts[place(self.newest)];
            if part.len > 0 {
                // Its old pages are dropped, whether they have reached the disk or not.
                part.file.set_len(1)?;
                part.file.rewind()?;
                part.len = 0;
            }
            part.file.write_all(&front(self.newest, self.half))?;
        }
        Ok(&mut self.parts[place(self.newest)])
    }

    /// Puts what is left of `taken` bytes behind the beginning.
    pub(super) fn join(self, taken: u64, log: &mut File) -> io::Result<()> {
        let kept = self.half + self.parts.iter().map(|part| part.len).sum::<u64>();
        let dropped = taken.saturating_sub(kept);
        if dropped > 0 {
            log.write_all(mark(dropped).as_bytes())?;
        }
        let mut parts = self.parts;
        if place(self.newest) == 0 {
            parts.reverse();
        }
        for Part { mut file, len } in parts {
            file.seek(SeekFrom::Start(FRONT as u64))?;
            io::copy(&mut file.take(len), log)?;
        }
        Ok(())
    }
}

/// A part as it lies beside its log, read up to behind its front.
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) half: u64,
    pub(super) file: File,
    /// How much is in it.
    pub(super) len: u64,
}

impl Found {
    /// Where it begins in the whole output.
    pub(super) fn begins(&self) -> u64 {
        self.half + (self.number - 1) * (self.half / 2)
    }

    /// Whether its file still holds the same part.
    pub(super) fn is_as_found(&mut self) -> io::Result<bool> {
        let mut front_now = [0; FRONT];
        self.file.rewind()?;
        match self.file.read_exact(&mut front_now) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            read => read.map(|()| front_now == front(self.number, self.half)),
        }
    }
}

/// The parts that lie beside a log, the older one first.
pub(super) fn found(log: &Path) -> io::Result<Vec<Found>> {
    let mut parts = Vec::new();
    for number in [1, 2] {
        parts.extend(part_at(&path(log, number))?);
    }
    parts.sort_by_key(|part: &Found| part.number);
    Ok(parts)
}

fn part_at(path: &Path) -> io::Result<Option<Found>> {
    let mut file = match OpenOptions::new().read(true).custom_flags(no_follow()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let len = file.metadata()?.len();
    let mut front = [0; FRONT];
    // It is just being made, or made anew.
    let Some(len) = len.checked_sub(FRONT as u64) else { return Ok(None) };
    file.read_exact(&mut front)?;
    let (number, half) = front.split_at(FRONT / 2);
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    Ok(Some(Found { number: word(number).max(1), half: word(half), file, len }))
}

/// Puts the parts behind the beginning for a process that died before it could.
pub(crate) fn rejoin(log: &Path) -> io::Result<()> {
    let parts = found(log)?;
    if let Some(first) = parts.first() {
        let mut log = OpenOptions::new().append(true).custom_flags(no_follow()).open(log)?;
        let dropped = first.begins().saturating_sub(first.half);
        if dropped > 0 {
            log.write_all(mark(dropped).as_bytes())?;
        }
        for mut part in parts {
            io::copy(&mut part.file, &mut log)?;
        }
    }
    remove(log)
}

/// Removes the parts.
pub(super) fn remove(log: &Path) -> io::Result<()> {
    for number in [1, 2] {
        match fs::remove_file(path(log, number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What stands where the middle was dropped.
pub(super) fn mark(dropped: u64) -> String {
    format!("\n[banksman: {dropped} bytes of output were dropped here]\n")
}

/// The mark at the beginning of some bytes: how many bytes were dropped, and how long it is.
pub(super) fn read_mark(bytes: &[u8]) -> Option<(u64, u64)> {
    let digits = bytes.strip_prefix(b"\n[banksman: ")?;
    let digits = &digits[..digits.iter().position(|byte| !byte.is_ascii_digit())?];
    let dropped = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let whole = mark(dropped);
    bytes.starts_with(whole.as_bytes()).then_some((dropped, whole.len() as u64))
}

fn front(number: u64, half: u64) -> [u8; FRONT] {
    (u128::from(number) << 64 | u128::from(half)).to_be_bytes()
}

/// Which of the two files the part with this number is in.
fn place(number: u64) -> usize {
    usize::from(!number.is_multiple_of(2))
}

fn path(log: &Path, number: u64) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".{}", ENDINGS[place(number)]));
    path.into()
}
