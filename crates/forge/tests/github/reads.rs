//! What is read, and how it is judged (S10).

use crate::script::{
    ME, N, Wire, at, branch, by_number, data, end, facts, issue, more, of_pull, open_pulls, pull, repo, run,
    run_of, sha, within,
};
use banksman_core::{
    id::{ActorId, Number, ThreadId},
    port::{Forge, ForgeError, IssueQuery, Offered, PullQuery, Refusal},
    signals::{AutoMerge, CheckState, MergeState, PullState, Signals, TitleKind},
    text::Login,
};
use banksman_forge::github::{GithubRepo, GithubSettings};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The signals of one open pull request.
async fn judged(change: impl FnOnce(&mut Value)) -> Signals {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    change(&mut one);
    wire.ok("OpenPulls", open_pulls(vec![one]));
    let mut found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    wire.done();
    found.pop().unwrap()
}

#[tokio::test]
async fn facts_are_told_with_what_the_repository_offers() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    wire.ok("Glance", facts());
    let facts = forge.repo(&repo()).await.unwrap();
    assert_eq!((facts.me, facts.default_branch.as_str()), (ActorId(ME), "main"));
    assert_eq!((facts.offers.auto_merge, facts.offers.merge_queue), (Offered::Yes, Offered::No));
}

/// A repository with an epic, two children and a pull request.
fn busy() -> Value {
    let mut busy = facts();
    let inside = &mut busy["data"]["repository"];
    inside["pullRequests"]["nodes"] = json!([pull(7)]);
    inside["issues"]["nodes"] =
        json!([issue(4, "epic(quality): 2 issues", &["agentic"]), issue(5, "fix: a", &[])]);
    inside["epics"]["nodes"] =
        json!([{"number": 4, "body": "canary\n### Phase 2: Parallel\n- [ ] #5 - a\n- [x] #6 - b\n"}]);
    inside["recent"]["nodes"] = json!([{"number": 5, "updatedAt": at(5)}, {"number": 6, "updatedAt": at(5)}]);
    inside["refs"]["nodes"] = json!([{"name": "epic/4-quality", "target": {"oid": sha('e')}}]);
    busy
}

/// All that one look asks for.
async fn look(forge: &impl Forge) {
    forge.repo(&repo()).await.unwrap();
    assert_eq!(forge.issues(&repo(), &IssueQuery::Open).await.unwrap().len(), 2);
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap().len(), 1);
    let list = forge.checklist(&repo(), Number(4)).await.unwrap();
    assert_eq!(list.entries.iter().map(|entry| entry.child.0).collect::<Vec<_>>(), [5, 6]);
    let children =
        forge.issues(&repo(), &IssueQuery::Numbers(vec![Number(4), Number(5), Number(6)])).await.unwrap();
    assert_eq!(children.iter().map(|issue| issue.open).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(forge.branch(&repo(), &branch("epic/4-quality")).await, Ok(Some(sha('e'))));
    assert_eq!(forge.branch(&repo(), &branch("epic/9-gone")).await, Ok(None));
}

#[tokio::test]
async fn one_glance_serves_a_whole_look() {
    let closed = || {
        let mut closed = issue(6, "fix: b", &[]);
        closed["state"] = json!("CLOSED");
        by_number(vec![closed])
    };
    let (wire, forge) = Wire::new(GithubSettings::default());
    wire.ok("Glance", busy()).ok("open_issues", json!([])).ok("IssuesByNumber", closed());
    look(&forge).await;
    wire.done();
    // The next one needs nothing else: dependencies are read now and then, and the closed child did not change.
    wire.ok("Glance", busy());
    look(&forge).await;
    wire.done();
    // It changed.
    let mut changed = busy();
    changed["data"]["repository"]["recent"]["nodes"][1]["updatedAt"] = json!(at(900));
    wire.ok("Glance", changed).ok("IssuesByNumber", closed());
    look(&forge).await;
    wire.done();
}

#[tokio::test]
async fn a_glance_is_good_for_nothing_after_a_change_or_a_while() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let head = || within(json!({"ref": {"target": {"oid": sha('f')}}}));
    let epic = branch("epic/4-quality");
    wire.ok("Glance", busy());
    forge.repo(&repo()).await.unwrap();
    wire.ok("close_issue", json!({"number": 5, "created_at": at(0)}));
    let close = banksman_core::intent::Step::CloseIssue { issue: Number(5) };
    forge.perform(&repo(), &close, None).await.unwrap();
    wire.ok("BranchHead", head());
    assert_eq!(forge.branch(&repo(), &epic).await, Ok(Some(sha('f'))));
    wire.ok("Glance", busy());
    forge.repo(&repo()).await.unwrap();
    wire.pass(31);
    wire.ok("BranchHead", head());
    assert_eq!(forge.branch(&repo(), &epic).await, Ok(Some(sha('f'))));
    wire.done();
}

#[tokio::test]
async fn longer_lists_go_on_where_the_glance_ends() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let mut first = busy();
    first["data"]["repository"]["pullRequests"]["pageInfo"] = more();
    wire.ok("Glance", first).ok("OpenPulls", open_pulls(vec![pull(8)]));
    forge.repo(&repo()).await.unwrap();
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap().len(), 2);
    assert_eq!(wire.last().body["variables"]["after"], "Y3Vyc29y");
}

#[tokio::test]
async fn a_host_that_cannot_answer_a_glance_is_asked_piece_by_piece() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    wire.ok("Glance", json!({"errors": [{"extensions": {"code": "undefinedField"}}]}))
        .ok("RepositoryFacts", facts());
    forge.repo(&repo()).await.unwrap();
    wire.ok("OpenPulls", open_pulls(vec![pull(7)]));
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap().len(), 1);
    // And the facts are not asked for again so soon.
    forge.repo(&repo()).await.unwrap();
    wire.done();
}

#[tokio::test]
async fn an_archived_repository_is_refused_as_a_whole() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let mut archived = facts();
    archived["data"]["repository"]["isArchived"] = json!(true);
    wire.ok("Glance", archived);
    assert_eq!(forge.repo(&repo()).await, Err(ForgeError::Refused(Refusal::Archived)));
}

#[tokio::test]
async fn a_renamed_repository_is_followed_under_its_new_name() {
    let (wire, forge) = Wire::new(GithubSettings::default());
    let mut renamed = facts();
    renamed["data"]["repository"]["nameWithOwner"] = json!("acme/store");
    wire.ok("Glance", renamed);
    forge.repo(&repo()).await.unwrap();
    assert_eq!(forge.renamed(&repo()).unwrap().as_str(), "acme/store");
    wire.ok("BranchHead", within(json!({"ref": {"target": {"oid": sha('b')}}})));
    assert_eq!(forge.branch(&repo(), &branch("x")).await, Ok(Some(sha('b'))));
    assert_eq!(wire.last().body["variables"]["name"], "store");
}

#[tokio::test]
async fn a_hundred_open_pull_requests_cost_four_requests() {
    let (wire, forge) = Wire::open().await;
    for page in 0..4 {
        let pulls: Vec<Value> = (1..=25).map(|n| pull(page * 25 + n)).collect();
        let mut answer = open_pulls(pulls);
        if page < 3 {
            answer["data"]["repository"]["pullRequests"]["pageInfo"] = more();
        }
        wire.ok("OpenPulls", answer);
    }
    let before = wire.asked().len();
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap().len(), 100);
    assert_eq!(wire.asked().len() - before, 4);
}

#[tokio::test]
async fn structure_becomes_signals() {
    let signals = judged(|_| {}).await;
    assert_eq!((signals.number, &signals.state), (N, &PullState::Open));
    assert_eq!((signals.head, signals.head_branch.as_str()), (sha('a'), "agent/5"));
    assert_eq!(signals.closes, [Number(5)], "its branch is that of the child");
    assert!(
        signals.checks.iter().all(|check| check.state == CheckState::Passing) && signals.checks.len() == 1
    );
    assert_eq!(signals.auto_merge, AutoMerge::NotOffered);
}

#[tokio::test]
async fn checks_of_other_apps_and_statuses_do_not_count() {
    let signals = judged(|pull| {
        pull["statusCheckRollup"]["contexts"]["nodes"] = json!([
            run_of(666, "test", "SUCCESS"),
            {"__typename": "StatusContext", "context": "test", "state": "SUCCESS", "createdAt": at(1), "creator": null},
        ]);
    })
    .await;
    assert!(signals.checks.is_empty() && !signals.all_green());
}

#[tokio::test]
async fn of_checks_with_one_name_the_worst_counts_and_no_name_hides_one() {
    let signals = judged(|pull| {
        pull["statusCheckRollup"]["contexts"]["nodes"] = json!([
            run("test", "SUCCESS"),
            run("test", "FAILURE"),
            run("bu\u{202e}ild", "FAILURE"),
            run("new", "A_NEW_WORD")
        ]);
    })
    .await;
    assert_eq!(signals.check_counts().failing, 3);
    let pending = judged(|pull| {
        pull["statusCheckRollup"]["contexts"]["nodes"][0]["status"] = json!("SOMETHING_NEW");
    })
    .await;
    assert_eq!(pending.check_counts().pending, 1);
}

#[tokio::test]
async fn what_is_resolved_by_the_author_counts_only_where_no_review_is_required() {
    let threads = |pull: &mut Value| {
        pull["author"] = json!({"login": "jules", "databaseId": 5});
        pull["reviewThreads"]["nodes"] = json!([
            {"id": "T_1", "isResolved": true, "resolvedBy": {"databaseId": 5}},
            {"id": "T_2", "isResolved": true, "resolvedBy": {"databaseId": 6}},
            {"id": "T_3", "isResolved": true, "resolvedBy": null},
        ]);
    };
    for (decision, expected) in
        [(Value::Null, [true, true, true]), (json!("REVIEW_REQUIRED"), [false, true, false])]
    {
        let (wire, forge) = Wire::open().await;
        let mut one = pull(7);
        threads(&mut one);
        one["reviewDecision"] = decision;
        wire.ok("OpenPulls", open_pulls(vec![one.clone()]));
        let first = |id: &str, number: u64| json!({"id": id, "comments": {"nodes": [{"fullDatabaseId": number.to_string(), "createdAt": at(1)}]}});
        wire.ok("ThreadOrigins", data(json!({"nodes": [first("T_1", 1), first("T_2", 2), first("T_3", 3)]})));
        let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
        assert_eq!(found[0].threads.iter().map(|t| t.resolved).collect::<Vec<_>>(), expected);
        assert_eq!(found[0].threads[0].id, ThreadId(1));
        // Who they are is asked once. What Banksman resolved before it was started again, GitHub does not name where it is an app.
        forge.remember_resolved([ThreadId(3)]);
        wire.ok("OpenPulls", open_pulls(vec![one]));
        let again = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
        assert!(again[0].threads[2].resolved);
        assert_eq!(again[0].threads[0].resolved, expected[0]);
        wire.done();
    }
}

#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    one["statusCheckRollup"]["contexts"]["pageInfo"] = more();
    wire.ok("OpenPulls", open_pulls(vec![one]));
    wire.ok(
        "PullChecks",
        of_pull(json!({"headRefOid": sha('a'),
            "statusCheckRollup": {"contexts": {"nodes": [run("lint", "FAILURE")], "pageInfo": end()}}})),
    );
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].check_counts().total, 2);
    assert_eq!(found[0].merge_state, MergeState::Clean);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_whole_is_only_waited_for() {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    one["statusCheckRollup"]["contexts"]["pageInfo"] = more();
    wire.ok("OpenPulls", open_pulls(vec![one]));
    // The head moved while it was read.
    wire.ok("PullChecks", of_pull(json!({"headRefOid": sha('b'), "statusCheckRollup": null})));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].merge_state, MergeState::Unknown);
}

#[tokio::test]
async fn unknown_mergeability_is_asked_again_and_then_passed_on() {
    let unknown = || {
        let mut one = pull(7);
        one["mergeable"] = json!("UNKNOWN");
        one["mergeStateStatus"] = json!("UNKNOWN");
        open_pulls(vec![one])
    };
    let again = |mergeable: &str, state: &str| {
        data(json!({"nodes": [{"number": 7, "headRefOid": sha('a'), "mergeable": mergeable,
            "mergeStateStatus": state, "viewerCanEnableAutoMerge": false}]}))
    };
    let (wire, forge) = Wire::open().await;
    wire.ok("OpenPulls", unknown());
    wire.ok("Mergeability", again("UNKNOWN", "UNKNOWN")).ok("Mergeability", again("MERGEABLE", "BEHIND"));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].merge_state, MergeState::Behind);
    let before = wire.now();
    wire.ok("OpenPulls", unknown());
    for _ in 0..3 {
        wire.ok("Mergeability", again("UNKNOWN", "UNKNOWN"));
    }
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].merge_state, MergeState::Unknown);
    assert_eq!(wire.now().duration_since(before).as_secs(), 7, "with growing pauses");
    wire.done();
}

#[tokio::test]
async fn the_date_that_an_author_wrote_into_a_commit_cannot_run_ahead() {
    let forged = |date| {
        judged(move |pull| {
            pull["statusCheckRollup"]["commit"]["committedDate"] = json!(date);
            pull["statusCheckRollup"]["contexts"]["nodes"] = json!([]);
        })
    };
    assert_eq!(forged(at(900_000)).await.head_at, at(100), "never later than it was seen");
    assert_eq!(forged(at(-900_000)).await.head_at, at(0), "never earlier than the pull request");
    assert_eq!(judged(|_| {}).await.head_at, at(10), "what the server says about its checks goes first");
}

#[tokio::test]
async fn approvals_count_for_the_head_and_never_for_ones_own() {
    let approval =
        |oid, id: u64| json!({"state": "APPROVED", "commit": {"oid": oid}, "author": {"databaseId": id}});
    let signals = judged(|pull| {
        pull["reviewDecision"] = json!("REVIEW_REQUIRED");
        pull["baseRef"]["refUpdateRule"] =
            json!({"requiredApprovingReviewCount": 2, "requiredStatusCheckContexts": []});
        pull["latestOpinionatedReviews"]["nodes"] = json!([
            approval(sha('a'), 1), approval(sha('9'), 2), approval(sha('a'), ME), approval(sha('a'), 1),
            {"state": "APPROVED", "commit": {"oid": sha('a')}, "author": null},
            {"state": "CHANGES_REQUESTED", "commit": {"oid": sha('9')}, "author": {"databaseId": 3}},
        ]);
    })
    .await;
    let reviews = signals.reviews;
    assert_eq!((reviews.approved, reviews.changes_requested, reviews.required), (1, 1, 2));
}

#[tokio::test]
async fn an_approval_outlives_own_updates_from_the_base_only() {
    for (author, approved) in [(ME, 1), (5, 0)] {
        let (wire, forge) = Wire::open().await;
        let mut one = pull(7);
        one["author"] = json!({"login": "jules", "databaseId": 5});
        one["reviewDecision"] = json!("APPROVED");
        one["latestOpinionatedReviews"]["nodes"] =
            json!([{"state": "APPROVED", "commit": {"oid": sha('9')}, "author": {"databaseId": 1}}]);
        wire.ok("OpenPulls", open_pulls(vec![one]));
        wire.ok(
            "Lineage",
            of_pull(json!({"headRefOid": sha('a'), "commits": {"nodes": [
                {"commit": {"oid": sha('9'), "committedDate": at(0), "author": null, "parents": {"nodes": []}}},
                {"commit": {"oid": sha('a'), "committedDate": at(1), "author": {"user": {"databaseId": author}},
                    "parents": {"nodes": [{"oid": sha('9')}, {"oid": sha('1')}]}}},
            ]}})),
        );
        let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
        assert_eq!(found[0].reviews.approved, approved);
        wire.done();
    }
}

#[tokio::test]
async fn auto_merge_is_offered_only_where_every_check_that_counts_is_required() {
    let offered = |required: Value| {
        judged(move |pull| {
            pull["viewerCanEnableAutoMerge"] = json!(true);
            pull["baseRef"]["refUpdateRule"] = json!({"requiredStatusCheckContexts": required});
        })
    };
    assert_eq!(offered(json!(["test"])).await.auto_merge, AutoMerge::Off);
    assert_eq!(offered(json!(["other"])).await.auto_merge, AutoMerge::NotOffered);
    assert_eq!(offered(json!([])).await.auto_merge, AutoMerge::NotOffered);
    let queued = judged(|pull| pull["isInMergeQueue"] = json!(true)).await;
    assert_eq!(queued.auto_merge, AutoMerge::Armed);
}

#[tokio::test]
async fn a_branch_of_a_fork_is_none_of_ours() {
    let signals = judged(|pull| {
        pull["isCrossRepository"] = json!(true);
        pull["headRepositoryOwner"] = json!({"login": "mallory"});
        pull["headRefName"] = json!("epic/4-quality");
    })
    .await;
    assert_eq!(signals.head_branch.as_str(), "fork/mallory/epic/4-quality");
    assert!(signals.closes.is_empty());
}

#[tokio::test]
async fn a_pull_request_with_a_name_of_no_valid_shape_is_left_alone() {
    let (wire, forge) = Wire::open().await;
    let mut odd = pull(7);
    odd["headRefName"] = json!("x\u{202e}y; rm -rf /");
    wire.ok("OpenPulls", open_pulls(vec![odd, pull(8)]));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found.iter().map(|s| s.number.0).collect::<Vec<_>>(), [8]);
}

#[tokio::test]
async fn ended_pull_requests_are_read_by_number() {
    let (wire, forge) = Wire::open().await;
    let mut merged = pull(7);
    merged["state"] = json!("MERGED");
    merged["mergedAt"] = json!(at(60));
    merged["mergeCommit"] = json!({"oid": sha('c')});
    let errors = json!([{"type": "NOT_FOUND", "path": ["repository", "p1"], "message": "canary"}]);
    let mut answer = within(json!({"nameWithOwner": "acme/shop", "p0": merged, "p1": null, "p2": null}));
    answer["errors"] = errors;
    wire.ok("PullsByNumber", answer);
    let found = forge.pulls(&repo(), &PullQuery::Numbers(vec![N, Number(99)])).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].state, PullState::Merged { at: at(60), commit: sha('c') });
}

#[tokio::test]
async fn a_pull_request_of_a_hosted_agent_is_linked_by_its_mention() {
    let agent = GithubRepo { agents: vec![Login::new("jules[bot]").unwrap()], ..GithubRepo::default() };
    let settings = GithubSettings { repos: BTreeMap::from([(repo(), agent)]), ..GithubSettings::default() };
    let (wire, forge) = Wire::new(settings);
    wire.ok("Glance", facts()).ok("account", json!({"id": 5, "login": "jules[bot]", "name": "canary"}));
    let facts = forge.repo(&repo()).await.unwrap();
    assert_eq!(facts.agents, [ActorId(5)]);
    assert!(wire.last().path.ends_with("/users/jules%5Bbot%5D"));
    wire.pass(31);
    let mut one = pull(7);
    one["author"] = json!({"login": "jules", "databaseId": 5});
    one["headRefName"] = json!("jules/quick-fix");
    let from = json!({"__typename": "CrossReferencedEvent", "source": {"number": 7, "repository": {"nameWithOwner": "acme/shop"}}});
    let mentions = |numbers: &[u64]| {
        let issues: Vec<Value> =
            numbers.iter().map(|n| json!({"number": n, "timelineItems": {"nodes": [from, {"__typename": "CrossReferencedEvent", "source": {}}]}})).collect();
        within(json!({"issues": {"nodes": issues, "pageInfo": end()}}))
    };
    // The epic of its base is spoken of as well.
    wire.ok("OpenPulls", open_pulls(vec![one.clone()])).ok("References", mentions(&[4, 12]));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].closes, [Number(12)]);
    wire.ok("OpenPulls", open_pulls(vec![one]));
    assert_eq!(forge.pulls(&repo(), &PullQuery::Open).await.unwrap()[0].closes, [Number(12)]);
    wire.done();
}

#[tokio::test]
async fn issues_are_read_by_structure_and_the_first_word_of_their_title() {
    let (wire, forge) = Wire::open().await;
    let mut first = issue(3, "feat(api): canary", &["audit", "\u{1f480}"]);
    first["parent"] = json!({"number": 1, "repository": {"nameWithOwner": "acme/shop"}});
    let page =
        within(json!({"nameWithOwner": "acme/shop", "issues": {"nodes": [first, null], "pageInfo": end()}}));
    let rest = json!([
        {"number": 3, "state": "open", "created_at": at(0), "issue_dependencies_summary": {"blocked_by": 1}},
        {"number": 9, "state": "open", "created_at": at(0), "pull_request": {}},
    ]);
    let blocker = json!([{"number": 3, "state": "open", "created_at": at(0)}, {"number": 2, "state": "closed", "created_at": at(0)}]);
    wire.ok("OpenIssues", page.clone()).ok("open_issues", rest).ok("blocked_by", blocker);
    let found = forge.issues(&repo(), &IssueQuery::Open).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].title.kind, Some(TitleKind::Feat));
    assert_eq!(found[0].labels.iter().map(|l| l.as_str()).collect::<Vec<_>>(), ["audit"]);
    assert_eq!((found[0].parent, &*found[0].blocked_by), (Some(Number(1)), &[Number(3)][..]));
    // Dependencies are read now and then only.
    wire.ok("OpenIssues", page);
    forge.issues(&repo(), &IssueQuery::Open).await.unwrap();
    wire.done();
}

#[tokio::test]
async fn issues_by_number_come_twelve_at_a_time() {
    let (wire, forge) = Wire::open().await;
    wire.ok("IssuesByNumber", by_number((1..=12).map(|n| issue(n, "x", &[])).collect()));
    wire.ok("IssuesByNumber", by_number(vec![issue(13, "x", &[]), issue(13, "x", &[])]));
    wire.ok("open_issues", json!([]));
    let numbers = (1..=13).map(Number).collect();
    let found = forge.issues(&repo(), &IssueQuery::Numbers(numbers)).await.unwrap();
    assert_eq!(found.iter().map(|i| i.number.0).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
}
