//! How far each repository is: counts and the stage that follows from them (X18), of the embedded forge from its book, of GitHub by asking
//! there. Reads only.

use super::audit::labelled_audit;
use crate::{
    config::Settings,
    home::{Home, Inventory},
    host::{Access, block_on, is_embedded},
};
use anyhow::Context as _;
use banksman_core::{
    intent::AGENTIC,
    port::{Book as _, Forge, ForgeError, IssueQuery, PullQuery, book::Select},
    signals::{TitleHead, TitleKind},
    text::{Label, RepoName},
};
use banksman_store::book::SqliteBook;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::JoinSet;

/// Counts of one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    /// Open issues that are neither audits nor epics.
    pub(super) open_issues: usize,
    /// Open audits.
    pub(super) open_audits: usize,
    /// Open epics.
    pub(super) open_epics: usize,
    /// Open pull requests.
    pub(super) open_pulls: usize,
    /// What is due next.
    pub(super) stage: Stage,
}

/// The stage of the pipeline that a repository is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Nothing is open.
    Idle,
    /// Audits wait to become issues.
    Audits,
    /// Issues wait to be grouped into epics.
    Issues,
    /// Epics run.
    Epics,
}

impl Stage {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Audits => "audits",
            Self::Issues => "issues",
            Self::Epics => "epics",
        }
    }
}

/// What is known of how far a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It was looked at.
    Standing(Standing),
    /// It could not be, with the reason.
    Unknown(String),
}

/// The standing of these repositories. One of the embedded forge where nothing was done yet has nothing open.
pub(super) fn standings(
    settings: &Settings,
    home: &Home,
    inventory: &Inventory,
) -> anyhow::Result<BTreeMap<RepoName, Known>> {
    let (embedded, on_github): (Vec<RepoName>, Vec<RepoName>) =
        inventory.all().map(|(repo, _)| repo).partition(is_embedded);
    block_on(async {
        let mut all = of_book(home, &embedded).await?;
        if !on_github.is_empty() {
            all.extend(of_github(settings, inventory, &on_github).await);
        }
        Ok(all)
    })
}

async fn of_book(home: &Home, repos: &[RepoName]) -> anyhow::Result<BTreeMap<RepoName, Known>> {
    if !home.exists() {
        return Ok(repos.iter().map(|repo| (repo.clone(), Known::Standing(standing(0, 0, 0, 0)))).collect());
    }
    let path = home.book();
    let book = SqliteBook::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut all = BTreeMap::new();
    for repo in repos {
        let (mut issues, mut audits, mut epics) = (0, 0, 0);
        for issue in book.issues(repo, &Select::Open).await? {
            let title = issue.title.structure(TitleHead::read);
            match kind(&issue.labels, title) {
                Kind::Epic => epics += 1,
                Kind::Audit => audits += 1,
                Kind::Issue => issues += 1,
            }
        }
        let pulls = book.pulls(repo, &Select::Open).await?.len();
        all.insert(repo.clone(), Known::Standing(standing(issues, audits, epics, pulls)));
    }
    Ok(all)
}

async fn of_github(
    settings: &Settings,
    inventory: &Inventory,
    repos: &[RepoName],
) -> BTreeMap<RepoName, Known> {
    let forge = match Access::new(settings) {
        Ok(access) => Arc::new(access.forge_of(inventory)),
        Err(error) => {
            return repos.iter().map(|repo| (repo.clone(), Known::Unknown(error.to_string()))).collect();
        }
    };
    let mut looks = JoinSet::new();
    for repo in repos.iter().cloned() {
        let forge = Arc::clone(&forge);
        looks.spawn(async move {
            let known =
                look(&*forge, &repo).await.map_or_else(|e| Known::Unknown(trouble(&e)), Known::Standing);
            (repo, known)
        });
    }
    let mut all = BTreeMap::new();
    while let Some(Ok((repo, known))) = looks.join_next().await {
        all.insert(repo, known);
    }
    all
}

async fn look(forge: &impl Forge, repo: &RepoName) -> Result<Standing, ForgeError> {
    let (mut issues, mut audits, mut epics) = (0, 0, 0);
    for issue in forge.issues(repo, &IssueQuery::Open).await? {
        match kind(&issue.labels, issue.title) {
            Kind::Epic => epics += 1,
            Kind::Audit => audits += 1,
            Kind::Issue => issues += 1,
        }
    }
    let pulls = forge.pulls(repo, &PullQuery::Open).await?.len();
    Ok(standing(issues, audits, epics, pulls))
}

/// A refusal in the words of the closed list, anything else in its own.
fn trouble(error: &ForgeError) -> String {
    match error {
        ForgeError::Refused(refusal) => refusal.describe().to_owned(),
        ForgeError::Later(_) | ForgeError::Unclear(_) => error.to_string(),
    }
}

/// What an issue is for.
enum Kind {
    Epic,
    Audit,
    Issue,
}

fn kind(labels: &[Label], title: TitleHead) -> Kind {
    if labels.iter().any(|label| label.as_str() == AGENTIC) {
        Kind::Epic
    } else if title.kind == Some(TitleKind::Audit) || labelled_audit(labels) {
        Kind::Audit
    } else {
        Kind::Issue
    }
}

fn standing(open_issues: usize, open_audits: usize, open_epics: usize, open_pulls: usize) -> Standing {
    let stage = match (open_audits, open_epics, open_issues) {
        (_, 1.., _) => Stage::Epics,
        (1.., ..) => Stage::Audits,
        (_, _, 1..) => Stage::Issues,
        _ => Stage::Idle,
    };
    Standing { open_issues, open_audits, open_epics, open_pulls, stage }
}
