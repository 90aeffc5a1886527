//! Webhooks (O4, S4, S18): bytes are verified before anything is parsed, four fields are read, the bytes are dropped. What remains is a hint to
//! look; nothing is ever believed. The receiver around it (HTTP, queueing) is the host's.

mod hint;
mod remember;
mod signature;

pub use hint::{About, Hint};
pub use remember::{Delivery, Remembered, Sight};
pub use signature::{HookKey, Signature};

/// Largest delivery, in bytes: GitHub's own cap.
pub const LARGEST_DELIVERY: usize = 25 * 1024 * 1024;

/// Why a delivery is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is no signature, or it does not belong to these bytes and our secret.
    #[error("the signature is missing or wrong")]
    Forged,
    /// It is larger than any genuine one.
    #[error("the delivery is too large")]
    TooLarge,
    /// Signed, and yet no payload of a webhook.
    #[error("the delivery cannot be read")]
    Unreadable,
}

/// Verifies a delivery and reads the four fields: `event` is the header `X-GitHub-Event`, `signature` the header `X-Hub-Signature-256`.
pub fn receive(
    key: &HookKey,
    signature: Option<Signature>,
    event: &str,
    body: &[u8],
) -> Result<Hint, Rejected> {
    if body.len() > LARGEST_DELIVERY {
        return Err(Rejected::TooLarge);
    }
    let signature = signature.ok_or(Rejected::Forged)?;
    if !key.signed(&signature, body) {
        return Err(Rejected::Forged);
    }
    Hint::read(event, body).ok_or(Rejected::Unreadable)
}
