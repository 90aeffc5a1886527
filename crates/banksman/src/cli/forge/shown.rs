//! Issues and pull requests as scripts get them: the stable shape of `--json`. Text is given as it is; JSON escapes it.

use banksman_core::{
    id::{CommentId, Number, ThreadId},
    port::book::{CommentRecord, Conversation, IssueRecord, Opinion},
    signals::{CheckState, MergeState, PullState, Signals},
    tainted::Tainted,
    text::{BranchName, CheckName, Label, Login, Sha},
};
use banksman_forge::local::{IssueView, PullSummary, PullView};
use jiff::Timestamp;
use serde::Serialize;

/// Foreign text for a document.
pub(super) fn text(tainted: &Tainted) -> String {
    tainted.structure(str::to_owned)
}

/// An issue.
#[derive(Debug, Serialize)]
pub(super) struct Issue {
    pub(super) number: Number,
    pub(super) title: String,
    pub(super) open: bool,
    pub(super) author: Login,
    pub(super) labels: Vec<Label>,
    pub(super) blocked_by: Vec<Number>,
    pub(super) parent: Option<Number>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
}

impl From<&IssueRecord> for Issue {
    fn from(record: &IssueRecord) -> Self {
        Self {
            number: record.number,
            title: text(&record.title),
            open: record.open,
            author: record.author.login.clone(),
            labels: record.labels.clone(),
            blocked_by: record.blocked_by.clone(),
            parent: record.parent,
            created_at: record.created_at,
            updated_at: record.updated_at,
            closed_at: record.closed_at,
        }
    }
}

/// An issue with everything on it.
#[derive(Debug, Serialize)]
pub(super) struct IssueFull {
    #[serde(flatten)]
    pub(super) issue: Issue,
    pub(super) body: String,
    pub(super) children: Vec<Issue>,
    pub(super) comments: Vec<Comment>,
}

impl From<&IssueView> for IssueFull {
    fn from(view: &IssueView) -> Self {
        Self {
            issue: (&view.issue).into(),
            body: text(&view.body),
            children: view.children.iter().map(Issue::from).collect(),
            comments: view.comments.iter().map(Comment::from).collect(),
        }
    }
}

/// A comment.
#[derive(Debug, Serialize)]
pub(super) struct Comment {
    pub(super) id: CommentId,
    pub(super) author: Login,
    pub(super) at: Timestamp,
    pub(super) body: String,
}

impl From<&CommentRecord> for Comment {
    fn from(record: &CommentRecord) -> Self {
        let author = record.author.login.clone();
        Self { id: record.id, author, at: record.at, body: text(&record.body) }
    }
}

/// A pull request: its signals with its words.
#[derive(Debug, Serialize)]
pub(super) struct Pull {
    pub(super) title: String,
    pub(super) labels: Vec<Label>,
    #[serde(flatten)]
    pub(super) signals: Signals,
}

impl From<&PullSummary> for Pull {
    fn from(summary: &PullSummary) -> Self {
        let signals = summary.signals.clone();
        Self { title: text(&summary.title), labels: summary.labels.clone(), signals }
    }
}

/// A pull request with everything on it.
#[derive(Debug, Serialize)]
pub(super) struct PullFull {
    #[serde(flatten)]
    pub(super) pull: Pull,
    pub(super) body: String,
    pub(super) comments: Vec<Comment>,
    pub(super) conversation: Talk,
}

impl From<&PullView> for PullFull {
    fn from(view: &PullView) -> Self {
        Self {
            pull: (&view.summary).into(),
            body: text(&view.body),
            comments: view.comments.iter().map(Comment::from).collect(),
            conversation: (&view.conversation).into(),
        }
    }
}

/// Reviews and threads.
#[derive(Debug, Serialize)]
pub(super) struct Talk {
    pub(super) reviews: Vec<Review>,
    pub(super) threads: Vec<Thread>,
}

/// A review.
#[derive(Debug, Serialize)]
pub(super) struct Review {
    pub(super) reviewer: Login,
    pub(super) opinion: Opinion,
    pub(super) head: Sha,
    pub(super) at: Timestamp,
    pub(super) body: String,
}

/// A review thread.
#[derive(Debug, Serialize)]
pub(super) struct Thread {
    pub(super) id: ThreadId,
    pub(super) path: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) resolved_by: Option<Login>,
    pub(super) comments: Vec<Comment>,
}

impl From<&Conversation> for Talk {
    fn from(talk: &Conversation) -> Self {
        let reviews = talk.reviews.iter().map(|r| Review {
            reviewer: r.reviewer.login.clone(),
            opinion: r.opinion,
            head: r.head.clone(),
            at: r.at,
            body: text(&r.body),
        });
        let threads = talk.threads.iter().map(|t| Thread {
            id: t.id,
            path: t.place.as_ref().map(|(path, _)| text(path)),
            line: t.place.as_ref().map(|(_, line)| *line),
            resolved_by: t.resolved_by.as_ref().map(|a| a.login.clone()),
            comments: t.comments.iter().map(Comment::from).collect(),
        });
        Self { reviews: reviews.collect(), threads: threads.collect() }
    }
}

/// A check with the end of its output.
#[derive(Debug, Serialize)]
pub(super) struct CheckShown {
    pub(super) name: CheckName,
    pub(super) state: CheckState,
    pub(super) at: Timestamp,
    pub(super) log: String,
}

/// A branch.
#[derive(Debug, Serialize)]
pub(super) struct Branch {
    pub(super) name: BranchName,
    pub(super) head: Sha,
}

/// A pull request's state in a word.
pub(super) fn state_word(signals: &Signals) -> &'static str {
    match &signals.state {
        PullState::Merged { .. } => "merged",
        PullState::Closed { .. } => "closed",
        PullState::Open if signals.is_draft => "draft",
        PullState::Open => "open",
    }
}

/// What stands in the way of a merge, in a word.
pub(super) fn merge_word(state: MergeState) -> &'static str {
    match state {
        MergeState::Clean => "clean",
        MergeState::Behind => "behind",
        MergeState::Blocked => "blocked",
        MergeState::Dirty => "conflict",
        MergeState::Unstable => "red checks",
        MergeState::HasHooks => "hooks",
        MergeState::Draft => "draft",
        MergeState::Unknown => "unknown",
    }
}

/// A check's state in a word.
pub(super) fn check_word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Passing => "passed",
        CheckState::Failing => "FAILED",
    }
}
