//! Reads what an engine used from its own structured output (Q19): one reader per format, fed piece by piece while the engine
//! runs, so that a gigabyte of output costs no memory. Output that is not understood is not an error.

mod aider;
mod claude;
mod codex;
mod gemini;
mod lines;
mod opencode;

use banksman_core::{text::Login, work::Usage};
use lines::Lines;
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
    /// Nothing is read.
    None,
}

/// Longest line that is looked at; longer ones are skipped. A line with a report of usage is far shorter.
const MAX_LINE: usize = 1 << 20;

/// Largest document that is looked at where the format is one document.
const MAX_DOCUMENT: usize = 4 << 20;

/// Reads usage from a stream of output.
#[derive(Debug)]
pub struct UsageReader {
    kind: Kind,
    usage: Usage,
}

#[derive(Debug)]
enum Kind {
    Claude(Lines, claude::Seen),
    Codex(Lines),
    Gemini(Document),
    Aider(Lines),
    Opencode(Lines),
    None,
}

#[derive(Debug, Default)]
enum Document {
    #[default]
    Empty,
    Held(Vec<u8>),
    TooLarge,
}

impl UsageReader {
    /// A reader for the format.
    pub fn new(format: UsageFormat) -> Self {
        let lines = || Lines::new(MAX_LINE);
        let kind = match format {
            UsageFormat::Claude => Kind::Claude(lines(), claude::Seen::default()),
            UsageFormat::Codex => Kind::Codex(lines()),
            UsageFormat::Gemini => Kind::Gemini(Document::Empty),
            UsageFormat::Aider => Kind::Aider(lines()),
            UsageFormat::Opencode => Kind::Opencode(lines()),
            UsageFormat::None => Kind::None,
        };
        Self { kind, usage: Usage::default() }
    }

    /// Takes the next piece of standard output.
    pub fn feed(&mut self, bytes: &[u8]) {
        let usage = &mut self.usage;
        match &mut self.kind {
            Kind::Claude(lines, seen) => lines.feed(bytes, |line| claude::line(usage, seen, line)),
            Kind::Codex(lines) => lines.feed(bytes, |line| codex::line(usage, line)),
            Kind::Aider(lines) => lines.feed(bytes, |line| aider::line(usage, line)),
            Kind::Opencode(lines) => lines.feed(bytes, |line| opencode::line(usage, line)),
            Kind::Gemini(document) => document.feed(bytes),
            Kind::None => {}
        }
    }

    /// What was read, at the end of the output.
    pub fn finish(mut self) -> Usage {
        self.feed(b"\n");
        if let Kind::Gemini(Document::Held(bytes)) = &self.kind {
            gemini::document(&mut self.usage, bytes);
        }
        self.usage
    }
}

impl Document {
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

    const ALL: [UsageFormat; 6] = [
        UsageFormat::Claude,
        UsageFormat::Codex,
        UsageFormat::Gemini,
        UsageFormat::Aider,
        UsageFormat::Opencode,
        UsageFormat::None,
    ];

    fn read(format: UsageFormat, text: &[u8], piece: usize) -> Usage {
        let mut reader = UsageReader::new(format);
        text.chunks(piece.max(1)).for_each(|piece| reader.feed(piece));
        reader.finish()
    }

    const FIXTURES: [(UsageFormat, &str); 5] = [
        (UsageFormat::Claude, include_str!("fixtures/claude.jsonl")),
        (UsageFormat::Codex, include_str!("fixtures/codex.jsonl")),
        (UsageFormat::Gemini, include_str!("fixtures/gemini.json")),
        (UsageFormat::Aider, include_str!("fixtures/aider.txt")),
        (UsageFormat::Opencode, include_str!("fixtures/opencode.jsonl")),
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
            }
        }

        #[test]
        fn damaged_reports_do_not_make_a_reader_fail(at in 0usize..4096, with in any::<u8>(), which in 0usize..5) {
            let (format, text) = FIXTURES[which];
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = with;
            read(format, &bytes, 100);
        }
    }
}
