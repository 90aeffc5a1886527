//! Agents that try to get out through git: nothing that they write is ever executed outside.

use crate::world::{BOTH, CANARY, COMMIT, Kept, World};
use banksman_core::work::FailReason;
use std::fs;

/// Plants the canary program wherever git might run it.
const BOOBY_TRAPS: &str = r#"
trap_file="$PWD/trap.sh"
printf '#!/bin/sh\ntouch "%s"\nexit 0\n' "$CANARY_FILE" > "$trap_file"; chmod +x "$trap_file"
plant() {
    for hook in pre-commit post-commit pre-push post-checkout post-merge reference-transaction post-index-change fsmonitor-watchman update pre-receive; do
        mkdir -p "$1/hooks"; cp "$trap_file" "$1/hooks/$hook"
    done
    cat >> "$1/config" <<EOF
[core]
    fsmonitor = $trap_file
    hooksPath = $1/hooks
    pager = $trap_file
    sshCommand = $trap_file
    attributesFile = $PWD/.gitattributes
[filter "evil"]
    clean = $trap_file
    smudge = $trap_file
    process = $trap_file
    required = true
[diff "evil"]
    textconv = $trap_file
    command = $trap_file
[merge "evil"]
    driver = $trap_file
[diff]
    external = $trap_file
[include]
    path = $PWD/included
[uploadpack]
    packObjectsHook = $trap_file
[gpg]
    program = $trap_file
[commit]
    gpgSign = true
EOF
}
echo changed >> a.txt
printf '* filter=evil diff=evil merge=evil\n' > .gitattributes
git -c core.hooksPath=/dev/null add -A 2>/dev/null
git -c core.hooksPath=/dev/null commit -q -m 'Fix the bug'
git init -q nested; (cd nested; git -c user.name=x -c user.email=x@x commit -q --allow-empty -m x)
git add nested 2>/dev/null; git commit -q -m 'Nested' 2>/dev/null
plant "$PWD/nested/.git" 2>/dev/null
echo dirty > nested/f
echo more >> a.txt
mkdir -p .git/info; printf '* filter=evil\n' > .git/info/attributes
rm -f "$CANARY_FILE"
plant "$PWD/.git" 2>/dev/null
git replace HEAD HEAD~1 2>/dev/null
rm -f "$CANARY_FILE"
exit 0
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_agent_plants_is_executed_outside() {
    for kept in BOTH {
        let dir = tempfile::tempdir().unwrap();
        let canary = dir.path().join("escaped");
        let script = format!("CANARY_FILE='{}'\n{BOOBY_TRAPS}", canary.display());
        let Some(world) = World::new(kept, &script).await else { continue };
        let report = world.run(&world.implement()).await.unwrap();
        assert!(!canary.exists(), "{kept:?}: a trap went off");
        let banksman_core::port::ReportResult::Published { sha } = report.result else {
            panic!("{kept:?}: {}", world.log())
        };
        assert_eq!(world.git(&["show", &format!("{sha}:a.txt")]), "one\ntwo\nthree\nchanged\nmore\n");
        assert!(
            world.git(&["log", "--format=%s", sha.as_str()]).contains("Start"),
            "replaced history is not believed"
        );
        assert!(!canary.exists(), "{kept:?}: a trap went off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_and_hooks_cannot_be_written_in_the_sandbox() {
    let script = format!(
        "(echo '[a]' >> .git/config) 2>/dev/null && echo WROTE-CONFIG; (echo x > .git/hooks/post-commit) 2>/dev/null && echo WROTE-HOOK; \
         git config core.fsmonitor x 2>/dev/null && echo SET-CONFIG; echo x > b; {COMMIT}"
    );
    let Some(world) = World::new(Kept::Sandboxed, &script).await else { return };
    world.publishes(&world.implement()).await;
    assert_eq!(world.log(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_place_of_git_files_lead_nowhere() {
    for kept in BOTH {
        for script in [
            "ln -sf \"$HOME/none\" .git/HEAD",
            "git rev-parse HEAD > head; ln -sf \"$PWD/head\" .git/HEAD",
            "mv .git .git2; ln -s .git2 .git",
            "mkdir d; git rev-parse HEAD > d/x; rm -rf .git/refs/heads; ln -s \"$PWD/d\" .git/refs/heads; echo 'ref: refs/heads/x' > .git/HEAD",
            "rm .git/HEAD; mkfifo .git/HEAD",
        ] {
            let Some(world) = World::new(kept, script).await else { continue };
            assert_eq!(world.fails(&world.implement()).await, FailReason::BadObjects, "{kept:?} {script}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_wait_for_our_files_are_not_written_through() {
    let plant = "mkdir -p ../after/collect; for f in after/collect/work.bundle after/collect/index after/collect/changed after/gather.log \
                 after/taken.bundle after/process gather.log; do ln -sfn \"$PWD/../../../../decoy\" ../$f; done";
    for kept in BOTH {
        let script = format!("({plant}) 2>/dev/null; echo x > b; {COMMIT}");
        let Some(world) = World::new(kept, &script).await else { continue };
        fs::write(world.path("decoy"), "mine").unwrap();
        world.publishes(&world.implement()).await;
        assert_eq!(fs::read_to_string(world.path("decoy")).unwrap(), "mine", "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_objects_do_not_come_in() {
    // A tree with an entry called .git is what fsck refuses.
    let script = "b=$(git hash-object -w a.txt); t=$(printf '100644 blob %s\\tx\\n' $b | git mktree); \
                  t2=$(printf '040000 tree %s\\t.git\\n' $t | git mktree); c=$(git commit-tree -p HEAD -m evil $t2); \
                  git update-ref refs/heads/agent/7 $c; rm -f a.txt list.lock .git/index";
    for kept in BOTH {
        let Some(world) = World::new(kept, script).await else { continue };
        assert_eq!(world.fails(&world.implement()).await, FailReason::BadObjects, "{kept:?} {}", world.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_environment_does_not_reach_the_engine() {
    for kept in BOTH {
        let Some(world) = World::new(kept, &format!("env; echo x > b; {COMMIT}")).await else { continue };
        world.publishes(&world.implement()).await;
        let log = world.log();
        assert!(log.contains("TERM=dumb") && !log.contains(CANARY) && !log.contains("SECRET_TOKEN"), "{log}");
    }
}
