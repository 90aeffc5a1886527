//! Who comes in: whoever names this host and brings the token (S17). Also the patience that a request gets.

use super::{LARGEST, wire::Problem};
use crate::settings::Secret;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a request may take, its body included.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a request has to bring.
pub struct Gate {
    /// Hash of the token, so that comparing takes the same time however much of it is right.
    token: [u8; 32],
    hosts: Hosts,
}

impl Gate {
    /// A gate for this token and these names.
    pub fn new(token: &Secret, hosts: Hosts) -> Self {
        Self { token: Sha256::digest(token.expose()).into(), hosts }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !text(header::HOST).is_some_and(|host| self.hosts.has(host)) {
            return Err(Problem::WrongHost);
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            // A page may call only if it came from here.
            let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            if !host.is_some_and(|(_, host)| self.hosts.has(host)) {
                return Err(Problem::WrongHost);
            }
        }
        let token = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let given: [u8; 32] = Sha256::digest(token.unwrap_or_default()).into();
        let differing = given.iter().zip(&self.token).fold(0, |differing, (a, b)| differing | (a ^ b));
        if differing != 0 {
            return Err(Problem::Unauthorized);
        }
        // Said before anything is sent; what is longer than it says is cut off while it is read.
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > LARGEST) { Err(Problem::TooLarge) } else { Ok(()) }
    }
}

/// The names under which this server is called, without ports.
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Those of the address it listens on, and these.
    pub fn of(address: IpAddr, more: impl IntoIterator<Item = String>) -> Self {
        let own = match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        let mut hosts: Vec<String> = more.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.push(own);
        if address.is_loopback() || address.is_unspecified() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Self(hosts)
    }

    /// Whether a `Host` header, or the part of an `Origin` behind `://`, is one of them; a port does not matter.
    pub fn has(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Lets a request in or answers it here.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    if let Err(problem) = gate.check(request.headers()) {
        return problem.into_response();
    }
    let method = request.method().clone();
    let response = timeout(PATIENCE, next.run(request)).await;
    let response = response.unwrap_or_else(|_| Problem::TooSlow.into_response());
    tracing::debug!(%method, status = response.status().as_u16(), "the tracker was called");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_hosts() {
        let hosts = Hosts::of([127, 0, 0, 1].into(), ["Tracker.internal".to_owned()]);
        for good in
            ["localhost", "LOCALHOST:4003", "127.0.0.1:1", "[::1]:4003", "[::1]", "tracker.internal:80"]
        {
            assert!(hosts.has(good), "{good}");
        }
        for bad in ["", "evil.example", "localhost.evil.example", "localhost:", "127.0.0.1:80:80", "::1"] {
            assert!(!hosts.has(bad), "{bad}");
        }
    }
}
