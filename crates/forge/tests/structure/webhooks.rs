//! The payloads that GitHub publishes as examples, and whatever else may be sent.

use super::material;
use banksman_forge::github::webhook::{Hint, HookKey, Rejected, Signature, receive};
use proptest::prelude::*;
use serde_json::Value;
use std::{collections::BTreeMap, fs, sync::LazyLock};

/// Event and body of each example, read once.
static EXAMPLES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let path = material::npm("@octokit/webhooks-examples/api.github.com/index.json");
    let all: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    all.iter()
        .flat_map(|event| {
            let name = event["name"].as_str().unwrap();
            let bodies = event["examples"].as_array().unwrap().iter();
            bodies.map(move |body| (name.to_owned(), serde_json::to_vec(body).unwrap()))
        })
        .collect()
});

fn key() -> HookKey {
    HookKey::new(b"a secret of a test").unwrap()
}

#[test]
fn every_published_payload_is_read() {
    let (key, mut looks) = (key(), BTreeMap::<String, (u32, u32)>::new());
    assert_eq!(EXAMPLES.len(), 329);
    for (event, body) in &*EXAMPLES {
        let hint = receive(&key, Some(key.sign(body)), event, body);
        let hint = hint.unwrap_or_else(|error| panic!("{event}: {error}"));
        let (of, all) = looks.entry(event.clone()).or_default();
        *all += 1;
        *of += u32::from(matches!(hint, Hint::Look { .. }));
    }
    // Of the events that the pipeline lives by, this many of the examples are worth a look.
    let worth = |event: &str| looks[event];
    assert_eq!(worth("pull_request_review"), (4, 4));
    assert_eq!(worth("pull_request_review_thread"), (3, 3));
    assert_eq!(worth("merge_group"), (2, 2));
    assert_eq!(worth("status").0, worth("status").1);
    assert_eq!(worth("push").0, worth("push").1);
    for event in
        ["pull_request", "issues", "check_run", "check_suite", "create", "delete", "label", "repository"]
    {
        assert!(worth(event).0 > 0, "{event}: {:?}", worth(event));
    }
    for event in ["star", "watch", "fork", "issue_comment", "ping"] {
        assert_eq!(worth(event).0, 0, "{event}");
    }
}

#[test]
fn no_text_of_a_payload_is_in_its_hint() {
    for (event, body) in &*EXAMPLES {
        let key = key();
        let hint = format!("{:?}", receive(&key, Some(key.sign(body)), event, body).unwrap());
        let payload: Value = serde_json::from_slice(body).unwrap();
        let texts =
            ["/pull_request/title", "/issue/title", "/issue/body", "/comment/body", "/ref", "/compare"];
        for text in texts.iter().filter_map(|at| payload.pointer(at)?.as_str()).filter(|text| text.len() > 8)
        {
            assert!(!hint.contains(text), "{event}");
        }
    }
}

#[test]
fn ten_thousand_forged_deliveries_are_all_refused() {
    let (key, other) = (key(), HookKey::new(b"another secret").unwrap());
    let (event, body) = EXAMPLES.iter().find(|(event, _)| event == "pull_request").unwrap();
    let good = key.sign(body);
    assert!(receive(&key, Some(good), event, body).is_ok());
    let header = good.header().to_string();
    let mut accepted = 0;
    for n in 0..10_000_usize {
        let mut forged = body.clone();
        let at = (n * 7_919) % forged.len();
        let signature = match n % 5 {
            0 => None,
            1 => Some(other.sign(body)),
            // One digit of the right signature is another one.
            2 => {
                let mut header = header.clone().into_bytes();
                let at = 7 + n % 64;
                header[at] = if header[at] == b'0' { b'1' } else { b'0' };
                Signature::read(std::str::from_utf8(&header).unwrap())
            }
            // One byte of the body is another one.
            3 => {
                forged[at] ^= 1;
                Some(good)
            }
            _ => {
                forged.truncate(at);
                Some(good)
            }
        };
        match receive(&key, signature, event, &forged) {
            Err(Rejected::Forged) => {}
            _ => accepted += 1,
        }
    }
    assert_eq!(accepted, 0);
}

#[test]
fn what_is_larger_than_githubs_largest_is_refused_before_it_is_verified() {
    let key = key();
    let body = vec![b' '; 25 * 1024 * 1024 + 1];
    assert_eq!(receive(&key, None, "push", &body), Err(Rejected::TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_sent_ends_it(
        event in prop_oneof!["[a-z_]{0,20}", Just("pull_request".to_owned()), Just("push".to_owned())],
        header in prop_oneof!["sha256=[0-9a-f]{60,66}", "\\PC{0,80}"],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            r#"\{"(repository|action|issue|pull_request|after)":(null|\{"(full_name|number)":("\PC{0,9}"|-?[0-9]{0,30})\}|\[\[\[)?\}?"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let key = key();
        // As it comes, and as if somebody who knows the secret had sent it.
        let _ = receive(&key, Signature::read(&header), &event, &body);
        let _ = receive(&key, Some(key.sign(&body)), &event, &body);
    }

    #[test]
    fn payloads_that_are_cut_or_changed_do_not_end_it(which in 0..329_usize, at in any::<prop::sample::Index>(), byte: u8) {
        let (event, mut body) = EXAMPLES[which].clone();
        let at = at.index(body.len());
        let key = key();
        let _ = receive(&key, Some(key.sign(&body[..at])), &event, &body[..at]);
        body[at] = byte;
        let _ = receive(&key, Some(key.sign(&body)), &event, &body);
    }
}
