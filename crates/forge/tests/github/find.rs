//! What is looked for after an answer was lost: by time, author and number, never by text (S6).

use crate::script::{
    Answer, ME, N, Wire, at, branch, by_number, data, end, issue, of_pull, repo, sha, state, within,
};
use banksman_core::{
    id::{CommentId, Number, ThreadId},
    intent::{
        EpicDraft, Made, MergeMethod, NEEDS_INTERVENTION, Phase, PhaseDraft, Receipt, Step, Theme, label,
    },
    port::{Accounted, Forge, ForgeError},
    say::Sentence,
    text::Fingerprint,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Long after the intent, so that nothing can be under way any more.
const LATER: i64 = 1_000;

async fn found(script: &[(&'static str, Value)], step: Step, accounted: Accounted) -> Option<Receipt> {
    let (wire, forge) = Wire::open().await;
    wire.pass(LATER);
    for (operation, answer) in script {
        wire.ok(operation, answer.clone());
    }
    let found = forge.find(&repo(), &step, at(100), &accounted).await.unwrap();
    wire.done();
    found
}

fn nothing() -> Accounted {
    Accounted::default()
}

#[tokio::test]
async fn a_comment_is_known_by_its_author_and_time() {
    let comment = |id: u64, by: u64, when: i64| json!({"id": id, "user": {"id": by}, "created_at": at(when), "body": "x"});
    let comments = json!([comment(1, ME, 10), comment(2, 5, 101), comment(3, ME, 102), comment(4, ME, 103)]);
    let step = Step::Comment { on: N, say: Sentence::FixReviews };
    let first = found(&[("comments_since", comments.clone())], step.clone(), nothing()).await;
    assert_eq!(first, Some(Receipt { at: at(102), made: Made::Comment { id: CommentId(3) } }));
    let accounted = Accounted { comments: BTreeSet::from([CommentId(3), CommentId(4)]), ..nothing() };
    assert_eq!(found(&[("comments_since", comments)], step, accounted).await, None);
}

#[tokio::test]
async fn an_issue_is_known_by_its_author_and_time_and_an_epic_by_its_label() {
    let issue = |number: u64, by: u64, when: i64, labels: &[&str]| {
        let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
        json!({"number": number, "user": {"id": by}, "created_at": at(when), "labels": labels})
    };
    let mut pull = issue(13, ME, 104, &[]);
    pull["pull_request"] = json!({});
    let issues = json!([
        issue(10, ME, 3, &[]),
        issue(11, 5, 101, &[]),
        issue(12, ME, 105, &["agentic"]),
        pull,
        issue(14, ME, 106, &["security"]),
        issue(15, ME, 107, &[])
    ]);
    let create = Step::CreateIssue { fingerprint: Fingerprint::from_bytes([1; 16]) };
    let list = [("issues_since", issues)];
    let made = |number| Some(Made::Issue { number: Number(number) });
    assert_eq!(found(&list, create.clone(), nothing()).await.map(|r| r.made), made(14));
    let accounted = Accounted { numbers: BTreeSet::from([Number(14)]), ..nothing() };
    assert_eq!(found(&list, create, accounted).await.map(|r| r.made), made(15));
    let phases = vec![PhaseDraft { phase: Phase::Parallel, children: vec![Number(5)] }];
    let epic = Step::CreateEpic { epic: EpicDraft { theme: Theme::Quality, part: None, phases } };
    assert_eq!(found(&list, epic, nothing()).await.map(|r| r.made), made(12));
}

#[tokio::test]
async fn what_changes_something_is_found_by_how_things_stand() {
    let subject = within(json!({"label": null, "issueOrPullRequest": {"id": "I", "updatedAt": at(9),
        "labels": {"nodes": [{"name": "Needs-Intervention"}]}}}));
    let step = Step::AddLabel { on: N, label: label(NEEDS_INTERVENTION) };
    assert_eq!(found(&[("Subject", subject)], step, nothing()).await.map(|r| r.at), Some(at(9)));

    let mut closed = issue(7, "", &[]);
    closed["state"] = json!("CLOSED");
    closed["closedAt"] = json!(at(8));
    closed["parent"] = json!({"number": 4, "repository": {"nameWithOwner": "acme/shop"}});
    let issues = by_number(vec![closed]);
    let step = Step::CloseIssue { issue: N };
    assert_eq!(
        found(&[("IssuesByNumber", issues.clone())], step, nothing()).await.map(|r| r.at),
        Some(at(8))
    );
    let step = Step::LinkChild { parent: Number(4), child: N };
    assert!(found(&[("IssuesByNumber", issues.clone())], step, nothing()).await.is_some());
    let step = Step::LinkChild { parent: Number(3), child: N };
    assert!(found(&[("IssuesByNumber", issues)], step, nothing()).await.is_none());

    let blockers = json!([{"number": 4, "state": "closed", "created_at": at(0)}]);
    let step = Step::LinkBlocker { blocker: Number(4), blocked: N };
    assert!(found(&[("blocked_by", blockers)], step, nothing()).await.is_some());

    let head = within(json!({"ref": {"target": {"oid": sha('5')}}}));
    let step = Step::CreateBranch { branch: branch("x") };
    let made = Some(Made::Commit { sha: sha('5') });
    assert_eq!(found(&[("BranchHead", head.clone())], step, nothing()).await.map(|r| r.made), made);
    let step = Step::DeleteBranch { branch: branch("x"), at: None };
    assert!(found(&[("BranchHead", head)], step.clone(), nothing()).await.is_none());
    assert!(found(&[("BranchHead", within(json!({"ref": null})))], step, nothing()).await.is_some());

    let body = within(json!({"issue": {"body": "### Phase 2: Parallel\n- [x] #5 - a\n- [ ] #6 - b\n"}}));
    let tick = |children: &[u64]| Step::Tick {
        epic: Number(4),
        children: children.iter().copied().map(Number).collect(),
    };
    let edits = |versions: &[&str]| {
        let nodes: Vec<Value> = versions.iter().map(|text| json!({ "diff": text })).collect();
        within(json!({"issue": {"body": versions[0], "userContentEdits": {"nodes": nodes}}}))
    };
    let (ours, older) = ("### Phase 2: Parallel\n- [x] #5 - a\n", "### Phase 2: Parallel\n- [ ] #5 - a\n");
    let whole = [("EpicBody", body.clone()), ("EpicEdits", edits(&[ours, older]))];
    assert!(found(&whole, tick(&[5]), nothing()).await.is_some());
    // It is done again, so that what it overwrote is taken up.
    let cut_off = [
        ("EpicBody", body.clone()),
        ("EpicEdits", edits(&[ours, "new\n### Phase 2: Parallel\n- [ ] #5 - a\n", older])),
    ];
    assert!(found(&cut_off, tick(&[5]), nothing()).await.is_none());
    assert!(found(&[("EpicBody", body)], tick(&[5, 6]), nothing()).await.is_none());
}

#[tokio::test]
async fn pull_requests_and_what_was_done_to_them_are_found() {
    let step = Step::OpenPull { closes: Number(5), head: branch("agent/5"), base: branch("main") };
    let pulls = |state: &str, when: i64| json!([{"number": 30, "created_at": at(when), "state": state, "user": {"id": ME}}]);
    let list = |answer| [("pulls_between", answer)];
    assert!(found(&list(pulls("open", 1)), step.clone(), nothing()).await.is_some());
    assert!(
        found(&list(pulls("closed", 101)), step.clone(), nothing()).await.is_some(),
        "it ended meanwhile"
    );
    assert!(found(&list(pulls("closed", 1)), step, nothing()).await.is_none(), "an older one");

    let merge = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    let merged = json!({"state": "MERGED", "mergedAt": at(60), "mergeCommit": {"oid": sha('d')}});
    let of = |head, more| [("PullStateOf", state(head, more))];
    let expected = Receipt { at: at(60), made: Made::Commit { sha: sha('d') } };
    assert_eq!(found(&of('a', merged.clone()), merge.clone(), nothing()).await, Some(expected));
    assert_eq!(found(&of('b', merged.clone()), merge.clone(), nothing()).await, None, "another head");
    let queued = json!({"mergeQueueEntry": {"enqueuedAt": at(61)}});
    assert_eq!(found(&of('a', queued), merge, nothing()).await.map(|r| r.made), Some(Made::Change));

    let arm = Step::EnableAutoMerge { pull: N, head: sha('a') };
    let armed = json!({"autoMergeRequest": {"enabledAt": at(62)}});
    assert_eq!(found(&of('a', armed), arm.clone(), nothing()).await.map(|r| r.at), Some(at(62)));
    assert!(found(&of('a', merged), arm.clone(), nothing()).await.is_some());
    assert!(found(&of('a', json!({})), arm, nothing()).await.is_none());

    let commit = |by: u64| {
        of_pull(json!({"headRefOid": sha('e'), "commits": {"nodes": [
            {"commit": {"oid": sha('c'), "committedDate": at(70), "author": {"user": {"databaseId": by}},
                "parents": {"nodes": [{"oid": sha('a')}, {"oid": sha('0')}]}}},
            {"commit": {"oid": sha('e'), "committedDate": at(71), "author": null, "parents": {"nodes": [{"oid": sha('c')}]}}}]}}))
    };
    let update = Step::UpdateBranch { pull: N, head: sha('a') };
    let own = found(&[("Lineage", commit(ME))], update.clone(), nothing()).await;
    assert_eq!(own.map(|r| r.made), Some(Made::Commit { sha: sha('c') }));
    assert!(found(&[("Lineage", commit(5))], update, nothing()).await.is_none(), "somebody else's merge");

    let threads =
        of_pull(json!({"reviewThreads": {"nodes": [{"id": "T_1", "isResolved": true}], "pageInfo": end()}}));
    let origins = data(
        json!({"nodes": [{"id": "T_1", "comments": {"nodes": [{"fullDatabaseId": "11", "createdAt": at(1)}]}}]}),
    );
    let resolve = Step::ResolveThread { pull: N, thread: ThreadId(11) };
    for (by, expected) in [(json!({"databaseId": ME}), true), (json!({"databaseId": 5}), false)] {
        let node = data(
            json!({"node": {"isResolved": true, "resolvedBy": by, "pullRequest": {"updatedAt": at(3)}}}),
        );
        let script =
            [("PullThreads", threads.clone()), ("ThreadOrigins", origins.clone()), ("ThreadState", node)];
        assert_eq!(found(&script, resolve.clone(), nothing()).await.is_some(), expected);
    }
}

#[tokio::test]
async fn what_is_not_there_yet_may_still_be_under_way() {
    let (wire, forge) = Wire::open().await;
    let step = Step::Comment { on: N, say: Sentence::FixReviews };
    wire.pass(LATER);
    // An answer confirms the time.
    wire.ok("BranchHead", within(json!({"ref": null})));
    forge.branch(&repo(), &branch("x")).await.unwrap();
    let intent = wire.now();
    wire.then("comment", Answer::Lost);
    assert!(matches!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Unclear(_))));
    wire.pass(5);
    wire.ok("comments_since", json!([]));
    let Err(ForgeError::Later(until)) = forge.find(&repo(), &step, intent, &nothing()).await else {
        panic!()
    };
    assert!(until > wire.now());
    wire.pass(20);
    wire.ok("comments_since", json!([]));
    assert_eq!(forge.find(&repo(), &step, intent, &nothing()).await, Ok(None));
    wire.done();
}

#[tokio::test]
async fn clocks_may_differ() {
    // This host is ten minutes behind the server: the intent was written at its 100, the effect is the server's 700.
    let (wire, forge) = Wire::open().await;
    wire.pass(LATER);
    let date = "Sat, 21 Nov 2026 12:27:11 GMT".to_owned();
    wire.then("BranchHead", Answer::Json(200, vec![("date", date)], within(json!({"ref": null}))));
    forge.branch(&repo(), &branch("x")).await.unwrap();
    let comment = |id: u64, when: i64| json!({"id": id, "user": {"id": ME}, "created_at": at(when)});
    wire.ok("comments_since", json!([comment(1, 650), comment(2, 701)]));
    let step = Step::Comment { on: N, say: Sentence::FixReviews };
    let found = forge.find(&repo(), &step, at(100), &nothing()).await.unwrap();
    assert_eq!(found.map(|r| r.made), Some(Made::Comment { id: CommentId(2) }));
    assert!(wire.last().path.contains("since=2026-11-21T12%3A11%3A35Z"));
}
