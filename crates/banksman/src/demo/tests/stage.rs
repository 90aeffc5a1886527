//! A stage for the story: the demo's repository, clones for the agents, and the merges of a forge by plain git.

use super::super::{agent::Task, git::Git, make::make, scenario::Part, transcript::Transcript};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// The repository with an epic's branch.
pub(super) struct Stage {
    dir: TempDir,
}

/// One attempt's clone on the branch of a part.
pub(super) struct Clone {
    root: PathBuf,
    task: PathBuf,
}

impl Stage {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        make(&dir.path().join("demo")).unwrap();
        let stage = Self { dir };
        stage.git(&["branch", "epic/11-security", "main"]);
        stage
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.dir.path().join("demo/shop")
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        Git::at(&self.repository()).run(args).unwrap()
    }

    /// A fresh clone: on the part's own branch if it is there, else from the epic's.
    pub(super) fn clone(&self, part: &str) -> Clone {
        let number = fs::read_dir(self.dir.path()).unwrap().count();
        let root = self.dir.path().join(format!("clone-{number}"));
        let task = self.dir.path().join(format!("task-{number}"));
        fs::create_dir(&task).unwrap();
        let repository = self.repository().display().to_string();
        self.git(&["clone", "--quiet", &repository, &root.display().to_string()]);
        let git = Git::at(&root);
        let own = format!("origin/agent/{part}");
        let start = match git.run(&["rev-parse", "--quiet", "--verify", &own]) {
            Ok(_) => own.as_str(),
            Err(_) => "origin/epic/11-security",
        };
        git.run(&["checkout", "--quiet", "-b", "work", start]).unwrap();
        git.run(&["update-ref", "refs/banksman/base", "origin/epic/11-security"]).unwrap();
        Clone { root, task }
    }

    /// One attempt, from the clone to the published branch. Whether it made a commit comes back.
    pub(super) fn attempt(&self, part: &'static Part, word: &str) -> bool {
        let clone = self.clone(part.name);
        let before = clone.head();
        clone.act(word, &issue(part));
        self.publish(part, &clone);
        clone.head() != before
    }

    pub(super) fn publish(&self, part: &Part, clone: &Clone) {
        let repository = self.repository().display().to_string();
        let branch = format!("HEAD:refs/heads/agent/{}", part.name);
        Git::at(&clone.root).run(&["push", "--quiet", &repository, &branch]).unwrap();
    }

    /// Whether the tests pass on the part's branch.
    pub(super) fn is_green(&self, part: &Part) -> bool {
        self.clone(part.name).is_green()
    }

    /// The verdict on the part's branch: `approve` or `changes`, and how many threads.
    pub(super) fn review(&self, part: &'static Part) -> (String, usize) {
        let clone = self.clone(part.name);
        clone.act("review", &issue(part));
        assert_eq!(Git::at(&clone.root).run(&["status", "--porcelain"]).unwrap(), "");
        let text = fs::read_to_string(clone.task.join("verdict.json")).unwrap();
        let verdict: serde_json::Value = serde_json::from_str(&text).unwrap();
        let threads = verdict["threads"].as_array().unwrap().len();
        (verdict["verdict"].as_str().unwrap().to_owned(), threads)
    }

    /// Squashes the part into the epic; false when it conflicts.
    pub(super) fn merge(&self, part: &Part) -> bool {
        let head = format!("agent/{}", part.name);
        self.merge_into("epic/11-security", &head, &["epic/11-security"])
    }

    /// Merges the epic into `main` and deletes its branch.
    pub(super) fn finish(&self) {
        assert!(self.merge_into("main", "epic/11-security", &["main", "epic/11-security"]));
        self.git(&["branch", "-D", "--quiet", "epic/11-security"]);
    }

    fn merge_into(&self, base: &str, head: &str, parents: &[&str]) -> bool {
        let merged = Git::at(&self.repository()).run(&["merge-tree", "--write-tree", base, head]);
        let Ok(tree) = merged else { return false };
        let mut commit = vec!["commit-tree", tree.trim(), "-m", "Merged"];
        parents.iter().for_each(|parent| commit.extend(["-p", *parent]));
        let commit = self.git(&commit);
        self.git(&["update-ref", &format!("refs/heads/{base}"), commit.trim()]);
        true
    }
}

impl Clone {
    pub(super) fn head(&self) -> String {
        Git::at(&self.root).run(&["rev-parse", "HEAD"]).unwrap()
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Lets the agent do a task; what it printed comes back.
    pub(super) fn act(&self, word: &str, text: &str) -> String {
        let file = self.task.join("TASK.md");
        fs::write(&file, text).unwrap();
        let mut printed = Vec::new();
        let mut out = Transcript::new(&mut printed, Duration::ZERO);
        Task::read(&self.root, word, &file).unwrap().play(&self.task, &mut out).unwrap();
        String::from_utf8(printed).unwrap()
    }

    /// Begins the merge of the base, which has to conflict.
    pub(super) fn begin_merge(&self) {
        let merged = Git::at(&self.root).run(&["merge", "--quiet", "--no-edit", "refs/banksman/base"]);
        assert!(merged.is_err() && self.root.join(".git/MERGE_HEAD").exists());
    }

    fn is_green(&self) -> bool {
        let mut tests = Command::new("sh");
        tests.arg("tests/run.sh").current_dir(&self.root).output().unwrap().status.success()
    }
}

/// The text of the part's issue as far as the agent looks at it.
pub(super) fn issue(part: &Part) -> String {
    part.places.iter().map(|place| format!("- `{place}`\n")).collect()
}
