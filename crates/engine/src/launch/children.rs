//! Whether this process has adopted anything. The kernel gives orphans of a subreaper to its first thread, and the processes of attempts are
//! started by other threads; so as long as the first thread has no child, nothing ran away from any attempt, and one small file
//! tells so without a look at every process of the host.

use std::{fs, path::PathBuf, sync::OnceLock};

/// Children of this process's first thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adopted {
    /// There is none.
    Nobody,
    /// There are some, or it cannot be told.
    Perhaps,
}

/// Looks once. A list that is not empty may lack an entry while others end, so its content is not used.
pub(super) fn adopted() -> Adopted {
    static LIST: OnceLock<PathBuf> = OnceLock::new();
    let list = LIST.get_or_init(|| {
        let me = std::process::id();
        format!("/proc/self/task/{me}/children").into()
    });
    match fs::read(list) {
        Ok(pids) if pids.is_empty() => Adopted::Nobody,
        // Others there are too where the kernel does not keep the list.
        Ok(_) | Err(_) => Adopted::Perhaps,
    }
}
