//! Aider: after each message a line `Tokens: 4.1k sent, 312 received. Cost: $0.02 message, $0.05 session.`; the model is named at
//! the start. The numbers are rounded as aider rounds them.

use super::{add, cost, word};
use banksman_core::work::Usage;

pub(super) fn line(usage: &mut Usage, line: &[u8]) {
    let Ok(line) = std::str::from_utf8(line) else { return };
    let line = line.trim();
    if let Some(model) = line.strip_prefix("Main model: ").or_else(|| line.strip_prefix("Model: ")) {
        usage.model = word(model.split_whitespace().next()).or(usage.model.take());
    } else if let Some(report) = line.strip_prefix("Tokens: ") {
        self::report(usage, report);
    }
}

fn report(usage: &mut Usage, report: &str) {
    add(&mut usage.turns, Some(1));
    let (tokens, costs) = match report.split_once(" Cost: ") {
        Some((tokens, costs)) => (tokens, Some(costs)),
        None => (report, None),
    };
    for part in tokens.trim_end_matches('.').split(", ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        match what {
            "sent" => add(&mut usage.tokens_in, rounded(number)),
            "cache hit" => add(&mut usage.tokens_cached, rounded(number)),
            "received" => add(&mut usage.tokens_out, rounded(number)),
            _ => {}
        }
    }
    // The session's cost grows; the last one is the total.
    let session =
        costs.and_then(|c| c.trim_end_matches('.').split(", ").find_map(|c| c.strip_suffix(" session")));
    usage.cost_usd = session.and_then(|c| cost(c.trim_start_matches('$').parse().ok())).or(usage.cost_usd);
}

/// `312`, `4.1k` or `1.2M`.
fn rounded(number: &str) -> Option<u64> {
    let (digits, factor) = match number.as_bytes().last()? {
        b'k' => (&number[..number.len() - 1], 1e3),
        b'M' => (&number[..number.len() - 1], 1e6),
        _ => (number, 1.0),
    };
    let value = digits.replace(',', "").parse::<f64>().ok()? * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (0.0..1e15).contains(&value).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::{UsageFormat, UsageReader};

    #[test]
    fn report_lines_are_summed_and_the_session_cost_is_kept() {
        let mut reader = UsageReader::new(UsageFormat::Aider);
        reader.feed(include_bytes!("fixtures/aider.txt"));
        let usage = reader.finish();
        assert_eq!((usage.tokens_in, usage.tokens_out), (Some(4_100 + 12_000), Some(312 + 1_200)));
        assert_eq!((usage.tokens_cached, usage.cost_usd), (Some(2_500), Some(0.07)));
        assert_eq!(usage.model.unwrap().as_str(), "claude-3-7-sonnet-20250219");
        assert_eq!(usage.turns, Some(2));
    }
}
