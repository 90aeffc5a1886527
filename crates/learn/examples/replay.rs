//! Replays real pull requests into a store: observations, actions, outcomes and journals through the ports that everybody uses. The files
//! are two of JSON lines, pull requests and their events, as the AIDev data have them without text; they are no part of this repository.
//!
//!     cargo run --release -p banksman-learn --example replay -- STORE.db PULLS.jsonl EVENTS.jsonl
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::{
    id::Number,
    journal::{Automation, CiConclusion, CiRun, Commit, Cycle, JOURNAL_SCHEMA, JournalEntry, Origin, Totals},
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult, Store as _, Training as _},
    say::Instruction,
    signals::MergeState,
    text::{Holder, Login, RepoName, Sha},
    training::{
        ActionTaken, MANUAL_POLICY, Measured, Observation, Outcome, Point, PolicyName, Reason, RepoTag,
        Series,
    },
};
use banksman_store::SqliteStore;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

/// A pull request; only what is used of it. `type` and `lang` are left where they are.
#[derive(Deserialize)]
struct Pull {
    agent: String,
    pr: String,
    repo: String,
    created_at: Timestamp,
    outcome: End,
    hours_to_close: Option<f64>,
    base_merge_commits: u64,
    ci_fix_commits: u64,
    review_fix_rounds: Option<u64>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum End {
    Merged,
    Closed,
    Open,
}

/// Something that happened to it.
#[derive(Deserialize)]
struct Event {
    pr: String,
    i: u64,
    t_h: Option<f64>,
    event: String,
    role: String,
}

/// One pull request with its place in our numbers.
struct Told {
    pull: Pull,
    repo: RepoName,
    number: Number,
    events: Vec<Event>,
}

/// Points written at once.
const BATCH: usize = 5_000;

#[tokio::main]
async fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let store = SqliteStore::open(Path::new(&args[0])).unwrap();
    let all = read(Path::new(&args[1]), Path::new(&args[2]));
    let points: Vec<Point> = all.iter().flat_map(points).collect();
    for batch in points.chunks(BATCH) {
        store.record_points(batch.to_vec()).await.unwrap();
    }
    let mut repos: BTreeMap<&RepoName, Vec<&Told>> = BTreeMap::new();
    for told in all.iter().filter(|told| told.pull.outcome != End::Open) {
        repos.entry(&told.repo).or_default().push(told);
    }
    let holder = Holder::new("replay").unwrap();
    let write = |(repo, pulls): (&RepoName, Vec<&Told>)| {
        let (store, holder, repo) = (store.clone(), holder.clone(), repo.clone());
        let entries: Vec<JournalEntry> = pulls.into_iter().map(journal).collect();
        async move {
            let now = Timestamp::from_second(1_780_000_000).unwrap();
            let lease = store.lease(&repo, &holder, now, 3_600_000).await.unwrap().unwrap();
            for entry in entries {
                store.write_journal(&lease, &entry).await.unwrap();
            }
        }
    };
    stream::iter(repos.into_iter().map(write)).buffer_unordered(64).collect::<Vec<()>>().await;
    let counts = store.point_counts().await.unwrap();
    println!(
        "{{\"observations\": {}, \"actions\": {}, \"outcomes\": {}}}",
        counts.observations, counts.actions, counts.outcomes
    );
}

fn lines<T: for<'d> Deserialize<'d>>(path: &Path) -> impl Iterator<Item = T> {
    BufReader::new(File::open(path).unwrap())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// All pull requests; their numbers count from 1 in each repository, by the time of opening and then by id.
fn read(pulls: &Path, events: &Path) -> Vec<Told> {
    let mut of: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in lines::<Event>(events) {
        of.entry(event.pr.clone()).or_default().push(event);
    }
    let mut pulls: Vec<Pull> = lines(pulls).collect();
    pulls.sort_by(|a, b| (&a.repo, a.created_at, &a.pr).cmp(&(&b.repo, b.created_at, &b.pr)));
    let mut last: (String, u64) = (String::new(), 0);
    let mut told = Vec::new();
    for pull in pulls {
        last = if last.0 == pull.repo { (last.0, last.1 + 1) } else { (pull.repo.clone(), 1) };
        let mut events = of.remove(&pull.pr).unwrap_or_default();
        events.sort_by_key(|event| event.i);
        let repo = RepoName::new(&format!("aidev/{}", pull.repo)).unwrap();
        told.push(Told { pull, repo, number: Number(last.1), events });
    }
    told
}

/// When an event was: hours after the opening where the data say so; its position keeps apart what was at one moment.
fn when(told: &Told, event: &Event) -> Timestamp {
    let nanos = (event.t_h.unwrap_or(0.0) * 3.6e12) as i64 + event.i as i64 + 1;
    told.pull.created_at + SignedDuration::from_nanos(nanos)
}

/// A look at the opening and after each event; what people and agents did as actions; the end.
fn points(told: &Told) -> Vec<Point> {
    let series = Series { repo: RepoTag::of(&told.repo), pull: told.number };
    let point = |at, measured| Point { series: series.clone(), at, measured };
    let mut seen = Observation {
        author: Login::new(&told.pull.agent).unwrap(),
        merge_state: MergeState::Unknown,
        mergeable: true,
        is_draft: told.events.iter().any(|e| e.event == "ready_for_review"),
        auto_merge_enabled: false,
        checks_total: 0,
        checks_passing: 0,
        checks_failing: 0,
        reviews_approved: 0,
        reviews_changes_requested: 0,
        threads_total: 0,
        threads_unresolved: 0,
        pr_age_hours: 0,
        last_push_hours: 0,
        last_activity_hours: 0,
        conflict_attempts: 0,
        review_fix_attempts: 0,
    };
    let mut all = vec![point(told.pull.created_at, Measured::Observation(seen.clone()))];
    for event in &told.events {
        let mut action = None;
        match event.event.as_str() {
            "ready_for_review" => seen.is_draft = false,
            "convert_to_draft" => seen.is_draft = true,
            "reviewed" if event.role == "other" => seen.threads_total += 1,
            "auto_merge_enabled" | "auto_squash_enabled" | "auto_rebase_enabled" => {
                seen.auto_merge_enabled = true;
                action = Some(ActionKind::EnableAutoMerge);
            }
            "auto_merge_disabled" => seen.auto_merge_enabled = false,
            "review_requested" => action = Some(ActionKind::RequestReviewFix),
            "merged" => action = Some(ActionKind::Merge),
            "closed" => action = Some(ActionKind::Resolve),
            _ => {}
        }
        seen.pr_age_hours = event.t_h.unwrap_or(0.0) as u32;
        let at = when(told, event);
        all.push(point(at, Measured::Observation(seen.clone())));
        if let Some(action) = action {
            let policy = PolicyName::new(MANUAL_POLICY).unwrap();
            all.push(point(at, Measured::Action(ActionTaken::certain(action, Reason::Manual, policy, &[]))));
        }
    }
    if let Some((outcome, at)) = end(told) {
        all.push(point(at, Measured::Outcome(outcome)));
    }
    all
}

fn end(told: &Told) -> Option<(Outcome, Timestamp)> {
    let pull = &told.pull;
    let hours = pull.hours_to_close.unwrap_or_default();
    let (result, detail) = match pull.outcome {
        End::Open => return None,
        End::Closed => (OutcomeResult::Closed, OutcomeDetail::ClosedUnmerged),
        End::Merged if pull.review_fix_rounds.unwrap_or(0) + pull.base_merge_commits == 0 => {
            (OutcomeResult::Success, OutcomeDetail::MergedClean)
        }
        End::Merged => (OutcomeResult::Success, OutcomeDetail::MergedAfterFixes),
    };
    let at = pull.created_at + SignedDuration::from_nanos((hours * 3.6e12) as i64);
    Some((Outcome { result, detail, resolution_hours: hours }, at))
}

/// The journal of one that ended. The data have no commit ids: each gets one of its pull request and position.
fn journal(told: &Told) -> JournalEntry {
    let pull = &told.pull;
    let (outcome, ended) = end(told).unwrap();
    let opened = pull.created_at;
    let sha = |n: u64| Sha::new(&format!("{}{n:028x}", pull.pr)).unwrap();
    let pushed = |event: &&Event| matches!(event.event.as_str(), "committed" | "head_ref_force_pushed");
    let commits: Vec<Commit> =
        told.events.iter().filter(pushed).map(|e| Commit { sha: sha(e.i), at: when(told, e) }).collect();
    let cycle = |instruction| Cycle {
        threads: Vec::new(),
        thread_count: 0,
        instruction,
        sent_at: opened,
        response: None,
        responded_at: None,
        resolved_at: None,
    };
    let red = |n| CiRun {
        sha: sha(1_000 + n),
        conclusion: CiConclusion::Failure,
        at: None,
        failed: Vec::new(),
        failed_unlisted: 1,
    };
    let merged = outcome.result == OutcomeResult::Success;
    let mut entry = JournalEntry {
        schema: JOURNAL_SCHEMA,
        repo: told.repo.clone(),
        epic: None,
        child: Number(told.number.0 + 1_000_000),
        pull: Some(told.number),
        created_at: None,
        dispatched_at: None,
        opened_at: Some(opened),
        first_green_at: None,
        merged_at: merged.then_some(ended),
        commits,
        review_cycles: (0..pull.review_fix_rounds.unwrap_or(0))
            .map(|_| cycle(Instruction::FixReviews))
            .collect(),
        conflict_cycles: (0..pull.base_merge_commits).map(|_| cycle(Instruction::FixConflict)).collect(),
        ci_runs: (0..pull.ci_fix_commits).map(red).collect(),
        automations: merged
            .then_some(Automation { action: ActionKind::Merge, at: ended, count: 1 })
            .into_iter()
            .collect(),
        implementer: None,
        login: Login::new(&pull.agent).ok(),
        model: None,
        provider: None,
        additions: 0,
        deletions: 0,
        changed_files: 0,
        labels: Vec::new(),
        origin: Origin::default(),
        result: outcome.result,
        detail: outcome.detail,
        totals: Totals::default(),
        duration_seconds: ended.duration_since(opened).as_secs(),
        at: ended,
    };
    entry.totals = entry.sums();
    entry
}
