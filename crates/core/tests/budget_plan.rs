//! The plan of a day: never more than is left, caps respected, weighted max-min fair, monotone, the same for any order of its inputs.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    audit::Severity,
    budget::{
        pacing::Pace,
        plan::{CAP_PERCENT, Checks, Limit, Plan, PlanInputs, ReadyIssue, RepoWork, Strategy, plan},
    },
    id::Number,
    text::RepoName,
};
use jiff::{SignedDuration, Timestamp, civil::time};
use proptest::{collection::vec, prelude::*, strategy::Strategy as Strategy_};

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn issue(number: u64, severity: Option<Severity>, waits_for: u32, days: i64) -> ReadyIssue {
    let created_at = now() - SignedDuration::from_hours(24 * days);
    ReadyIssue { number: Number(number), severity, waits_for, created_at }
}

fn repo(index: usize, tier: u32, used: u32, checks: (u32, u32), ready: u32) -> RepoWork {
    RepoWork {
        repo: RepoName::new(&format!("acme/r{index:03}")).unwrap(),
        tier,
        used,
        own_left: None,
        checks: Checks { passed: checks.0, ended: checks.1 },
        work_left: ready,
        last_served: None,
        ready: (0..ready).map(|n| issue(u64::from(n) + 1, None, 0, i64::from(n % 9))).collect(),
    }
}

fn inputs(strategy: Strategy, pool_left: Option<u32>, repos: Vec<RepoWork>) -> PlanInputs {
    let used = repos.iter().map(|r| r.used).sum();
    PlanInputs {
        strategy,
        pool_left,
        used,
        cap_percent: CAP_PERCENT,
        repos,
        time: time(9, 0, 0, 0),
        now: now(),
    }
}

fn tasks(plan: &Plan) -> Vec<u32> {
    plan.lines.iter().map(|line| line.tasks).collect()
}

#[test]
fn order_inside_a_repository_is_severity_then_free_then_age() {
    let mut work = repo(0, 1, 0, (9, 10), 0);
    work.ready = vec![
        issue(1, None, 0, 99),
        issue(2, Some(Severity::Low), 0, 5),
        issue(3, Some(Severity::High), 1, 50),
        issue(4, Some(Severity::High), 0, 1),
        issue(5, Some(Severity::High), 0, 3),
        issue(6, Some(Severity::Critical), 2, 0),
    ];
    let plan = plan(&inputs(Strategy::Moderate, None, vec![work]));
    let order: Vec<u64> = plan.lines[0].issues.iter().map(|i| i.number.0).collect();
    assert_eq!(order, [6, 5, 4, 3, 2, 1]);
    assert_eq!(plan.lines[0].limit, Limit::AllPlaced);
}

#[test]
fn never_all_to_one() {
    let repos = vec![repo(0, 1, 0, (9, 10), 500), repo(1, 1, 0, (9, 10), 1)];
    let plan = plan(&inputs(Strategy::Tasks(100), None, repos));
    assert_eq!(tasks(&plan), [40, 1]);
    assert_eq!(plan.lines[0].limit, Limit::Cap { cap: 40 });
}

#[test]
fn the_only_repository_has_no_cap() {
    let plan = plan(&inputs(Strategy::Conservative, Some(12), vec![repo(0, 1, 0, (9, 10), 50)]));
    assert_eq!(tasks(&plan), [12]);
    assert_eq!(plan.lines[0].limit, Limit::FairShare { waiting: 38 });
}

#[test]
fn failing_checks_get_less_and_tiers_more() {
    let repos =
        vec![repo(0, 1, 0, (50, 50), 100), repo(1, 1, 0, (10, 50), 100), repo(2, 3, 0, (50, 50), 100)];
    let wide = PlanInputs { cap_percent: 60, ..inputs(Strategy::Tasks(100), None, repos) };
    let given = tasks(&plan(&wide));
    assert!(given[1] < given[0] && given[0] < given[2], "{given:?}");
    assert_eq!((given[2], given.iter().sum::<u32>()), (60, 100));
}

#[test]
fn a_greedy_morning_leaves_only_unsticking() {
    let repos = vec![repo(0, 1, 70, (9, 10), 10), repo(1, 1, 0, (9, 10), 10)];
    let plan = plan(&inputs(Strategy::Moderate, None, repos));
    assert_eq!(plan.day.pace, Pace::UnstickOnly { used_percent: 87 });
    assert_eq!((plan.total, plan.lines[0].limit), (0, Limit::Paused));
}

#[test]
fn who_waited_longest_comes_first_among_equals() {
    let mut repos: Vec<RepoWork> = (0..4).map(|i| repo(i, 1, 0, (9, 10), 3)).collect();
    for (index, hours) in [(0, 1), (1, 30), (2, 5), (3, 80)] {
        repos[index].last_served = Some(now() - SignedDuration::from_hours(hours));
    }
    assert_eq!(tasks(&plan(&inputs(Strategy::Tasks(2), None, repos))), [0, 1, 0, 1]);
}

fn world() -> impl Strategy_<Value = PlanInputs> {
    let one = (1u32..5, 0u32..6, (0u32..40, 0u32..40), 0u32..60, proptest::option::of(0u32..30));
    (vec(one, 1..12), 0u32..250, proptest::option::of(0u32..250), 1u32..=100, 0i8..24).prop_map(
        |(repos, per_day, pool_left, cap_percent, hour)| {
            let repos = repos.into_iter().enumerate().map(|(i, (tier, used, checks, ready, own_left))| {
                RepoWork { own_left, ..repo(i, tier, used, checks, ready) }
            });
            let mut inputs = inputs(Strategy::Tasks(per_day), pool_left, repos.collect());
            inputs.cap_percent = cap_percent;
            inputs.time = time(hour, 0, 0, 0);
            inputs
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_plan_keeps_every_bound(inputs in world()) {
        let plan = plan(&inputs);
        prop_assert_eq!(plan.total, plan.lines.iter().map(|l| l.tasks).sum::<u32>());
        prop_assert!(plan.total <= plan.day.left);
        prop_assert!(inputs.pool_left.is_none_or(|left| plan.total <= left));
        for (line, work) in plan.lines.iter().zip(&inputs.repos) {
            prop_assert_eq!(line.tasks as usize, line.issues.len());
            prop_assert!(line.tasks as usize <= work.ready.len());
            prop_assert!(work.own_left.is_none_or(|own| line.tasks <= own));
            prop_assert!(line.tasks == 0 || line.tasks + work.used <= line.cap);
            if inputs.repos.len() > 1 {
                let share = plan.day.target * plan.day.cap_percent / 100;
                prop_assert!(line.tasks == 0 || line.tasks + work.used <= share.max(1));
            }
        }
    }

    /// Nobody who could take one more has less for its weight than another one had before its last task.
    #[test]
    fn a_plan_is_weighted_max_min_fair(inputs in world()) {
        let plan = plan(&inputs);
        for (poor, work) in plan.lines.iter().zip(&inputs.repos) {
            let bound = (poor.tasks as usize) >= work.ready.len()
                || work.own_left.is_some_and(|own| poor.tasks >= own)
                || poor.tasks + work.used >= poor.cap;
            if bound {
                continue;
            }
            for rich in plan.lines.iter().filter(|rich| rich.tasks > 0) {
                let poor_level = u64::from(poor.tasks + poor.used) * rich.weight.total;
                let rich_before = u64::from(rich.tasks + rich.used - 1) * poor.weight.total;
                prop_assert!(poor_level >= rich_before, "{} against {}", poor.repo, rich.repo);
            }
        }
        // Nothing is left lying while somebody could take it.
        let takers = plan.lines.iter().any(|line| matches!(line.limit, Limit::FairShare { .. }));
        prop_assert!(!takers || plan.total == plan.day.left);
    }

    #[test]
    fn the_order_of_the_inputs_does_not_matter(inputs in world(), turn in 0usize..12) {
        let mut turned = inputs.clone();
        let middle = turn % turned.repos.len();
        turned.repos.rotate_left(middle);
        turned.repos.iter_mut().for_each(|repo| repo.ready.reverse());
        prop_assert_eq!(plan(&inputs), plan(&turned));
        prop_assert_eq!(plan(&inputs), plan(&inputs));
    }

    /// More in the pool takes nothing from anybody.
    #[test]
    fn a_fuller_pool_gives_nobody_less(inputs in world(), more in 1u32..50) {
        let mut fuller = inputs.clone();
        // Without caps: those grow with the day, and what one may take more another one does not get.
        fuller.cap_percent = 100;
        fuller.repos.iter_mut().for_each(|repo| repo.checks = Checks { passed: 40, ended: 40 });
        let mut less = fuller.clone();
        fuller.pool_left = fuller.pool_left.map(|left| left + more);
        less.time = time(12, 0, 0, 0);
        fuller.time = less.time;
        let (before, after) = (plan(&less), plan(&fuller));
        for (before, after) in before.lines.iter().zip(&after.lines) {
            prop_assert!(after.tasks >= before.tasks, "{}: {} then {}", before.repo, before.tasks, after.tasks);
        }
    }
}
