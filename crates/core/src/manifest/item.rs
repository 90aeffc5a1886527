//! The labels of a tracker item to a manifest (T4, T5). Labels are a stranger's text: a mapped one is read as the same key of a
//! manifest would be, the others are kept unread.

use super::{
    Manifest, Problem,
    error::shown,
    key::Key,
    read,
    yaml::{Node, Place, Value},
};
use crate::text::{ItemId, JobKey};
use std::fmt;

/// Labels without a meaning that are kept, at most; and how many characters of each.
const KEPT: (usize, usize) = (50, 100);

/// A label that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelProblem {
    /// The label: printable ASCII, bounded.
    pub label: String,
    /// What is wrong with it.
    pub message: String,
}

/// All labels of an item that cannot be used; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelProblems(pub Vec<LabelProblem>);

impl fmt::Display for LabelProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, LabelProblem { label, message }) in self.0.iter().enumerate() {
            let line = if index > 0 { "\n" } else { "" };
            write!(f, "{line}label `{label}`: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LabelProblems {}

/// The manifest of a tracker item: `engine:X`, `engine-class:X`, `profile:X`, `priority:X`, `cap:K:V`, `lock:X` and `timeout:X` become keys,
/// other labels are kept as `x-labels` (T4); the item and the key made of it are always there (T5).
pub fn from_item<L: AsRef<str>>(item: &ItemId, labels: &[L]) -> Result<Manifest, LabelProblems> {
    #[expect(clippy::expect_used, reason = "an item's id is shorter than a key and of the same characters")]
    let key = JobKey::new(&format!("tracker-{item}")).expect("the key of an item is valid");
    let mut manifest =
        Manifest { tracker_item: Some(item.clone()), idempotency_key: Some(key), ..Manifest::default() };
    let (mut problems, mut others, mut capabilities) = (Vec::new(), Vec::new(), Vec::new());
    let mut taken: Vec<(Key, &str)> = Vec::new();
    for label in labels.iter().map(AsRef::as_ref) {
        let mut refuse = |message: String| problems.push(LabelProblem { label: shown(label), message });
        let Some((key, text)) = meaning(label) else {
            others.push(label);
            continue;
        };
        if key == Key::Capabilities {
            match text.parse() {
                Ok(capability) => capabilities.push(capability),
                Err(error) => refuse(format!("{error}")),
            }
            continue;
        }
        let excludes = |one: Key| one == key || (is_engine(one) && is_engine(key));
        match taken.iter().find(|(one, _)| excludes(*one)) {
            Some(same) if *same == (key, text) => {}
            Some((one, _)) => refuse(format!("another label sets `{}` already", one.as_str())),
            None => {
                taken.push((key, text));
                let mut found: Vec<Problem> = Vec::new();
                let node = Node { at: Place::default(), value: Value::Quoted(text.to_owned()) };
                read::set(&mut manifest, key, &node, &mut found);
                found.into_iter().for_each(|problem| refuse(problem.message));
            }
        }
    }
    if !problems.is_empty() {
        return Err(LabelProblems(problems));
    }
    if !capabilities.is_empty() {
        manifest.capabilities = Some(capabilities);
    }
    if !others.is_empty() {
        let keep = |label: &str| label.chars().filter(|c| !c.is_control()).take(KEPT.1).collect::<String>();
        let kept = others.into_iter().take(KEPT.0).map(keep).collect();
        manifest.extra.insert("x-labels".to_owned(), kept);
    }
    Ok(manifest)
}

/// The key that a label sets, and its value.
fn meaning(label: &str) -> Option<(Key, &str)> {
    let (name, value) = label.split_once(':')?;
    let key = match name {
        "engine" => Key::Engine,
        "engine-class" => Key::EngineClass,
        "profile" => Key::Profile,
        "priority" => Key::Priority,
        "cap" => Key::Capabilities,
        "lock" => Key::Lock,
        "timeout" => Key::Timeout,
        _ => return None,
    };
    Some((key, value))
}

fn is_engine(key: Key) -> bool {
    matches!(key, Key::Engine | Key::EngineClass)
}
