//! Old logs go: the output of attempts and checks is kept as long as the configuration says (`keep_logs`).

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Removes the logs of a folder that were not written for so long, but for these; how many. Only what has the name of a log is one.
pub(super) fn remove_older(folder: &Path, keep: Duration, running: &BTreeSet<PathBuf>) -> io::Result<u64> {
    let Some(oldest) = SystemTime::now().checked_sub(keep) else { return Ok(0) };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        // A part lies beside its log and goes with it.
        let log =
            if path.extension().is_some_and(|e| e == "log") { path.clone() } else { path.with_extension("") };
        let is_log = log.extension().is_some_and(|e| e == "log") && entry.file_type()?.is_file();
        let is_old = || entry.metadata().and_then(|facts| facts.modified()).is_ok_and(|at| at < oldest);
        if is_log && !running.contains(&log) && is_old() {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_logs_go_and_those_of_what_runs_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let old = SystemTime::now() - Duration::from_secs(100);
        for name in ["attempt-1.log", "attempt-1.log.part1", "attempt-2.log", "check-1.log", "notes.txt"] {
            fs::File::create(path(name)).unwrap().set_modified(old).unwrap();
        }
        fs::write(path("attempt-3.log"), "new").unwrap();
        let running = BTreeSet::from([path("attempt-2.log")]);
        assert_eq!(remove_older(dir.path(), Duration::from_secs(200), &running).unwrap(), 0);
        assert_eq!(remove_older(dir.path(), Duration::from_secs(50), &running).unwrap(), 3);
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["attempt-2.log", "attempt-3.log", "notes.txt"]);
        assert_eq!(remove_older(&path("nowhere"), Duration::ZERO, &running).unwrap(), 0);
    }
}
