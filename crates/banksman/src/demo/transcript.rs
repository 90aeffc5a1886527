//! What the scripted agent prints: lines to watch, and its usage in the shape of `claude -p --output-format stream-json`.

use serde_json::json;
use std::{io::Write, time::Duration};

/// Model that it says it is.
const MODEL: &str = "scripted";

/// Price of a token in US dollars, in and out: what the demo would cost with a model of the middle class.
const PRICE: (f64, f64) = (3e-6, 15e-6);

/// Tokens that an agent reads before it looks at its task.
const PREAMBLE: usize = 4_200;

/// The output of one attempt.
pub(super) struct Transcript<W> {
    out: W,
    pause: Duration,
    session: String,
    turns: usize,
}

impl<W: Write> Transcript<W> {
    /// Prints to `out`, with a pause before each line.
    pub(super) fn new(out: W, pause: Duration) -> Self {
        Self { out, pause, session: "demo".to_owned(), turns: 0 }
    }

    /// The first line: session and model.
    pub(super) fn start(&mut self, about: &str) -> anyhow::Result<()> {
        let word = about.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase();
        self.session = format!("demo-{word}");
        let line = json!({ "type": "system", "subtype": "init", "session_id": self.session, "model": MODEL });
        writeln!(self.out, "{line}")?;
        self.line(&format!("Working on {about}"))
    }

    /// A line about what is being done.
    pub(super) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        std::thread::sleep(self.pause);
        self.turns += 1;
        writeln!(self.out, "{text}")?;
        Ok(self.out.flush()?)
    }

    /// The last line: what it used, from the characters that it read and wrote.
    pub(super) fn finish(&mut self, read: usize, written: usize) -> anyhow::Result<()> {
        let cached = PREAMBLE * self.turns;
        let (tokens_in, tokens_out) = (read.div_ceil(4) * self.turns, 60 * self.turns + written.div_ceil(3));
        let cost = (tokens_in + cached / 10) as f64 * PRICE.0 + tokens_out as f64 * PRICE.1;
        let line = json!({
            "type": "result",
            "subtype": "success",
            "is_error": false,
            "num_turns": self.turns,
            "session_id": self.session,
            "total_cost_usd": (cost * 1e6).round() / 1e6,
            "usage": {
                "input_tokens": tokens_in,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": cached,
                "output_tokens": tokens_out,
            },
        });
        writeln!(self.out, "{line}")?;
        Ok(self.out.flush()?)
    }
}
