//! InfluxDB 2 (and what speaks its write API): `POST /api/v2/write`. A batch that arrives twice overwrites itself, because every line has its
//! series and its time.

use crate::token::InfluxToken;
use banksman_core::{
    port::training::{Sink, SinkError},
    training::{Point, line_protocol::LineWriter},
};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::{sync::Arc, time::Duration};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a batch may take altogether.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach it.
#[derive(Debug, Clone)]
pub struct InfluxSettings {
    /// Base URL, `https://HOST`; plain `http` on this host alone.
    pub url: String,
    /// The organisation.
    pub org: String,
    /// The bucket.
    pub bucket: String,
    /// The token.
    pub token: InfluxToken,
    /// Longest time that a batch may take; `None`: half a minute.
    pub patience: Option<Duration>,
}

/// Settings with which it cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadInflux {
    /// The URL is none, or has a name and password in it.
    #[error("the URL of InfluxDB must be an http or https URL without a name or password in it")]
    Url,
    /// The token would go over the network unencrypted.
    #[error("the URL of InfluxDB must be https beyond this host: its token could be read on the way")]
    Plain,
    /// Organisation or bucket is empty.
    #[error("InfluxDB needs an organisation and a bucket")]
    Place,
    /// This system's certificates cannot be used.
    #[error("this system's certificates cannot be used")]
    Certificates,
}

/// The sink.
pub struct Influx {
    client: Client,
    url: Url,
    token: HeaderValue,
}

impl Influx {
    /// Makes ready; nothing is sent.
    pub fn open(settings: &InfluxSettings) -> Result<Self, BadInflux> {
        let mut url = Url::parse(settings.url.trim_end_matches('/')).map_err(|_| BadInflux::Url)?;
        let named = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || named || url.query().is_some() {
            return Err(BadInflux::Url);
        }
        if settings.org.is_empty() || settings.bucket.is_empty() {
            return Err(BadInflux::Place);
        }
        let loopback = is_loopback(&url);
        if url.scheme() == "http" && !loopback {
            return Err(BadInflux::Plain);
        }
        url.set_path(&format!("{}/api/v2/write", url.path().trim_end_matches('/')));
        url.query_pairs_mut()
            .append_pair("org", &settings.org)
            .append_pair("bucket", &settings.bucket)
            .append_pair("precision", "ns");
        let mut token = HeaderValue::try_from(format!("Token {}", settings.token.expose()))
            .map_err(|_| BadInflux::Place)?;
        // Marked, so that no library prints it.
        token.set_sensitive(true);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| BadInflux::Certificates)?;
        let tls = if url.scheme() == "https" {
            tls.with_platform_verifier().map_err(|_| BadInflux::Certificates)?.with_no_client_auth()
        } else {
            tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        };
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("banksman/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(settings.patience.unwrap_or(PATIENCE))
            // A redirect could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none());
        if loopback {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|_| BadInflux::Certificates)?;
        Ok(Self { client, url, token })
    }
}

impl Sink for Influx {
    async fn write(&self, points: &[Point]) -> Result<(), SinkError> {
        let mut lines = LineWriter::new();
        for point in points {
            // Every part of a point has a shape that a line can hold.
            point.write(&mut lines).map_err(|_| SinkError::Refused)?;
        }
        let call = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(lines.into_text());
        let answer = call.send().await.map_err(|_| SinkError::Away)?;
        // What the server says in words is never read: only its status decides.
        of_status(answer.status().as_u16())
    }
}

fn of_status(status: u16) -> Result<(), SinkError> {
    Err(match status {
        200..=299 => return Ok(()),
        401 | 403 => SinkError::Denied,
        404 => SinkError::NoPlace,
        400 | 413 | 422 => SinkError::Refused,
        507 => SinkError::Full,
        _ => SinkError::Away,
    })
}

/// Whether it is on this host.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> InfluxSettings {
        let token = InfluxToken::new("t").unwrap();
        InfluxSettings { url: url.into(), org: "o".into(), bucket: "b c".into(), token, patience: None }
    }

    #[test]
    fn a_token_never_goes_over_the_network_in_plain() {
        assert_eq!(Influx::open(&settings("http://db.example:8086")).err(), Some(BadInflux::Plain));
        assert_eq!(Influx::open(&settings("ftp://localhost")).err(), Some(BadInflux::Url));
        assert_eq!(Influx::open(&settings("http://me:pw@localhost")).err(), Some(BadInflux::Url));
        let influx = Influx::open(&settings("http://localhost:8086/")).unwrap();
        assert_eq!(influx.url.as_str(), "http://localhost:8086/api/v2/write?org=o&bucket=b+c&precision=ns");
        assert!(!format!("{:?}", influx.token).contains("Token t"));
    }

    #[test]
    fn only_the_status_decides() {
        assert_eq!(of_status(204), Ok(()));
        assert_eq!(of_status(401), Err(SinkError::Denied));
        assert_eq!(of_status(503), Err(SinkError::Away));
        assert_eq!(of_status(429), Err(SinkError::Away));
        assert_eq!(of_status(400), Err(SinkError::Refused));
        assert_eq!(of_status(302), Err(SinkError::Away));
    }
}
