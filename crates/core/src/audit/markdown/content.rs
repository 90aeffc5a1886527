//! What stands below the title of a finding: its labelled parts, and everything else as its description.

use super::document::{Block, Item};
use super::inline::Inline;
use super::label::{self, Label};
use crate::audit::location::{self, Trust};
use crate::audit::{FindingStatus, Location, Severity, severity, status};

/// Longest description and longest fix that are kept, in bytes.
const MAX_TEXT: usize = 16 * 1024;
const MAX_FIX: usize = 4 * 1024;

/// Most labels that are looked for in one paragraph.
const MAX_PARTS: usize = 64;

/// The parts of a finding, gathered.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) severity: Option<Severity>,
    pub(crate) cvss: Option<Severity>,
    pub(crate) status: Option<FindingStatus>,
    /// From a field that is there to name them.
    pub(crate) stated: Vec<Location>,
    /// From running text.
    pub(crate) mentioned: Vec<Location>,
    pub(crate) fix: String,
    pub(crate) category: String,
    pub(crate) effort: Option<String>,
    pub(crate) acceptance: Vec<String>,
    /// How many different labels that show a finding there are.
    pub(crate) labels: Vec<Label>,
    open: Option<Label>,
}

impl Content {
    /// Takes in blocks; a label holds until the next one.
    pub(crate) fn take(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block, 0);
        }
    }

    /// Takes in the content of a section that a label names.
    pub(crate) fn take_under(&mut self, label: Option<Label>, title: &str, blocks: &[Block]) {
        self.open = label;
        match label {
            Some(label) => self.seen(label),
            None => self.say(title),
        }
        for block in blocks {
            self.block(block, 0);
        }
        self.open = None;
    }

    /// The places: those of the field for them, else those that the text mentions.
    pub(crate) fn places(&mut self) -> Vec<Location> {
        if self.stated.is_empty() {
            std::mem::take(&mut self.mentioned)
        } else {
            std::mem::take(&mut self.stated)
        }
    }

    fn block(&mut self, block: &Block, depth: usize) {
        match block {
            Block::Paragraph { text, .. } => self.paragraph(text, depth, true),
            Block::Heading { text, .. } => self.paragraph(text, depth, true),
            Block::List(list) => {
                let before = self.open;
                for item in &list.items {
                    self.item(item, depth);
                    if !matches!(self.open, Some(Label::Acceptance)) {
                        self.open = before;
                    }
                }
            }
            Block::Code { text } => match self.open {
                Some(Label::Fix) => push(&mut self.fix, text.trim_end(), MAX_FIX),
                _ => self.say(text.trim_end()),
            },
            Block::Quote(blocks) => {
                for block in blocks {
                    self.block(block, depth);
                }
            }
            Block::Table(table) => {
                for row in &table.rows {
                    for cell in &row.cells {
                        self.mention(cell);
                    }
                    let cells: Vec<&str> = row.cells.iter().map(|cell| cell.text.trim()).collect();
                    self.say(&cells.join(" | "));
                }
            }
        }
    }

    fn item(&mut self, item: &Item, depth: usize) {
        if item.task.is_some()
            && let Some(Block::Paragraph { text, .. }) = item.blocks.first()
            && self.acceptance.len() < 30
        {
            self.acceptance.push(crate::audit::assess::one_line(&text.text, 240));
            return;
        }
        for (at, block) in item.blocks.iter().enumerate() {
            match block {
                Block::Paragraph { text, .. } => self.paragraph(text, depth + 1, at == 0),
                block @ (Block::Heading { .. }
                | Block::List(_)
                | Block::Table(_)
                | Block::Code { .. }
                | Block::Quote(_)) => {
                    self.block(block, depth + 1);
                }
            }
        }
    }

    fn paragraph(&mut self, text: &Inline, depth: usize, may_open: bool) {
        let parts = if may_open { parts(text) } else { Vec::new() };
        let first = parts.first().map_or(text.text.len(), |part| part.from);
        let before = text.slice(0, first);
        if before.text.contains(char::is_alphanumeric) {
            // A paragraph without a label of its own goes on with the label before it only inside lists, or for the fix.
            if depth == 0
                && !matches!(
                    self.open,
                    Some(Label::Fix | Label::Location | Label::Acceptance | Label::Status)
                )
            {
                self.open = None;
            }
            self.value(self.open, "", &before, depth);
        }
        for (at, part) in parts.iter().enumerate() {
            let end = parts.get(at + 1).map_or(text.text.len(), |next| next.from);
            let value = text.slice(part.to, end);
            self.seen(part.label);
            self.open = Some(part.label);
            let name = text.text.get(part.from..part.to).unwrap_or_default();
            self.value(Some(part.label), name, &value, depth);
        }
    }

    fn seen(&mut self, label: Label) {
        if label.shows_finding() && !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }

    fn value(&mut self, label: Option<Label>, name: &str, value: &Inline, depth: usize) {
        let text = value.text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '*'));
        match label {
            Some(Label::Severity) => {
                let words = text.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
                match severity::of_value(&words) {
                    Some(stated)
                        if self.severity.is_none()
                            && (severity::is_only(first_clause(text))
                                || !name.to_lowercase().contains("risk")) =>
                    {
                        self.severity = Some(stated);
                    }
                    _ => self.say_labelled(name, text),
                }
            }
            Some(Label::Cvss) => {
                self.cvss = self.cvss.or_else(|| severity::of_cvss(text));
                self.say_labelled(name, text);
            }
            Some(Label::Location) => {
                if !text.is_empty() {
                    location::find(text, Trust::Field, &mut self.stated);
                    value.links().for_each(|link| location::find(link, Trust::Prose, &mut self.stated));
                    self.say_labelled(name, text);
                }
            }
            Some(Label::Fix) => {
                let said = if name.to_lowercase().contains("fixed in") {
                    format!("Fixed in {text}")
                } else {
                    text.to_owned()
                };
                let bullet = if depth > 1 || (depth == 1 && name.is_empty()) { "- " } else { "" };
                if !text.is_empty() {
                    push(&mut self.fix, &format!("{bullet}{said}"), MAX_FIX);
                }
                // `Fix applied` says that it was.
                if name.to_lowercase().contains("applied") || name.to_lowercase().contains("implemented") {
                    self.status = self.status.or(Some(FindingStatus::Fixed));
                }
            }
            Some(Label::Status) => match status::of_value(text) {
                Some(stated) if !text.is_empty() => self.status = Some(stated),
                _ => self.say_labelled(name, text),
            },
            Some(Label::FixedOn) => {
                let denied = matches!(
                    text.to_lowercase().as_str(),
                    "no" | "false" | "-" | "n/a" | "none" | "pending" | "否"
                );
                if !text.is_empty() && !denied {
                    self.status = self.status.or(Some(FindingStatus::Fixed));
                }
            }
            Some(Label::Category) => {
                push(&mut self.category, text, 200);
                self.say_labelled(name, text);
            }
            Some(Label::Effort) => {
                self.effort = self.effort.take().or_else(|| Some(text.chars().take(80).collect()))
            }
            Some(Label::Acceptance) => {
                if !text.is_empty() && self.acceptance.len() < 30 {
                    self.acceptance.push(crate::audit::assess::one_line(text, 240));
                }
            }
            Some(Label::Evidence | Label::Problem | Label::Other) => {
                self.mention(value);
                self.say_labelled(name, text);
            }
            None => {
                self.mention(value);
                let bullet = if depth > 0 { "- " } else { "" };
                self.say(&format!("{bullet}{text}"));
            }
        }
    }

    fn mention(&mut self, text: &Inline) {
        location::find(&text.text, Trust::Prose, &mut self.mentioned);
        for code in text.code() {
            location::find(code, Trust::Code, &mut self.mentioned);
        }
        text.links().for_each(|link| location::find(link, Trust::Prose, &mut self.mentioned));
    }

    fn say_labelled(&mut self, name: &str, text: &str) {
        let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '*'));
        match (name.is_empty(), text.is_empty()) {
            (_, true) => {}
            (true, false) => self.say(text),
            (false, false) => self.say(&format!("{name}: {text}")),
        }
    }

    fn say(&mut self, text: &str) {
        push(&mut self.text, text, MAX_TEXT);
    }
}

fn push(to: &mut String, text: &str, most: usize) {
    if text.trim().is_empty() || to.len() >= most {
        return;
    }
    if !to.is_empty() {
        to.push('\n');
    }
    let mut end = text.len().min(most - to.len().min(most));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    to.push_str(&text[..end]);
}

fn first_clause(text: &str) -> &str {
    text.split(['.', ',', '(', '（', ';', '，', '。', '-', '\n']).next().unwrap_or(text).trim()
}

/// A label inside a paragraph: where it begins, and where its value does.
struct Part {
    label: Label,
    from: usize,
    to: usize,
}

/// Labels that also stand inside a line, behind a sentence.
const INSIDE: &[(&str, Label)] = &[
    (" Fix:", Label::Fix),
    (" Recommendation:", Label::Fix),
    (" Recommended fix:", Label::Fix),
    (" Suggestion:", Label::Fix),
    (" Solution:", Label::Fix),
    (" Severity:", Label::Severity),
    ("修复：", Label::Fix),
    ("建议：", Label::Fix),
];

/// The labels of a paragraph: bold ones with a colon anywhere, plain ones at the beginning of a line.
fn parts(text: &Inline) -> Vec<Part> {
    let mut parts = Vec::new();
    for (from, to) in text.strong().take(MAX_PARTS) {
        let inside = text.text.get(from..to).unwrap_or_default();
        let after = text.text.get(to..).unwrap_or_default();
        let colon = inside.trim_end().ends_with([':', '：'])
            || after.trim_start_matches(' ').starts_with([':', '：']);
        let alone = from == 0 && after.trim().is_empty();
        if (colon || alone)
            && let Some(label) = label::of(inside)
        {
            parts.push(Part { label, from, to });
        } else if colon && inside.len() <= 48 {
            parts.push(Part { label: Label::Other, from, to });
        }
    }
    let mut at = 0;
    for line in text.text.split('\n').take(MAX_PARTS) {
        let colon =
            line.char_indices().take(40).find(|&(_, c)| matches!(c, ':' | '：')).map(|(colon, _)| colon);
        if let Some(colon) = colon
            && let Some(label) = label::of(&line[..colon]).filter(|label| *label != Label::Other)
            && !parts.iter().any(|part| part.from >= at && part.from <= at + colon)
        {
            let mark = line[colon..].chars().next().map_or(1, char::len_utf8);
            parts.push(Part { label, from: at, to: at + colon + mark });
        }
        let labels: &[(&str, Label)] = if line.contains([':', '：']) { INSIDE } else { &[] };
        for (phrase, label) in labels {
            // `It is never closed. Fix: close it.`
            if let Some(found) = line.find(*phrase)
                && line[..found].ends_with(['.', ';', ',', ')', '。', '；', '，', '—'])
                && !parts.iter().any(|part| part.from == at + found)
            {
                parts.push(Part { label: *label, from: at + found, to: at + found + phrase.len() });
            }
        }
        at += line.len() + 1;
    }
    parts.sort_by_key(|part| part.from);
    parts
}

/// How many labels that show a finding stand in blocks, without keeping anything else.
pub(crate) fn labels(blocks: &[Block]) -> Vec<Label> {
    let mut content = Content::default();
    content.take(blocks);
    content.labels
}
