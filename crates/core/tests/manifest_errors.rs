//! What people read when a job file is wrong: every error at once, with line, column and what to do (Q1, Q2, Q3).

use banksman_core::manifest::{Reason, parse, parse_bytes};

/// The messages, one a line.
fn said(text: &str) -> String {
    parse(text).map_or_else(|errors| errors.to_string(), |_| "nothing".to_owned())
}

fn reasons(text: &str) -> Vec<(u32, Reason)> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.problems().iter().map(|p| (p.line, p.reason)).collect(),
    }
}

#[test]
fn every_error_is_told_at_once() {
    let text = "---
engine: cl aude
engine-class: reviewer
prority: high
priority: urgent
timeout: 1 hour
retries: 21
retries: 3
yolo: \"true\"
worktree: yes
capabilities: [os:mac, gpu]
depends-on: key
env:
  - PATH
  - 1X
max-cost: -1
max-tokens: 2.5
not-before: tomorrow
lock:
verify: [make, '', {run: x}]
branch: -x
base: true
cwd: ~/code
idempotency-key: 42
something-else: 1
---
do it
";
    insta::assert_snapshot!(said(text));
}

#[test]
fn a_syntax_error_does_not_hide_the_errors_behind_it() {
    let text = "---
engine: claude
lock: \"unclosed
retries: many
capabilities: [os:mac
priority: urgent
  timeout: 5m
yolo: 1
---
";
    insta::assert_snapshot!(said(text));
}

#[test]
fn what_yaml_could_do_with_memory_is_refused() {
    let text = "---
x-a: &anchor [1, 2]
x-b: *anchor
x-c: *nowhere
lock: !!str name
<<: {engine: claude}
? [complex]
: 1
x-d: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}}}}}}}
---
";
    insta::assert_snapshot!(said(text));
}

#[test]
fn limits_are_told_where_they_are_broken() {
    let long = format!("---\nx-a: {}\n---\n{}", "a".repeat(64 * 1024), "b".repeat(1024 * 1024 + 1));
    assert_eq!(reasons(&long), [(1, Reason::ManifestTooLarge), (4, Reason::BodyTooLarge)]);
    let fits = format!("---\nx-a: {}\n---\n{}", "a".repeat(64 * 1024 - 6), "b".repeat(1024 * 1024));
    assert_eq!(reasons(&fits), []);
    assert_eq!(reasons("---\nengine: claude\n"), [(1, Reason::NotClosed)]);
    assert_eq!(reasons("---\n- a\n- b\n---\n"), [(2, Reason::NotKeys)]);
    assert_eq!(reasons("---\nyolo: true\n...\nyolo: true\n---\n"), [(4, Reason::NotKeys)]);
    assert_eq!(reasons("---\n---\na\nb\0"), [(4, Reason::NotText)]);
    let errors = parse_bytes(b"---\nlock: \xff\n---\n").map(|_| ()).unwrap_err();
    assert_eq!(errors.to_string(), "2:7: not UTF-8; save the file as UTF-8");
}

#[test]
fn sixteen_levels_are_allowed_and_no_more() {
    let nested = |levels: usize| {
        // The front matter itself is the first level.
        format!("---\nx-a: {}1{}\n---\n", "[".repeat(levels - 1), "]".repeat(levels - 1))
    };
    assert_eq!(reasons(&nested(16)), []);
    assert_eq!(reasons(&nested(17)), [(2, Reason::TooDeep)]);
    assert_eq!(reasons(&nested(250)), [(2, Reason::TooDeep)]);
}

#[test]
fn messages_never_repeat_values_and_keep_keys_short_and_plain() {
    let text = format!("---\nengine: \"canary one\"\nk\u{202e}ey{}: canary\n---\n", "y".repeat(500));
    let said = said(&text);
    assert!(!said.contains("canary") && said.is_ascii() && said.len() < 300, "{said}");
}
