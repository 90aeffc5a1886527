//! Events in words: numbers, closed words and validated names only, so that nothing of a stranger is ever in a line.

use crate::output::moment;
use banksman_core::{
    budget::Held,
    event::{Event, What},
    id::Number,
    job::{Outcome, Stage, Why},
    work::{SandboxLevel, Task, Verdict},
};
use jiff::tz::TimeZone;

/// One line for a pipe: time, repository, words.
pub(super) fn line(event: &Event) -> String {
    let time = event.at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S%.3f").to_string();
    match &event.repo {
        Some(repo) => format!("{time} {repo} {}\n", sentence(&event.what)),
        None => format!("{time} {}\n", sentence(&event.what)),
    }
}

/// Why the budget holds a dispatch back, and until when.
pub(super) fn held_words(held: Held) -> String {
    match held {
        Held::Pool { until } => format!("the quota is used up until {}", moment(until)),
        Held::NoQuota => "nobody in team.toml has a quota for the implementer".to_owned(),
        Held::Plan { until } => format!("the plan of the day gives no more until {}", moment(until)),
    }
}

/// What happened, in words.
pub(super) fn sentence(what: &What) -> String {
    match what {
        What::IssueCreated { issue } => format!("issue #{issue} created"),
        What::EpicCreated { epic, branch, children } => {
            format!("epic #{epic} created with {children} children on {branch}")
        }
        What::Dispatched { epic, child, implementer } => {
            format!("child #{child} of epic #{epic} dispatched to {implementer}")
        }
        What::ApprovalNeeded { child } => format!("child #{child} needs approval"),
        What::OverCap { child } => format!("child #{child} waits: the daily cap is reached"),
        What::OverBudget { child, held } => format!("child #{child} is held back: {}", held_words(*held)),
        What::AttemptStarted { attempt, engine, task } => {
            format!("attempt {attempt}: {engine} starts to {}", task_words(task))
        }
        What::AttemptEnded { attempt, engine, outcome, sandbox, .. } => {
            let kept = match sandbox {
                Some(level) => format!(" (sandbox: {})", sandbox_words(*level)),
                None => String::new(),
            };
            format!("attempt {attempt}: {engine} {}{kept}", outcome_words(outcome))
        }
        What::AttemptFailed { attempt, engine, reason, last, .. } => {
            let then = if *last { "given up" } else { "tried again" };
            format!("attempt {attempt}: {engine} failed, {}; {then}", reason.describe())
        }
        What::JobMoved { job, name, engine, to, why, .. } => match engine {
            Some(engine) => format!("job {job} {name}: {} ({engine})", moved(*to, *why)),
            None => format!("job {job} {name}: {}", moved(*to, *why)),
        },
        What::CoolingDown { engine, until } => {
            format!("{engine} rests until {}: its quota is used up", until.strftime("%Y-%m-%d %H:%M UTC"))
        }
        What::Echoed { job, stage } => format!("job {job}: its tracker item was told {}", stage.as_str()),
        What::PullOpened { pull, child } => format!("pull request #{pull} opened for child #{child}"),
        What::Decided { pull, row, action, wait } => match wait {
            Some(reason) => format!("pull request #{pull}: wait, {} (row {row})", reason.describe()),
            None => format!("pull request #{pull}: {action} (row {row})"),
        },
        What::Acted { subject, action } => format!("#{subject}: {action} done"),
        What::Refused { subject, action, reason } => {
            format!("#{subject}: {action} refused, {}", reason.describe())
        }
        What::Merged { pull, commit } => {
            format!("pull request #{pull} merged as {}", &commit.as_str()[..10.min(commit.as_str().len())])
        }
        What::Ticked { epic, children } => format!("epic #{epic}: ticked {}", numbers(children)),
        What::Escalated { subject, reason } => format!("#{subject} needs a person: {}", reason.describe()),
        What::Journaled { epic: Some(epic), child } => format!("child #{child} of epic #{epic} journaled"),
        What::Journaled { epic: None, child } => format!("child #{child} journaled"),
        What::EpicPullOpened { epic, pull } => format!("epic #{epic}: pull request #{pull} opened"),
        What::EpicClosed { epic } => format!("epic #{epic} closed"),
        What::Recovered { intents } => format!("settled {intents} steps that an earlier process left open"),
    }
}

/// A list of numbers as people write it.
pub(crate) fn numbers(list: &[Number]) -> String {
    list.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" ")
}

/// A task in words that follow "starts to" or "is to".
pub(super) fn task_words(task: &Task) -> String {
    match task {
        Task::Implement { child, .. } => format!("implement #{child}"),
        Task::FixReviews { pull, round } => format!("answer the reviews of #{pull} (round {round})"),
        Task::FixConflict { pull, round } => format!("remove the conflict of #{pull} (round {round})"),
        Task::FixChecks { pull, round, .. } => format!("mend the checks of #{pull} (round {round})"),
        Task::ResolveConflict { pull } => format!("resolve the conflict of #{pull}"),
        Task::Review { pull, .. } => format!("review #{pull}"),
    }
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Published { branch, .. } => format!("published {branch}"),
        Outcome::Reviewed { verdict: Verdict::Approve } => "approved".to_owned(),
        Outcome::Reviewed { verdict: Verdict::Changes } => "asked for changes".to_owned(),
        Outcome::Ran => "ended".to_owned(),
    }
}

/// Why a job moved, in words.
pub(crate) fn why_words(why: Why) -> String {
    match why {
        Why::Added => "added".to_owned(),
        Why::Claimed => "claimed".to_owned(),
        Why::Passed => "passed".to_owned(),
        Why::Changes => "the reviewer wants changes".to_owned(),
        Why::Refuted => "verify failed".to_owned(),
        Why::Retried(reason) => format!("tried again: {}", reason.describe()),
        Why::Limited => "the engine's quota is used up".to_owned(),
        Why::Lost => "its worker was lost".to_owned(),
        Why::Interrupted => "its worker was stopped".to_owned(),
        Why::Failed(reason) => reason.describe().to_owned(),
        Why::Cancelled => "cancelled".to_owned(),
    }
}

fn moved(stage: Stage, why: Why) -> String {
    match (stage, why) {
        (_, Why::Passed | Why::Cancelled) => stage.as_str().to_owned(),
        _ => format!("{}, {}", stage.as_str(), why_words(why)),
    }
}

/// A sandbox level in words.
pub(crate) fn sandbox_words(level: SandboxLevel) -> &'static str {
    match level {
        SandboxLevel::Off => "none",
        SandboxLevel::Landlock => "level 1, Landlock",
        SandboxLevel::Bubblewrap => "level 2, bubblewrap",
    }
}
