//! Markdown to a tree of blocks with line numbers, from the event stream of the parser. Linear and bounded in depth.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::guard;
use super::inline::{Inline, Mark};

/// One block; `line` counts from one.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    Heading { level: u8, text: Inline, line: usize },
    Paragraph { text: Inline, line: usize },
    List(List),
    Table(Table),
    Code { text: String },
    Quote(Vec<Block>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Item>,
}

/// An entry of a list; `task` is its check box.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    pub(crate) task: Option<bool>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) line: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) head: Vec<Inline>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Inline>,
    pub(crate) line: usize,
}

/// Reads a text. Front matter is left out.
pub(crate) fn read(text: &str) -> Vec<Block> {
    let text = guard::tame(text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut builder = Builder::new(&text);
    for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
        builder.take(event, range.start);
    }
    builder.finish()
}

/// A container that is still open.
enum Frame {
    Blocks(Vec<Block>),
    List(List),
    Item(Item),
    Table(Table),
    Row(Row),
}

struct Builder {
    starts: Vec<usize>,
    frames: Vec<Frame>,
    /// The text being collected, with the line on which it began, and the marks still open in it.
    inline: Option<(Inline, usize)>,
    open: Vec<(Mark, usize)>,
    code: Option<String>,
    ignored: bool,
}

impl Builder {
    fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let frames = vec![Frame::Blocks(Vec::new())];
        Self { starts, frames, inline: None, open: Vec::new(), code: None, ignored: false }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    fn take(&mut self, event: Event<'_>, offset: usize) {
        match event {
            Event::Start(tag) => self.start(tag, offset),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.push(&text, offset),
            Event::Code(text) => {
                self.begin(offset);
                let from = self.length();
                self.push(&text, offset);
                self.mark(Mark::Code, from);
            }
            Event::InlineHtml(html) => {
                if html.starts_with("<br") {
                    self.push("\n", offset);
                } else if !is_known_tag(&html) {
                    self.push(&html, offset);
                }
            }
            Event::SoftBreak | Event::HardBreak => self.push("\n", offset),
            Event::TaskListMarker(done) => {
                if let Some(Frame::Item(item)) = self.frames.last_mut() {
                    item.task = Some(done);
                }
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => self.push(&text, offset),
            Event::Html(_) | Event::Rule | Event::FootnoteReference(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, offset: usize) {
        let line = self.line(offset);
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::TableCell => {
                self.flush();
                self.inline = Some((Inline::default(), line));
            }
            Tag::BlockQuote(_) => self.open_frame(Frame::Blocks(Vec::new())),
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(_) => self.open_frame(Frame::List(List::default())),
            Tag::Item => self.open_frame(Frame::Item(Item { task: None, blocks: Vec::new(), line })),
            Tag::Table(_) => self.open_frame(Frame::Table(Table::default())),
            Tag::TableHead | Tag::TableRow => self.open_frame(Frame::Row(Row { cells: Vec::new(), line })),
            Tag::Strong => self.open_mark(Mark::Strong, offset),
            Tag::Strikethrough => self.open_mark(Mark::Struck, offset),
            Tag::Link { dest_url, .. } => self.open_mark(Mark::Link(dest_url.into_string()), offset),
            Tag::MetadataBlock(_) => self.ignored = true,
            Tag::Emphasis
            | Tag::Image { .. }
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.flush(),
            TagEnd::Heading(level) => {
                if let Some((text, line)) = self.taken() {
                    self.add(Block::Heading { level: level as u8, text, line });
                }
            }
            TagEnd::TableCell => {
                let cell = self.taken().map(|(text, _)| text).unwrap_or_default();
                if let Some(Frame::Row(row)) = self.frames.last_mut() {
                    row.cells.push(cell);
                }
            }
            TagEnd::CodeBlock => {
                if let Some(text) = self.code.take() {
                    self.add(Block::Code { text });
                }
            }
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow => {
                self.close_frame(matches!(tag, TagEnd::TableHead));
            }
            TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                if let Some((mark, from)) = self.open.pop() {
                    self.mark(mark, from);
                }
            }
            TagEnd::MetadataBlock(_) => self.ignored = false,
            TagEnd::Emphasis
            | TagEnd::Image
            | TagEnd::HtmlBlock
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript => {}
        }
    }

    /// Text in a tight list item has no paragraph of its own: one begins here.
    fn begin(&mut self, offset: usize) {
        if self.inline.is_none() && self.code.is_none() && !self.ignored {
            self.inline = Some((Inline::default(), self.line(offset)));
        }
    }

    fn push(&mut self, text: &str, offset: usize) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        self.begin(offset);
        if let Some((inline, _)) = &mut self.inline {
            inline.text.push_str(text);
        }
    }

    fn length(&self) -> usize {
        self.inline.as_ref().map_or(0, |(inline, _)| inline.text.len())
    }

    fn open_mark(&mut self, mark: Mark, offset: usize) {
        self.begin(offset);
        self.open.push((mark, self.length()));
    }

    fn mark(&mut self, mark: Mark, from: usize) {
        let to = self.length();
        if let Some((inline, _)) = &mut self.inline {
            inline.marks.push((mark, from, to));
            // Ends come inside out; readers want them in the order of the text.
            if let [.., before, last] = inline.marks.as_mut_slice()
                && last.1 < before.1
            {
                std::mem::swap(before, last);
            }
        }
    }

    fn taken(&mut self) -> Option<(Inline, usize)> {
        self.open.clear();
        self.inline.take()
    }

    fn flush(&mut self) {
        if let Some((text, line)) = self.taken()
            && !text.text.trim().is_empty()
        {
            self.add(Block::Paragraph { text, line });
        }
    }

    fn open_frame(&mut self, frame: Frame) {
        self.flush();
        self.frames.push(frame);
    }

    fn close_frame(&mut self, is_head: bool) {
        self.flush();
        if self.frames.len() < 2 {
            return;
        }
        match (self.frames.pop(), self.frames.last_mut()) {
            (Some(Frame::Item(item)), Some(Frame::List(list))) => list.items.push(item),
            (Some(Frame::Row(row)), Some(Frame::Table(table))) if is_head => table.head = row.cells,
            (Some(Frame::Row(row)), Some(Frame::Table(table))) => table.rows.push(row),
            (Some(Frame::List(list)), _) => self.add(Block::List(list)),
            (Some(Frame::Table(table)), _) => self.add(Block::Table(table)),
            (Some(Frame::Blocks(blocks)), _) => self.add(Block::Quote(blocks)),
            (Some(Frame::Item(_) | Frame::Row(_)) | None, _) => {}
        }
    }

    fn add(&mut self, block: Block) {
        match self.frames.last_mut() {
            Some(Frame::Blocks(blocks)) => blocks.push(block),
            Some(Frame::Item(item)) => item.blocks.push(block),
            Some(Frame::List(_) | Frame::Table(_) | Frame::Row(_)) | None => {}
        }
    }

    fn finish(mut self) -> Vec<Block> {
        self.flush();
        while self.frames.len() > 1 {
            self.close_frame(false);
        }
        match self.frames.pop() {
            Some(Frame::Blocks(blocks)) => blocks,
            _ => Vec::new(),
        }
    }
}

/// Tags that only format; anything else in angle brackets (`Vec<u8>`) is text.
fn is_known_tag(html: &str) -> bool {
    const TAGS: &[&str] = &[
        "a", "b", "i", "u", "s", "em", "strong", "code", "sub", "sup", "del", "ins", "kbd", "mark", "small",
        "span", "p", "div", "img", "details", "summary", "center", "font", "hr", "!--",
    ];
    let name = html.trim_start_matches(['<', '/']);
    let name =
        name.split(|c: char| !(c.is_alphanumeric() || matches!(c, '!' | '-'))).next().unwrap_or_default();
    TAGS.contains(&name.to_ascii_lowercase().as_str()) || name.starts_with("!--")
}
