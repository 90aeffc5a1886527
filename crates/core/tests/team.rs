//! `team.toml` as people write it and get it wrong, and the import of the older `team.yaml` (B1, B2).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    budget::{
        Held, Team, Unit, Usage,
        team::{Imported, TeamError, from_yaml},
    },
    text::EngineName,
};
use jiff::Timestamp;

const TEAM: &str = r#"
zone = "Europe/Berlin"
reset = "00:00"

[[provider]]
name = "anthropic"
implementers = ["claude", "claude-fast"]
cents_a_task = 150

[[member]]
name = "ann"

[[member.quota]]
provider = "jules"
tasks = 300

[[member.quota]]
provider = "anthropic"
cents = 5000
per = "week"
on = "monday"
reset = "09:00"
zone = "America/New_York"

[[member]]
name = "bob"

[[member.quota]]
provider = "jules"
tasks = 300
per = "day"
reset = "02:30"
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn engine(name: &str) -> EngineName {
    EngineName::new(name).unwrap()
}

fn mistakes(text: &str) -> Vec<(usize, String)> {
    let TeamError(mistakes) = Team::from_toml(text).unwrap_err();
    mistakes.into_iter().map(|m| (m.line, m.what)).collect()
}

#[test]
fn a_pool_is_the_sum_of_its_members_quotas() {
    let team = Team::from_toml(TEAM).unwrap();
    let pools: Vec<(String, Unit, u64)> =
        team.pools().iter().map(|p| (p.provider.name.to_string(), p.unit, p.most())).collect();
    assert_eq!(pools, [("jules".to_owned(), Unit::Tasks, 600), ("anthropic".to_owned(), Unit::Money, 5000)]);
    assert_eq!(team.tasks_a_day(at("2026-02-05T12:00:00Z")), Some(600));
}

#[test]
fn a_dispatch_charges_the_provider_of_its_implementer_in_the_windows_of_the_moment() {
    let team = Team::from_toml(TEAM).unwrap();
    let now = at("2026-02-05T00:30:00Z");
    let jules = team.charge(&engine("jules"), now).unwrap();
    let ends: Vec<String> = jules.accounts.iter().map(|a| a.limits[0].span.end.to_string()).collect();
    // Bob's day is reset at half past two in the same zone.
    assert_eq!(ends, ["2026-02-05T23:00:00Z", "2026-02-05T01:30:00Z"]);
    let claude = team.charge(&engine("claude-fast"), now).unwrap();
    assert_eq!((claude.cost.money, claude.accounts.len()), (150, 1));
    assert_eq!(claude.accounts[0].limits[0].span.start.to_string(), "2026-02-02T14:00:00Z");
    assert_eq!(team.charge(&engine("codex"), now), None);
    assert_eq!(team.plan_day(now).date.to_string(), "2026-02-05");
}

#[test]
fn a_provider_that_nobody_has_a_quota_of_is_closed() {
    let text = "[[provider]]\nname = \"jules\"\n[[member]]\nname = \"ann\"\n";
    let team = Team::from_toml(text).unwrap();
    let charge = team.charge(&engine("jules"), at("2026-02-05T12:00:00Z")).unwrap();
    assert_eq!(charge.choose(&Usage::default()), Err(Held::NoQuota));
    assert!(team.is_empty());
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_to_do() {
    let text = "zone = \"Mars/Olympus\"\nreset = \"25:00\"\n[[member]]\nname = \"ann ann\"\n\n[[member]]\nname = \"bob\"\n\
                [[member.quota]]\nprovider = \"jules\"\ntasks = 3\ncents = 4\n\
                [[member.quota]]\nprovider = \"jules\"\ntasks = 3\nper = \"year\"\n\
                [[member.quota]]\nprovider = \"jules\"\ncents = 3\n\
                [[member.quota]]\nprovider = \"jules\"\ntasks = 3\n\
                [[member.quota]]\nprovider = \"jules\"\ntasks = 4\n\
                [[member.quota]]\nprovider = \"x\"\ntasks = 4\nper = \"week\"\non = 9\n";
    let told = mistakes(text);
    let lines: Vec<usize> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 8, 12, 16, 22, 25]);
    let words = |line: usize| told.iter().find(|(l, _)| *l == line).unwrap().1.as_str();
    assert_eq!(words(1), "`zone`: no time zone has that name; write one such as `Europe/Berlin` or `UTC`");
    assert_eq!(words(8), "a quota is either `tasks = N`, `cents = N` or `tokens = N`");
    assert!(words(16).contains("cents_a_task"), "{told:?}");
    assert_eq!(words(22), "bob has two quotas of tasks at jules per day; write one");
}

#[test]
fn unknown_keys_and_broken_toml_are_refused_with_their_line() {
    assert_eq!(mistakes("[[member]]\nname = \"ann\"\nquotas = 3\n")[0].0, 3);
    assert!(mistakes("zone = \"UTC\"\n[[members]]\nname = \"ann\"\n")[0].1.contains("members"));
    assert_eq!(mistakes("zone = \n")[0].0, 1);
    assert_eq!(
        mistakes("[[member]]\nname = \"ann\"\n[[member.quota]]\nprovider = \"j\"\ntasks = -3\n")[0].0,
        5
    );
}

#[test]
fn the_older_form_is_imported_in_each_of_its_shapes() {
    let shapes = [
        "members:\n  - name: ann\n    providers:\n      jules: 300\n  - name: bob\n    providers:\n      jules: 300\n",
        "timezone: UTC\nmembers:\n  - name: ann\n    providers:\n      - name: jules\n        daily_quota: 300\n  - name: bob\n    provider: jules\n    quota: 300\n",
        "team:\n  members:\n    ann:\n      quotas: {jules: {daily: 300}}\n    bob:\n      providers: [jules]\n",
    ];
    let teams: Vec<Team> = shapes.iter().map(|text| from_yaml(text).unwrap().team).collect();
    assert_eq!(teams[0].tasks_a_day(at("2026-02-05T12:00:00Z")), Some(600));
    assert_eq!((&teams[0], &teams[0]), (&teams[1], &teams[2]));
}

#[test]
fn what_was_imported_is_the_team_that_is_read_back() {
    let text = "zone: Asia/Tokyo\nreset: '09:00'\nowner: x\nmembers:\n  - name: ann\n    email: a@b\n    providers: {jules: 3, codex: 4}\n";
    let Imported { team, toml, left_out } = from_yaml(text).unwrap();
    assert_eq!(Team::from_toml(&toml).unwrap(), team);
    assert_eq!(
        left_out.iter().map(|m| (m.line, m.what.as_str())).collect::<Vec<_>>(),
        [(3, "`owner` is left out"), (6, "`email` is left out")]
    );
}

#[test]
fn an_older_file_that_says_nothing_is_refused_with_its_lines() {
    let told =
        |text: &str| from_yaml(text).unwrap_err().0.into_iter().map(|m| (m.line, m.what)).collect::<Vec<_>>();
    assert!(told("")[0].1.starts_with("no member with a quota"));
    assert_eq!(told("members:\n  - providers: {jules: 3}\n")[0], (2, "a member needs a `name`".to_owned()));
    let many = told("members:\n  - name: ann\n    providers: {jules: many}\n");
    assert_eq!(many[0], (3, "the quota of ann at jules is a whole number of tasks a day".to_owned()));
    assert_eq!(told("members: [")[0].0, 1);
    assert!(told("members: &a\n  - *a\n")[0].1.contains("anchors"));
}
