//! Issues on the wire.

use super::{Actor, NumberIn, Page, Word, big, lenient, word};
use banksman_core::{signals::TitleHead, text::Label};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use std::fmt;

/// An issue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueWire {
    #[serde(default, deserialize_with = "big")]
    pub(crate) full_database_id: Option<u64>,
    pub(crate) number: u64,
    #[serde(deserialize_with = "word")]
    pub(crate) state: IssueLife,
    #[serde(default, deserialize_with = "title_head")]
    pub(crate) title: TitleHead,
    #[serde(default)]
    pub(crate) author: Option<Actor>,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    #[serde(default)]
    pub(crate) parent: Option<NumberIn>,
    #[serde(default)]
    pub(crate) labels: Option<Page<LabelWire>>,
}

/// Open or closed; what is not known is taken for closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssueLife {
    Open,
    Closed,
}

impl Word for IssueLife {
    fn of(word: &str) -> Self {
        if word.eq_ignore_ascii_case("open") { Self::Open } else { Self::Closed }
    }
}

#[derive(Deserialize)]
pub(crate) struct LabelWire {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<Label>,
}

/// Reads the beginning of a title while the answer is parsed; the title itself goes nowhere.
fn title_head<'de, D: Deserializer<'de>>(from: D) -> Result<TitleHead, D::Error> {
    struct Head;

    impl Visitor<'_> for Head {
        type Value = TitleHead;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a title")
        }
        fn visit_str<E: de::Error>(self, title: &str) -> Result<TitleHead, E> {
            Ok(TitleHead::read(title))
        }
        fn visit_unit<E: de::Error>(self) -> Result<TitleHead, E> {
            Ok(TitleHead::default())
        }
    }

    from.deserialize_any(Head)
}
