//! Mutations of pull requests, reviews and threads.

use super::{
    Args, Payload,
    issues::{label_names, viewer},
    now, pull, repository, wrong_kind,
};
use crate::{
    caller::{Caller, Spot},
    deeds,
    graphql::{
        pull as pulls, query, review,
        thing::{Out, Thing},
    },
    node::Node,
    problem::Problem,
};
use banksman_core::{
    id::{Number, ThreadId},
    port::book::{NewThread, Opinion, Presence, Readiness},
    tainted::Tainted,
    text::{BranchName, Sha},
};
use std::sync::Arc;

/// Does one; `None`: it is about something else.
pub(super) async fn field(
    caller: &Arc<Caller>,
    name: &str,
    input: &Args,
) -> Result<Option<Payload>, Problem> {
    let head = input.text("expectedHeadOid");
    Ok(Some(match name {
        "createPullRequest" => {
            let spot = repository(caller, input.must("repositoryId")).await?;
            let wish = deeds::Wish {
                title: input.must("title"),
                body: input.text("body").unwrap_or_default(),
                head: input.must("headRefName"),
                base: input.must("baseRefName"),
                readiness: if input.is("draft") { Readiness::Draft } else { Readiness::Ready },
            };
            let number = deeds::open_pull(caller, &spot, wish).await?;
            vec![("pullRequest", now(caller, &spot, number).await?)]
        }
        "updatePullRequest" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            update(caller, &spot, number, input).await?;
            vec![("pullRequest", now(caller, &spot, number).await?), ("actor", viewer(caller))]
        }
        "closePullRequest" | "reopenPullRequest" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            let open = if name == "reopenPullRequest" { Presence::Present } else { Presence::Absent };
            deeds::set_open(caller, &spot, number, open).await?;
            vec![("pullRequest", now(caller, &spot, number).await?)]
        }
        "markPullRequestReadyForReview" | "convertPullRequestToDraft" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            let readiness = match name {
                "convertPullRequestToDraft" => Readiness::Draft,
                _ => Readiness::Ready,
            };
            caller.front.set_readiness(&caller.at(&spot), number, readiness).await?;
            vec![("pullRequest", now(caller, &spot, number).await?)]
        }
        "mergePullRequest" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            let method = deeds::method(input.text("mergeMethod"))?;
            deeds::merge(caller, &spot, number, head, method).await?;
            vec![("pullRequest", now(caller, &spot, number).await?), ("actor", viewer(caller))]
        }
        "enablePullRequestAutoMerge" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            let method = deeds::method(input.text("mergeMethod"))?;
            deeds::arm(caller, &spot, number, head, method).await?;
            vec![("pullRequest", now(caller, &spot, number).await?), ("actor", viewer(caller))]
        }
        "disablePullRequestAutoMerge" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            caller.front.disarm(&caller.at(&spot), number).await?;
            vec![("pullRequest", now(caller, &spot, number).await?), ("actor", viewer(caller))]
        }
        "updatePullRequestBranch" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            if input.text("updateMethod") == Some("REBASE") {
                return Err(Problem::unprocessable("Rebasing is not offered here"));
            }
            deeds::update_branch(caller, &spot, number, head).await?;
            vec![("pullRequest", now(caller, &spot, number).await?)]
        }
        "addPullRequestReview" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            vec![("pullRequestReview", Out::One(add_review(caller, &spot, number, input).await?))]
        }
        "addPullRequestReviewThreadReply" => {
            let (spot, number, thread) = thread(caller, input.must("pullRequestReviewThreadId")).await?;
            let body = Tainted::new(input.must("body").to_owned());
            caller.front.reply(&caller.at(&spot), thread, body).await?;
            let said = match thread_now(caller, &spot, number, thread).await? {
                Some((pull, record)) => {
                    record.comments.last().map(|said| review::thread_comment(caller, &pull, &record, said))
                }
                None => None,
            };
            vec![("comment", Out::maybe(said))]
        }
        "resolveReviewThread" | "unresolveReviewThread" => {
            let (spot, number, id) = thread(caller, input.must("threadId")).await?;
            let at = caller.at(&spot);
            match name {
                "resolveReviewThread" => caller.front.resolve_thread(&at, number, id).await?,
                _ => caller.front.unresolve_thread(&at, number, id).await?,
            }
            let found = thread_now(caller, &spot, number, id).await?;
            let thing = found.map(|(pull, record)| review::thread(caller, &pull, &record));
            vec![("thread", Out::maybe(thing))]
        }
        "enqueuePullRequest" => return Err(Problem::unprocessable("There is no merge queue here")),
        // Nobody is asked for reviews here; those who review look by themselves.
        "requestReviews" => {
            let (spot, number) = pull(caller, input.must("pullRequestId")).await?;
            vec![("pullRequest", now(caller, &spot, number).await?)]
        }
        _ => return Ok(None),
    }))
}

async fn update(caller: &Caller, spot: &Arc<Spot>, number: Number, input: &Args) -> Result<(), Problem> {
    let at = caller.at(spot);
    let text = |name| input.text(name).map(|text| Tainted::new(text.to_owned()));
    if input.has("title") || input.has("body") {
        caller.front.edit(&at, number, text("title"), text("body")).await?;
    }
    if let Some(base) = input.text("baseRefName") {
        let base = BranchName::new(base).map_err(|_| Problem::invalid("PullRequest", "base", "invalid"))?;
        caller.front.rebase(&at, number, base).await?;
    }
    if let Some(labels) = label_names(caller, spot, input).await? {
        deeds::replace_labels(caller, spot, number, &labels).await?;
    }
    match input.text("state") {
        Some("OPEN") => deeds::set_open(caller, spot, number, Presence::Present).await,
        Some(_) => deeds::set_open(caller, spot, number, Presence::Absent).await,
        None => Ok(()),
    }
}

async fn add_review(
    caller: &Arc<Caller>,
    spot: &Arc<Spot>,
    number: Number,
    input: &Args,
) -> Result<Thing, Problem> {
    let opinion = match input.text("event") {
        Some("APPROVE") => Opinion::Approved,
        Some("REQUEST_CHANGES") => Opinion::ChangesRequested,
        Some("COMMENT") => Opinion::Commented,
        Some(_) => return Err(Problem::unprocessable("Reviews are not dismissed here")),
        None => return Err(Problem::unprocessable("Pending reviews are not offered here: give an event")),
    };
    let mut threads = Vec::new();
    for thread in input.objects("threads") {
        let line = thread.number("line").and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        let path = Tainted::new(thread.must("path").to_owned());
        threads.push(NewThread {
            place: Some((path, line)),
            body: Tainted::new(thread.must("body").to_owned()),
        });
    }
    for comment in input.objects("comments") {
        let line = comment.number("position").and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        let path = Tainted::new(comment.must("path").to_owned());
        threads.push(NewThread {
            place: Some((path, line)),
            body: Tainted::new(comment.must("body").to_owned()),
        });
    }
    let head = input.text("commitOID").map(Sha::new).transpose();
    let head = head.map_err(|_| Problem::unprocessable("commitOID is not a commit"))?;
    let body = input.text("body").unwrap_or_default();
    if opinion != Opinion::Approved && body.is_empty() && threads.is_empty() {
        return Err(Problem::unprocessable("Body can't be blank"));
    }
    let words = Tainted::new(body.to_owned());
    deeds::write_review(caller, spot, number, head, opinion, words, threads).await?;
    let pull = pulls::one(caller, spot, number).await?.ok_or_else(Problem::not_found)?;
    let talk = pull.talk(caller).await?;
    let own = talk.reviews.iter().rfind(|review| review.reviewer.id == caller.account.id);
    Ok(review::review(caller, &pull, own.ok_or_else(Problem::not_found)?, &talk.threads))
}

async fn thread(caller: &Caller, id: &str) -> Result<(Arc<Spot>, Number, ThreadId), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Thread(number, id)) => Ok((spot, number, id)),
        _ => Err(wrong_kind()),
    }
}

/// A thread as it is now.
async fn thread_now(
    caller: &Arc<Caller>,
    spot: &Arc<Spot>,
    number: Number,
    id: ThreadId,
) -> Result<Option<(Arc<pulls::Pull>, banksman_core::port::book::ThreadRecord)>, Problem> {
    let Some(pull) = pulls::one(caller, spot, number).await? else { return Ok(None) };
    let talk = caller.front.conversation(&caller.at(spot), number).await?;
    let found = talk.threads.into_iter().find(|thread| thread.id == id);
    Ok(found.map(|record| (pull, record)))
}
