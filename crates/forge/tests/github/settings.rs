//! Repositories and pull requests that are not as one would like them: what is done instead, or what is waited for.

use crate::script::{N, Wire, branch, data, facts, open_pulls, pull, refused, repo, sha, state, within};
use banksman_core::{
    intent::{Made, MergeMethod, Step},
    policy::{Action, Decision, History, Limits, WaitReason, decide},
    port::{Forge, ForgeError, Offered, PullQuery, Refusal},
    signals::Signals,
    text::BranchName,
};
use serde_json::{Value, json};

/// The signals of the pull request once something about it is changed.
async fn seen(change: impl FnOnce(&mut Value)) -> Signals {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    change(&mut one);
    wire.ok("OpenPulls", open_pulls(vec![one]));
    forge.pulls(&repo(), &PullQuery::Open).await.unwrap().remove(0)
}

/// What is done about it, nothing having been done before.
fn decided(signals: &Signals) -> Decision {
    decide(signals, &History::default(), &Limits::default(), signals.updated_at)
}

#[tokio::test]
async fn required_reviews_are_waited_for_and_never_merged_past() {
    let signals = seen(|pull| {
        pull["mergeStateStatus"] = json!("BLOCKED");
        pull["reviewDecision"] = json!("REVIEW_REQUIRED");
        pull["baseRef"] = json!({"refUpdateRule": {"requiredApprovingReviewCount": 2}});
    })
    .await;
    assert_eq!((signals.reviews.required, signals.reviews.approved), (2, 0));
    assert_eq!(decided(&signals).action, Action::Wait { reason: WaitReason::ReviewRequired });
    // GitHub refuses all the same if somebody tries.
    let (wire, forge) = Wire::open().await;
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "BLOCKED"})));
    wire.status("merge", 405, json!({"message": "canary"}));
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "BLOCKED"})));
    let step = Step::Merge { pull: N, head: sha('a'), method: MergeMethod::Squash };
    let end = forge.perform(&repo(), &step, None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::NotAllowed)));
}

#[tokio::test]
async fn without_auto_merge_banksman_merges_by_itself() {
    let (wire, forge) = Wire::open().await;
    let mut without = facts();
    without["data"]["repository"]["autoMergeAllowed"] = json!(false);
    wire.ok("Glance", without);
    assert_eq!(forge.repo(&repo()).await.unwrap().offers.auto_merge, Offered::No);
    // Where it is off, GitHub offers it on no pull request, however its base is protected.
    let signals = seen(|pull| {
        pull["baseRef"]["refUpdateRule"] = json!({"requiredStatusCheckContexts": ["test"]});
    })
    .await;
    assert_eq!(decided(&signals).action, Action::Merge { head: sha('a') });
}

#[tokio::test]
async fn a_pull_request_from_a_fork_whose_repository_is_gone_is_nobodys_branch() {
    let signals = seen(|pull| {
        pull["isCrossRepository"] = json!(true);
        pull["headRepositoryOwner"] = Value::Null;
        pull["headRefName"] = json!("agent/5");
    })
    .await;
    assert_eq!(signals.head_branch.as_str(), "fork/gone/agent/5");
    assert!(signals.closes.is_empty(), "a name like one of ours says nothing");
}

#[tokio::test]
async fn a_head_branch_that_was_deleted_is_refused_as_it_is_and_never_made_again() {
    let (wire, forge) = Wire::open().await;
    let step = Step::UpdateBranch { pull: N, head: sha('a') };
    // GitHub has no branch to merge the base into.
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "BEHIND"})));
    wire.ok("UpdateBranch", refused("UNPROCESSABLE"));
    wire.ok("PullStateOf", state('a', json!({"mergeStateStatus": "BEHIND"})));
    let end = forge.perform(&repo(), &step, None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::NotAllowed)));
    // As a rule GitHub closes such a pull request.
    wire.ok("PullStateOf", state('a', json!({"state": "CLOSED"})));
    let end = forge.perform(&repo(), &step, None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::Ended)));
    // To delete it once more is done already.
    wire.ok(
        "BranchToDelete",
        within(json!({"id": "R_1", "defaultBranchRef": {"name": "main", "compare": null}, "ref": null,
            "pullRequests": {"nodes": [], "pageInfo": crate::script::end()}})),
    );
    let step = Step::DeleteBranch { branch: branch("agent/5"), at: Some(sha('a')) };
    assert_eq!(forge.perform(&repo(), &step, None).await.unwrap().made, Made::Change);
    wire.done();
}

#[tokio::test]
async fn a_default_branch_that_moves_is_followed_by_name_and_by_head() {
    let (wire, forge) = Wire::open().await;
    let with = |name: &str, head: char| {
        let mut moved = facts();
        moved["data"]["repository"]["defaultBranchRef"] = json!({"name": name, "target": {"oid": sha(head)}});
        moved
    };
    wire.ok("Glance", with("trunk", '1'));
    let known = forge.repo(&repo()).await.unwrap();
    assert_eq!((known.default_branch, known.default_head), (BranchName::new("trunk").unwrap(), sha('1')));
    // A branch begins where the default branch is when it is made, not where it was seen.
    wire.ok("BranchHead", within(json!({"ref": null}))).ok("RepositoryFacts", with("trunk", '2'));
    wire.status("create_branch", 201, json!({"ref": "refs/heads/epic/4-x", "object": {"sha": sha('2')}}));
    let step = Step::CreateBranch { branch: branch("epic/4-x") };
    let made = forge.perform(&repo(), &step, None).await.unwrap().made;
    assert_eq!(made, Made::Commit { sha: sha('2') });
    assert_eq!(wire.last().body["sha"], json!(sha('2')));
    // The old one is deleted as any other, the present one never is.
    let found = |name: &str| {
        within(json!({"id": "R_1", "defaultBranchRef": {"name": name, "compare": {"aheadBy": 0}},
            "ref": {"target": {"oid": sha('2')}}, "pullRequests": {"nodes": [], "pageInfo": crate::script::end()}}))
    };
    let step = Step::DeleteBranch { branch: branch("trunk"), at: None };
    wire.ok("BranchToDelete", found("trunk"));
    let end = forge.perform(&repo(), &step, None).await;
    assert_eq!(end, Err(ForgeError::Refused(Refusal::NotAllowed)));
    let step = Step::DeleteBranch { branch: branch("main"), at: None };
    wire.ok("BranchToDelete", found("trunk")).ok("UpdateRefs", data(json!({"updateRefs": {}})));
    forge.perform(&repo(), &step, None).await.unwrap();
    wire.done();
}
