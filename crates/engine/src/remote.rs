//! Where a repository of the forge is: a folder of this host, or a server reached over HTTPS with a credential that is asked for anew each
//! time. What it takes to talk to the latter is in `network`.

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a repository of the forge is.
#[derive(Debug, Clone)]
pub enum Remote {
    /// Its git directory on this host.
    Folder(PathBuf),
    /// On a server.
    Https(HttpsRemote),
}

/// A repository on a server.
#[derive(Clone)]
pub struct HttpsRemote {
    url: RemoteUrl,
    ask: AskCredential,
}

/// Asks for the credential of a remote. It is called before each command that talks to the server, so that a token that ends is
/// replaced in time.
pub type AskCredential = Arc<dyn Fn() -> BoxFuture<'static, Result<Credential, NoCredential>> + Send + Sync>;

/// There is no credential now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no credential for the forge's repository")]
pub struct NoCredential;

/// What a server wants to be told before it gives or takes anything (S19): it cannot be printed.
#[derive(Clone)]
pub struct Credential {
    user: &'static str,
    secret: SecretString,
}

impl Credential {
    /// A token of GitHub's, of a person or of an app's installation. `None` where it has characters that no token has.
    pub fn token(token: &str) -> Option<Self> {
        let fits = !token.is_empty() && token.len() <= 1024 && token.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self { user: "x-access-token", secret: SecretString::from(token.to_owned()) })
    }

    /// The value of the header `Authorization`.
    pub(crate) fn basic(&self) -> SecretString {
        let pair = SecretString::from(format!("{}:{}", self.user, self.secret.expose_secret()));
        SecretString::from(format!("Basic {}", base64(pair.expose_secret().as_bytes())))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// The address of a repository on a server: `https://`, or `http://` where it never leaves this host; no user, password, query or fragment
/// in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl(Arc<str>);

/// An address that no repository is fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of a repository begins with https:// and holds neither user nor password")]
pub struct BadUrl;

impl RemoteUrl {
    /// Checks the shape; the error does not repeat the text.
    pub fn new(url: &str) -> Result<Self, BadUrl> {
        let plain = url.len() <= 1000
            && url.bytes().all(|b| b.is_ascii_graphic())
            && !url.contains(['@', '?', '#', '\\', '"', '\'', '`', '%']);
        let (rest, encrypted) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(BadUrl),
        };
        let (host, path) = rest.split_once('/').ok_or(BadUrl)?;
        let climbs = path.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if plain && !host.is_empty() && !climbs && (encrypted || is_this_host(host)) {
            Ok(Self(url.into()))
        } else {
            Err(BadUrl)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0[host..].find('/').map_or(self.0.len(), |at| host + at);
        &self.0[..end]
    }

    /// The one scheme it is reached by.
    pub(crate) fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or("https")
    }
}

/// Whether a host, with a port or without, is this one.
fn is_this_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl HttpsRemote {
    /// A repository on a server. `ask` gives the credential.
    pub fn new(url: RemoteUrl, ask: AskCredential) -> Self {
        Self { url, ask }
    }

    /// Its address.
    pub fn url(&self) -> &RemoteUrl {
        &self.url
    }

    pub(crate) async fn credential(&self) -> Result<Credential, NoCredential> {
        (self.ask)().await
    }
}

impl fmt::Debug for HttpsRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpsRemote").field(&self.url).finish()
    }
}

impl Remote {
    /// Its git directory, where it is on this host.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Https(_) => None,
        }
    }
}

impl From<PathBuf> for Remote {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<HttpsRemote> for Remote {
    fn from(remote: HttpsRemote) -> Self {
        Self::Https(remote)
    }
}

/// The standard alphabet with padding (RFC 4648, section 4), for one header.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard_are_encoded() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn only_plain_addresses_of_a_repository_are_taken() {
        for good in [
            "https://github.com/acme/shop.git",
            "https://ghe.example.org:8443/acme/shop.git",
            "http://127.0.0.1:7878/local/shop.git",
            "http://localhost/local/shop.git",
            "http://[::1]:7878/local/shop.git",
        ] {
            assert_eq!(RemoteUrl::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "https://github.com",
            "http://github.com/acme/shop.git",
            "http://127.0.0.1.example.org/a.git",
            "https://me:secret@github.com/acme/shop.git",
            "https://github.com/a/../b.git",
            "https://github.com//b.git",
            "https:///b.git",
            "https://github.com/a.git?x=1",
            "ssh://github.com/a.git",
            "ext::sh -c id",
            "https://github.com/a b.git",
            "--upload-pack=x",
        ] {
            assert_eq!(RemoteUrl::new(bad), Err(BadUrl), "{bad}");
        }
    }

    #[test]
    fn the_origin_is_what_stands_before_the_path() {
        let url = RemoteUrl::new("https://ghe.example.org:8443/acme/shop.git").unwrap();
        assert_eq!((url.origin(), url.scheme()), ("https://ghe.example.org:8443", "https"));
    }

    #[test]
    fn nothing_prints_a_credential() {
        let credential = Credential::token("ghp_canary").unwrap();
        let ask: AskCredential = {
            let credential = credential.clone();
            Arc::new(move || {
                let credential = credential.clone();
                Box::pin(async move { Ok(credential) })
            })
        };
        let url = RemoteUrl::new("https://github.com/acme/shop.git").unwrap();
        let remote = Remote::from(HttpsRemote::new(url, ask));
        assert!(!format!("{credential:?} {remote:?}").contains("canary"));
        assert_eq!(credential.basic().expose_secret(), "Basic eC1hY2Nlc3MtdG9rZW46Z2hwX2NhbmFyeQ==");
        assert!(Credential::token("two\nlines").is_none());
    }
}
