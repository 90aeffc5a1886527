//! Reads what an engine used from its own structured output (Q19): one reader per format, fed piece by piece while the engine
//! runs, so that a gigabyte of output costs no memory. Output that is not understood is not an error.

mod acp;
mod aider;
mod claude;
mod codex;
mod gemini;
mod limit;
mod lines;
mod opencode;

use banksman_core::{text::Login, work::Usage};
pub use limit::Limited;
pub(crate) use lines::Lines;
use serde::{Deserialize, Serialize};

/// Shape of an engine's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageFormat {
    /// `claude -p --output-format stream-json` (or `json`).
    Claude,
    /// `codex exec --json`.
    Codex,
    /// `gemini --output-format json`.
    Gemini,
    /// The report lines of aider.
    Aider,
    /// `opencode run --format json`.
    Opencode,
    /// The Agent Client Protocol.
    Acp,
    /// Nothing is read.
    None,
}

/// Longest line that is looked at; longer ones are skipped. A line with a report of usage is far shorter.
const MAX_LINE: usize = 1 << 20;

/// Largest document that is looked at where the format is one document.
const MAX_DOCUMENT: usize = 4 << 20;

/// How much of the end of standard error is looked at where an engine reports its failure there.
const MAX_REPORT: usize = 64 << 10;

/// Reads usage from a stream of output.
#[derive(Debug)]
pub struct UsageReader {
    kind: Kind,
    usage: Usage,
    limited: Option<Limited>,
}

#[derive(Debug)]
enum Kind {
    Claude(Lines, claude::Seen),
    Codex(Lines),
    Gemini(Document, Tail),
    Aider(Lines),
    Opencode(Lines),
    Acp(Lines),
    None,
}

#[derive(Debug, Default)]
enum Document {
    #[default]
    Empty,
    Held(Vec<u8>),
    TooLarge,
}

/// The end of a stream.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl UsageReader {
    /// A reader for the format.
    pub fn new(format: UsageFormat) -> Self {
        let lines = || Lines::new(MAX_LINE);
        let kind = match format {
            UsageFormat::Claude => Kind::Claude(lines(), claude::Seen::default()),
            UsageFormat::Codex => Kind::Codex(lines()),
            UsageFormat::Gemini => Kind::Gemini(Document::Empty, Tail::default()),
            UsageFormat::Aider => Kind::Aider(lines()),
            UsageFormat::Opencode => Kind::Opencode(lines()),
            UsageFormat::Acp => Kind::Acp(lines()),
            UsageFormat::None => Kind::None,
        };
        Self { kind, usage: Usage::default(), limited: None }
    }

    /// Takes the next piece of standard output.
    pub fn feed(&mut self, bytes: &[u8]) {
        let (usage, limited) = (&mut self.usage, &mut self.limited);
        match &mut self.kind {
            Kind::Claude(lines, seen) => lines.feed(bytes, |line| claude::line(usage, limited, seen, line)),
            Kind::Codex(lines) => lines.feed(bytes, |line| codex::line(usage, limited, line)),
            Kind::Aider(lines) => lines.feed(bytes, |line| aider::line(usage, line)),
            Kind::Opencode(lines) => lines.feed(bytes, |line| opencode::line(usage, limited, line)),
            Kind::Acp(lines) => lines.feed(bytes, |line| acp::line(usage, limited, line)),
            Kind::Gemini(document, _) => document.feed(bytes),
            Kind::None => {}
        }
    }

    /// Takes the next piece of standard error: some engines report there that they failed.
    pub fn feed_err(&mut self, bytes: &[u8]) {
        if let Kind::Gemini(_, tail) = &mut self.kind {
            tail.feed(bytes);
        }
    }

    /// What was read so far. A document counts only when it is whole.
    pub fn so_far(&self) -> &Usage {
        &self.usage
    }

    /// Whether the last thing that the engine said is that its quota is used up (Q21). To be asked at the end of the output, of an engine
    /// that did not end well.
    pub fn limited(&self) -> Option<Limited> {
        match &self.kind {
            Kind::Gemini(document, tail) => {
                document.bytes().and_then(gemini::limited).or_else(|| gemini::limited(&tail.0))
            }
            _ => self.limited,
        }
    }

    /// What was read, at the end of the output.
    pub fn finish(mut self) -> Usage {
        self.feed(b"\n");
        if let Kind::Gemini(document, _) = &self.kind
            && let Some(bytes) = document.bytes()
        {
            gemini::document(&mut self.usage, bytes);
        }
        self.usage
    }
}

impl Tail {
    fn feed(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(MAX_REPORT)..];
        self.0.extend_from_slice(bytes);
        if self.0.len() > 2 * MAX_REPORT {
            self.0.drain(..self.0.len() - MAX_REPORT);
        }
    }
}

impl Document {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Held(bytes) => Some(bytes),
            Self::Empty | Self::TooLarge => None,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut held = match std::mem::replace(self, Self::TooLarge) {
            Self::TooLarge => return,
            Self::Empty => Vec::new(),
            Self::Held(held) => held,
        };
        if held.len() + bytes.len() <= MAX_DOCUMENT {
            held.extend_from_slice(bytes);
            *self = Self::Held(held);
        }
    }
}

/// A model or session id as it may be stored: printable and bounded, else nothing.
fn word(text: Option<&str>) -> Option<Login> {
    Login::new(text?).ok()
}

/// A cost as it may be stored: a finite amount that is not negative.
fn cost(value: Option<f64>) -> Option<f64> {
    value.filter(|cost| cost.is_finite() && *cost >= 0.0)
}

/// Adds to a counter that may not be known yet.
fn add(total: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *total = Some(total.unwrap_or(0).saturating_add(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [UsageFormat; 7] = [
        UsageFormat::Claude,
        UsageFormat::Codex,
        UsageFormat::Gemini,
        UsageFormat::Aider,
        UsageFormat::Opencode,
        UsageFormat::Acp,
        UsageFormat::None,
    ];

    fn read(format: UsageFormat, text: &[u8], piece: usize) -> Usage {
        let mut reader = UsageReader::new(format);
        text.chunks(piece.max(1)).for_each(|piece| reader.feed(piece));
        reader.finish()
    }

    const FIXTURES: [(UsageFormat, &str); 7] = [
        (UsageFormat::Claude, include_str!("fixtures/claude.jsonl")),
        (UsageFormat::Codex, include_str!("fixtures/codex.jsonl")),
        (UsageFormat::Gemini, include_str!("fixtures/gemini.json")),
        (UsageFormat::Aider, include_str!("fixtures/aider.txt")),
        (UsageFormat::Opencode, include_str!("fixtures/opencode.jsonl")),
        (UsageFormat::Acp, include_str!("fixtures/acp_gemini.jsonl")),
        (UsageFormat::Acp, include_str!("fixtures/acp_opencode.jsonl")),
    ];

    #[test]
    fn each_format_is_read_alike_in_any_pieces() {
        for (format, text) in FIXTURES {
            let whole = read(format, text.as_bytes(), usize::MAX);
            assert!(whole.tokens_in.is_some() && whole.tokens_out.is_some(), "{format:?}");
            for piece in [1, 7, 64] {
                assert_eq!(read(format, text.as_bytes(), piece), whole, "{format:?}");
            }
        }
    }

    fn until(format: UsageFormat, out: &str, err: &str) -> Option<Option<String>> {
        let mut reader = UsageReader::new(format);
        out.as_bytes().chunks(7).for_each(|piece| reader.feed(piece));
        err.as_bytes().chunks(7).for_each(|piece| reader.feed_err(piece));
        let now = "2026-11-21T16:30:00Z".parse().unwrap();
        reader.limited().map(|limited| limited.until(now).map(|at| at.to_string()))
    }

    #[test]
    fn a_quota_that_is_used_up_is_seen_with_its_reset() {
        let at = |text: &str| Some(Some(text.to_owned()));
        let codex = include_str!("fixtures/codex_limited.jsonl");
        assert_eq!(until(UsageFormat::Codex, codex, ""), at("2026-11-21T22:26:00Z"));
        assert_eq!(until(UsageFormat::Codex, include_str!("fixtures/codex_refused.jsonl"), ""), Some(None));
        let gemini = include_str!("fixtures/gemini_limited.txt");
        assert_eq!(until(UsageFormat::Gemini, "", gemini), Some(None));
        let soon =
            gemini.replace("on this model.\",", "on this model. Your quota will reset after 3h12m5s.\",");
        assert_eq!(until(UsageFormat::Gemini, "", &soon), at("2026-11-21T19:42:05Z"));
        let opencode = include_str!("fixtures/opencode_limited.jsonl");
        assert_eq!(until(UsageFormat::Opencode, opencode, ""), at("2026-11-21T17:30:00Z"));
        let acp = r#"{"jsonrpc":"2.0","id":3,"error":{"code":429,"message":"You have exhausted your daily quota on this model."}}"#;
        assert_eq!(until(UsageFormat::Acp, &format!("{acp}\n"), ""), Some(None));
        let claude = include_str!("fixtures/claude_limited.jsonl");
        assert_eq!(until(UsageFormat::Claude, claude, ""), at("2026-11-21T22:26:40Z"));
        let old = r#"{"type":"result","is_error":true,"result":"Claude AI usage limit reached|1795300000"}"#
            .to_owned()
            + "\n";
        assert_eq!(until(UsageFormat::Claude, &old, ""), at("2026-11-21T22:26:40Z"));
    }

    #[test]
    fn what_an_agent_writes_is_no_report_of_its_quota() {
        for (format, text) in FIXTURES {
            assert_eq!(until(format, text, ""), None, "{format:?}");
        }
        // The words of the model or of a command, not of the engine.
        let claude =
            include_str!("fixtures/claude_limited.jsonl").replace("\"is_error\":true", "\"is_error\":false");
        assert_eq!(until(UsageFormat::Claude, &claude, ""), None);
        let said = r#"{"type":"item.completed","item":{"type":"agent_message","text":"You’ve hit your usage limit."}}"#;
        assert_eq!(until(UsageFormat::Codex, &format!("{said}\n"), ""), None);
        let other = include_str!("fixtures/gemini_limited.txt").replace("\"code\": 429", "\"code\": 401");
        assert_eq!(until(UsageFormat::Gemini, "", &other), None);
        let opencode = include_str!("fixtures/opencode_limited.jsonl").replace(":429", ":500");
        assert_eq!(until(UsageFormat::Opencode, &opencode, ""), None);
    }

    #[test]
    fn an_engine_that_went_on_is_not_limited() {
        let codex = include_str!("fixtures/codex_limited.jsonl").to_owned() + FIXTURES[1].1;
        assert_eq!(until(UsageFormat::Codex, &codex, ""), None);
        let opencode = include_str!("fixtures/opencode_limited.jsonl").to_owned() + FIXTURES[4].1;
        assert_eq!(until(UsageFormat::Opencode, &opencode, ""), None);
    }

    #[test]
    fn a_flood_on_standard_error_costs_no_memory() {
        let noise = "x".repeat(1 << 20);
        let mut reader = UsageReader::new(UsageFormat::Gemini);
        (0..20).for_each(|_| reader.feed_err(noise.as_bytes()));
        reader.feed_err(b"\n");
        reader.feed_err(include_bytes!("fixtures/gemini_limited.txt"));
        if let Kind::Gemini(_, tail) = &reader.kind {
            assert!(tail.0.len() <= 2 * MAX_REPORT);
        }
        assert!(reader.limited().is_some());
    }

    #[test]
    fn a_line_that_never_ends_costs_no_memory_and_hides_nothing_after_it() {
        let mut reader = UsageReader::new(UsageFormat::Codex);
        let noise = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            reader.feed(&noise);
        }
        if let Kind::Codex(lines) = &reader.kind {
            assert!(lines.held() <= MAX_LINE);
        }
        reader.feed(b"\n");
        reader.feed(FIXTURES[1].1.as_bytes());
        assert_eq!(reader.finish(), read(UsageFormat::Codex, FIXTURES[1].1.as_bytes(), 4096));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_make_a_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..2048), piece in 1usize..64) {
            for format in ALL {
                read(format, &bytes, piece);
                let mut reader = UsageReader::new(format);
                reader.feed_err(&bytes);
                reader.limited();
            }
        }

        #[test]
        fn damaged_reports_do_not_make_a_reader_fail(at in 0usize..4096, with in any::<u8>(), which in 0usize..7) {
            let (format, text) = FIXTURES[which];
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = with;
            read(format, &bytes, 100);
        }
    }
}
