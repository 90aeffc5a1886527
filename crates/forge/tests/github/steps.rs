//! Every step: what is sent, and what its receipt says.

use crate::script::{
    Asked, N, Wire, at, branch, by_number, data, end, facts, issue, of_pull, refused, repo, sha, state,
    within,
};
use banksman_core::{
    id::{CommentId, Number, ThreadId},
    intent::{
        EpicDraft, Made, MergeMethod, NEEDS_INTERVENTION, Phase, PhaseDraft, Receipt, Step, Theme, label,
    },
    port::{Forge, ForgeError, IssueText, Refusal},
    say::Sentence,
    tainted::Tainted,
    text::{Fingerprint, Label},
};
use banksman_forge::github::{
    GithubSettings,
    transport::{Kind, Verb},
};
use serde_json::{Value, json};

async fn done(wire: &Wire, forge: &impl Forge, step: Step) -> Receipt {
    let receipt = forge.perform(&repo(), &step, None).await.unwrap();
    wire.done();
    receipt
}

fn asked(wire: &Wire, operation: &str) -> Asked {
    wire.asked().into_iter().rfind(|asked| asked.operation == operation).unwrap()
}

fn phases() -> Vec<PhaseDraft> {
    vec![PhaseDraft { phase: Phase::Parallel, children: vec![Number(5), Number(6)] }]
}

#[tokio::test]
async fn an_issue_is_made_with_its_text_in_the_slots() {
    let (wire, forge) = Wire::open().await;
    wire.status(
        "create_issue",
        201,
        json!({"number": 12, "created_at": at(1), "state": "open", "body": "canary"}),
    );
    let text = IssueText {
        title: Tainted::new("fix: a".into()),
        body: Tainted::new("b".into()),
        labels: vec![Label::new("security").unwrap()],
    };
    let step = Step::CreateIssue { fingerprint: Fingerprint::from_bytes([1; 16]) };
    let receipt = forge.perform(&repo(), &step, Some(text)).await.unwrap();
    assert_eq!(receipt, Receipt { at: at(1), made: Made::Issue { number: Number(12) } });
    let asked = wire.last();
    assert_eq!(
        (asked.verb, asked.path.as_str(), asked.kind),
        (Verb::Post, "/repos/acme/shop/issues", Kind::Write)
    );
    assert_eq!(asked.body, json!({"title": "fix: a", "body": "b", "labels": ["security"]}));
}

#[tokio::test]
async fn an_epic_is_made_in_the_documented_form() {
    let (wire, forge) = Wire::open().await;
    let title = |n: u64, title: &str| json!({"number": n, "title": title});
    wire.ok("Titles", by_number(vec![title(5, "one\n- [ ] #9 - x"), title(6, "two")]));
    wire.status("create_issue", 201, json!({"number": 20, "created_at": at(2)}));
    let epic = EpicDraft { theme: Theme::Quality, part: None, phases: phases() };
    assert_eq!(done(&wire, &forge, Step::CreateEpic { epic }).await.made, Made::Issue { number: Number(20) });
    let body = &wire.last().body;
    assert_eq!(body["labels"], json!(["agentic", "complexity:large"]));
    assert_eq!(body["title"], "epic(quality): 2 issues");
    assert_eq!(
        body["body"],
        "## Child issues\n### Phase 2: Parallel (parallelisable)\n- [ ] #5 - one - [ ] #9 - x\n- [ ] #6 - two\n"
    );
}

#[tokio::test]
async fn a_comment_is_a_fixed_sentence() {
    let (wire, forge) = Wire::open().await;
    wire.status("comment", 201, json!({"id": 5_000_000_000u64, "created_at": at(3), "user": {"id": 900}}));
    let receipt = done(&wire, &forge, Step::Comment { on: N, say: Sentence::FixReviews }).await;
    assert_eq!(receipt.made, Made::Comment { id: CommentId(5_000_000_000) });
    assert_eq!(wire.last().body, json!({"body": "Can you fix the code reviews?"}));
}

#[tokio::test]
async fn a_label_is_made_if_it_is_missing_and_added_by_its_node() {
    let subject = |label: Value| {
        within(
            json!({"label": label, "issueOrPullRequest": {"id": "I_7", "updatedAt": at(0), "labels": {"nodes": []}}}),
        )
    };
    let (wire, forge) = Wire::open().await;
    wire.ok("Subject", subject(Value::Null));
    wire.status("create_label", 201, json!({"name": "needs-intervention"}));
    wire.ok("Subject", subject(json!({"id": "LA_1"})));
    wire.ok("AddLabels", data(json!({"addLabelsToLabelable": {"clientMutationId": null}})));
    let step = Step::AddLabel { on: N, label: label(NEEDS_INTERVENTION) };
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Change);
    assert_eq!(wire.last().body["variables"]["input"], json!({"labelableId": "I_7", "labelIds": ["LA_1"]}));
    // Somebody else made it at the same time.
    wire.ok("Subject", subject(Value::Null));
    wire.status("create_label", 422, json!({"errors": [{"code": "already_exists"}]}));
    wire.ok("Subject", subject(json!({"id": "LA_1"})));
    wire.ok("AddLabels", data(json!({"addLabelsToLabelable": {}})));
    done(&wire, &forge, step).await;
}

#[tokio::test]
async fn an_issue_is_closed_as_completed() {
    let (wire, forge) = Wire::open().await;
    wire.ok("close_issue", json!({"number": 7, "state": "closed", "created_at": at(0), "closed_at": at(9)}));
    assert_eq!(done(&wire, &forge, Step::CloseIssue { issue: N }).await.at, at(9));
    assert_eq!(wire.last().body, json!({"state": "closed", "state_reason": "completed"}));
}

#[tokio::test]
async fn sub_issues_are_linked_by_their_number_in_the_whole_of_github() {
    let (wire, forge) = Wire::open().await;
    let step = Step::LinkChild { parent: Number(4), child: Number(5) };
    wire.ok("IssuesByNumber", by_number(vec![issue(4, "", &[]), issue(5, "", &[])]));
    wire.status("add_sub_issue", 201, json!({"id": 1}));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(
        (wire.last().path.as_str(), &wire.last().body),
        ("/repos/acme/shop/issues/4/sub_issues", &json!({"sub_issue_id": 5000}))
    );
    // A host without sub-issues is asked once.
    wire.ok("IssuesByNumber", by_number(vec![issue(4, "", &[]), issue(5, "", &[])]));
    wire.status("add_sub_issue", 404, json!({}));
    done(&wire, &forge, step.clone()).await;
    done(&wire, &forge, step).await;
}

#[tokio::test]
async fn dependencies_are_recorded_where_the_host_has_them() {
    let (wire, forge) = Wire::open().await;
    let step = Step::LinkBlocker { blocker: Number(4), blocked: Number(5) };
    wire.ok("IssuesByNumber", by_number(vec![issue(4, "", &[]), issue(5, "", &[])]));
    wire.status("add_blocked_by", 201, json!({}));
    done(&wire, &forge, step.clone()).await;
    let last = wire.last();
    assert_eq!(
        (last.path.as_str(), &last.body),
        ("/repos/acme/shop/issues/5/dependencies/blocked_by", &json!({"issue_id": 4000}))
    );
    wire.ok("IssuesByNumber", by_number(vec![issue(4, "", &[]), issue(5, "", &[])]));
    wire.status("add_blocked_by", 410, json!({}));
    done(&wire, &forge, step.clone()).await;
    done(&wire, &forge, step).await;
}

#[tokio::test]
async fn a_branch_begins_at_the_default_branch_and_one_that_is_there_stays() {
    let (wire, forge) = Wire::open().await;
    let step = Step::CreateBranch { branch: branch("epic/4-x") };
    wire.ok("BranchHead", within(json!({"ref": null}))).ok("RepositoryFacts", facts());
    wire.status("create_branch", 201, json!({"ref": "refs/heads/epic/4-x", "object": {"sha": sha('0')}}));
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Commit { sha: sha('0') });
    assert_eq!(wire.last().body, json!({"ref": "refs/heads/epic/4-x", "sha": sha('0')}));
    let there = || within(json!({"ref": {"target": {"oid": sha('5')}}}));
    wire.ok("BranchHead", there());
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Commit { sha: sha('5') });
    // Made by somebody else in between.
    wire.ok("BranchHead", within(json!({"ref": null}))).ok("RepositoryFacts", facts());
    wire.status("create_branch", 422, json!({"message": "Reference already exists"}))
        .ok("BranchHead", there());
    assert_eq!(done(&wire, &forge, step).await.made, Made::Commit { sha: sha('5') });
}

#[tokio::test]
async fn a_branch_is_deleted_only_where_it_is_thought_to_be() {
    let found = |head: Value, ahead: u64, pulls: Value| {
        within(
            json!({"id": "R_1", "defaultBranchRef": {"name": "main", "compare": {"aheadBy": ahead}}, "ref": head,
            "pullRequests": {"nodes": pulls, "pageInfo": end()}}),
        )
    };
    let at_a = || json!({"target": {"oid": sha('a')}});
    let (wire, forge) = Wire::open().await;
    let step = |at| Step::DeleteBranch { branch: branch("epic/4-x"), at };
    wire.ok("BranchToDelete", found(at_a(), 3, json!([{"number": 8}])));
    wire.ok("retarget", json!({"number": 8})).ok("UpdateRefs", data(json!({"updateRefs": {}})));
    done(&wire, &forge, step(Some(sha('a')))).await;
    assert_eq!(asked(&wire, "retarget").body, json!({"base": "main"}));
    let update = &asked(&wire, "UpdateRefs").body["variables"]["input"]["refUpdates"][0];
    assert_eq!(
        update,
        &json!({"name": "refs/heads/epic/4-x", "beforeOid": sha('a'), "afterOid": "0".repeat(40)})
    );
    // It moved on, has work of its own, or is gone already: nothing is sent.
    wire.ok("BranchToDelete", found(at_a(), 0, json!([])));
    done(&wire, &forge, step(Some(sha('b')))).await;
    wire.ok("BranchToDelete", found(at_a(), 1, json!([])));
    done(&wire, &forge, step(None)).await;
    wire.ok("BranchToDelete", found(Value::Null, 0, json!([])));
    done(&wire, &forge, step(Some(sha('a')))).await;
    // It moves between the look and the deletion.
    wire.ok("BranchToDelete", found(at_a(), 0, json!([]))).ok("UpdateRefs", refused("UNPROCESSABLE"));
    done(&wire, &forge, step(None)).await;
    // An older host.
    let unknown = json!({"errors": [{"extensions": {"code": "undefinedField"}, "message": "x"}]});
    wire.ok("BranchToDelete", found(at_a(), 0, json!([]))).ok("UpdateRefs", unknown);
    wire.status("delete_branch", 204, Value::Null);
    done(&wire, &forge, step(None)).await;
    assert_eq!(wire.last().verb, Verb::Delete);
}

#[tokio::test]
async fn a_pull_request_is_opened_once() {
    let (wire, forge) = Wire::open().await;
    let step = Step::OpenPull { closes: Number(5), head: branch("agent/5"), base: branch("epic/4-x") };
    let titles = || by_number(vec![json!({"number": 5, "title": "fix: it"})]);
    wire.ok("Titles", titles()).status(
        "open_pull",
        201,
        json!({"number": 30, "created_at": at(4), "state": "open"}),
    );
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Pull { number: Number(30) });
    assert_eq!(
        wire.last().body,
        json!({"title": "fix: it", "head": "agent/5", "base": "epic/4-x", "body": "Closes #5"})
    );
    // There is one already.
    wire.ok("Titles", titles()).status("open_pull", 422, json!({}));
    wire.ok("pulls_between", json!([{"number": 30, "created_at": at(4), "state": "open"}]));
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Pull { number: Number(30) });
    assert!(wire.last().path.contains("head=acme%3Aagent%2F5&base=epic%2F4-x"));
    // There is nothing to merge, or nothing to merge from.
    let there = || within(json!({"ref": {"target": {"oid": sha('5')}}}));
    for (second, expected) in [(there(), Refusal::Nothing), (within(json!({"ref": null})), Refusal::NotFound)]
    {
        wire.ok("Titles", titles()).status("open_pull", 422, json!({})).ok("pulls_between", json!([]));
        wire.ok("BranchHead", there()).ok("BranchHead", second);
        assert_eq!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Refused(expected)));
    }
}

#[tokio::test]
async fn a_thread_is_resolved_by_its_node() {
    let (wire, forge) = Wire::open().await;
    let step = Step::ResolveThread { pull: N, thread: ThreadId(11) };
    let threads =
        json!({"reviewThreads": {"nodes": [{"id": "T_1", "isResolved": false}], "pageInfo": end()}});
    wire.ok("PullThreads", of_pull(threads));
    let first = json!({"nodes": [{"fullDatabaseId": "11", "createdAt": at(1)}]});
    wire.ok("ThreadOrigins", data(json!({"nodes": [{"id": "T_1", "comments": first}]})));
    wire.ok(
        "ResolveThread",
        data(json!({"resolveReviewThread": {"thread": {"id": "T_1", "isResolved": true}}})),
    );
    done(&wire, &forge, step.clone()).await;
    assert_eq!(wire.last().body["variables"]["input"], json!({"threadId": "T_1"}));
    // Its node is remembered.
    wire.ok("ResolveThread", data(json!({"resolveReviewThread": {}})));
    done(&wire, &forge, step).await;
}

#[tokio::test]
async fn a_branch_is_updated_from_the_evaluated_head() {
    let (wire, forge) = Wire::open().await;
    let step = Step::UpdateBranch { pull: N, head: sha('a') };
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "BEHIND"})));
    wire.ok(
        "UpdateBranch",
        data(json!({"updatePullRequestBranch": {"pullRequest": {"headRefOid": sha('b')}}})),
    );
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Commit { sha: sha('b') });
    assert_eq!(
        wire.last().body["variables"]["input"],
        json!({"pullRequestId": "PR_7", "expectedHeadOid": sha('a')})
    );
    // The answer comes before the commit.
    let lineage = |commits: Value| of_pull(json!({"headRefOid": sha('a'), "commits": {"nodes": commits}}));
    let merge = json!([{"commit": {"oid": sha('c'), "committedDate": at(70), "author": {"user": {"databaseId": 900}},
        "parents": {"nodes": [{"oid": sha('a')}, {"oid": sha('0')}]}}}]);
    wire.ok("PullStateOf", state('a', json!({})));
    wire.ok(
        "UpdateBranch",
        data(json!({"updatePullRequestBranch": {"pullRequest": {"headRefOid": sha('a')}}})),
    );
    wire.ok("Lineage", lineage(json!([]))).ok("Lineage", lineage(merge));
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Commit { sha: sha('c') });
    for (head, more, expected) in
        [('b', json!({}), Refusal::HeadMoved), ('a', json!({"state": "CLOSED"}), Refusal::Ended)]
    {
        wire.ok("PullStateOf", state(head, more));
        assert_eq!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Refused(expected)));
    }
    wire.ok("PullStateOf", state('a', json!({}))).ok("UpdateBranch", refused("UNPROCESSABLE"));
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "DIRTY"})));
    assert_eq!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Refused(Refusal::Conflict)));
}

#[tokio::test]
async fn auto_merge_names_the_head_and_an_allowed_method() {
    let (wire, forge) = Wire::open().await;
    let step = Step::EnableAutoMerge { pull: N, head: sha('a') };
    wire.ok("PullStateOf", state('a', json!({})));
    wire.ok("EnableAutoMerge", data(json!({"enablePullRequestAutoMerge": {}})));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(
        wire.last().body["variables"]["input"],
        json!({"pullRequestId": "PR_7", "expectedHeadOid": sha('a'), "mergeMethod": "SQUASH"})
    );
    wire.ok("PullStateOf", state('a', json!({"headRefName": "epic/4-x"})));
    wire.ok("EnableAutoMerge", data(json!({"enablePullRequestAutoMerge": {}})));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(wire.last().body["variables"]["input"]["mergeMethod"], "MERGE");
    wire.ok("PullStateOf", state('a', json!({"autoMergeRequest": {"enabledAt": at(8)}})));
    assert_eq!(done(&wire, &forge, step).await.at, at(8));
}

#[tokio::test]
async fn a_merge_names_the_evaluated_head() {
    let (wire, forge) = Wire::open().await;
    let step = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    wire.ok("PullStateOf", state('a', json!({})))
        .ok("merge", json!({"sha": sha('d'), "merged": true, "message": "x"}));
    assert_eq!(done(&wire, &forge, step.clone()).await.made, Made::Commit { sha: sha('d') });
    assert_eq!(wire.last().body, json!({"sha": sha('a'), "merge_method": "squash"}));
    wire.ok("PullStateOf", state('b', json!({})));
    assert_eq!(forge.perform(&repo(), &step, None).await, Err(ForgeError::Refused(Refusal::HeadMoved)));
}

#[tokio::test]
async fn a_merge_falls_back_to_the_method_that_is_allowed_and_tidies_up() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let mut only_merges = facts();
    only_merges["data"]["repository"]["squashMergeAllowed"] = json!(false);
    only_merges["data"]["repository"]["deleteBranchOnMerge"] = json!(false);
    wire.ok("Glance", only_merges);
    forge.repo(&repo()).await.unwrap();
    let step = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    wire.ok("PullStateOf", state('a', json!({}))).ok("merge", json!({"sha": sha('d'), "merged": true}));
    // GitHub does not delete the branch, and should that fail, it stays.
    wire.ok("UpdateRefs", refused("UNPROCESSABLE"));
    done(&wire, &forge, step).await;
    assert_eq!(asked(&wire, "merge").body["merge_method"], "merge");
    let update = &asked(&wire, "UpdateRefs").body["variables"]["input"]["refUpdates"][0];
    assert_eq!((&update["name"], &update["beforeOid"]), (&json!("refs/heads/agent/5"), &json!(sha('a'))));
}

#[tokio::test]
async fn a_base_with_a_merge_queue_gets_the_pull_request_into_the_queue() {
    let (wire, forge) = Wire::open().await;
    let step = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    wire.ok("PullStateOf", state('a', json!({"isMergeQueueEnabled": true})));
    wire.ok("Enqueue", data(json!({"enqueuePullRequest": {"mergeQueueEntry": {"enqueuedAt": at(40)}}})));
    assert_eq!(done(&wire, &forge, step.clone()).await, Receipt { at: at(40), made: Made::Change });
    assert_eq!(wire.last().body["variables"]["input"]["expectedHeadOid"], json!(sha('a')));
    wire.ok(
        "PullStateOf",
        state('a', json!({"isMergeQueueEnabled": true, "mergeQueueEntry": {"enqueuedAt": at(40)}})),
    );
    assert_eq!(done(&wire, &forge, step).await.at, at(40));
}

fn body(text: &str) -> Value {
    within(json!({"issue": {"body": text}}))
}

/// The body with its last versions, newest first.
fn edits(body: &str, versions: &[&str]) -> Value {
    let nodes: Vec<Value> = versions.iter().map(|text| json!({ "diff": text })).collect();
    within(json!({"issue": {"body": body, "userContentEdits": {"nodes": nodes}}}))
}

#[tokio::test]
async fn ticks_change_their_lines_only_and_are_read_back() {
    let before =
        "intro\r\n### Phase 2: Parallel (parallelisable)\r\n- [ ] #5 - a\r\n- [ ] #6 - b\r\nfoot \u{1f980}";
    let ticked = |text: &str| text.replace("- [ ] #5", "- [x] #5").replace("- [ ] #6", "- [x] #6");
    let after = ticked(before);
    let (wire, forge) = Wire::open().await;
    let step = Step::Tick { epic: Number(4), children: vec![Number(5), Number(6)] };
    wire.ok("EpicBody", body(before)).ok("edit_body", json!({"number": 4}));
    wire.ok("EpicEdits", edits(&after, &[&after, before]));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(asked(&wire, "edit_body").body, json!({ "body": after }));
    // Somebody who had the old text in his editor wrote right after us.
    let theirs = before.replace("intro", "a new intro");
    wire.ok("EpicBody", body(before)).ok("edit_body", json!({}));
    wire.ok("EpicEdits", edits(&theirs, &[&theirs, &after, before])).ok("edit_body", json!({}));
    wire.ok("EpicEdits", edits(&ticked(&theirs), &[&ticked(&theirs), &theirs, &after, before]));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(asked(&wire, "edit_body").body["body"], json!(ticked(&theirs)));
    // Ticked already: nothing is sent.
    wire.ok("EpicBody", body(&after)).ok("EpicEdits", edits(&after, &[&after, before]));
    done(&wire, &forge, step.clone()).await;
    // An attempt that was cut off had ticked the old text over somebody's new one.
    wire.ok("EpicBody", body(&after)).ok("EpicEdits", edits(&after, &[&after, &theirs, before]));
    let both = ticked(&theirs);
    wire.ok("edit_body", json!({})).ok("EpicEdits", edits(&both, &[&both, &after, &theirs, before]));
    done(&wire, &forge, step).await;
    assert_eq!(asked(&wire, "edit_body").body["body"], json!(both));
}

#[tokio::test]
async fn what_somebody_wrote_between_our_look_and_our_write_is_kept() {
    let before = "intro\n### Phase 2: Parallel\n- [ ] #5 - a\n";
    let ticked = |text: &str| text.replace("- [ ] #5", "- [x] #5");
    let theirs = before.replace("intro", "a new intro");
    let (wire, forge) = Wire::open().await;
    let step = Step::Tick { epic: Number(4), children: vec![Number(5)] };
    wire.ok("EpicBody", body(before)).ok("edit_body", json!({}));
    wire.ok("EpicEdits", edits(&ticked(before), &[&ticked(before), &theirs, before]))
        .ok("edit_body", json!({}));
    let both = ticked(&theirs);
    wire.ok("EpicEdits", edits(&both, &[&both, &ticked(before), &theirs, before]));
    done(&wire, &forge, step.clone()).await;
    assert_eq!(asked(&wire, "edit_body").body["body"], json!(both));
    // A host that tells no versions.
    wire.ok("EpicBody", body(before)).ok("edit_body", json!({}));
    let unknown = || json!({"errors": [{"extensions": {"code": "undefinedField"}}]});
    wire.ok("EpicEdits", unknown()).ok("EpicBody", body(&ticked(before)));
    done(&wire, &forge, step).await;
}

#[tokio::test]
async fn a_checklist_grows_at_the_end_of_its_phases() {
    let (wire, forge) = Wire::open().await;
    let before = "### Phase 2: Parallel (parallelisable)\n- [x] #5 - a\n";
    let after = format!("{before}- [ ] #6 - b\n");
    let title = |n: u64, title: &str| json!({"number": n, "title": title});
    wire.ok("Titles", by_number(vec![title(5, "a"), title(6, "b")])).ok("EpicBody", body(before));
    wire.ok("edit_body", json!({})).ok("EpicEdits", edits(&after, &[&after, before]));
    done(&wire, &forge, Step::ExtendChecklist { epic: Number(4), phases: phases() }).await;
    assert_eq!(asked(&wire, "edit_body").body["body"], json!(after));
}
