//! The Agent Client Protocol: what an agent writes to its client, a message a line. `session/new` is answered with the session and, by some, the
//! model; the answer to the prompt has the tokens of the turn; `usage_update` the cost of the session. Gemini CLI puts its tokens into `_meta`.

use super::{
    add, cost,
    limit::{Limited, Reset, bounded, pause},
    word,
};
use banksman_core::work::Usage;
use serde::Deserialize;

#[derive(Deserialize)]
struct Message {
    result: Option<Answer>,
    error: Option<Failure>,
    params: Option<Params>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    session_id: Option<String>,
    models: Option<Models>,
    #[serde(default)]
    config_options: Vec<ConfigOption>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Models {
    current_model_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigOption {
    id: Option<String>,
    current_value: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    total_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    thought_tokens: Option<u64>,
    cached_read_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Meta {
    quota: Option<Quota>,
}

#[derive(Deserialize)]
struct Quota {
    token_count: Option<Count>,
    #[serde(default)]
    model_usage: Vec<ModelUsage>,
}

#[derive(Deserialize)]
struct Count {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct ModelUsage {
    model: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    code: Option<i64>,
    message: Option<String>,
    data: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Params {
    update: Option<Update>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    session_update: Option<String>,
    cost: Option<Cost>,
}

#[derive(Deserialize)]
struct Cost {
    amount: Option<f64>,
    currency: Option<String>,
}

pub(super) fn line(usage: &mut Usage, limited: &mut Option<Limited>, line: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Message>(line) else { return };
    if let Some(update) = message.params.and_then(|params| params.update)
        && update.session_update.as_deref() == Some("usage_update")
        && let Some(said) = update.cost.filter(|cost| cost.currency.as_deref() == Some("USD"))
    {
        usage.cost_usd = cost(said.amount).or(usage.cost_usd);
    }
    if let Some(error) = message.error {
        *limited = used_up(&error);
    }
    if let Some(answer) = message.result {
        self::answer(usage, limited, answer);
    }
}

fn answer(usage: &mut Usage, limited: &mut Option<Limited>, answer: Answer) {
    usage.session = word(answer.session_id.as_deref()).or(usage.session.take());
    let chosen = answer.config_options.iter().find(|option| option.id.as_deref() == Some("model"));
    let chosen = chosen.and_then(|option| option.current_value.as_ref()?.as_str());
    let model = answer.models.and_then(|models| models.current_model_id);
    usage.model = word(model.as_deref().or(chosen)).or(usage.model.take());
    if answer.stop_reason.is_none() {
        return;
    }
    *limited = None;
    add(&mut usage.turns, Some(1));
    if let Some(tokens) = answer.usage {
        let out = tokens.output_tokens.map(|out| out.saturating_add(tokens.thought_tokens.unwrap_or(0)));
        // Some count cached input among the input and some do not; the total has it in any case.
        let rest = tokens.total_tokens.zip(out).and_then(|(total, out)| total.checked_sub(out));
        add(&mut usage.tokens_in, rest.max(tokens.input_tokens));
        add(&mut usage.tokens_out, out);
        add(&mut usage.tokens_cached, tokens.cached_read_tokens);
    } else if let Some(quota) = answer.meta.and_then(|meta| meta.quota) {
        add(&mut usage.tokens_in, quota.token_count.as_ref().and_then(|count| count.input_tokens));
        add(&mut usage.tokens_out, quota.token_count.as_ref().and_then(|count| count.output_tokens));
        let model = quota.model_usage.into_iter().next().and_then(|used| used.model);
        usage.model = word(model.as_deref()).or(usage.model.take());
    }
}

/// Agents give the status of their model's API as the code, or in the data.
fn used_up(error: &Failure) -> Option<Limited> {
    let status = |key: &str| error.data.as_ref().and_then(|data| data.get(key)?.as_i64());
    let found = [error.code, status("statusCode"), status("status"), status("code")];
    if !found.contains(&Some(429)) {
        return None;
    }
    let message = bounded(error.message.as_deref().unwrap_or_default());
    let said =
        ["reset after ", "retry after ", "retry in "].iter().find_map(|word| message.rsplit_once(word));
    Some(Limited::new(said.map_or(Reset::Unknown, |(_, time)| pause(time))))
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};
    use banksman_core::work::Usage;

    fn read(text: &str) -> Usage {
        let mut reader = UsageReader::new(UsageFormat::Acp);
        reader.feed(text.as_bytes());
        reader.finish()
    }

    #[test]
    fn an_agent_that_tells_tokens_and_cost_is_read() {
        let usage = read(include_str!("fixtures/acp_opencode.jsonl"));
        assert_eq!((usage.tokens_in, usage.tokens_out, usage.tokens_cached), (Some(100), Some(7), Some(40)));
        assert_eq!((usage.turns, usage.cost_usd), (Some(1), Some(0.000_188)));
        assert_eq!(usage.model.unwrap().as_str(), "scripted/scripted-1");
        assert_eq!(usage.session.unwrap().as_str(), "ses_e00f8b81bffe5N13VZgnyEfj2d");
    }

    #[test]
    fn what_gemini_says_beside_the_protocol_is_read() {
        let usage = read(include_str!("fixtures/acp_gemini.jsonl"));
        assert_eq!((usage.tokens_in, usage.tokens_out, usage.turns), (Some(200), Some(14), Some(1)));
        assert_eq!(usage.model.unwrap().as_str(), "gemini-2.5-flash");
        assert_eq!(usage.session.unwrap().as_str(), "403f1a78-a2f5-4619-b59e-d64b71296134");
    }
}
