//! Where a command writes its result: text for people or JSON for scripts, decided once by `--json`.

use anstream::stdout;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For scripts: one document, or one per line where a command says so.
    Json,
}

/// The output of one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Its form.
    pub(crate) form: Form,
}

impl Page {
    /// Writes one result: `json` as a document or what `text` makes of it.
    pub(crate) fn write<T: Serialize>(
        &self,
        json: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        match self.form {
            Form::Json => {
                let mut line = serde_json::to_string_pretty(json)?;
                line.push('\n');
                put(&line)
            }
            Form::Text => put(&text(json)),
        }
    }

    /// Writes text for people; scripts do not get it.
    pub(crate) fn say(&self, text: &str) -> anyhow::Result<()> {
        match self.form {
            Form::Json => Ok(()),
            Form::Text => put(&format!("{text}\n")),
        }
    }

    /// Standard output is a terminal that a person looks at.
    pub(crate) fn is_live(&self) -> bool {
        self.form == Form::Text && io::stdout().is_terminal()
    }
}

/// Writes to standard output. A reader that went away is no error.
pub(crate) fn put(text: &str) -> anyhow::Result<()> {
    match stdout().lock().write_all(text.as_bytes()).and_then(|()| stdout().lock().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
