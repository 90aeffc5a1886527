//! CSV as RFC 4180 has it: a head, CRLF, quotes where they are needed; what is missing is empty.

use super::{float, time};
use crate::table::{Cell, Column};
use std::io::{self, Write};

/// A table as CSV.
pub(crate) struct Csv<W> {
    line: String,
    out: W,
}

impl<W: Write> Csv<W> {
    /// Writes the head.
    pub(super) fn begin(columns: &[Column], out: W) -> io::Result<Self> {
        let mut table = Self { line: String::new(), out };
        let head: Vec<Cell<'_>> = columns.iter().map(|c| Cell::Word(&c.name)).collect();
        table.row(&head)?;
        Ok(table)
    }

    /// Writes a row.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line.clear();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.line.push(',');
            }
            match cell {
                Cell::Null => {}
                Cell::Bool(yes) => self.line.push_str(if *yes { "true" } else { "false" }),
                Cell::Int(number) => self.line.push_str(&number.to_string()),
                Cell::Float(number) => float(*number, &mut self.line),
                Cell::Time(nanos) => time(*nanos, &mut self.line),
                Cell::Word(word) if word.contains([',', '"', '\r', '\n']) => {
                    self.line.push('"');
                    self.line.push_str(&word.replace('"', "\"\""));
                    self.line.push('"');
                }
                Cell::Word(word) => self.line.push_str(word),
            }
        }
        self.line.push_str("\r\n");
        self.out.write_all(self.line.as_bytes())
    }

    /// Ends the table.
    pub(super) fn finish(self) -> W {
        self.out
    }
}
