//! The real way to the API: HTTP over TLS. Only here the token is seen. Reads keep their connections; a write opens one of its own, because a
//! kept one may be closed by the other side just when it is used, and then nobody knows whether the write arrived.

use super::{
    api::Api,
    caller::lock,
    credential::{Credential, Issued, statement},
    secret::Secret,
    transport::{Kind, LARGEST_ANSWER, Request, Response, SendError, Transport, Verb},
};
use crate::local::Now;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take altogether; GitHub gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an unused connection is kept.
const KEPT: Duration = Duration::from_secs(30);
/// GitHub refuses callers without a name.
const AGENT: &str = concat!("banksman/", env!("CARGO_PKG_VERSION"));
/// The version of the REST API that is spoken.
const VERSION: &str = "2022-11-28";

/// HTTP to one API with one credential.
pub struct HttpTransport {
    api: Api,
    reads: Client,
    writes: Client,
    credential: Credential,
    now: Now,
    /// The token of an app's installation; held while a new one is asked for.
    issued: tokio::sync::Mutex<Option<Issued>>,
    /// How far the server's clock is ahead.
    ahead: Mutex<SignedDuration>,
}

/// The way to the API cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// This system's certificates cannot be used.
    #[error("the certificates of this system cannot be used")]
    Certificates,
}

impl HttpTransport {
    /// Makes ready; nothing is sent.
    pub fn open(api: Api, credential: Credential, now: Now) -> Result<Self, OpenError> {
        if !api.is_encrypted() && !api.is_loopback() {
            tracing::warn!("GitHub's API is not encrypted there: the token can be read on the way");
        }
        let reads = client(&api, Some(KEPT))?;
        let writes = client(&api, None)?;
        let ahead = Mutex::new(SignedDuration::ZERO);
        Ok(Self { api, reads, writes, credential, now, issued: tokio::sync::Mutex::default(), ahead })
    }

    /// The API that is spoken to.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The token to be used now, for whoever speaks git with the same host.
    pub async fn token(&self) -> Result<Secret, SendError> {
        match self.authorize().await {
            Ok(token) => Ok(token),
            Err(Unauthorized::Answer(_) | Unauthorized::Nothing) => Err(SendError::NotSent),
        }
    }

    fn server_now(&self) -> Timestamp {
        let now = (self.now)();
        now.checked_add(*lock(&self.ahead)).unwrap_or(now)
    }

    /// The token for a request; that of an installation is asked for when there is none that lasts.
    async fn authorize(&self) -> Result<Secret, Unauthorized> {
        let (app, installation, key) = match &self.credential {
            Credential::Token(token) => return Ok(token.clone()),
            Credential::App { app, installation, key } => (*app, *installation, key),
        };
        let mut issued = self.issued.lock().await;
        if let Some(issued) = issued.as_ref().filter(|issued| issued.lasts(self.server_now())) {
            return Ok(issued.token.clone());
        }
        // A clock that is wrong is noticed by the first refusal, whose date is the server's.
        for last in [false, true] {
            let claim = statement(app, key, self.server_now()).map_err(|_| Unauthorized::Nothing)?;
            let request = Request {
                verb: Verb::Post,
                path: format!("/app/installations/{installation}/access_tokens"),
                headers: Vec::new(),
                body: None,
                kind: Kind::Write,
                operation: "installation_token",
            };
            let answer = self.over_http(&request, &claim).await.map_err(|_| Unauthorized::Nothing)?;
            match answer.status {
                201 => {
                    let new = Issued::read(&answer.body).ok_or(Unauthorized::Nothing)?;
                    let token = new.token.clone();
                    *issued = Some(new);
                    return Ok(token);
                }
                401 if !last => {}
                500..=599 => return Err(Unauthorized::Nothing),
                _ => return Err(Unauthorized::Answer(answer)),
            }
        }
        Err(Unauthorized::Nothing)
    }

    /// Sends one request as it is.
    async fn over_http(&self, request: &Request, token: &Secret) -> Result<Response, SendError> {
        let client = match request.kind {
            Kind::Read => &self.reads,
            Kind::Write => &self.writes,
        };
        let method = match request.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Patch => Method::PATCH,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| SendError::NotSent)?;
        // Marked, so that no library prints it.
        bearer.set_sensitive(true);
        let mut call = client.request(method, self.api.url(&request.path)).header(AUTHORIZATION, bearer);
        for (name, value) in &request.headers {
            call = call.header(HeaderName::from_static(name), value);
        }
        if let Some(body) = &request.body {
            call = call.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let mut answer = call.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() { SendError::NotSent } else { SendError::NoAnswer }
        })?;
        let status = answer.status().as_u16();
        let headers = readable(answer.headers());
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => {
                    body.extend_from_slice(&chunk)
                }
                Ok(None) => break,
                // Too long, or cut off.
                Ok(Some(_)) | Err(_) => return Err(SendError::NoAnswer),
            }
        }
        let response = Response { status, headers, body };
        if let Some(date) =
            response.header("date").and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok())
        {
            *lock(&self.ahead) = date.duration_since((self.now)());
        }
        Ok(response)
    }
}

/// There is no token.
enum Unauthorized {
    /// GitHub refused to give one.
    Answer(Response),
    /// It could not be asked.
    Nothing,
}

impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let token = match self.authorize().await {
            Ok(token) => token,
            // An app that was removed or suspended: its refusal is the answer to everything.
            Err(Unauthorized::Answer(answer)) => return Ok(Response { status: 401, ..answer }),
            Err(Unauthorized::Nothing) => return Err(SendError::NotSent),
        };
        self.over_http(&request, &token).await
    }
}

/// Headers that are text; the few that matter all are.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn client(api: &Api, kept: Option<Duration>) -> Result<Client, OpenError> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| OpenError::Certificates)?;
    // Reading the certificates of the system takes some milliseconds; plain HTTP needs none, and redirects are not followed.
    let tls = if api.is_encrypted() {
        tls.with_platform_verifier().map_err(|_| OpenError::Certificates)?.with_no_client_auth()
    } else {
        tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
    headers.insert("x-github-api-version", HeaderValue::from_static(VERSION));
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(AGENT)
        .default_headers(headers)
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .pool_idle_timeout(kept)
        .pool_max_idle_per_host(if kept.is_some() { 8 } else { 0 })
        // A redirect could carry the token to another host.
        .redirect(reqwest::redirect::Policy::none());
    if api.is_loopback() {
        client = client.no_proxy();
    }
    client.build().map_err(|_| OpenError::Certificates)
}
