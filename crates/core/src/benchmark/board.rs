//! The leaderboard of one metric: in the order of the middles, with ranks only where nobody else's interval reaches.

use super::{Better, Estimate, Metric, Report};
use serde::Serialize;

/// With fewer children than these nobody is ranked, and nobody is ranked against them: an interval of so few is too narrow by nature.
pub const FEWEST: u32 = 5;

/// Implementers in the order of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Board {
    /// Which.
    pub metric: Metric,
    /// The better first; those without a number are left out.
    pub rows: Vec<BoardRow>,
}

/// One implementer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoardRow {
    /// Its name.
    pub name: String,
    /// Its place; `None` where another one's interval overlaps, or where too few children tell.
    pub rank: Option<u32>,
    /// Its number.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// The board of a metric.
pub fn board(report: &Report, metric: Metric) -> Board {
    let mut known: Vec<(String, Estimate)> = report
        .groups
        .iter()
        .filter_map(|group| Some((group.name.clone(), group.estimate(metric)?)))
        .collect();
    known.sort_by(|(a_name, a), (b_name, b)| {
        let order = match metric.better() {
            Better::Lower => a.middle.total_cmp(&b.middle),
            Better::Higher => b.middle.total_cmp(&a.middle),
        };
        order.then_with(|| a_name.cmp(b_name))
    });
    let rank = |place: usize| {
        let (_, own) = &known[place];
        let others = known.iter().enumerate().filter(|(other, _)| *other != place);
        let clear = others.clone().all(|(_, (_, e))| e.children >= FEWEST && !own.overlaps(e));
        let compared = others.count() > 0;
        (own.children >= FEWEST && clear && compared).then(|| u32::try_from(place + 1).unwrap_or(u32::MAX))
    };
    let ranks: Vec<Option<u32>> = (0..known.len()).map(rank).collect();
    let rows = known.into_iter().zip(ranks).map(|((name, estimate), rank)| BoardRow { name, rank, estimate });
    Board { metric, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{By, Group, Measured};

    fn ranks(all: &[(&str, u32, f64, f64)]) -> Vec<(String, Option<u32>)> {
        let groups = all.iter().map(|(name, children, low, high)| {
            let middle = (low + high) / 2.0;
            let estimate = Estimate { children: *children, middle, mean: middle, low: *low, high: *high };
            let measured = vec![Measured { metric: Metric::HoursToMerge, estimate: Some(estimate) }];
            Group { name: (*name).to_owned(), children: *children, measured }
        });
        let report = Report { by: By::Implementer, seed: 1, groups: groups.collect() };
        board(&report, Metric::HoursToMerge).rows.into_iter().map(|r| (r.name, r.rank)).collect()
    }

    #[test]
    fn no_rank_where_intervals_overlap() {
        let told = ranks(&[("slow", 30, 9.0, 12.0), ("a", 30, 2.0, 4.0), ("b", 30, 3.0, 5.0)]);
        assert_eq!(told, [("a".into(), None), ("b".into(), None), ("slow".into(), Some(3))]);
    }

    #[test]
    fn few_children_give_no_rank() {
        assert_eq!(
            ranks(&[("a", 4, 1.0, 1.0), ("b", 30, 3.0, 5.0)]),
            [("a".into(), None), ("b".into(), None)]
        );
        assert_eq!(ranks(&[("a", 40, 1.0, 2.0)]), [("a".into(), None)]);
        assert_eq!(
            ranks(&[("a", 5, 1.0, 2.0), ("b", 9, 3.0, 5.0)]),
            [("a".into(), Some(1)), ("b".into(), Some(2))]
        );
    }
}
