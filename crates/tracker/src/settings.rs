//! What has to be known to reach a tracker. The wiring fills it from the environment and the configuration file
//! (`AQ_TRACKER_API`, `AQ_TRACKER_TOKEN`, `AQ_PRODUCT_ID`, `AQ_TRACKER_API_CMD` and keys of the same meaning).

use banksman_core::text::{BadText, RepoName};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;

/// Where the items API is unless something else is configured.
const ITEMS_API: &str = "http://localhost:4003";
const GITHUB_API: &str = "https://api.github.com";
const LINEAR_API: &str = "https://api.linear.app/graphql";

/// A token. Cannot be printed; its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a token, without the line break that files end in. `None` when nothing is left, or when it holds what no HTTP header
    /// can.
    pub fn new(text: String) -> Option<Self> {
        let token = text.trim();
        let fits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(SecretString::from(token.to_owned())))
    }

    /// Whether both are the same token.
    pub fn is(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }

    /// For the header of a call, or the environment of the program that makes it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Which tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One that serves the items API, such as the embedded one.
    Items,
    /// The issues of one GitHub repository; items are its numbers.
    GitHub {
        /// The repository; it stands for the product.
        repo: RepoName,
    },
    /// The issues of a Linear workspace; items are identifiers such as `ENG-12`.
    Linear {
        /// Key of the team, which stands for the product; `None`: all teams that the token sees.
        team: Option<String>,
    },
}

/// Paths of the items API. `{id}`, `{product}`, `{status}`, `{label}` and `{next}` are filled in, percent-encoded; a parameter of
/// the query that stays empty is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Of one item: read and changed there.
    pub item: String,
    /// Of the list.
    pub items: String,
    /// Of the comments on an item.
    pub comments: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            item: "/items/{id}".into(),
            items: "/items?productId={product}&status={status}&label={label}&next={next}".into(),
            comments: "/items/{id}/comments".into(),
        }
    }
}

/// A program that makes the calls instead of HTTP: `PROGRAM [ARGS] METHOD PATH [JSON]`, without a shell. Its output is the
/// answer, an exit code that is not 0 a failure. It finds the token in its environment as `AQ_TRACKER_TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What is run.
    pub program: String,
    /// What stands before method and path.
    pub args: Vec<String>,
}

impl Program {
    /// From one value: the path of a program, or a program and its arguments with spaces between. `None` when it is blank.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains(char::is_whitespace) && !Path::new(text).is_file() {
            let mut words = text.split_whitespace().map(str::to_owned);
            return Some(Self { program: words.next()?, args: words.collect() });
        }
        (!text.is_empty()).then(|| Self { program: text.to_owned(), args: Vec::new() })
    }
}

/// How to reach a tracker.
#[derive(Debug, Clone)]
pub struct TrackerSettings {
    /// Which.
    pub kind: Kind,
    /// Base URL of its API; `None`: the usual one of its kind.
    pub api: Option<String>,
    /// The token.
    pub token: Option<Secret>,
    /// Product that items must belong to; for the items API.
    pub product: Option<String>,
    /// Paths of the items API.
    pub paths: Paths,
    /// The program that makes the calls; for the items API.
    pub program: Option<Program>,
}

impl Default for TrackerSettings {
    /// The embedded tracker, without a token.
    fn default() -> Self {
        Self {
            kind: Kind::Items,
            api: None,
            token: None,
            product: None,
            paths: Paths::default(),
            program: None,
        }
    }
}

impl TrackerSettings {
    /// Base URL of the API, without a slash at its end.
    pub fn api(&self) -> &str {
        let usual = match self.kind {
            Kind::Items => ITEMS_API,
            Kind::GitHub { .. } => GITHUB_API,
            Kind::Linear { .. } => LINEAR_API,
        };
        self.api
            .as_deref()
            .map(str::trim)
            .filter(|api| !api.is_empty())
            .unwrap_or(usual)
            .trim_end_matches('/')
    }
}

/// Settings with which no tracker can be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// The API is no `http` or `https` URL, or has a name and password in it.
    #[error("the tracker's API must be an http or https URL without a name or password in it")]
    Api,
    /// A path lacks what it has to hold.
    #[error("the tracker's path for {0} must begin with / and hold {1}")]
    Path(&'static str, &'static str),
    /// The repository has no valid name.
    #[error("the tracker's repository is {0}")]
    Repo(#[from] BadText),
    /// This system's certificates cannot be used.
    #[error("the certificates of this system cannot be used")]
    Certificates,
    /// A program can stand for the items API only.
    #[error("a program makes calls of the items API only, not of GitHub or Linear")]
    Program,
}
