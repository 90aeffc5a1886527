//! Reads `team.toml`: every mistake with its line and what to do; keys that nobody knows are refused.

use super::Team;
use crate::{
    budget::{Cost, Period, Provider, Quota, Unit, Window, Zone},
    text::{EngineName, MemberName, ProviderName},
};
use jiff::civil::Time;
use serde::Deserialize;
use std::fmt;
use toml::Spanned;

/// Most that one quota may grant; far above any, and far from where sums overflow.
const MOST: u64 = 1_000_000_000_000;

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1; 0 where it is the file as a whole.
    pub line: usize,
    /// What, and what to do.
    pub what: String,
}

/// The file cannot be used: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TeamError(pub Vec<Mistake>);

impl fmt::Display for TeamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, mistake) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            match mistake.line {
                0 => write!(f, "{separator}{}", mistake.what)?,
                line => write!(f, "{separator}line {line}: {}", mistake.what)?,
            }
        }
        Ok(())
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    zone: Option<Spanned<String>>,
    reset: Option<Spanned<String>>,
    #[serde(default)]
    provider: Vec<Spanned<ProviderWritten>>,
    #[serde(default)]
    member: Vec<Spanned<MemberWritten>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderWritten {
    name: String,
    #[serde(default)]
    implementers: Vec<String>,
    cents_a_task: Option<u64>,
    tokens_a_task: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberWritten {
    name: String,
    #[serde(default)]
    quota: Vec<Spanned<QuotaWritten>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaWritten {
    provider: String,
    tasks: Option<u64>,
    cents: Option<u64>,
    tokens: Option<u64>,
    per: Option<String>,
    on: Option<toml::Value>,
    reset: Option<String>,
    zone: Option<String>,
}

/// Reads the whole file and collects what is wrong.
pub(super) fn read(text: &str) -> Result<Team, TeamError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        let what = error.message().lines().next().unwrap_or("not valid TOML").to_owned();
        TeamError(vec![Mistake { line, what }])
    })?;
    let mut reader = Reader { text, mistakes: Vec::new() };
    let team = reader.team(file);
    if reader.mistakes.is_empty() {
        Ok(team)
    } else {
        reader.mistakes.sort_by_key(|mistake| mistake.line);
        Err(TeamError(reader.mistakes))
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, byte: usize, what: impl Into<String>) {
        self.mistakes.push(Mistake { line: line_of(self.text, byte), what: what.into() });
    }

    fn team(&mut self, file: File) -> Team {
        let zone = file.zone.as_ref().and_then(|zone| self.zone(zone.span().start, zone.get_ref()));
        let reset = file.reset.as_ref().and_then(|reset| self.time(reset.span().start, reset.get_ref()));
        let day = Window {
            period: Period::Day,
            reset: reset.unwrap_or(Time::midnight()),
            zone: zone.unwrap_or_default(),
        };
        let mut team = Team { day, ..Team::default() };
        for written in file.provider {
            self.provider(&mut team, written.span().start, written.get_ref());
        }
        for written in file.member {
            self.member(&mut team, written.span().start, written.get_ref());
        }
        team
    }

    fn provider(&mut self, team: &mut Team, at: usize, written: &ProviderWritten) {
        let Ok(name) = ProviderName::new(&written.name) else {
            return self.wrong(at, "a provider's name is made of letters, digits, `-`, `_` and `.`");
        };
        if team.provider(&name).is_some() {
            return self.wrong(at, format!("the provider {name} is there twice; write it once"));
        }
        let mut implementers = Vec::new();
        for word in &written.implementers {
            match EngineName::new(word) {
                Ok(engine) if team.provider_of(&engine).is_some() || implementers.contains(&engine) => {
                    self.wrong(at, format!("{engine} is counted twice; name it under one provider"));
                }
                Ok(engine) => implementers.push(engine),
                Err(_) => self.wrong(at, "`implementers` are names of engines and hosted agents"),
            }
        }
        if written.implementers.is_empty() {
            implementers.extend(EngineName::new(name.as_str()));
        }
        let task = Cost {
            tasks: 1,
            money: written.cents_a_task.unwrap_or_default().min(MOST),
            tokens: written.tokens_a_task.unwrap_or_default().min(MOST),
        };
        team.providers.push(Provider { name, implementers, task });
    }

    fn member(&mut self, team: &mut Team, at: usize, written: &MemberWritten) {
        let Ok(name) = MemberName::new(&written.name) else {
            return self.wrong(at, "a member's name is made of letters, digits, `-`, `_` and `.`");
        };
        if team.members.contains(&name) {
            return self.wrong(at, format!("the member {name} is there twice; put all quotas under one"));
        }
        team.members.push(name.clone());
        for quota in &written.quota {
            self.quota(team, &name, quota.span().start, quota.get_ref());
        }
    }

    fn quota(&mut self, team: &mut Team, member: &MemberName, at: usize, written: &QuotaWritten) {
        let Ok(provider) = ProviderName::new(&written.provider) else {
            return self.wrong(at, "`provider` is the name of an agent or of a [[provider]] of this file");
        };
        let (unit, most) = match (written.tasks, written.cents, written.tokens) {
            (Some(most), None, None) => (Unit::Tasks, most),
            (None, Some(most), None) => (Unit::Money, most),
            (None, None, Some(most)) => (Unit::Tokens, most),
            _ => {
                return self.wrong(at, "a quota is either `tasks = N`, `cents = N` or `tokens = N`");
            }
        };
        if most > MOST {
            return self.wrong(at, format!("a quota is at most {MOST}"));
        }
        if team.provider(&provider).is_none() {
            // A provider that is not described counts the implementer of its name, one task each.
            if let Ok(engine) = EngineName::new(provider.as_str()) {
                if let Some(other) = team.provider_of(&engine) {
                    let what = format!(
                        "{engine} is counted by the provider {}; write `provider = \"{0}\"`",
                        other.name
                    );
                    return self.wrong(at, what);
                }
                team.providers.push(Provider {
                    name: provider.clone(),
                    implementers: vec![engine],
                    task: Cost::TASK,
                });
            }
        }
        let costs = team.provider(&provider).map_or(Cost::TASK, |provider| provider.task);
        if costs.of(unit) == 0 {
            let what = format!(
                "a quota in {0} needs to know what a task costs: set `{0}_a_task` (the most) in [[provider]] {provider}",
                unit.word()
            );
            return self.wrong(at, what);
        }
        let Some(window) = self.window(team, at, written) else { return };
        let quota = Quota { member: member.clone(), provider, unit, most, window };
        let same = |q: &Quota| {
            q.member == quota.member
                && q.provider == quota.provider
                && q.unit == quota.unit
                && q.window.period.word() == quota.window.period.word()
        };
        if team.quotas.iter().any(same) {
            let what = format!(
                "{member} has two quotas of {} at {} per {}; write one",
                unit.word(),
                quota.provider,
                quota.window.period.word()
            );
            return self.wrong(at, what);
        }
        team.quotas.push(quota);
    }

    fn window(&mut self, team: &Team, at: usize, written: &QuotaWritten) -> Option<Window> {
        let on = |range: std::ops::RangeInclusive<i64>| match &written.on {
            None => Some(1),
            Some(toml::Value::Integer(day)) if range.contains(day) => i8::try_from(*day).ok(),
            Some(_) => None,
        };
        let period = match (written.per.as_deref().unwrap_or("day"), &written.on) {
            ("day", None) => Some(Period::Day),
            ("day", Some(_)) => {
                self.wrong(at, "`on` is for weeks and months; a day begins at `reset`");
                return None;
            }
            ("week", Some(toml::Value::String(day))) => weekday(day).map(|on| Period::Week { on }),
            ("week", _) => on(1..=7).map(|on| Period::Week { on }),
            ("month", _) => on(1..=31).map(|on| Period::Month { on }),
            _ => {
                self.wrong(at, "`per` is \"day\", \"week\" or \"month\"");
                return None;
            }
        };
        let Some(period) = period else {
            self.wrong(
                at,
                "`on` is a weekday (\"monday\", or 1 to 7 from Monday), or the day of a month (1 to 31)",
            );
            return None;
        };
        let reset = match &written.reset {
            Some(reset) => self.time(at, reset)?,
            None => team.day.reset,
        };
        let zone = match &written.zone {
            Some(zone) => self.zone(at, zone)?,
            None => team.day.zone.clone(),
        };
        Some(Window { period, reset, zone })
    }

    fn zone(&mut self, at: usize, text: &str) -> Option<Zone> {
        match text.parse() {
            Ok(zone) => Some(zone),
            Err(error) => {
                self.wrong(at, format!("`zone`: {error}"));
                None
            }
        }
    }

    fn time(&mut self, at: usize, text: &str) -> Option<Time> {
        let time = clock_time(text);
        if time.is_none() {
            self.wrong(at, "`reset` is a time of day such as \"09:00\"");
        }
        time
    }
}

/// A time of day as people write it: `09:00`.
pub fn clock_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// A day of the week by its English name or its first three letters, 1 for Monday.
fn weekday(text: &str) -> Option<i8> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = text.to_ascii_lowercase();
    let found = DAYS.iter().position(|day| *day == word || (word.len() == 3 && day.starts_with(&word)))?;
    i8::try_from(found + 1).ok()
}
