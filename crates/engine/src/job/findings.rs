//! What sent a job back to building, as the engine of the next round finds it: a file in the task folder.

use super::prompt::Sentence;
use crate::workspace::{Workspace, run as off_thread, write_anew};
use banksman_core::port::ThreadDraft;
use std::{io, path::PathBuf};

/// Why there is another round. The words are in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Findings {
    /// A reviewer wants changes.
    Changes,
    /// A command of `verify` failed.
    Refuted,
}

impl Findings {
    /// Where they are.
    pub(super) fn file(workspace: &Workspace) -> PathBuf {
        workspace.task().join("FINDINGS.md")
    }

    /// What the engine is told of them.
    pub(super) fn sentence(self, file: &std::path::Path) -> Sentence<'_> {
        match self {
            Self::Changes => Sentence::Changes(file),
            Self::Refuted => Sentence::Refuted(file),
        }
    }
}

/// Writes down the threads of a review.
pub(super) async fn write_threads(workspace: &Workspace, threads: Vec<ThreadDraft>) -> io::Result<()> {
    let mut text = Vec::new();
    for ThreadDraft { path, line, body } in threads {
        text.extend_from_slice(b"## ");
        text.extend(path.into_task_file());
        text.extend(format!(":{line}\n\n").into_bytes());
        text.extend(body.into_task_file());
        text.extend_from_slice(b"\n\n");
    }
    write(workspace, text).await
}

/// Writes down a command that failed and the end of what it said.
pub(super) async fn write_output(workspace: &Workspace, command: &str, output: &str) -> io::Result<()> {
    let indented = |text: &str| text.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    let text = format!(
        "The command\n\n{}\nfailed. The end of its output:\n\n{}",
        indented(command),
        indented(output)
    );
    write(workspace, text.into_bytes()).await
}

async fn write(workspace: &Workspace, text: Vec<u8>) -> io::Result<()> {
    let file = Findings::file(workspace);
    off_thread(move || write_anew(&file, &text)).await
}
