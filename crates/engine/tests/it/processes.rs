//! Engines whose processes misbehave: all end, nothing is left, memory stays flat.

use crate::world::{BOTH, COMMIT, Kept, World, processes};
use banksman_core::{port::EngineError, text::EngineName, work::FailReason};
use jiff::SignedDuration;
use std::{fs, time::Duration};

fn timeout(config: &mut banksman_engine::EngineHostConfig, millis: i64) {
    let agent = config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap();
    agent.timeout = SignedDuration::from_millis(millis);
}

/// A duration of `sleep` that names the processes of one test.
fn marked_sleep(n: u32, kept: Kept) -> String {
    format!("9{}{n}{}", std::process::id(), kept as u8)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_is_ended_with_all_its_children() {
    for kept in BOTH {
        let sleep = marked_sleep(1, kept);
        let script = format!(
            "sleep {sleep} & (sleep {sleep} &) ; setsid sleep {sleep} & setsid sh -c 'sleep {sleep} & sleep {sleep}' & sleep {sleep}"
        );
        let Some(world) = World::with(kept, &script, &|config| timeout(config, 700)).await else { continue };
        assert_eq!(world.fails(&world.implement()).await, FailReason::TimedOut);
        assert_eq!(processes(&sleep), Vec::<String>::new(), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_ignores_term_is_killed_after_the_grace() {
    for kept in BOTH {
        let sleep = marked_sleep(2, kept);
        let script = format!("trap '' TERM; while :; do sleep {sleep}; done");
        let Some(world) = World::with(kept, &script, &|config| timeout(config, 500)).await else { continue };
        let began = std::time::Instant::now();
        assert_eq!(world.fails(&world.implement()).await, FailReason::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!(processes(&sleep), Vec::<String>::new(), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_has_the_grace_to_tidy_up() {
    for kept in BOTH {
        let sleep = marked_sleep(3, kept);
        // The shell may tell on its second stream that its child was ended too; that is not what is looked at.
        let script = format!(
            "exec 2>/dev/null; trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep {sleep} & wait $!; done"
        );
        // On a busy machine the limit may come before the script is ready to be told; then the next one is longer.
        for limit in [2000, 10_000, 60_000] {
            let made = World::with(kept, &script, &|config| {
                timeout(config, limit);
                config.grace = Duration::from_secs(60);
            })
            .await;
            let Some(world) = made else { break };
            assert_eq!(world.fails(&world.implement()).await, FailReason::TimedOut);
            assert_eq!(processes(&sleep), Vec::<String>::new(), "{kept:?}");
            if world.log().contains("ready") {
                assert_eq!(world.log(), "ready\ntidied\n", "{kept:?}");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runaways_of_an_engine_that_ends_by_itself_are_ended() {
    for kept in BOTH {
        let sleep = marked_sleep(4, kept);
        let script =
            format!("setsid sleep {sleep} > /dev/null 2>&1 & setsid sleep {sleep} & echo x > b; {COMMIT}");
        let Some(world) = World::new(kept, &script).await else { continue };
        world.publishes(&world.implement()).await;
        assert_eq!(processes(&sleep), Vec::<String>::new(), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_costs_neither_memory_nor_disk() {
    for (script, size) in [
        ("head -c 1073741824 /dev/zero", 1_073_741_824_u64),
        ("echo begin; head -c 104857600 /dev/zero | tr '\\0' x; echo; echo end", 104_857_600),
    ] {
        let script = format!("{script}; echo x > b; {COMMIT}");
        let made = World::with(Kept::Sandboxed, &script, &|config| config.output_cap = 1 << 20).await;
        let Some(world) = made else { return };
        let before = peak_memory();
        world.publishes(&world.implement()).await;
        let log = fs::metadata(world.path("home/logs/attempt-1.log")).unwrap().len();
        assert!(log < (1 << 20) + 200, "{log}");
        assert!(size > log);
        // Other tests run in the same process, so the bound is generous: a tenth of the smaller flood would show.
        let grown = peak_memory().saturating_sub(before);
        assert!(grown < 64 << 10, "memory grew by {grown} KiB");
    }
}

/// Most memory this process ever had, in KiB.
pub(crate) fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_closes_its_output_is_still_waited_for() {
    for kept in BOTH {
        let script = format!("exec >&- 2>&-; sleep 0.3; echo x > b; {COMMIT}");
        let Some(world) = World::new(kept, &script).await else { continue };
        world.publishes(&world.implement()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_call_ends_the_processes_and_the_workspace() {
    for kept in BOTH {
        let sleep = marked_sleep(5, kept);
        let script = format!("setsid sleep {sleep} & echo started; sleep {sleep}");
        let Some(world) = World::new(kept, &script).await else { continue };
        let order = world.implement();
        tokio::select! {
            _ = world.run(&order) => panic!("it ended by itself"),
            () = until(|| world.log().contains("started")) => {}
        }
        until(|| processes(&sleep).is_empty()).await;
        until(|| world.leftovers().is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_host_interrupts_attempts_with_grace() {
    for kept in BOTH {
        let sleep = marked_sleep(6, kept);
        let script = format!("trap 'echo tidied; exit 0' TERM; echo started; sleep {sleep} & wait");
        let Some(world) = World::with(kept, &script, &|config| config.grace = Duration::from_secs(20)).await
        else {
            continue;
        };
        let order = world.implement();
        let (result, ()) = tokio::join!(world.run(&order), async {
            until(|| world.log().contains("started")).await;
            world.host.stop();
        });
        assert!(matches!(result, Err(EngineError::Interrupted)));
        assert!(world.log().contains("tidied"), "{kept:?}");
        assert_eq!(processes(&sleep), Vec::<String>::new());
        assert!(matches!(world.run(&order).await, Err(EngineError::Interrupted)));
    }
}

/// Waits until something outside of this process is so.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it never came to that");
}
