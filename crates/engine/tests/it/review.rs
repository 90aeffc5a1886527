//! Reviews: a clone that cannot be changed, and a verdict that is read with care.

use crate::world::{BOTH, Kept, World, commit};
use banksman_core::{
    id::Number,
    port::ReportResult,
    work::{FailReason, Task, Verdict},
};

async fn review(kept: Kept, script: &str) -> Option<ReportResult> {
    let world = World::new(kept, script).await?;
    let head = commit(&world, "agent/7", "main", "b.txt", "new\n");
    let order = world.on("agent/7", Task::Review { pull: Number(8), head: head.clone() });
    let result = world.run(&order).await.unwrap().result;
    assert_eq!(world.head("agent/7"), Some(head));
    Some(result)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_sees_head_and_base_and_gives_a_verdict() {
    let script = "test \"$(git diff --name-only origin/main HEAD)\" = b.txt && \
                  echo '{\"verdict\":\"changes\",\"threads\":[{\"path\":\"b.txt\",\"line\":1,\"body\":\"Why new?\"}]}' > \"$BANKSMAN_TASK_DIR/verdict.json\"";
    for kept in BOTH {
        match review(kept, script).await {
            Some(ReportResult::Reviewed { verdict, threads }) => {
                assert_eq!((verdict, threads.len(), threads[0].line), (Verdict::Changes, 1, 1));
            }
            Some(_) => panic!("no verdict"),
            None => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_cannot_change_the_clone() {
    let script = "touch x 2>/dev/null && exit 1; echo '{\"verdict\":\"approve\"}' > \"$BANKSMAN_TASK_DIR/verdict.json\"";
    if let Some(result) = review(Kept::Sandboxed, script).await {
        assert!(matches!(result, ReportResult::Reviewed { verdict: Verdict::Approve, .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_that_are_missing_linked_large_or_misshapen_are_refused() {
    for script in [
        "true",
        "echo '{\"verdict\":\"approve\"}' > v; ln -s \"$PWD/v\" \"$BANKSMAN_TASK_DIR/verdict.json\"",
        "mkfifo \"$BANKSMAN_TASK_DIR/verdict.json\"",
        "mkdir \"$BANKSMAN_TASK_DIR/verdict.json\"",
        "echo approve > \"$BANKSMAN_TASK_DIR/verdict.json\"",
        "(echo '{\"verdict\":\"approve\"}'; head -c 2000000 /dev/zero | tr '\\0' ' ') > \"$BANKSMAN_TASK_DIR/verdict.json\"",
        "d=$BANKSMAN_TASK_DIR; mv $d $d.2; ln -s $d.2 $d; echo '{\"verdict\":\"approve\"}' > $d/verdict.json",
    ] {
        let result = review(Kept::Unconfined, script).await.unwrap();
        assert!(matches!(result, ReportResult::Failed { reason: FailReason::BadVerdict }), "{script}");
    }
}
