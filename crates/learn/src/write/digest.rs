//! Counts and hashes what is written, for the description of a file.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// Passes bytes on and keeps their digest.
pub struct Digesting<W> {
    out: W,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Digesting<W> {
    /// Over a writer.
    pub fn new(out: W) -> Self {
        Self { out, bytes: 0, hash: Sha256::new() }
    }

    /// The writer and the digest of what it got.
    pub fn end(self) -> (W, Digest) {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.out, Digest { bytes: self.bytes, sha256 })
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
