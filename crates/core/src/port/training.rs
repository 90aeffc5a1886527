//! Ports of training data: the store that keeps points, and the sinks that get a copy. One conformance suite holds for every store.

use super::StoreError;
use crate::{
    id::Number,
    text::Login,
    training::{Kind, Point, RepoTag, Series},
};
use jiff::Timestamp;
use std::future::Future;

/// Where a page of points goes on: behind the point with this key. Points are ordered by repository, pull request, author (observations
/// alone) and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Repository and pull request.
    pub series: Series,
    /// The author of an observation; `None` for the other measurements.
    pub author: Option<Login>,
    /// The time.
    pub at: Timestamp,
}

impl Place {
    /// The place of a point.
    pub fn of(point: &Point) -> Self {
        let author = match &point.measured {
            crate::training::Measured::Observation(seen) => Some(seen.author.clone()),
            crate::training::Measured::Action(_) | crate::training::Measured::Outcome(_) => None,
        };
        Self { series: point.series.clone(), author, at: point.at }
    }
}

/// Which points to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointQuery {
    /// Of this measurement.
    pub kind: Kind,
    /// Of this repository alone.
    pub repo: Option<RepoTag>,
    /// Of this pull request of that repository alone; has no meaning without one.
    pub pull: Option<Number>,
    /// Behind this place alone: the place of the last point of the page before.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

impl PointQuery {
    /// The first page of all points of a measurement.
    pub fn all(kind: Kind, limit: u32) -> Self {
        Self { kind, repo: None, pull: None, after: None, limit }
    }
}

/// How many points there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PointCounts {
    /// Of `pr_observation`.
    pub observations: u64,
    /// Of `action_taken`.
    pub actions: u64,
    /// Of `outcome`.
    pub outcomes: u64,
}

/// Keeps points.
pub trait Training: Send + Sync {
    /// Writes points in one transaction, all or none. One with the key of another overwrites it, in the order given; an action that says
    /// nothing of what was eligible leaves what is known of it. Acknowledged: survives loss of power.
    fn record_points(&self, points: Vec<Point>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A page of points, ascending by repository, pull request, author and time.
    fn points(&self, query: &PointQuery) -> impl Future<Output = Result<Vec<Point>, StoreError>> + Send;

    /// How many points there are of each measurement.
    fn point_counts(&self) -> impl Future<Output = Result<PointCounts, StoreError>> + Send;
}

/// Why a sink did not take a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// It cannot be reached, is slow, or is too busy: it may take the batch later.
    #[error("the sink cannot be reached or is busy")]
    Away,
    /// It does not let us in; a person has to mend that, and the batch waits.
    #[error("the sink refuses the token, or the token lacks the right to write")]
    Denied,
    /// It does not know where to put it: the organisation, bucket or file is not there. The batch waits.
    #[error("the sink has no such place (organisation, bucket, database or folder)")]
    NoPlace,
    /// There is no room. The batch waits.
    #[error("the sink is full")]
    Full,
    /// It refuses this batch for what stands in it, now and for ever.
    #[error("the sink refuses the batch for its content")]
    Refused,
}

impl SinkError {
    /// Whether the same batch may be taken later.
    pub fn passes(self) -> bool {
        match self {
            Self::Away | Self::Denied | Self::NoPlace | Self::Full => true,
            Self::Refused => false,
        }
    }
}

/// Takes batches of points, one after the other. Taking a batch twice must be the same as taking it once, as far as the sink can.
pub trait Sink: Send + Sync {
    /// Takes a batch. Answered when the sink has promised to keep it.
    fn write(&self, points: &[Point]) -> impl Future<Output = Result<(), SinkError>> + Send;
}

/// Hears of points that were recorded, for the sinks. Must not block and cannot fail: recording never holds the pipeline.
pub trait Outlet: Send + Sync {
    /// These were recorded.
    fn recorded(&self, points: &[Point]);
}

/// Where no sink is configured.
impl Outlet for () {
    fn recorded(&self, _: &[Point]) {}
}
