//! Path templates of the items API.

use crate::settings::{BadSettings, Paths};
use std::fmt::Write as _;

/// Refuses templates that cannot work.
pub(super) fn check(paths: &Paths) -> Result<(), BadSettings> {
    let templates = [
        ("one item", &paths.item, "{id}"),
        ("the list of items", &paths.items, "{label}"),
        ("comments", &paths.comments, "{id}"),
    ];
    for (what, template, needed) in templates {
        if !template.starts_with('/') || !template.contains(needed) {
            return Err(BadSettings::Path(what, needed));
        }
    }
    Ok(())
}

/// Fills a template; parameters of the query that stay empty are left out.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let fill = |text: &str| {
        values.iter().fold(text.to_owned(), |text, (slot, value)| text.replace(slot, &encoded(value)))
    };
    let Some((path, query)) = template.split_once('?') else { return fill(template) };
    let kept: Vec<String> = query.split('&').map(fill).filter(|pair| !pair.ends_with('=')).collect();
    if kept.is_empty() { fill(path) } else { format!("{}?{}", fill(path), kept.join("&")) }
}

/// Percent-encodes everything but letters, digits and `-._~`, so that no value leaves its place in a path.
pub(crate) fn encoded(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_place() {
        assert_eq!(
            fill("/items/{id}/comments", &[("{id}", "a/../b{label}")]),
            "/items/a%2F..%2Fb%7Blabel%7D/comments"
        );
    }

    #[test]
    fn empty_parameters_are_left_out() {
        let template = Paths::default().items;
        let values = [("{product}", ""), ("{status}", "open"), ("{label}", "a b&c"), ("{next}", "")];
        assert_eq!(fill(&template, &values), "/items?status=open&label=a%20b%26c");
        assert_eq!(fill("/items?label={label}", &[("{label}", "")]), "/items");
    }

    #[test]
    fn a_template_without_its_slot_is_refused() {
        let paths = Paths { item: "/todo".into(), ..Paths::default() };
        assert_eq!(check(&paths), Err(BadSettings::Path("one item", "{id}")));
        assert_eq!(check(&Paths::default()), Ok(()));
    }
}
