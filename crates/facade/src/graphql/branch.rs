//! Branches as GraphQL sees them, and what protects them.

use super::{
    commit::Commit,
    repository::pulls,
    thing::{Args, Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::text::{BranchName, Sha};
use banksman_forge::local::Freshness;
use std::sync::Arc;

/// Branches of a repository.
pub(super) async fn refs(caller: &Caller, spot: &Arc<Spot>, args: &Args) -> Result<Vec<Thing>, Problem> {
    // There are branches and nothing else here.
    if !args.must("refPrefix").starts_with("refs/heads/") {
        return Ok(Vec::new());
    }
    let prefix = args.must("refPrefix").trim_start_matches("refs/heads/");
    let query = args.text("query").unwrap_or_default();
    let branches = caller.front.branches(&caller.at(spot)).await?;
    let wanted = branches
        .into_iter()
        .filter(|(name, _)| name.as_str().starts_with(prefix) && name.as_str().contains(query));
    let mut refs: Vec<Thing> = wanted.map(|(name, sha)| Branch::thing(spot, name, sha)).collect();
    if args.inner("orderBy").text("direction").or_else(|| args.text("direction")) == Some("DESC") {
        refs.reverse();
    }
    Ok(refs)
}

/// A branch.
pub(super) struct Branch {
    spot: Arc<Spot>,
    pub(super) name: BranchName,
    pub(super) sha: Sha,
}

impl Branch {
    /// A branch that is known to be there.
    pub(super) fn thing(spot: &Arc<Spot>, name: BranchName, sha: Sha) -> Thing {
        Thing::Branch(Arc::new(Self { spot: Arc::clone(spot), name, sha }))
    }

    /// A branch by its name.
    pub(super) async fn find(
        caller: &Caller,
        spot: &Arc<Spot>,
        name: &BranchName,
    ) -> Result<Option<Thing>, Problem> {
        let branches = caller.front.branches(&caller.at(spot)).await?;
        let found = branches.into_iter().find(|(branch, _)| branch == name);
        Ok(found.map(|(name, sha)| Self::thing(spot, name, sha)))
    }

    /// Answers a field.
    pub(super) async fn field(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        name: &str,
        args: &Args,
    ) -> Result<Out, Problem> {
        let spot = &self.spot;
        Ok(match name {
            "id" => Node::Ref(self.name.clone()).id(&spot.full_name()).into(),
            "name" => self.name.as_str().into(),
            "prefix" => "refs/heads/".into(),
            "target" => Out::One(Commit::thing(spot, self.sha.clone())),
            "branchProtectionRule" => {
                if self.name == spot.rules.default_branch {
                    Out::One(protection(spot))
                } else {
                    Out::Null
                }
            }
            "refUpdateRule" => Out::One(update_rule(spot, &self.name)),
            "repository" => Out::One(Thing::Repository(Arc::clone(spot))),
            "associatedPullRequests" => {
                let own = pulls(caller, spot, args).await?.into_iter();
                let own = own.filter(|pull| pull.summary.signals.head_branch == self.name);
                Out::Many(own.map(Thing::Pull).collect())
            }
            "compare" => {
                let at = caller.at(spot);
                let branches = caller.front.branches(&at).await?;
                let wanted = args.must("headRef");
                let wanted = wanted.strip_prefix("refs/heads/").unwrap_or(wanted);
                let head = branches.into_iter().find(|(name, _)| name.as_str() == wanted);
                match head {
                    Some((head, sha)) => {
                        let (ahead, behind) = (
                            beyond(caller, spot, &self.sha, &sha).await?,
                            beyond(caller, spot, &sha, &self.sha).await?,
                        );
                        let id = format!("CMP_{}", Node::Ref(head).id(&spot.full_name()));
                        let fields =
                            vec![("id", id.into()), ("aheadBy", ahead.into()), ("behindBy", behind.into())];
                        Out::One(Thing::bundle("Comparison", fields))
                    }
                    None => Out::Null,
                }
            }
            _ => Out::Unknown,
        })
    }
}

/// Commits that one has and the other lacks, as far as a history is read.
async fn beyond(caller: &Caller, spot: &Spot, without: &Sha, with: &Sha) -> Result<usize, Problem> {
    let at = caller.at(spot);
    let known = caller.front.history(&at, without.clone(), 10_000).await?;
    let known: std::collections::BTreeSet<_> = known.into_iter().map(|commit| commit.sha).collect();
    let all = caller.front.history(&at, with.clone(), 10_000).await?;
    Ok(all.iter().filter(|commit| !known.contains(&commit.sha)).count())
}

/// What has to be before something is merged into a branch: the same for all of them, for every merge is the forge's.
fn update_rule(spot: &Spot, branch: &BranchName) -> Thing {
    let rules = &spot.rules;
    let protected = *branch == rules.default_branch;
    let checks: Vec<&str> = rules.checks.iter().map(|(name, _)| name.as_str()).collect();
    Thing::bundle(
        "RefUpdateRule",
        vec![
            ("pattern", branch.as_str().into()),
            ("allowsDeletions", (!protected).into()),
            ("allowsForcePushes", (!protected).into()),
            ("requiredApprovingReviewCount", rules.required_approvals.into()),
            ("requiredStatusCheckContexts", checks.into()),
            ("requiresConversationResolution", false.into()),
            ("requiresLinearHistory", false.into()),
            ("requiresSignatures", false.into()),
            ("viewerCanPush", (!protected).into()),
        ],
    )
}

/// What protects the default branch.
pub(super) fn protection(spot: &Spot) -> Thing {
    let rules = &spot.rules;
    let checks: Vec<&str> = rules.checks.iter().map(|(name, _)| name.as_str()).collect();
    let pattern = &rules.default_branch;
    Thing::bundle(
        "BranchProtectionRule",
        vec![
            ("id", format!("BPR_{}", Node::Ref(pattern.clone()).id(&spot.full_name())).into()),
            ("pattern", pattern.as_str().into()),
            ("allowsDeletions", false.into()),
            ("allowsForcePushes", false.into()),
            ("isAdminEnforced", true.into()),
            ("requiredApprovingReviewCount", rules.required_approvals.into()),
            ("requiresApprovingReviews", (rules.required_approvals > 0).into()),
            ("requiresStatusChecks", (!checks.is_empty()).into()),
            ("requiredStatusCheckContexts", checks.into()),
            ("requiresStrictStatusChecks", (rules.freshness == Freshness::UpToDate).into()),
            ("requiresConversationResolution", false.into()),
        ],
    )
}
