//! Pages of GraphQL lists. A cursor names an entry and where it stood, so that a list that shrinks or grows between two pages is
//! gone through without a gap.

use super::thing::{Args, Out, Thing};
use crate::problem::Problem;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use std::sync::Arc;

/// Most entries of a page, as on GitHub.
const MOST: u64 = 100;

/// A page of a list.
pub(super) struct Page {
    /// Entries of the page with their cursors.
    items: Vec<(Arc<str>, Thing)>,
    /// Entries of the whole list.
    total: usize,
    before: bool,
    after: bool,
    /// Further fields of this connection.
    more: Vec<(&'static str, Out)>,
}

/// Cuts the page that the arguments ask for. Without `first` and `last` there are no entries, just the count, as on GitHub.
pub(super) fn page(all: Vec<Thing>, args: &Args) -> Result<Thing, Problem> {
    page_with(all, args, Vec::new())
}

/// The same for a connection with further fields.
pub(super) fn page_with(
    all: Vec<Thing>,
    args: &Args,
    more: Vec<(&'static str, Out)>,
) -> Result<Thing, Problem> {
    let (first, last) = (args.number("first"), args.number("last"));
    if first.into_iter().chain(last).any(|wanted| wanted > MOST) {
        return Err(Problem::bad_request("Requesting more than 100 records on a connection is not possible"));
    }
    let total = all.len();
    let keys: Vec<String> = all.iter().map(Thing::key).collect();
    let place = |cursor: &str| -> Result<usize, Problem> {
        let bad = || Problem::bad_request("This is not a valid cursor");
        let code = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let code = String::from_utf8(code).map_err(|_| bad())?;
        let (at, key) = code.split_once(' ').ok_or_else(bad)?;
        let at: usize = at.parse().map_err(|_| bad())?;
        Ok(keys.iter().position(|known| !key.is_empty() && known == key).map_or(at, |at| at + 1))
    };
    let mut from = args.text("after").map(place).transpose()?.unwrap_or(0).min(total);
    let mut to =
        args.text("before").map(place).transpose()?.map_or(total, |to| to.saturating_sub(1)).min(total);
    to = to.max(from);
    let size = |wanted: u64| usize::try_from(wanted).unwrap_or(usize::MAX);
    match (first, last) {
        (Some(first), _) => to = to.min(from.saturating_add(size(first))),
        (None, Some(last)) => from = from.max(to.saturating_sub(size(last))),
        (None, None) => to = from,
    }
    let cursor = |at: usize, key: &str| BASE64_URL_SAFE_NO_PAD.encode(format!("{} {key}", at + 1)).into();
    let items = all.into_iter().enumerate().skip(from).take(to - from);
    let items =
        items.map(|(at, thing)| (cursor(at, keys.get(at).map_or("", String::as_str)), thing)).collect();
    Ok(Thing::Page(Arc::new(Page { items, total, before: from > 0, after: to < total, more })))
}

impl Page {
    /// Answers a field.
    pub(super) fn field(&self, name: &str) -> Out {
        match name {
            "nodes" => Out::Many(self.items.iter().map(|(_, thing)| thing.clone()).collect()),
            "edges" => {
                let edge = |(cursor, thing): &(Arc<str>, Thing)| Thing::Edge {
                    cursor: Arc::clone(cursor),
                    node: Box::new(thing.clone()),
                };
                Out::Many(self.items.iter().map(edge).collect())
            }
            "totalCount" => self.total.into(),
            "pageInfo" => json!({
                "hasNextPage": self.after,
                "hasPreviousPage": self.before,
                "startCursor": self.items.first().map(|(cursor, _)| cursor.as_ref()),
                "endCursor": self.items.last().map(|(cursor, _)| cursor.as_ref()),
            })
            .into(),
            _ => {
                let found = self.more.iter().find(|(field, _)| *field == name);
                found.map_or(Out::Unknown, |(_, out)| out.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Vec<Thing> {
        ids.iter().map(|id| Thing::record(json!({ "id": id }))).collect()
    }

    fn args(json: &serde_json::Value) -> Args {
        let value = async_graphql::Value::from_json(json!({ "x": json })).unwrap();
        let async_graphql::Value::Object(map) = value else { unreachable!() };
        Args::read(&map).inner("x")
    }

    fn keys(page: &Thing) -> (Vec<String>, Option<String>) {
        let Thing::Page(page) = page else { unreachable!() };
        let keys = page.items.iter().map(|(_, thing)| thing.key()).collect();
        (keys, page.items.last().map(|(cursor, _)| cursor.to_string()))
    }

    #[test]
    fn a_list_that_shrinks_between_two_pages_is_gone_through_without_a_gap() {
        let (first, cursor) =
            keys(&page(list(&["a", "b", "c", "d"]), &args(&json!({ "first": 2 }))).unwrap());
        assert_eq!(first, ["a", "b"]);
        let next = args(&json!({ "first": 2, "after": cursor }));
        assert_eq!(keys(&page(list(&["b", "c", "d"]), &next).unwrap()).0, ["c", "d"]);
        assert_eq!(keys(&page(list(&["z", "a", "b", "c", "d"]), &next).unwrap()).0, ["c", "d"]);
    }

    #[test]
    fn the_last_entries_and_the_bare_count_can_be_asked_for() {
        assert_eq!(keys(&page(list(&["a", "b", "c"]), &args(&json!({ "last": 2 }))).unwrap()).0, ["b", "c"]);
        assert!(keys(&page(list(&["a"]), &args(&json!({}))).unwrap()).0.is_empty());
        assert!(page(Vec::new(), &args(&json!({ "first": 101 }))).is_err());
        assert!(page(Vec::new(), &args(&json!({ "after": "!" }))).is_err());
    }
}
