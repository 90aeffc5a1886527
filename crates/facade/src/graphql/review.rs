//! Reviews and review threads as GraphQL sees them.

use super::{
    commit::Commit,
    pull::Pull,
    records::{actor, association, plain, reactions, time, words},
    thing::{Args, Out, Thing},
};
use crate::{caller::Caller, node::Node, problem::Problem};
use banksman_core::port::book::{CommentRecord, Opinion, ReviewRecord, ThreadRecord};
use std::{collections::BTreeSet, sync::Arc};

/// GitHub's word for an opinion.
pub(crate) fn opinion(opinion: Opinion) -> &'static str {
    match opinion {
        Opinion::Approved => "APPROVED",
        Opinion::ChangesRequested => "CHANGES_REQUESTED",
        Opinion::Commented => "COMMENTED",
    }
}

/// Reviews of a pull request: all of them, or each reviewer's last one, as the name of the field says.
pub(super) async fn reviews(
    caller: &Arc<Caller>,
    pull: &Arc<Pull>,
    which: &str,
    args: &Args,
) -> Result<Vec<Thing>, Problem> {
    let talk = pull.talk(caller).await?;
    let mut chosen: Vec<&ReviewRecord> = talk.reviews.iter().collect();
    if which == "latestOpinionatedReviews" {
        chosen.retain(|review| review.opinion != Opinion::Commented);
    }
    if which != "reviews" {
        let mut seen = BTreeSet::new();
        chosen.reverse();
        chosen.retain(|review| seen.insert(review.reviewer.id));
        chosen.reverse();
    }
    if let Some(states) = args.texts("states") {
        chosen.retain(|review| states.contains(&opinion(review.opinion)));
    }
    if let Some(author) = args.text("author") {
        chosen.retain(|review| review.reviewer.login.as_str().trim_end_matches("[bot]") == author);
    }
    Ok(chosen.into_iter().map(|record| review(caller, pull, record, &talk.threads)).collect())
}

/// A review.
pub(super) fn review(
    caller: &Caller,
    pull: &Arc<Pull>,
    review: &ReviewRecord,
    threads: &[ThreadRecord],
) -> Thing {
    let spot = &pull.spot;
    let body = plain(&review.body);
    let own = threads.iter().filter(|thread| thread.review == Some(review.id));
    let comments = own.filter_map(|t| t.comments.first().map(|first| thread_comment(caller, pull, t, first)));
    Thing::bundle(
        "PullRequestReview",
        vec![
            ("id", Node::Review(pull.number(), review.id).id(&spot.full_name()).into()),
            ("databaseId", review.id.0.into()),
            ("fullDatabaseId", review.id.to_string().into()),
            ("author", actor(caller, &review.reviewer).into()),
            ("authorAssociation", association(caller, &review.reviewer).into()),
            ("authorCanPushToRepository", true.into()),
            ("body", body.clone().into()),
            ("bodyText", body.into()),
            ("state", opinion(review.opinion).into()),
            ("commit", Out::One(Commit::thing(spot, review.head.clone()))),
            ("createdAt", time(review.at).into()),
            ("updatedAt", time(review.at).into()),
            ("submittedAt", time(review.at).into()),
            ("includesCreatedEdit", false.into()),
            ("isMinimized", false.into()),
            ("minimizedReason", Out::Null),
            ("reactionGroups", reactions().into()),
            ("comments", Out::Many(comments.collect())),
            ("url", format!("{}#pullrequestreview-{}", pull.url(caller), review.id).into()),
            ("viewerDidAuthor", (review.reviewer.id == caller.account.id).into()),
            ("pullRequest", Out::One(Thing::Pull(Arc::clone(pull)))),
        ],
    )
}

/// Review threads of a pull request.
pub(super) async fn threads(caller: &Arc<Caller>, pull: &Arc<Pull>) -> Result<Vec<Thing>, Problem> {
    let talk = pull.talk(caller).await?;
    Ok(talk.threads.iter().map(|record| thread(caller, pull, record)).collect())
}

/// A review thread.
pub(super) fn thread(caller: &Caller, pull: &Arc<Pull>, record: &ThreadRecord) -> Thing {
    let spot = &pull.spot;
    let (path, line) = place(record);
    let resolved = record.resolved_by.is_some();
    let comments = record.comments.iter().map(|said| thread_comment(caller, pull, record, said)).collect();
    Thing::bundle(
        "PullRequestReviewThread",
        vec![
            ("id", Node::Thread(pull.number(), record.id).id(&spot.full_name()).into()),
            ("isResolved", resolved.into()),
            ("isOutdated", false.into()),
            ("isCollapsed", resolved.into()),
            ("path", path.into()),
            ("line", line.clone()),
            ("originalLine", line),
            ("startLine", Out::Null),
            ("diffSide", "RIGHT".into()),
            ("resolvedBy", record.resolved_by.as_ref().map_or(Out::Null, |by| actor(caller, by).into())),
            ("viewerCanReply", true.into()),
            ("viewerCanResolve", (!resolved).into()),
            ("viewerCanUnresolve", resolved.into()),
            ("comments", Out::Many(comments)),
            ("pullRequest", Out::One(Thing::Pull(Arc::clone(pull)))),
            ("repository", Out::One(Thing::Repository(Arc::clone(spot)))),
        ],
    )
}

/// Where a thread stands. One about the change as a whole has no line.
fn place(record: &ThreadRecord) -> (String, Out) {
    match &record.place {
        Some((path, line)) => (plain(path), Out::from(*line)),
        None => (String::new(), Out::Null),
    }
}

/// A comment in a review thread.
pub(super) fn thread_comment(
    caller: &Caller,
    pull: &Arc<Pull>,
    thread: &ThreadRecord,
    said: &CommentRecord,
) -> Thing {
    let (path, line) = place(thread);
    let id = Node::ThreadComment(pull.number(), thread.id, said.id).id(&pull.spot.full_name());
    let mut fields: Vec<(&'static str, Out)> = vec![
        ("id", id.into()),
        ("databaseId", said.id.0.into()),
        ("fullDatabaseId", said.id.to_string().into()),
        ("path", path.into()),
        ("line", line.clone()),
        ("originalLine", line),
        ("outdated", false.into()),
        ("url", format!("{}#discussion_r{}", pull.url(caller), said.id).into()),
    ];
    fields.extend(words(caller, said));
    Thing::bundle("PullRequestReviewComment", fields)
}
