//! Gemini CLI: one document with `stats.models`, each with its requests and tokens. `prompt` has the cached ones in it, `thoughts` are
//! output that is not among the `candidates`. Notices may stand before the document.

use super::{
    add,
    limit::{Limited, Reset, bounded, pause},
    word,
};
use banksman_core::work::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Document {
    session_id: Option<String>,
    stats: Option<Stats>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: Option<serde_json::Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Stats {
    #[serde(default)]
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Model {
    api: Option<Api>,
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Api {
    total_requests: Option<u64>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    cached: Option<u64>,
}

pub(super) fn document(usage: &mut Usage, bytes: &[u8]) {
    let Some(start) = start_of_document(bytes) else { return };
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<Document>();
    let Some(Ok(document)) = values.next() else { return };
    usage.session = word(document.session_id.as_deref());
    let mut most = None;
    for (name, model) in document.stats.map(|stats| stats.models).unwrap_or_default() {
        add(&mut usage.turns, model.api.and_then(|api| api.total_requests));
        let Some(tokens) = model.tokens else { continue };
        add(&mut usage.tokens_in, tokens.prompt);
        add(&mut usage.tokens_cached, tokens.cached);
        add(&mut usage.tokens_out, tokens.candidates);
        add(&mut usage.tokens_out, tokens.thoughts);
        // Small models route and summarise; the one that read most did the work.
        if tokens.prompt >= most {
            most = tokens.prompt;
            usage.model = word(Some(&name));
        }
    }
}

/// The report of a failure comes last, after notices: on standard error, with the status of the API as its code.
pub(super) fn limited(bytes: &[u8]) -> Option<Limited> {
    let mut starts = bytes.iter().enumerate().filter(|(_, b)| **b == b'{').map(|(at, _)| at);
    let start = starts.rfind(|at| *at == 0 || bytes[at - 1] == b'\n')?;
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<Document>();
    let error = values.next()?.ok()?.error?;
    if error.code?.as_u64()? != 429 {
        return None;
    }
    let message = error.message.unwrap_or_default();
    let message = bounded(&message);
    let said =
        ["reset after ", "retry after ", "retry in "].iter().find_map(|word| message.rsplit_once(word));
    Some(Limited::new(said.map_or(Reset::Unknown, |(_, time)| pause(time))))
}

fn start_of_document(bytes: &[u8]) -> Option<usize> {
    let line = |at: &usize| *at == 0 || bytes[at - 1] == b'\n';
    bytes.iter().enumerate().filter(|(_, b)| **b == b'{').map(|(at, _)| at).find(line)
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};

    #[test]
    fn all_models_are_summed_and_the_busiest_is_named() {
        let mut reader = UsageReader::new(UsageFormat::Gemini);
        reader.feed(include_bytes!("fixtures/gemini.json"));
        let usage = reader.finish();
        assert_eq!((usage.tokens_in, usage.tokens_cached), (Some(24_939 + 3_120), Some(21_263)));
        assert_eq!((usage.tokens_out, usage.turns), (Some(20 + 154 + 41), Some(3)));
        assert_eq!(usage.model.unwrap().as_str(), "gemini-2.5-pro");
    }
}
