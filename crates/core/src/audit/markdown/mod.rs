//! Markdown reports: a syntax tree, sections, candidates, findings. Rules go by shape and vocabulary, never by report.
//!
//! [`document`] makes blocks of the text, [`outline`] sections of the blocks; [`walk`] decides for every section whether
//! it is a group, a finding or talk; [`merge`] makes one finding of everything that is said about it.

mod candidate;
mod content;
mod document;
mod entries;
mod facts;
mod guard;
mod headline;
mod inline;
mod label;
mod merge;
mod outline;
mod prefix;
mod role;
mod table;
mod tone;
mod walk;
mod word_list;

use super::{Format, Report};
use document::Block;

/// Reads a Markdown or plain text report.
pub(crate) fn read(text: &str, name: &str) -> Report {
    let outline = outline::Outline::of(document::read(text));
    let title = walk::title(&outline).unwrap_or_else(|| name.to_owned());
    let is_clean = outline.sections.iter().flat_map(|section| &section.blocks).any(|block| match block {
        Block::Paragraph { text, .. } => tone::declares_clean(&text.text),
        Block::Heading { .. } | Block::List(_) | Block::Table(_) | Block::Code { .. } | Block::Quote(_) => {
            false
        }
    });
    let findings = merge::findings(walk::walk(&outline), &title, is_clean);
    Report { name: name.to_owned(), title, format: Format::Markdown, issue: None, findings }
}
