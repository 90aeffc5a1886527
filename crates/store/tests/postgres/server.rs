//! A server for tests, and a fresh schema of its for each.

use banksman_store::postgres::{Address, PostgresStore};
use rustix::fs::{FlockOperation, flock};
use std::{
    env, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Names a server that is there already.
const VARIABLE: &str = "BANKSMAN_TEST_POSTGRES";

/// Where the server is; `None`: there is none, and nobody insists.
static URL: LazyLock<Option<String>> = LazyLock::new(find);

fn find() -> Option<String> {
    if let Ok(url) = env::var(VARIABLE) {
        return Some(url);
    }
    match lend() {
        Ok(url) => Some(url),
        Err(why) if env::var_os("CI").is_some() => {
            panic!("no PostgreSQL server ({why}): name one in {VARIABLE}, or install the package postgresql")
        }
        Err(why) => {
            eprintln!("left out: no PostgreSQL server ({why})");
            None
        }
    }
}

/// The server of this checkout, started by the first one that asks. It runs as long as somebody holds the lock.
fn lend() -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../measure/postgres.sh");
    let folder = folder();
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let users = fs::File::create(folder.join("users")).map_err(|error| error.to_string())?;
    flock(&users, FlockOperation::LockShared).map_err(|error| error.to_string())?;
    // Held until this process ends.
    std::mem::forget(users);
    let out = Command::new(script).arg("lend").arg(&folder).output().map_err(|error| error.to_string())?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).trim().to_owned())
    }
}

/// Short, because a socket's name may not be long; of this checkout alone.
fn folder() -> PathBuf {
    let sum = env!("CARGO_MANIFEST_DIR")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Path::new("/tmp").join(format!("banksman-pg-{sum:016x}"))
}

/// Address of a schema that nobody has used.
pub(crate) fn fresh() -> Address {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let url = URL.as_ref().unwrap();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{mark}schema=t{time}_{}_{number}", process::id());
    Address::parse(&url).unwrap()
}

/// A store in a schema of its own.
pub(crate) struct Fresh {
    pub(crate) store: PostgresStore,
}

impl Deref for Fresh {
    type Target = PostgresStore;
    fn deref(&self) -> &PostgresStore {
        &self.store
    }
}

/// A fresh store.
pub(crate) async fn open() -> Fresh {
    Fresh { store: PostgresStore::open(&fresh()).await.unwrap() }
}

/// Runs a test on one thread; leaves it out when there is no server.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    if URL.is_none() {
        return;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// The server itself.
pub(crate) fn url() -> String {
    URL.clone().unwrap()
}

/// A server that nobody else uses, to be restarted at will. Ends with this value.
pub(crate) struct Own {
    folder: tempfile::TempDir,
    pub(crate) url: String,
}

impl Own {
    /// Starts one; `None` when tests are left out.
    pub(crate) fn start() -> Option<Self> {
        URL.as_ref()?;
        let folder = tempfile::Builder::new().prefix("banksman-pg-").tempdir_in("/tmp").unwrap();
        let url = script("start", folder.path());
        Some(Self { folder, url })
    }

    /// Kills it as a crash would, and starts it again. Blocks.
    pub(crate) fn restart(&self) {
        script("restart", self.folder.path());
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        script("stop", self.folder.path());
    }
}

fn script(command: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../measure/postgres.sh");
    let out = Command::new(script).arg(command).arg(folder).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
