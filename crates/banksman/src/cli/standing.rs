//! How far each repository is: counts from the forge's book and the stage that follows from them (X18). Reads only.

use crate::{home::Home, host::block_on};
use anyhow::Context as _;
use banksman_core::{
    intent::AGENTIC,
    port::{Book as _, book::Select},
    signals::{TitleHead, TitleKind},
    text::RepoName,
};
use banksman_store::book::SqliteBook;
use serde::Serialize;
use std::collections::BTreeMap;

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

/// The standing of these repositories; a home where nothing was done yet has nothing open.
pub(super) fn standings(home: &Home, repos: &[RepoName]) -> anyhow::Result<BTreeMap<RepoName, Standing>> {
    if !home.exists() {
        return Ok(repos.iter().map(|repo| (repo.clone(), standing(0, 0, 0, 0))).collect());
    }
    let path = home.book();
    block_on(async {
        let book = SqliteBook::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut all = BTreeMap::new();
        for repo in repos {
            let (mut issues, mut audits, mut epics) = (0, 0, 0);
            for issue in book.issues(repo, &Select::Open).await? {
                if issue.labels.iter().any(|l| l.as_str() == AGENTIC) {
                    epics += 1;
                } else if issue.title.structure(TitleHead::read).kind == Some(TitleKind::Audit) {
                    audits += 1;
                } else {
                    issues += 1;
                }
            }
            let pulls = book.pulls(repo, &Select::Open).await?.len();
            all.insert(repo.clone(), standing(issues, audits, epics, pulls));
        }
        Ok(all)
    })
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
