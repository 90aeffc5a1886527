//! `training record-action` and `record-outcome`: for scripts that act by themselves (D6). Words of the closed lists only.

use super::capture::{SinkShown, standings, told};
use crate::{
    app::App,
    config::nearest,
    home::{Home, Inventory},
    host::{block_on, open_sinks, open_store},
    output::{Exit, Failure, clean},
};
use banksman_core::{
    id::Number,
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult, Training as _, training::Outlet as _},
    text::RepoName,
    training::{ActionTaken, MANUAL_POLICY, Measured, Outcome, Point, PolicyName, Reason, RepoTag, Series},
};
use clap::Args;
use serde::{
    Serialize,
    de::{DeserializeOwned, IntoDeserializer as _, value::StrDeserializer},
};

/// Record that a person or a script did something about a pull request.
#[derive(Debug, Args)]
pub(crate) struct ActionArgs {
    /// The repository, owner/name.
    repo: String,
    /// Number of the pull request.
    pull: u32,
    /// What was done: a word of the closed list.
    action: String,
    /// Why: a word of the closed list, `manual` where none fits.
    reason: String,
}

/// Record how a pull request ended.
#[derive(Debug, Args)]
pub(crate) struct OutcomeArgs {
    /// The repository, owner/name.
    repo: String,
    /// Number of the pull request.
    pull: u32,
    /// success, closed or escalated.
    result: String,
    /// merged_clean, merged_after_fixes, closed_unmerged or needs_intervention.
    detail: String,
    /// Hours from opening to the end.
    hours: f64,
}

/// What was recorded, for scripts.
#[derive(Serialize)]
struct Shown {
    recorded: Point,
    sinks: Vec<SinkShown>,
}

pub(super) fn action(args: &ActionArgs, app: &App) -> anyhow::Result<Exit> {
    let action: ActionKind = word("action", &args.action, ACTIONS)?;
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let reason = word("reason", &args.reason, &reasons)?;
    let policy = PolicyName::new(MANUAL_POLICY)?;
    let taken = ActionTaken { action, reason, policy, propensity: 1.0, eligible: Vec::new() };
    record(app, &args.repo, args.pull, Measured::Action(taken))
}

pub(super) fn outcome(args: &OutcomeArgs, app: &App) -> anyhow::Result<Exit> {
    let result: OutcomeResult = word("result", &args.result, &["success", "closed", "escalated"])?;
    let detail: OutcomeDetail = word("detail", &args.detail, DETAILS)?;
    if !args.hours.is_finite() || args.hours < 0.0 {
        return Err(Failure::usage("the hours have to be a number from 0", "such as 12.5"));
    }
    let outcome = Outcome { result, detail, resolution_hours: args.hours };
    record(app, &args.repo, args.pull, Measured::Outcome(outcome))
}

const ACTIONS: &[&str] = &[
    "resolve",
    "wait",
    "request_review_fix",
    "request_conflict_fix",
    "resolve_threads",
    "update_branch",
    "enable_auto_merge",
    "merge",
    "resolve_conflict",
    "escalate",
    "dispatch",
    "tick_parent",
    "close_child",
    "merge_epic",
];
const DETAILS: &[&str] = &["merged_clean", "merged_after_fixes", "closed_unmerged", "needs_intervention"];

fn record(app: &App, repo: &str, pull: u32, measured: Measured) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    let repo = match RepoName::new(repo) {
        Ok(repo) => repo,
        Err(_) => Inventory::read(&home.inventory())?.find(Some(repo))?.0,
    };
    let series = Series { repo: RepoTag::of(&repo), pull: Number(u64::from(pull)) };
    let point = Point { series, at: crate::clock::now(), measured };
    block_on(async {
        let store = open_store(&settings, &home).await?;
        store.record_points(vec![point.clone()]).await?;
        let sinks = open_sinks(&settings, &home)?;
        sinks.recorded(std::slice::from_ref(&point));
        let shown = Shown { recorded: point, sinks: standings(sinks.deliver_once().await?) };
        app.page.write(&shown, |shown| format!("{repo}#{pull}: recorded\n{}", told(&shown.sinks)))?;
        Ok(Exit::Success)
    })
}

/// A word of a closed list.
fn word<T: DeserializeOwned>(what: &str, given: &str, list: &[&str]) -> anyhow::Result<T> {
    let deserializer: StrDeserializer<'_, serde::de::value::Error> = given.into_deserializer();
    T::deserialize(deserializer).map_err(|_| {
        let help = match nearest(given, list.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("one of: {}", list.join(", ")),
        };
        Failure::usage(format!("there is no {what} {}", clean(given)), help)
    })
}
