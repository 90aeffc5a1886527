//! GitHub as this host reaches it: the client of the forge, where git fetches and pushes, and a first look at token and repository before
//! anything is written anywhere.

use super::{
    Hosted,
    forge::{Github, is_embedded},
    token,
};
use crate::{
    config::{GithubAccess, Proof, Settings, github},
    home::{Entry, Inventory},
    output::Failure,
};
use anyhow::Context as _;
use banksman_core::{
    port::{Audience, Forge as _, ForgeError, Offered, Refusal},
    text::{BranchName, RepoName},
};
use banksman_engine::{AskCredential, Credential as GitCredential, HttpsRemote, NoCredential, RemoteUrl};
use banksman_forge::github::{
    Api, AppId, AppKey, Credential, GithubForge, GithubRepo, GithubSettings, HttpTransport, Secret,
    governor::Pace,
    transport::{Request, Response, SendError, Transport},
};
use banksman_orchestrator::Trouble;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// The wire to GitHub with one credential, which the client and git share.
#[derive(Clone)]
pub(crate) struct Wire(Arc<HttpTransport>);

impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        self.0.send(request).await
    }
}

/// The way to GitHub with one credential.
pub(crate) struct Access {
    api_url: String,
    wire: Wire,
}

/// The way to GitHub, where one of these repositories is there.
pub(super) fn access_for(settings: &Settings, hosted: &[Hosted]) -> anyhow::Result<Option<Access>> {
    let any = hosted.iter().any(|hosted| !is_embedded(&hosted.repo));
    any.then(|| Access::new(settings)).transpose()
}

/// Those of these repositories that this host has the means for: without a token none on GitHub, and the error that says so.
pub(crate) fn workable(settings: &Settings, mut hosted: Vec<Hosted>) -> (Vec<Hosted>, Option<anyhow::Error>) {
    let missing = access_for(settings, &hosted).err();
    if missing.is_some() {
        hosted.retain(|hosted| is_embedded(&hosted.repo));
    }
    (hosted, missing)
}

impl Access {
    /// The way that the configuration names.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let GithubAccess { api_url, proof } = github(settings)?;
        let api = Api::new(&api_url).with_context(|| format!("github.api_url: {api_url}"))?;
        let wire = HttpTransport::open(api, credential(proof)?, Arc::new(crate::clock::now))
            .context("cannot open the way to GitHub")?;
        Ok(Self { api_url, wire: Wire(Arc::new(wire)) })
    }

    /// The wire, for what needs no forge.
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The forge for those of these repositories that are on GitHub.
    pub(super) fn forge(&self, hosted: &[Hosted]) -> Github {
        let there = hosted.iter().filter(|hosted| !is_embedded(&hosted.repo));
        self.client(there.map(|hosted| (hosted.repo.clone(), how(&hosted.entry))))
    }

    /// The forge for all repositories of the inventory that are on GitHub.
    pub(crate) fn forge_of(&self, inventory: &Inventory) -> Github {
        let there = inventory.all().filter(|(repo, _)| !is_embedded(repo));
        self.client(there.map(|(repo, entry)| (repo, how(entry))))
    }

    fn client(&self, repos: impl Iterator<Item = (RepoName, GithubRepo)>) -> Github {
        // A server on this host is the embedded forge's face, or somebody's test: it wants no pauses of a second between writes.
        let own = Api::new(&self.api_url).is_ok_and(|api| api.is_loopback());
        let pace = if own { Pace::Own } else { Pace::Githubs };
        let settings = GithubSettings { repos: repos.collect(), pace, ..GithubSettings::default() };
        GithubForge::new(self.wire.clone(), settings, Arc::new(crate::clock::now))
    }

    /// Where git fetches from and pushes to.
    pub(super) fn remote(&self, name: &RepoName) -> anyhow::Result<HttpsRemote> {
        let address = format!("{}/{name}.git", web_url(&self.api_url));
        let url = RemoteUrl::new(&address).with_context(|| format!("github.api_url: {}", self.api_url))?;
        let wire = self.wire.clone();
        let ask: AskCredential = Arc::new(move || {
            let wire = wire.clone();
            Box::pin(async move {
                let token = wire.0.token().await.map_err(|_| NoCredential)?;
                GitCredential::token(token.expose()).ok_or(NoCredential)
            })
        });
        Ok(HttpsRemote::new(url, ask))
    }
}

fn credential(proof: Proof) -> anyhow::Result<Credential> {
    match proof {
        Proof::Token(token) => {
            let token = Secret::new(token.expose_secret()).context("the token for GitHub is no token")?;
            Ok(Credential::Token(token))
        }
        Proof::App { app, installation, key } => {
            let key = AppKey::from_pem(key.expose_secret().as_bytes()).map_err(|bad| {
                let help = "it is the .pem file that GitHub offers for download in the settings of the app";
                Failure::new(format!("the file of github.app_key_file: {bad}"), help)
            })?;
            Ok(Credential::App { app, installation, key })
        }
    }
}

/// How one repository is looked at.
fn how(entry: &Entry) -> GithubRepo {
    let mut repo = GithubRepo::default();
    repo.allowed.clone_from(&entry.allowed);
    repo.agents = entry.hosted.0.iter().map(|hosted| hosted.login.clone()).collect();
    if !entry.check_apps.is_empty() {
        repo.check_apps = entry.check_apps.iter().copied().map(AppId).collect();
    }
    repo
}

/// Where repositories are, by the base URL of the API: `https://api.github.com` has a host of its own, any other host has both.
fn web_url(api_url: &str) -> String {
    let base = api_url.trim_end_matches('/');
    match base.strip_prefix("https://api.") {
        // GitHub itself, and hosts that keep data in one country.
        Some(host) if host == "github.com" || host.ends_with(".ghe.com") => format!("https://{host}"),
        _ => base.strip_suffix("/api/v3").unwrap_or(base).to_owned(),
    }
}

/// A repository on GitHub that Banksman can work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GithubRepository {
    /// Its canonical name.
    pub(crate) name: RepoName,
    /// Its default branch.
    pub(crate) default_branch: BranchName,
    /// What it does not offer, and what is done instead.
    pub(crate) notes: Vec<String>,
}

impl GithubRepository {
    /// Looks at the token and at the repository. Refuses what cannot work: a token that is not valid or lacks a right, a repository that
    /// the token cannot see, or that can only be read.
    pub(crate) async fn inspect(settings: &Settings, name: &RepoName) -> anyhow::Result<Self> {
        let access = Access::new(settings)?;
        let token = token::examine(access.wire()).await.map_err(|error| explain(None, &error))?;
        if let Some(missing) = token.missing {
            return Err(explain(None, &ForgeError::Refused(Refusal::NoScope(missing))).into());
        }
        let forge = access.forge(&[]);
        let facts = forge.repo(name).await.map_err(|error| explain(Some(name), &error))?;
        let mut notes: Vec<String> = token.note.map(str::to_owned).into_iter().collect();
        let canonical = forge.renamed(name).unwrap_or_else(|| name.clone());
        if canonical != *name {
            notes.push(format!("{name} is called {canonical} now"));
        }
        let offers = facts.offers;
        let mut unless = |offered: Offered, note: &str| {
            if offered == Offered::No {
                notes.push(note.to_owned());
            }
        };
        unless(offers.auto_merge, "auto-merge is off in its settings: Banksman merges by itself");
        unless(offers.sub_issues, "it has no sub-issues: the checklist of an epic says what belongs to it");
        unless(offers.dependencies, "its issues cannot block each other: phases alone keep the order");
        if offers.audience == Audience::Public && facts.allowed.is_empty() {
            notes.push(
                "it is public: issues of others are never handed to engines of this host (`repos edit --allow LOGIN`)".to_owned(),
            );
        }
        Ok(Self { name: canonical, default_branch: facts.default_branch, notes })
    }

    /// An entry for the inventory with nothing set but its place.
    pub(crate) fn entry(&self, wanted: Option<&BranchName>) -> Entry {
        Entry::on_github(self.name.clone(), wanted.unwrap_or(&self.default_branch).clone())
    }
}

/// A trouble with GitHub in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explained {
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) help: &'static str,
}

/// What a refusal means and what to do about it; `repo`: what it is about, if it is about one.
pub(crate) fn explain(repo: Option<&RepoName>, error: &ForgeError) -> Explained {
    use ForgeError::{Later, Refused, Unclear};
    let about = repo.map_or(String::new(), |repo| format!("{repo}: "));
    let what = match (error, repo) {
        (Refused(Refusal::NotFound), Some(repo)) => {
            format!("there is no repository {repo} on GitHub, or the token cannot see it")
        }
        (Refused(refusal), _) => format!("{about}{}", refusal.describe()),
        (Later(until), _) => {
            let until = crate::output::moment(*until);
            format!("{about}GitHub's limits are reached, or it cannot be reached; try again after {until}")
        }
        (Unclear(what), _) => format!("{about}{what}"),
    };
    let help = match error {
        Refused(Refusal::NotFound) => {
            "check the spelling; a private repository needs a token with the scope `repo`, or a fine-grained one that names it"
        }
        Refused(Refusal::BadCredential) => {
            "make a new token and export it as GITHUB_TOKEN; `banksman config show --origin` says where the present one comes from"
        }
        Refused(Refusal::NoScope(_)) => {
            "a classic token needs `repo` (and `workflow` where branches change workflows); a fine-grained one `contents`, `issues` and \
             `pull_requests` with write access, and `checks` and `metadata` to read"
        }
        Refused(Refusal::SsoRequired) => {
            "on GitHub: Settings, Developer settings, the token, Configure SSO, Authorize for the organisation"
        }
        Refused(Refusal::Archived) => "unarchive it on GitHub, or take it out with `banksman repos remove`",
        Refused(_) | Later(_) | Unclear(_) => "`banksman doctor` looks at the token and at the way to GitHub",
    };
    Explained { what, help }
}

/// A trouble of the pipeline with a repository: with GitHub's it is said what to do.
pub(crate) fn explain_trouble(repo: &RepoName, trouble: Trouble) -> anyhow::Error {
    match trouble {
        Trouble::Forge(error) if !is_embedded(repo) => explain(Some(repo), &error).into(),
        other => other.into(),
    }
}

impl From<Explained> for anyhow::Error {
    fn from(explained: Explained) -> Self {
        Failure::new(explained.what, explained.help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_beside_the_api() {
        for (api, web) in [
            ("https://api.github.com", "https://github.com"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com"),
            ("https://ghe.example.org/api/v3", "https://ghe.example.org"),
            ("http://127.0.0.1:7878", "http://127.0.0.1:7878"),
            ("http://127.0.0.1:7878/api/v3/", "http://127.0.0.1:7878"),
            ("https://api.example.org", "https://api.example.org"),
        ] {
            assert_eq!(web_url(api), web);
        }
    }
}
