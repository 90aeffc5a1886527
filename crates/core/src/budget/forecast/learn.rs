//! What the record teaches: posteriors of rates, of fix rounds, of factors of repositories and days.

use super::{
    ages::{AGES, day, pieces},
    dice::Dice,
    prior::Priors,
    record::{End, Record},
};
use crate::text::RepoName;

/// First round or a further one.
pub(super) const ROUNDS: usize = 2;
/// The stated pace of all ages together counts as so many observed ends.
const SCALE: f64 = 3.0;
/// What happens at the neighbouring ages counts so much: rates change gently from age to age, in proportion to those stated.
const NEIGHBOUR: f64 = 0.5;
/// Rounds of estimating rates, repositories and days in turn.
const PASSES: usize = 4;

/// A gamma distribution by shape and rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gamma {
    pub(super) shape: f64,
    pub(super) rate: f64,
}

impl Gamma {
    pub(super) fn mean(self) -> f64 {
        self.shape / self.rate
    }

    pub(super) fn draw(self, dice: &mut Dice) -> f64 {
        dice.gamma(self.shape) / self.rate
    }
}

/// A beta distribution by its counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Beta {
    pub(super) yes: f64,
    pub(super) no: f64,
}

impl Beta {
    fn prior(share: f64, weight: f64) -> Self {
        Self { yes: share * weight, no: (1.0 - share) * weight }
    }

    pub(super) fn mean(self) -> f64 {
        self.yes / (self.yes + self.no)
    }
}

/// A day of the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PastDay {
    /// Saturday or Sunday.
    pub(super) weekend: bool,
    /// Its factor.
    pub(super) factor: Gamma,
    /// Rounds that were to be expected to end on it.
    pub(super) expected: f64,
}

/// Everything that was learned.
#[derive(Debug, Clone)]
pub(super) struct Learned {
    pub(super) rates: [[Gamma; AGES]; ROUNDS],
    pub(super) again: [Beta; ROUNDS],
    pub(super) skipped: Beta,
    pub(super) landing: Gamma,
    /// Factors of repositories, in the order of `repos`.
    pub(super) factors: Vec<Gamma>,
    pub(super) repos: Vec<RepoName>,
    pub(super) days: Vec<PastDay>,
    /// Shape of the factor of a day of which nothing is known.
    pub(super) day_shape: f64,
    /// Children that were settled.
    pub(super) settled: u32,
}

/// A piece of a round with whose it is.
struct Exposure {
    round: usize,
    step: usize,
    day: usize,
    repo: usize,
    hours: f64,
}

/// The end of a round.
struct Ended {
    round: usize,
    step: usize,
    day: usize,
    repo: usize,
}

/// Learns from a record.
pub(super) fn learn(record: &Record, priors: &Priors) -> Learned {
    let mut repos: Vec<RepoName> = record.epics.iter().map(|e| e.repo.clone()).collect();
    repos.extend(record.others.iter().map(|(repo, _)| repo.clone()));
    repos.sort();
    repos.dedup();
    let until = record.hour(record.until);
    let (mut exposures, mut ends) = (Vec::new(), Vec::new());
    let mut again = priors.again.map(|share| Beta::prior(share, priors.again_weight));
    let mut skipped = Beta::prior(priors.skipped, priors.skipped_weight);
    let mut settled = 0;
    for (repo, way) in record.ways() {
        let Ok(repo) = repos.binary_search(repo) else { continue };
        let mut starts = vec![record.hour(way.dispatched_at)];
        starts.extend(way.again.iter().map(|at| record.hour(*at)));
        let end = way.end.map(|(at, _)| record.hour(at));
        for (index, from) in starts.iter().enumerate() {
            let round = index.min(1);
            let ended = starts.get(index + 1).copied().or(end);
            let to = ended.unwrap_or(until).min(until);
            let all = pieces(*from, to);
            exposures.extend(all.iter().map(|p| Exposure {
                round,
                step: p.step,
                day: p.day,
                repo,
                hours: p.hours,
            }));
            if ended.is_some() {
                // A round that ended the moment it began has no piece.
                let (step, on) = all.last().map_or((0, day(to)), |p| (p.step, p.day));
                ends.push(Ended { round, step, day: on, repo });
            }
            if starts.len() > index + 1 {
                again[round].yes += 1.0;
            } else if end.is_some() {
                again[round].no += 1.0;
            }
        }
        match way.end {
            Some((_, End::Merged)) => skipped.no += 1.0,
            Some((_, End::Skipped)) => skipped.yes += 1.0,
            None => {}
        }
        settled += u32::from(way.end.is_some());
    }
    let fitted = fit(record, priors, &repos, &exposures, &ends, day(until) + 1);
    Learned {
        rates: fitted.rates,
        again,
        skipped,
        landing: landing(record, priors),
        factors: fitted.factors,
        days: fitted.days,
        day_shape: fitted.day_shape,
        repos,
        settled,
    }
}

struct Fitted {
    rates: [[Gamma; AGES]; ROUNDS],
    factors: Vec<Gamma>,
    days: Vec<PastDay>,
    day_shape: f64,
}

/// Estimates rates, factors of repositories and factors of days in turn, each with the others held.
fn fit(
    record: &Record,
    priors: &Priors,
    repos: &[RepoName],
    exposures: &[Exposure],
    ends: &[Ended],
    days: usize,
) -> Fitted {
    let stated = [priors.first_per_hour, priors.further_per_hour];
    let mut rates: [[Gamma; AGES]; ROUNDS] = stated.map(|per_hour| {
        per_hour.map(|mean| Gamma { shape: priors.rate_weight, rate: priors.rate_weight / mean })
    });
    let shape = 1.0 / priors.repositories;
    let mut factors = vec![Gamma { shape, rate: shape }; repos.len()];
    let mut day_shape = 1.0 / priors.days;
    let mut of_days = vec![Gamma { shape: day_shape, rate: day_shape }; days];
    let mut expected = vec![0.0; days];
    let mut ended = vec![0.0; days];
    for end in ends {
        ended[end.day.min(days - 1)] += 1.0;
    }
    let of_repo = |repo: usize| ends.iter().filter(|e| e.repo == repo).count() as f64;
    for _ in 0..PASSES {
        for round in 0..ROUNDS {
            let of_round = || exposures.iter().filter(|e| e.round == round);
            let weighted =
                |e: &Exposure| e.hours * factors[e.repo].mean() * of_days[e.day.min(days - 1)].mean();
            let by_stated: f64 = of_round().map(|e| weighted(e) * stated[round][e.step]).sum();
            let all = ends.iter().filter(|e| e.round == round).count() as f64;
            let pace = (SCALE + all) / (SCALE + by_stated);
            // What was seen at each age, and what was to be expected there.
            let stated: [f64; AGES] = stated[round].map(|rate| rate * pace);
            let (mut seen, mut expected) = ([0.0; AGES], [0.0; AGES]);
            ends.iter().filter(|e| e.round == round).for_each(|e| seen[e.step] += 1.0);
            of_round().for_each(|e| expected[e.step] += weighted(e) * stated[e.step]);
            for step in 0..AGES {
                let smooth = |of: &[f64; AGES]| {
                    let beside =
                        step.checked_sub(1).map_or(0.0, |s| of[s]) + of.get(step + 1).copied().unwrap_or(0.0);
                    of[step] + NEIGHBOUR * beside
                };
                let weight = priors.rate_weight;
                let shape = weight + smooth(&seen);
                rates[round][step] = Gamma { shape, rate: (weight + smooth(&expected)) / stated[step] };
            }
        }
        let of = |e: &Exposure| e.hours * rates[e.round][e.step].mean();
        for (repo, factor) in factors.iter_mut().enumerate() {
            let mine = exposures.iter().filter(|e| e.repo == repo);
            let work: f64 = mine.map(|e| of(e) * of_days[e.day.min(days - 1)].mean()).sum();
            *factor = Gamma { shape: shape + of_repo(repo), rate: shape + work };
        }
        expected.iter_mut().for_each(|e| *e = 0.0);
        for e in exposures {
            expected[e.day.min(days - 1)] += of(e) * factors[e.repo].mean();
        }
        day_shape = 1.0 / spread(&ended, &expected, priors);
        for ((factor, ended), expected) in of_days.iter_mut().zip(&ended).zip(&expected) {
            *factor = Gamma { shape: day_shape + ended, rate: day_shape + expected };
        }
    }
    // What one repository's share of all ends says of it was counted in the common rates already.
    let all = ends.len() as f64;
    for (repo, factor) in factors.iter_mut().enumerate() {
        let share = if repos.len() == 1 { 1.0 } else { of_repo(repo) / all.max(1.0) };
        let known = (1.0 - share).max(0.02);
        *factor = Gamma { shape: factor.shape / known, rate: factor.rate / known };
    }
    let days = of_days.into_iter().zip(expected).enumerate().map(|(day, (factor, expected))| PastDay {
        weekend: record.is_weekend(day),
        factor,
        expected,
    });
    Fitted { rates, factors, days: days.collect(), day_shape }
}

/// Squared spread between days beyond what chance gives (method of moments), with the prior's as so many days more.
fn spread(ended: &[f64], expected: &[f64], priors: &Priors) -> f64 {
    let squares: f64 = expected.iter().map(|e| e * e).sum();
    let beyond: f64 = ended.iter().zip(expected).map(|(m, e)| (m - e).powi(2) - e).sum();
    let count = expected.iter().filter(|e| **e > 0.0).count() as f64;
    let typical = if count > 0.0 { squares / count } else { 0.0 };
    let prior = priors.days_weight * typical.max(1e-9);
    ((beyond + priors.days * prior) / (squares + prior)).clamp(0.03, 4.0)
}

/// How fast an epic ends after its last child.
fn landing(record: &Record, priors: &Priors) -> Gamma {
    let mut gamma =
        Gamma { shape: priors.landing_weight, rate: priors.landing_weight * priors.landing_hours };
    for epic in &record.epics {
        let Some(settled) = epic.settled_at() else { continue };
        gamma.shape += f64::from(u8::from(epic.ended_at.is_some()));
        gamma.rate += (record.hour(epic.ended_at.unwrap_or(record.until)) - record.hour(settled)).max(0.0);
    }
    gamma
}
