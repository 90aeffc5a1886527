//! Writes lines. What the protocol cannot hold is refused and leaves nothing behind.

use std::fmt::Write as _;

/// A name or number that no line can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A name is empty.
    #[error("a name is empty")]
    Empty,
    /// A name ends with a backslash, or has one before a comma, a space or an equals sign: servers do not agree on where it ends.
    #[error("a name has a backslash at its end or before a comma, a space or an equals sign")]
    Backslash,
    /// A name holds a line break or another control character, or begins as a comment would.
    #[error("a name holds a control character, or begins with #")]
    Control,
    /// A number is infinite or none.
    #[error("a number is not finite")]
    NotFinite,
    /// A line needs a field.
    #[error("there is no field")]
    NoField,
}

/// Writes one line behind another. Tags come before fields; a line that was begun and not ended is undone by the next one.
#[derive(Debug, Default)]
pub struct LineWriter {
    out: String,
    /// Where the present line begins.
    begun: usize,
    fields: usize,
    /// What is wrong with the present line.
    wrong: Option<Unwritable>,
}

impl LineWriter {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines so far, each with its line break.
    pub fn text(&self) -> &str {
        &self.out[..self.begun]
    }

    /// The lines.
    pub fn into_text(mut self) -> String {
        self.out.truncate(self.begun);
        self.out
    }

    /// Begins a line.
    pub fn measurement(&mut self, name: &str) -> &mut Self {
        self.out.truncate(self.begun);
        (self.fields, self.wrong) = (0, None);
        if name.starts_with('#') {
            self.wrong = Some(Unwritable::Control);
        }
        self.name(name, &[',', ' '])
    }

    /// Adds a tag.
    pub fn tag(&mut self, key: &str, value: &str) -> &mut Self {
        self.out.push(',');
        self.name(key, &[',', ' ', '=']);
        self.out.push('=');
        self.name(value, &[',', ' ', '='])
    }

    /// Adds a signed integer.
    pub fn integer(&mut self, key: &str, value: i64) -> &mut Self {
        self.field(key);
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}i");
        self
    }

    /// Adds an unsigned integer; servers before InfluxDB 2 do not take them.
    pub fn unsigned(&mut self, key: &str, value: u64) -> &mut Self {
        self.field(key);
        let _ = write!(self.out, "{value}u");
        self
    }

    /// Adds a number, in the shortest digits that mean exactly it.
    pub fn float(&mut self, key: &str, value: f64) -> &mut Self {
        self.field(key);
        if !value.is_finite() {
            self.wrong.get_or_insert(Unwritable::NotFinite);
        }
        let _ = write!(self.out, "{value:?}");
        self
    }

    /// Adds a truth value.
    pub fn boolean(&mut self, key: &str, value: bool) -> &mut Self {
        self.field(key);
        self.out.push_str(if value { "true" } else { "false" });
        self
    }

    /// Adds a text.
    pub fn string(&mut self, key: &str, value: &str) -> &mut Self {
        self.field(key);
        self.out.push('"');
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self.out.push('"');
        self
    }

    /// Ends the line with its time in nanoseconds since 1970.
    pub fn end(&mut self, nanos: i64) -> Result<(), Unwritable> {
        let wrong = self.wrong.or((self.fields == 0).then_some(Unwritable::NoField));
        if let Some(wrong) = wrong {
            self.out.truncate(self.begun);
            return Err(wrong);
        }
        let _ = writeln!(self.out, " {nanos}");
        self.begun = self.out.len();
        Ok(())
    }

    fn field(&mut self, key: &str) {
        self.out.push(if self.fields == 0 { ' ' } else { ',' });
        self.fields += 1;
        self.name(key, &[',', ' ', '=']);
        self.out.push('=');
    }

    fn name(&mut self, name: &str, special: &[char]) -> &mut Self {
        let wrong = if name.is_empty() {
            Some(Unwritable::Empty)
        } else if name.ends_with('\\') || ["\\,", "\\ ", "\\="].iter().any(|pair| name.contains(pair)) {
            Some(Unwritable::Backslash)
        } else if name.contains(|c: char| c.is_ascii_control()) {
            Some(Unwritable::Control)
        } else {
            None
        };
        self.wrong = self.wrong.or(wrong);
        for c in name.chars() {
            if special.contains(&c) {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specials_are_escaped_where_they_mean_something() {
        let mut writer = LineWriter::new();
        writer
            .measurement("a b,c=d")
            .tag("k =,", "v =,\u{1f980}")
            .string("f=", "q\"\\ \n,=")
            .integer("i", i64::MIN);
        writer.float("x", 1.0).unsigned("u", u64::MAX).boolean("b", true).end(-1).unwrap();
        assert_eq!(
            writer.text(),
            "a\\ b\\,c=d,k\\ \\=\\,=v\\ \\=\\,\u{1f980} f\\==\"q\\\"\\\\ \n,=\",i=-9223372036854775808i,x=1.0,\
             u=18446744073709551615u,b=true -1\n"
        );
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let mut writer = LineWriter::new();
        writer.measurement("m").integer("i", 1).end(1).unwrap();
        assert_eq!(writer.measurement("m\\").integer("i", 1).end(1), Err(Unwritable::Backslash));
        assert_eq!(writer.measurement("m").tag("t", "").integer("i", 1).end(1), Err(Unwritable::Empty));
        assert_eq!(writer.measurement("m").tag("t", "a\nb").integer("i", 1).end(1), Err(Unwritable::Control));
        assert_eq!(writer.measurement("m").float("x", f64::NAN).end(1), Err(Unwritable::NotFinite));
        assert_eq!(writer.measurement("m").end(1), Err(Unwritable::NoField));
        assert_eq!(writer.measurement("#m").integer("i", 1).end(1), Err(Unwritable::Control));
        assert_eq!(writer.into_text(), "m i=1i 1\n");
    }
}
