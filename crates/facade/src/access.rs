//! Who may ask, and as whom. On the Unix socket, which only the home's owner can open, no token is needed; over TCP each
//! request needs one, a `Host` that is this server's, and no foreign `Origin` (S17, O7).

use crate::problem::Problem;
use axum::http::{HeaderMap, header};
use banksman_core::{port::book::Who, text::Login};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A token that was given out. Only its hash is kept; it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// Of a secret.
    pub fn of(secret: &SecretString) -> Self {
        Self::hash(secret.expose_secret())
    }

    fn hash(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

/// Whose the tokens are that were given out. It is asked anew for each request, so that one may come and go while the server runs.
pub trait Tokens: Send + Sync + 'static {
    /// Who a token stands for; `None`: nobody gave it out.
    fn bearer(&self, token: &Token) -> Option<Who>;

    /// Everybody who has one.
    fn bearers(&self) -> Vec<Who>;
}

impl Tokens for Vec<(Token, Who)> {
    fn bearer(&self, token: &Token) -> Option<Who> {
        self.iter().find(|(known, _)| known == token).map(|(_, who)| who.clone())
    }

    fn bearers(&self) -> Vec<Who> {
        self.iter().map(|(_, who)| who.clone()).collect()
    }
}

/// Who may use a listener.
pub struct Access {
    /// Who somebody without a known token is.
    anybody: Option<Who>,
    tokens: Arc<dyn Tokens>,
    /// Names under which the listener may be called; `None`: a socket, where a name says nothing.
    hosts: Option<Vec<String>>,
}

/// Names that always mean this host, and those that `gh` uses for a server on it.
const LOOPBACK: [&str; 5] = ["127.0.0.1", "localhost", "[::1]", "github.localhost", "api.github.localhost"];

impl Access {
    /// The Unix socket with mode 600: whoever can open it is the owner, unless a token says otherwise.
    pub fn socket(owner: Login, tokens: impl Tokens) -> Self {
        Self { anybody: Some(Who::Person(owner)), tokens: Arc::new(tokens), hosts: None }
    }

    /// TCP: with one of these tokens only. `names` are further names under which this server is called.
    pub fn tcp(tokens: impl Tokens, names: Vec<String>) -> Self {
        let mut hosts = names;
        hosts.extend(LOOPBACK.map(ToOwned::to_owned));
        Self { anybody: None, tokens: Arc::new(tokens), hosts: Some(hosts) }
    }

    /// Everybody who was given a token.
    pub(crate) fn bearers(&self) -> Vec<Who> {
        self.tokens.bearers()
    }

    /// Who asks.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Who, Problem> {
        if let Some(hosts) = &self.hosts {
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
            let ours = |name: &str| hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
            if !text(header::HOST).map(without_port).is_some_and(ours) {
                return Err(Problem::forbidden("This server is not called by that name"));
            }
            if headers.contains_key(header::ORIGIN) {
                let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
                if !origin.map(|(_, host)| without_port(host)).is_some_and(ours) {
                    return Err(Problem::forbidden("Requests from other sites are not answered"));
                }
            }
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(secret);
        let who = given.and_then(|secret| self.tokens.bearer(&Token::hash(&secret)));
        who.or_else(|| self.anybody.clone()).ok_or_else(Problem::bad_credentials)
    }
}

/// The token in an `Authorization` header: `Bearer`, `token`, or the password of `Basic`.
fn secret(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    // GitHub takes the token in either place.
    let token = if password.is_empty() || password == "x-oauth-basic" { user } else { password };
    Some(token.to_owned())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn tcp() -> Access {
        Access::tcp(vec![(Token::of(&"secret".into()), Who::Banksman)], Vec::new())
    }

    #[test]
    fn tcp_needs_a_known_token_in_any_of_its_three_forms() {
        let with = |value: &str| {
            tcp().identify(&headers(&[(header::HOST, "localhost:1"), (header::AUTHORIZATION, value)]))
        };
        for good in ["Bearer secret", "token secret", "Basic eDpzZWNyZXQ=", "basic c2VjcmV0Og=="] {
            assert_eq!(with(good).unwrap(), Who::Banksman);
        }
        for bad in ["Bearer other", "secret", "Basic !", "Digest secret"] {
            assert_eq!(with(bad).unwrap_err().status(), 401);
        }
    }

    #[test]
    fn tcp_refuses_foreign_names_and_sites() {
        let token = (header::AUTHORIZATION, "Bearer secret");
        for host in ["evil.example", "localhost.evil.example", ""] {
            assert_eq!(
                tcp().identify(&headers(&[(header::HOST, host), token.clone()])).unwrap_err().status(),
                403
            );
        }
        for origin in ["http://evil.example", "null"] {
            let asked = [(header::HOST, "127.0.0.1:80"), (header::ORIGIN, origin), token.clone()];
            assert_eq!(tcp().identify(&headers(&asked)).unwrap_err().status(), 403);
        }
    }

    #[test]
    fn the_socket_is_its_owners() {
        let ann = Login::new("ann").unwrap();
        let access = Access::socket(ann.clone(), vec![(Token::of(&"secret".into()), Who::Banksman)]);
        assert_eq!(access.identify(&headers(&[])).unwrap(), Who::Person(ann.clone()));
        let given = headers(&[(header::AUTHORIZATION, "token x")]);
        assert_eq!(access.identify(&given).unwrap(), Who::Person(ann));
        let given = headers(&[(header::AUTHORIZATION, "token secret")]);
        assert_eq!(access.identify(&given).unwrap(), Who::Banksman);
    }
}
