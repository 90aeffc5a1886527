//! A manifest and a body to a job file. What is printed is read back as the same (Q4).

use super::{Choice, Dependency, Manifest, NotBefore, Priority, key::Key, print_span, split::opened};
use crate::job::Body;
use std::fmt::Write;

/// Writes a job file. The front matter is left out when the manifest is empty and the body cannot be taken for one.
pub fn print(manifest: &Manifest, body: &Body) -> String {
    let text = front(manifest);
    if text.is_empty() && opened(body.as_str()).is_none() {
        return body.as_str().to_owned();
    }
    format!("---\n{text}---\n{}", body.as_str())
}

/// The lines of the front matter.
pub(super) fn front(manifest: &Manifest) -> String {
    let mut text = String::new();
    for key in Key::ALL {
        line(&mut text, manifest, key);
    }
    for (key, value) in &manifest.extra {
        text.push_str(&quoted(key));
        text.push_str(": ");
        free(&mut text, value);
        text.push('\n');
    }
    text
}

fn line(out: &mut String, m: &Manifest, key: Key) {
    let value = match key {
        Key::Engine => match &m.engine {
            Some(Choice::Engine(engine)) => Some(quoted(engine.as_str())),
            Some(Choice::Class(_)) | None => None,
        },
        Key::EngineClass => match &m.engine {
            Some(Choice::Class(class)) => Some(quoted(class.as_str())),
            Some(Choice::Engine(_)) | None => None,
        },
        Key::Profile => m.profile.as_ref().map(|p| quoted(p.as_str())),
        Key::Cwd => m.cwd.as_ref().map(|p| quoted(&p.to_string_lossy())),
        Key::Worktree => m.worktree.map(|b| b.to_string()),
        Key::Yolo => m.yolo.map(|b| b.to_string()),
        Key::Lock => m.lock.as_ref().map(|l| quoted(l.as_str())),
        Key::Timeout => m.timeout.map(print_span),
        Key::Priority => m.priority.map(|p| priority(p).to_owned()),
        Key::Capabilities => m.capabilities.as_ref().map(|all| list(all.iter().map(|c| quoted(c.as_str())))),
        Key::DependsOn => m.depends_on.as_ref().map(|all| list(all.iter().map(dependency))),
        Key::IdempotencyKey => m.idempotency_key.as_ref().map(|k| quoted(k.as_str())),
        Key::TrackerItem => m.tracker_item.as_ref().map(|i| quoted(i.as_str())),
        Key::Retries => m.retries.map(|n| n.to_string()),
        Key::NotBefore => m.not_before.map(|when| match when {
            NotBefore::At(at) => at.to_string(),
            NotBefore::After(span) => print_span(span),
        }),
        Key::Review => m.review.as_ref().map(|r| quoted(r.as_str())),
        Key::Verify => m.verify.as_ref().map(|all| match all.as_slice() {
            [one] => quoted(one),
            all => list(all.iter().map(|c| quoted(c))),
        }),
        Key::Base => m.base.as_ref().map(|b| quoted(b.as_str())),
        Key::Branch => m.branch.as_ref().map(|b| quoted(b.as_str())),
        Key::MaxCost => m.max_cost.map(|n| n.to_string()),
        Key::MaxTokens => m.max_tokens.map(|n| n.to_string()),
        Key::Env => m.env.as_ref().map(|all| list(all.iter().map(|v| quoted(v.as_str())))),
    };
    if let Some(value) = value {
        let _ = writeln!(out, "{}: {value}", key.as_str());
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Critical => "critical",
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    }
}

fn dependency(on: &Dependency) -> String {
    match on {
        Dependency::Id(id) => id.to_string(),
        Dependency::Key(key) => quoted(key.as_str()),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A value of any shape, on one line.
fn free(out: &mut String, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => out.push_str(&quoted(text)),
        serde_json::Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                free(out, item);
            }
            out.push(']');
        }
        serde_json::Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&quoted(key));
                out.push_str(": ");
                free(out, value);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// A text as a YAML scalar: as it is when nothing in it has a meaning, else in double quotes with everything unusual escaped.
fn quoted(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let word = matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false");
    if starts && !word && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            c if c == ' ' || c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()) => {
                write!(out, "{c}")
            }
            c if u32::from(c) <= 0xff => write!(out, "\\x{:02x}", u32::from(c)),
            c if u32::from(c) <= 0xffff => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
    out
}
