//! GitHub's webhooks (O4): verified, remembered, answered at once. All that comes of one is that a repository's bell rings; how things stand is
//! always read anew, so order, loss, repetition and delay change nothing in the end. What was delivered is remembered as long as the process
//! lives; one that is replayed after a restart is one more look and nothing else, and a second time it is known again.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use banksman_core::text::RepoName;
use banksman_forge::github::webhook::{
    Delivery, Hint, HookKey, LARGEST_DELIVERY, Rejected, Remembered, Sight, Signature, receive,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// Deliveries larger than this wait for one another, so that many at once do not fill the memory. In bytes.
const LARGE: usize = 1024 * 1024;
/// Large deliveries at a time.
const LARGE_AT_ONCE: usize = 4;
/// How long a delivery may take to come in: GitHub itself gives up after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a repository is looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is: its bell was rung.
    Here,
    /// It is not.
    Nowhere,
}

/// Rings for a repository, by the name that GitHub has for it now.
pub(super) type Ring = Box<dyn Fn(&RepoName) -> Heard + Send + Sync>;

/// Takes in deliveries.
pub(super) struct Receiver {
    key: HookKey,
    ring: Ring,
    remembered: Mutex<Remembered>,
    large: Semaphore,
    patience: Duration,
}

impl Receiver {
    /// Rings when a delivery is signed with this secret.
    pub(super) fn new(key: HookKey, ring: Ring) -> Self {
        Self {
            key,
            ring,
            remembered: Mutex::default(),
            large: Semaphore::new(LARGE_AT_ONCE),
            patience: PATIENCE,
        }
    }

    async fn take(&self, headers: &HeaderMap, body: Body) -> Answer {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // Without one there is nothing to verify, so nothing is read.
        let Some(signature) = text("x-hub-signature-256").and_then(Signature::read) else {
            return Answer::Rejected(Rejected::Forged);
        };
        let length = text(header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > LARGEST_DELIVERY) {
            return Answer::Rejected(Rejected::TooLarge);
        }
        let _place = match length {
            Some(length) if length <= LARGE => None,
            // It is never closed.
            Some(_) | None => self.large.acquire().await.ok(),
        };
        let body = match timeout(self.patience, to_bytes(body, LARGEST_DELIVERY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Answer::Rejected(Rejected::TooLarge),
            Err(_) => return Answer::TooSlow,
        };
        let event = text("x-github-event").unwrap_or_default();
        let hint = match receive(&self.key, Some(signature), event, &body) {
            Ok(hint) => hint,
            Err(rejected) => return Answer::Rejected(rejected),
        };
        let delivery = text("x-github-delivery").and_then(Delivery::read);
        let sight = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).note(delivery, &signature);
        match (sight, hint) {
            (Sight::Repeat, _) => Answer::Repeat,
            (Sight::First, Hint::Nothing) => Answer::Nothing,
            (Sight::First, Hint::Look { repo, about: _ }) => match (self.ring)(&repo) {
                Heard::Here => Answer::Look,
                Heard::Nowhere => Answer::Nothing,
            },
        }
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Look,
    Nothing,
    Repeat,
    TooSlow,
    Rejected(Rejected),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Look => (StatusCode::ACCEPTED, "a look will be taken\n"),
            Self::Nothing => (StatusCode::OK, "nothing to look at\n"),
            Self::Repeat => (StatusCode::OK, "known already\n"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too slow\n"),
            Self::Rejected(Rejected::Forged) => {
                (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n")
            }
            Self::Rejected(Rejected::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, "too large\n"),
            Self::Rejected(Rejected::Unreadable) => (
                StatusCode::BAD_REQUEST,
                "no payload of a webhook: its content type has to be application/json\n",
            ),
        }
        .into_response()
    }
}

async fn deliver(State(receiver): State<Arc<Receiver>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let answer = receiver.take(&parts.headers, body).await;
    tracing::debug!(?answer, "a webhook was delivered");
    answer
}

/// The one path.
pub(super) fn router(receiver: Receiver) -> Router {
    Router::new()
        .route("/webhooks/github", post(deliver))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(receiver))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that were rung for.
    type Rung = Arc<Mutex<Vec<String>>>;

    fn key() -> HookKey {
        HookKey::new(b"secret").unwrap()
    }

    fn receiver() -> (Receiver, Rung) {
        let rung = Rung::default();
        let heard = Arc::clone(&rung);
        let ring = Box::new(move |repo: &RepoName| {
            if !repo.as_str().eq_ignore_ascii_case("Acme/Shop") {
                return Heard::Nowhere;
            }
            heard.lock().unwrap().push(repo.to_string());
            Heard::Here
        });
        (Receiver::new(key(), ring), rung)
    }

    fn payload(repo: &str, number: u32) -> String {
        format!(
            r#"{{"action":"opened","repository":{{"full_name":"{repo}"}},"pull_request":{{"number":{number}}}}}"#
        )
    }

    async fn take(receiver: &Receiver, signature: &str, id: u32, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", signature.parse().unwrap());
        headers.insert("x-github-event", "pull_request".parse().unwrap());
        headers.insert("x-github-delivery", format!("72d3162e-cc78-11e3-81ab-{id:012x}").parse().unwrap());
        receiver.take(&headers, Body::from(body.to_owned())).await
    }

    fn signed(body: &str) -> String {
        key().sign(body.as_bytes()).header().to_string()
    }

    #[tokio::test]
    async fn a_delivery_rings_for_its_repository_once() {
        let (receiver, rung) = receiver();
        let first = payload("acme/shop", 1);
        assert_eq!(take(&receiver, &signed(&first), 1, &first).await, Answer::Look);
        // Again, and again under another id: the same signature tells.
        assert_eq!(take(&receiver, &signed(&first), 1, &first).await, Answer::Repeat);
        assert_eq!(take(&receiver, &signed(&first), 2, &first).await, Answer::Repeat);
        assert_eq!(*rung.lock().unwrap(), ["acme/shop"]);
        // A later one that comes first, and then the earlier one: both are news.
        let (second, third) = (payload("acme/shop", 2), payload("acme/shop", 3));
        assert_eq!(take(&receiver, &signed(&third), 4, &third).await, Answer::Look);
        assert_eq!(take(&receiver, &signed(&second), 3, &second).await, Answer::Look);
        assert_eq!(rung.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn forged_and_foreign_ones_ring_nothing() {
        let (receiver, rung) = receiver();
        let (body, other) = (payload("acme/shop", 1), payload("acme/else", 1));
        let by_other = HookKey::new(b"another").unwrap().sign(body.as_bytes()).header().to_string();
        for signature in ["", "sha256=", "sha1=00", &by_other, &signed(&other)] {
            let answer = take(&receiver, signature, 1, &body).await;
            assert_eq!(answer, Answer::Rejected(Rejected::Forged), "{signature}");
        }
        assert_eq!(take(&receiver, &signed(&other), 1, &other).await, Answer::Nothing);
        assert_eq!(take(&receiver, &signed("{"), 2, "{").await, Answer::Rejected(Rejected::Unreadable));
        assert!(rung.lock().unwrap().is_empty());
        // A forged one with the id of a genuine one that is to come takes nothing from that one.
        let _ = take(&receiver, &by_other, 9, &body).await;
        assert_eq!(take(&receiver, &signed(&body), 9, &body).await, Answer::Look);
    }

    #[tokio::test]
    async fn what_is_replayed_after_a_restart_is_one_more_look_and_nothing_else() {
        let (body, (before, _), (after, rung)) = (payload("acme/shop", 1), receiver(), receiver());
        assert_eq!(take(&before, &signed(&body), 1, &body).await, Answer::Look);
        assert_eq!(take(&after, &signed(&body), 1, &body).await, Answer::Look);
        for id in 1..100 {
            assert_eq!(take(&after, &signed(&body), id, &body).await, Answer::Repeat);
        }
        assert_eq!(rung.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_does_not_come_in_is_not_waited_for() {
        let (mut receiver, rung) = receiver();
        receiver.patience = Duration::ZERO;
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", signed("x").parse().unwrap());
        let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(receiver.take(&headers, never).await, Answer::TooSlow);
        assert!(rung.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_says_it_is_too_large_is_not_read() {
        let (receiver, _) = receiver();
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", signed("x").parse().unwrap());
        headers.insert("content-length", (LARGEST_DELIVERY + 1).into());
        assert_eq!(receiver.take(&headers, Body::empty()).await, Answer::Rejected(Rejected::TooLarge));
    }
}
