//! The Unix socket of a home: mode 600, one server at a time.

use crate::{home::Home, output::Failure};
use anyhow::Context as _;
use banksman_tracker::serve::Listening;
use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

/// The longest path that a socket can have on Linux and macOS, in bytes.
const LONGEST: usize = 103;

/// A socket that is removed when dropped.
pub(super) struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens on the home's socket; one that a dead process left is removed.
    pub(super) fn listen(home: &Home) -> anyhow::Result<(Self, Listening)> {
        let path = std::path::absolute(home.folder())?.join("serve.sock");
        if path.as_os_str().len() > LONGEST {
            return Err(Failure::new(
                format!("the path of the socket is too long: {}", path.display()),
                "choose a home with a shorter path (--home), or leave the part out: --without forge",
            ));
        }
        remove_stale(&path)?;
        let listening =
            Listening::on_socket(&path).with_context(|| format!("cannot listen on {}", path.display()))?;
        Ok((Self { path }, listening))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Whoever comes next removes what is left.
        let _ = fs::remove_file(&self.path);
    }
}

fn remove_stale(path: &Path) -> anyhow::Result<()> {
    match UnixStream::connect(path) {
        Ok(_) => Err(Failure::new(
            format!("another process serves at {}", path.display()),
            "stop it, or choose another home with --home",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[tokio::test]
    async fn a_socket_has_one_server_and_outlives_none() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let (socket, listening) = Socket::listen(&home).unwrap();
        let path = socket.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = Socket::listen(&home).err().unwrap().to_string();
        assert!(refused.starts_with("another process serves at "), "{refused}");
        // A process that is killed leaves the file.
        drop(listening);
        std::mem::forget(socket);
        assert!(path.exists());
        let (socket, _listening) = Socket::listen(&home).unwrap();
        drop(socket);
        assert!(!path.exists());
    }
}
