//! Walks the sections of a report from the top and decides for each: group, finding, praise, or talk about the report.

use super::candidate::{Candidate, Harvest, Origin, Settled, Standing};
use super::content::Content;
use super::document::Block;
use super::entries;
use super::facts::{Facts, facts};
use super::headline::{self, Headline};
use super::label::Label;
use super::outline::{Outline, Section};
use super::role::{self, Role};
use super::table;
use super::tone;
use crate::audit::location::{self, Trust};
use crate::audit::{FindingStatus, Location, Severity, status};

/// What the headings above a place say about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// The severity of the group.
    pub(crate) band: Option<Severity>,
    /// Findings are announced here.
    pub(crate) expects: bool,
    /// Below a summary: only what is marked as a finding is one.
    pub(crate) strict: bool,
    /// What the group says of all in it.
    pub(crate) settled: Option<FindingStatus>,
    pub(crate) trail: String,
    pub(crate) places: Vec<Location>,
}

impl Around {
    pub(crate) fn candidate(
        &self,
        head: Headline,
        content: Content,
        origin: Origin,
        standing: Standing,
        line: usize,
    ) -> Candidate {
        let mut title_places = Vec::new();
        location::find(&head.title, Trust::Prose, &mut title_places);
        Candidate {
            head,
            content,
            origin,
            standing,
            band: self.band,
            listed_severity: None,
            listed_status: if standing == Standing::Sure { self.settled } else { None },
            trail: self.trail.clone(),
            title_places,
            group_places: self.places.clone(),
            line,
        }
    }

    /// Whether the text here is below a heading that announces findings.
    pub(crate) fn in_group(&self) -> bool {
        self.band.is_some() || self.expects
    }
}

/// Everything in the report that may be a finding, in the order of the report.
pub(crate) fn walk(outline: &Outline) -> Harvest {
    let mut walk = Walk { outline, facts: facts(outline), harvest: Harvest::default() };
    walk.visit(0, &Around::default());
    walk.harvest.candidates.sort_by_key(|candidate| candidate.line);
    walk.harvest
}

struct Walk<'a> {
    outline: &'a Outline,
    facts: Facts,
    harvest: Harvest,
}

impl Walk<'_> {
    fn section(&self, at: usize) -> &Section {
        &self.outline.sections[at]
    }

    fn visit(&mut self, at: usize, around: &Around) {
        let outline = self.outline;
        let section = &outline.sections[at];
        let mut below = self.entered(section, around);
        // Beside groups whose findings are marked, what is not marked is a remark.
        let topic = matches!(section.role, Role::Neutral | Role::Talk) && section.is_heading;
        if topic && below.expects && below.band.is_none() && self.among_groups(at, around) {
            below.expects = false;
        }
        match section.role {
            _ if self.is_finding(at, around) => return self.emit(at, around),
            Role::Praise => return self.aside(at, &below, Standing::Echo),
            Role::Aside => return self.aside(at, &below, Standing::Echo),
            Role::Talk if !self.holds_sections(at) => {
                entries::boxes(&section.blocks, &below, &mut self.harvest);
                return self.aside(at, &below, Standing::Echo);
            }
            Role::Summary => {
                entries::settled(&section.blocks, &mut self.harvest);
                self.tables(&section.blocks, &below, Standing::Index);
            }
            Role::Band(_) | Role::Findings | Role::Talk | Role::Neutral => {
                entries::take(&section.blocks, &below, section.is_heading, &mut self.harvest);
                self.tables(
                    &section.blocks,
                    &below,
                    if below.strict { Standing::Index } else { Standing::Sure },
                );
            }
        }
        // An empty group on the level of the findings counts for those that follow it.
        let mut carried: Option<Around> = None;
        for &child in &section.children {
            let next = &outline.sections[child];
            let empty = next.blocks.is_empty() && next.children.is_empty();
            if empty && matches!(next.role, Role::Band(_) | Role::Findings) && !next.head.is_marked() {
                carried = Some(self.entered(next, &below));
                continue;
            }
            if !self.facts.strong[child] {
                carried = None;
            }
            self.visit(child, carried.as_ref().unwrap_or(&below));
        }
    }

    /// What a section adds to what is around it.
    fn entered(&self, section: &Section, around: &Around) -> Around {
        let mut below = around.clone();
        match section.role {
            Role::Band(severity) => {
                below.band = Some(severity);
                below.expects = true;
            }
            Role::Findings => below.expects = true,
            Role::Summary => below.strict = true,
            Role::Praise | Role::Aside | Role::Talk | Role::Neutral => {}
        }
        if section.level > 0 {
            let group = matches!(section.role, Role::Band(_) | Role::Findings);
            let lower = section.text.trim_start().to_ascii_lowercase();
            let opens = ["fixed ", "resolved ", "closed ", "already fixed"]
                .iter()
                .any(|start| lower.starts_with(start));
            if (group || opens) && role::is_settled(&section.text) {
                below.settled = Some(FindingStatus::Fixed);
            }
            if below.trail.len() < 400 {
                below.trail.push_str(&section.text);
                below.trail.push('\n');
            }
            let mut places = Vec::new();
            location::find(&section.text, Trust::Prose, &mut places);
            if !places.is_empty() {
                below.places = places;
            }
        }
        below
    }

    /// Whether sections below are marked as findings, or have the number and the parts of one.
    fn holds_sections(&self, at: usize) -> bool {
        let outline = self.outline;
        let told = |&child: &usize| {
            let section = &outline.sections[child];
            section.head.numbered
                && self.facts.numbered[usize::from(section.level.min(9))]
                && !self.facts.labels[child].is_empty()
        };
        self.facts.strong_below[at] || outline.sections[at].children.iter().any(told)
    }

    fn is_finding(&self, at: usize, around: &Around) -> bool {
        let section = self.section(at);
        let (head, labels) = (&section.head, &self.facts.labels[at]);
        let praised = section.role == Role::Praise && head.id.is_none() && !head.named;
        if section.level == 0 || praised || head.title.is_empty() {
            return false;
        }
        let leaf = self.outline.is_leaf(at);
        if head.id.is_some() && head.is_marked() {
            return section.level > 1 || leaf;
        }
        let lists_more = self.facts.strong_below[at] || self.holds_findings(section, around);
        if lists_more
            || matches!(section.role, Role::Aside | Role::Talk) && !head.numbered && around.band.is_none()
        {
            return false;
        }
        if self.is_alone(at) {
            return true;
        }
        let has = |wanted: &[Label]| labels.iter().any(|label| wanted.contains(label));
        let shows = has(&[Label::Fix, Label::Location]) && labels.len() >= 2;
        match section.role {
            Role::Band(_) => {
                return leaf && section.level > 1 && (shows || section.titled) && head.is_marked();
            }
            Role::Summary => return leaf && section.level > 1 && around.in_group() && shows,
            Role::Praise | Role::Aside | Role::Talk | Role::Findings | Role::Neutral => {}
        }
        if self.facts.strong[at] {
            return leaf && section.level > 1;
        }
        if !leaf || section.level < 2 {
            return false;
        }
        let numbered_level = self.facts.numbered[usize::from(section.level.min(9))];
        if around.strict {
            return head.numbered && numbered_level && !labels.is_empty();
        }
        if head.numbered && numbered_level
            || head.numbered && around.in_group() && (!labels.is_empty() || !self.among_groups(at, around))
        {
            return true;
        }
        let list_only = labels.is_empty() && is_list_only(&section.blocks);
        let empty = section.blocks.is_empty() && section.children.is_empty();
        if around.band.is_some() {
            return !empty && !(list_only && (section.role == Role::Findings || names_a_place(section)));
        }
        if around.expects && section.level > 2 {
            let mut places = Vec::new();
            location::find(&section.text, Trust::Prose, &mut places);
            let told = !labels.is_empty() || !places.is_empty() || mentions_place(&section.blocks);
            return told && !list_only && (section.role != Role::Findings || !labels.is_empty());
        }
        section.level > 2 && shows
    }

    /// Whether the sections beside one are groups, so that it is probably one too.
    fn among_groups(&self, at: usize, around: &Around) -> bool {
        let siblings = self
            .section(at)
            .parent
            .map(|parent| self.section(parent).children.as_slice())
            .unwrap_or_default();
        let from = siblings.partition_point(|&sibling| sibling + 8 < at);
        siblings.iter().skip(from).take(16).any(|&sibling| {
            sibling != at
                && (self.facts.strong_below[sibling] || self.holds_findings(self.section(sibling), around))
        })
    }

    /// Whether the sections below are the parts of one finding, and the only ones (`Impact`, `Recommendation`, ...).
    fn is_alone(&self, at: usize) -> bool {
        let section = self.section(at);
        let headings: Vec<&Section> = section
            .children
            .iter()
            .map(|&child| self.section(child))
            .filter(|child| child.is_heading)
            .collect();
        let tells = |child: &&Section| matches!(child.label, Some(Label::Problem));
        headings.len() >= 2
            && headings.iter().any(tells)
            && headings.iter().all(|child| child.label.is_some())
    }

    /// Whether the blocks of a section are a group: a table of findings, or entries that are marked or grouped.
    fn holds_findings(&self, section: &Section, around: &Around) -> bool {
        let in_band = around.band.is_some() || matches!(section.role, Role::Band(_));
        // Bold leads with marks of their own, below a heading that has none.
        let leads = section.blocks.iter().filter(|block| entries::is_marked_paragraph(block)).count();
        if leads > usize::from(section.head.is_marked() || section.head.numbered) {
            return true;
        }
        section.blocks.iter().any(|block| match block {
            Block::Table(table) => table::lists_findings(table, in_band),
            Block::List(list) => list.items.iter().any(entries::is_marked_or_group),
            Block::Heading { .. } | Block::Paragraph { .. } | Block::Code { .. } | Block::Quote(_) => false,
        })
    }

    fn emit(&mut self, at: usize, around: &Around) {
        let section = self.section(at);
        let mut content = Content::default();
        content.take(&section.blocks);
        let mut others = Vec::new();
        let mut pending: Vec<usize> = section.children.iter().rev().copied().collect();
        while let Some(child) = pending.pop() {
            let part = self.section(child);
            if part.head.id.is_some() && part.head.is_marked() && part.label.is_none() {
                others.push(child);
                continue;
            }
            // `Recommendations` below a finding are its fix.
            content.take_under(part.label, &part.text, &part.blocks);
            pending.extend(part.children.iter().rev());
        }
        let mut head = section.head.clone();
        if head.title.is_empty() {
            head.title.clone_from(&section.text);
        }
        if content.severity.is_none() && self.is_alone(at) {
            content.severity = self.bare_severity(section);
        }
        // `A03 Injection: no issues found` is a check that was passed.
        let first = content.text.lines().next().unwrap_or_default();
        if content.labels.is_empty() && !first.is_empty() && tone::is_nothing(first) {
            return;
        }
        let candidate = around.candidate(head, content, Origin::Heading, Standing::Sure, section.line);
        self.harvest.candidates.push(candidate);
        // A finding on the wrong level is one all the same.
        for other in others {
            self.visit(other, around);
        }
    }

    /// A paragraph before the title that is nothing but a severity, in a file with one finding.
    fn bare_severity(&self, section: &Section) -> Option<Severity> {
        let before = section.parent.map(|parent| self.section(parent).blocks.as_slice()).unwrap_or_default();
        before.iter().find_map(|block| match block {
            Block::Paragraph { text, .. } if crate::audit::severity::is_only(&text.text) => {
                crate::audit::severity::of_value(&text.text)
            }
            _ => None,
        })
    }

    /// Talk about the report: nothing in it is a finding, but it may tell more of one.
    fn aside(&mut self, at: usize, around: &Around, standing: Standing) {
        let outline = self.outline;
        let mut pending = vec![at];
        while let Some(at) = pending.pop() {
            let section = &outline.sections[at];
            if at > 0
                && role::is_settled(&section.text)
                && status::of_mark(&section.head.title).is_none()
                && section.head.title.len() > 12
            {
                self.harvest
                    .settled
                    .push(Settled { text: section.head.title.clone(), status: FindingStatus::Fixed });
            }
            entries::settled(&section.blocks, &mut self.harvest);
            self.tables(&section.blocks, around, standing);
            pending.extend(section.children.iter().rev());
        }
    }

    fn tables(&mut self, blocks: &[Block], around: &Around, standing: Standing) {
        for block in blocks {
            if let Block::Table(found) = block {
                table::take(found, around, standing, &mut self.harvest);
            }
        }
    }
}

fn is_list_only(blocks: &[Block]) -> bool {
    let lists = blocks.iter().filter(|block| matches!(block, Block::List(_))).count();
    lists > 0 && !blocks.iter().any(|block| matches!(block, Block::Paragraph { .. } | Block::Table(_)))
}

/// Whether a heading names a module or a topic and not a problem: a path, a count behind it, or few words.
fn names_a_place(section: &Section) -> bool {
    let title = section.head.title.trim();
    let counted = title.ends_with(')')
        && title.rsplit_once('(').is_some_and(|(_, inside)| {
            inside.contains(|c: char| c.is_ascii_digit()) && !inside.contains(char::is_alphabetic)
        });
    let mut places = Vec::new();
    location::find(title, Trust::Prose, &mut places);
    let words = title.split_whitespace().count();
    !section.head.numbered && (counted || !places.is_empty() || words <= 3)
}

fn mentions_place(blocks: &[Block]) -> bool {
    let mut content = Content::default();
    content.take(blocks);
    !content.places().is_empty()
}

/// The title of the whole report: the first heading of the highest level, if one stands near the top.
pub(crate) fn title(outline: &Outline) -> Option<String> {
    let first = outline.sections.iter().skip(1).find(|section| section.level <= 2 || section.level == 7)?;
    let text = crate::audit::assess::one_line(&first.text, 160);
    let plain = headline::read(&super::inline::Inline::plain(&text)).title;
    (!plain.is_empty()).then_some(text)
}
