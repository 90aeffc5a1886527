//! The value of one key: type, shape and bounds. An error names the key and what it takes, never the value.

use super::{
    Choice, Dependency, Manifest, NotBefore, Priority, Problem, Reason,
    key::Key,
    span::parse_span,
    yaml::{Node, Value, is_nothing},
};
use crate::{id::JobId, text::BadText};
use jiff::{SignedDuration, Timestamp};
use std::{path::PathBuf, str::FromStr};

const DAY: i64 = 86_400;
/// Longest time limit of an attempt.
const MAX_TIMEOUT: SignedDuration = SignedDuration::from_secs(30 * DAY);
/// Longest wait before a job may start.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(3650 * DAY);

/// Why a value was refused.
struct Fault(Reason, String);

type Read<T> = Result<T, Fault>;

/// Puts the value of `key` where it belongs in the manifest, or says what is wrong with it.
pub(super) fn set(manifest: &mut Manifest, key: Key, node: &Node, problems: &mut Vec<Problem>) {
    match assign(manifest, key, node, problems) {
        Ok(()) => {}
        Err(Fault(_, message)) if message.is_empty() => {}
        Err(Fault(reason, message)) => {
            problems.push(node.at.problem(reason, format!("`{}`: {message}", key.as_str())));
        }
    }
}

fn assign(m: &mut Manifest, key: Key, node: &Node, problems: &mut Vec<Problem>) -> Read<()> {
    let list = &mut Items { key, problems };
    match key {
        Key::Engine => m.engine = Some(Choice::Engine(word(node)?)),
        Key::EngineClass => m.engine = Some(Choice::Class(word(node)?)),
        Key::Profile => m.profile = Some(word(node)?),
        Key::Cwd => m.cwd = Some(folder(node)?),
        Key::Worktree => m.worktree = Some(truth(node)?),
        Key::Yolo => m.yolo = Some(truth(node)?),
        Key::Lock => m.lock = Some(word(node)?),
        Key::Timeout => m.timeout = Some(timeout(node)?),
        Key::Priority => m.priority = Some(priority(node)?),
        Key::Capabilities => m.capabilities = Some(list.read(node, word)?),
        Key::DependsOn => m.depends_on = Some(list.read(node, dependency)?),
        Key::IdempotencyKey => m.idempotency_key = Some(word(node)?),
        Key::TrackerItem => m.tracker_item = Some(word(node)?),
        Key::Retries => {
            m.retries = Some(u32::try_from(count(node, 0, 20, "a number from 0 to 20")?).unwrap_or(20));
        }
        Key::NotBefore => m.not_before = Some(not_before(node)?),
        Key::Review => m.review = Some(word(node)?),
        Key::Verify => {
            m.verify = Some(match &node.value {
                Value::Plain(_) | Value::Quoted(_) => vec![command(node)?],
                _ => list.read(node, command)?,
            });
        }
        Key::Base => m.base = Some(word(node)?),
        Key::Branch => m.branch = Some(word(node)?),
        Key::MaxCost => m.max_cost = Some(cost(node)?),
        Key::MaxTokens => {
            m.max_tokens = Some(count(node, 1, 1_000_000_000_000_000, "a whole number from 1 on")?);
        }
        Key::Env => m.env = Some(list.read(node, word)?),
    }
    Ok(())
}

/// Reads lists, and reports each item by itself.
struct Items<'p> {
    key: Key,
    problems: &'p mut Vec<Problem>,
}

impl Items<'_> {
    fn read<T>(&mut self, node: &Node, item: fn(&Node) -> Read<T>) -> Read<Vec<T>> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes,
            Value::Refused => return Err(reported()),
            _ => return wrong("a list is needed, such as `[one, two]`"),
        };
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match item(node) {
                Ok(item) => items.push(item),
                Err(Fault(_, message)) if message.is_empty() => {}
                Err(Fault(reason, message)) => {
                    self.problems
                        .push(node.at.problem(reason, format!("`{}`: {message}", self.key.as_str())));
                }
            }
        }
        Ok(items)
    }
}

/// What was reported where it was found.
fn reported() -> Fault {
    Fault(Reason::WrongType, String::new())
}

fn wrong<T>(message: &str) -> Read<T> {
    Err(Fault(Reason::WrongType, message.to_owned()))
}

fn bad<T>(message: impl ToString) -> Read<T> {
    Err(Fault(Reason::BadValue, message.to_string()))
}

fn bounds<T>(message: &str) -> Read<T> {
    Err(Fault(Reason::OutOfBounds, message.to_owned()))
}

/// A text. A number without quotes is taken as its text: names of branches, commits and items may be all digits.
pub(super) fn text(node: &Node) -> Result<&str, &'static str> {
    match &node.value {
        Value::Plain(text) if is_nothing(text) => Err("a value is missing"),
        Value::Plain(text) if as_bool(text).is_some() => Err("a text is needed; put it into quotes"),
        Value::Plain(text) | Value::Quoted(text) => Ok(text),
        Value::List(_) => Err("a single text is needed, not a list"),
        Value::Map(_) => Err("a single text is needed, not keys"),
        Value::Refused => Err(""),
    }
}

fn string(node: &Node) -> Read<&str> {
    text(node).map_err(|message| Fault(Reason::WrongType, message.to_owned()))
}

fn word<T: FromStr<Err = BadText>>(node: &Node) -> Read<T> {
    string(node)?.parse().or_else(bad)
}

fn folder(node: &Node) -> Read<PathBuf> {
    let text = string(node)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return bad("not a folder");
    }
    if text == "~" || text.starts_with("~/") {
        return bad("`~` is not understood here; write the whole path");
    }
    Ok(PathBuf::from(text))
}

pub(super) fn as_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn truth(node: &Node) -> Read<bool> {
    match &node.value {
        Value::Plain(text) => as_bool(text).map_or_else(|| wrong("`true` or `false` is needed"), Ok),
        Value::Refused => Err(reported()),
        _ => wrong("`true` or `false` is needed, without quotes"),
    }
}

fn count(node: &Node, least: u64, most: u64, what: &str) -> Read<u64> {
    match &node.value {
        Value::Plain(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text
            .parse()
            .ok()
            .filter(|n| (least..=most).contains(n))
            .map_or_else(|| bounds(&format!("{what} is needed")), Ok),
        Value::Plain(text) if text.strip_prefix('-').is_some_and(|t| t.parse::<u64>().is_ok()) => {
            bounds(&format!("{what} is needed"))
        }
        Value::Refused => Err(reported()),
        _ => wrong(&format!("{what} is needed, without quotes")),
    }
}

fn cost(node: &Node) -> Read<f64> {
    match &node.value {
        Value::Plain(text) => match as_float(text) {
            Some(cost) if cost > 0.0 && cost <= 1e6 => Ok(cost),
            Some(_) => bounds("an amount of US dollars over 0 and at most 1000000 is needed"),
            None => wrong("an amount of US dollars is needed, such as `2.50`"),
        },
        Value::Refused => Err(reported()),
        _ => wrong("an amount of US dollars is needed, such as `2.50`, without quotes"),
    }
}

/// A decimal number as YAML and JSON write it, finite.
pub(super) fn as_float(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E'));
    (plain && text.bytes().any(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
        .filter(|n: &f64| n.is_finite())
}

fn timeout(node: &Node) -> Read<SignedDuration> {
    match parse_span(string(node)?) {
        Ok(span) if span.is_positive() && span <= MAX_TIMEOUT => Ok(span),
        Ok(_) => bounds("at least 1s and at most 30d is needed"),
        Err(error) => bad(error),
    }
}

fn priority(node: &Node) -> Read<Priority> {
    match string(node)? {
        "critical" => Ok(Priority::Critical),
        "high" => Ok(Priority::High),
        "normal" => Ok(Priority::Normal),
        "low" => Ok(Priority::Low),
        _ => bad("`critical`, `high`, `normal` or `low` is needed"),
    }
}

/// All digits name a job by its id, anything else by its key.
fn dependency(node: &Node) -> Read<Dependency> {
    let text = string(node)?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Databases keep ids as signed numbers.
        return match text.parse::<u64>().ok().filter(|id| i64::try_from(*id).is_ok()) {
            Some(id) => Ok(Dependency::Id(JobId(id))),
            None => bounds("there is no job with an id that large"),
        };
    }
    text.parse().map(Dependency::Key).or_else(bad)
}

fn not_before(node: &Node) -> Read<NotBefore> {
    let text = string(node)?;
    if let Ok(span) = parse_span(text) {
        return if span <= MAX_WAIT {
            Ok(NotBefore::After(span))
        } else {
            bounds("at most 10 years are possible")
        };
    }
    match text.parse::<Timestamp>() {
        Ok(at) => Ok(NotBefore::At(at)),
        Err(_) => bad("not a time (write 2026-12-31T18:00:00Z, or a duration such as 90m)"),
    }
}

fn command(node: &Node) -> Read<String> {
    let text = string(node)?;
    if text.trim().is_empty() {
        return bad("a command is empty");
    }
    if text.contains('\0') {
        return bad("a command holds a NUL character");
    }
    Ok(text.to_owned())
}
