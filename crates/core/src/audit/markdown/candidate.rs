//! Something in a report that may be a finding, before the whole report has been seen.

use super::content::Content;
use super::headline::Headline;
use crate::audit::{FindingStatus, Location, Severity};

/// How a candidate was come upon; later ones yield to earlier ones when both tell of the same finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Heading,
    Entry,
    Row,
}

/// How sure it is that a candidate is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// By its place or its marks.
    Sure,
    /// An open box in a checklist: a finding if the report is a checklist.
    Box,
    /// A remark that sounds like a defect: a finding if the report consists of remarks.
    Remark,
    /// A row of a summary: one more word on a finding, or a finding that is told nowhere else.
    Index,
    /// A row of a plan: at most one more word on a finding.
    Echo,
}

/// A candidate with everything that was said at its place.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) head: Headline,
    pub(crate) content: Content,
    pub(crate) origin: Origin,
    pub(crate) standing: Standing,
    /// The severity of the group that it stands in.
    pub(crate) band: Option<Severity>,
    /// What a summary adds.
    pub(crate) listed_severity: Option<Severity>,
    /// What the group, a summary or a list of things done says of it.
    pub(crate) listed_status: Option<FindingStatus>,
    /// The headings above it.
    pub(crate) trail: String,
    /// Places that the title or a heading above names.
    pub(crate) title_places: Vec<Location>,
    pub(crate) group_places: Vec<Location>,
    pub(crate) line: usize,
}

impl Candidate {
    /// The places that are known, best first.
    pub(crate) fn places(&self) -> &[Location] {
        [&self.content.stated, &self.title_places, &self.content.mentioned, &self.group_places]
            .into_iter()
            .find(|places| !places.is_empty())
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// Something that a report says has been dealt with, outside the finding itself.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) text: String,
    pub(crate) status: FindingStatus,
}

/// A group that a table of counts rates.
#[derive(Debug)]
pub(crate) struct Rated {
    pub(crate) group: String,
    pub(crate) severity: Severity,
}

/// Everything that one walk through a report finds.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) rated: Vec<Rated>,
}
