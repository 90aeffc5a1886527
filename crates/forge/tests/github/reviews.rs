//! Reviews by engines of ours, and the material of their tasks.

use crate::script::{Answer, ME, N, Wire, at, data, end, open_pulls, pull, repo, sha, state, within};
use banksman_core::{
    port::{BriefFor, Forge, PullQuery, ReviewDraft, ThreadDraft},
    tainted::Tainted,
    text::EngineName,
    work::{Task, Verdict},
};
use serde_json::{Value, json};

fn draft(verdict: Verdict, threads: usize) -> ReviewDraft {
    let thread =
        |_| ThreadDraft { path: Tainted::new("src/a.rs".into()), line: 3, body: Tainted::new("why?".into()) };
    ReviewDraft {
        pull: N,
        head: sha('a'),
        reviewer: EngineName::new("claude").unwrap(),
        verdict,
        threads: (0..threads).map(thread).collect(),
    }
}

fn status(context: &str, state: &str, by: u64) -> Value {
    json!({"context": context, "state": state, "creator": {"id": by}, "description": "canary"})
}

#[tokio::test]
async fn a_verdict_is_a_status_of_our_own() {
    let (wire, forge) = Wire::open().await;
    let claude = EngineName::new("claude").unwrap();
    for (statuses, expected) in [
        (json!([status("banksman/review/claude", "success", ME)]), Some(Verdict::Approve)),
        (json!([status("banksman/review/claude", "failure", ME)]), Some(Verdict::Changes)),
        (
            json!([
                status("banksman/review/claude", "success", 5),
                status("banksman/review/codex", "success", ME)
            ]),
            None,
        ),
    ] {
        wire.ok("statuses", statuses);
        assert_eq!(forge.reviewed(&repo(), N, &sha('a'), &claude).await, Ok(expected));
    }
}

#[tokio::test]
async fn a_review_opens_its_threads_and_gives_its_verdict() {
    let (wire, forge) = Wire::open().await;
    wire.ok("statuses", json!([]))
        .ok("PullStateOf", state('a', json!({})))
        .ok("reviews", json!([]))
        .ok("statuses", json!([]));
    wire.ok("review", json!({"id": 1})).status("verdict", 201, json!({}));
    forge.review(&repo(), draft(Verdict::Changes, 1)).await.unwrap();
    wire.done();
    let asked = wire.asked();
    let review = asked.iter().find(|asked| asked.operation == "review").unwrap();
    assert_eq!(review.body["event"], "COMMENT", "nobody reviews the work of one's own account otherwise");
    assert_eq!(
        review.body["comments"],
        json!([{"path": "src/a.rs", "line": 3, "side": "RIGHT", "body": "why?"}])
    );
    assert_eq!(wire.last().body["state"], "failure");
    assert_eq!(wire.last().body["context"], "banksman/review/claude");
}

#[tokio::test]
async fn a_review_is_written_once() {
    let (wire, forge) = Wire::open().await;
    wire.ok("statuses", json!([status("banksman/review/claude", "success", ME)]));
    forge.review(&repo(), draft(Verdict::Approve, 0)).await.unwrap();
    // A crash came between the threads and the verdict.
    wire.ok("statuses", json!([])).ok("PullStateOf", state('a', json!({})));
    wire.ok("reviews", json!([{"user": {"id": ME}, "commit_id": sha('a')}])).ok("statuses", json!([]));
    wire.status("verdict", 201, json!({}));
    forge.review(&repo(), draft(Verdict::Changes, 2)).await.unwrap();
    wire.done();
}

#[tokio::test]
async fn somebody_elses_work_is_approved_and_odd_threads_stand_at_their_file() {
    let (wire, forge) = Wire::open().await;
    let foreign = json!({"author": {"databaseId": 5}});
    wire.ok("statuses", json!([]))
        .ok("PullStateOf", state('a', foreign))
        .ok("reviews", json!([]))
        .ok("statuses", json!([]));
    wire.status("review", 422, json!({})).status("thread", 422, json!({})).status(
        "file_thread",
        201,
        json!({}),
    );
    // A limit is waited out: an engine has worked for this.
    wire.then("verdict", Answer::Json(403, vec![("retry-after", "60".to_owned())], json!({}))).status(
        "verdict",
        201,
        json!({}),
    );
    forge.review(&repo(), draft(Verdict::Changes, 1)).await.unwrap();
    wire.done();
    let asked = wire.asked();
    let review = asked.iter().find(|asked| asked.operation == "review").unwrap();
    assert_eq!(review.body["event"], "REQUEST_CHANGES");
    let file = asked.iter().find(|asked| asked.operation == "file_thread").unwrap();
    assert_eq!((&file.body["subject_type"], file.body.get("line")), (&json!("file"), None));
}

#[tokio::test]
async fn changes_wanted_by_a_reviewer_of_ours_stand_in_the_signals() {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    let verdict = |context: &str, state: &str, by: u64| json!({"__typename": "StatusContext", "context": context, "state": state, "createdAt": at(1), "creator": {"databaseId": by}});
    one["statusCheckRollup"]["contexts"]["nodes"] = json!([
        verdict("banksman/review/claude", "FAILURE", ME),
        verdict("banksman/review/codex", "FAILURE", 5),
        verdict("banksman/review/gemini", "SUCCESS", ME),
    ]);
    wire.ok("OpenPulls", open_pulls(vec![one]));
    let found = forge.pulls(&repo(), &PullQuery::Open).await.unwrap();
    assert_eq!(found[0].reviews.changes_requested, 1);
    assert!(found[0].checks.is_empty());
}

#[tokio::test]
async fn the_material_of_a_task_is_put_together_from_words() {
    let (wire, forge) = Wire::open().await;
    let words =
        within(json!({"issueOrPullRequest": {"title": "fix: it", "body": "Please.", "comments": {"nodes": [
        {"author": {"login": "ann", "databaseId": 1}, "body": "Me too."},
        {"author": {"login": "bot", "databaseId": ME}, "body": "Target branch: x"}]}}}));
    wire.ok("BriefIssue", words.clone());
    let base = crate::script::branch("epic/4-x");
    let task = Task::Implement { child: banksman_core::id::Number(5), base };
    let text = forge.brief(&repo(), &BriefFor::Task(task)).await.unwrap();
    let text = String::from_utf8(text.into_task_file()).unwrap();
    assert_eq!(
        text,
        "# Issue #5: fix: it\n\nPlease.\n\n## Comment by ann\n\nMe too.\n\n## Branch\n\nThe work starts from and goes into `epic/4-x`.\n"
    );
    // Red checks with their output.
    let one = within(json!({"nameWithOwner": "acme/shop", "p0": pull(7)}));
    let run = |app: u64, conclusion: &str, text: &str| {
        json!({"__typename": "CheckRun", "name": "test", "status": "COMPLETED", "conclusion": conclusion, "title": null,
            "summary": null, "text": text, "checkSuite": {"app": {"databaseId": app}},
            "annotations": {"nodes": [{"path": "src/a.rs", "location": {"start": {"line": 9}}, "message": "bad"}]}})
    };
    let contexts =
        json!([run(15368, "FAILURE", "# out"), run(15368, "SUCCESS", "fine"), run(6, "FAILURE", "alien")]);
    let checks = crate::script::of_pull(
        json!({"statusCheckRollup": {"contexts": {"nodes": contexts, "pageInfo": end()}}}),
    );
    wire.ok("PullsByNumber", one).ok("BriefIssue", words).ok("BriefChecks", checks);
    let task = Task::FixChecks { pull: N, head: sha('a'), round: 1 };
    let text = forge.brief(&repo(), &BriefFor::Task(task)).await.unwrap();
    let text = String::from_utf8(text.into_task_file()).unwrap();
    assert!(text.ends_with("## Check `test` fails\n\n    # out\n    src/a.rs:9: bad\n"), "{text}");
    wire.done();
}

#[tokio::test]
async fn open_threads_are_told() {
    let (wire, forge) = Wire::open().await;
    let mut one = pull(7);
    one["reviewThreads"]["nodes"] = json!([{"id": "T_1", "isResolved": false}, {"id": "T_2", "isResolved": true, "resolvedBy": {"databaseId": 1}}]);
    let first = |id: &str, n: u64| json!({"id": id, "comments": {"nodes": [{"fullDatabaseId": n, "createdAt": at(1)}]}});
    wire.ok("PullsByNumber", within(json!({"p0": one})));
    wire.ok("ThreadOrigins", data(json!({"nodes": [first("T_1", 1), first("T_2", 2)]})));
    wire.ok(
        "BriefIssue",
        within(json!({"issueOrPullRequest": {"title": "t", "body": "b", "comments": {"nodes": []}}})),
    );
    let thread = |n: u64| {
        json!({"path": "src/a.rs", "line": 4, "originalLine": 3, "comments": {"nodes": [
            {"fullDatabaseId": n.to_string(), "author": {"login": "ann"}, "body": "why?"}]}})
    };
    wire.ok(
        "BriefThreads",
        crate::script::of_pull(
            json!({"reviewThreads": {"nodes": [thread(1), thread(2)], "pageInfo": end()}}),
        ),
    );
    let task = Task::FixReviews { pull: N, round: 1 };
    let text = forge.brief(&repo(), &BriefFor::Task(task)).await.unwrap();
    let text = String::from_utf8(text.into_task_file()).unwrap();
    assert!(text.ends_with("\n## Review thread 1, src/a.rs:4\n\nann: why?\n"), "{text}");
}
