//! Parts of a data set by time: the oldest flows to learn from, newer ones to choose by, the newest to test with. A flow is on one side as a
//! whole, by the time of its start, and so is every flow that began at the same moment.

use jiff::Timestamp;
use serde::Serialize;

/// Shares of the oldest flows that are for training, and for training and validation, in percent.
const TRAIN: usize = 70;
const VALIDATION: usize = 85;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The oldest flows.
    Train,
    /// Newer ones.
    Validation,
    /// The newest.
    Test,
}

impl Split {
    /// All words.
    pub(crate) const WORDS: [&'static str; 3] = ["train", "validation", "test"];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Where the parts meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Splits {
    /// Flows that began before are for training; `None`: there are none at all.
    pub validation_from: Option<Timestamp>,
    /// Flows that began before are for training or validation.
    pub test_from: Option<Timestamp>,
}

impl Splits {
    /// Parts by the starts of all flows.
    pub fn of(mut starts: Vec<Timestamp>) -> Self {
        starts.sort_unstable();
        let at = |percent: usize| starts.get(starts.len() * percent / 100).copied();
        Self { validation_from: at(TRAIN), test_from: at(VALIDATION) }
    }

    /// The part of a flow by its start.
    pub fn part(&self, begun: Timestamp) -> Split {
        let from = |border: Option<Timestamp>| border.is_some_and(|border| begun >= border);
        match (from(self.validation_from), from(self.test_from)) {
            (_, true) => Split::Test,
            (true, false) => Split::Validation,
            (false, false) => Split::Train,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_flows_are_for_testing_and_nothing_newer_is_learned_from() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let starts: Vec<Timestamp> = (0..100).rev().map(at).collect();
        let splits = Splits::of(starts.clone());
        let count = |part| starts.iter().filter(|at| splits.part(**at) == part).count();
        assert_eq!((count(Split::Train), count(Split::Validation), count(Split::Test)), (70, 15, 15));
        assert!(starts.iter().all(|a| starts.iter().all(|b| a > b || splits.part(*a) <= splits.part(*b))));
        assert_eq!(Splits::of(Vec::new()).part(at(5)), Split::Train);
        assert_eq!(Splits::of(vec![at(5)]).part(at(5)), Split::Test);
    }
}
