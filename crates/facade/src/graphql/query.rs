//! The entry points of GraphQL, and what node ids lead to.

use super::{
    branch::Branch,
    commit::Commit,
    issue, pull,
    records::{self, actor},
    repository::either,
    review,
    thing::{Args, Out, Thing},
};
use crate::{
    Facade,
    answer::Limit,
    caller::{Caller, Spot},
    node::{Id, Node},
    problem::Problem,
    search::{Found, Search},
};
use async_graphql::dynamic::ResolverContext;
use banksman_core::{id::Number, port::book::Account, text::Login};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

/// What this query costs, as GitHub counts.
pub(super) struct Cost {
    pub(super) points: u64,
    pub(super) nodes: u64,
    pub(super) limit: Limit,
}

/// Answers an entry point.
pub(super) async fn field(
    caller: &Arc<Caller>,
    context: &ResolverContext<'_>,
    name: &str,
    args: &Args,
) -> Result<Out, Problem> {
    Ok(match name {
        "viewer" => {
            let repositories = repositories(caller).await?;
            Out::One(records::user(caller, &caller.account, repositories))
        }
        "rateLimit" => match context.data_opt::<Cost>() {
            Some(Cost { points, nodes, limit }) => json!({
                "cost": points,
                "nodeCount": nodes,
                "limit": limit.limit,
                "remaining": limit.remaining(),
                "used": limit.used,
                "resetAt": records::time(Timestamp::from_second(limit.reset).unwrap_or_default()),
            })
            .into(),
            None => Out::Null,
        },
        "node" => match node(caller, args.must("id")).await? {
            Some(thing) => Out::One(thing),
            None => {
                return Err(Problem::not_found().saying("Could not resolve to a node with that global id"));
            }
        },
        "nodes" => {
            let mut things = Vec::new();
            for id in args.texts("ids").unwrap_or_default() {
                things.push(node(caller, id).await?.unwrap_or(Thing::Nothing));
            }
            Out::Many(things)
        }
        "repository" => {
            let missing = || Problem::not_found().saying("Could not resolve to a Repository with that name.");
            let spot = caller.spot(args.must("owner"), args.must("name")).await;
            match spot {
                Ok(spot) => Out::One(Thing::Repository(Arc::new(spot))),
                Err(problem) if problem.is_not_found() => return Err(missing()),
                Err(problem) => return Err(problem),
            }
        }
        "repositoryOwner" | "user" => {
            let wanted = args.must("login");
            let wanted =
                if wanted.eq_ignore_ascii_case("local") { caller.owner.login.as_str() } else { wanted };
            let Some(account) = caller.known(wanted).await? else {
                return Err(Problem::not_found().saying("Could not resolve to a User with that login."));
            };
            let repositories = repositories(caller).await?;
            Out::One(records::user(caller, &account, repositories))
        }
        "organization" => {
            return Err(Problem::not_found().saying("Could not resolve to an Organization with that login."));
        }
        "search" => search(caller, args).await?,
        _ => Out::Unknown,
    })
}

async fn repositories(caller: &Caller) -> Result<Vec<Thing>, Problem> {
    Ok(caller.spots().await?.into_iter().map(|spot| Thing::Repository(Arc::new(spot))).collect())
}

async fn search(caller: &Arc<Caller>, args: &Args) -> Result<Out, Problem> {
    let query = args.must("query");
    let mut things = Vec::new();
    match args.must("type") {
        "ISSUE" | "ISSUE_ADVANCED" => {
            let search = Search::read(query, caller.account.login.as_str());
            for found in search.run(caller).await? {
                let (spot, number) = match &found {
                    Found::Issue(spot, issue) => (spot, issue.number),
                    Found::Pull(spot, pull) => (spot, pull.signals.number),
                };
                things.extend(either(caller, spot, number).await?);
            }
        }
        "REPOSITORY" => {
            let word = query.split_whitespace().find(|word| !word.contains(':')).unwrap_or_default();
            let all = caller.spots().await?.into_iter().filter(|spot| spot.name().contains(word));
            things.extend(all.map(|spot| Thing::Repository(Arc::new(spot))));
        }
        _ => {}
    }
    let (issues, repositories) = match things.first() {
        Some(Thing::Repository(_)) => (0, things.len()),
        _ => (things.len(), 0),
    };
    let mut more: Vec<(&'static str, Out)> =
        vec![("issueCount", issues.into()), ("repositoryCount", repositories.into())];
    more.extend(["userCount", "discussionCount", "codeCount", "wikiCount"].map(|name| (name, Out::from(0))));
    Ok(Out::Counted(things, more))
}

/// The repository and the thing that an id stands for.
pub(super) async fn locate(caller: &Caller, id: &str) -> Result<(Arc<Spot>, Node), Problem> {
    let missing = || Problem::not_found().saying("Could not resolve to a node with that global id");
    match Id::read(id) {
        Some(Id::In { owner, name, node }) => {
            let spot = caller.spot(&owner, &name).await.map_err(|_| missing())?;
            Ok((Arc::new(spot), node))
        }
        Some(Id::User(..)) | None => Err(missing()),
    }
}

/// What an id leads to; `None`: nothing.
pub(super) async fn node(caller: &Arc<Caller>, id: &str) -> Result<Option<Thing>, Problem> {
    let (owner, name, node) = match Id::read(id) {
        Some(Id::In { owner, name, node }) => (owner, name, node),
        Some(Id::User(id, login)) => {
            let account = Login::new(&login).ok().map(|login| Account { id, login });
            return Ok(account.map(|account| Thing::record(actor(caller, &account))));
        }
        None => return Ok(None),
    };
    let Ok(spot) = caller.spot(&owner, &name).await else { return Ok(None) };
    let spot = Arc::new(spot);
    Ok(match node {
        Node::Repository => Some(Thing::Repository(spot)),
        Node::Issue(number) => issue::one(caller, &spot, number).await?,
        Node::Pull(number) => pull::one(caller, &spot, number).await?.map(Thing::Pull),
        Node::Comment(id) => match caller.front.comment_by_id(&caller.at(&spot), id).await {
            Ok((on, record)) => comment_on(caller, &spot, on, &record).await?,
            Err(_) => None,
        },
        Node::Label(id) => {
            let known = caller.front.labels(&caller.at(&spot)).await?;
            known.iter().find(|label| label.id == id).map(|label| records::label(caller, &spot, label))
        }
        Node::Review(number, id) => match pull::one(caller, &spot, number).await? {
            Some(pull) => {
                let talk = pull.talk(caller).await?;
                let found = talk.reviews.iter().find(|review| review.id == id);
                found.map(|found| review::review(caller, &pull, found, &talk.threads))
            }
            None => None,
        },
        Node::Thread(number, id) => match pull::one(caller, &spot, number).await? {
            Some(pull) => {
                let talk = pull.talk(caller).await?;
                let found = talk.threads.iter().find(|thread| thread.id == id);
                found.map(|found| review::thread(caller, &pull, found))
            }
            None => None,
        },
        Node::ThreadComment(number, thread, id) => match pull::one(caller, &spot, number).await? {
            Some(pull) => {
                let talk = pull.talk(caller).await?;
                let found = talk.threads.iter().find(|record| record.id == thread);
                found.and_then(|thread| {
                    let said = thread.comments.iter().find(|comment| comment.id == id)?;
                    Some(review::thread_comment(caller, &pull, thread, said))
                })
            }
            None => None,
        },
        Node::Ref(branch) => Branch::find(caller, &spot, &branch).await?,
        Node::Commit(sha) => {
            let there = caller.front.commit(&caller.at(&spot), sha.clone()).await.is_ok();
            there.then(|| Commit::thing(&spot, sha))
        }
        // Reached through what they belong to alone.
        Node::CheckRun(..) | Node::CheckSuite(_) => None,
    })
}

/// A comment with what it is on.
pub(super) async fn comment_on(
    caller: &Caller,
    spot: &Arc<Spot>,
    on: Number,
    record: &banksman_core::port::book::CommentRecord,
) -> Result<Option<Thing>, Problem> {
    let thing = either(caller, spot, on).await?;
    Ok(thing.map(|thing| records::comment(caller, spot, on, &thing, record)))
}

/// Spends the points of a query.
pub(super) fn spend(facade: &Facade, points: u64, nodes: u64) -> Cost {
    let limit = facade.answers.spend_points(points, (facade.now)());
    Cost { points, nodes, limit }
}
