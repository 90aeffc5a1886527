//! `forge export`: the whole forge as one document, for scripts and for people who want their data.

use super::{
    Counter,
    shown::{Branch, IssueFull, PullFull},
};
use banksman_core::{port::book::Select, text::RepoName};
use serde::Serialize;

/// The forge of one repository.
#[derive(Serialize)]
struct Document {
    repo: RepoName,
    issues: Vec<IssueFull>,
    pulls: Vec<PullFull>,
    branches: Vec<Branch>,
}

pub(super) async fn run(at: &Counter<'_>) -> anyhow::Result<()> {
    let desk = &at.desk;
    let mut issues = Vec::new();
    for issue in desk.issues(&Select::All).await.map_err(super::explain)? {
        issues.push(IssueFull::from(&desk.issue(issue.number).await.map_err(super::explain)?));
    }
    let mut pulls = Vec::new();
    for pull in desk.pulls(&Select::All).await.map_err(super::explain)? {
        pulls.push(PullFull::from(&desk.pull(pull.signals.number).await.map_err(super::explain)?));
    }
    let branches = desk.branches().await.map_err(super::explain)?;
    let branches = branches.into_iter().map(|(name, head)| Branch { name, head }).collect();
    let document = Document { repo: at.repo.clone(), issues, pulls, branches };
    // It is a document for scripts: the same with and without --json.
    let page = crate::output::Page { form: crate::output::Form::Json };
    page.write(&document, |_| String::new())
}
