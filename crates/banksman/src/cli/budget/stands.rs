//! How far each repository is, for the depth of READY and the triggers: read off one look at each.

use super::{
    Desk,
    look::{Seen, look},
};
use crate::host::Hosted;
use banksman_core::{
    budget::triggers::RepoStand,
    epic::ChildStatus,
    id::Number,
    intent::AGENTIC,
    port::Store,
    signals::{IssueFacts, TitleKind},
    text::RepoName,
};
use banksman_orchestrator::Picture;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// What the look came to.
pub(crate) struct Stands {
    /// Repositories that were looked at.
    pub(crate) known: Vec<RepoStand>,
    /// Those that were not, and why.
    pub(crate) missing: BTreeMap<RepoName, String>,
}

/// Looks at all repositories of the inventory.
pub(crate) fn stands(desk: &Desk) -> anyhow::Result<Stands> {
    look(desk, |seen| async move {
        let known = stands_of(&seen, &seen.host.shared.store).await?;
        Ok(Stands { known, missing: seen.missing })
    })
}

/// The same after a look.
pub(crate) async fn stands_of<S: Store>(seen: &Seen, store: &S) -> anyhow::Result<Vec<RepoStand>> {
    let mut known = Vec::with_capacity(seen.pictures.len());
    for (hosted, picture) in &seen.pictures {
        known.push(stand(store, hosted, picture).await?);
    }
    Ok(known)
}

async fn stand<S: Store>(store: &S, hosted: &Hosted, picture: &Picture) -> anyhow::Result<RepoStand> {
    let (mut ready, mut waiting) = (0, 0);
    for view in &picture.epics {
        for (_, _, status) in view.facts.statuses() {
            match status {
                ChildStatus::Ready => ready += 1,
                ChildStatus::WaitsForPhase | ChildStatus::Blocked(_) | ChildStatus::NeedsApproval => {
                    waiting += 1;
                }
                ChildStatus::Dispatched
                | ChildStatus::InReview(_)
                | ChildStatus::Merged(_)
                | ChildStatus::Done
                | ChildStatus::Skipped => {}
            }
        }
    }
    let epics = store.epics(&hosted.repo).await?;
    let lately = picture.at - SignedDuration::from_hours(24);
    let ended: Vec<Number> =
        epics.iter().filter(|e| e.ended_at.is_some_and(|at| at >= lately)).map(|e| e.number).collect();
    let listed = |issue: &IssueFacts| {
        picture
            .epics
            .iter()
            .any(|e| e.record.number == issue.number || e.facts.checklist.entry(issue.number).is_some())
    };
    let loose = picture.issues.iter().filter(|issue| !listed(issue) && is_work(issue)).count();
    Ok(RepoStand {
        repo: hosted.repo.clone(),
        tier: hosted.entry.tier.clone(),
        ready,
        waiting,
        epics: picture.epics.iter().map(|e| e.record.number).collect(),
        ended,
        loose: u32::try_from(loose).unwrap_or(u32::MAX),
    })
}

/// An issue that could go into an epic: neither an epic nor an audit.
fn is_work(issue: &IssueFacts) -> bool {
    !issue.has_label(AGENTIC) && issue.title.kind != Some(TitleKind::Audit)
}
