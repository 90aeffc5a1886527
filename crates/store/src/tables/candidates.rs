//! Which job is claimed next (Q11). The first job in the order of claiming nearly always fits, so a few of them are looked at one
//! by one. Where those are all held back, by a lock, a full profile, an engine that is not on offer, there may be a hundred
//! thousand more behind them for the same reason: then the first job of each lane and lock is looked at instead.

use super::{Stop, cooldowns};
use crate::sqlite::{Nanos, Tx};
use banksman_core::{
    id::JobId,
    manifest::Choice,
    port::Offer,
    text::{ClassName, EngineName},
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::borrow::Cow;

/// Jobs that are looked at one by one.
const LOOKS: u32 = 32;
/// Above every name of a lock.
const LAST_LOCK: &str = "\u{7f}";

/// Whether lane `l` fits the offer ?1 to ?5. Each list is one text with a line feed around every name, which no name contains.
macro_rules! lane_fits {
    () => {
        "(instr(CASE WHEN l.engine IS NULL THEN ?2 ELSE ?1 END, char(10) || coalesce(l.engine, l.class) || char(10)) > 0
          AND (l.repo IS NULL OR instr(?3, char(10) || l.repo || char(10)) > 0)
          AND (l.profile IS NULL OR instr(?4, char(10) || l.profile || char(10)) = 0)
          AND (l.capabilities = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(l.capabilities) c
                WHERE instr(?5, char(10) || c.value || char(10)) = 0)))"
    };
}

/// An offer as the statements take it.
#[derive(Clone)]
pub(crate) struct Offered {
    engines: Vec<(EngineName, ClassName)>,
    names: String,
    classes: String,
    capabilities: String,
    repos: String,
    full_profiles: String,
}

impl Offered {
    /// Writes the lists down.
    pub(crate) fn new(offer: &Offer) -> Self {
        let offered = Self {
            engines: offer.engines.clone(),
            names: String::new(),
            classes: String::new(),
            capabilities: lines(offer.capabilities.iter().map(|c| c.as_str())),
            repos: lines(offer.repos.iter().map(|r| r.as_str())),
            full_profiles: lines(offer.full_profiles.iter().map(|p| p.as_str())),
        };
        offered.with_engines_written()
    }

    /// Leaves the engines out that rest.
    pub(crate) fn without_resting(&self, tx: &Tx<'_>, now: Timestamp) -> Result<Cow<'_, Self>, Stop> {
        let resting = cooldowns::of(tx, now)?;
        if resting.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        let mut offered = self.clone();
        offered.engines.retain(|(engine, _)| !resting.iter().any(|(name, _)| name == engine));
        Ok(Cow::Owned(offered.with_engines_written()))
    }

    fn with_engines_written(mut self) -> Self {
        self.names = lines(self.engines.iter().map(|(engine, _)| engine.as_str()));
        self.classes = lines(self.engines.iter().map(|(_, class)| class.as_str()));
        self
    }

    /// Who of the offer runs a job with this choice: the first one that may.
    pub(crate) fn engine(&self, choice: &Choice) -> Option<&EngineName> {
        self.engines
            .iter()
            .find(|(engine, class)| match choice {
                Choice::Engine(wanted) => wanted == engine,
                Choice::Class(wanted) => wanted == class,
            })
            .map(|(engine, _)| engine)
    }
}

fn lines<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.fold(String::from("\n"), |mut text, name| {
        text.push_str(name);
        text.push('\n');
        text
    })
}

/// The next job that fits the offer.
pub(crate) fn next(tx: &Tx<'_>, offered: &Offered, now: Timestamp) -> Result<Option<JobId>, Stop> {
    if offered.engines.is_empty() {
        return Ok(None);
    }
    match among_the_first(tx, offered, now)? {
        Look::Found(id) => Ok(Some(id)),
        Look::NoMore => Ok(None),
        Look::More => {
            ripen(tx, now)?;
            first_of_lanes(tx, offered)
        }
    }
}

enum Look {
    Found(JobId),
    /// There are no other jobs.
    NoMore,
    /// There may be others.
    More,
}

fn among_the_first(tx: &Tx<'_>, offered: &Offered, now: Timestamp) -> Result<Look, Stop> {
    let mut query = tx.prepare_cached(concat!(
        "SELECT j.id, j.waits_for = 0 AND (j.ripe OR j.not_before <= ?6)
            AND (j.lock = '' OR NOT EXISTS (SELECT 1 FROM claim k WHERE k.lock = j.lock))
            AND ",
        lane_fits!(),
        " FROM job j INDEXED BY job_waiting CROSS JOIN lane l ON l.id = j.lane
         WHERE j.not_before IS NOT NULL ORDER BY j.priority, j.id LIMIT ?7"
    ))?;
    let mut rows = query.query(params![
        offered.names,
        offered.classes,
        offered.repos,
        offered.full_profiles,
        offered.capabilities,
        Nanos(now),
        LOOKS,
    ])?;
    let mut looks = 0;
    while let Some(row) = rows.next()? {
        if row.get(1)? {
            return Ok(Look::Found(JobId(row.get(0)?)));
        }
        looks += 1;
    }
    Ok(if looks < LOOKS { Look::NoMore } else { Look::More })
}

/// Notices whose time has come. Each job is noticed once, however often it is looked past.
fn ripen(tx: &Tx<'_>, now: Timestamp) -> Result<(), Stop> {
    tx.prepare_cached(
        "UPDATE job INDEXED BY job_due SET ripe = 1
         WHERE ripe = 0 AND waits_for = 0 AND not_before IS NOT NULL AND not_before <= ?1",
    )?
    .execute([Nanos(now)])?;
    Ok(())
}

/// The most urgent and oldest one of those that are the first of their lane and lock.
fn first_of_lanes(tx: &Tx<'_>, offered: &Offered) -> Result<Option<JobId>, Stop> {
    let mut after = tx.prepare_cached(
        "SELECT lane, lock, priority, id FROM job INDEXED BY job_ready
         WHERE ripe = 1 AND waits_for = 0 AND (lane, lock) > (?1, ?2) ORDER BY lane, lock, priority, id LIMIT 1",
    )?;
    let mut fits = tx.prepare_cached(concat!("SELECT ", lane_fits!(), " FROM lane l WHERE l.id = ?6"))?;
    let mut held = tx.prepare_cached("SELECT 1 FROM claim WHERE lock = ?1")?;
    let mut fits = |lane: i64| -> Result<bool, Stop> {
        Ok(fits.query_row(
            params![
                offered.names,
                offered.classes,
                offered.repos,
                offered.full_profiles,
                offered.capabilities,
                lane
            ],
            |row| row.get(0),
        )?)
    };
    let mut best: Option<(u8, u64)> = None;
    let (mut place, mut fitting) = ((0_i64, LAST_LOCK.to_owned()), None);
    loop {
        let next = after
            .query_row(params![place.0, place.1], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    (row.get::<_, u8>(2)?, row.get::<_, u64>(3)?),
                ))
            })
            .optional()?;
        let Some((lane, lock, first)) = next else { return Ok(best.map(|(_, id)| JobId(id))) };
        if fitting != Some(lane) {
            if !fits(lane)? {
                place = (lane, LAST_LOCK.to_owned());
                continue;
            }
            fitting = Some(lane);
        }
        if best.is_none_or(|best| first < best) && (lock.is_empty() || !held.exists([&lock])?) {
            best = Some(first);
        }
        place = (lane, lock);
    }
}

/// The first moment at which the time of a waiting job comes.
pub(crate) fn next_time(db: &rusqlite::Connection, now: Timestamp) -> Result<Option<Timestamp>, Stop> {
    let time: Option<Nanos> = db
        .prepare_cached(
            "SELECT min(not_before) FROM job INDEXED BY job_due
             WHERE ripe = 0 AND waits_for = 0 AND not_before IS NOT NULL AND not_before > ?1",
        )?
        .query_row([Nanos(now)], |row| row.get(0))?;
    Ok(time.map(|t| t.0))
}
