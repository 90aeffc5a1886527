//! The work of a job goes to its branch: never over somebody else's work, and never under a work tree that has the branch checked out.

use super::{
    Attempt, Site,
    clone::{Cloned, kept},
};
use crate::{
    git::Answer,
    halt::Halt,
    host::EngineHost,
    publish::{CheckedOut, Published, let_go, publish},
};
use banksman_core::{
    job::Outcome,
    port::{EngineError, JobOrder, StepResult},
    text::Sha,
    work::FailReason,
};

pub(super) async fn land(
    host: &EngineHost,
    order: &JobOrder,
    attempt: &mut Attempt,
) -> Result<StepResult, Halt> {
    let cloned = match attempt.site()? {
        Site::Folder { .. } | Site::Over => return Ok(StepResult::Landed(Outcome::Ran)),
        Site::Clone(cloned) => cloned,
    };
    let sha = cloned.built.as_ref().ok_or(EngineError::Host("nothing was built that could land"))?;
    push(host, order, cloned, sha).await?;
    let outcome = Outcome::Published { branch: order.branch.clone(), sha: sha.clone() };
    Ok(StepResult::Landed(outcome))
}

async fn push(host: &EngineHost, order: &JobOrder, cloned: &Cloned, sha: &Sha) -> Result<(), Halt> {
    let control = &cloned.control;
    let _lock = host.lock(control).await?;
    let [now] = control.forge_heads([&order.branch]).await?;
    // The control repository is this home's own, so what is noted there was landed by this very job: by an attempt whose end was
    // lost, or in an earlier life of it.
    let landed = format!("refs/landed/{}", order.job);
    if let Some(head) = now.as_ref().filter(|head| *head != sha) {
        let ours = control.noted(&landed).await?.as_ref() == Some(head);
        if !ours {
            control.fetch_sha(head).await?;
            if control.is_ancestor(head, sha).await? == Answer::No {
                return Err(FailReason::BranchTaken.into());
            }
        }
    }
    control.note(&landed, sha).await?;
    match publish(control, &order.branch, now.as_ref(), sha, CheckedOut::Stays).await? {
        Published::There => {
            if let Err(error) = let_go(control, &kept(host, order.job)).await {
                tracing::warn!(job = %order.job, %error, "the ref that kept the work of a job stays behind");
            }
            Ok(())
        }
        Published::Stale | Published::Refused(_) => Err(FailReason::BranchTaken.into()),
    }
}
