//! The bell: tells other processes that have the same file open that something was committed. Whoever waits listens at a datagram
//! socket in a folder beside the file; whoever commits rings at all of them. A ring says nothing but "look again", so that one
//! too many does no harm, and one too few is made up for by a slow look (see [`super::Changes`]).

use std::{
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, ErrorKind},
    os::unix::{fs::DirBuilderExt, net},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};
use tokio::net::UnixDatagram;

/// Ends of names that are tried before listening is given up.
const NAMES: u32 = 1_000;
/// A folder that did not change for this long shows by its time that somebody came to listen: file systems keep time in steps of
/// some milliseconds.
const SETTLED: Duration = Duration::from_millis(50);

/// The folder of the bells of one file, and the name of this database among those that have it open.
pub(super) struct Bell {
    folder: PathBuf,
    me: String,
    ears: AtomicU32,
}

impl Bell {
    /// For the database in this file. Touches nothing yet.
    pub(super) fn new(file: &Path) -> Self {
        let mut folder = file.as_os_str().to_owned();
        folder.push("-bell");
        // Processes that do not know each other's numbers (containers) may share the file, so the name is a random one.
        let me = format!("{:08x}-", RandomState::new().build_hasher().finish() >> 32);
        Self { folder: folder.into(), me, ears: AtomicU32::new(0) }
    }

    /// Begins to listen. Needs a runtime.
    pub(super) fn listen(&self) -> io::Result<Ear> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        loop {
            let n = self.ears.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{}{n}", self.me));
            match UnixDatagram::bind(&path) {
                Ok(socket) => return Ok(Ear { socket, path }),
                Err(e) if e.kind() == ErrorKind::AddrInUse && n < NAMES => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// What the writer rings with.
    pub(super) fn hammer(&self) -> Hammer {
        Hammer {
            folder: self.folder.clone(),
            me: self.me.clone(),
            socket: None,
            others: Vec::new(),
            changed: None,
            seen: Instant::now(),
            settled: false,
        }
    }
}

/// One who listens. Its socket goes with it.
pub(super) struct Ear {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Ear {
    /// Returns when somebody rang since the last call. Can be dropped at any time without losing a ring.
    pub(super) async fn heard(&self) {
        while self.socket.readable().await.is_ok() {
            let mut rings = 0;
            // Everything that was rung up to now is one ring.
            while self.socket.try_recv(&mut [0]).is_ok() {
                rings += 1;
            }
            if rings > 0 {
                return;
            }
        }
        std::future::pending().await
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Rings at all others. Keeps their list as long as the folder does not change, since it is used at every commit.
pub(super) struct Hammer {
    folder: PathBuf,
    me: String,
    socket: Option<net::UnixDatagram>,
    others: Vec<PathBuf>,
    changed: Option<SystemTime>,
    seen: Instant,
    settled: bool,
}

impl Hammer {
    /// Rings once at everybody. Never waits: whoever has not heard the last rings yet will hear those.
    pub(super) fn ring(&mut self) {
        if let Err(error) = self.look_around() {
            // Nobody has listened yet, or the folder is gone.
            if error.kind() != ErrorKind::NotFound {
                tracing::debug!(error = %error, "cannot look who listens");
            }
            self.others.clear();
        }
        if self.others.is_empty() {
            return;
        }
        if self.socket.is_none() {
            self.socket = net::UnixDatagram::unbound()
                .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
                .inspect_err(|error| tracing::warn!(error = %error, "cannot ring"))
                .ok();
        }
        let Some(socket) = &self.socket else { return };
        self.others.retain(|other| match socket.send_to(&[1], other) {
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => {
                // Its process was killed.
                let _ = fs::remove_file(other);
                false
            }
            Err(e) => e.kind() != ErrorKind::NotFound,
            Ok(_) => true,
        });
    }

    fn look_around(&mut self) -> io::Result<()> {
        let changed = fs::metadata(&self.folder)?.modified()?;
        if self.changed != Some(changed) {
            self.changed = Some(changed);
            self.seen = Instant::now();
            self.settled = false;
        }
        if self.settled {
            return Ok(());
        }
        self.settled = self.seen.elapsed() >= SETTLED;
        self.others.clear();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(self.me.as_bytes()) {
                self.others.push(entry.path());
            }
        }
        Ok(())
    }
}
