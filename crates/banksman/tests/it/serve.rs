//! `serve` as a process: ready in under a second, parts that can be left out, webhooks that are verified, one per home, a SIGTERM that drains.

use crate::world::World;
use std::{
    io::{BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    told: serde_json::Value,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let told = serde_json::Deserializer::from_reader(&mut out).into_iter().next();
        let told = told.unwrap().unwrap();
        Self { child, out, told }
    }

    fn address(&self) -> &str {
        self.told["url"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    fn ask(&self, request: &str) -> String {
        answer(TcpStream::connect(self.address()).unwrap(), request)
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address()))
    }

    fn deliver(&self, signature: &str, id: u32, body: &str) -> String {
        let head = format!(
            "POST /webhooks/github HTTP/1.1\r\nHost: hooks.example\r\nConnection: close\r\nContent-Length: {}\r\n\
             X-GitHub-Event: issues\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{id:012x}\r\nX-Hub-Signature-256: {signature}\r\n\r\n",
            body.len()
        );
        self.ask(&(head + body))
    }

    /// Asks it to end; its exit code.
    fn end(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        code
    }
}

/// Sends a request; the whole answer.
fn answer(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    // Who closes early has answered already.
    let _ = stream.read_to_string(&mut text);
    text
}

fn serve(world: &World, more: &[&str]) -> Command {
    let mut command = world.command(&["--json", "serve", "--listen", "127.0.0.1:0", "--quiet"]);
    command.args(more);
    command
}

/// The signature of these bytes with "secret".
fn sign(body: &str) -> String {
    let key = banksman_forge::github::webhook::HookKey::new(b"secret").unwrap();
    key.sign(body.as_bytes()).header().to_string()
}

#[test]
fn everything_is_ready_in_a_second_and_drains() {
    let world = World::with_repository();
    let begun = Instant::now();
    let server = Server::start(serve(&world, &[]));
    let took = begun.elapsed();
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(took < Duration::from_secs(10), "a debug build on a busy machine took {took:?}");
    // The tracker and the forge ask for their tokens; strangers' names and pages get nothing.
    assert!(server.get("/items").starts_with("HTTP/1.1 401"));
    assert!(server.get("/user").starts_with("HTTP/1.1 401"));
    let foreign = "GET /items HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(!server.ask(foreign).starts_with("HTTP/1.1 200"));
    assert!(server.get("/webhooks/github").starts_with("HTTP/1.1 4"), "no secret, no receiver");
    // On the socket its owner needs none.
    let socket = server.told["forge_socket"].as_str().unwrap();
    let request = "GET /user HTTP/1.1\r\nHost: api.github.com\r\nConnection: close\r\n\r\n";
    let user = answer(UnixStream::connect(socket).unwrap(), request);
    assert!(user.starts_with("HTTP/1.1 200") && user.contains("\"tester\""), "{user}");
    let socket = socket.to_owned();
    assert_eq!(server.end(), Some(0));
    assert!(!std::path::Path::new(&socket).exists());
}

#[test]
fn a_second_one_in_a_home_is_told_the_pid_of_the_first() {
    let world = World::new();
    let first = Server::start(serve(&world, &[]));
    let second = world.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains(&format!("process {} is running", first.child.id())), "{}", second.err);
    assert_eq!(first.end(), Some(0));
}

#[test]
fn parts_are_left_out() {
    let world = World::new();
    let server = Server::start(serve(&world, &["--only", "tracker", "--only", "forge"]));
    assert_eq!(server.told["workers"], "off");
    assert_eq!(server.told["sweeps"], "off");
    assert!(server.told["tracker"].is_string() && server.told["forge_socket"].is_string());
    assert_eq!(server.end(), Some(0));
    let nothing = world.run(&["serve", "--only", "forge", "--without", "forge"]);
    assert_eq!(nothing.code, Some(2));
    let unsigned = world.run(&["serve", "--listen", "127.0.0.1:0", "--only", "webhooks"]);
    assert_eq!(unsigned.code, Some(1));
    assert!(unsigned.err.contains("there is no webhook secret"), "{}", unsigned.err);
}

#[test]
fn deliveries_are_verified_and_known_again() {
    let world = World::new();
    let mut command = serve(&world, &["--only", "webhooks"]);
    command.env("BANKSMAN_GITHUB_WEBHOOK_SECRET", "secret");
    let server = Server::start(command);
    let body = r#"{"action":"opened","repository":{"full_name":"acme/shop"},"issue":{"number":7}}"#;
    assert!(server.deliver(&sign("something else"), 1, body).starts_with("HTTP/1.1 401"));
    let first = server.deliver(&sign(body), 1, body);
    assert!(first.starts_with("HTTP/1.1 200") && first.contains("nothing to look at"), "{first}");
    assert!(server.deliver(&sign(body), 1, body).contains("known already"));
    assert!(server.deliver(&sign(body), 2, body).contains("known already"));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_repository_that_is_added_is_served_without_a_restart() {
    let world = World::with_repository();
    let server = Server::start(serve(&world, &["--without", "tracker"]));
    let token = std::fs::read_to_string(server.told["forge_token_file"].as_str().unwrap()).unwrap();
    // While it begins again nobody answers for a moment.
    let look = || {
        let request = format!(
            "GET /repos/tester/repo HTTP/1.1\r\nHost: {}\r\nAuthorization: token {}\r\nConnection: close\r\n\r\n",
            server.address(),
            token.trim()
        );
        TcpStream::connect(server.address()).map(|stream| answer(stream, &request)).unwrap_or_default()
    };
    assert!(look().starts_with("HTTP/1.1 404"));
    world.ok(&["repos", "add", "repo", "--engine", "shell"]);
    let begun = Instant::now();
    while !look().starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", look());
    }
    assert_eq!(server.end(), Some(0));
}

#[test]
fn whoever_has_a_token_acts_in_his_own_name() {
    let world = World::with_repository();
    world.ok(&["repos", "add", "repo", "--engine", "shell"]);
    let given = world.json(&["forge", "token", "ann"]);
    assert_eq!(given["token_file"], "DIR/home/forge-tokens/ann");
    let server = Server::start(serve(&world, &["--only", "forge"]));
    let user = |name: &str| {
        let token = std::fs::read_to_string(world.path("home").join(name)).unwrap();
        server.ask(&format!(
            "GET /user HTTP/1.1\r\nHost: {}\r\nAuthorization: token {}\r\nConnection: close\r\n\r\n",
            server.address(),
            token.trim()
        ))
    };
    assert!(user("forge-tokens/ann").contains("\"login\":\"ann\""));
    assert!(user("forge-token").contains("\"login\":\"tester\""));
    assert!(user("forge-tokens/banksman").contains("\"login\":\"banksman\""));
    assert_eq!(server.end(), Some(0));
}
