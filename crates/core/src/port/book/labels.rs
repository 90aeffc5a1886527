//! Records of labels: what a repository knows of them beside their names.

use crate::{
    tainted::Tainted,
    text::{Color, Label},
};

/// A label that a repository knows.
pub struct LabelRecord {
    /// Its id, unique in the whole book; the name may change, the id does not.
    pub id: u64,
    /// Its name.
    pub name: Label,
    /// Its colour.
    pub color: Color,
    /// What it is for; may be empty.
    pub description: Tainted,
}

/// A label to be made known.
pub struct LabelDraft {
    /// Its name.
    pub name: Label,
    /// Its colour.
    pub color: Color,
    /// What it is for.
    pub description: Tainted,
}

/// What became of a [`LabelDraft`].
pub enum LabelMade {
    /// It is known now.
    New(LabelRecord),
    /// There was one of that name; it stays as it is.
    There,
}

/// New properties of a label; what is `None` stays.
#[derive(Default)]
pub struct LabelChange {
    /// A new name.
    pub name: Option<Label>,
    /// A new colour.
    pub color: Option<Color>,
    /// A new description.
    pub description: Option<Tainted>,
}
