//! Checks of a pull request's head as GraphQL sees them: check runs of one app, Banksman's own.

use super::{
    commit::Commit,
    pull::Pull,
    records::{actor, plain, time},
    thing::{Out, Thing},
};
use crate::{
    caller::Caller,
    node::Node,
    problem::Problem,
    shape::checks::{APP, check_id},
};
use banksman_core::{
    port::book::{CheckLog, StatusRecord, StatusWord},
    signals::{Check, CheckState},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// All checks of a head.
pub(super) struct Rollup {
    pull: Arc<Pull>,
    logs: Vec<CheckLog>,
    /// The last one about each matter.
    statuses: Vec<StatusRecord>,
}

impl Rollup {
    /// Of a pull request; `None`: it has none.
    pub(super) async fn of(caller: &Caller, pull: &Arc<Pull>) -> Result<Option<Thing>, Problem> {
        let (at, signals) = (caller.at(&pull.spot), &pull.summary.signals);
        let mut statuses = caller.front.statuses(&at, signals.head.clone()).await?;
        let mut seen = BTreeSet::new();
        statuses.retain(|status| seen.insert(status.context.clone()));
        if signals.checks.is_empty() && statuses.is_empty() {
            return Ok(None);
        }
        let logs = match signals.checks.is_empty() {
            true => Vec::new(),
            false => caller.front.checks(&at, pull.number()).await?,
        };
        Ok(Some(Thing::Rollup(Arc::new(Self { pull: Arc::clone(pull), logs, statuses }))))
    }

    fn checks(&self) -> &[Check] {
        &self.pull.summary.signals.checks
    }

    fn state(&self) -> &'static str {
        let any = |state, words: &[StatusWord]| {
            self.checks().iter().any(|check| check.state == state)
                || self.statuses.iter().any(|status| words.contains(&status.state))
        };
        if any(CheckState::Failing, &[StatusWord::Error, StatusWord::Failure]) {
            "FAILURE"
        } else if any(CheckState::Pending, &[StatusWord::Pending]) {
            "PENDING"
        } else {
            "SUCCESS"
        }
    }

    /// Answers a field.
    pub(super) fn field(self: &Arc<Self>, caller: &Arc<Caller>, name: &str) -> Out {
        let signals = &self.pull.summary.signals;
        match name {
            "id" => format!("SCR_{}", Node::CheckSuite(signals.head.clone()).id(&self.pull.spot.full_name()))
                .into(),
            "state" => self.state().into(),
            "commit" => Out::One(Commit::thing(&self.pull.spot, signals.head.clone())),
            "contexts" => {
                let mut all: Vec<Thing> =
                    (0..self.checks().len()).filter_map(|at| self.run(caller, at)).collect();
                all.extend(self.statuses.iter().map(|status| said(caller, status)));
                let count = |word| self.statuses.iter().filter(|status| status.state == word).count();
                let words =
                    [StatusWord::Error, StatusWord::Failure, StatusWord::Pending, StatusWord::Success];
                let counted = words.map(|word| json!({ "state": upper(word), "count": count(word) }));
                let counted = Value::Array(counted.into_iter().filter(|entry| entry["count"] != 0).collect());
                let more = vec![
                    ("checkRunCount", self.checks().len().into()),
                    ("checkRunCountsByState", self.counts().into()),
                    ("statusContextCount", self.statuses.len().into()),
                    ("statusContextCountsByState", counted.into()),
                ];
                Out::Counted(all, more)
            }
            _ => Out::Unknown,
        }
    }

    fn counts(&self) -> Value {
        let count = |state| self.checks().iter().filter(|check| check.state == state).count();
        let all = [
            ("SUCCESS", CheckState::Passing),
            ("FAILURE", CheckState::Failing),
            ("QUEUED", CheckState::Pending),
        ];
        let counted = all.map(|(word, state)| json!({ "state": word, "count": count(state) }));
        Value::Array(counted.into_iter().filter(|entry| entry["count"] != 0).collect())
    }

    /// One check run.
    fn run(&self, caller: &Caller, at: usize) -> Option<Thing> {
        let (spot, signals) = (&self.pull.spot, &self.pull.summary.signals);
        let check = self.checks().get(at)?;
        let log = self.logs.iter().find(|log| log.name == check.name && check.state != CheckState::Pending);
        let (status, conclusion) = words(check.state);
        let ended = log.map_or(Out::Null, |log| time(log.at).into());
        let url =
            format!("{}/checks?check_run_id={}", self.pull.url(caller), check_id(spot, signals.number, at));
        let suite = Thing::bundle(
            "CheckSuite",
            vec![
                ("id", Node::CheckSuite(signals.head.clone()).id(&spot.full_name()).into()),
                ("databaseId", spot.wide(signals.number.0).into()),
                ("app", app(caller).into()),
                ("createdAt", time(signals.head_at).into()),
                ("updatedAt", time(log.map_or(signals.head_at, |log| log.at)).into()),
                ("commit", Out::One(Commit::thing(spot, signals.head.clone()))),
                ("status", status.into()),
                ("conclusion", conclusion.map_or(Out::Null, Out::from)),
            ],
        );
        Some(Thing::bundle(
            "CheckRun",
            vec![
                ("id", Node::CheckRun(signals.number, at as u64).id(&spot.full_name()).into()),
                ("databaseId", check_id(spot, signals.number, at).into()),
                ("name", check.name.as_str().into()),
                ("status", status.into()),
                ("conclusion", conclusion.map_or(Out::Null, Out::from)),
                // Nobody writes down when a run began.
                ("startedAt", ended.clone()),
                ("completedAt", ended),
                ("detailsUrl", url.clone().into()),
                ("url", url.into()),
                ("title", check.name.as_str().into()),
                ("summary", Out::Null),
                ("text", log.map_or(Out::Null, |log| plain(&log.log).into())),
                ("isRequired", true.into()),
                ("checkSuite", Out::One(suite)),
            ],
        ))
    }
}

/// GraphQL's word for what a status says.
fn upper(word: StatusWord) -> &'static str {
    match word {
        StatusWord::Error => "ERROR",
        StatusWord::Failure => "FAILURE",
        StatusWord::Pending => "PENDING",
        StatusWord::Success => "SUCCESS",
    }
}

/// A commit status.
fn said(caller: &Caller, status: &StatusRecord) -> Thing {
    let target = plain(&status.target);
    Thing::bundle(
        "StatusContext",
        vec![
            ("id", format!("SC_{}", status.id).into()),
            ("context", status.context.as_str().into()),
            ("state", upper(status.state).into()),
            ("description", plain(&status.description).into()),
            ("targetUrl", if target.is_empty() { Out::Null } else { target.into() }),
            ("createdAt", time(status.at).into()),
            ("creator", actor(caller, &status.creator).into()),
            ("isRequired", false.into()),
        ],
    )
}

/// GitHub's words for how a check stands.
fn words(state: CheckState) -> (&'static str, Option<&'static str>) {
    match state {
        CheckState::Pending => ("QUEUED", None),
        CheckState::Passing => ("COMPLETED", Some("SUCCESS")),
        CheckState::Failing => ("COMPLETED", Some("FAILURE")),
    }
}

/// The app that makes the checks.
fn app(caller: &Caller) -> Value {
    json!({
        "id": format!("A_{APP}"),
        "databaseId": APP,
        "name": "Banksman",
        "slug": "banksman",
        "url": format!("{}/apps/banksman", caller.links.html),
    })
}
