//! What is assumed before anything was observed: stated numbers with their sources, and how much history outweighs them.

use serde::Serialize;

use super::ages::AGES;

/// The stated priors of a forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Priors {
    /// Ends per hour of a child's first round, by age of the round.
    pub first_per_hour: [f64; AGES],
    /// Ends per hour of a further round, by age of the round.
    pub further_per_hour: [f64; AGES],
    /// Each step of age counts as so many observed ends. Where all rounds are faster or slower than stated, so is what is stated of the
    /// ages that were not observed.
    pub rate_weight: f64,
    /// Share of children that need a fix round at all, and of those with one that need another.
    pub again: [f64; 2],
    /// Each of these shares counts as so many observed children.
    pub again_weight: f64,
    /// Share of children that end with a person.
    pub skipped: f64,
    /// This share counts as so many observed children.
    pub skipped_weight: f64,
    /// Hours from an epic's last child to its end.
    pub landing_hours: f64,
    /// This mean counts as so many observed epics.
    pub landing_weight: f64,
    /// Squared spread between repositories.
    pub repositories: f64,
    /// Squared spread between epics of one repository.
    pub epics: f64,
    /// Squared spread between days, counted as `days_weight` days.
    pub days: f64,
    /// See `days`.
    pub days_weight: f64,
}

impl Priors {
    /// The numbers that stand in for a history that is missing.
    ///
    /// - Rates of the first round up to a day: 7,122 pull requests by five hosted agents (AIDev-pop; arXiv 2507.15003), 33 % and 56 % of
    ///   which had ended after 1 and 24 hours. Later ages: there a fifth of them was simply forgotten (26 % were open after a week, 14 %
    ///   after a month); here the policy asks, and calls a person, so that the rates fall less.
    /// - Fix rounds: 21.6 % of 4,393 needed one, 37 % of those another; an answer came after 5 to 15 minutes, and the look at it
    ///   takes what a look takes.
    /// - Skipped, landing and spreads are guesses of ours that little history outweighs.
    pub const STATED: Self = Self {
        first_per_hour: [0.40, 0.050, 0.025, 0.025, 0.022],
        further_per_hour: [0.50, 0.120, 0.050, 0.035, 0.030],
        rate_weight: 1.0,
        again: [0.216, 0.366],
        again_weight: 2.0,
        skipped: 0.10,
        skipped_weight: 4.0,
        landing_hours: 6.0,
        landing_weight: 1.0,
        repositories: 0.10,
        epics: 0.005,
        days: 0.20,
        days_weight: 5.0,
    };
}
