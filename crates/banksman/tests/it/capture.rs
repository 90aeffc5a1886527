//! Training data as people and scripts record it: captures, records by hand, sinks, and lines that come in over HTTP.

use crate::world::World;
use std::{
    io::{BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// A repository with two open pull requests, one of them a draft.
fn world() -> World {
    let world = World::with_repository();
    world.ok(&["repos", "add", "repo", "--engine", "shell", "--check", "test=true"]);
    for branch in ["one", "two"] {
        world.sh(&format!("cd repo; git switch -qc {branch} main; echo {branch} > {branch}; git add .; git commit -qm {branch}; git switch -q main"));
        world.ok(&["forge", "--as", "ann", "pull", "create", "--head", branch, "--title", "canary"]);
    }
    world.ok(&["forge", "--as", "ann", "pull", "draft", "2"]);
    world
}

/// The lines of a file as JSON.
fn points(world: &World, file: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(world.path(file)).unwrap();
    assert!(!text.contains("canary"), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn open_pull_requests_are_captured_into_store_and_files() {
    let world = world();
    let (lines, json) = (world.path("points.lp"), world.path("points.jsonl"));
    world.configure(&format!(
        "[training]\nline_file = \"{}\"\njson_file = \"{}\"\n",
        lines.display(),
        json.display()
    ));
    let told = world.json(&["training", "capture", "--all"]);
    assert_eq!(told["captured"][0]["pulls"], 2);
    assert_eq!(told["sinks"][0]["taken"], 2);
    let captured = points(&world, "points.jsonl");
    assert_eq!(captured[0]["measurement"], "pr_observation");
    assert_eq!((&captured[0]["repo"], &captured[0]["author"]), (&"local_repo".into(), &"ann".into()));
    assert_eq!((&captured[0]["is_draft"], &captured[1]["is_draft"]), (&false.into(), &true.into()));
    assert_eq!((&captured[0]["checks_total"], &captured[0]["pr_age_hours"]), (&1.into(), &0.into()));
    let text = std::fs::read_to_string(lines).unwrap();
    assert!(text.starts_with("pr_observation,author=ann,pr=1,repo=local_repo merge_state=\""), "{text}");
    // An unchanged one is recorded as well.
    let again = world.ok(&["training", "capture", "repo"]);
    assert_eq!(
        again,
        "local/repo: 2 open pull requests observed\nsink lines: 2 points\nsink json: 2 points\n"
    );
    assert_eq!(points(&world, "points.jsonl").len(), 4);
}

#[test]
fn actions_and_outcomes_are_recorded_in_words_of_the_closed_lists() {
    let world = World::new();
    world.configure(&format!("[training]\njson_file = \"{}\"\n", world.path("points.jsonl").display()));
    world.ok(&["training", "record-action", "acme/shop", "288", "request_review_fix", "threads_open"]);
    world.ok(&["training", "record-outcome", "acme/shop", "288", "success", "merged_after_fixes", "12.5"]);
    let recorded = points(&world, "points.jsonl");
    assert_eq!(
        (&recorded[0]["action"], &recorded[0]["policy"]),
        (&"request_review_fix".into(), &"manual".into())
    );
    assert_eq!((&recorded[1]["result"], &recorded[1]["resolution_hours"]), (&"success".into(), &12.5.into()));
    let unknown = world.run(&["training", "record-action", "acme/shop", "1", "merg", "manual"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("there is no action merg") && unknown.err.contains("did you mean merge?"),
        "{}",
        unknown.err
    );
    let negative =
        world.run(&["training", "record-outcome", "acme/shop", "1", "closed", "closed_unmerged", "NaN"]);
    assert_eq!(negative.code, Some(2));
}

#[test]
fn a_sink_that_cannot_be_used_loses_nothing() {
    let world = world();
    let token = world.path("user/.influx_token");
    world.write("user/.influx_token", "canary\n");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    // Nobody listens on port 1.
    world.configure(
        "[training]\ninflux_url = \"http://127.0.0.1:1\"\ninflux_org = \"o\"\ninflux_bucket = \"b\"\n",
    );
    let open = world.run(&["training", "capture"]);
    assert_eq!(open.code, Some(1));
    assert!(open.err.contains("can be read by others") && open.err.contains("chmod 600"), "{}", open.err);
    assert!(!open.err.contains("canary"), "{}", open.err);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let away = world.ok(&["training", "capture"]);
    assert!(
        away.contains("sink influx: 0 points; the sink cannot be reached or is busy: 1 KiB wait on disk"),
        "{away}"
    );
    let told = world.json(&["training", "capture"]);
    assert!(told["sinks"][0]["waiting_bytes"].as_u64() > Some(1000), "{told}");
    world.configure(
        "[training]\ninflux_url = \"http://db.example\"\ninflux_org = \"o\"\ninflux_bucket = \"b\"\n",
    );
    let plain = world.run(&["training", "capture"]);
    assert!(plain.err.contains("must be https beyond this host"), "{}", plain.err);
}

#[test]
fn a_full_disk_is_told_and_the_store_has_the_points() {
    let world = world();
    world.configure(&format!("[training]\njson_file = \"{}\"\n", world.path("points.jsonl").display()));
    world.ok(&["training", "capture"]);
    // The sink's file may grow no further than what it has; the signal that would come is ignored by the shell's child.
    let size = std::fs::metadata(world.path("points.jsonl")).unwrap().len();
    let before = std::fs::read(world.path("points.jsonl")).unwrap();
    std::fs::set_permissions(world.path("points.jsonl"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::remove_file(world.path("points.jsonl")).unwrap();
    std::os::unix::fs::symlink("/dev/full", world.path("points.jsonl")).unwrap();
    let told = world.json(&["training", "capture"]);
    assert!(told["sinks"][0]["problem"].is_string(), "{told}");
    assert!(told["sinks"][0]["waiting_bytes"].as_u64() > Some(0), "{told}");
    // With room again everything arrives, in its order.
    std::fs::remove_file(world.path("points.jsonl")).unwrap();
    std::fs::write(world.path("points.jsonl"), before).unwrap();
    let told = world.json(&["training", "capture"]);
    assert_eq!((&told["sinks"][0]["taken"], &told["sinks"][0]["waiting_bytes"]), (&4.into(), &0.into()));
    let all = points(&world, "points.jsonl");
    assert!(std::fs::metadata(world.path("points.jsonl")).unwrap().len() > size);
    let times: Vec<_> = all.iter().map(|point| point["at"].as_str().unwrap().to_owned()).collect();
    assert_eq!(times.len(), 6);
    assert!(times.is_sorted(), "{times:?}");
}

/// A server of one part alone.
struct Door {
    child: Child,
    told: serde_json::Value,
}

impl Door {
    fn open(world: &World, part: &str) -> Self {
        let mut command =
            world.command(&["--json", "serve", "--listen", "127.0.0.1:0", "--quiet", "--only", part]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let told = serde_json::Deserializer::from_reader(out).into_iter::<serde_json::Value>().next();
        Self { child, told: told.unwrap().unwrap() }
    }

    fn post(&self, path: &str, token: &str, body: &str) -> String {
        let address = self.told["url"].as_str().unwrap().strip_prefix("http://").unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Token {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn close(mut self) {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn lines_come_in_as_at_influxdb() {
    let world = World::new();
    world.configure(&format!("[training]\njson_file = \"{}\"\n", world.path("points.jsonl").display()));
    let door = Door::open(&world, "write");
    let token = std::fs::read_to_string(door.told["write_token_file"].as_str().unwrap()).unwrap();
    let line = "outcome,repo=acme_shop,pr=7 result=\"success\",detail=\"merged_clean\",resolution_hours=1.5";
    let path = "/api/v2/write?org=o&bucket=b&precision=s";
    assert!(door.post(path, "wrong", line).starts_with("HTTP/1.1 401"));
    assert!(door.post(path, &token, &format!("{line} 1753600000\n")).starts_with("HTTP/1.1 204"));
    assert!(door.post("/write?db=x&precision=ns", &token, &format!("{line} 1")).starts_with("HTTP/1.1 204"));
    let partly = door.post(path, &token, &format!("{line} 5\ncanary\n{line} 6\n"));
    assert!(partly.starts_with("HTTP/1.1 400"), "{partly}");
    assert!(partly.contains("1 of 3 lines are bad, 2 were kept; line 2: missing fields"), "{partly}");
    assert!(!partly.contains("canary"), "{partly}");
    door.close();
    // What came in goes on to the sinks; what was not delivered when the server ended is delivered by the next command.
    world.ok(&["training", "record-outcome", "acme/shop", "8", "closed", "closed_unmerged", "1"]);
    let times: Vec<_> =
        points(&world, "points.jsonl").iter().map(|p| p["at"].as_str().unwrap().to_owned()).collect();
    assert_eq!(times[0], "2025-07-27T07:06:40Z");
    assert_eq!(times.len(), 5);
}

#[test]
fn a_server_captures_by_itself() {
    let world = world();
    world.configure(&format!("[training]\njson_file = \"{}\"\n", world.path("points.jsonl").display()));
    let door = Door::open(&world, "captures");
    assert_eq!(door.told["captures"], "on");
    let begun = Instant::now();
    while !std::fs::read_to_string(world.path("points.jsonl")).is_ok_and(|text| text.ends_with('\n')) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was captured");
        std::thread::yield_now();
    }
    door.close();
    let captured = points(&world, "points.jsonl");
    assert_eq!(captured.iter().map(|point| point["pull"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
}
