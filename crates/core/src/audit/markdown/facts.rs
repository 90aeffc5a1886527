//! What is known of every section of a report before the walk: its labels, its marks, and how its level is used.

use super::content;
use super::label::Label;
use super::outline::Outline;
use super::role::Role;

/// What is known of every section before the walk.
pub(super) struct Facts {
    /// The labels in its own blocks.
    pub(super) labels: Vec<Vec<Label>>,
    /// Whether it is marked as a finding by itself, and whether one below it is.
    pub(super) strong: Vec<bool>,
    pub(super) strong_below: Vec<bool>,
    /// Levels on which numbered headings are findings: most of them have the parts of one.
    pub(super) numbered: [bool; 10],
}

/// Gathers them.
pub(super) fn facts(outline: &Outline) -> Facts {
    let sections = &outline.sections;
    let labels: Vec<Vec<Label>> = sections.iter().map(|section| content::labels(&section.blocks)).collect();
    let strong: Vec<bool> = sections
        .iter()
        .zip(&labels)
        .map(|(section, labels)| {
            let group = matches!(section.role, Role::Band(_)) && section.head.id.is_none() && !section.titled;
            let aside = section.role == Role::Aside && section.head.id.is_none();
            section.level > 0
                && section.label.is_none()
                && !group
                && !aside
                && (section.head.is_marked() || labels.contains(&Label::Severity))
        })
        .collect();
    let mut strong_below = vec![false; sections.len()];
    for at in (1..sections.len()).rev() {
        if let Some(parent) = sections[at].parent {
            strong_below[parent] |= strong[at] || strong_below[at];
        }
    }
    let mut numbered = [false; 10];
    for (level, numbered) in numbered.iter_mut().enumerate().skip(2) {
        let at_level = (0..sections.len()).filter(|&at| {
            let section = &sections[at];
            usize::from(section.level) == level
                && section.head.numbered
                && outline.is_leaf(at)
                && section.role != Role::Aside
        });
        let (mut all, mut labelled) = (0, 0);
        for at in at_level {
            all += 1;
            // Advice alone does not make a finding of a topic.
            labelled += usize::from(labels[at].iter().any(|label| *label != Label::Fix));
        }
        *numbered = all >= 2 && labelled * 2 >= all;
    }
    Facts { labels, strong, strong_below, numbered }
}
