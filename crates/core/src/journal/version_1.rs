//! Lines of the first version, read for as long as there are any: each field has its place in the second.

use super::{CiConclusion, CiRun, Commit, Cycle, JOURNAL_SCHEMA, JournalEntry, Origin, Totals};
use crate::{
    id::{Number, ThreadId},
    port::{OutcomeDetail, OutcomeResult},
    say::Instruction,
    text::{CheckName, EngineName, Label, Login, RepoName, Sha},
};
use jiff::Timestamp;
use serde::Deserialize;

/// A line of the first version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry1 {
    #[serde(rename = "schema")]
    _schema: u32,
    repo: RepoName,
    epic: Option<Number>,
    child: Number,
    pull: Option<Number>,
    dispatched_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
    first_green_at: Option<Timestamp>,
    merged_at: Option<Timestamp>,
    heads: Vec<Commit>,
    review_cycles: Vec<Cycle1>,
    conflict_cycles: Vec<Cycle1>,
    ci_failures: Vec<CiRun1>,
    automations: Vec<super::Automation>,
    implementer: Option<EngineName>,
    login: Option<Login>,
    additions: u64,
    deletions: u64,
    changed_files: u64,
    labels: Vec<Label>,
    result: OutcomeResult,
    detail: OutcomeDetail,
    duration_seconds: i64,
    at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle1 {
    threads: Vec<ThreadId>,
    sent_at: Timestamp,
    response: Option<Sha>,
    responded_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CiRun1 {
    sha: Sha,
    failed: Vec<CheckName>,
}

impl From<Entry1> for JournalEntry {
    fn from(old: Entry1) -> Self {
        let cycle = |instruction| {
            move |c: Cycle1| Cycle {
                thread_count: c.threads.len() as u64,
                threads: c.threads,
                instruction,
                sent_at: c.sent_at,
                response: c.response,
                responded_at: c.responded_at,
                resolved_at: None,
            }
        };
        // The first version listed red commits only.
        let run = |r: CiRun1| CiRun {
            sha: r.sha,
            conclusion: CiConclusion::Failure,
            at: None,
            failed: r.failed,
            failed_unlisted: 0,
        };
        let mut entry = Self {
            schema: JOURNAL_SCHEMA,
            repo: old.repo,
            epic: old.epic,
            child: old.child,
            pull: old.pull,
            created_at: None,
            dispatched_at: old.dispatched_at,
            opened_at: old.opened_at,
            first_green_at: old.first_green_at,
            merged_at: old.merged_at,
            commits: old.heads,
            review_cycles: old.review_cycles.into_iter().map(cycle(Instruction::FixReviews)).collect(),
            conflict_cycles: old.conflict_cycles.into_iter().map(cycle(Instruction::FixConflict)).collect(),
            ci_runs: old.ci_failures.into_iter().map(run).collect(),
            automations: old.automations,
            implementer: old.implementer,
            login: old.login,
            model: None,
            provider: None,
            additions: old.additions,
            deletions: old.deletions,
            changed_files: old.changed_files,
            origin: Origin::of_labels(&old.labels),
            labels: old.labels,
            result: old.result,
            detail: old.detail,
            totals: Totals::default(),
            duration_seconds: old.duration_seconds,
            at: old.at,
        };
        entry.totals = entry.sums();
        entry
    }
}
