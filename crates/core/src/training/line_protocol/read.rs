//! Reads lines without copying what needs no change. One pass over the text; a line that is wrong is told with its number and skipped.

use super::Precision;
use std::borrow::Cow;

/// A name: borrowed from the text unless an escape had to be undone.
pub type Name<'a> = Cow<'a, str>;

/// Value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `1i`
    Integer(i64),
    /// `1u`
    Unsigned(u64),
    /// `1.5`; always finite.
    Float(f64),
    /// `true`
    Boolean(bool),
    /// `"text"`
    String(Cow<'a, str>),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line<'a> {
    /// What is measured.
    pub measurement: Name<'a>,
    /// Tags as they stand there.
    pub tags: Vec<(Name<'a>, Name<'a>)>,
    /// Fields as they stand there; one at least.
    pub fields: Vec<(Name<'a>, Value<'a>)>,
    /// Nanoseconds since 1970; `None`: the receiver's own time.
    pub nanos: Option<i64>,
}

/// Why a line is none. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Nothing stands where the measurement should.
    #[error("missing measurement")]
    NoMeasurement,
    /// A tag has no key.
    #[error("missing tag key")]
    NoTagKey,
    /// A tag has no value, or an equals sign in it that is not escaped.
    #[error("missing or invalid tag value")]
    NoTagValue,
    /// There is no field.
    #[error("missing fields")]
    NoFields,
    /// A field has no key.
    #[error("missing field key")]
    NoFieldKey,
    /// A field has no value, or one of no known type.
    #[error("missing or invalid field value")]
    NoFieldValue,
    /// An integer of more than 64 bits, or a number that is not finite.
    #[error("number out of range")]
    OutOfRange,
    /// A text does not end.
    #[error("unbalanced quotes")]
    Quotes,
    /// The timestamp is no number, or leaves 64 bits of nanoseconds.
    #[error("bad timestamp")]
    Timestamp,
}

/// A line, or what is wrong with it, with its number from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Number of the line of text in which it begins.
    pub number: usize,
    /// The line.
    pub line: Result<Line<'a>, BadLine>,
}

/// The lines of a text; blank ones and comments are left out.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: usize,
    precision: Precision,
}

impl<'a> Lines<'a> {
    /// Reads a text whose timestamps have this unit.
    pub fn new(text: &'a str, precision: Precision) -> Self {
        Self { text, at: 0, number: 1, precision }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            while matches!(bytes.get(self.at), Some(b' ' | b'\t' | 0 | b'\r')) {
                self.at += 1;
            }
            match bytes.get(self.at) {
                None => return None,
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.at = end_of_line(bytes, self.at).saturating_add(1).min(bytes.len()),
                Some(_) => break,
            }
            self.number += 1;
        }
        let (begin, number) = (self.at, self.number);
        let mut scan = Scan { text: self.text, bytes, at: begin };
        let line = scan.line(self.precision);
        let end = if line.is_ok() { scan.at } else { end_of_broken(bytes, begin) };
        // Line breaks inside texts count, the one that ends the line too.
        self.number += bytes[begin..end].iter().filter(|b| **b == b'\n').count() + 1;
        self.at = (end + 1).min(bytes.len());
        Some(Entry { number, line })
    }
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |found| from + found)
}

/// Where a broken line ends: at the first line break that is not inside a text. A text that never ends is broken at the first line break, so
/// that the lines behind it are read.
fn end_of_broken(bytes: &[u8], begin: usize) -> usize {
    let (mut at, mut quoted, mut in_fields, mut open_value) = (begin, false, false, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' if !quoted => return at,
            b' ' => in_fields = true,
            b'=' if in_fields && !quoted => open_value = true,
            b',' if in_fields && !quoted => open_value = false,
            b'"' if in_fields && open_value => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    end_of_line(bytes, begin)
}

/// A place in the text.
struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// One line, from its first character up to its line break or the end of the text.
    fn line(&mut self, precision: Precision) -> Result<Line<'a>, BadLine> {
        let mut line =
            Line { tags: Vec::with_capacity(4), fields: Vec::with_capacity(16), ..Line::default() };
        line.measurement = self.name::<false>(BadLine::NoMeasurement, BadLine::NoFields)?;
        while self.peek() == Some(b',') {
            self.at += 1;
            let key = self.name::<true>(BadLine::NoTagKey, BadLine::NoTagValue)?;
            if self.peek() != Some(b'=') {
                return Err(BadLine::NoTagValue);
            }
            self.at += 1;
            let value = self.name::<true>(BadLine::NoTagValue, BadLine::NoFields)?;
            if self.peek() == Some(b'=') {
                return Err(BadLine::NoTagValue);
            }
            line.tags.push((key, value));
        }
        self.skip_spaces();
        loop {
            if self.at_end() {
                return Err(BadLine::NoFields);
            }
            let key = self.name::<true>(BadLine::NoFieldKey, BadLine::NoFieldValue)?;
            if self.peek() != Some(b'=') {
                return Err(BadLine::NoFieldValue);
            }
            self.at += 1;
            let value = self.value()?;
            line.fields.push((key, value));
            match self.peek() {
                Some(b',') => self.at += 1,
                None | Some(b' ' | b'\n' | b'\r') => break,
                Some(_) => return Err(BadLine::NoFieldValue),
            }
        }
        self.skip_spaces();
        if !self.at_end() {
            line.nanos = Some(self.timestamp(precision)?);
            self.skip_spaces();
            if !self.at_end() {
                return Err(BadLine::Timestamp);
            }
        }
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        Ok(line)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// At the end of the line.
    fn at_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n') => true,
            Some(b'\r') => matches!(self.bytes.get(self.at + 1), None | Some(b'\n')),
            Some(_) => false,
        }
    }

    /// Where the first byte that stops is, from here on; the end of the text if there is none.
    fn until(&self, stops: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().position(|byte| stops(*byte)).map_or(self.bytes.len(), |found| self.at + found)
    }

    /// A name up to a comma, a space or (but in measurements) an equals sign, which must come; a character behind a backslash is none of
    /// them.
    fn name<const EQUALS: bool>(&mut self, empty: BadLine, unended: BadLine) -> Result<Name<'a>, BadLine> {
        let begin = self.at;
        let mut escaped = false;
        loop {
            self.at = self.until(|b| matches!(b, b',' | b' ' | b'\\' | b'\n') || (EQUALS && b == b'='));
            match self.peek() {
                None | Some(b'\n') => return Err(if self.at == begin { empty } else { unended }),
                Some(b'\\') => {
                    // The next character belongs to the name whatever it is, unless it is a backslash that stands before another.
                    if matches!(self.bytes.get(self.at + 1), Some(b',' | b' ' | b'=')) {
                        escaped = true;
                        self.at += 1;
                    }
                    self.at += 1;
                }
                Some(_) => break,
            }
        }
        if self.at == begin {
            return Err(empty);
        }
        let raw = &self.text[begin..self.at];
        Ok(if escaped { Cow::Owned(unescape(raw, EQUALS)) } else { Cow::Borrowed(raw) })
    }

    fn value(&mut self) -> Result<Value<'a>, BadLine> {
        match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'-' | b'.' | b'0'..=b'9') => {}
            Some(_) => {
                let word = self.word();
                return match word {
                    "t" | "T" | "true" | "True" | "TRUE" => Ok(Value::Boolean(true)),
                    "f" | "F" | "false" | "False" | "FALSE" => Ok(Value::Boolean(false)),
                    _ => Err(BadLine::NoFieldValue),
                };
            }
            None => return Err(BadLine::NoFieldValue),
        }
        if let Some(integer) = self.small_integer() {
            return Ok(Value::Integer(integer));
        }
        let word = self.word();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if let Some(integer) = word.strip_suffix('i') {
            if !digits(integer.strip_prefix('-').unwrap_or(integer)) {
                return Err(BadLine::NoFieldValue);
            }
            return integer.parse().map(Value::Integer).map_err(|_| BadLine::OutOfRange);
        }
        if let Some(unsigned) = word.strip_suffix('u') {
            if !digits(unsigned) {
                return Err(BadLine::NoFieldValue);
            }
            return unsigned.parse().map(Value::Unsigned).map_err(|_| BadLine::OutOfRange);
        }
        if !word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
            return Err(BadLine::NoFieldValue);
        }
        let float: f64 = word.parse().map_err(|_| BadLine::NoFieldValue)?;
        if float.is_finite() { Ok(Value::Float(float)) } else { Err(BadLine::OutOfRange) }
    }

    /// The usual integer, of few digits and without a sign, in one pass; `None`, and nothing read, for any other number.
    fn small_integer(&mut self) -> Option<i64> {
        let rest = self.bytes.get(self.at..)?;
        let digits = rest.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
        let ended = matches!(rest.get(digits + 1), None | Some(b',' | b' ' | b'\n' | b'\r'));
        if digits == 0 || rest.get(digits) != Some(&b'i') || !ended {
            return None;
        }
        self.at += digits + 1;
        Some(rest[..digits].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// Up to the next comma, space or line break.
    fn word(&mut self) -> &'a str {
        let begin = self.at;
        self.at = self.until(|b| matches!(b, b',' | b' ' | b'\n' | b'\r'));
        &self.text[begin..self.at]
    }

    fn string(&mut self) -> Result<Value<'a>, BadLine> {
        self.at += 1;
        let begin = self.at;
        let mut escaped = false;
        loop {
            self.at = self.until(|b| matches!(b, b'"' | b'\\'));
            match self.peek() {
                None => return Err(BadLine::Quotes),
                Some(b'\\') => {
                    escaped |= matches!(self.bytes.get(self.at + 1), Some(b'"' | b'\\'));
                    self.at += 2;
                }
                Some(_) => break,
            }
        }
        let raw = self.text.get(begin..self.at).ok_or(BadLine::Quotes)?;
        self.at += 1;
        Ok(Value::String(if escaped { Cow::Owned(unquote(raw)) } else { Cow::Borrowed(raw) }))
    }

    fn timestamp(&mut self, precision: Precision) -> Result<i64, BadLine> {
        let word = self.word();
        let digits = word.strip_prefix('-').unwrap_or(word);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadLine::Timestamp);
        }
        let number: i64 = word.parse().map_err(|_| BadLine::Timestamp)?;
        precision.nanos(number).ok_or(BadLine::Timestamp)
    }
}

/// Undoes the escapes of a name; `=` is one everywhere but in measurements.
fn unescape(raw: &str, equals: bool) -> String {
    let mut name = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(',' | ' ')) => {}
            ('\\', Some('=')) if equals => {}
            _ => name.push(c),
        }
    }
    name
}

/// Undoes the escapes of a text.
fn unquote(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some('"' | '\\')) => text.extend(rest.next()),
            _ => text.push(c),
        }
    }
    text
}
