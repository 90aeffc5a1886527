//! Issues of GitHub's REST API: what is read of them, and nothing else (S2).

use super::{BLOCKED, IN_PROGRESS};
use banksman_core::{
    job::Body,
    port::tracker::{Item, ItemStatus},
    tainted::Tainted,
    text::ItemId,
};
use serde::{Deserialize, de::IgnoredAny};

/// An issue or a pull request.
#[derive(Deserialize)]
pub(super) struct IssueWire {
    pub(super) number: u64,
    title: String,
    #[serde(default)]
    body: Option<String>,
    state: String,
    labels: Vec<LabelWire>,
    #[serde(default)]
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LabelWire {
    Name(String),
    Object { name: Option<String> },
}

impl LabelWire {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Object { name } => name.as_deref(),
        }
    }
}

impl IssueWire {
    /// GitHub lists pull requests among the issues.
    pub(super) fn is_pull(&self) -> bool {
        self.pull_request.is_some()
    }

    /// The item in the words of the port. The labels that Banksman sets itself are not passed on.
    pub(super) fn into_item(self, id: ItemId) -> Item {
        let has = |label| self.labels.iter().any(|l| l.name() == Some(label));
        let status = match self.state.as_str() {
            "closed" => Some(ItemStatus::Done),
            "open" if has(BLOCKED) => Some(ItemStatus::Blocked),
            "open" if has(IN_PROGRESS) => Some(ItemStatus::InProgress),
            "open" => Some(ItemStatus::Open),
            _ => None,
        };
        let names = self.labels.iter().filter_map(LabelWire::name);
        let labels = names.filter(|name| ![BLOCKED, IN_PROGRESS].contains(name)).map(str::to_owned).collect();
        Item {
            id,
            title: Tainted::new(self.title),
            description: Body::new(self.body.unwrap_or_default()),
            status,
            labels,
        }
    }
}
