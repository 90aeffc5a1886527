//! A hosted agent's way from its label to the merge, over HTTP: Banksman watches the embedded forge as it would GitHub, a scripted account opens pull
//! requests with a token of its own, and a person reviews them with hers.

use crate::{
    github_demo::{Forge, TOKEN, serve},
    world::World,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::{Duration, Instant},
};

const REPORT: &str = "# Audit\n\n## High\n\n### H-01: The greeting is wrong\n\n**Location:** `a.txt:1`\n\n**Fix:** Correct it.\n\n\
## Medium\n\n### M-01: There is no licence\n\n**Location:** `LICENSE`\n\n**Fix:** Add one.\n\n\
### M-02: There is no guide\n\n**Location:** `GUIDE.md`\n\n**Fix:** Write one.\n";

/// What Banksman says about open threads.
const SENTENCE: &str = "Can you fix the code reviews?";

/// An account on the forge.
struct Account<'a> {
    address: &'a str,
    name: &'static str,
}

impl Account<'_> {
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let host = self.address.strip_prefix("http://").unwrap();
        let body = body.map_or(String::new(), |body| body.to_string());
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} /repos/me/shop/{path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: token ghp_{}\r\nContent-Length: {}\r\n\r\n{body}",
            self.name,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 ") || head.contains(" 201 "), "{} {method} {path}: {answer}", self.name);
        serde_json::from_str(body).unwrap()
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.ask("GET", path, None).as_array().unwrap().clone()
    }

    fn comments(&self, on: &Value) -> Vec<String> {
        let said = self.list(&format!("issues/{on}/comments"));
        said.iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Pushes one more commit to a branch, which is made from `from`.
    fn push(&self, world: &World, branch: &str, from: &str, file: &str, text: &str) {
        let host = self.address.strip_prefix("http://").unwrap();
        let url = format!("http://{}:ghp_{}@{host}/me/shop.git", self.name, self.name);
        world.sh(&format!(
            "rm -rf clone; git clone -q -b {from} {url} clone; cd clone; git switch -qC {branch}; echo '{text}' >> {file}; git add .; \
             git commit -qm 'Do it'; git push -q origin {branch}"
        ));
    }
}

/// What the agent and the reviewer do until everything is merged.
fn work(world: &World, address: &str) {
    let (jules, ann) = (Account { address, name: "jules" }, Account { address, name: "ann" });
    let (mut answers, mut reviewed, mut approved) =
        (BTreeMap::<String, usize>::new(), false, BTreeSet::new());
    let begun = Instant::now();
    // The branch moves before the forge has written down the merge.
    let is_over = || {
        world.sh("git -C repo ls-tree --name-only main").contains("file-3")
            && jules.list("pulls?state=open").is_empty()
    };
    while !is_over() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{}",
            world.sh("git -C repo log --oneline --all")
        );
        let pulls = jules.list("pulls?state=all");
        for issue in jules.list("issues?labels=jules&state=open") {
            let number = issue["number"].clone();
            let closes = format!("Closes #{number}");
            if pulls.iter().any(|pull| pull["body"] == closes.as_str()) {
                continue;
            }
            let said = jules.comments(&number);
            let target = said.iter().find_map(|text| text.strip_prefix("Target branch: "));
            let base = target.map_or("main", |rest| rest.split(' ').next().unwrap()).to_owned();
            let head = format!("jules/{number}");
            jules.push(world, &head, &base, &format!("file-{number}"), "done");
            let new = json!({ "title": "Do it", "head": head, "base": base, "body": closes });
            jules.ask("POST", "pulls", Some(new));
        }
        for pull in pulls.iter().filter(|pull| pull["state"] == "open") {
            let (number, branch) = (pull["number"].clone(), pull["head"]["ref"].as_str().unwrap());
            let sha = pull["head"]["sha"].clone();
            // Times are whole seconds there: an answer in the second of the question is none, and the question comes again.
            let asked = jules.comments(&number).iter().filter(|text| *text == SENTENCE).count();
            let answered = answers.entry(number.to_string()).or_default();
            if asked > *answered {
                *answered += 1;
                let file = branch.replace("jules/", "file-");
                jules.push(world, branch, branch, &file, "better");
                continue;
            }
            if !reviewed && pull["user"]["login"] == "jules" {
                // The first one is not good enough.
                reviewed = true;
                let path = branch.replace("jules/", "file-");
                let thread = json!([{ "path": path, "line": 1, "body": "is that all?" }]);
                let review = json!({ "commit_id": sha, "event": "COMMENT", "body": "", "comments": thread });
                ann.ask("POST", &format!("pulls/{number}/reviews"), Some(review));
                approved.insert(sha.to_string());
                continue;
            }
            if approved.insert(sha.to_string()) {
                let review = json!({ "commit_id": sha, "event": "APPROVE" });
                ann.ask("POST", &format!("pulls/{number}/reviews"), Some(review));
            }
        }
    }
    let answered: Vec<&usize> = answers.values().filter(|answers| **answers > 0).collect();
    assert!(reviewed && answered.len() == 1, "about one review it was asked, and it answered: {answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hosted_agent_is_called_by_its_label_reviewed_and_merged() {
    let world = World::with_repository();
    world.write("AUDIT.md", REPORT);
    let forge =
        Forge { folder: "repo", check: "test -f a.txt", approvals: 1, people: &["jules", "ann", "me"] };
    let address = serve(&world, forge).await;
    world.configure(&format!(
        "[policy]\nresponse_time = \"2s\"\n[github]\napi_url = \"{address}\"\nsweep = \"500ms\"\nsweep_idle = \"500ms\"\n"
    ));
    world.write(
        "home/repos.toml",
        "[repos.\"me/shop\"]\ngithub = \"me/shop\"\ndefault_branch = \"main\"\ncheck_apps = [1]\n\
         hosted = [{ name = \"jules\", label = \"jules\", login = \"jules\" }]\n",
    );
    tokio::task::spawn_blocking(move || {
        let run = |args: &[&str]| {
            let mut command = world.command(args);
            command.env("GITHUB_TOKEN", TOKEN);
            command
        };
        let done =
            run(&["onboard", "me/shop", "--audit", "AUDIT.md", "--yes", "--no-color"]).output().unwrap();
        let told =
            String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.code(), Some(0), "{told}");
        let log = std::fs::File::create(world.path("monitor.log")).unwrap();
        let mut monitor =
            run(&["monitor", "--all"]).stdout(Stdio::null()).stderr(Stdio::from(log)).spawn().unwrap();
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&world, &address)));
        let pid = rustix::process::Pid::from_child(&monitor);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(monitor.wait().unwrap().success());
        if let Err(failed) = worked {
            eprintln!("{}", std::fs::read_to_string(world.path("monitor.log")).unwrap_or_default());
            std::panic::resume_unwind(failed);
        }
        let me = Account { address: &address, name: "me" };
        let pulls = me.list("pulls?state=all");
        let of = |login: &str| pulls.iter().filter(|pull| pull["user"]["login"] == login).count();
        assert_eq!((of("jules"), of("banksman")), (3, 1), "three children and the epic");
        assert!(pulls.iter().all(|pull| pull["merged_at"].is_string()));
        let files = world.sh("git -C repo ls-tree --name-only main");
        assert!(["file-1", "file-2", "file-3"].iter().all(|file| files.contains(file)), "{files}");
        assert!(world.sh("git -C repo show main:file-1 main:file-2 main:file-3").contains("better"));
    })
    .await
    .unwrap();
}
