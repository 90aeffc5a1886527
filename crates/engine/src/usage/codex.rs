//! Codex: `turn.completed` has the tokens of the thread so far, `thread.started` its id. It names no model and no cost.

use super::{
    add,
    limit::{Limited, Reset, bounded, time_of_day},
    word,
};
use banksman_core::work::Usage;
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    r#type: String,
    thread_id: Option<String>,
    model: Option<String>,
    usage: Option<Tokens>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    message: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    cached_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

pub(super) fn line(usage: &mut Usage, limited: &mut Option<Limited>, line: &[u8]) {
    let Ok(line) = serde_json::from_slice::<Line>(line) else { return };
    usage.model = word(line.model.as_deref()).or(usage.model.take());
    match line.r#type.as_str() {
        "thread.started" => usage.session = word(line.thread_id.as_deref()),
        "turn.failed" => {
            let message = line.error.and_then(|error| error.message);
            *limited = message.as_deref().and_then(used_up);
        }
        "turn.completed" => {
            *limited = None;
            add(&mut usage.turns, Some(1));
            if let Some(tokens) = line.usage {
                usage.tokens_in = tokens.input_tokens;
                usage.tokens_out = tokens.output_tokens;
                usage.tokens_cached = tokens.cached_input_tokens;
            }
        }
        _ => {}
    }
}

/// How its messages begin when the plan's or the account's quota is used up, or the server kept refusing for its rate.
const USED_UP: [&str; 6] = [
    "You’ve hit your usage limit",
    "You've hit your usage limit",
    "You hit your spend cap",
    "Your workspace is out of credits",
    "Quota exceeded",
    "exceeded retry limit, last status: 429",
];

/// The time is the clock's on the wall; the engine is started with a clock that shows UTC.
fn used_up(message: &str) -> Option<Limited> {
    let message = bounded(message);
    USED_UP.iter().find(|begin| message.starts_with(**begin))?;
    let again = message.rsplit_once("try again at ");
    Some(Limited::new(again.map_or(Reset::Unknown, |(_, time)| time_of_day(time))))
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};

    #[test]
    fn the_completed_turn_has_the_tokens() {
        let mut reader = UsageReader::new(UsageFormat::Codex);
        reader.feed(include_bytes!("fixtures/codex.jsonl"));
        let usage = reader.finish();
        assert_eq!(
            (usage.tokens_in, usage.tokens_cached, usage.tokens_out),
            (Some(24_763), Some(24_448), Some(122))
        );
        assert_eq!(usage.session.unwrap().as_str(), "0199a213-81c0-7800-8aa1-bbab2a035a53");
        assert_eq!((usage.turns, usage.cost_usd), (Some(1), None));
    }
}
