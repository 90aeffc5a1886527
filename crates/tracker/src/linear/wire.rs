//! Linear's answers: what is read of them, and nothing else (S2).

use crate::answer::CallError;
use banksman_core::{
    job::Body,
    port::tracker::{Fault, Item, ItemStatus},
    tainted::Tainted,
    text::ItemId,
};
use serde::Deserialize;

/// A GraphQL answer.
#[derive(Deserialize)]
pub(super) struct Reply<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<ErrorWire>,
}

#[derive(Deserialize)]
struct ErrorWire {
    #[serde(default)]
    extensions: Option<Extensions>,
}

/// What Linear says of an error beside its message.
#[derive(Deserialize)]
struct Extensions {
    #[serde(default)]
    code: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl<T> Reply<T> {
    /// The data, or what the first error is about.
    pub(super) fn data(self) -> Result<T, CallError> {
        let Some(error) = self.errors.first() else {
            return self.data.ok_or(CallError::Answer("it has no data"));
        };
        let said = error.extensions.as_ref();
        let code = said.and_then(|e| e.code.as_deref()).unwrap_or_default().to_ascii_uppercase();
        let kind = said.and_then(|e| e.kind.as_deref()).unwrap_or_default().to_ascii_lowercase();
        Err(match (code.as_str(), kind.as_str()) {
            ("AUTHENTICATION_ERROR" | "FORBIDDEN", _) | (_, "authentication error" | "forbidden") => {
                CallError::Refused
            }
            ("RATELIMITED", _) | (_, "ratelimited" | "usage limit exceeded") => {
                CallError::Fault(Fault::Failed(429))
            }
            ("INTERNAL_SERVER_ERROR", _) | (_, "internal error" | "lock timeout" | "bootstrap error") => {
                CallError::Fault(Fault::Failed(500))
            }
            _ => CallError::Rejected(400),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct OneIssue {
    pub(super) issue: IssueWire,
}

#[derive(Deserialize)]
pub(super) struct SomeIssues {
    pub(super) issues: IssuePage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuePage {
    pub(super) nodes: Vec<IssueWire>,
    pub(super) page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

/// An issue.
#[derive(Deserialize)]
pub(super) struct IssueWire {
    pub(super) id: String,
    identifier: String,
    title: String,
    #[serde(default)]
    description: Option<String>,
    state: StateWire,
    pub(super) team: TeamWire,
    labels: Nodes<LabelWire>,
}

#[derive(Deserialize)]
struct StateWire {
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

#[derive(Deserialize)]
pub(super) struct TeamWire {
    pub(super) key: String,
    #[serde(default)]
    states: Nodes<TeamState>,
}

#[derive(Deserialize)]
struct TeamState {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    position: f64,
}

#[derive(Deserialize)]
struct LabelWire {
    name: String,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

/// The status that a workflow state stands for. `Blocked` is no type of Linear's, but many teams have a state of that name.
fn status(kind: &str, name: &str) -> Option<ItemStatus> {
    match kind {
        _ if name.eq_ignore_ascii_case("blocked") => Some(ItemStatus::Blocked),
        "triage" | "backlog" | "unstarted" => Some(ItemStatus::Open),
        "started" => Some(ItemStatus::InProgress),
        "completed" => Some(ItemStatus::Done),
        _ => None,
    }
}

impl IssueWire {
    pub(super) fn id(&self) -> Result<ItemId, CallError> {
        ItemId::new(&self.identifier).map_err(|_| CallError::Answer("an issue has no usable identifier"))
    }

    /// The id of the team's first state of that status; `None` when the issue is in one already, or the team has none.
    pub(super) fn state_for(&self, wanted: ItemStatus) -> Option<&str> {
        if status(&self.state.kind, &self.state.name) == Some(wanted) {
            return None;
        }
        let states = self.team.states.nodes.iter();
        let fitting = states.filter(|state| status(&state.kind, &state.name) == Some(wanted));
        // An issue that is open again goes to the team's to-do, not to its triage.
        let rank = |state: &TeamState| (state.kind != "unstarted", state.position);
        let first = fitting.min_by(|a, b| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        first.map(|state| state.id.as_str())
    }

    /// The item in the words of the port.
    pub(super) fn into_item(self, id: ItemId) -> Item {
        Item {
            id,
            title: Tainted::new(self.title),
            description: Body::new(self.description.unwrap_or_default()),
            status: status(&self.state.kind, &self.state.name),
            labels: self.labels.nodes.into_iter().map(|label| label.name).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct StateSet {
    #[serde(rename = "issueUpdate")]
    pub(super) issue_update: Done,
}

#[derive(Deserialize)]
pub(super) struct CommentDone {
    #[serde(rename = "commentCreate")]
    pub(super) comment_create: Done,
}

/// Whether a mutation did what it was to do.
#[derive(Deserialize)]
pub(super) struct Done {
    success: bool,
}

impl Done {
    pub(super) fn done(&self) -> Result<(), CallError> {
        if self.success { Ok(()) } else { Err(CallError::Rejected(400)) }
    }
}
