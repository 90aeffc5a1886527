//! Mutations of issues, comments, labels and relations.

use super::{Args, Payload, either, issue, now, repository, wrong_kind};
use crate::{
    caller::{Caller, Spot},
    deeds,
    graphql::{
        query, records,
        thing::{Out, Thing},
    },
    node::Node,
    problem::Problem,
};
use banksman_core::{
    id::{CommentId, Number},
    port::book::{LabelRecord, Link, Presence},
    tainted::Tainted,
    text::Label,
};
use std::sync::Arc;

/// Does one; `None`: it is about something else.
pub(super) async fn field(
    caller: &Arc<Caller>,
    name: &str,
    input: &Args,
) -> Result<Option<Payload>, Problem> {
    let text = |name| input.text(name).map(|text| Tainted::new(text.to_owned()));
    Ok(Some(match name {
        "createIssue" => {
            let spot = repository(caller, input.must("repositoryId")).await?;
            if input.must("title").trim().is_empty() {
                return Err(Problem::unprocessable("Title can't be blank"));
            }
            let labels = label_names(caller, &spot, input).await?.unwrap_or_default();
            let at = caller.at(&spot);
            let title = Tainted::new(input.must("title").to_owned());
            let body = text("body").unwrap_or_else(|| Tainted::new(String::new()));
            let number = caller.front.open_issue(&at, title, body, labels).await?;
            if let Some(parent) = input.text("parentIssueId") {
                let (_, parent) = issue(caller, parent).await?;
                caller.front.link(&at, Link::Child { parent, child: number }, Presence::Present).await?;
            }
            vec![("issue", now(caller, &spot, number).await?)]
        }
        "updateIssue" => {
            let (spot, number) = issue(caller, input.must("id")).await?;
            let at = caller.at(&spot);
            if input.has("title") || input.has("body") {
                caller.front.edit(&at, number, text("title"), text("body")).await?;
            }
            if let Some(labels) = label_names(caller, &spot, input).await? {
                deeds::replace_labels(caller, &spot, number, &labels).await?;
            }
            match input.text("state") {
                Some("OPEN") => deeds::set_open(caller, &spot, number, Presence::Present).await?,
                Some(_) => deeds::set_open(caller, &spot, number, Presence::Absent).await?,
                None => {}
            }
            vec![("issue", now(caller, &spot, number).await?), ("actor", viewer(caller))]
        }
        "closeIssue" | "reopenIssue" => {
            let (spot, number) = issue(caller, input.must("issueId")).await?;
            let open = if name == "reopenIssue" { Presence::Present } else { Presence::Absent };
            deeds::set_open(caller, &spot, number, open).await?;
            vec![("issue", now(caller, &spot, number).await?)]
        }
        "addComment" => {
            let (spot, number) = either(caller, input.must("subjectId")).await?;
            let body = Tainted::new(input.must("body").to_owned());
            let id = caller.front.comment(&caller.at(&spot), number, body).await?;
            let node = comment(caller, &spot, id).await?;
            let edge = Thing::Edge { cursor: id.to_string().into(), node: Box::new(node) };
            vec![("commentEdge", Out::One(edge)), ("subject", now(caller, &spot, number).await?)]
        }
        "updateIssueComment" => {
            let (spot, id) = comment_id(caller, input.must("id")).await?;
            let body = Tainted::new(input.must("body").to_owned());
            caller.front.rewrite_comment(&caller.at(&spot), id, body).await?;
            vec![("issueComment", Out::One(comment(caller, &spot, id).await?))]
        }
        "deleteIssueComment" => {
            let (spot, id) = comment_id(caller, input.must("id")).await?;
            caller.front.remove_comment(&caller.at(&spot), id).await?;
            Vec::new()
        }
        "addLabelsToLabelable" | "removeLabelsFromLabelable" => {
            let (spot, number) = either(caller, input.must("labelableId")).await?;
            let presence = match name {
                "addLabelsToLabelable" => Presence::Present,
                _ => Presence::Absent,
            };
            for label in label_names(caller, &spot, input).await?.unwrap_or_default() {
                caller.front.set_label(&caller.at(&spot), number, label, presence).await?;
            }
            vec![("labelable", now(caller, &spot, number).await?)]
        }
        "createLabel" => {
            let spot = repository(caller, input.must("repositoryId")).await?;
            let (color, description) = (input.text("color"), input.text("description"));
            let made = deeds::make_label(caller, &spot, input.must("name"), color, description).await?;
            vec![("label", Out::One(records::label(caller, &spot, &made)))]
        }
        "updateLabel" => {
            let (spot, old) = label(caller, input.must("id")).await?;
            let (new, color, description) =
                (input.text("name"), input.text("color"), input.text("description"));
            let name = old.name.as_str();
            let changed = deeds::change_label(caller, &spot, name, new, color, description).await?;
            vec![("label", Out::One(records::label(caller, &spot, &changed)))]
        }
        "deleteLabel" => {
            let (spot, old) = label(caller, input.must("id")).await?;
            caller.front.drop_label(&caller.at(&spot), old.name).await?;
            Vec::new()
        }
        "addSubIssue" | "removeSubIssue" => {
            let (spot, parent) = issue(caller, input.must("issueId")).await?;
            let Some(child) = input.text("subIssueId") else {
                return Err(Problem::unprocessable("The sub-issue has to be given by its id"));
            };
            let (_, child) = issue(caller, child).await?;
            let presence = if name == "addSubIssue" { Presence::Present } else { Presence::Absent };
            relate(caller, &spot, Link::Child { parent, child }, presence).await?;
            vec![("issue", now(caller, &spot, parent).await?), ("subIssue", now(caller, &spot, child).await?)]
        }
        "addBlockedBy" | "removeBlockedBy" => {
            let (spot, blocked) = issue(caller, input.must("issueId")).await?;
            let (_, blocker) = issue(caller, input.must("blockingIssueId")).await?;
            let presence = if name == "addBlockedBy" { Presence::Present } else { Presence::Absent };
            relate(caller, &spot, Link::Blocks { blocker, blocked }, presence).await?;
            let issue = now(caller, &spot, blocked).await?;
            vec![("issue", issue), ("blockingIssue", now(caller, &spot, blocker).await?)]
        }
        _ => return Ok(None),
    }))
}

async fn relate(caller: &Caller, spot: &Spot, link: Link, presence: Presence) -> Result<(), Problem> {
    Ok(caller.front.link(&caller.at(spot), link, presence).await?)
}

/// Who asks.
pub(super) fn viewer(caller: &Caller) -> Out {
    records::actor(caller, &caller.account).into()
}

async fn comment_id(caller: &Caller, id: &str) -> Result<(Arc<Spot>, CommentId), Problem> {
    match query::locate(caller, id).await? {
        (spot, Node::Comment(id)) => Ok((spot, id)),
        _ => Err(wrong_kind()),
    }
}

async fn comment(caller: &Caller, spot: &Arc<Spot>, id: CommentId) -> Result<Thing, Problem> {
    let (on, record): (Number, _) = caller.front.comment_by_id(&caller.at(spot), id).await?;
    query::comment_on(caller, spot, on, &record).await?.ok_or_else(Problem::not_found)
}

async fn label(caller: &Caller, id: &str) -> Result<(Arc<Spot>, LabelRecord), Problem> {
    let (spot, Node::Label(id)) = query::locate(caller, id).await? else { return Err(wrong_kind()) };
    let known = caller.front.labels(&caller.at(&spot)).await?;
    let found = known.into_iter().find(|label| label.id == id).ok_or_else(Problem::not_found)?;
    Ok((spot, found))
}

/// The labels of `labelIds`; `None`: the input does not speak of labels.
pub(super) async fn label_names(
    caller: &Caller,
    spot: &Spot,
    input: &Args,
) -> Result<Option<Vec<Label>>, Problem> {
    let Some(ids) = input.texts("labelIds") else { return Ok(None) };
    let known = caller.front.labels(&caller.at(spot)).await?;
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        let (other, Node::Label(id)) = query::locate(caller, id).await? else { return Err(wrong_kind()) };
        let found = known.iter().find(|label| label.id == id && other.repo() == spot.repo());
        names.push(found.ok_or_else(wrong_kind)?.name.clone());
    }
    Ok(Some(names))
}
