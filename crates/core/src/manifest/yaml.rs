//! YAML events to a small tree with positions. The one place that knows the YAML library. Anchors, aliases, tags and deep nesting are
//! refused here (Q3); after a syntax error reading goes on at the next line that looks like a key, so that the errors behind it are
//! reported too (Q2).

use super::{MAX_DEPTH, Problem, Reason, error::bounded};
use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, StrInput};

/// Times that reading goes on after a syntax error.
const RESUMES: u32 = 32;

const NO_ANCHORS: &str =
    "anchors and aliases (`&name`, `*name`) are not allowed; quote the text if none was meant";

/// A place in the file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    pub(super) fn problem(self, reason: Reason, message: String) -> Problem {
        Problem { line: self.line, column: self.column, reason, message }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Without quotes: what it means is told by its text.
    Plain(String),
    /// In quotes or as a block.
    Quoted(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// An error was reported for it already.
    Refused,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) at: Place,
    pub(super) key: String,
    pub(super) node: Node,
}

/// The entries of a front matter whose first line is line `first` of the file.
pub(super) fn entries(front: &str, first: u32, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut rest, mut line) = (front, first);
    for _ in 0..=RESUMES {
        let mut reader = Reader::new(rest, line, problems);
        let Err(Stopped) = reader.document(&mut entries) else { break };
        // What was begun is not read again.
        let done = reader.last_key.map_or(line, |last| last + 1);
        let Some((next, at)) = next_key(rest, line, done.max(line + 1)) else { break };
        (rest, line) = (next, at);
    }
    entries
}

/// The text from the first line on, not before line `from`, that starts with a key, and its line. `text` starts at line `first`.
fn next_key(text: &str, first: u32, from: u32) -> Option<(&str, u32)> {
    let (mut start, mut line) = (0, first);
    for part in text.split_inclusive('\n') {
        if line >= from && looks_like_key(part) {
            return Some((&text[start..], line));
        }
        start += part.len();
        line += 1;
    }
    None
}

fn looks_like_key(line: &str) -> bool {
    let word = line.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    let after = &line.as_bytes()[word..];
    word > 0 && after.first() == Some(&b':') && after.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// A syntax error was reported; there is nothing more to be had from this reader.
struct Stopped;

struct Reader<'a, 'p> {
    events: Parser<'a, StrInput<'a>>,
    /// Line of the file at which the reader began.
    first: u32,
    /// Line of the last key of the front matter itself.
    last_key: Option<u32>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Reader<'a, 'p> {
    fn new(text: &'a str, first: u32, problems: &'p mut Vec<Problem>) -> Self {
        let mut options = Options::default();
        options.disallow_directives = true;
        options.emit_unresolved_aliases = true;
        options.emit_comments = false;
        let events = Parser::new_from_str_with_options(text, options);
        Self { events, first, last_key: None, problems }
    }

    fn place(&self, mark: &Marker) -> Place {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX / 2);
        Place { line: number(mark.line()).max(1) - 1 + self.first, column: number(mark.col()) + 1 }
    }

    fn next(&mut self) -> Result<(Event<'a>, Place), Stopped> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                let at = self.place(&span.start);
                Ok((event, at))
            }
            Some(Err(error)) => {
                let message = format!("not valid YAML: {}", bounded(&error.info(), 160));
                let at = self.place(error.marker());
                self.problems.push(at.problem(Reason::Syntax, message));
                Err(Stopped)
            }
            None => Err(Stopped),
        }
    }

    fn document(&mut self, entries: &mut Vec<Entry>) -> Result<(), Stopped> {
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(()),
                Event::MappingStart(_, anchor, tag) if self.last_key.is_none() => {
                    self.plain_style(anchor, tag.is_some(), at);
                    while let Some(entry) = self.entry(1)? {
                        entries.extend(entry);
                    }
                }
                Event::Scalar(text, ScalarStyle::Plain, 0, None) if is_nothing(&text) => {}
                event => {
                    let message = if self.last_key.is_some() {
                        "the front matter holds more than one document"
                    } else {
                        "the front matter is not made of lines `key: value`"
                    };
                    self.problems.push(at.problem(Reason::NotKeys, message.to_owned()));
                    self.skip(&event)?;
                }
            }
        }
    }

    /// The next entry of a map; `None` at its end, `Some(None)` for one without a usable key.
    fn entry(&mut self, depth: usize) -> Result<Option<Option<Entry>>, Stopped> {
        let (event, at) = self.next()?;
        if depth == 1 && !matches!(event, Event::MappingEnd) {
            self.last_key = Some(at.line);
        }
        let key = match event {
            Event::MappingEnd => return Ok(None),
            Event::Scalar(text, _, anchor, tag) => {
                self.plain_style(anchor, tag.is_some(), at);
                Some(text.into_owned())
            }
            event => {
                self.problems.push(at.problem(Reason::WrongType, "a key is not plain text".to_owned()));
                self.skip(&event)?;
                None
            }
        };
        let (event, value_at) = self.next()?;
        let node = self.node(event, value_at, depth)?;
        Ok(Some(key.map(|key| Entry { at, key, node })))
    }

    /// The value that starts with `event`, inside `depth` lists and maps.
    fn node(&mut self, event: Event<'a>, at: Place, depth: usize) -> Result<Node, Stopped> {
        let value = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_style(anchor, tag.is_some(), at);
                if tag.is_some() {
                    Value::Refused
                } else if style == ScalarStyle::Plain {
                    Value::Plain(text.into_owned())
                } else {
                    Value::Quoted(text.into_owned())
                }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if depth >= MAX_DEPTH => {
                let message = format!("nested deeper than {MAX_DEPTH} levels");
                self.problems.push(at.problem(Reason::TooDeep, message));
                self.skip(&event)?;
                Value::Refused
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.plain_style(anchor, tag.is_some(), at);
                let mut items = Vec::new();
                loop {
                    let (event, at) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break Value::List(items);
                    }
                    items.push(self.node(event, at, depth + 1)?);
                }
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain_style(anchor, tag.is_some(), at);
                let mut entries = Vec::new();
                while let Some(entry) = self.entry(depth + 1)? {
                    entries.extend(entry);
                }
                Value::Map(entries)
            }
            // Aliases, and whatever else the library may come to emit.
            _ => {
                self.problems.push(at.problem(Reason::Anchor, NO_ANCHORS.to_owned()));
                Value::Refused
            }
        };
        Ok(Node { at, value })
    }

    /// Reports an anchor or a tag of a node.
    fn plain_style(&mut self, anchor: usize, tag: bool, at: Place) {
        if anchor != 0 {
            self.problems.push(at.problem(Reason::Anchor, NO_ANCHORS.to_owned()));
        }
        if tag {
            let message = "tags (`!name`) are not allowed; quote the text if none was meant";
            self.problems.push(at.problem(Reason::Tag, message.to_owned()));
        }
    }

    /// Passes over what `event` begins.
    fn skip(&mut self, event: &Event<'a>) -> Result<(), Stopped> {
        let opens = |event: &Event<'a>| matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        let mut open = u32::from(opens(event));
        while open > 0 {
            let (event, _) = self.next()?;
            match event {
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                event if opens(&event) => open += 1,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a plain scalar stands for no value.
pub(super) fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
