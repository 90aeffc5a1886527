//! The token of the embedded tracker: made once, kept in a file that only its owner can read.

use crate::settings::Secret;
use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

/// The token cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can be read by others.
    #[error("the token's file can be read by others: make it yours alone (chmod 600)")]
    Open,
    /// There is no token in the file.
    #[error("there is no token in the file")]
    Empty,
    /// The file cannot be used.
    #[error("the token's file cannot be used")]
    File(#[from] io::Error),
}

/// The token in a file; made of 32 random bytes when the file is not there.
pub fn kept_token(path: &Path) -> Result<Secret, TokenError> {
    match File::open(path) {
        Ok(file) => read(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error.into()),
    }
}

fn read(file: File) -> Result<Secret, TokenError> {
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(TokenError::Open);
    }
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text)?;
    Secret::new(text).ok_or(TokenError::Empty)
}

fn make(path: &Path) -> Result<Secret, TokenError> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text = bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // Linked and not renamed: of two processes that make it at once one wins, and both read the same.
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    read(File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_token_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let made = kept_token(&path).unwrap();
        assert_eq!(made.expose().len(), 64);
        assert_eq!(kept_token(&path).unwrap().expose(), made.expose());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "canary\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = kept_token(&path).unwrap_err();
        assert!(matches!(error, TokenError::Open));
        assert!(!error.to_string().contains("canary"));
    }
}
