//! What a request says: its body and its query.

use crate::problem::Problem;
use axum::http::Uri;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Reads a body. An empty one says nothing.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::unprocessable("Invalid request."),
        _ => Problem::bad_request("Problems parsing JSON"),
    })
}

/// Reads the query: the last of several values counts.
pub(super) fn query(uri: &Uri) -> BTreeMap<String, String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    pairs.map(pair).collect()
}

/// Undoes the encoding of a query. What is no text any more becomes replacement characters.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                if let (Some(high), Some(low)) = (digit(), digit()) {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let query = query(&"/x?q=is%3Aissue+a%20b&state=all&state=open&flag".parse().unwrap());
        assert_eq!(query["q"], "is:issue a b");
        assert_eq!(query["state"], "open");
        assert_eq!(query["flag"], "");
    }

    #[test]
    fn an_empty_body_says_nothing() {
        assert!(body::<BTreeMap<String, String>>(b" \n").unwrap().is_empty());
        assert!(body::<BTreeMap<String, String>>(b"{").is_err());
    }
}
