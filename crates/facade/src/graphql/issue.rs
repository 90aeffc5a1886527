//! Issues as GraphQL sees them.

use super::{
    pull,
    records::{actor, association, comment, html, labels, path, plain, reactions, time},
    thing::{Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::{
    id::Number,
    port::book::{Account, IssueRecord, Select, Text},
    signals::PullState,
    tainted::Tainted,
};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// An issue; its words are read when they are asked for.
pub(super) struct Issue {
    pub(super) spot: Arc<Spot>,
    pub(super) record: IssueRecord,
    text: OnceCell<Text>,
}

/// Issues of a repository, ascending.
pub(super) async fn issues(
    caller: &Caller,
    spot: &Arc<Spot>,
    which: Select,
) -> Result<Vec<Arc<Issue>>, Problem> {
    let records = caller.front.issues(&caller.at(spot), which).await?;
    let issue = |record| Arc::new(Issue { spot: Arc::clone(spot), record, text: OnceCell::new() });
    Ok(records.into_iter().map(issue).collect())
}

/// One issue; `None`: there is none of that number, or it is a pull request.
pub(super) async fn one(caller: &Caller, spot: &Arc<Spot>, number: Number) -> Result<Option<Thing>, Problem> {
    let found = issues(caller, spot, Select::Numbers(vec![number])).await?.pop();
    Ok(found.map(Thing::Issue))
}

impl Issue {
    /// A pull request as the issue that it is, too: what is said on it is said on that.
    pub(super) fn of_pull(pull: &pull::Pull) -> Thing {
        let signals = &pull.summary.signals;
        let closed_at = match &signals.state {
            PullState::Open => None,
            PullState::Merged { at, .. } | PullState::Closed { at } => Some(*at),
        };
        let record = IssueRecord {
            number: signals.number,
            author: Account { id: signals.author, login: signals.author_login.clone() },
            title: Tainted::new(plain(&pull.summary.title)),
            open: closed_at.is_none(),
            labels: pull.summary.labels.clone(),
            blocked_by: Vec::new(),
            parent: None,
            created_at: signals.created_at,
            updated_at: signals.updated_at,
            closed_at,
        };
        Thing::Issue(Arc::new(Self { spot: Arc::clone(&pull.spot), record, text: OnceCell::new() }))
    }

    /// Title and body.
    pub(super) async fn text(&self, caller: &Caller) -> Result<&Text, Problem> {
        let read = || async { caller.front.text(&caller.at(&self.spot), self.record.number).await };
        Ok(self.text.get_or_try_init(read).await?)
    }

    fn url(&self, caller: &Caller) -> String {
        format!("{}/issues/{}", caller.links.repo(&self.spot), self.record.number)
    }

    /// Answers a field.
    pub(super) async fn field(self: &Arc<Self>, caller: &Arc<Caller>, name: &str) -> Result<Out, Problem> {
        let Self { spot, record, .. } = &**self;
        let number = record.number;
        Ok(match name {
            "id" => Node::Issue(number).id(&spot.full_name()).into(),
            "databaseId" => spot.wide(number.0).into(),
            "fullDatabaseId" => spot.wide(number.0).to_string().into(),
            "number" => number.0.into(),
            "title" => plain(&record.title).into(),
            "titleHTML" => html(&plain(&record.title)).into(),
            "body" | "bodyText" => plain(&self.text(caller).await?.body).into(),
            "state" => if record.open { "OPEN" } else { "CLOSED" }.into(),
            "stateReason" => {
                if record.open {
                    Out::Null
                } else {
                    "COMPLETED".into()
                }
            }
            "closed" => (!record.open).into(),
            "locked" => false.into(),
            "activeLockReason" => Out::Null,
            "author" => actor(caller, &record.author).into(),
            "authorAssociation" => association(caller, &record.author).into(),
            "createdAt" | "publishedAt" => time(record.created_at).into(),
            "updatedAt" => time(record.updated_at).into(),
            "closedAt" => record.closed_at.map_or(Out::Null, |at| time(at).into()),
            "url" => self.url(caller).into(),
            "resourcePath" => path(&self.url(caller), &caller.links.html).into(),
            "repository" => Out::One(Thing::Repository(Arc::clone(spot))),
            "labels" => Out::Many(labels(caller, spot, &record.labels).await?),
            "comments" => {
                let on = Thing::Issue(Arc::clone(self));
                let comments = caller.front.comments(&caller.at(spot), number).await?;
                Out::Many(comments.iter().map(|c| comment(caller, spot, number, &on, c)).collect())
            }
            "reactionGroups" => reactions().into(),
            "isPinned" => false.into(),
            "parent" => match record.parent {
                Some(parent) => Out::maybe(one(caller, spot, parent).await?),
                None => Out::Null,
            },
            "subIssues" => Out::Many(self.children(caller).await?.into_iter().map(Thing::Issue).collect()),
            "subIssuesSummary" => {
                let children = self.children(caller).await?;
                let done = children.iter().filter(|child| !child.record.open).count();
                let percent = (done * 100).checked_div(children.len()).unwrap_or(0);
                json!({ "completed": done, "percentCompleted": percent, "total": children.len() }).into()
            }
            "blockedBy" => {
                let blockers = Select::Numbers(record.blocked_by.clone());
                Out::Many(issues(caller, spot, blockers).await?.into_iter().map(Thing::Issue).collect())
            }
            "blocking" => Out::Many(self.blocking(caller).await?),
            "issueDependenciesSummary" => {
                let (by, of) = (record.blocked_by.len(), self.blocking(caller).await?.len());
                json!({ "blockedBy": by, "totalBlockedBy": by, "blocking": of, "totalBlocking": of }).into()
            }
            "closedByPullRequestsReferences" => {
                let pulls = pull::pulls(caller, spot, Select::All).await?;
                let closing = pulls.into_iter().filter(|pull| {
                    let signals = &pull.summary.signals;
                    signals.closes.contains(&number) && !matches!(signals.state, PullState::Closed { .. })
                });
                Out::Many(closing.map(Thing::Pull).collect())
            }
            "userContentEdits" => {
                let versions = caller.front.versions(&caller.at(spot), number).await?;
                let edit = |(at, (body, when)): (usize, (Tainted, _))| {
                    let id = format!("UCE_{number}_{}_{at}", spot.number);
                    Thing::record(json!({
                        "__typename": "UserContentEdit",
                        "id": id, "createdAt": time(when), "editedAt": time(when), "diff": plain(&body),
                    }))
                };
                Out::Many(versions.into_iter().enumerate().map(edit).collect())
            }
            "timelineItems" => Out::Many(self.references(caller).await?),
            "viewerDidAuthor" => (record.author.id == caller.account.id).into(),
            "viewerCanUpdate" => true.into(),
            _ => Out::Unknown,
        })
    }

    /// Pull requests that say that they close it.
    async fn references(self: &Arc<Self>, caller: &Caller) -> Result<Vec<Thing>, Problem> {
        let number = self.record.number;
        let pulls = pull::pulls(caller, &self.spot, Select::All).await?.into_iter();
        let pulls = pulls.filter(|pull| pull.summary.signals.closes.contains(&number));
        let event = |pull: Arc<pull::Pull>| {
            Thing::bundle(
                "CrossReferencedEvent",
                vec![
                    ("id", format!("CRE_{number}_{}_{}", self.spot.number, pull.number()).into()),
                    ("createdAt", time(pull.summary.signals.created_at).into()),
                    ("isCrossRepository", false.into()),
                    ("willCloseTarget", true.into()),
                    ("source", Out::One(Thing::Pull(pull))),
                    ("target", Out::One(Thing::Issue(Arc::clone(self)))),
                ],
            )
        };
        Ok(pulls.map(event).collect())
    }

    async fn children(&self, caller: &Caller) -> Result<Vec<Arc<Self>>, Problem> {
        let all = issues(caller, &self.spot, Select::All).await?;
        Ok(all.into_iter().filter(|issue| issue.record.parent == Some(self.record.number)).collect())
    }

    /// Open issues that wait for this one; of a closed one, none.
    async fn blocking(&self, caller: &Caller) -> Result<Vec<Thing>, Problem> {
        let all = issues(caller, &self.spot, Select::All).await?;
        let waits = |issue: &Arc<Self>| issue.record.blocked_by.contains(&self.record.number);
        Ok(all.into_iter().filter(waits).map(Thing::Issue).collect())
    }
}
