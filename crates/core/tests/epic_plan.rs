//! Plans of epics (E1 to E5, A9): examples that read like the specification, and properties over random repositories.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    audit::DIRECT_DISPATCH,
    epic::{Checklist, Entry, EpicPlan, Fault, MAX_CHILDREN, MIN_CHILDREN, PlanError, plan_epics},
    id::{ActorId, Number},
    intent::{Phase, Theme},
    signals::{IssueFacts, TitleHead},
    text::Label,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn issue(number: u64, title: &str, labels: &[&str]) -> IssueFacts {
    IssueFacts {
        number: Number(number),
        open: true,
        labels: labels.iter().map(|l| Label::new(l).unwrap()).collect(),
        author: ActorId(1),
        title: TitleHead::read(title),
        blocked_by: Vec::new(),
        parent: None,
        created_at: Timestamp::UNIX_EPOCH,
        closed_at: None,
    }
}

fn blocked(mut issue: IssueFacts, by: &[u64]) -> IssueFacts {
    issue.blocked_by = by.iter().map(|n| Number(*n)).collect();
    issue
}

fn many(numbers: impl IntoIterator<Item = u64>, title: &str, labels: &[&str]) -> Vec<IssueFacts> {
    numbers.into_iter().map(|n| issue(n, title, labels)).collect()
}

/// An epic with these children in phase 2.
fn epic(number: u64, children: impl IntoIterator<Item = u64>) -> (IssueFacts, Checklist) {
    let entries = children
        .into_iter()
        .map(|n| Entry { child: Number(n), phase: Phase::Parallel, ticked: false })
        .collect();
    (issue(number, "epic(x): y", &["agentic"]), Checklist { entries })
}

/// Theme, part, what is extended, children by phase number.
fn shape(plan: &EpicPlan) -> Vec<String> {
    let phases = |e: &banksman_core::intent::EpicDraft| {
        let phase = |d: &banksman_core::intent::PhaseDraft| {
            let children: Vec<String> = d.children.iter().map(ToString::to_string).collect();
            format!("{}: {}", d.phase.number(), children.join(" "))
        };
        e.phases.iter().map(phase).collect::<Vec<_>>().join(", ")
    };
    plan.epics
        .iter()
        .map(|e| {
            let part = e.epic.part.map(|p| format!(" {p}")).unwrap_or_default();
            let extends = e.extends.map(|n| format!(" in #{n}")).unwrap_or_default();
            format!("{}{part}{extends} [{}]", e.epic.theme, phases(&e.epic))
        })
        .chain((!plan.direct.is_empty()).then(|| {
            let direct: Vec<String> = plan.direct.iter().map(ToString::to_string).collect();
            format!("direct [{}]", direct.join(" "))
        }))
        .collect()
}

fn planned(issues: &[IssueFacts], existing: &[(IssueFacts, Checklist)]) -> Vec<String> {
    shape(&plan_epics(issues, existing).unwrap())
}

#[test]
fn themes_come_from_labels_and_features_from_their_subsystem() {
    let mut issues = many(1..=3, "fix(api): x", &["audit", "security"]);
    issues.extend(many(4..=6, "test(api): x", &["audit", "testing"]));
    issues.extend(many(7..=9, "feat(web): x", &[]));
    assert_eq!(
        planned(&issues, &[]),
        ["security [2: 1 2 3]", "testing [2: 4 5 6]", "feature web [2: 7 8 9]"]
    );
}

#[test]
fn few_audit_issues_make_one_epic_and_very_few_none() {
    let four = [
        issue(1, "security: x", &["audit", "security"]),
        issue(2, "docs: x", &["audit", "docs"]),
        issue(3, "perf: x", &["audit", "performance"]),
        issue(4, "test: x", &["audit", "testing"]),
    ];
    assert_eq!(planned(&four, &[]), ["audit [2: 1 3 4, 3: 2]"]);
    assert_eq!(planned(&four[..2], &[]), ["direct [1 2]"]);
}

#[test]
fn a_large_theme_is_split_by_package_and_then_into_parts() {
    let mut issues = many(1..=12, "security(api): x", &["security"]);
    issues.extend(many(13..=16, "security(web): x", &["security"]));
    issues.extend(many(17..=17, "security(cli): x", &["security"]));
    assert_eq!(
        planned(&issues, &[]),
        [
            "security [2: 13 14 15 16 17]",
            "security api 1 [2: 1 2 3 4 5 6]",
            "security api 2 [2: 7 8 9 10 11 12]",
        ]
    );
}

#[test]
fn a_small_theme_goes_with_the_nearest() {
    let mut issues = many(1..=4, "x", &["quality"]);
    issues.extend(many(5..=6, "x", &["security"]));
    issues.extend(many(7..=7, "x", &["docs"]));
    issues.extend(many(8..=8, "feat(web): x", &[]));
    assert_eq!(planned(&issues, &[]), ["quality [2: 1 2 3 4 5 6, 3: 7]", "direct [8]"]);
}

#[test]
fn an_epic_of_the_same_theme_is_extended_while_it_has_room() {
    let mut issues = many(1..=7, "security: x", &["security"]);
    issues.push(issue(50, "epic(security): x", &["agentic"]));
    issues.extend(many(8..=9, "security: y", &["security"]));
    let existing = [epic(50, 1..=7)];
    assert_eq!(planned(&issues, &existing), ["security in #50 [2: 8 9]"]);
    issues.extend(many(10..=14, "security: y", &["security"]));
    assert_eq!(planned(&issues, &existing), ["security in #50 [2: 8 9 10]", "security 2 [2: 11 12 13 14]"]);
    issues.truncate(13);
    // Four fit into three places, but one alone would be no epic: three make the next one.
    assert_eq!(planned(&issues, &existing), ["security in #50 [2: 8 9]", "security 2 [2: 10 11 12]"]);
}

#[test]
fn a_finished_or_escalated_epic_is_not_extended() {
    let mut issues = many(1..=3, "security: x", &["security", "needs-intervention"]);
    issues.extend(many(4..=6, "security: y", &["security"]));
    assert_eq!(planned(&issues, &[epic(50, 1..=3)]), ["security 2 [2: 4 5 6]"]);
    for child in &mut issues[..3] {
        child.labels.pop();
        child.open = false;
    }
    assert_eq!(planned(&issues, &[epic(50, 1..=3)]), ["security 2 [2: 4 5 6]"]);
}

#[test]
fn only_open_work_that_nobody_has_is_planned() {
    let mut issues = vec![
        issue(1, "[Audit] x", &[]),
        issue(2, "epic(x): y", &[]),
        issue(3, "x", &["agentic"]),
        issue(4, "x", &["needs-intervention"]),
        issue(5, "feat: x", &["needs-approval"]),
        issue(6, "x", &["direct-dispatch"]),
        issue(7, "x", &["agent:claude"]),
        issue(8, "x", &[]),
        issue(9, "x", &[]),
        issue(10, "x", &[]),
    ];
    issues[7].open = false;
    issues[8].parent = Some(Number(3));
    assert_eq!(planned(&issues, &[epic(50, [10])]), Vec::<String>::new());
}

#[test]
fn blockers_come_first_and_documentation_last() {
    let issues = [
        issue(1, "fix(core): x", &["quality", "framework"]),
        blocked(issue(2, "fix(api): x", &["quality"]), &[3]),
        issue(3, "fix(web): x", &["quality"]),
        issue(4, "docs(web): x", &["docs"]),
        issue(5, "fix(web): x", &["quality"]),
    ];
    assert_eq!(planned(&issues, &[]), ["quality [1: 1 3, 2: 2 5, 3: 4]"]);
}

#[test]
fn a_chain_comes_out_in_an_order_that_phases_allow() {
    let issues = [
        blocked(issue(1, "x", &["quality"]), &[2]),
        blocked(issue(2, "x", &["quality", "framework"]), &[3]),
        blocked(issue(3, "x", &["quality"]), &[4, 999]),
        issue(4, "docs: x", &["docs"]),
    ];
    assert_eq!(planned(&issues, &[]), ["quality [1: 4, 2: 3, 3: 1 2]"]);
}

#[test]
fn a_circle_is_named_from_its_lowest_number() {
    let issues = [
        blocked(issue(7, "x", &[]), &[5]),
        blocked(issue(5, "x", &[]), &[9]),
        blocked(issue(9, "x", &[]), &[7]),
        blocked(issue(3, "x", &[]), &[9]),
    ];
    let error = plan_epics(&issues, &[]).unwrap_err();
    assert_eq!(error, PlanError::Cycle(vec![Number(5), Number(7), Number(9)]));
    assert_eq!(
        error.to_string(),
        "the issues #5 -> #7 -> #9 -> #5 block each other in a circle: remove one of the links"
    );
    assert_eq!(
        plan_epics(&[blocked(issue(4, "x", &[]), &[4])], &[]).unwrap_err(),
        PlanError::Cycle(vec![Number(4)])
    );
}

#[test]
fn a_circle_among_issues_that_are_not_planned_is_not_ours() {
    let mut issues = many(1..=3, "x", &["quality"]);
    issues.push(blocked(issue(10, "x", &["needs-intervention"]), &[11]));
    issues.push(blocked(issue(11, "x", &["needs-intervention"]), &[10]));
    issues[0].blocked_by = vec![Number(10)];
    assert_eq!(planned(&issues, &[]), ["quality [2: 1 2 3]"]);
}

#[test]
fn reasons_read_well() {
    let mut issues = many(1..=8, "security(api): x", &["security"]);
    issues.extend(many(9..=12, "security(web): x", &["security"]));
    issues.extend(many(13..=13, "x", &[]));
    issues.push(blocked(issue(14, "feat(web): x", &[]), &[13]));
    issues.extend(many(20..=22, "perf: x", &["performance"]));
    issues.extend(many(15..=15, "perf: x", &["performance"]));
    let plan = plan_epics(&issues, &[epic(50, 20..=22)]).unwrap();
    let lines: Vec<String> = plan.reasons.iter().map(|r| format!("#{} {}", r.issue, r.why)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_plan_is_pleasant_to_edit() {
    let mut issues = many(1..=12, "security(api): x", &["security"]);
    issues.push(issue(13, "feat(web): x", &[]));
    issues[0].labels.push(Label::new("framework").unwrap());
    let mut plan = plan_epics(&issues, &[]).unwrap();
    plan.reasons.truncate(1);
    let text = toml::to_string(&plan).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(toml::from_str::<EpicPlan>(&text).unwrap(), plan);
    assert_eq!(serde_json::from_value::<EpicPlan>(serde_json::to_value(&plan).unwrap()).unwrap(), plan);

    let error = toml::from_str::<EpicPlan>("[[epics]]\ntheme = \"security\"\nparalel = [1]").unwrap_err();
    assert!(error.to_string().contains("unknown field `paralel`"), "{error}");
    let error = toml::from_str::<EpicPlan>("[[epics]]\ntheme = \"secrets\"\n").unwrap_err();
    assert!(error.to_string().contains("not a valid theme (such as"), "{error}");
}

#[test]
fn an_edited_plan_is_checked_and_every_fault_names_its_place() {
    let mut issues = many(1..=20, "x", &["quality"]);
    issues[1].open = false;
    issues[2].title = TitleHead::read("[Audit] x");
    issues[3].parent = Some(Number(77));
    issues[4].blocked_by = vec![Number(6)];
    let plan: EpicPlan = toml::from_str(
        "direct = [1, 99]\n\
         [[epics]]\ntheme = \"quality api\"\nblockers = [5]\nparallel = [2, 3, 4]\ncleanup = [6, 1]\n\
         [[epics]]\ntheme = \"feature web\"\n\
         [[epics]]\ntheme = \"audit\"\nextends = 7\nparallel = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]\n",
    )
    .unwrap();
    let error = plan.validate(&issues).unwrap_err();
    assert!(error.0.iter().any(|f| f.fault == Fault::NoChildren));
    assert_eq!(
        error.to_string(),
        "epic 1 (quality api), parallel: #2 is closed\n\
         epic 1 (quality api), parallel: #3 is an audit or an epic\n\
         epic 1 (quality api), parallel: #4 belongs to epic #77 already\n\
         epic 2 (feature web): it has no children\n\
         epic 3 (audit): it has 11 children, at most 10 are allowed\n\
         epic 3 (audit): #7 is no open epic that could be extended\n\
         direct: #1 stands in epic 1 (quality api), cleanup already\n\
         direct: there is no issue #99\n\
         epic 1 (quality api), blockers: #5 is blocked by #6, which comes in a later phase"
    );
}

const LABELS: [&str; 12] = [
    "audit",
    "security",
    "quality",
    "performance",
    "testing",
    "docs",
    "framework",
    "needs-intervention",
    "direct-dispatch",
    "lang:rust",
    "agentic",
    "approved",
];
const TITLES: [&str; 10] = [
    "fix(api): x",
    "fix(web): x",
    "security(api): x",
    "docs(cli): x",
    "feat(api): x",
    "feat(web): x",
    "feature",
    "something else",
    "perf(store): x",
    "[Audit] x",
];

/// A repository: issues (some blocked by lower numbers, so without a circle) and epics with some of them as children.
fn repository() -> impl Strategy<Value = (Vec<IssueFacts>, Vec<(IssueFacts, Checklist)>)> {
    let one = (
        // Mostly the labels of work, seldom those that keep an issue out.
        prop::collection::vec(prop_oneof![20 => 0..7usize, 1 => 7..12usize], 0..3),
        prop_oneof![20 => 0..9usize, 1 => 9..10usize],
        prop_oneof![15 => Just(true), 1 => Just(false)],
        prop::collection::vec(0..60u64, 0..2),
        // 0: no epic; else the epic it is on.
        prop_oneof![4 => Just(0u64), 1 => 1..4u64],
    );
    prop::collection::vec(one, 0..45).prop_map(|rows| {
        let mut issues = Vec::new();
        let mut children: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (index, (labels, title, open, blockers, on)) in rows.into_iter().enumerate() {
            let number = index as u64 + 1;
            let labels: BTreeSet<&str> = labels.into_iter().map(|l| LABELS[l]).collect();
            let mut facts = issue(number, TITLES[title], &labels.into_iter().collect::<Vec<_>>());
            facts.open = open;
            let blockers: BTreeSet<u64> = blockers.into_iter().filter(|b| *b < number).collect();
            facts.blocked_by = blockers.into_iter().map(Number).collect();
            if on > 0 && children.get(&on).is_none_or(|c| c.len() < MAX_CHILDREN) {
                children.entry(on).or_default().push(number);
                facts.parent = Some(Number(100 + on));
            }
            issues.push(facts);
        }
        let epics: Vec<_> = children.into_iter().map(|(on, children)| epic(100 + on, children)).collect();
        issues.extend(epics.iter().map(|(facts, _)| facts.clone()));
        (issues, epics)
    })
}

/// The repository after the plan was carried out.
fn carry_out(
    plan: &EpicPlan,
    issues: &[IssueFacts],
    existing: &[(IssueFacts, Checklist)],
) -> (Vec<IssueFacts>, Vec<(IssueFacts, Checklist)>) {
    let (mut issues, mut existing) = (issues.to_vec(), existing.to_vec());
    for (index, planned) in plan.epics.iter().enumerate() {
        let number = planned.extends.unwrap_or(Number(200 + index as u64));
        if planned.extends.is_none() {
            existing.push(epic(number.0, []));
            issues.push(existing.last().unwrap().0.clone());
        }
        let list = &mut existing.iter_mut().find(|(e, _)| e.number == number).unwrap().1;
        for draft in &planned.epic.phases {
            for child in &draft.children {
                list.entries.push(Entry { child: *child, phase: draft.phase, ticked: false });
                issues.iter_mut().find(|i| i.number == *child).unwrap().parent = Some(number);
            }
        }
    }
    (issues, existing)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_candidate_is_placed_once_and_epics_have_their_size((issues, existing) in repository()) {
        let plan = plan_epics(&issues, &existing).unwrap();
        let listed: BTreeSet<Number> =
            existing.iter().flat_map(|(_, l)| &l.entries).map(|e| e.child).collect();
        let mut placed: Vec<Number> =
            plan.epics.iter().flat_map(|e| e.epic.children()).chain(plan.direct.iter().copied()).collect();
        placed.sort_unstable();
        let candidates: Vec<Number> = issues
            .iter()
            .filter(|i| banksman_core::epic::is_candidate(i) && !listed.contains(&i.number))
            .map(|i| i.number)
            .collect();
        prop_assert_eq!(&placed, &candidates);
        prop_assert_eq!(placed, plan.reasons.iter().map(|r| r.issue).collect::<Vec<_>>());
        for planned in &plan.epics {
            let size = planned.epic.children().count();
            match planned.extends {
                None => prop_assert!((MIN_CHILDREN..=MAX_CHILDREN).contains(&size), "{size}"),
                Some(epic) => {
                    let old = &existing.iter().find(|(e, _)| e.number == epic).unwrap().1;
                    prop_assert!(size >= 1 && old.entries.len() + size <= MAX_CHILDREN);
                }
            }
            prop_assert!(!matches!(&planned.epic.theme, Theme::Package(of, _) if **of == Theme::Audit));
        }
        prop_assert!(plan.validate(&issues).is_ok(), "{}", plan.validate(&issues).unwrap_err());
    }

    #[test]
    fn the_order_of_the_input_says_nothing(
        (issues, existing) in repository(),
        (turn, flip) in (0..45usize, any::<bool>()),
    ) {
        let (mut other, mut epics) = (issues.clone(), existing.clone());
        if flip {
            other.reverse();
            epics.reverse();
        }
        let turn = turn.min(other.len());
        other.rotate_left(turn);
        for facts in &mut other {
            facts.labels.reverse();
            facts.blocked_by.reverse();
        }
        prop_assert_eq!(plan_epics(&issues, &existing), plan_epics(&other, &epics));
    }

    #[test]
    fn planning_again_after_carrying_out_gives_no_epic((issues, existing) in repository()) {
        let plan = plan_epics(&issues, &existing).unwrap();
        let (mut issues, existing) = carry_out(&plan, &issues, &existing);
        let again = plan_epics(&issues, &existing).unwrap();
        prop_assert_eq!(&again.epics, &[]);
        prop_assert_eq!(&again.direct, &plan.direct);
        for facts in issues.iter_mut().filter(|i| plan.direct.contains(&i.number)) {
            facts.labels.push(Label::new(DIRECT_DISPATCH).unwrap());
        }
        prop_assert!(plan_epics(&issues, &existing).unwrap().is_empty());
    }

    #[test]
    fn what_blocks_comes_no_later_than_what_it_blocks((issues, existing) in repository()) {
        let plan = plan_epics(&issues, &existing).unwrap();
        let phases: BTreeMap<Number, Phase> = plan
            .epics
            .iter()
            .flat_map(|e| &e.epic.phases)
            .flat_map(|d| d.children.iter().map(|c| (*c, d.phase)))
            .collect();
        for facts in &issues {
            for blocker in &facts.blocked_by {
                if let (Some(before), Some(after)) = (phases.get(blocker), phases.get(&facts.number)) {
                    prop_assert!(before < after || (before == after && *after == Phase::Cleanup));
                }
            }
        }
    }

    #[test]
    fn a_circle_is_found_and_is_one((mut issues, existing) in repository(), from in 0..45usize, to in 0..45usize) {
        prop_assume!(!issues.is_empty());
        let (from, to) = (from % issues.len(), to % issues.len());
        let (blocked, blocker) = (from.min(to), issues[from.max(to)].number);
        issues[blocked].blocked_by.push(blocker);
        if let Err(PlanError::Cycle(circle)) = plan_epics(&issues, &existing) {
            let first = circle[0];
            prop_assert!(circle.iter().all(|n| *n >= first));
            for (before, after) in circle.iter().zip(circle.iter().skip(1).chain(Some(&first))) {
                let after = issues.iter().find(|i| i.number == *after).unwrap();
                prop_assert!(after.blocked_by.contains(before));
            }
        } else {
            // No candidate blocks itself through others.
            let plan = plan_epics(&issues, &existing).unwrap();
            prop_assert!(plan.validate(&issues).is_ok());
        }
    }

    #[test]
    fn reasons_are_made_of_our_own_words((issues, existing) in repository()) {
        for reason in plan_epics(&issues, &existing).unwrap().reasons {
            prop_assert!(reason.why.ends_with('.') && reason.why.len() < 300);
            prop_assert!(reason.why.chars().all(|c| c.is_ascii_alphanumeric() || " ,;:.()#".contains(c)));
        }
    }
}
