//! The items API as it is on the wire: what is read of it, and nothing else (S2).

use banksman_core::{
    job::Body,
    port::tracker::{Item, ItemStatus, Misunderstanding, TrackerError},
    tainted::Tainted,
    text::ItemId,
};
use serde::Deserialize;

/// A page.
#[derive(Deserialize)]
pub(super) struct PageWire {
    pub(super) items: Vec<ItemWire>,
    #[serde(default, deserialize_with = "word_or_number")]
    pub(super) next: Option<String>,
}

/// An item. Ids are text in some trackers and numbers in others.
#[derive(Deserialize)]
pub(super) struct ItemWire {
    #[serde(default, deserialize_with = "word_or_number")]
    id: Option<String>,
    #[serde(default, rename = "productId", deserialize_with = "word_or_number")]
    pub(super) product: Option<String>,
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    labels: Vec<LabelWire>,
}

/// A label: its name, or an object with its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum LabelWire {
    Name(String),
    Object { name: String },
}

impl LabelWire {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Object { name } => name,
        }
    }
}

impl ItemWire {
    /// Its id.
    pub(super) fn id(&self) -> Result<ItemId, TrackerError> {
        let id = self.id.as_deref().and_then(|id| ItemId::new(id).ok());
        id.ok_or(TrackerError::Invalid(Misunderstanding::Answer("an item has no usable id")))
    }

    pub(super) fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|has| has.name() == label)
    }

    /// The item in the words of the port.
    pub(super) fn into_item(self, id: ItemId) -> Item {
        Item {
            id,
            title: Tainted::new(self.title),
            description: Body::new(self.description.unwrap_or_default()),
            status: self.status.as_deref().and_then(ItemStatus::from_word),
            labels: self.labels.iter().map(|label| label.name().to_owned()).collect(),
        }
    }
}

fn word_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Word(String),
        Number(i64),
    }
    Ok(Option::<Either>::deserialize(from)?.map(|either| match either {
        Either::Word(word) => word,
        Either::Number(number) => number.to_string(),
    }))
}
