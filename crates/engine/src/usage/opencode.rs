//! opencode: each `step_finish` has the tokens and the cost of one step; the input has no cached tokens in it.

use super::{
    add, cost,
    limit::{Limited, Reset, seconds},
    word,
};
use banksman_core::work::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Line {
    r#type: String,
    #[serde(rename = "sessionID")]
    session: Option<String>,
    part: Option<Part>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    data: Option<Answer>,
}

/// What the model's API answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: Option<u16>,
    response_headers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Part {
    cost: Option<f64>,
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    cache: Option<Cache>,
}

#[derive(Deserialize)]
struct Cache {
    read: Option<u64>,
    write: Option<u64>,
}

pub(super) fn line(usage: &mut Usage, limited: &mut Option<Limited>, line: &[u8]) {
    let Ok(line) = serde_json::from_slice::<Line>(line) else { return };
    usage.session = word(line.session.as_deref()).or(usage.session.take());
    match line.r#type.as_str() {
        "step_finish" => {}
        "error" => {
            *limited = line.error.and_then(|error| error.data).as_ref().and_then(used_up);
            return;
        }
        _ => return,
    }
    *limited = None;
    add(&mut usage.turns, Some(1));
    let Some(part) = line.part else { return };
    if let Some(step) = cost(part.cost) {
        usage.cost_usd = Some(usage.cost_usd.unwrap_or(0.0) + step);
    }
    let Some(tokens) = part.tokens else { return };
    add(&mut usage.tokens_in, tokens.input);
    add(&mut usage.tokens_out, tokens.output);
    add(&mut usage.tokens_out, tokens.reasoning);
    if let Some(cache) = tokens.cache {
        add(&mut usage.tokens_in, cache.read);
        add(&mut usage.tokens_in, cache.write);
        add(&mut usage.tokens_cached, cache.read);
    }
}

fn used_up(answer: &Answer) -> Option<Limited> {
    if answer.status_code != Some(429) {
        return None;
    }
    let pause = answer.response_headers.as_ref().and_then(|headers| headers.get("retry-after")?.parse().ok());
    Some(Limited::new(pause.map_or(Reset::Unknown, seconds)))
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};

    #[test]
    fn steps_are_summed() {
        let mut reader = UsageReader::new(UsageFormat::Opencode);
        reader.feed(include_bytes!("fixtures/opencode.jsonl"));
        let usage = reader.finish();
        assert_eq!(
            (usage.tokens_in, usage.tokens_cached),
            (Some(671 + 21_415 + 512 + 30 + 22_000), Some(43_415))
        );
        assert_eq!((usage.tokens_out, usage.turns), (Some(8 + 16 + 120), Some(2)));
        assert!((usage.cost_usd.unwrap() - 0.012_5).abs() < 1e-9);
    }
}
