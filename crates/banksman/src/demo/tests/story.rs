//! The story: red and mended, sent back and approved, in conflict and resolved, never green, and everything else at once.

use super::{
    super::{
        git::Git,
        make::make,
        scenario::{Fate, Part, files_after},
        script::SCRIPT,
        verify::{Expected, Mismatch, green, verify},
    },
    stage::{Stage, issue},
};
use banksman_engine::{UsageFormat, UsageReader};

fn part(name: &str) -> &'static Part {
    Part::named(name).unwrap()
}

fn approved() -> (String, usize) {
    ("approve".to_owned(), 0)
}

/// Implements, reviews and merges a part that has no story of its own.
fn straight_in(stage: &Stage, name: &str) {
    let part = part(name);
    assert!(stage.attempt(part, "implement"), "{name}");
    assert!(stage.is_green(part), "{name}");
    assert_eq!(stage.review(part), approved(), "{name}");
    assert!(stage.merge(part), "{name}");
}

/// The whole story. `pair`: the two that conflict, in the order of their merges.
fn tell(pair: [&str; 2]) -> Stage {
    let stage = Stage::new();
    straight_in(&stage, "shared-check");

    // The parallel phase: all start from the same head of the epic.
    let parallel: Vec<&'static Part> =
        SCRIPT.iter().filter(|part| !["shared-check", "DOCS-01"].contains(&part.name)).collect();
    for part in &parallel {
        assert!(stage.attempt(part, "implement"), "{}", part.name);
        let red = ["WEB-01", "AUTH-02"].contains(&part.name);
        assert_eq!(stage.is_green(part), !red, "{}", part.name);
    }

    let [first, second] = pair.map(part);
    assert!(stage.merge(first) && !stage.merge(second));
    for _ in 0..2 {
        assert!(!stage.attempt(second, "fix_conflict"));
    }
    let clone = stage.clone(second.name);
    clone.begin_merge();
    clone.act("resolve_conflict", &issue(second));
    let parents = Git::at(clone.root()).run(&["rev-list", "--parents", "-1", "HEAD"]).unwrap();
    assert_eq!(parents.split_whitespace().count(), 3);
    stage.publish(second, &clone);
    assert!(stage.is_green(second));
    assert_eq!(stage.review(second), approved());
    assert!(stage.merge(second));

    let red = part("WEB-01");
    assert!(stage.attempt(red, "fix_checks") && stage.is_green(red));
    let sent_back = part("CART-02");
    assert_eq!(stage.review(sent_back), ("changes".to_owned(), 1));
    assert!(stage.attempt(sent_back, "fix_reviews") && stage.is_green(sent_back));
    let hopeless = part("AUTH-02");
    for _ in 0..2 {
        assert!(stage.attempt(hopeless, "fix_checks"));
        assert!(!stage.is_green(hopeless));
    }
    assert!(!stage.attempt(hopeless, "fix_checks"));

    for part in parallel.into_iter().filter(|part| part.fate == Fate::Merged && !pair.contains(&part.name)) {
        assert_eq!(stage.review(part), approved(), "{}", part.name);
        assert!(stage.merge(part), "{}", part.name);
    }
    straight_in(&stage, "DOCS-01");
    stage
}

#[test]
fn the_story_ends_as_expected_whichever_of_the_pair_is_first() {
    for pair in [["BILL-01", "BILL-02"], ["BILL-02", "BILL-01"]] {
        let stage = tell(pair);
        stage.finish();
        let git_dir = stage.repository().join(".git");
        let found = verify(&git_dir, &stage.scratch(), &Expected::story()).unwrap();
        assert_eq!(found, [], "{pair:?}");
    }
}

#[test]
fn the_review_of_the_whole_epic_approves_it() {
    let stage = Stage::new();
    straight_in(&stage, "BILL-01");
    assert!(stage.attempt(part("CART-02"), "implement") && stage.merge(part("CART-02")));
    stage.git(&["branch", "agent/epic", "epic/11-security"]);
    stage.git(&["update-ref", "refs/heads/epic/11-security", "main"]);
    let printed = stage.clone("epic").act("review", "# Issue #11: epic(security): child issues\n");
    assert!(printed.contains("good as it is"));
}

#[test]
fn no_other_pair_conflicts() {
    let stage = Stage::new();
    straight_in(&stage, "shared-check");
    let rest: Vec<&'static Part> = SCRIPT.iter().filter(|part| part.name != "shared-check").collect();
    for part in &rest {
        assert!(stage.attempt(part, "implement"));
    }
    let merges = |a: &Part, b: &Part| {
        let heads = [a, b].map(|part| format!("agent/{}", part.name));
        Git::at(&stage.repository()).run(&["merge-tree", "--write-tree", &heads[0], &heads[1]]).is_ok()
    };
    let mut conflicts = Vec::new();
    for (n, a) in rest.iter().enumerate() {
        conflicts.extend(rest[n + 1..].iter().filter(|b| !merges(a, b)).map(|b| (a.name, b.name)));
    }
    assert_eq!(conflicts, [("BILL-01", "BILL-02")]);
}

#[test]
fn a_late_starter_of_the_pair_keeps_both_sides_without_a_conflict() {
    let stage = Stage::new();
    straight_in(&stage, "BILL-02");
    straight_in(&stage, "BILL-01");
    let both = files_after([part("BILL-01"), part("BILL-02")]).unwrap();
    let found = stage.git(&["cat-file", "blob", "epic/11-security:billing/amount.sh"]);
    assert_eq!(found, both["billing/amount.sh"]);
}

#[test]
fn what_is_missing_or_too_much_is_said() {
    let stage = Stage::new();
    straight_in(&stage, "BILL-01");
    let git_dir = stage.repository().join(".git");
    let found = verify(&git_dir, &stage.scratch(), &Expected::story()).unwrap();
    assert!(found.contains(&Mismatch::NoEpicMerge));
    assert!(found.contains(&Mismatch::BranchLeft("epic/11-security".to_owned())));
    assert!(found.contains(&Mismatch::Content("lib/valid.sh".to_owned())));
    let hopeless = part("AUTH-02");
    assert!(stage.attempt(hopeless, "implement") && stage.merge(hopeless));
    stage.finish();
    let found = verify(&git_dir, &stage.scratch(), &Expected::story()).unwrap();
    assert!(found.contains(&Mismatch::Commits { found: 2, expected: 9 }));
    assert!(found.contains(&Mismatch::Missing("DOCS-01")) && !found.contains(&Mismatch::Missing("BILL-01")));
    assert!(found.contains(&Mismatch::NotLeftOut("AUTH-02")));
}

#[test]
fn the_first_files_are_green_and_hold_nothing_of_the_script() {
    let dir = tempfile::tempdir().unwrap();
    make(&dir.path().join("demo")).unwrap();
    let files = files_after([]).unwrap();
    assert!(green(&dir.path().join("scratch"), files.iter().map(|(p, t)| (*p, t.as_str()))).unwrap());
}

#[test]
fn usage_is_read_from_what_the_agent_prints() {
    let stage = Stage::new();
    let shared = part("shared-check");
    let printed = stage.clone(shared.name).act("implement", &issue(shared));
    let mut reader = UsageReader::new(UsageFormat::Claude);
    reader.feed(printed.as_bytes());
    let usage = reader.finish();
    assert!(usage.tokens_in.is_some() && usage.tokens_out.is_some() && usage.cost_usd.is_some());
    assert_eq!(usage.session.unwrap().as_str(), "demo-shared-check");
}
