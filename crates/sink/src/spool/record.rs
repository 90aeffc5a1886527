//! One record of a segment: length and checksum (both little-endian), then the points as JSON.

use banksman_core::training::Point;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
};

/// Bytes of a record's head.
const HEAD: usize = 12;
/// Longest body that is believed, in bytes.
const LONGEST: u32 = 256 * 1024 * 1024;

/// Appends the record of a batch.
pub(super) fn write(out: &mut Vec<u8>, points: &[Point]) -> io::Result<()> {
    let body = serde_json::to_vec(points)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other("a batch is too large"))?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(&body).to_le_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Batches with the place where each ends, and whether what follows is no record.
pub(super) type Records = (Vec<(Vec<Point>, u64)>, bool);

/// Reads records from a place on, until there are so many points, or until one is torn or damaged. `length`: of the segment.
pub(super) fn read(path: &Path, from: u64, length: u64, points: usize) -> io::Result<Records> {
    let (mut records, mut found, mut at) = (Vec::new(), 0, from);
    if at >= length {
        return Ok((records, false));
    }
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(from))?;
    while at < length && (found < points || records.is_empty()) {
        let Some(body) = body(&mut file, length - at)? else { return Ok((records, true)) };
        let Ok(batch) = serde_json::from_slice::<Vec<Point>>(&body) else { return Ok((records, true)) };
        at += (HEAD + body.len()) as u64;
        found += batch.len();
        records.push((batch, at));
    }
    Ok((records, false))
}

/// Where the last whole record of a segment ends.
pub(super) fn whole_end(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let (mut file, mut at) = (BufReader::new(file), 0);
    while at < length {
        match body(&mut file, length - at)? {
            Some(body) => at += (HEAD + body.len()) as u64,
            None => break,
        }
    }
    Ok(at)
}

/// Whether a segment holds nothing but whole records.
pub(super) fn is_whole(path: &Path) -> io::Result<bool> {
    Ok(whole_end(path)? == std::fs::metadata(path)?.len())
}

/// The next record's body; `None`: torn or damaged.
fn body(file: &mut impl Read, left: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; HEAD];
    if left < HEAD as u64 {
        return Ok(None);
    }
    file.read_exact(&mut head)?;
    let [a, b, c, d, sum @ ..] = head;
    let (length, sum) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(sum));
    if length > LONGEST || u64::from(length) > left - HEAD as u64 {
        return Ok(None);
    }
    let mut body = vec![0; length as usize];
    file.read_exact(&mut body)?;
    Ok((checksum(&body) == sum).then_some(body))
}

/// FNV-1a: told apart are a body and its torn or flipped self, not friend and foe.
fn checksum(body: &[u8]) -> u64 {
    body.iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
