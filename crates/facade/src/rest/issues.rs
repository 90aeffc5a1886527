//! Issues; as on GitHub a list of issues has the pull requests in it.

use super::{There, input};
use crate::{
    Facade, deeds,
    page::{Page, with_link},
    problem::Problem,
    shape,
};
use axum::{
    Json, Router,
    body::Bytes,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use banksman_core::{
    id::Number,
    port::book::{IssueRecord, LabelRecord, Presence, Select},
    tainted::Tainted,
    text::Label,
};
use banksman_forge::local::PullSummary;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

pub(super) fn routes() -> Router<Arc<Facade>> {
    Router::new()
        .route("/repos/{owner}/{repo}/issues", get(list).post(open))
        .route("/repos/{owner}/{repo}/issues/{number}", get(one).patch(change))
        .route("/repos/{owner}/{repo}/issues/{number}/reactions", get(no_reactions))
        .route("/repos/{owner}/{repo}/issues/comments/{id}/reactions", get(no_reactions))
}

/// An entry of a list.
enum Item {
    Issue(IssueRecord),
    Pull(Box<PullSummary>),
}

impl Item {
    fn number(&self) -> Number {
        match self {
            Self::Issue(issue) => issue.number,
            Self::Pull(pull) => pull.signals.number,
        }
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Issue(issue) => (issue.created_at, issue.updated_at),
            Self::Pull(pull) => (pull.signals.created_at, pull.signals.updated_at),
        }
    }

    fn labels(&self) -> &[Label] {
        match self {
            Self::Issue(issue) => &issue.labels,
            Self::Pull(pull) => &pull.labels,
        }
    }

    fn author(&self) -> &str {
        match self {
            Self::Issue(issue) => issue.author.login.as_str(),
            Self::Pull(pull) => pull.signals.author_login.as_str(),
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Issue(issue) => issue.open,
            Self::Pull(pull) => pull.signals.state == banksman_core::signals::PullState::Open,
        }
    }
}

/// What every issue of a repository is shown with.
pub(super) struct Context {
    known: Vec<LabelRecord>,
    all: BTreeMap<Number, (bool, Option<Number>, Vec<Number>)>,
}

impl Context {
    /// Reads it.
    pub(super) async fn read(there: &There) -> Result<Self, Problem> {
        let at = there.caller.at(&there.spot);
        let known = there.caller.front.labels(&at).await?;
        let all = there.caller.front.issues(&at, Select::All).await?.into_iter();
        let all = all.map(|issue| (issue.number, (issue.open, issue.parent, issue.blocked_by))).collect();
        Ok(Self { known, all })
    }

    /// An issue as it is shown.
    pub(super) async fn show(&self, there: &There, issue: &IssueRecord) -> Result<Value, Problem> {
        let There { caller, spot, .. } = there;
        let at = caller.at(spot);
        let body = shape::plain(&caller.front.text(&at, issue.number).await?.body);
        let comments = caller.front.comments(&at, issue.number).await?.len();
        let children: Vec<bool> = self
            .all
            .values()
            .filter(|(_, parent, _)| *parent == Some(issue.number))
            .map(|(open, _, _)| *open)
            .collect();
        let done = children.iter().filter(|open| !**open).count();
        let blocking = self.all.values().filter(|(_, _, by)| by.contains(&issue.number)).count();
        let family = (children.len(), done, blocking);
        Ok(shape::issues::issue(caller, spot, issue, body, &self.known, comments, family))
    }

    async fn show_item(&self, there: &There, item: &Item) -> Result<Value, Problem> {
        let pull = match item {
            Item::Issue(issue) => return self.show(there, issue).await,
            Item::Pull(pull) => pull,
        };
        let There { caller, spot, .. } = there;
        let at = caller.at(spot);
        let body = shape::plain(&caller.front.text(&at, pull.signals.number).await?.body);
        let comments = caller.front.comments(&at, pull.signals.number).await?.len();
        Ok(shape::issues::pull_as_issue(caller, spot, pull, body, &self.known, comments))
    }
}

/// Issues and pull requests that are wanted.
async fn items(there: &There, which: Select) -> Result<Vec<Item>, Problem> {
    let at = there.caller.at(&there.spot);
    let issues = there.caller.front.issues(&at, which.clone()).await?.into_iter().map(Item::Issue);
    let pulls =
        there.caller.front.pulls(&at, which).await?.into_iter().map(|pull| Item::Pull(Box::new(pull)));
    Ok(issues.chain(pulls).collect())
}

/// The issue or pull request that a request is about.
async fn item(there: &There) -> Result<Item, Problem> {
    let number = Number(there.number("number")?);
    items(there, Select::Numbers(vec![number])).await?.pop().ok_or_else(Problem::not_found)
}

async fn list(there: There, uri: Uri) -> Result<Response, Problem> {
    let query = input::query(&uri);
    let wanted = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let which = match wanted("state").unwrap_or("open") {
        "open" => Select::Open,
        "closed" | "all" => Select::All,
        _ => return Err(Problem::invalid("Issue", "state", "invalid")),
    };
    let mut all = items(&there, which).await?;
    if wanted("state") == Some("closed") {
        all.retain(|item| !item.is_open());
    }
    if let Some(labels) = wanted("labels") {
        let has =
            |item: &Item, name: &str| item.labels().iter().any(|l| l.as_str().eq_ignore_ascii_case(name));
        all.retain(|item| labels.split(',').all(|name| has(item, name.trim())));
    }
    if let Some(author) = wanted("creator") {
        all.retain(|item| item.author().eq_ignore_ascii_case(author));
    }
    if let Some(since) = wanted("since").and_then(|since| since.parse::<Timestamp>().ok()) {
        all.retain(|item| item.times().1 >= since);
    }
    // Nobody is assigned to anything here, and nothing is in a milestone.
    if ["assignee", "milestone", "mentioned"].iter().any(|n| wanted(n).is_some_and(|v| v != "none")) {
        all.clear();
    }
    let key = |item: &Item| match wanted("sort") {
        Some("updated") => (item.times().1, item.number()),
        _ => (item.times().0, item.number()),
    };
    if wanted("direction") == Some("asc") {
        all.sort_by_key(key);
    } else {
        all.sort_by_key(|item| Reverse(key(item)));
    }
    let page = Page::of(&uri, &there.caller.links.api);
    let link = page.link(all.len());
    let context = Context::read(&there).await?;
    let mut shown = Vec::new();
    for item in page.cut(all) {
        shown.push(context.show_item(&there, &item).await?);
    }
    Ok(with_link(Json(shown).into_response(), link))
}

async fn one(there: There) -> Result<Json<Value>, Problem> {
    let item = item(&there).await?;
    Ok(Json(Context::read(&there).await?.show_item(&there, &item).await?))
}

/// A label in a request: its name, or an object that has it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum LabelGiven {
    Name(String),
    Object { name: String },
}

impl LabelGiven {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Object { name } => name,
        }
    }
}

#[derive(Deserialize)]
struct NewIssue {
    title: Option<Value>,
    body: Option<String>,
    #[serde(default)]
    labels: Vec<LabelGiven>,
}

async fn open(there: There, bytes: Bytes) -> Result<Response, Problem> {
    let There { caller, spot, .. } = &there;
    let new: NewIssue = input::body(&bytes)?;
    let title = match new.title {
        Some(Value::String(title)) if !title.trim().is_empty() => title,
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(Problem::invalid("Issue", "title", "missing_field")),
    };
    let names: Vec<&str> = new.labels.iter().map(LabelGiven::name).collect();
    let labels = deeds::label_names(caller, spot, &names).await?;
    let body = Tainted::new(new.body.unwrap_or_default());
    let at = caller.at(spot);
    let number = caller.front.open_issue(&at, Tainted::new(title), body, labels).await?;
    let made = caller.front.issues(&at, Select::Numbers(vec![number])).await?.pop();
    let shown = Context::read(&there).await?.show(&there, &made.ok_or_else(Problem::not_found)?).await?;
    let place = format!("{}/issues/{number}", caller.links.repo_api(spot));
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(shown)).into_response())
}

#[derive(Deserialize)]
struct Change {
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    labels: Option<Vec<LabelGiven>>,
}

async fn change(there: There, bytes: Bytes) -> Result<Json<Value>, Problem> {
    let There { caller, spot, .. } = &there;
    let change: Change = input::body(&bytes)?;
    let number = item(&there).await?.number();
    if change.title.is_some() || change.body.is_some() {
        let text = |text: Option<String>| text.map(Tainted::new);
        caller.front.edit(&caller.at(spot), number, text(change.title), text(change.body)).await?;
    }
    if let Some(labels) = change.labels {
        let names: Vec<&str> = labels.iter().map(LabelGiven::name).collect();
        let labels = deeds::label_names(caller, spot, &names).await?;
        deeds::replace_labels(caller, spot, number, &labels).await?;
    }
    match change.state.as_deref() {
        Some("open") => deeds::set_open(caller, spot, number, Presence::Present).await?,
        Some("closed") => deeds::set_open(caller, spot, number, Presence::Absent).await?,
        Some(_) => return Err(Problem::invalid("Issue", "state", "invalid")),
        None => {}
    }
    one(there).await
}

async fn no_reactions(_there: There) -> Json<Value> {
    Json(Value::Array(Vec::new()))
}
