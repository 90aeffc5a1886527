//! `training show`: the timeline of one pull request: what was seen, what was done about it, how it ended, and what its journal adds (D10).

use crate::{
    app::App,
    cli::subject::Subject,
    home::Home,
    host::block_on,
    output::{Cell, Exit, Failure, Table, clean, moment, style},
};
use banksman_core::{
    id::Number,
    journal::{Cycle, JournalEntry},
    port::Store as _,
    text::RepoName,
    training::{ActionTaken, Observation, Outcome, RepoTag, Series},
};
use banksman_learn::{Event, Flow, Flows};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

/// Show the timeline of one pull request.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The pull request: `acme/shop#288`, or its number where the store knows one repository.
    #[arg(value_name = "PR")]
    pull: Subject,
}

/// The timeline, for scripts.
#[derive(Serialize)]
struct Shown {
    repo: RepoName,
    pull: Number,
    entries: Vec<Entry>,
    journal: Option<JournalEntry>,
}

#[derive(Serialize)]
struct Entry {
    at: Timestamp,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
enum What {
    Observation(Observation),
    Action(ActionTaken),
    Outcome(Outcome),
}

pub(super) fn run(args: &ShowArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.config()?.settings;
    let home = Home::at(&settings.home);
    let named = Subject::repo(Some(&args.pull), None)?;
    let pull = args.pull.number;
    let found = block_on(async {
        let Some(store) = super::store_if_any(&settings, &home).await? else { return Ok(None) };
        let repo = match named {
            Some(name) => super::repo_named(name)?,
            None => match store.repos().await?.as_slice() {
                [only] => only.clone(),
                _ => {
                    return Err(Failure::usage(
                        "which repository is meant?",
                        "write it in front of the number: acme/shop#288",
                    ));
                }
            },
        };
        let tag = RepoTag::of(&repo);
        let flow = Flows::of(&store, Some(&tag), Some(pull)).next().await?;
        let journal = store.journal(&repo).await?.into_iter().find(|entry| entry.pull == Some(pull));
        let known = flow.is_some() || journal.is_some();
        let flow = flow.unwrap_or_else(|| Flow::empty(Series { repo: tag, pull }));
        Ok(known.then(|| Shown { repo, pull, entries: entries(&flow), journal }))
    })?;
    let Some(shown) = found else {
        return Err(Failure::new(
            format!("nothing is recorded of {}", clean(&args.pull.to_string())),
            "`banksman training capture` records what is open; `banksman training stats` tells how much there is",
        ));
    };
    app.page.write(&shown, text)?;
    Ok(Exit::Success)
}

fn entries(flow: &Flow) -> Vec<Entry> {
    let what = |event| match event {
        Event::Seen(seen) => What::Observation(seen.clone()),
        Event::Done(done) => What::Action(done.clone()),
        Event::Ended(ended) => What::Outcome(ended.clone()),
    };
    flow.events().into_iter().map(|(at, event)| Entry { at, what: what(event) }).collect()
}

fn text(shown: &Shown) -> String {
    let mut lines: Vec<(Timestamp, Cell, String)> = Vec::new();
    let mut before: Option<&Observation> = None;
    let mut same = 0;
    for entry in &shown.entries {
        match &entry.what {
            What::Observation(seen) => {
                match changes(before, seen) {
                    None => same += 1,
                    Some(what) => lines.push((entry.at, Cell::new("seen", style::DIM), what)),
                }
                before = Some(seen);
            }
            What::Action(done) => {
                let mut what = format!("{} ({}), by {}", done.action, done.reason, done.policy);
                if done.propensity < 1.0 {
                    what.push_str(&format!(", probability {:.2}", done.propensity));
                }
                lines.push((entry.at, Cell::new("done", style::BUSY), what));
            }
            What::Outcome(ended) => {
                let (result, hours) = (word(&ended.result), ended.resolution_hours);
                let what = format!("{result} ({}), {hours:.1} h after it was opened", word(&ended.detail));
                lines.push((entry.at, Cell::new("ended", style::GOOD), what));
            }
        }
    }
    if let Some(journal) = &shown.journal {
        lines.extend(
            told(journal).into_iter().map(|(at, what)| (at, Cell::new("journal", style::HEAD), what)),
        );
    }
    lines.sort_by_key(|(at, ..)| *at);
    let mut table = Table::new(&["when", "", "what"]);
    for (at, kind, what) in lines {
        table.row([moment(at).into(), kind, clean(&what).into()]);
    }
    let more = if same > 0 { format!("{same} more looks showed nothing new\n") } else { String::new() };
    format!("{}#{}\n{}{more}", shown.repo, shown.pull, table.text())
}

/// What an observation says that the one before did not; ages pass by themselves and do not count.
fn changes(before: Option<&Observation>, seen: &Observation) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    if before.is_none_or(|b| b.merge_state != seen.merge_state) {
        all.push(word(&seen.merge_state).to_lowercase());
    }
    let flags = |o: &Observation| {
        [("mergeable", o.mergeable), ("draft", o.is_draft), ("auto-merge", o.auto_merge_enabled)]
    };
    for (at, (name, yes)) in flags(seen).into_iter().enumerate() {
        if before.map_or(yes, |b| flags(b)[at].1 != yes) {
            all.push(if yes { name.to_owned() } else { format!("not {name}") });
        }
    }
    for (at, (name, count)) in seen.counts().into_iter().enumerate() {
        if !name.ends_with("_hours") && before.map_or(count > 0, |b| b.counts()[at].1 != count) {
            all.push(format!("{} {count}", name.replace('_', " ")));
        }
    }
    (before.is_none() || !all.is_empty()).then(|| all.join(", "))
}

/// The milestones that only the journal has.
fn told(journal: &JournalEntry) -> Vec<(Timestamp, String)> {
    let mut all: Vec<(Timestamp, String)> = Vec::new();
    let mut milestone = |at: Option<Timestamp>, what: String| all.extend(at.map(|at| (at, what)));
    milestone(journal.created_at, format!("child #{} was made", journal.child));
    let whom = journal.implementer.as_ref().map(|name| format!(" to {name}")).unwrap_or_default();
    milestone(journal.dispatched_at, format!("dispatched{whom}"));
    milestone(journal.opened_at, "opened".to_owned());
    milestone(journal.first_green_at, "all checks green for the first time".to_owned());
    milestone(journal.merged_at, "merged".to_owned());
    for commit in &journal.commits {
        milestone(Some(commit.at), format!("commit {}", short(commit.sha.as_str())));
    }
    for run in journal.ci_runs.iter().filter(|run| run.was_red()) {
        let names: Vec<&str> = run.failed.iter().map(|name| name.as_str()).collect();
        milestone(run.at, format!("red checks on {}: {}", short(run.sha.as_str()), names.join(", ")));
    }
    for (kind, cycles) in [("reviews", &journal.review_cycles), ("the conflict", &journal.conflict_cycles)] {
        for Cycle { sent_at, thread_count, response, responded_at, resolved_at, .. } in cycles {
            let threads = if *thread_count > 0 { format!(", {thread_count} threads") } else { String::new() };
            milestone(Some(*sent_at), format!("asked about {kind}{threads}"));
            let answer = response.as_ref().map(|sha| format!("answered by {}", short(sha.as_str())));
            milestone(*responded_at, answer.unwrap_or_default());
            milestone(*resolved_at, format!("{kind} settled"));
        }
    }
    all
}

fn short(sha: &str) -> &str {
    &sha[..sha.len().min(10)]
}

/// The word of a closed list as it is written in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
