//! The token of InfluxDB: from the environment, or from a file that only its owner can read (S19).

use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A token. Cannot be printed; its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct InfluxToken(SecretString);

/// A token that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("there is no token for InfluxDB: export INFLUX_TOKEN=..., or write it into {} (chmod 600)", .0.display())]
    Missing(PathBuf),
    /// The file can be read by others.
    #[error("{} can be read by others: `chmod 600 {}` makes it yours alone", .0.display(), .0.display())]
    Open(PathBuf),
    /// It is empty, or holds what no HTTP header can.
    #[error("the token for InfluxDB is empty, or more than one line of printable characters")]
    Shape,
    /// The file cannot be read.
    #[error("cannot read {}", .0.display())]
    File(PathBuf, #[source] io::Error),
}

impl InfluxToken {
    /// Wraps a token, without the line break that files end in.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TokenError::Shape);
        }
        Ok(Self(SecretString::from(token.to_owned())))
    }

    /// The token of `INFLUX_TOKEN`, if it is set; else the one in the file, which nobody else may be able to read.
    pub fn find(variable: Option<&str>, file: &Path) -> Result<Self, TokenError> {
        match variable {
            Some(token) => Self::new(token),
            None => Self::read(file),
        }
    }

    fn read(path: &Path) -> Result<Self, TokenError> {
        let failed = |error| TokenError::File(path.to_owned(), error);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(TokenError::Missing(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        // Of the open file, so that it cannot be another one by the time it is read.
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(TokenError::Open(path.to_owned()));
        }
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text).map_err(failed)?;
        Self::new(&text)
    }

    /// For the header of a call, and to compare with one that came in.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for InfluxToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InfluxToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let missing = InfluxToken::find(None, &path).unwrap_err().to_string();
        assert!(missing.contains("export INFLUX_TOKEN"), "{missing}");
        fs::write(&path, "canary\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open = InfluxToken::find(None, &path).unwrap_err().to_string();
        assert!(open.contains("chmod 600") && !open.contains("canary"), "{open}");
        assert_eq!(InfluxToken::find(Some("other"), &path).unwrap().expose(), "other");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let token = InfluxToken::find(None, &path).unwrap();
        assert_eq!((token.expose(), format!("{token:?}").as_str()), ("canary", "InfluxToken"));
        assert!(matches!(InfluxToken::new("a\nb"), Err(TokenError::Shape)));
    }
}
