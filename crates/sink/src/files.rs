//! Files as sinks: line protocol, or JSON lines. A batch is appended as a whole and flushed to the disk before it counts as taken; one that
//! could not be written whole is cut off again.

use banksman_core::{
    port::training::{Sink, SinkError},
    training::{Point, line_protocol::LineWriter},
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Line protocol, as `influx write` takes it.
pub struct LineFile(PathBuf);

/// One JSON object a line, with what was eligible.
pub struct JsonFile(PathBuf);

impl LineFile {
    /// At this place; made with the first batch.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl JsonFile {
    /// At this place; made with the first batch.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Sink for LineFile {
    async fn write(&self, points: &[Point]) -> Result<(), SinkError> {
        let mut lines = LineWriter::new();
        for point in points {
            point.write(&mut lines).map_err(|_| SinkError::Refused)?;
        }
        append_beside(&self.0, lines.into_text()).await
    }
}

impl Sink for JsonFile {
    async fn write(&self, points: &[Point]) -> Result<(), SinkError> {
        let mut lines = String::new();
        for point in points {
            lines.push_str(&serde_json::to_string(point).map_err(|_| SinkError::Refused)?);
            lines.push('\n');
        }
        append_beside(&self.0, lines).await
    }
}

async fn append_beside(path: &Path, text: String) -> Result<(), SinkError> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || append(&path, text.as_bytes())).await;
    done.unwrap_or(Err(SinkError::Away))
}

/// Appends and flushes. Two processes wait for each other; a line that another one left unfinished is ended first.
fn append(path: &Path, text: &[u8]) -> Result<(), SinkError> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| of_io(&error))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|_| SinkError::Away)?;
    let end = file.seek(SeekFrom::End(0)).map_err(|error| of_io(&error))?;
    let whole = write_whole(&mut file, text);
    if whole.is_err() {
        // What is left of a batch that did not fit would be taken for a line.
        let _ = file.set_len(end);
    }
    whole.map_err(|error| of_io(&error))
}

fn write_whole(file: &mut File, text: &[u8]) -> io::Result<()> {
    file.write_all(text)?;
    file.sync_data()
}

fn of_io(error: &io::Error) -> SinkError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            SinkError::Full
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            SinkError::NoPlace
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => SinkError::Denied,
        _ => SinkError::Away,
    }
}
