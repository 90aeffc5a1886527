//! The scripted agent: a process of its own in the sandbox, like any other engine. It finds its part by the places that its task names, or
//! by the trailers of the commits that it made on the branch before, and goes on where those end.

use super::{
    git::Git,
    make::write_all,
    scenario::{Part, Remark},
    script::SCRIPT,
    transcript::Transcript,
};
use anyhow::Context;
use banksman_core::say::Instruction;
use std::{io::Write, path::Path, time::Duration};

/// Pause before each line that it prints, so that somebody can watch.
const PAUSE: Duration = Duration::from_millis(120);

/// Trailer of its commits.
const TRAILER: &str = "Finding: ";

/// Does one task in the clone at `root`. `task`: its kind in the word that engines get as `BANKSMAN_TASK`; a verdict goes to `task_dir`.
pub(crate) fn act(root: &Path, task: &str, task_file: &Path, task_dir: &Path) -> anyhow::Result<()> {
    let task = Task::read(root, task, task_file)?;
    let mut out = Transcript::new(std::io::stdout(), PAUSE);
    task.play(task_dir, &mut out)
}

/// What it is to do, and where it stands.
pub(super) struct Task<'a> {
    root: &'a Path,
    instruction: Instruction,
    part: Option<&'static Part>,
    /// Own commits on the branch.
    done: usize,
    /// Characters of the task file.
    read: usize,
}

impl<'a> Task<'a> {
    /// Reads the task file and looks at the clone.
    pub(super) fn read(root: &'a Path, word: &str, task_file: &Path) -> anyhow::Result<Self> {
        let instruction = instruction(word).with_context(|| format!("there is no task {word}"))?;
        let text = std::fs::read_to_string(task_file)
            .with_context(|| format!("cannot read the task file {}", task_file.display()))?;
        let own = own_commits(root)?;
        let part = match own.first() {
            Some(name) if own.iter().all(|other| other == name) => Part::named(name),
            // Commits of several parts: this is the branch of the whole epic.
            Some(_) => None,
            None => Part::of_task(&text),
        };
        Ok(Self { root, instruction, part, done: own.len(), read: text.len() })
    }

    /// Does it.
    pub(super) fn play(&self, task_dir: &Path, out: &mut Transcript<impl Write>) -> anyhow::Result<()> {
        out.start(self.part.map_or("the whole epic", |part| part.name))?;
        let written = match self.instruction {
            Instruction::Implement | Instruction::FixReviews | Instruction::FixChecks => self.change(out)?,
            Instruction::FixConflict => {
                out.line("Both sides look right to me. I leave the branch as it is.")?;
                0
            }
            Instruction::ResolveConflict => self.resolve(out)?,
            Instruction::Review => self.review(task_dir, out)?,
        };
        out.finish(self.read, written)
    }

    /// Makes the next commit of the part if it answers this task. The number of characters written comes back.
    fn change(&self, out: &mut Transcript<impl Write>) -> anyhow::Result<usize> {
        let part = self.part.context("this task is none of the demo's")?;
        let next = part.changes.get(self.done).filter(|change| change.answers == self.instruction);
        let Some(change) = next else {
            out.line("I have no further idea.")?;
            return Ok(0);
        };
        let read = |path: &str| std::fs::read_to_string(self.root.join(path)).ok();
        let files = change.contents(part.together, read)?;
        for path in files.keys() {
            out.line(&format!("Editing {path}"))?;
        }
        write_all(self.root, files.iter().map(|(path, text)| (*path, text.as_str())))?;
        let message = format!("{}\n\n{TRAILER}{}\n", change.subject, part.name);
        self.commit(&message, out)?;
        Ok(files.values().map(String::len).sum())
    }

    /// Settles the merge that is under way: both sides stay.
    fn resolve(&self, out: &mut Transcript<impl Write>) -> anyhow::Result<usize> {
        let part = self.part.context("this conflict is none of the demo's")?;
        anyhow::ensure!(!part.together.is_empty(), "{} was not expected to conflict", part.name);
        for (path, _) in part.together {
            out.line(&format!("Both sides changed {path}; keeping both"))?;
        }
        write_all(self.root, part.together.iter().copied())?;
        self.commit("Merge the base, keep what both sides meant\n", out)?;
        Ok(part.together.iter().map(|(_, text)| text.len()).sum())
    }

    fn commit(&self, message: &str, out: &mut Transcript<impl Write>) -> anyhow::Result<()> {
        let git = Git::at(self.root);
        git.run(&["add", "--all"])?;
        git.run(&["commit", "--quiet", "--no-verify", "-m", message])?;
        out.line(&format!("Committed: {}", message.lines().next().unwrap_or_default()))
    }

    /// Writes a verdict: changes for a first commit that the script has a remark about, else an approval.
    fn review(&self, task_dir: &Path, out: &mut Transcript<impl Write>) -> anyhow::Result<usize> {
        let remark = self.part.and_then(|part| part.remark.as_ref()).filter(|_| self.done == 1);
        let verdict = match remark {
            Some(Remark { path, line, body }) => {
                out.line(&format!("{path}:{line} needs another look"))?;
                serde_json::json!({
                    "verdict": "changes",
                    "threads": [{ "path": path, "line": line, "body": body }],
                })
            }
            None => {
                out.line("This is good as it is.")?;
                serde_json::json!({ "verdict": "approve", "threads": [] })
            }
        };
        let text = verdict.to_string();
        std::fs::write(task_dir.join("verdict.json"), &text).context("cannot write the verdict")?;
        Ok(text.len())
    }
}

/// The instruction that a word stands for.
fn instruction(word: &str) -> Option<Instruction> {
    // The words are those with which the instructions are stored.
    serde_json::from_value(serde_json::Value::from(word)).ok()
}

/// Names in the trailers of the commits that the branch has and its base lacks, newest first. Without a known base there are none.
fn own_commits(root: &Path) -> anyhow::Result<Vec<String>> {
    let git = Git::at(root);
    if git.run(&["rev-parse", "--quiet", "--verify", "refs/banksman/base"]).is_err() {
        return Ok(Vec::new());
    }
    let messages = git.run(&["log", "--format=%B", "HEAD", "--not", "refs/banksman/base"])?;
    let names = messages.lines().filter_map(|line| line.strip_prefix(TRAILER));
    Ok(names.filter(|name| SCRIPT.iter().any(|part| part.name == *name)).map(str::to_owned).collect())
}
