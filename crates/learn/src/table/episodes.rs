//! Columns of pairs and of full episodes, put together from those of the three measurements.

use super::{
    actions,
    column::{Cell, Column, ColumnKind, Content, Null},
    observations, outcomes,
};
use crate::flow::{Event, Pair};
use banksman_core::training::Outcome;

const EVENTS: &[&str] = &["observation", "action", "outcome"];

/// How many columns an observation has.
const SEEN: usize = 17;

pub(super) fn pair_columns() -> Vec<Column> {
    let mut all = actions::columns(Null::Never);
    all.push(Column::new(
        "seconds_since_seen",
        ColumnKind::Float,
        Null::Possible,
        Content::NotNegative,
        "Seconds from the look whose state stands in this row to the action; missing: nothing was seen before it.",
    ));
    all.extend(observations::columns(Null::Possible));
    all.extend(outcomes::columns(Null::Possible));
    all
}

pub(super) fn columns() -> Vec<Column> {
    let mut all = vec![
        Column::new(
            "step",
            ColumnKind::Int,
            Null::Never,
            Content::NotNegative,
            "Position in the episode, from 0.",
        ),
        Column::new(
            "event",
            ColumnKind::Word,
            Null::Never,
            Content::OneOf(EVENTS),
            "Which of the columns that follow have values.",
        ),
    ];
    all.extend(observations::columns(Null::Possible));
    all.extend(actions::columns(Null::Possible));
    all.extend(outcomes::columns(Null::Possible));
    all
}

/// One row of the pairs, behind its key.
pub(super) fn pair_cells<'r>(
    pair: &Pair<'r>,
    author: &'r str,
    outcome: Option<&Outcome>,
    into: &mut Vec<Cell<'r>>,
) {
    actions::cells(pair.action, into);
    match pair.before {
        Some((at, seen)) => {
            into.push(Cell::Float(pair.at.duration_since(at).as_secs_f64()));
            observations::cells(seen, author, into);
        }
        None => nothing(1 + SEEN, into),
    }
    match outcome {
        Some(ended) => into.extend(outcomes::cells(ended)),
        None => nothing(outcomes::WIDTH, into),
    }
}

/// One row of the episodes, behind its key.
pub(super) fn event_cells<'r>(step: usize, event: &Event<'r>, author: &'r str, into: &mut Vec<Cell<'r>>) {
    into.push(Cell::Int(step as i64));
    match event {
        Event::Seen(seen) => {
            into.push(Cell::Word(EVENTS[0]));
            observations::cells(seen, author, into);
            nothing(actions::WIDTH + outcomes::WIDTH, into);
        }
        Event::Done(done) => {
            into.push(Cell::Word(EVENTS[1]));
            nothing(SEEN, into);
            actions::cells(done, into);
            nothing(outcomes::WIDTH, into);
        }
        Event::Ended(ended) => {
            into.push(Cell::Word(EVENTS[2]));
            nothing(SEEN + actions::WIDTH, into);
            into.extend(outcomes::cells(ended));
        }
    }
}

fn nothing(count: usize, into: &mut Vec<Cell<'_>>) {
    into.extend(std::iter::repeat_n(Cell::Null, count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_has_as_many_columns_as_are_left_empty() {
        assert_eq!(observations::columns(Null::Never).len(), SEEN);
        assert_eq!(outcomes::columns(Null::Never).len(), outcomes::WIDTH);
    }
}
