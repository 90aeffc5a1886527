//! The secret of a webhook, and signatures made with it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret of a webhook, ready to verify with. It cannot be printed (S19).
#[derive(Clone)]
pub struct HookKey(Hmac<Sha256>);

impl HookKey {
    /// From the secret as it was configured; `None` when it is empty, as anybody could sign with that.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        // HMAC takes keys of any length.
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// Whether the signature belongs to these bytes. Takes the same time however much of it is right.
    pub fn signed(&self, signature: &Signature, body: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_slice(&signature.0).is_ok()
    }

    /// Signs as GitHub does. For simulations and tests, which deliver.
    pub fn sign(&self, body: &[u8]) -> Signature {
        let mut mac = self.0.clone();
        mac.update(body);
        Signature(mac.finalize().into_bytes().into())
    }
}

/// A signature: not yet verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 32]);

impl Signature {
    /// Reads the header `X-Hub-Signature-256`: `sha256=` and 64 hex digits.
    pub fn read(header: &str) -> Option<Self> {
        let digits = header.strip_prefix("sha256=")?.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = *pair else { return None };
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bytes))
    }

    /// The header.
    pub fn header(&self) -> impl std::fmt::Display + use<> {
        Shown(self.0)
    }

    /// Its beginning, to know it again.
    pub(super) fn mark(&self) -> u128 {
        self.0.iter().take(16).fold(0, |mark, byte| mark << 8 | u128::from(*byte))
    }
}

struct Shown([u8; 32]);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256=")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of GitHub's documentation.
    const HEADER: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn githubs_own_vector_is_accepted() {
        let key = HookKey::new(b"It's a Secret to Everybody").unwrap();
        let signature = Signature::read(HEADER).unwrap();
        assert!(key.signed(&signature, b"Hello, World!"));
        assert!(!key.signed(&signature, b"Hello, World?"));
        assert!(!HookKey::new(b"another").unwrap().signed(&signature, b"Hello, World!"));
        assert_eq!(key.sign(b"Hello, World!").header().to_string(), HEADER);
    }

    #[test]
    fn only_whole_signatures_are_read() {
        for bad in
            ["", "sha256=", &HEADER[..70], &HEADER.replace("sha256", "sha1"), &HEADER.replace('7', "g")]
        {
            assert_eq!(Signature::read(bad), None, "{bad}");
        }
        assert!(Signature::read(&format!("{HEADER}0")).is_none());
        assert!(HookKey::new(b"").is_none());
    }
}
