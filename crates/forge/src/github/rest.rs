//! REST where GraphQL has no such thing, or would take two calls for one: paths, bodies, and what is read of the answers.

use super::{
    GithubForge,
    fault::Fault,
    governor::Effect,
    resource::Rest,
    transport::{Transport, Verb},
    wire::{Actor, IssueLife, LabelWire, big, lenient, word},
};
use banksman_core::{
    id::Number,
    text::{RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IgnoredAny};

/// Entries on a page.
pub(super) const PER_PAGE: usize = 100;
/// Pages of a list that are read.
const PAGES: usize = 50;

/// An issue, or a pull request in the clothes of one.
#[derive(Deserialize)]
pub(super) struct IssueRest {
    pub(super) number: u64,
    #[serde(default, deserialize_with = "word_or_closed")]
    pub(super) state: Option<IssueLife>,
    #[serde(default)]
    pub(super) user: Option<Actor>,
    pub(super) created_at: Timestamp,
    #[serde(default)]
    pub(super) closed_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) pull_request: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) labels: Vec<LabelWire>,
    #[serde(default)]
    pub(super) issue_dependencies_summary: Option<Dependencies>,
}

fn word_or_closed<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<IssueLife>, D::Error> {
    word(from).map(Some)
}

/// How many issues one waits for.
#[derive(Deserialize)]
pub(super) struct Dependencies {
    #[serde(default)]
    pub(super) blocked_by: u64,
}

/// A comment without its words.
#[derive(Deserialize)]
pub(super) struct CommentRest {
    #[serde(deserialize_with = "big")]
    pub(super) id: Option<u64>,
    #[serde(default)]
    pub(super) user: Option<Actor>,
    pub(super) created_at: Timestamp,
}

/// A pull request.
#[derive(Deserialize)]
pub(super) struct PullRest {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) user: Option<Actor>,
    pub(super) created_at: Timestamp,
    #[serde(default, deserialize_with = "word_or_closed")]
    pub(super) state: Option<IssueLife>,
}

/// A reference or commit with its id.
#[derive(Deserialize)]
pub(super) struct ShaRest {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) sha: Option<Sha>,
}

/// A reference.
#[derive(Deserialize)]
pub(super) struct RefRest {
    pub(super) object: ShaRest,
}

/// An answer that says nothing.
#[derive(Deserialize)]
#[serde(from = "IgnoredAny")]
pub(super) struct Ignored;

impl From<IgnoredAny> for Ignored {
    fn from(_: IgnoredAny) -> Self {
        Self
    }
}

/// A part of a path or query, percent-encoded.
pub(super) fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A time in a query, in whole seconds.
pub(super) fn since(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    encoded(&whole.to_string())
}

impl<T: Transport> GithubForge<T> {
    /// A path inside the repository.
    pub(super) fn path(&self, repo: &RepoName, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.canonical(repo))
    }

    /// Reads one thing that settles or finishes a change.
    pub(super) async fn get<D: DeserializeOwned>(
        &self,
        repo: &RepoName,
        rest: &str,
        operation: &'static str,
    ) -> Result<D, Fault> {
        let call = Rest { effect: Effect::Settle, ..Rest::get(repo, self.path(repo, rest), operation) };
        self.caller.read(call).await
    }

    /// Reads all pages of a list; `query` comes after the `?` and is not empty.
    pub(super) async fn list<D: DeserializeOwned>(
        &self,
        repo: &RepoName,
        rest: &str,
        query: &str,
        operation: &'static str,
    ) -> Result<Vec<D>, Fault> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let path = format!("{rest}?{query}&per_page={PER_PAGE}&page={page}");
            let mut some: Vec<D> = self.get(repo, &path, operation).await?;
            let full = some.len() == PER_PAGE;
            all.append(&mut some);
            if !full {
                return Ok(all);
            }
        }
        Err(Fault::Unclear("a list is longer than can be read"))
    }

    /// Changes something; sent once.
    pub(super) async fn send<D: DeserializeOwned>(
        &self,
        repo: &RepoName,
        verb: Verb,
        rest: &str,
        effect: Effect,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<D, Fault> {
        let call = Rest { repo: Some(repo), verb, path: self.path(repo, rest), effect, operation };
        self.changed(repo, self.caller.write(call, body).await)
    }
}

impl IssueRest {
    /// Its number.
    pub(super) fn number(&self) -> Number {
        Number(self.number)
    }
}
