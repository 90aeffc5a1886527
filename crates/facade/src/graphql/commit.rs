//! Commits as GraphQL sees them.

use super::{
    checks::Rollup,
    pull::{Pull, pulls},
    records::{actor, path, plain, time},
    thing::{Args, Out, Thing},
};
use crate::{
    caller::{Caller, Spot},
    node::Node,
    problem::Problem,
};
use banksman_core::{
    port::book::{Account, BANKSMAN, Select},
    text::{Login, Sha},
};
use banksman_forge::local::{CommitView, Signature};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Most commits of a history that are read for one page.
const MOST: u32 = 1_000;

/// A commit; what is in it is read when somebody asks for it.
pub(super) struct Commit {
    pub(super) spot: Arc<Spot>,
    pub(super) sha: Sha,
    /// The forge made it, by merging a base into a head branch: the one name in a commit that is known to be true.
    by_forge: bool,
    /// The pull request whose head it is, where that is known.
    pull: Option<Arc<Pull>>,
    view: OnceCell<CommitView>,
}

/// The commits of a pull request. Most ask for the last one alone, which costs no process.
pub(super) async fn commits(caller: &Caller, pull: &Arc<Pull>, args: &Args) -> Result<Vec<Thing>, Problem> {
    let spot = &pull.spot;
    let wrap = |commit: Arc<Commit>| {
        let id = format!("PURC_{}", Node::Commit(commit.sha.clone()).id(&spot.full_name()));
        let url = format!("{}/commits/{}", pull.url(caller), commit.sha);
        let fields =
            vec![("id", id.into()), ("url", url.into()), ("commit", Out::One(Thing::Commit(commit)))];
        Thing::bundle("PullRequestCommit", fields)
    };
    let head = &pull.summary.signals.head;
    let by_forge = |sha: &Sha| pull.summary.updates.contains(sha);
    let at_head = |sha: &Sha| (sha == head).then(|| Arc::clone(pull));
    if args.number("last") == Some(1) && !args.has("first") && !args.has("before") {
        let (spot, sha) = (Arc::clone(spot), head.clone());
        let commit =
            Commit { by_forge: by_forge(head), spot, sha, pull: at_head(head), view: OnceCell::new() };
        return Ok(vec![wrap(Arc::new(commit))]);
    }
    let views = caller.front.commits(&caller.at(spot), pull.number()).await?;
    let commit = |view: CommitView| {
        let sha = view.sha.clone();
        let pull = at_head(&sha);
        let (spot, view) = (Arc::clone(spot), OnceCell::new_with(Some(view)));
        wrap(Arc::new(Commit { by_forge: by_forge(&sha), spot, sha, pull, view }))
    };
    Ok(views.into_iter().map(commit).collect())
}

impl Commit {
    /// A commit by its id.
    pub(super) fn thing(spot: &Arc<Spot>, sha: Sha) -> Thing {
        Thing::Commit(Arc::new(Self {
            spot: Arc::clone(spot),
            sha,
            by_forge: false,
            pull: None,
            view: OnceCell::new(),
        }))
    }

    async fn view(&self, caller: &Caller) -> Result<&CommitView, Problem> {
        let read = || async { caller.front.commit(&caller.at(&self.spot), self.sha.clone()).await };
        Ok(self.view.get_or_try_init(read).await?)
    }

    /// The checks of it, if it is the head of a pull request.
    async fn rollup(&self, caller: &Caller) -> Result<Option<Thing>, Problem> {
        if let Some(pull) = &self.pull {
            return Rollup::of(caller, pull).await;
        }
        let open = pulls(caller, &self.spot, Select::Open).await?;
        match open.iter().find(|pull| pull.summary.signals.head == self.sha) {
            Some(pull) => Rollup::of(caller, pull).await,
            None => Ok(None),
        }
    }

    /// Answers a field.
    pub(super) async fn field(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        name: &str,
        _args: &Args,
    ) -> Result<Out, Problem> {
        let url = || format!("{}/commit/{}", caller.links.repo(&self.spot), self.sha);
        Ok(match name {
            "id" => Node::Commit(self.sha.clone()).id(&self.spot.full_name()).into(),
            "oid" => self.sha.as_str().into(),
            "abbreviatedOid" => self.sha.as_str()[..7].into(),
            "url" | "commitUrl" => url().into(),
            "resourcePath" => path(&url(), &caller.links.html).into(),
            "message" => plain(&self.view(caller).await?.message).into(),
            "messageHeadline" => {
                let message = &self.view(caller).await?.message;
                message.structure(|text| text.lines().next().unwrap_or_default().to_owned()).into()
            }
            "messageBody" => {
                let message = &self.view(caller).await?.message;
                message
                    .structure(|t| t.split_once('\n').map_or("", |(_, rest)| rest).trim().to_owned())
                    .into()
            }
            "authoredDate" => time(self.view(caller).await?.author.at).into(),
            "committedDate" => time(self.view(caller).await?.committer.at).into(),
            "author" => {
                let mut author = signature(caller, &self.view(caller).await?.author);
                let made = self.by_forge.then(|| actor(caller, &banksman()));
                if let (Some(user), Some(author)) = (made, author.as_object_mut()) {
                    author.insert("user".to_owned(), user);
                }
                author.into()
            }
            "committer" => signature(caller, &self.view(caller).await?.committer).into(),
            "authors" => Out::Many(vec![Thing::record(signature(caller, &self.view(caller).await?.author))]),
            "parents" => {
                let parents = &self.view(caller).await?.parents;
                Out::Many(parents.iter().map(|sha| Self::thing(&self.spot, sha.clone())).collect())
            }
            "history" => {
                let views = caller.front.history(&caller.at(&self.spot), self.sha.clone(), MOST).await?;
                Out::Many(views.into_iter().map(|view| Self::thing(&self.spot, view.sha)).collect())
            }
            "statusCheckRollup" => Out::maybe(self.rollup(caller).await?),
            "repository" => Out::One(Thing::Repository(Arc::clone(&self.spot))),
            _ => Out::Unknown,
        })
    }
}

/// Banksman's own account.
fn banksman() -> Account {
    #[expect(clippy::expect_used, reason = "a compiled-in name of the right shape")]
    let login = Login::new("banksman").expect("a login");
    Account { id: BANKSMAN, login }
}

/// A name in a commit. Nobody's account: names in commits prove nothing.
fn signature(caller: &Caller, signature: &Signature) -> Value {
    json!({
        "name": plain(&signature.name),
        "email": plain(&signature.email),
        "date": time(signature.at),
        "user": null,
        "avatarUrl": format!("{}/ghost.png", caller.links.html),
    })
}
