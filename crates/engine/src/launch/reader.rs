//! Reads the log of an attempt, also while it grows: first the beginning, then the parts by turns, and from the end of the attempt on
//! the file that they became. Nothing is given twice; what was dropped before it could be read is told.

use super::parts::{self, Found};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// More than the longest mark.
const MARK: u64 = 100;

/// A place in the log of an attempt.
#[derive(Debug)]
pub struct LogReader {
    log: PathBuf,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// So far in the file: the beginning of a log that grows, or one that is whole.
    File(u64),
    /// So far in the whole output, what was dropped included: behind the beginning, which is so long.
    Output { at: u64, half: u64 },
}

impl LogReader {
    /// The beginning of a log; it need not be there yet.
    pub fn new(log: &Path) -> Self {
        Self { log: log.to_owned(), at: At::File(0) }
    }

    /// The next piece, at most so many bytes; empty when there is nothing new.
    pub fn read(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let parts = parts::found(&self.log)?;
        if let (Some(Found { half, .. }), At::File(at)) = (parts.first(), self.at)
            && at >= *half
        {
            self.at = At::Output { at, half: *half };
        }
        match (self.at, parts.first().map(|part| part.half)) {
            (At::File(at), half) => {
                let most = half.map_or(most, |half| most.min(half - at));
                let piece = self.piece(at, most)?;
                self.at = At::File(at + piece.len() as u64);
                Ok(piece)
            }
            (At::Output { at, half }, Some(_)) => self.in_parts(parts, at, half, most),
            (At::Output { at, half }, None) => self.behind_the_end(at, half, most),
        }
    }

    fn in_parts(&mut self, parts: Vec<Found>, at: u64, half: u64, most: u64) -> io::Result<Vec<u8>> {
        for mut part in parts {
            let (begins, ends) = (part.begins(), part.begins() + part.len);
            if at < begins {
                self.at = At::Output { at: begins, half };
                return Ok(parts::mark(begins - at).into_bytes());
            }
            if at < ends {
                part.file.seek_relative(i64::try_from(at - begins).unwrap_or(i64::MAX))?;
                let mut piece = Vec::new();
                part.file.by_ref().take(most.min(ends - at)).read_to_end(&mut piece)?;
                // It may have been written anew meanwhile; then the next look tells.
                if part.is_as_found()? {
                    self.at = At::Output { at: at + piece.len() as u64, half };
                    return Ok(piece);
                }
            }
        }
        Ok(Vec::new())
    }

    /// The parts are in the file now: finds the place in it.
    fn behind_the_end(&mut self, at: u64, half: u64, most: u64) -> io::Result<Vec<u8>> {
        let (dropped, mark) = parts::read_mark(&self.piece(half, MARK)?).unwrap_or_default();
        let goes_on = half + dropped;
        let (seen, missed) = (at.saturating_sub(goes_on), goes_on.saturating_sub(at));
        let place = half + mark + seen;
        if missed > 0 {
            self.at = At::File(place);
            return Ok(parts::mark(missed).into_bytes());
        }
        let piece = self.piece(place, most)?;
        self.at = At::File(place + piece.len() as u64);
        Ok(piece)
    }

    fn piece(&self, at: u64, most: u64) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        file.seek(SeekFrom::Start(at))?;
        let mut piece = Vec::new();
        file.take(most).read_to_end(&mut piece)?;
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::CappedLog;
    use proptest::prelude::*;
    use std::fs;

    /// All that there is to read now.
    fn rest(reader: &mut LogReader, most: u64) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = reader.read(most).unwrap();
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    fn numbers(from: u32, to: u32) -> Vec<u8> {
        (from..to).flat_map(|n| format!("{n:07}\n").into_bytes()).collect()
    }

    #[test]
    fn who_reads_along_sees_all_of_it_beyond_the_cap_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = CappedLog::silent(path.clone(), 8192).unwrap();
        let mut reader = LogReader::new(&path);
        let mut seen = Vec::new();
        for step in 0..100 {
            log.write(&numbers(step * 100, (step + 1) * 100));
            seen.extend(rest(&mut reader, 300));
        }
        log.finish().unwrap();
        seen.extend(rest(&mut reader, 300));
        assert_eq!(seen, numbers(0, 10_000));
    }

    #[test]
    fn who_looks_away_is_told_what_was_dropped_and_goes_on_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = CappedLog::silent(path.clone(), 8192).unwrap();
        let mut reader = LogReader::new(&path);
        log.write(&numbers(0, 700));
        assert_eq!(rest(&mut reader, 4096), numbers(0, 700));
        log.write(&numbers(700, 5_000));
        let seen = String::from_utf8(rest(&mut reader, 4096)).unwrap();
        assert!(seen.starts_with("\n[banksman: ") && seen.ends_with("0004999\n"), "{seen}");
        log.write(&numbers(5_000, 9_000));
        let whole = fs::read_to_string(log.finish().unwrap()).unwrap();
        let seen = String::from_utf8(rest(&mut reader, 4096)).unwrap();
        assert!(seen.starts_with("\n[banksman: ") && seen.ends_with("0008999\n"), "{seen}");
        assert!(seen.len() < whole.len());
        assert_eq!(rest(&mut LogReader::new(&path), 4096), whole.into_bytes());
    }

    #[test]
    fn a_log_that_is_not_there_says_nothing_yet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut reader = LogReader::new(&path);
        let log = CappedLog::silent(path.clone(), 8192).unwrap();
        assert!(rest(&mut reader, 100).is_empty() && !path.exists());
        log.finish().unwrap();
        assert!(!path.exists(), "nothing was printed");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn nothing_is_seen_twice_and_the_end_is_seen(steps in proptest::collection::vec((0u32..400, any::<bool>()), 1..40)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.log");
            let mut log = CappedLog::silent(path.clone(), 8192).unwrap();
            let mut reader = LogReader::new(&path);
            let (mut seen, mut next) = (Vec::new(), 0);
            for (count, looks) in steps {
                log.write(&numbers(next, next + count));
                next += count;
                if looks {
                    seen.extend(rest(&mut reader, 1000));
                }
            }
            log.finish().unwrap();
            seen.extend(rest(&mut reader, 1000));
            let seen = String::from_utf8(seen).unwrap();
            let lines: Vec<u32> = seen.lines().filter_map(|l| l.parse().ok().filter(|_| l.len() == 7)).collect();
            prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{}", seen);
            prop_assert_eq!(lines.last().copied(), next.checked_sub(1));
            prop_assert!(seen.contains("[banksman: ") || lines.len() == next as usize);
        }
    }
}
