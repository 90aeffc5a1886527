//! Ids as an export shows them: as recorded, or hashed with a salt so that nobody without it can tell which repository, pull request or
//! account is meant, while the same one always has the same hash.

use crate::table::Cleaning;
use banksman_core::{id::Number, text::Login, training::RepoTag};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// Shortest salt that is taken, in bytes.
const SHORTEST: usize = 16;

/// The key of the hashes. Cannot be printed.
#[derive(Clone)]
pub struct Salt(Vec<u8>);

/// A salt that is too short to keep anything secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a salt needs at least {SHORTEST} bytes")]
pub struct ShortSalt;

impl Salt {
    /// Takes the bytes of a salt; space at the end does not count.
    pub fn new(bytes: &[u8]) -> Result<Self, ShortSalt> {
        let bytes = bytes.trim_ascii_end();
        if bytes.len() < SHORTEST { Err(ShortSalt) } else { Ok(Self(bytes.to_owned())) }
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// How ids are shown.
#[derive(Debug, Clone)]
pub enum Ids {
    /// As recorded.
    AsRecorded,
    /// As the first 128 bits of HMAC-SHA-256 in lower-case hex.
    Hashed(Salt),
}

impl Ids {
    /// What that is for a data set.
    pub fn cleaning(&self) -> Cleaning {
        match self {
            Self::AsRecorded => Cleaning::AsRecorded,
            Self::Hashed(_) => Cleaning::Clean,
        }
    }

    /// A repository.
    pub fn repo(&self, repo: &RepoTag) -> String {
        match self {
            Self::AsRecorded => repo.as_str().to_owned(),
            Self::Hashed(salt) => hash(salt, "repo", repo.as_str()),
        }
    }

    /// A pull request; `None`: its number is shown.
    pub fn pull(&self, repo: &RepoTag, pull: Number) -> Option<String> {
        match self {
            Self::AsRecorded => None,
            Self::Hashed(salt) => Some(hash(salt, "pr", &format!("{repo}#{pull}"))),
        }
    }

    /// An account.
    pub fn author(&self, login: &Login) -> String {
        match self {
            Self::AsRecorded => login.as_str().to_owned(),
            Self::Hashed(salt) => hash(salt, "author", login.as_str()),
        }
    }
}

/// The kind goes in as well, so that an account and a repository of one name have nothing in common.
fn hash(salt: &Salt, kind: &str, id: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&salt.0).expect("any key is good");
    mac.update(kind.as_bytes());
    mac.update(b"\0");
    mac.update(id.as_bytes());
    mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_has_the_same_hash_under_the_same_salt_alone() {
        let ids = |salt: &str| Ids::Hashed(Salt::new(salt.as_bytes()).unwrap());
        let (one, other) = (ids("0123456789abcdef"), ids("0123456789abcdeX"));
        let (login, repo) = (Login::new("octo").unwrap(), RepoTag::new("octo").unwrap());
        assert_eq!(one.author(&login), one.author(&login));
        assert_ne!(one.author(&login), other.author(&login));
        assert_ne!(one.author(&login), one.repo(&repo));
        assert_eq!(one.author(&login).len(), 32);
        assert_eq!(Ids::AsRecorded.author(&login), "octo");
        // A line break that an editor put at the end is not part of a salt.
        assert_eq!(ids("0123456789abcdef\n").author(&login), one.author(&login));
        assert!(Salt::new(b"short\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n").is_err());
        assert_eq!(format!("{one:?}"), "Hashed(Salt(..))");
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        // RFC 4231 gives no case with our prefix; this one is of another implementation (Python's hmac).
        let ids = Ids::Hashed(Salt::new(b"0123456789abcdef").unwrap());
        assert_eq!(ids.author(&Login::new("octo").unwrap()), "8f726a0b69309ebedd584c6a2b42549e");
    }
}
