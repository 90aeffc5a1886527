//! Where an API is: GitHub's own, an enterprise's, or one on this host. REST and GraphQL lie beside each other, each in its own way.

use reqwest::Url;

/// The addresses of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    rest: String,
    graphql: String,
    host: String,
}

/// An address is none of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "GitHub's API must be an http or https URL without a name, password or query in it, such as https://github.example.com/api/v3"
)]
pub struct BadApi;

impl Default for Api {
    /// github.com.
    fn default() -> Self {
        Self {
            rest: "https://api.github.com".to_owned(),
            graphql: "https://api.github.com/graphql".to_owned(),
            host: "api.github.com".to_owned(),
        }
    }
}

impl Api {
    /// Reads an address as people write it: `https://api.github.com`, `https://github.example.com` (an enterprise's server, whose API is
    /// under `/api/v3`), `http://127.0.0.1:7878` (the facade of the embedded forge).
    pub fn new(address: &str) -> Result<Self, BadApi> {
        let url = Url::parse(address.trim()).map_err(|_| BadApi)?;
        let host = url.host_str().ok_or(BadApi)?.to_owned();
        let named = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https")
            || named
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(BadApi);
        }
        if matches!(host.as_str(), "github.com" | "www.github.com") {
            return Ok(Self::default());
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        let path = url.path().trim_end_matches('/');
        if let Some(root) = base.strip_suffix("/api/v3") {
            return Ok(Self { graphql: format!("{root}/api/graphql"), rest: base, host });
        }
        if path.is_empty() && !host.starts_with("api.") && !is_loopback(&host) {
            return Ok(Self { rest: format!("{base}/api/v3"), graphql: format!("{base}/api/graphql"), host });
        }
        Ok(Self { graphql: format!("{base}/graphql"), rest: base, host })
    }

    /// The address of a path.
    pub(super) fn url(&self, path: &str) -> String {
        if path == "/graphql" { self.graphql.clone() } else { format!("{}{path}", self.rest) }
    }

    /// Whether what is sent cannot be read on the way.
    pub fn is_encrypted(&self) -> bool {
        self.rest.starts_with("https:")
    }

    /// Whether it is on this host.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let urls = |address: &str| {
            let api = Api::new(address).unwrap();
            (api.url("/user"), api.url("/graphql"))
        };
        let own = ("https://api.github.com/user".to_owned(), "https://api.github.com/graphql".to_owned());
        assert_eq!(urls("https://github.com"), own);
        assert_eq!(urls("https://api.github.com/"), own);
        let enterprise =
            ("https://ghe.acme.com/api/v3/user".to_owned(), "https://ghe.acme.com/api/graphql".to_owned());
        assert_eq!(urls("https://ghe.acme.com"), enterprise);
        assert_eq!(urls("https://ghe.acme.com/api/v3/"), enterprise);
        assert_eq!(urls("http://127.0.0.1:7878").1, "http://127.0.0.1:7878/graphql");
        assert_eq!(urls("https://api.acme.ghe.com").0, "https://api.acme.ghe.com/user");
        for bad in ["ftp://x", "https://a:b@x", "x", "https://x?y=1"] {
            assert_eq!(Api::new(bad), Err(BadApi), "{bad}");
        }
    }
}
