//! The leaves of GitHub's answers: ids, names and actors, each checked once here. A text without the shape of its type becomes `None`;
//! who reads it decides what that means (S3).

use banksman_core::{
    id::ActorId,
    text::{BadText, Login, RepoName},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData, str::FromStr};

/// A node id: opaque, printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(String);

impl FromStr for NodeId {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let fits = !text.is_empty() && text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(BadText("node id")) }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient(from)?.ok_or_else(|| de::Error::custom("not a valid node id"))
    }
}

impl serde::Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// A text as its type, or `None` when it has another shape, is `null`, or is no text at all. The text itself is dropped.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<Option<T>, D::Error> {
    struct Text<T>(PhantomData<T>);

    impl<'de, T: FromStr> Visitor<'de> for Text<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
            Ok(text.parse().ok())
        }
        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
        fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
            from.deserialize_any(self)
        }
    }

    from.deserialize_any(Text(PhantomData))
}

/// A number that may stand there as a text (`BigInt`), or be missing.
pub(crate) fn big<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Big;

    impl<'de> Visitor<'de> for Big {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<u64>, E> {
            Ok(Some(number))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<u64>, E> {
            Ok(u64::try_from(number).ok())
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<u64>, E> {
            Ok(text.parse().ok())
        }
        fn visit_unit<E: de::Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_none<E: de::Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<u64>, D::Error> {
            from.deserialize_any(self)
        }
    }

    from.deserialize_any(Big)
}

/// A word of a closed vocabulary: an unknown one becomes the type's default, which is always the careful reading.
pub(crate) fn word<'de, D: Deserializer<'de>, T: Word>(from: D) -> Result<T, D::Error> {
    struct Closed<T>(PhantomData<T>);

    impl<T: Word> Visitor<'_> for Closed<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok(T::of(text))
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<T, E> {
            Ok(T::of(""))
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
            Ok(T::of(""))
        }
        fn visit_unit<E: de::Error>(self) -> Result<T, E> {
            Ok(T::of(""))
        }
        fn visit_none<E: de::Error>(self) -> Result<T, E> {
            Ok(T::of(""))
        }
    }

    from.deserialize_any(Closed(PhantomData))
}

/// A closed vocabulary of GitHub.
pub(crate) trait Word: Sized {
    /// The value of a word; the careful one for any that is not known.
    fn of(word: &str) -> Self;
}

/// Whoever did something. Accounts that were deleted have neither id nor name.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Actor {
    #[serde(default, rename = "databaseId", deserialize_with = "big")]
    graphql: Option<u64>,
    #[serde(default, rename = "id", deserialize_with = "rest_id")]
    rest: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) login: Option<Login>,
}

/// In REST `id` is a number; in GraphQL it is the node id, which is not asked for.
fn rest_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    big(from)
}

/// No account: never equal to a configured one.
pub(crate) const NOBODY: ActorId = ActorId(0);

impl Actor {
    /// The account's number.
    pub(crate) fn actor(&self) -> ActorId {
        self.graphql.or(self.rest).map_or(NOBODY, ActorId)
    }
}

/// The account of something that may have none.
pub(crate) fn actor_of(actor: Option<&Actor>) -> ActorId {
    actor.map_or(NOBODY, Actor::actor)
}

/// Whether a list goes on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) has_next_page: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) end_cursor: Option<NodeId>,
}

/// A page of a list. Entries that are `null` (the account may not see them) are left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub(crate) struct Page<T> {
    #[serde(default, deserialize_with = "present")]
    pub(crate) nodes: Vec<T>,
    #[serde(default)]
    pub(crate) page_info: PageInfo,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), page_info: PageInfo::default() }
    }
}

/// The entries of a list that are there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct Entries<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
        fn visit_none<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = list.next_element::<Option<T>>()? {
                entries.extend(entry);
            }
            Ok(entries)
        }
    }

    from.deserialize_any(Entries(PhantomData))
}

/// The repository that something belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Belongs {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name_with_owner: Option<RepoName>,
}

/// A number of an issue or pull request, with where it is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NumberIn {
    #[serde(default)]
    pub(crate) number: Option<u64>,
    #[serde(default)]
    pub(crate) repository: Option<Belongs>,
}

impl NumberIn {
    /// The number, if it is of that repository.
    pub(crate) fn inside(&self, repo: &RepoName) -> Option<banksman_core::id::Number> {
        let here = self.repository.as_ref()?.name_with_owner.as_ref()? == repo;
        self.number.filter(|_| here).map(banksman_core::id::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_of_another_shape_is_nothing() {
        #[derive(Deserialize)]
        struct Holder {
            #[serde(default, deserialize_with = "lenient")]
            login: Option<Login>,
        }
        let read = |value: serde_json::Value| serde_json::from_value::<Holder>(value).unwrap().login;
        assert_eq!(read(json!({"login": "ann"})).unwrap().as_str(), "ann");
        for odd in [json!({"login": "a\u{202e}b"}), json!({"login": null}), json!({})] {
            assert!(read(odd).is_none());
        }
    }

    #[test]
    fn accounts_are_their_numbers_and_deleted_ones_are_nobody() {
        let read = |value| serde_json::from_value::<Actor>(value).unwrap().actor();
        assert_eq!(read(json!({"databaseId": 7, "login": "ann"})), ActorId(7));
        assert_eq!(read(json!({"id": 8, "login": "bob"})), ActorId(8));
        assert_eq!(read(json!({"login": "ghost"})), NOBODY);
    }

    #[test]
    fn pages_leave_out_what_may_not_be_seen() {
        let page: Page<u64> = serde_json::from_value(
            json!({"nodes": [1, null, 3], "pageInfo": {"hasNextPage": true, "endCursor": "Y3=="}}),
        )
        .unwrap();
        assert_eq!(page.nodes, [1, 3]);
        assert!(page.page_info.has_next_page && page.page_info.end_cursor.is_some());
        assert!(serde_json::from_value::<Page<u64>>(json!({"nodes": null})).unwrap().nodes.is_empty());
    }
}
