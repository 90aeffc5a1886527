//! Points as lines and lines as points. A line is taken only if it is one of the three measurements with exactly the tags and fields of the
//! table: whatever else a stranger may have put there (a title, a comment) is refused, never stored.

use super::{
    ActionTaken, Kind, MANUAL_POLICY, Measured, Observation, Outcome, Point, PolicyName, Reason, RepoTag,
    Series,
    line_protocol::{BadLine, Line, LineWriter, Unwritable, Value},
    merge_state_word,
};
use crate::{
    id::Number,
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult},
    signals::MergeState,
    text::Login,
};
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IntoDeserializer, value::StrDeserializer};

/// Names of the measurements.
pub const MEASUREMENTS: [&str; 3] = ["pr_observation", "action_taken", "outcome"];

/// Why a line is no point. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPoint {
    /// It is no line.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// Another measurement.
    #[error("unknown measurement: pr_observation, action_taken and outcome are kept")]
    Measurement,
    /// A tag that the measurement does not have.
    #[error("unknown tag")]
    UnknownTag,
    /// A tag is missing.
    #[error("the tag {0} is missing")]
    NoTag(&'static str),
    /// A tag has not the shape that it must have.
    #[error("the tag {0} has no valid shape")]
    Tag(&'static str),
    /// A field that the measurement does not have.
    #[error("unknown field")]
    UnknownField,
    /// A field is missing.
    #[error("the field {0} is missing")]
    NoField(&'static str),
    /// A field has another type, or a value outside of its closed list or range.
    #[error("the field {0} has no valid value")]
    Field(&'static str),
}

impl Point {
    /// Writes the point as a line. What is eligible has no place in it.
    pub fn write(&self, out: &mut LineWriter) -> Result<(), Unwritable> {
        let pull = self.series.pull.to_string();
        out.measurement(self.kind().as_str());
        // Tags in the order of their names, as servers keep them.
        if let Measured::Observation(seen) = &self.measured {
            out.tag("author", seen.author.as_str());
        }
        out.tag("pr", &pull).tag("repo", self.series.repo.as_str());
        match &self.measured {
            Measured::Observation(seen) => {
                out.string("merge_state", merge_state_word(seen.merge_state));
                out.boolean("mergeable", seen.mergeable).boolean("is_draft", seen.is_draft);
                out.boolean("auto_merge_enabled", seen.auto_merge_enabled);
                for (field, count) in seen.counts() {
                    out.integer(field, i64::from(count));
                }
            }
            Measured::Action(taken) => {
                out.string("action", taken.action.as_str()).string("reason", taken.reason.as_str());
                out.string("policy", taken.policy.as_str()).float("propensity", taken.propensity);
            }
            Measured::Outcome(outcome) => {
                out.string("result", outcome.result.as_str()).string("detail", outcome.detail.as_str());
                out.float("resolution_hours", outcome.resolution_hours);
            }
        }
        out.end(self.nanos())
    }

    /// Takes a line. `now` is the time of one that has none.
    pub fn from_line(line: &Line<'_>, now: Timestamp) -> Result<Self, BadPoint> {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == line.measurement)
            .ok_or(BadPoint::Measurement)?;
        let (mut repo, mut pull, mut author) = (None, None, None);
        for (key, value) in &line.tags {
            match &**key {
                "repo" => repo = Some(RepoTag::new(value).map_err(|_| BadPoint::Tag("repo"))?),
                "pr" => pull = Some(value.parse::<u32>().map_err(|_| BadPoint::Tag("pr"))?),
                "author" if kind == Kind::PrObservation => {
                    author = Some(Login::new(value).map_err(|_| BadPoint::Tag("author"))?);
                }
                _ => return Err(BadPoint::UnknownTag),
            }
        }
        let repo = repo.ok_or(BadPoint::NoTag("repo"))?;
        let pull = Number(u64::from(pull.ok_or(BadPoint::NoTag("pr"))?));
        let measured = match kind {
            Kind::PrObservation => {
                Measured::Observation(observation(line, author.ok_or(BadPoint::NoTag("author"))?)?)
            }
            Kind::ActionTaken => Measured::Action(action(line)?),
            Kind::Outcome => Measured::Outcome(outcome(line)?),
        };
        // Every i64 of nanoseconds is inside the range of the type.
        let at =
            line.nanos.and_then(|nanos| Timestamp::from_nanosecond(i128::from(nanos)).ok()).unwrap_or(now);
        Ok(Self { series: Series { repo, pull }, at, measured })
    }
}

fn observation(line: &Line<'_>, author: Login) -> Result<Observation, BadPoint> {
    let mut merge_state = None;
    let (mut mergeable, mut is_draft, mut auto_merge_enabled) = (None, None, None);
    let mut counts: [Option<u32>; 12] = [None; 12];
    for (key, value) in &line.fields {
        let count = match &**key {
            "merge_state" => {
                merge_state = Some(word::<MergeState>(value, "merge_state")?);
                continue;
            }
            "mergeable" => {
                mergeable = Some(truth(value, "mergeable")?);
                continue;
            }
            "is_draft" => {
                is_draft = Some(truth(value, "is_draft")?);
                continue;
            }
            "auto_merge_enabled" => {
                auto_merge_enabled = Some(truth(value, "auto_merge_enabled")?);
                continue;
            }
            key => COUNTS.iter().position(|name| *name == key).ok_or(BadPoint::UnknownField)?,
        };
        counts[count] = Some(natural(value, COUNTS[count])?);
    }
    let count = |index: usize| counts[index].ok_or(BadPoint::NoField(COUNTS[index]));
    Ok(Observation {
        author,
        merge_state: merge_state.ok_or(BadPoint::NoField("merge_state"))?,
        mergeable: mergeable.ok_or(BadPoint::NoField("mergeable"))?,
        is_draft: is_draft.ok_or(BadPoint::NoField("is_draft"))?,
        auto_merge_enabled: auto_merge_enabled.ok_or(BadPoint::NoField("auto_merge_enabled"))?,
        checks_total: count(0)?,
        checks_passing: count(1)?,
        checks_failing: count(2)?,
        reviews_approved: count(3)?,
        reviews_changes_requested: count(4)?,
        threads_total: count(5)?,
        threads_unresolved: count(6)?,
        pr_age_hours: count(7)?,
        last_push_hours: count(8)?,
        last_activity_hours: count(9)?,
        conflict_attempts: count(10)?,
        review_fix_attempts: count(11)?,
    })
}

/// Fields that count, in the order of the table.
const COUNTS: [&str; 12] = [
    "checks_total",
    "checks_passing",
    "checks_failing",
    "reviews_approved",
    "reviews_changes_requested",
    "threads_total",
    "threads_unresolved",
    "pr_age_hours",
    "last_push_hours",
    "last_activity_hours",
    "conflict_attempts",
    "review_fix_attempts",
];

fn action(line: &Line<'_>) -> Result<ActionTaken, BadPoint> {
    let (mut action, mut reason, mut policy, mut propensity) = (None, None, None, None);
    for (key, value) in &line.fields {
        match &**key {
            "action" => action = Some(word::<ActionKind>(value, "action")?),
            "reason" => reason = Some(word::<Reason>(value, "reason")?),
            "policy" => {
                let name = text(value).and_then(|name| PolicyName::new(name).ok());
                policy = Some(name.ok_or(BadPoint::Field("policy"))?);
            }
            "propensity" => {
                let probability = number(value, "propensity")?;
                if !(0.0..=1.0).contains(&probability) {
                    return Err(BadPoint::Field("propensity"));
                }
                propensity = Some(probability);
            }
            _ => return Err(BadPoint::UnknownField),
        }
    }
    Ok(ActionTaken {
        action: action.ok_or(BadPoint::NoField("action"))?,
        reason: reason.ok_or(BadPoint::NoField("reason"))?,
        // Scripts of before there were policies say neither.
        policy: match policy {
            Some(policy) => policy,
            None => PolicyName::new(MANUAL_POLICY).map_err(|_| BadPoint::Field("policy"))?,
        },
        propensity: propensity.unwrap_or(1.0),
        eligible: Vec::new(),
    })
}

fn outcome(line: &Line<'_>) -> Result<Outcome, BadPoint> {
    let (mut result, mut detail, mut hours) = (None, None, None);
    for (key, value) in &line.fields {
        match &**key {
            "result" => result = Some(word::<OutcomeResult>(value, "result")?),
            "detail" => detail = Some(word::<OutcomeDetail>(value, "detail")?),
            "resolution_hours" => hours = Some(number(value, "resolution_hours")?),
            _ => return Err(BadPoint::UnknownField),
        }
    }
    Ok(Outcome {
        result: result.ok_or(BadPoint::NoField("result"))?,
        detail: detail.ok_or(BadPoint::NoField("detail"))?,
        resolution_hours: hours.ok_or(BadPoint::NoField("resolution_hours"))?,
    })
}

fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(_) | Value::Unsigned(_) | Value::Float(_) | Value::Boolean(_) => None,
    }
}

/// A word of a closed list.
fn word<T: DeserializeOwned>(value: &Value<'_>, field: &'static str) -> Result<T, BadPoint> {
    let word = text(value).ok_or(BadPoint::Field(field))?;
    let deserializer: StrDeserializer<'_, serde::de::value::Error> = word.into_deserializer();
    T::deserialize(deserializer).map_err(|_| BadPoint::Field(field))
}

fn truth(value: &Value<'_>, field: &'static str) -> Result<bool, BadPoint> {
    match value {
        Value::Boolean(truth) => Ok(*truth),
        Value::Integer(_) | Value::Unsigned(_) | Value::Float(_) | Value::String(_) => {
            Err(BadPoint::Field(field))
        }
    }
}

/// A count; scripts that forget the `i` write a whole number without it.
fn natural(value: &Value<'_>, field: &'static str) -> Result<u32, BadPoint> {
    let natural = match value {
        Value::Integer(integer) => u32::try_from(*integer).ok(),
        Value::Unsigned(unsigned) => u32::try_from(*unsigned).ok(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        Value::Float(float) if float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(float) => {
            Some(*float as u32)
        }
        Value::Float(_) | Value::Boolean(_) | Value::String(_) => None,
    };
    natural.ok_or(BadPoint::Field(field))
}

fn number(value: &Value<'_>, field: &'static str) -> Result<f64, BadPoint> {
    match value {
        Value::Float(float) => Ok(*float),
        #[expect(clippy::cast_precision_loss, reason = "hours and probabilities are small")]
        Value::Integer(integer) => Ok(*integer as f64),
        #[expect(clippy::cast_precision_loss, reason = "hours and probabilities are small")]
        Value::Unsigned(unsigned) => Ok(*unsigned as f64),
        Value::Boolean(_) | Value::String(_) => Err(BadPoint::Field(field)),
    }
}
