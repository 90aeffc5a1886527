//! Claude Code: the last line of type `result` has the totals; before it, `system`/`init` names session and model, and each assistant
//! message has its own usage, which serves where the program was ended before its result.

use super::{
    add, cost,
    limit::{Limited, Reset, bounded, epoch},
    word,
};
use banksman_core::{text::Login, work::Usage};
use serde::Deserialize;

/// What was seen before the result.
#[derive(Debug, Default)]
pub(super) struct Seen {
    message: Option<Login>,
    /// When the window that is used up ends.
    reset: Option<Reset>,
}

#[derive(Deserialize)]
struct Line {
    r#type: String,
    session_id: Option<String>,
    model: Option<String>,
    message: Option<Message>,
    usage: Option<Tokens>,
    total_cost_usd: Option<f64>,
    num_turns: Option<u64>,
    is_error: Option<bool>,
    api_error_status: Option<u16>,
    result: Option<String>,
    rate_limit_info: Option<Window>,
}

/// Where the account stands in the window of its plan.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    status: Option<String>,
    resets_at: Option<i64>,
}

#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

impl Tokens {
    /// All input, cached or not.
    fn input(&self) -> Option<u64> {
        let mut total = self.input_tokens;
        add(&mut total, self.cache_creation_input_tokens);
        add(&mut total, self.cache_read_input_tokens);
        total
    }
}

pub(super) fn line(usage: &mut Usage, limited: &mut Option<Limited>, seen: &mut Seen, line: &[u8]) {
    let Ok(line) = serde_json::from_slice::<Line>(line) else { return };
    usage.session = word(line.session_id.as_deref()).or(usage.session.take());
    match line.r#type.as_str() {
        "system" => usage.model = word(line.model.as_deref()).or(usage.model.take()),
        "assistant" => {
            let Some(message) = line.message else { return };
            usage.model =
                word(message.model.as_deref()).filter(|m| m.as_str() != "<synthetic>").or(usage.model.take());
            // One message comes in several lines, each with the usage of the whole message.
            let id = word(message.id.as_deref());
            if id.is_some() && id == seen.message {
                return;
            }
            seen.message = id;
            let Some(tokens) = message.usage else { return };
            add(&mut usage.tokens_in, tokens.input());
            add(&mut usage.tokens_out, tokens.output_tokens);
            add(&mut usage.tokens_cached, tokens.cache_read_input_tokens);
            add(&mut usage.turns, Some(1));
        }
        "rate_limit_event" => {
            let window = line.rate_limit_info;
            let rejected = window.filter(|window| window.status.as_deref() == Some("rejected"));
            seen.reset = rejected.map(|window| window.resets_at.map_or(Reset::Unknown, epoch));
        }
        "result" => {
            *limited = used_up(&line, seen);
            if let Some(tokens) = line.usage {
                usage.tokens_in = tokens.input();
                usage.tokens_out = tokens.output_tokens;
                usage.tokens_cached = tokens.cache_read_input_tokens;
            }
            usage.cost_usd = cost(line.total_cost_usd).or(usage.cost_usd);
            usage.turns = line.num_turns.or(usage.turns);
        }
        _ => {}
    }
}

/// A rejected window matters only where the run failed: with overage it goes on.
fn used_up(line: &Line, seen: &Seen) -> Option<Limited> {
    if line.is_error != Some(true) {
        return None;
    }
    // Older versions say nothing but a text with the time behind a bar.
    let text = line.result.as_deref().map(bounded).unwrap_or_default();
    let old = text.strip_prefix("Claude AI usage limit reached|");
    let reset = match (seen.reset, old, line.api_error_status) {
        (Some(reset), _, _) => reset,
        (None, Some(time), _) => time.trim().parse().map_or(Reset::Unknown, epoch),
        (None, None, Some(429)) => Reset::Unknown,
        (None, None, _) => return None,
    };
    Some(Limited::new(reset))
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};

    #[test]
    fn the_result_line_has_the_totals() {
        let mut reader = UsageReader::new(UsageFormat::Claude);
        reader.feed(include_bytes!("fixtures/claude.jsonl"));
        let usage = reader.finish();
        assert_eq!(usage.tokens_in, Some(12 + 5120 + 48_211));
        assert_eq!((usage.tokens_out, usage.tokens_cached), (Some(934), Some(48_211)));
        assert_eq!((usage.cost_usd, usage.turns), (Some(0.087_134), Some(4)));
        assert_eq!(usage.model.unwrap().as_str(), "claude-sonnet-4-5-20250929");
        assert_eq!(usage.session.unwrap().as_str(), "5f1d2c7e-0f0c-4b0e-9d27-3f6f0f1f9a11");
    }

    #[test]
    fn without_a_result_the_messages_are_summed_once_each() {
        let mut reader = UsageReader::new(UsageFormat::Claude);
        let text = include_str!("fixtures/claude.jsonl");
        let cut = text.find("{\"type\":\"result\"").unwrap();
        reader.feed(&text.as_bytes()[..cut]);
        let usage = reader.finish();
        assert_eq!((usage.turns, usage.tokens_out), (Some(2), Some(31 + 208)));
    }
}
