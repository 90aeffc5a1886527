//! What an engine sees of the host in the sandbox: next to nothing.

use crate::world::{CANARY, COMMIT, Kept, World};
use banksman_core::text::EngineName;
use banksman_engine::Network;

async fn log_of(script: &str) -> Option<String> {
    let world = World::new(Kept::Sandboxed, &format!("{script}\necho x > b; {COMMIT}")).await?;
    world.publishes(&world.implement()).await;
    Some(world.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_home_is_empty_inside() {
    let script = "ls -A \"$HOME\"; cat \"$HOME/.ssh/id_ed25519\" 2>&1; touch \"$HOME/mine\" && echo WRITABLE; ls /root /home 2>/dev/null";
    let Some(log) = log_of(script).await else { return };
    assert!(!log.contains(CANARY), "{log}");
    assert!(log.contains("WRITABLE"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_is_read_only_and_foreign_folders_are_not_there() {
    let script = "for d in / /usr /etc /bin; do touch $d/x 2>/dev/null && echo \"WROTE $d\"; done; ls -d /var/lib /srv /boot /sys/kernel ../../../store.db ../../../control ../../../../forge.git 2>/dev/null; true";
    let Some(log) = log_of(script).await else { return };
    assert!(!log.contains("WROTE"), "{log}");
    assert!(!log.contains("/var/lib") && !log.contains("control") && !log.contains("forge"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_process_and_no_privilege_is_there() {
    let script = "ls /proc | grep -c '^[0-9]'; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; id -u; cat /proc/sys/kernel/hostname";
    let Some(log) = log_of(script).await else { return };
    let seen: u32 = log.lines().next().unwrap().parse().unwrap();
    assert!(seen < 10, "{log}");
    assert!(log.contains("CapEff:\t0000000000000000") && log.contains("CapBnd:\t0000000000000000"), "{log}");
    assert!(log.contains("NoNewPrivs:\t1") && log.contains("\nbanksman\n"), "{log}");
    assert!(!log.contains("\n0\n"), "not root inside: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_network_unless_the_definition_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "if (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; then echo CONNECTED; fi; echo x > b; {COMMIT}"
    );
    for network in [Network::Off, Network::Host] {
        let made = World::with(Kept::Sandboxed, &script, &|config| {
            let agent = config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap();
            agent.network = network;
            agent.program = "/bin/bash".into();
        })
        .await;
        let Some(world) = made else { return };
        world.publishes(&world.implement()).await;
        assert_eq!(world.log().contains("CONNECTED"), network == Network::Host, "{}", world.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_inside() {
    let script = format!(
        "ulimit -c; head -c 3000000 /dev/zero > big 2>/dev/null; wc -c < big; rm big; echo x > b; {COMMIT}"
    );
    let made = World::with(Kept::Sandboxed, &script, &|config| config.limits.file_mib = 1).await;
    let Some(world) = made else { return };
    world.publishes(&world.implement()).await;
    assert_eq!(world.log(), "0\n1048576\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_home_come_as_copies() {
    let script =
        format!("cat \"$HOME/.tool/auth\"; echo changed > \"$HOME/.tool/auth\" && echo x > b; {COMMIT}");
    let made = World::with(Kept::Sandboxed, &script, &|config| {
        let user = config.home.parent().unwrap().join("user/.tool");
        std::fs::create_dir_all(&user).unwrap();
        std::fs::write(user.join("auth"), "login\n").unwrap();
        let agent = config.engines.get_mut(&EngineName::new("agent").unwrap()).unwrap();
        agent.home_files = vec![".tool/auth".into(), ".tool/missing".into(), "../forge.git/HEAD".into()];
    })
    .await;
    let Some(world) = made else { return };
    world.publishes(&world.implement()).await;
    assert_eq!(world.log(), "login\n");
    assert_eq!(std::fs::read_to_string(world.path("user/.tool/auth")).unwrap(), "login\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_names_level_git_and_engines() {
    let world = World::new(Kept::Unconfined, "true").await.unwrap();
    let diagnosis = world.host.diagnose().await;
    let json = serde_json::to_value(&diagnosis).unwrap();
    assert_eq!(json["level"], "off");
    assert!(json["git"]["version"].as_str().unwrap().starts_with("git version 2."));
    let engines = json["engines"].as_array().unwrap();
    let shell = engines.iter().find(|engine| engine["name"] == "shell").unwrap();
    assert_eq!(shell["program"]["found"], "unconfigured");
}
