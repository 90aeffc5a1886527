//! The way to a tracker: over HTTP, or through a program. One function makes every call (T1), and the token is seen here only (T2).

use crate::{
    answer::{Answer, CallError, LARGEST},
    program,
    settings::{BadSettings, Kind, Program, Secret, TrackerSettings},
};
use banksman_core::port::tracker::Fault;
use reqwest::{
    Client, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{sync::Arc, time::Duration};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take altogether.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Named to GitHub, which refuses callers without a name.
const AGENT: &str = concat!("banksman/", env!("CARGO_PKG_VERSION"));

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What becomes of the body of an answer with status 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Errors {
    /// It is dropped; the status says enough.
    #[default]
    Drop,
    /// It is read like any other: GraphQL says there what was wrong.
    Read,
}

/// A call.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query, from the base URL on.
    pub(crate) path: String,
    /// The body: JSON, none for calls that only read.
    pub(crate) json: Option<String>,
    pub(crate) errors: Errors,
}

impl Request {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::Get, path, json: None, errors: Errors::Drop }
    }

    pub(crate) fn delete(path: String) -> Self {
        Self { method: Method::Delete, ..Self::get(path) }
    }

    pub(crate) fn with(
        method: Method,
        path: String,
        body: &impl serde::Serialize,
    ) -> Result<Self, CallError> {
        let json =
            serde_json::to_string(body).map_err(|_| CallError::Request("its body cannot be written"))?;
        Ok(Self { method, path, json: Some(json), errors: Errors::Drop })
    }
}

/// An open way to a tracker. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Way>);

enum Way {
    Http { client: Client, base: String, token: Option<HeaderValue> },
    Program { program: Program, api: String, token: Option<Secret>, product: Option<String> },
}

impl Connection {
    /// Makes ready; nothing is sent.
    pub(crate) fn open(settings: &TrackerSettings) -> Result<Self, BadSettings> {
        let api = settings.api().to_owned();
        if let Some(program) = &settings.program {
            if settings.kind != Kind::Items {
                return Err(BadSettings::Program);
            }
            let (program, token) = (program.clone(), settings.token.clone());
            let product = settings.product.clone();
            return Ok(Self(Arc::new(Way::Program { program, api, token, product })));
        }
        let url = Url::parse(&api).map_err(|_| BadSettings::Api)?;
        let named = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || named || url.query().is_some() {
            return Err(BadSettings::Api);
        }
        let token = settings.token.as_ref().map(|token| authorization(&settings.kind, token)).transpose()?;
        if url.scheme() == "http" && !is_loopback(&url) && token.is_some() {
            tracing::warn!("the tracker's API is not encrypted: its token can be read on the way");
        }
        let client = client(&url, &settings.kind)?;
        Ok(Self(Arc::new(Way::Http { client, base: api, token })))
    }

    /// Makes a call: the one function through which every call to every tracker goes (T1).
    pub(crate) async fn call(&self, request: Request) -> Result<Answer, CallError> {
        let method = request.method.as_str();
        let answer = match &*self.0 {
            Way::Http { client, base, token } => over_http(client, base, token.as_ref(), request).await,
            Way::Program { program, api, token, product } => {
                program::run(program, api, token.as_ref(), product.as_deref(), request).await
            }
        };
        match &answer {
            Ok(answer) => tracing::debug!(method, bytes = answer.0.len(), "the tracker answered"),
            Err(error) => tracing::debug!(method, ?error, "the tracker gave no answer of use"),
        }
        answer
    }
}

async fn over_http(
    client: &Client,
    base: &str,
    token: Option<&HeaderValue>,
    request: Request,
) -> Result<Answer, CallError> {
    let token = token.ok_or(CallError::Request("there is no token (AQ_TRACKER_TOKEN)"))?;
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut call = client.request(method, format!("{base}{}", request.path)).header(AUTHORIZATION, token);
    if let Some(json) = request.json {
        call = call.header(CONTENT_TYPE, "application/json").body(json);
    }
    let mut response = call.send().await.map_err(|error| {
        if error.is_connect() {
            CallError::Fault(Fault::Unreachable)
        } else if error.is_builder() {
            CallError::Request("its URL is not valid")
        } else {
            CallError::Fault(Fault::Unclear)
        }
    })?;
    let status = response.status().as_u16();
    if let Some(error) = CallError::of_status(status)
        && !(status == 400 && request.errors == Errors::Read)
    {
        return Err(error);
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(CallError::Answer("it is too long")),
            Ok(None) => return Ok(Answer(body)),
            Err(_) => return Err(CallError::Fault(Fault::Unclear)),
        }
    }
}

fn client(url: &Url, kind: &Kind) -> Result<Client, BadSettings> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| BadSettings::Certificates)?;
    // Reading the certificates of the system takes some milliseconds; plain HTTP needs none, and redirects are not followed.
    let tls = if url.scheme() == "https" {
        tls.with_platform_verifier().map_err(|_| BadSettings::Certificates)?.with_no_client_auth()
    } else {
        tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    let mut headers = HeaderMap::new();
    let accept = match kind {
        Kind::GitHub { .. } => "application/vnd.github+json",
        Kind::Items | Kind::Linear { .. } => "application/json",
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    if matches!(kind, Kind::GitHub { .. }) {
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    }
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(AGENT)
        .default_headers(headers)
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        // A kept connection may be closed by the other side just when it is used again; then nobody knows whether a comment arrived.
        .pool_max_idle_per_host(0)
        // A redirect could carry the token to another host.
        .redirect(reqwest::redirect::Policy::none());
    if is_loopback(url) {
        client = client.no_proxy();
    }
    client.build().map_err(|_| BadSettings::Certificates)
}

/// Whether the API is on this host.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The header with the token. Personal keys of Linear stand there bare.
fn authorization(kind: &Kind, token: &Secret) -> Result<HeaderValue, BadSettings> {
    let bare = matches!(kind, Kind::Linear { .. }) && token.expose().starts_with("lin_api_");
    let text = if bare { token.expose().to_owned() } else { format!("Bearer {}", token.expose()) };
    let mut value = HeaderValue::try_from(text).map_err(|_| BadSettings::Api)?;
    // Marked, so that no library prints it.
    value.set_sensitive(true);
    Ok(value)
}
