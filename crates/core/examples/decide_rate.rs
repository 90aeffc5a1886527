//! Measures `policy::decide`: nanoseconds per call, median and spread, over cases that end in every row of the table. Run with
//! `cargo run --release -p banksman-core --example decide_rate`; exits 1 when the median is over the target.

use banksman_core::{
    id::{ActorId, Number, ThreadId},
    policy::{History, Limits, Reply, Request, Requests, Resolution, decide},
    signals::{AutoMerge, Check, CheckState, MergeState, Mergeable, PullState, Reviews, Signals, Thread},
    text::{BadText, BranchName, CheckName, Login, Sha},
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, hint::black_box, process::ExitCode, time::Instant};

/// Target of the issue: under a microsecond a call.
const TARGET_NS: f64 = 1000.0;
/// Measurements that the median is taken of.
const SAMPLES: usize = 301;
/// Passes over all cases in one measurement.
const PASSES: usize = 200;

fn main() -> Result<ExitCode, BadText> {
    let cases = cases()?;
    let limits = Limits::default();
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1000);
    let rows: BTreeSet<u8> = cases.iter().map(|(s, h)| decide(s, h, &limits, now).row).collect();

    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..PASSES {
                for (signals, history) in &cases {
                    black_box(decide(black_box(signals), black_box(history), &limits, now));
                }
            }
            let calls = u32::try_from(PASSES * cases.len()).unwrap_or(u32::MAX);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let at = |percent: usize| samples[(SAMPLES - 1) * percent / 100];
    println!(
        "decide: median {:.0} ns, p5 {:.0} ns, p95 {:.0} ns a call ({} cases, {} of 16 rows, {SAMPLES} samples); target {TARGET_NS:.0} ns",
        at(50),
        at(5),
        at(95),
        cases.len(),
        rows.len(),
    );
    Ok(if at(50) < TARGET_NS && rows.len() == 16 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Pull requests of the size that occurs: 6 checks, 8 threads, one for each row and then some.
fn cases() -> Result<Vec<(Signals, History)>, BadText> {
    let epoch = Timestamp::UNIX_EPOCH;
    let hours = |h: i64| epoch + SignedDuration::from_hours(h);
    let check = |name: usize| {
        Ok(Check { name: CheckName::new(&format!("check {name}"))?, state: CheckState::Passing })
    };
    let thread = |id: u64| Thread { id: ThreadId(id), created_at: hours(990), resolved: true };
    let ready = Signals {
        number: Number(7),
        state: PullState::Open,
        is_draft: false,
        merge_state: MergeState::Clean,
        mergeable: Mergeable::Mergeable,
        head: Sha::new(&"a".repeat(40))?,
        head_at: hours(995),
        base: BranchName::new("epic/1-security")?,
        head_branch: BranchName::new("child/3")?,
        author: ActorId(2),
        author_login: Login::new("claude")?,
        checks: (0..6).map(check).collect::<Result<_, BadText>>()?,
        reviews: Reviews { approved: 1, changes_requested: 0, required: 1 },
        threads: (0..8).map(thread).collect(),
        auto_merge: AutoMerge::NotOffered,
        additions: 1,
        deletions: 1,
        changed_files: 1,
        created_at: hours(980),
        updated_at: hours(999),
        closes: vec![Number(3)],
    };
    let request =
        |count, at| Requests { count, last: Some(Request { at: hours(at), reply: Reply::Unknown }) };
    let working = Requests { count: 1, last: Some(Request { at: hours(996), reply: Reply::Working }) };
    let history = History { implementer_head_at: Some(hours(995)), ..History::default() };
    let threads = |open: usize| {
        let mut threads = ready.threads.clone();
        threads.iter_mut().take(open).for_each(|t| t.resolved = false);
        threads
    };
    let with = |change: &dyn Fn(&mut Signals, &mut History)| {
        let (mut signals, mut history) = (ready.clone(), history.clone());
        change(&mut signals, &mut history);
        (signals, history)
    };
    Ok(vec![
        with(&|s, _| s.state = PullState::Closed { at: hours(999) }),
        with(&|s, _| s.is_draft = true),
        with(&|s, h| h.escalated = Some(s.mark())),
        with(&|s, h| (s.threads, h.review) = (threads(3), request(1, 994))),
        with(&|s, _| s.threads = threads(2)),
        with(&|s, h| (s.threads, h.review) = (threads(2), working)),
        with(&|s, h| (s.threads, h.review) = (threads(2), request(2, 996))),
        with(&|s, _| s.mergeable = Mergeable::Conflicting),
        with(&|s, h| (s.mergeable, h.conflict) = (Mergeable::Conflicting, working)),
        with(&|s, h| (s.mergeable, h.conflict) = (Mergeable::Conflicting, request(2, 996))),
        with(&|s, h| (s.mergeable, h.resolution) = (Mergeable::Conflicting, Resolution::Ended)),
        with(&|s, _| s.merge_state = MergeState::Behind),
        with(&|s, _| s.auto_merge = AutoMerge::Off),
        with(&|s, _| s.checks[3].state = CheckState::Failing),
        with(&|s, _| s.checks[5].state = CheckState::Pending),
        with(&|_, _| {}),
        with(&|s, _| s.reviews.approved = 0),
        with(&|s, _| s.checks.clear()),
    ])
}
