//! Pull requests as GraphQL sees them.

use super::{
    branch::Branch,
    checks::Rollup,
    commit::{Commit, commits},
    issue,
    records::{actor, association, comment, html, labels, owner, path, plain, reactions, time},
    review,
    thing::{Args, Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::book::{Conversation, Select, Text},
    signals::{AutoMerge, PullState, Reviews},
};
use banksman_forge::local::{FileFate, PullSummary};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A pull request; its words and what was said about it are read when they are asked for.
pub(super) struct Pull {
    pub(super) spot: Arc<Spot>,
    pub(super) summary: PullSummary,
    text: OnceCell<Text>,
    talk: OnceCell<Conversation>,
}

/// Pull requests of a repository, ascending.
pub(super) async fn pulls(
    caller: &Caller,
    spot: &Arc<Spot>,
    which: Select,
) -> Result<Vec<Arc<Pull>>, Problem> {
    let summaries = caller.front.pulls(&caller.at(spot), which).await?;
    let pull = |summary| {
        let (text, talk) = (OnceCell::new(), OnceCell::new());
        Arc::new(Pull { spot: Arc::clone(spot), summary, text, talk })
    };
    Ok(summaries.into_iter().map(pull).collect())
}

/// One pull request.
pub(super) async fn one(
    caller: &Caller,
    spot: &Arc<Spot>,
    number: Number,
) -> Result<Option<Arc<Pull>>, Problem> {
    Ok(pulls(caller, spot, Select::Numbers(vec![number])).await?.pop())
}

/// GitHub's word for where a pull request is in its life.
pub(super) fn state(state: &PullState) -> &'static str {
    match state {
        PullState::Open => "OPEN",
        PullState::Merged { .. } => "MERGED",
        PullState::Closed { .. } => "CLOSED",
    }
}

/// GitHub's word for what the reviews come to; `None`: none was asked for and none was given.
pub(crate) fn decision(reviews: &Reviews) -> Option<&'static str> {
    match *reviews {
        Reviews { changes_requested: 1.., .. } => Some("CHANGES_REQUESTED"),
        Reviews { approved, required, .. } if approved > 0 && approved >= required => Some("APPROVED"),
        Reviews { required: 1.., .. } => Some("REVIEW_REQUIRED"),
        Reviews { .. } => None,
    }
}

/// A closed word of the signals in GitHub's spelling.
pub(super) fn word(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// GitHub's word for a way of merging.
pub(super) fn method(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Squash => "SQUASH",
        MergeMethod::Merge => "MERGE",
    }
}

impl Pull {
    /// Its number.
    pub(super) fn number(&self) -> Number {
        self.summary.signals.number
    }

    /// Title and body.
    pub(super) async fn text(&self, caller: &Caller) -> Result<&Text, Problem> {
        let read = || async { caller.front.text(&caller.at(&self.spot), self.number()).await };
        Ok(self.text.get_or_try_init(read).await?)
    }

    /// Reviews and threads.
    pub(super) async fn talk(&self, caller: &Caller) -> Result<&Conversation, Problem> {
        let read = || async { caller.front.conversation(&caller.at(&self.spot), self.number()).await };
        Ok(self.talk.get_or_try_init(read).await?)
    }

    /// Its page.
    pub(super) fn url(&self, caller: &Caller) -> String {
        format!("{}/pull/{}", caller.links.repo(&self.spot), self.number())
    }

    /// Answers a field.
    pub(super) async fn field(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        name: &str,
        args: &Args,
    ) -> Result<Out, Problem> {
        let Self { spot, summary, .. } = &**self;
        let signals = &summary.signals;
        let number = signals.number;
        let open = signals.state == PullState::Open;
        let (merged_at, closed_at) = match &signals.state {
            PullState::Open => (None, None),
            PullState::Merged { at, .. } => (Some(*at), Some(*at)),
            PullState::Closed { at } => (None, Some(*at)),
        };
        let author =
            banksman_core::port::book::Account { id: signals.author, login: signals.author_login.clone() };
        let repository = || Out::One(Thing::Repository(Arc::clone(spot)));
        Ok(match name {
            "id" => Node::Pull(number).id(&spot.full_name()).into(),
            "databaseId" => spot.wide(number.0).into(),
            "fullDatabaseId" => spot.wide(number.0).to_string().into(),
            "number" => number.0.into(),
            "title" => plain(&summary.title).into(),
            "titleHTML" => html(&plain(&summary.title)).into(),
            "body" | "bodyText" => plain(&self.text(caller).await?.body).into(),
            "state" => state(&signals.state).into(),
            "closed" => (!open).into(),
            "merged" => merged_at.is_some().into(),
            "isDraft" => signals.is_draft.into(),
            "locked" | "isCrossRepository" | "isInMergeQueue" | "isMergeQueueEnabled" | "canBeRebased" => {
                false.into()
            }
            "activeLockReason" => Out::Null,
            "author" => actor(caller, &author).into(),
            "authorAssociation" => association(caller, &author).into(),
            "createdAt" | "publishedAt" => time(signals.created_at).into(),
            "updatedAt" => time(signals.updated_at).into(),
            "closedAt" => closed_at.map_or(Out::Null, |at| time(at).into()),
            "mergedAt" => merged_at.map_or(Out::Null, |at| time(at).into()),
            "url" | "permalink" => self.url(caller).into(),
            "resourcePath" => path(&self.url(caller), &caller.links.html).into(),
            "repository" | "baseRepository" | "headRepository" => repository(),
            "headRepositoryOwner" => owner(caller, spot).into(),
            "baseRef" => Out::maybe(Branch::find(caller, spot, &signals.base).await?),
            "baseRefName" => signals.base.as_str().into(),
            "baseRefOid" => match &summary.base_head {
                Some(sha) => sha.as_str().into(),
                // Where the base is now; of a merged one, what came of it.
                None => match (&signals.state, Branch::find(caller, spot, &signals.base).await?) {
                    (PullState::Merged { commit, .. }, _) => commit.as_str().into(),
                    (_, Some(Thing::Branch(branch))) => branch.sha.as_str().into(),
                    _ => signals.head.as_str().into(),
                },
            },
            "headRef" => Out::maybe(Branch::find(caller, spot, &signals.head_branch).await?),
            "headRefName" => signals.head_branch.as_str().into(),
            "headRefOid" => signals.head.as_str().into(),
            "maintainerCanModify" | "viewerCanUpdate" => true.into(),
            "additions" => signals.additions.into(),
            "deletions" => signals.deletions.into(),
            "changedFiles" => signals.changed_files.into(),
            "files" => {
                let files = caller.front.files(&caller.at(spot), number).await?;
                let file = |file: banksman_forge::local::FileChange| {
                    Thing::record(json!({
                        "path": plain(&file.path),
                        "additions": file.additions,
                        "deletions": file.deletions,
                        "changeType": match file.fate {
                            FileFate::Added => "ADDED",
                            FileFate::Modified => "MODIFIED",
                            FileFate::Removed => "DELETED",
                        },
                    }))
                };
                Out::Many(files.into_iter().map(file).collect())
            }
            "commits" => Out::Many(commits(caller, self, args).await?),
            "mergeable" => word(signals.mergeable).into(),
            "mergeStateStatus" => word(signals.merge_state).into(),
            "mergeCommit" => match &signals.state {
                PullState::Merged { commit, .. } => Out::One(Commit::thing(spot, commit.clone())),
                PullState::Open | PullState::Closed { .. } => Out::Null,
            },
            "reviewDecision" => decision(&signals.reviews).map_or(Out::Null, Out::from),
            "reviews" | "latestReviews" | "latestOpinionatedReviews" => {
                Out::Many(review::reviews(caller, self, name, args).await?)
            }
            "reviewThreads" => Out::Many(review::threads(caller, self).await?),
            "comments" => {
                let on = Thing::Pull(Arc::clone(self));
                let comments = caller.front.comments(&caller.at(spot), number).await?;
                Out::Many(comments.iter().map(|c| comment(caller, spot, number, &on, c)).collect())
            }
            "labels" => Out::Many(labels(caller, spot, &summary.labels).await?),
            "reactionGroups" => reactions().into(),
            "closingIssuesReferences" => {
                let closes = Select::Numbers(signals.closes.clone());
                let issues = issue::issues(caller, spot, closes).await?;
                Out::Many(issues.into_iter().map(Thing::Issue).collect())
            }
            "autoMergeRequest" => match &summary.arming {
                Some(arming) => Out::One(Thing::bundle(
                    "AutoMergeRequest",
                    vec![
                        ("enabledAt", time(arming.at).into()),
                        ("enabledBy", actor(caller, &arming.by).into()),
                        ("mergeMethod", method(arming.method).into()),
                        ("pullRequest", Out::One(Thing::Pull(Arc::clone(self)))),
                        ("authorEmail", Out::Null),
                        ("commitHeadline", Out::Null),
                        ("commitBody", Out::Null),
                    ],
                )),
                None => Out::Null,
            },
            "statusCheckRollup" => Out::maybe(Rollup::of(caller, self).await?),
            "viewerCanEnableAutoMerge" => {
                let ready = signals.merge_state == banksman_core::signals::MergeState::Clean;
                (open && signals.auto_merge != AutoMerge::Armed && !signals.is_draft && !ready).into()
            }
            "viewerCanDisableAutoMerge" => (signals.auto_merge == AutoMerge::Armed).into(),
            "viewerCanMergeAsAdmin" => false.into(),
            "viewerCanUpdateBranch" | "viewerCanClose" => open.into(),
            "viewerCanReopen" => matches!(signals.state, PullState::Closed { .. }).into(),
            "viewerDidAuthor" => (signals.author == caller.account.id).into(),
            "viewerMergeHeadlineText" => format!("{} (#{number})", plain(&summary.title)).into(),
            "viewerMergeBodyText" => "".into(),
            _ => Out::Unknown,
        })
    }
}
