//! Secrets: a token, and the key of a GitHub App. Neither can be printed (S19).

use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, sync::Arc};

/// A token. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a token, without the line break that files end in. `None` when nothing is left, or when it holds what no HTTP header can.
    pub fn new(text: &str) -> Option<Self> {
        let token = text.trim();
        let fits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(SecretString::from(token.to_owned())))
    }

    /// The token itself: for the header of a request, or the credential helper of git, and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The private key of a GitHub App.
#[derive(Clone)]
pub struct AppKey(Arc<KeyPair>);

/// The key of an app cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the app's key is no RSA private key in PEM form")]
pub struct BadKey;

impl AppKey {
    /// Reads a key as GitHub hands it out: PEM, PKCS#1 or PKCS#8.
    pub fn from_pem(pem: &[u8]) -> Result<Self, BadKey> {
        let pair = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| BadKey)? {
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(BadKey),
        };
        Ok(Self(Arc::new(pair.map_err(|_| BadKey)?)))
    }

    /// The signature of a text (RS256).
    pub(super) fn sign(&self, text: &str) -> Result<Vec<u8>, BadKey> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
        signed.map(|()| signature).map_err(|_| BadKey)
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey")
    }
}
