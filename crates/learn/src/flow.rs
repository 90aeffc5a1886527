//! The flow of one pull request: everything that was recorded about it, in the order of time.

use banksman_core::{
    id::Number,
    port::{
        OutcomeResult, StoreError,
        training::{Place, PointQuery, Training},
    },
    training::{ActionTaken, Kind, Measured, Observation, Outcome, Point, RepoTag, Series},
};
use jiff::Timestamp;

/// Points that are read at once. A page is some megabytes.
const PAGE: u32 = 20_000;

/// Everything that was recorded about one pull request; each list in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Which pull request.
    pub series: Series,
    /// What was seen.
    pub observations: Vec<(Timestamp, Observation)>,
    /// What was done.
    pub actions: Vec<(Timestamp, ActionTaken)>,
    /// How it ended; usually once, but a script may say so again.
    pub outcomes: Vec<(Timestamp, Outcome)>,
}

/// One entry of a flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'f> {
    /// What was seen.
    Seen(&'f Observation),
    /// What was done.
    Done(&'f ActionTaken),
    /// How it ended.
    Ended(&'f Outcome),
}

impl Flow {
    /// A flow without entries.
    pub fn empty(series: Series) -> Self {
        Self { series, observations: Vec::new(), actions: Vec::new(), outcomes: Vec::new() }
    }

    /// All entries in the order of time; at the same moment what was seen comes first, then what was done about it.
    pub fn events(&self) -> Vec<(Timestamp, Event<'_>)> {
        let seen = self.observations.iter().map(|(at, seen)| (*at, 0, Event::Seen(seen)));
        let done = self.actions.iter().map(|(at, done)| (*at, 1, Event::Done(done)));
        let ended = self.outcomes.iter().map(|(at, ended)| (*at, 2, Event::Ended(ended)));
        let mut all: Vec<(Timestamp, u8, Event<'_>)> = seen.chain(done).chain(ended).collect();
        all.sort_by_key(|(at, order, _)| (*at, *order));
        all.into_iter().map(|(at, _, event)| (at, event)).collect()
    }

    /// Each action with what was seen last before it, or at the same moment.
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        let mut seen = None;
        let mut pairs = Vec::with_capacity(self.actions.len());
        for (at, event) in self.events() {
            match event {
                Event::Seen(observation) => seen = Some((at, observation)),
                Event::Done(action) => pairs.push(Pair { at, action, before: seen }),
                Event::Ended(_) => {}
            }
        }
        pairs
    }

    /// How it ended, in the end.
    pub fn outcome(&self) -> Option<&(Timestamp, Outcome)> {
        self.outcomes.last()
    }

    /// Whether it ended well.
    pub fn succeeded(&self) -> bool {
        self.outcome().is_some_and(|(_, outcome)| outcome.result == OutcomeResult::Success)
    }

    /// When its first entry was made.
    pub fn begun(&self) -> Option<Timestamp> {
        let first = [
            self.observations.first().map(|(at, _)| *at),
            self.actions.first().map(|(at, _)| *at),
            self.outcomes.first().map(|(at, _)| *at),
        ];
        first.into_iter().flatten().min()
    }

    fn add(&mut self, point: Point) {
        match point.measured {
            Measured::Observation(seen) => self.observations.push((point.at, seen)),
            Measured::Action(done) => self.actions.push((point.at, done)),
            Measured::Outcome(ended) => self.outcomes.push((point.at, ended)),
        }
    }
}

/// A decision with the state before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<'f> {
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    pub action: &'f ActionTaken,
    /// What was seen last, and when; `None`: nothing was.
    pub before: Option<(Timestamp, &'f Observation)>,
}

/// Reads flows from a store one after the other, ascending by repository and pull request. Holds one flow and one page of each
/// measurement at a time.
pub struct Flows<'t, T> {
    store: &'t T,
    pages: [Page; 3],
}

struct Page {
    query: PointQuery,
    points: std::iter::Peekable<std::vec::IntoIter<Point>>,
    last: bool,
}

impl Page {
    fn of(kind: Kind, repo: Option<&RepoTag>, pull: Option<Number>) -> Self {
        let query = PointQuery { repo: repo.cloned(), pull, ..PointQuery::all(kind, PAGE) };
        Self { query, points: Vec::new().into_iter().peekable(), last: false }
    }

    async fn peek<T: Training>(&mut self, store: &T) -> Result<Option<&Point>, StoreError> {
        if self.points.peek().is_none() && !self.last {
            let points = store.points(&self.query).await?;
            self.last = (points.len() as u64) < u64::from(self.query.limit);
            self.query.after = points.last().map(Place::of);
            self.points = points.into_iter().peekable();
        }
        Ok(self.points.peek())
    }
}

impl<'t, T: Training> Flows<'t, T> {
    /// All flows of a store, of one repository, or of one pull request of it.
    pub fn of(store: &'t T, repo: Option<&RepoTag>, pull: Option<Number>) -> Self {
        Self { store, pages: Kind::ALL.map(|kind| Page::of(kind, repo, pull)) }
    }

    /// The next flow; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Flow>, StoreError> {
        let mut first: Option<Series> = None;
        for page in &mut self.pages {
            if let Some(point) = page.peek(self.store).await?
                && first.as_ref().is_none_or(|known| point.series < *known)
            {
                first = Some(point.series.clone());
            }
        }
        let Some(series) = first else { return Ok(None) };
        let mut flow = Flow::empty(series);
        for page in &mut self.pages {
            while page.peek(self.store).await?.is_some_and(|point| point.series == flow.series) {
                if let Some(point) = page.points.next() {
                    flow.add(point);
                }
            }
        }
        // Observations come by author; in nearly every flow there is one.
        flow.observations.sort_by_key(|(at, _)| *at);
        flow.actions.sort_by_key(|(at, _)| *at);
        flow.outcomes.sort_by_key(|(at, _)| *at);
        Ok(Some(flow))
    }
}
