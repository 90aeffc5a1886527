//! One request's view of the forge: who asks, which repository under which name, and the addresses that answers carry.

use crate::{Facade, front::At, front::Front, problem::Problem};
use axum::http::{HeaderMap, Uri, header};
use banksman_core::{
    id::ActorId,
    port::book::{Account, Who},
    text::{Login, RepoName},
};
use banksman_forge::local::LocalRepo;
use std::sync::Arc;

/// Owner of every repository of the embedded forge.
const LOCAL: &str = "local";

/// Who asks, and where to.
pub(crate) struct Caller {
    /// The forge.
    pub(crate) front: Arc<dyn Front>,
    /// In whose name.
    pub(crate) who: Who,
    /// Their account.
    pub(crate) account: Account,
    /// The person whose home this is.
    pub(crate) owner: Account,
    /// Everybody who was given a token.
    bearers: Vec<Who>,
    /// Addresses.
    pub(crate) links: Links,
}

/// A repository as somebody named it.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    /// Whose it is called: `local`, or the owner of this home.
    pub(crate) owner: String,
    /// Its number.
    pub(crate) number: u64,
    /// How it is run.
    pub(crate) rules: LocalRepo,
}

impl Spot {
    /// Its name on the forge.
    pub(crate) fn repo(&self) -> &RepoName {
        &self.rules.name
    }

    /// Its name without the owner.
    pub(crate) fn name(&self) -> &str {
        self.rules.name.as_str().split_once('/').map_or("", |(_, name)| name)
    }

    /// Its name as it was asked for.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name())
    }

    /// A number for something numbered inside the repository that is unique beyond it. Holds for 16 million of them.
    pub(crate) fn wide(&self, number: u64) -> u64 {
        (self.number << 24) | (number & 0xff_ffff)
    }

    /// The number inside the repository that belongs to such a number; `None`: it is another repository's.
    pub(crate) fn narrow(&self, wide: u64) -> Option<u64> {
        (wide >> 24 == self.number).then_some(wide & 0xff_ffff)
    }
}

impl Caller {
    /// Finds out who asks.
    pub(crate) async fn of(facade: &Facade, headers: &HeaderMap, uri: &Uri) -> Result<Self, Problem> {
        let who = facade.access.identify(headers)?;
        let account = facade.front.account(&who).await?;
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
            .unwrap_or("localhost");
        let links = Links::of(host, uri.path().starts_with("/api/"));
        let front = Arc::clone(&facade.front);
        let owner = front.account(&Who::Person(facade.owner.clone())).await?;
        let bearers = facade.access.bearers();
        Ok(Self { front, who, account, owner, bearers, links })
    }

    /// A repository by the name that somebody gave it; letter case does not matter.
    pub(crate) async fn spot(&self, owner: &str, name: &str) -> Result<Spot, Problem> {
        let ours = owner.eq_ignore_ascii_case(LOCAL) || owner.eq_ignore_ascii_case(self.owner.login.as_str());
        let full = format!("{LOCAL}/{name}");
        let mut repos = self.front.repos().into_iter();
        let rules = repos.find(|repo| ours && repo.name.as_str().eq_ignore_ascii_case(&full));
        let rules = rules.ok_or_else(Problem::not_found)?;
        let owner = if owner.eq_ignore_ascii_case(LOCAL) { LOCAL } else { self.owner.login.as_str() };
        let number = self.front.repo_number(&rules.name).await?;
        Ok(Spot { owner: owner.to_owned(), number, rules })
    }

    /// The account that repositories of that owner are shown under.
    pub(crate) fn owner_of(&self, spot: &Spot) -> ActorId {
        if spot.owner == self.owner.login.as_str() { self.owner.id } else { ActorId(0) }
    }

    /// The account of somebody who is known here: who asks, the owner, Banksman, whoever has a token, and those whose issues may go to engines.
    pub(crate) async fn known(&self, login: &str) -> Result<Option<Account>, Problem> {
        for account in [&self.account, &self.owner] {
            if account.login.as_str().eq_ignore_ascii_case(login) {
                return Ok(Some(account.clone()));
            }
        }
        let same = |known: &Login| known.as_str().eq_ignore_ascii_case(login);
        let allowed = self.front.repos().into_iter().flat_map(|repo| repo.allowed);
        let bearers = self.bearers.iter().filter_map(|who| match who {
            Who::Person(login) => Some(login.clone()),
            Who::Banksman | Who::Engine(_) => None,
        });
        match allowed.chain(bearers).find(same) {
            Some(known) => Ok(Some(self.front.account(&Who::Person(known)).await?)),
            None => {
                let own = self.front.account(&Who::Banksman).await?;
                Ok(Some(own).filter(|own| same(&own.login)))
            }
        }
    }

    /// Every repository under the owner's name.
    pub(crate) async fn spots(&self) -> Result<Vec<Spot>, Problem> {
        let mut spots = Vec::new();
        for rules in self.front.repos() {
            let number = self.front.repo_number(&rules.name).await?;
            spots.push(Spot { owner: self.owner.login.as_str().to_owned(), number, rules });
        }
        Ok(spots)
    }

    /// Where and as whom, for the forge.
    pub(crate) fn at(&self, spot: &Spot) -> At {
        At { repo: spot.repo().clone(), who: self.who.clone() }
    }
}

/// The addresses that answers carry, made from the name under which the server was called: what a client reads in one answer
/// has to lead it back here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    /// What a browser would open.
    pub(crate) html: String,
    /// Where the REST API is.
    pub(crate) api: String,
}

impl Links {
    fn of(host: &str, below_api: bool) -> Self {
        // A name goes into answers only if it has the shape of one.
        let good = host.len() <= 255
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
        let host = if good { host } else { "localhost" };
        match host {
            // gh sends everything that is for github.com to the socket.
            "api.github.com" | "github.com" => {
                Self { html: "https://github.com".to_owned(), api: "https://api.github.com".to_owned() }
            }
            "api.github.localhost" | "github.localhost" => Self {
                html: "http://github.localhost".to_owned(),
                api: "http://api.github.localhost".to_owned(),
            },
            host => {
                let html = format!("http://{host}");
                let api = if below_api { format!("{html}/api/v3") } else { html.clone() };
                Self { html, api }
            }
        }
    }

    /// A repository for people.
    pub(crate) fn repo(&self, spot: &Spot) -> String {
        format!("{}/{}", self.html, spot.full_name())
    }

    /// A repository in the API.
    pub(crate) fn repo_api(&self, spot: &Spot) -> String {
        format!("{}/repos/{}", self.api, spot.full_name())
    }

    /// An account for people.
    pub(crate) fn user(&self, login: &str) -> String {
        format!("{}/{}", self.html, login.trim_end_matches("[bot]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_back_to_the_server() {
        assert_eq!(Links::of("api.github.com", false).html, "https://github.com");
        assert_eq!(Links::of("127.0.0.1:7", true).api, "http://127.0.0.1:7/api/v3");
        assert_eq!(Links::of("127.0.0.1:7", false).api, "http://127.0.0.1:7");
        assert_eq!(Links::of("a\"b", false).html, "http://localhost");
    }
}
