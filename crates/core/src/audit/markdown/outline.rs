//! Blocks to a tree of sections: below headings, and below bold paragraphs that do the work of headings.

use super::document::Block;
use super::headline::{self, Headline};
use super::inline::Inline;
use super::label::{self, Label};
use super::role::{self, Role};

/// Levels of the bold paragraphs: groups above findings, both below every real heading.
const BOLD_GROUP: u8 = 7;
const BOLD_TITLE: u8 = 8;

/// A heading and what is under it, up to the next heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) parent: Option<usize>,
    /// 0 for the document itself.
    pub(crate) level: u8,
    pub(crate) text: String,
    pub(crate) head: Headline,
    pub(crate) role: Role,
    /// Whether its text is the title of a finding even where its role is that of a group.
    pub(crate) titled: bool,
    pub(crate) label: Option<Label>,
    /// Whether a real heading, and not a bold paragraph, opens it.
    pub(crate) is_heading: bool,
    pub(crate) line: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) children: Vec<usize>,
}

/// The sections in the order of the text; the first is the document. Parents come before their children.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) sections: Vec<Section>,
}

impl Outline {
    /// Builds the tree.
    pub(crate) fn of(blocks: Vec<Block>) -> Self {
        let headings = blocks.iter().filter(|block| matches!(block, Block::Heading { .. })).count();
        let mut outline = Self { sections: vec![section(None, 0, Inline::default(), 1, true)] };
        let mut blocks = blocks.into_iter().peekable();
        while let Some(block) = blocks.next() {
            match block {
                Block::Heading { level, text, line } => outline.open(level, text, line, true),
                Block::Paragraph { text, line } => {
                    let has_more = !matches!(blocks.peek(), None | Some(Block::Heading { .. }));
                    outline.paragraph(text, line, headings, has_more);
                }
                block @ (Block::List(_) | Block::Table(_) | Block::Code { .. } | Block::Quote(_)) => {
                    outline.add(block)
                }
            }
        }
        outline.excuse_title();
        outline
    }

    /// The title of the whole report is not talk about it (`Audit Dashboard`, `Review Summary`).
    fn excuse_title(&mut self) {
        let Some(title) = self.sections.get_mut(1) else { return };
        let whole =
            title.is_heading && title.level == 1 && title.children.iter().len() + title.blocks.len() > 0;
        if whole && matches!(title.role, Role::Aside | Role::Talk | Role::Summary | Role::Praise) {
            title.role = Role::Neutral;
        }
    }

    fn paragraph(&mut self, text: Inline, line: usize, headings: usize, has_more: bool) {
        let Some((from, to)) = text.lead() else { return self.add(Block::Paragraph { text, line }) };
        let title_end = if text.is_all_strong() { text.text.len() } else { to };
        let alone = title_end == text.text.len();
        let breaks = text.text.get(title_end..).is_some_and(|rest| rest.starts_with('\n'));
        let title = text.slice(0, title_end);
        let one_line = !title.text.trim().contains('\n') && title.text.chars().count() <= 160;
        let colon = title.text.trim_end().ends_with([':', '：'])
            || text.text.get(to..).is_some_and(|rest| rest.starts_with([':', '：']));
        let level = match one_line && (alone || breaks) && (!colon || label::of(&title.text).is_none()) {
            true => bold_level(&title, colon, headings, alone && has_more),
            false => None,
        };
        let Some(level) = level.filter(|_| from < to) else {
            return self.add(Block::Paragraph { text, line });
        };
        let rest = text.slice(title_end, text.text.len());
        self.open(level, title, line, false);
        if !rest.text.trim().is_empty() {
            self.add(Block::Paragraph { text: rest, line });
        }
    }

    fn open(&mut self, level: u8, text: Inline, line: usize, is_heading: bool) {
        let mut parent = self.sections.len() - 1;
        while self.sections[parent].level >= level {
            parent = self.sections[parent].parent.unwrap_or(0);
        }
        let at = self.sections.len();
        self.sections[parent].children.push(at);
        self.sections.push(section(Some(parent), level, text, line, is_heading));
    }

    fn add(&mut self, block: Block) {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }

    /// Whether everything below a section is the parts of one finding and no topic of its own.
    pub(crate) fn is_leaf(&self, at: usize) -> bool {
        self.sections[at].children.iter().all(|&child| {
            let child = &self.sections[child];
            child.label.is_some()
                || (!child.is_heading && !child.head.is_marked() && child.role == Role::Neutral)
        })
    }
}

/// The level of a bold paragraph, if it does the work of a heading.
fn bold_level(title: &Inline, colon: bool, headings: usize, alone: bool) -> Option<u8> {
    if label::of(&title.text).is_some_and(|label| label != Label::Other) {
        return None;
    }
    let head = headline::read(title);
    if head.is_marked() || (head.numbered && !colon) {
        return Some(BOLD_TITLE);
    }
    match role::of(&title.text, head.ticked) {
        Role::Band(_) => Some(BOLD_GROUP),
        Role::Findings | Role::Praise | Role::Aside | Role::Talk | Role::Summary
            if headings <= 1 || !colon =>
        {
            Some(BOLD_GROUP)
        }
        Role::Neutral if !colon && (alone || headings <= 1) => Some(BOLD_GROUP),
        Role::Findings | Role::Praise | Role::Aside | Role::Talk | Role::Summary | Role::Neutral => None,
    }
}

fn section(parent: Option<usize>, level: u8, text: Inline, line: usize, is_heading: bool) -> Section {
    let head = headline::read(&text);
    // `✅ Low risk - already guarded` is rated, but what is ticked off beforehand is no finding without an id.
    let role = if level == 0 {
        Role::Neutral
    } else {
        role::of(&text.text, head.ticked && head.id.is_none() && !head.named)
    };
    Section {
        parent,
        level,
        label: label::of(&head.title),
        titled: role::is_title(&text.text),
        role,
        head,
        is_heading,
        line,
        text: text.text,
        blocks: Vec::new(),
        children: Vec::new(),
    }
}
