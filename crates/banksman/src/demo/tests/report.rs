//! What Banksman makes of the demo's report.

use super::super::{scenario::Part, shop};
use banksman_core::{
    audit::{self, AuditPlan, FindingStatus},
    epic::{EpicPlan, plan_epics},
    id::{ActorId, Number},
    intent::Phase,
    signals::{IssueFacts, TitleHead},
    text::Label,
};

/// The plan of the report's issues.
pub(super) fn plan() -> AuditPlan {
    let report = audit::parse(shop::REPORT.as_bytes(), "AUDIT.md").unwrap();
    let exists = |path: &str| shop::files().any(|(file, _)| file == path);
    audit::plan(&[report], &exists).audits.remove(0)
}

/// The issues as the forge would have them, framework issues last.
fn issues(plan: &AuditPlan) -> Vec<IssueFacts> {
    let framework = |n: usize| Number((plan.issues.len() + n) as u64 + 1);
    let fact = |number, draft: &audit::IssueDraft, blocked_by| IssueFacts {
        number,
        open: true,
        labels: draft.labels.iter().map(|label| Label::new(label).unwrap()).collect(),
        author: ActorId(1),
        title: TitleHead::read(&draft.title),
        blocked_by,
        parent: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        closed_at: None,
    };
    let findings = plan.issues.iter().enumerate().map(|(n, issue)| {
        let blocker = plan.patterns.iter().position(|pattern| issue.blocked_by.as_ref() == Some(&pattern.id));
        fact(Number(n as u64 + 1), &issue.draft, blocker.map(framework).into_iter().collect())
    });
    let patterns = plan.patterns.iter().enumerate();
    findings.chain(patterns.map(|(n, p)| fact(framework(n), &p.draft, Vec::new()))).collect()
}

#[test]
fn the_report_gives_nine_issues_and_one_framework_issue_that_blocks_three() {
    let plan = plan();
    assert_eq!(plan.issues.len(), 9);
    assert!(plan.issues.iter().all(|issue| issue.stale.is_empty() && issue.locations.len() == 1));
    assert_eq!(plan.patterns.len(), 1);
    assert_eq!(plan.patterns[0].packages, ["api", "auth", "cart"]);
    assert_eq!(plan.issues.iter().filter(|issue| issue.blocked_by.is_some()).count(), 3);
    let settled: Vec<FindingStatus> = plan.closed.iter().map(|finding| finding.status).collect();
    assert_eq!(settled, [FindingStatus::Fixed, FindingStatus::Accepted]);
}

#[test]
fn the_issues_give_one_epic_with_three_phases() {
    let issues = issues(&plan());
    let EpicPlan { direct, epics, .. } = plan_epics(&issues, &[]).unwrap();
    assert!(direct.is_empty());
    let [epic] = &epics[..] else { panic!("{} epics", epics.len()) };
    let phases: Vec<(Phase, usize)> = epic.epic.phases.iter().map(|p| (p.phase, p.children.len())).collect();
    assert_eq!(phases, [(Phase::Blockers, 1), (Phase::Parallel, 8), (Phase::Cleanup, 1)]);
    // The two that will conflict are dispatched first, one after the other.
    assert_eq!(epic.epic.phases[1].children[..2], [Number(1), Number(2)]);
}

#[test]
fn the_agent_knows_its_part_from_the_text_of_every_issue() {
    let plan = plan();
    let drafts = plan.issues.iter().map(|i| &i.draft).chain(plan.patterns.iter().map(|p| &p.draft));
    let names: Vec<&str> = drafts.map(|draft| Part::of_task(&draft.body).unwrap().name).collect();
    let expected = [
        "BILL-01",
        "BILL-02",
        "API-01",
        "AUTH-01",
        "CART-01",
        "WEB-01",
        "CART-02",
        "AUTH-02",
        "DOCS-01",
        "shared-check",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_place_of_the_report_is_a_line_of_the_repository() {
    let report = audit::parse(shop::REPORT.as_bytes(), "AUDIT.md").unwrap();
    for place in report.findings.iter().flat_map(|finding| &finding.locations) {
        let (_, text) = shop::files().find(|(path, _)| *path == place.path).unwrap();
        let line = place.lines.unwrap().first as usize;
        assert!(text.lines().nth(line - 1).is_some_and(|line| !line.trim().is_empty()), "{place}");
    }
}
