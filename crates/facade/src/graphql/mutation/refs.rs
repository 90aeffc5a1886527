//! Mutations of branches.

use super::{Args, Payload, repository, wrong_kind};
use crate::{
    caller::{Caller, Spot},
    graphql::{branch::Branch, query, thing::Out},
    node::Node,
    problem::Problem,
};
use banksman_core::text::{BranchName, Sha};
use banksman_forge::local::Leap;
use std::sync::Arc;

/// Does one; `None`: it is about something else.
pub(super) async fn field(
    caller: &Arc<Caller>,
    name: &str,
    input: &Args,
) -> Result<Option<Payload>, Problem> {
    let oid = || Sha::new(input.must("oid")).map_err(|_| Problem::unprocessable("Object does not exist"));
    Ok(Some(match name {
        "createRef" => {
            let spot = repository(caller, input.must("repositoryId")).await?;
            let branch = input.must("name").strip_prefix("refs/heads/").map(BranchName::new);
            let Some(Ok(branch)) = branch else {
                return Err(Problem::unprocessable("Reference name is not that of a branch"));
            };
            caller.front.create_branch(&caller.at(&spot), branch.clone(), oid()?).await?;
            vec![("ref", Out::maybe(Branch::find(caller, &spot, &branch).await?))]
        }
        "updateRef" => {
            let (spot, branch) = branch(caller, input.must("refId")).await?;
            let leap = if input.is("force") { Leap::Anywhere } else { Leap::Forward };
            caller.front.move_branch(&caller.at(&spot), branch.clone(), oid()?, leap).await?;
            vec![("ref", Out::maybe(Branch::find(caller, &spot, &branch).await?))]
        }
        "updateRefs" => {
            let spot = repository(caller, input.must("repositoryId")).await?;
            update_refs(caller, &spot, input).await?;
            Vec::new()
        }
        "deleteRef" => {
            let (spot, branch) = branch(caller, input.must("refId")).await?;
            let at = caller.at(&spot);
            let branches = caller.front.branches(&at).await?;
            let there = branches.into_iter().find(|(name, _)| *name == branch);
            let (_, sha) = there.ok_or_else(|| Problem::unprocessable("Reference does not exist"))?;
            caller.front.delete_branch(&at, branch, sha).await?;
            Vec::new()
        }
        _ => return Ok(None),
    }))
}

/// Makes, moves and deletes branches that are where the caller thinks. All are looked at before the first is touched.
async fn update_refs(caller: &Caller, spot: &Spot, input: &Args) -> Result<(), Problem> {
    let at = caller.at(spot);
    let bad = || Problem::unprocessable("A reference update cannot be read");
    let is_nothing = |oid: &str| oid.bytes().all(|b| b == b'0');
    let heads = caller.front.branches(&at).await?;
    let mut updates = Vec::new();
    for update in input.objects("refUpdates") {
        let name = update.must("name");
        let branch = BranchName::new(name.strip_prefix("refs/heads/").unwrap_or(name)).map_err(|_| bad())?;
        let now = heads.iter().find(|(name, _)| *name == branch).map(|(_, sha)| sha.clone());
        let expected = match update.text("beforeOid") {
            Some(oid) if is_nothing(oid) => Some(None),
            Some(oid) => Some(Some(Sha::new(oid).map_err(|_| bad())?)),
            None => None,
        };
        if expected.is_some_and(|expected| expected != now) {
            return Err(Problem::unprocessable("A reference is not where it was thought to be"));
        }
        let after = update.must("afterOid");
        let after = if is_nothing(after) { None } else { Some(Sha::new(after).map_err(|_| bad())?) };
        updates.push((branch, now, after, if update.is("force") { Leap::Anywhere } else { Leap::Forward }));
    }
    for (branch, now, after, leap) in updates {
        match (now, after) {
            (None, None) => {}
            (None, Some(after)) => caller.front.create_branch(&at, branch, after).await?,
            (Some(now), None) => caller.front.delete_branch(&at, branch, now).await?,
            (Some(_), Some(after)) => caller.front.move_branch(&at, branch, after, leap).await?,
        }
    }
    Ok(())
}

async fn branch(caller: &Caller, id: &str) -> Result<(Arc<Spot>, BranchName), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Ref(branch)) => Ok((spot, branch)),
        _ => Err(wrong_kind()),
    }
}
