//! octokit, at the root and below `/api/v3`.

use super::Served;
use crate::installed;
use std::path::PathBuf;
use tokio::process::Command;

async fn speaks(below: &str) {
    let Some(modules) = installed("npm/node_modules/@octokit/rest") else { return };
    let served = Served::new().await;
    served.world.push("topic", "topic", "text\n");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/octokit.mjs");
    let base = format!("http://127.0.0.1:{}{below}", served.port);
    let root = modules.parent().unwrap().parent().unwrap();
    let running = Command::new("node").arg(script).arg(root).arg(&base).arg("of-me").output();
    let out = running.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && said.contains("all calls answered"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn octokit_speaks_to_the_root() {
    speaks("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn octokit_speaks_to_the_path_of_enterprise_servers() {
    speaks("/api/v3").await;
}
