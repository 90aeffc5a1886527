//! Findings in lists and paragraphs: entries with a mark, entries of a group, boxes to tick, remarks.

use super::candidate::{Harvest, Origin, Settled, Standing};
use super::content::Content;
use super::document::{Block, Item, List};
use super::headline::{self, Headline};
use super::inline::Inline;
use super::label;
use super::role::{self, Role};
use super::tone;
use super::walk::Around;
use crate::audit::assess::first_sentence;
use crate::audit::{FindingStatus, Severity, severity, status};

/// Takes in the lists and paragraphs of a section that is no finding itself. Right under a heading (`is_heading`)
/// unmarked remarks count too.
pub(crate) fn take(blocks: &[Block], around: &Around, is_heading: bool, harvest: &mut Harvest) {
    let mut intro: Option<&Inline> = None;
    let mut skip_until = 0;
    for (at, block) in blocks.iter().enumerate() {
        match block {
            _ if at < skip_until => {}
            Block::Paragraph { text, line } => {
                let rest = &blocks[at + 1..];
                let taken = paragraph(text, *line, rest, around, harvest);
                skip_until = at + 1 + taken;
                intro = Some(text);
            }
            Block::List(found) => {
                if let Some(around) = introduced(intro, around) {
                    let remarks = is_heading && intro.is_none() && !around.strict;
                    list(found, &around, remarks, harvest);
                } else {
                    settled(std::slice::from_ref(block), harvest);
                }
                intro = None;
            }
            Block::Table(_) | Block::Code { .. } | Block::Quote(_) | Block::Heading { .. } => intro = None,
        }
    }
}

/// What a paragraph before a list makes of it; nothing if the list is a part of that paragraph.
fn introduced(intro: Option<&Inline>, around: &Around) -> Option<Around> {
    let Some(intro) = intro else { return Some(around.clone()) };
    let text = intro.text.trim();
    let short = text.chars().count() <= 120 && (text.ends_with([':', '：']) || intro.is_all_strong());
    if !short {
        return Some(around.clone());
    }
    let name = intro.lead().and_then(|(from, to)| intro.text.get(from..to)).unwrap_or(text);
    if label::of(name).is_some() {
        return None;
    }
    match role::of(text, headline::read(intro).ticked) {
        Role::Praise | Role::Aside | Role::Talk | Role::Summary => None,
        Role::Findings => Some(Around { expects: true, ..around.clone() }),
        Role::Band(severity) => Some(Around { expects: true, band: Some(severity), ..around.clone() }),
        // Another label of which nothing is known.
        Role::Neutral if intro.lead().is_some() && !around.in_group() => None,
        Role::Neutral => Some(around.clone()),
    }
}

/// Takes only the open boxes of lists.
pub(crate) fn boxes(blocks: &[Block], around: &Around, harvest: &mut Harvest) {
    for block in blocks {
        let Block::List(list) = block else { continue };
        for item in list.items.iter().filter(|item| item.task == Some(false)) {
            entry(item, &Around { band: None, expects: false, ..around.clone() }, false, harvest);
        }
    }
}

/// Takes the entries of a list.
fn list(list: &List, around: &Around, remarks: bool, harvest: &mut Harvest) {
    for item in &list.items {
        entry(item, around, remarks, harvest);
    }
}

fn entry(item: &Item, around: &Around, remarks: bool, harvest: &mut Harvest) {
    let Some((text, nested)) = parts(item) else { return };
    if let Some(group) = group(text, nested) {
        match group {
            Role::Findings | Role::Band(_) => {
                let band = if let Role::Band(severity) = group { Some(severity) } else { around.band };
                let below = Around { expects: true, band, ..around.clone() };
                for block in nested {
                    if let Block::List(found) = block {
                        list(found, &below, false, harvest);
                    }
                }
            }
            Role::Praise | Role::Aside | Role::Talk | Role::Summary | Role::Neutral => {}
        }
        return;
    }
    let head = entry_head(text);
    let score = tone::of(&text.without_code());
    let nothing =
        tone::is_nothing(&text.text) || head.title.chars().filter(|c| c.is_alphabetic()).count() < 3;
    let done = item.task == Some(true);
    // `Low risk - all sources are known` says that there is no risk.
    let calm = head.severity == Some(Severity::Low)
        && head.id.is_none()
        && score <= 0
        && text.text.to_lowercase().starts_with("low risk");
    let ticked = head.ticked || head.status == Some(FindingStatus::Fixed);
    let marked = head.is_marked() && !calm;
    if nothing || (done || ticked) && !marked && !around.in_group() {
        note_settled(item, text, harvest);
        return;
    }
    let field = text
        .lead()
        .and_then(|(from, to)| label::of(text.text.get(from..to)?))
        .or_else(|| label_at_start(&text.text));
    let standing = if marked && (!around.strict || head.id.is_some()) {
        Standing::Sure
    } else if around.strict && around.band.is_some() && !calm && !head.ticked {
        Standing::Index
    } else if around.strict || calm {
        return;
    } else if around.in_group() && field.is_none_or(|label| !label.shows_finding()) {
        Standing::Sure
    } else if item.task == Some(false) {
        Standing::Box
    } else if remarks && item.task.is_none() && score >= 2 && text.text.len() >= 24 {
        Standing::Remark
    } else {
        return;
    };
    // A tick alone in a group praises; with a mark or a box it says that a finding is fixed.
    if standing == Standing::Sure && head.ticked && !marked && item.task.is_none() {
        return;
    }
    let mut content = Content::default();
    content.take(&item.blocks);
    let boxes = std::mem::take(&mut content.acceptance);
    content.acceptance = boxes;
    let mut candidate = around.candidate(head, content, Origin::Entry, standing, item.line);
    if done && candidate.head.status.is_none() {
        candidate.head.status = Some(FindingStatus::Fixed);
    }
    if candidate.head.status.is_none() && still_open(&text.text) {
        candidate.head.status = Some(FindingStatus::Open);
    }
    harvest.candidates.push(candidate);
}

/// The first paragraph of an entry and the blocks after it.
fn parts(item: &Item) -> Option<(&Inline, &[Block])> {
    match item.blocks.first()? {
        Block::Paragraph { text, .. } => Some((text, &item.blocks[1..])),
        Block::Heading { text, .. } => Some((text, &item.blocks[1..])),
        Block::List(_) | Block::Table(_) | Block::Code { .. } | Block::Quote(_) => None,
    }
}

/// The role of an entry that only names a group (`**Risks:**` with a list below, `**Strengths:** ...`).
fn group(text: &Inline, nested: &[Block]) -> Option<Role> {
    let name = match text.lead() {
        Some((from, to)) => {
            let name = text.text.get(from..to)?;
            let colon = name.trim_end().ends_with([':', '：'])
                || text.text.get(to..)?.trim_start().starts_with([':', '：']);
            let alone = text.text.get(to..)?.trim_matches([':', '：', ' ']).is_empty();
            (colon || alone).then_some(name)?
        }
        None => text.text.trim().strip_suffix(':').filter(|name| name.len() <= 60 && !name.contains('\n'))?,
    };
    let head = headline::read(&Inline::plain(name));
    if head.is_marked() {
        return None;
    }
    let role = role::of(name, head.ticked);
    let has_list = nested.iter().any(|block| matches!(block, Block::List(_)));
    let whole =
        text.text.trim().trim_end_matches([':', '：']).len() <= name.trim_end_matches([':', '：']).len() + 8;
    match role {
        Role::Praise | Role::Aside => label::of(name).is_none().then_some(role),
        Role::Talk => None,
        Role::Findings | Role::Band(_) if has_list && whole => Some(role),
        Role::Findings | Role::Band(_) | Role::Summary | Role::Neutral => None,
    }
}

/// Whether an entry shows that the list around it is a list of findings and not the text of one.
pub(crate) fn is_marked_or_group(item: &Item) -> bool {
    let Some((text, nested)) = parts(item) else { return false };
    if label::of(&text.text).is_some() || label_at_start(&text.text).is_some() {
        return false;
    }
    let leads_label = text.lead().and_then(|(from, to)| label::of(text.text.get(from..to)?)).is_some();
    let grouped = matches!(group(text, nested), Some(Role::Findings | Role::Band(_) | Role::Praise));
    !leads_label && (entry_head(text).is_marked() || grouped)
}

/// Whether a paragraph begins with the bold and marked title of a finding.
pub(crate) fn is_marked_paragraph(block: &Block) -> bool {
    let Block::Paragraph { text, .. } = block else { return false };
    let Some((from, to)) = text.lead() else { return false };
    let name = text.text.get(from..to).unwrap_or_default();
    label::of(name).is_none() && !severity::is_only(name) && headline::read(&text.slice(0, to)).is_marked()
}

/// The title of an entry: its bold lead, else its first sentence.
fn entry_head(text: &Inline) -> Headline {
    let whole = || {
        let mut head = headline::read(&text.slice(0, line_end(text)));
        head.title = first_sentence(&head.title).to_owned();
        head
    };
    let Some((from, to)) = text.lead() else { return whole() };
    if let Some(severity) = bold_severity(text, (from, to)) {
        let mut head = headline::read(&text.slice(to, line_end(text)));
        head.title = first_sentence(&head.title).to_owned();
        head.severity = Some(severity);
        head.rated = true;
        return head;
    }
    let mut head = headline::read(&text.slice(0, to));
    let words = head.title.split_whitespace().count();
    let rest = text.text.get(to..).unwrap_or_default();
    let only_mark = severity::is_only(text.text.get(from..to).unwrap_or_default())
        || status::of_mark(&head.title).is_some();
    if head.title.is_empty()
        || only_mark
        || (words == 1
            && !rest.trim_start().starts_with([':', '-', '–', '—', '(', '：', '\n'])
            && !rest.trim().is_empty())
    {
        return whole();
    }
    // `**SQL injection** (High): ...`
    if let Some(remark) =
        rest.trim_start().strip_prefix(['(', '[', '（']).and_then(|rest| rest.split([')', ']', '）']).next())
    {
        if severity::is_only(remark) && !head.rated {
            head.severity = severity::of_value(remark);
            head.rated = true;
        } else if let Some(stated) = status::of_mark(remark) {
            head.status = Some(stated);
        }
    }
    let last = text.text.trim_end().chars().next_back().unwrap_or(' ');
    let end = headline::read(&Inline::plain(rest.trim_start()));
    if head.status.is_none() && (status::is_tick(last) || rest.len() <= 48) {
        head.status = end.status;
    }
    head
}

/// The severity of an entry that begins with one in bold and goes on with its place or a new sentence (``**High** `src/a.rs` lacks ...``);
/// in `**High** availability` the word belongs to what follows.
fn bold_severity(text: &Inline, (from, to): (usize, usize)) -> Option<Severity> {
    let name = text.text.get(from..to).filter(|name| severity::is_only(name))?;
    let rest = text.text.get(to..)?.trim_start();
    let word = rest.split_whitespace().next()?;
    let code = text.slice(to, text.text.len()).code().next().is_some_and(|code| rest.starts_with(code));
    let opens = word.starts_with(|c: char| c.is_uppercase() || c == '(');
    let goes_on =
        severity::is_companion(&word.to_lowercase()) || severity::of_word(&word.to_lowercase()).is_some();
    (code || opens && !goes_on).then(|| severity::of_value(name))?
}

/// Where the first line ends, or 600 bytes of it.
fn line_end(text: &Inline) -> usize {
    let end = text.text.find('\n').unwrap_or(text.text.len()).min(600);
    (0..=end).rev().find(|&at| text.text.is_char_boundary(at)).unwrap_or(0)
}

fn label_at_start(text: &str) -> Option<label::Label> {
    let (name, _) = text.split_once([':', '：'])?;
    label::of(name)
}

/// `Remaining: ...` among things that are done.
fn still_open(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    matches!(
        first.to_lowercase().as_str(),
        "remaining" | "pending" | "todo" | "deferred" | "outstanding" | "unresolved"
    )
}

/// A paragraph that is a finding: its lines are rated, or a bold lead is marked or stands in a group. Returns how many
/// of the blocks behind it belong to it.
fn paragraph(text: &Inline, line: usize, rest: &[Block], around: &Around, harvest: &mut Harvest) -> usize {
    if around.strict {
        return 0;
    }
    if let Some((from, to)) = text.lead() {
        let name = text.text.get(from..to).unwrap_or_default();
        let head = headline::read(&text.slice(0, to));
        let labelled = label::of(name).is_some()
            || name.trim_end().ends_with([':', '：'])
            || text.text.get(to..).is_some_and(|rest| rest.starts_with(':'));
        let counts = head.is_marked()
            || (around.in_group()
                && !labelled
                && head.title.split_whitespace().count() >= 2
                && !text.is_all_strong());
        let group = !matches!(role::of(name, head.ticked), Role::Neutral | Role::Findings);
        if !counts || (group && !head.is_marked()) || severity::is_only(name) {
            return 0;
        }
        let belongs = |block: &&Block| match block {
            Block::Paragraph { text, .. } => text
                .lead()
                .is_none_or(|(from, to)| label::of(text.text.get(from..to).unwrap_or_default()).is_some()),
            Block::List(list) => !list.items.iter().any(is_marked_or_group),
            Block::Code { .. } | Block::Quote(_) => true,
            Block::Table(_) | Block::Heading { .. } => false,
        };
        let taken = rest.iter().take_while(belongs).count();
        let mut content = Content::default();
        content.take(&[Block::Paragraph { text: text.slice(to, text.text.len()), line }]);
        content.take(&rest[..taken]);
        harvest.candidates.push(around.candidate(head, content, Origin::Entry, Standing::Sure, line));
        return taken;
    }
    let lines: Vec<&str> = text.text.split('\n').take(2000).collect();
    let rated: Vec<(usize, Headline)> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, text)| {
            let head = headline::read(&Inline::plain(text));
            (head.rated && head.is_marked() && !label_at_start(text).is_some_and(label::Label::shows_finding))
                .then_some((at, head))
        })
        .collect();
    for (at, mut head) in rated {
        let mut content = Content::default();
        content.take(&[Block::Paragraph { text: Inline::plain(lines[at]), line: line + at }]);
        head.title = first_sentence(&head.title).to_owned();
        harvest.candidates.push(around.candidate(head, content, Origin::Entry, Standing::Sure, line + at));
    }
    0
}

/// Takes what blocks say has been dealt with: ticked entries, and entries that end in `(FIXED)`.
pub(crate) fn settled(blocks: &[Block], harvest: &mut Harvest) {
    for block in blocks {
        let Block::List(list) = block else { continue };
        for item in &list.items {
            if let Some((text, _)) = parts(item) {
                note_settled(item, text, harvest);
            }
        }
    }
}

fn note_settled(item: &Item, text: &Inline, harvest: &mut Harvest) {
    let head = headline::read(&text.slice(0, text.text.find('\n').unwrap_or(text.text.len())));
    let ticked = item.task == Some(true) || head.ticked || text.is_struck();
    let stated = head.status.or(ticked.then_some(FindingStatus::Fixed));
    if let Some(status) = stated.filter(|status| *status != FindingStatus::Open) {
        harvest.settled.push(Settled { text: text.text.clone(), status });
    }
}
