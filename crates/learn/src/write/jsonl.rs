//! JSON lines: one object a row, its fields in the order of the columns; what is missing is left out.

use super::{float, time};
use crate::table::{Cell, Column};
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// A table as JSON lines.
pub(crate) struct Jsonl<W> {
    names: Vec<String>,
    line: String,
    out: W,
}

impl<W: Write> Jsonl<W> {
    /// Begins a table; there is no head.
    pub(super) fn new(columns: Vec<Column>, out: W) -> Self {
        Self { names: columns.into_iter().map(|c| c.name).collect(), line: String::new(), out }
    }

    /// Writes a row. Words are ASCII of known shapes, but they are escaped all the same.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line.clear();
        for (name, cell) in self.names.iter().zip(cells) {
            if *cell == Cell::Null {
                continue;
            }
            self.line.push(if self.line.is_empty() { '{' } else { ',' });
            let written = write!(self.line, "\"{name}\":");
            debug_assert!(written.is_ok(), "a string takes everything");
            match cell {
                Cell::Null => {}
                Cell::Bool(yes) => self.line.push_str(if *yes { "true" } else { "false" }),
                Cell::Int(number) => self.line.push_str(&number.to_string()),
                Cell::Float(number) => float(*number, &mut self.line),
                Cell::Time(nanos) => {
                    self.line.push('"');
                    time(*nanos, &mut self.line);
                    self.line.push('"');
                }
                Cell::Word(word) => self.line.push_str(&serde_json::to_string(word)?),
            }
        }
        if self.line.is_empty() {
            self.line.push('{');
        }
        self.line.push_str("}\n");
        self.out.write_all(self.line.as_bytes())
    }

    /// Ends the table.
    pub(super) fn finish(self) -> W {
        self.out
    }
}
