//! The rows of a flow in each table.

use super::{
    Cleaning, TableName, actions,
    column::{Cell, Column, ColumnKind, Content, Null},
    episodes, observations, outcomes,
};
use crate::{
    clean::Ids,
    flow::{Event, Flow},
    split::Split,
};
use banksman_core::text::Login;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What the rows of one flow have in common.
pub(crate) struct FlowKeys {
    repo: String,
    pull: PullKey,
    authors: BTreeMap<Login, String>,
    begun: Option<Timestamp>,
    split: Split,
}

enum PullKey {
    Number(i64),
    Hash(String),
}

impl FlowKeys {
    /// The keys of a flow.
    pub(crate) fn of(flow: &Flow, ids: &Ids, split: Split) -> Self {
        let (repo, pull) = (&flow.series.repo, flow.series.pull);
        let authors = flow.observations.iter().map(|(_, seen)| &seen.author);
        let mut known: BTreeMap<Login, String> = BTreeMap::new();
        for author in authors {
            if !known.contains_key(author) {
                known.insert(author.clone(), ids.author(author));
            }
        }
        let hash = ids.pull(repo, pull);
        Self {
            repo: ids.repo(repo),
            pull: hash.map_or(PullKey::Number(pull.0 as i64), PullKey::Hash),
            authors: known,
            begun: ids.cleaning().eq(&Cleaning::Clean).then(|| flow.begun()).flatten(),
            split,
        }
    }

    fn key(&self, at: Timestamp, width: usize) -> Vec<Cell<'_>> {
        let mut cells = Vec::with_capacity(width);
        cells.push(Cell::Word(&self.repo));
        cells.push(match &self.pull {
            PullKey::Number(number) => Cell::Int(*number),
            PullKey::Hash(hash) => Cell::Word(hash),
        });
        cells.push(match self.begun {
            Some(begun) => Cell::Float(at.duration_since(begun).as_secs_f64()),
            None => Cell::Time(nanos(at)),
        });
        cells.push(Cell::Word(self.split.as_str()));
        cells
    }

    fn author(&self, login: &Login) -> &str {
        self.authors.get(login).map_or("", String::as_str)
    }
}

/// The columns that every table begins with.
pub(super) fn key_columns(cleaning: Cleaning) -> Vec<Column> {
    let clean = cleaning == Cleaning::Clean;
    let pull = if clean { ColumnKind::Word } else { ColumnKind::Int };
    let at = match clean {
        true => Column::new(
            "seconds",
            ColumnKind::Float,
            Null::Never,
            Content::NotNegative,
            "Seconds since the first entry of the flow.",
        ),
        false => Column::new("at", ColumnKind::Time, Null::Never, Content::Any, "When."),
    };
    vec![
        Column::new(
            "repo",
            ColumnKind::Word,
            Null::Never,
            Content::Id,
            "The repository, `/` written `_`; a hash where cleaned.",
        ),
        Column::new("pr", pull, Null::Never, Content::Id, "The pull request; a hash where cleaned."),
        at,
        Column::new(
            "split",
            ColumnKind::Word,
            Null::Never,
            Content::OneOf(&Split::WORDS),
            "Which part of the data the flow belongs to; by the time of its start, so that no pull request is on both sides.",
        ),
    ]
}

/// Gives each row of a flow in a table to `row`.
pub(crate) fn rows<E>(
    table: TableName,
    flow: &Flow,
    keys: &FlowKeys,
    mut row: impl FnMut(&[Cell<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    /// More than any table has.
    const WIDTH: usize = 48;
    match table {
        TableName::Observations => {
            for (at, seen) in &flow.observations {
                let mut cells = keys.key(*at, WIDTH);
                observations::cells(seen, keys.author(&seen.author), &mut cells);
                row(&cells)?;
            }
        }
        TableName::Actions => {
            for (at, done) in &flow.actions {
                let mut cells = keys.key(*at, WIDTH);
                actions::cells(done, &mut cells);
                row(&cells)?;
            }
        }
        TableName::Outcomes => {
            for (at, ended) in &flow.outcomes {
                let mut cells = keys.key(*at, WIDTH);
                cells.extend(outcomes::cells(ended));
                row(&cells)?;
            }
        }
        TableName::Pairs => {
            for pair in flow.pairs() {
                let mut cells = keys.key(pair.at, WIDTH);
                let author = pair.before.map_or("", |(_, seen)| keys.author(&seen.author));
                episodes::pair_cells(&pair, author, flow.outcome().map(|(_, ended)| ended), &mut cells);
                row(&cells)?;
            }
        }
        TableName::Episodes => {
            for (step, (at, event)) in flow.events().iter().enumerate() {
                let mut cells = keys.key(*at, WIDTH);
                let author = match event {
                    Event::Seen(seen) => keys.author(&seen.author),
                    Event::Done(_) | Event::Ended(_) => "",
                };
                episodes::event_cells(step, event, author, &mut cells);
                row(&cells)?;
            }
        }
    }
    Ok(())
}

/// Nanoseconds since 1970, cut off at the ends of the range.
fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond().clamp(i128::from(i64::MIN), i128::from(i64::MAX))).unwrap_or_default()
}
