//! Fills a store with observations for the measurement of exports: a thousandth of them pull requests, each with a decision in ten looks and an
//! end.
//!
//!     cargo run --release -p banksman-learn --example fill -- STORE.db OBSERVATIONS
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::{
    id::Number,
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult, Training as _},
    signals::MergeState,
    text::{Login, RepoName},
    training::{ActionTaken, Measured, Observation, Outcome, Point, PolicyName, Reason, RepoTag, Series},
};
use banksman_store::SqliteStore;
use jiff::{SignedDuration, Timestamp};
use std::{env, path::Path};

/// Looks at a pull request.
const LOOKS: u64 = 1_000;
/// Repositories.
const REPOS: u64 = 20;

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let (path, observations): (String, u64) = (args.next().unwrap(), args.next().unwrap().parse().unwrap());
    let store = SqliteStore::open(Path::new(&path)).unwrap();
    for pull in 0..observations.div_ceil(LOOKS) {
        store.record_points(flow(pull, LOOKS.min(observations - pull * LOOKS))).await.unwrap();
    }
    println!("{}", serde_json::to_string(&store.point_counts().await.unwrap().observations).unwrap());
}

fn flow(pull: u64, looks: u64) -> Vec<Point> {
    let repo = RepoName::new(&format!("acme/shop-{}", pull % REPOS)).unwrap();
    let series = Series { repo: RepoTag::of(&repo), pull: Number(pull / REPOS + 1) };
    let author = Login::new(["octo[bot]", "devin", "cursor"][(pull % 3) as usize]).unwrap();
    let begun = Timestamp::from_second(1_750_000_000 + pull as i64 * 600).unwrap();
    let point = |minutes: u64, measured| Point {
        series: series.clone(),
        at: begun + SignedDuration::from_mins(minutes as i64),
        measured,
    };
    let mut all = Vec::new();
    for look in 0..looks {
        // Numbers that vary as real ones do: most stay for some looks, ages grow.
        let (phase, hours) = ((look / 37 + pull) % 8, (look / 60) as u32);
        all.push(point(
            look,
            Measured::Observation(Observation {
                author: author.clone(),
                merge_state: [MergeState::Clean, MergeState::Blocked, MergeState::Behind, MergeState::Dirty]
                    [(phase % 4) as usize],
                mergeable: phase % 4 != 3,
                is_draft: look < 20,
                auto_merge_enabled: phase == 7,
                checks_total: 12,
                checks_passing: (look % 13) as u32,
                checks_failing: u32::from(phase == 2),
                reviews_approved: u32::from(phase > 4),
                reviews_changes_requested: u32::from(phase == 3),
                threads_total: (look / 50) as u32,
                threads_unresolved: (look / 50 % 4) as u32,
                pr_age_hours: hours,
                last_push_hours: hours % 9,
                last_activity_hours: hours % 3,
                conflict_attempts: u32::from(phase == 3),
                review_fix_attempts: (look / 300) as u32,
            }),
        ));
        if look.is_multiple_of(10) {
            let action = if phase == 3 { ActionKind::RequestReviewFix } else { ActionKind::Wait };
            let policy = PolicyName::new("rules-1").unwrap();
            let eligible = [ActionKind::Wait, ActionKind::RequestReviewFix, ActionKind::Escalate];
            let taken = ActionTaken::certain(action, Reason::ChecksPending, policy, &eligible);
            all.push(point(look, Measured::Action(taken)));
        }
    }
    all.push(point(
        looks,
        Measured::Outcome(Outcome {
            result: if pull.is_multiple_of(3) { OutcomeResult::Closed } else { OutcomeResult::Success },
            detail: OutcomeDetail::MergedAfterFixes,
            resolution_hours: looks as f64 / 60.0,
        }),
    ));
    all
}
