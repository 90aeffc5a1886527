//! As whom calls are made: with a token, or as an installation of a GitHub App, whose tokens last an hour and are asked for in time.

use super::secret::{AppKey, BadKey, Secret};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// As whom calls are made.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A token of a person or a machine account, classic or fine-grained.
    Token(Secret),
    /// An installation of a GitHub App.
    App {
        /// The app's number (or client id, as digits only).
        app: u64,
        /// The number of its installation.
        installation: u64,
        /// Its key.
        key: AppKey,
    },
}

/// How far back an app's statement about itself is dated: clocks differ.
const BACK: SignedDuration = SignedDuration::from_secs(60);
/// How long it is good for; GitHub allows ten minutes.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(9);
/// How long before its end a token is replaced.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// A token of an installation.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) token: Secret,
    until: Timestamp,
}

#[derive(Deserialize)]
struct IssuedRest {
    token: String,
    expires_at: Timestamp,
}

impl Issued {
    /// Reads the answer to a request for a token.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let read: IssuedRest = serde_json::from_slice(body).ok()?;
        Some(Self { token: Secret::new(&read.token)?, until: read.expires_at })
    }

    /// Whether it can be used for a while. `now`: server time.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        self.until.duration_since(now) > EARLY
    }
}

/// An app's statement about itself, signed (a JSON Web Token). `now`: server time, as far as known.
pub(super) fn statement(app: u64, key: &AppKey, now: Timestamp) -> Result<Secret, BadKey> {
    let (from, until) = ((now - BACK).as_second(), (now + GOOD_FOR).as_second());
    let head = base64url(br#"{"alg":"RS256","typ":"JWT"}"#);
    let claims = base64url(format!(r#"{{"iat":{from},"exp":{until},"iss":"{app}"}}"#).as_bytes());
    let text = format!("{head}.{claims}");
    let signature = base64url(&key.sign(&text)?);
    Secret::new(&format!("{text}.{signature}")).ok_or(BadKey)
}

/// Base64 with the letters for URLs, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let word = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..=chunk.len() {
            let index = (word >> (18 - 6 * place)) & 63;
            out.push(char::from(LETTERS[index as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_letters_for_urls() {
        assert_eq!(base64url(b""), "");
        assert_eq!(base64url(b"f"), "Zg");
        assert_eq!(base64url(b"fo"), "Zm8");
        assert_eq!(base64url(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn secrets_are_not_printed() {
        let credential = Credential::Token(Secret::new("ghp_canary\n").unwrap());
        assert!(!format!("{credential:?}").contains("canary"));
        assert!(Secret::new("two words").is_none());
    }

    #[test]
    fn a_token_of_an_installation_is_replaced_in_time() {
        let body =
            br#"{"token":"ghs_x","expires_at":"2026-11-21T20:00:00Z","permissions":{"issues":"write"}}"#;
        let issued = Issued::read(body).unwrap();
        assert!(issued.lasts("2026-11-21T19:50:00Z".parse().unwrap()));
        assert!(!issued.lasts("2026-11-21T19:56:00Z".parse().unwrap()));
        assert!(Issued::read(b"{}").is_none());
    }
}
