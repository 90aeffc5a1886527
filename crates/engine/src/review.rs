//! Reads a reviewer's verdict: one file of a fixed shape, written by a process that may have been talked into anything.

use crate::collect::open_regular;
use banksman_core::{port::ThreadDraft, tainted::Tainted, work::Verdict};
use serde::Deserialize;
use std::{io::Read, path::Path};

/// Largest verdict that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Most threads that a review may open.
const MAX_THREADS: usize = 50;

/// Longest path of a thread, in bytes.
const MAX_PATH: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    verdict: Verdict,
    #[serde(default)]
    threads: Vec<Thread>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thread {
    path: String,
    line: u32,
    body: String,
}

/// Reads the verdict in the file `below` the workspace's `root`; `None` when it is missing or not of the documented shape. An approval opens no threads, a request for
/// changes at least one.
pub(crate) fn verdict(root: &Path, below: &str) -> Option<(Verdict, Vec<ThreadDraft>)> {
    let file = open_regular(root, Path::new(below), MAX_BYTES).ok()?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<(Verdict, Vec<ThreadDraft>)> {
    let file: File = serde_json::from_str(text).ok()?;
    let fits = |thread: &Thread| {
        thread.line >= 1
            && !thread.path.is_empty()
            && thread.path.len() <= MAX_PATH
            && !thread.body.trim().is_empty()
    };
    if file.threads.len() > MAX_THREADS || !file.threads.iter().all(fits) {
        return None;
    }
    match (file.verdict, file.threads.is_empty()) {
        (Verdict::Approve, true) | (Verdict::Changes, false) => {
            let threads = file.threads.into_iter().map(|thread| ThreadDraft {
                path: Tainted::new(thread.path),
                line: thread.line,
                body: Tainted::new(thread.body),
            });
            Some((file.verdict, threads.collect()))
        }
        // An approval with remarks is an approval; the remarks go nowhere, since an open thread would hold the merge.
        (Verdict::Approve, false) => Some((Verdict::Approve, Vec::new())),
        (Verdict::Changes, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_documented_shape_is_a_verdict() {
        let thread = r#"{"path": "a.rs", "line": 3, "body": "Overflow."}"#;
        let (verdict, threads) =
            parse(&format!(r#"{{"verdict": "changes", "threads": [{thread}]}}"#)).unwrap();
        assert_eq!((verdict, threads.len(), threads[0].line), (Verdict::Changes, 1, 3));
        assert_eq!(parse(r#"{"verdict": "approve"}"#).unwrap().0, Verdict::Approve);
        for bad in [
            String::new(),
            "{}".into(),
            r#"{"verdict": "changes"}"#.into(),
            r#"{"verdict": "maybe"}"#.into(),
            r#"{"verdict": "approve", "merge": true}"#.into(),
            r#"{"verdict": "changes", "threads": [{"path": "a", "line": 0, "body": "x"}]}"#.into(),
            format!(r#"{{"verdict": "changes", "threads": [{}]}}"#, vec![thread; 51].join(",")),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in any::<String>()) {
            parse(&text);
        }
    }
}
