//! The material of an engine's task file. It is put together from strangers' words and goes into that file and nowhere else; it decides nothing
//! (S8).

use super::{
    GithubForge,
    documents::{AuditText, BriefChecks, BriefIssue, BriefThreads},
    fault::{Fault, No},
    governor::Effect,
    look::{OneVars, next, parts},
    transport::Transport,
    wire::{Progress, actor_of},
};
use banksman_core::{
    id::{Number, ThreadId},
    port::PullQuery,
    signals::{CheckState, Signals},
    tainted::Tainted,
    text::RepoName,
    work::Task,
};
use std::{collections::BTreeSet, fmt::Write};

/// Most of one check's output, in bytes: an engine that needs more runs the check itself.
const OUTPUT: usize = 20_000;
/// Pages of threads or checks that are told.
const PAGES: usize = 10;

impl<T: Transport> GithubForge<T> {
    /// The text of an audit issue.
    pub(super) async fn audit_text(&self, repo: &RepoName, issue: Number) -> Result<Tainted, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: issue.0, after: None };
        let data = self.caller.query(AuditText, Some(repo), Effect::Read, &vars).await?;
        let issue = data.repository.and_then(|repository| repository.issue).ok_or(Fault::No(No::Missing))?;
        Ok(issue.body)
    }

    /// What a task needs to know.
    pub(super) async fn material(&self, repo: &RepoName, task: &Task) -> Result<Tainted, Fault> {
        let mut text = String::new();
        match task {
            Task::Implement { child, base } => {
                self.tell_issue(repo, *child, &mut text).await?;
                let _ = write!(text, "\n## Branch\n\nThe work starts from and goes into `{base}`.\n");
            }
            Task::FixReviews { pull, .. } => {
                let signals = self.tell_pull(repo, *pull, &mut text).await?;
                self.tell_threads(repo, &signals, &mut text).await?;
            }
            Task::FixConflict { pull, .. } | Task::ResolveConflict { pull } => {
                let signals = self.tell_pull(repo, *pull, &mut text).await?;
                let (head, base) = (&signals.head_branch, &signals.base);
                let _ = write!(text, "\n## Conflict\n\n`{head}` conflicts with its base `{base}`.\n");
            }
            Task::FixChecks { pull, .. } => {
                self.tell_pull(repo, *pull, &mut text).await?;
                self.tell_checks(repo, *pull, &mut text).await?;
            }
            Task::Review { pull, head } => {
                let signals = self.tell_pull(repo, *pull, &mut text).await?;
                let (branch, base) = (&signals.head_branch, &signals.base);
                let _ = write!(text, "\n## Review\n\nCommit {head} of `{branch}`, to go into `{base}`.\n");
                let _ = writeln!(text, "The change is what `git diff refs/banksman/base...{head}` shows.");
            }
        }
        Ok(Tainted::new(text))
    }

    /// An issue, or a pull request, with what people said about it.
    async fn tell_issue(&self, repo: &RepoName, issue: Number, into: &mut String) -> Result<(), Fault> {
        let me = self.me(repo).await?;
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: issue.0, after: None };
        let data = self.caller.query(BriefIssue, Some(repo), Effect::Read, &vars).await?;
        let words = data.repository.and_then(|repository| repository.issue_or_pull_request);
        let words = words.ok_or(Fault::No(No::Missing))?;
        let _ = write!(into, "# Issue #{issue}: ");
        words.title.structure(|title| into.push_str(title.trim()));
        into.push_str("\n\n");
        words.body.structure(|body| into.push_str(body.trim_end()));
        into.push('\n');
        for comment in words.comments.nodes {
            if actor_of(comment.author.as_ref()) != me {
                let login = comment.author.and_then(|author| author.login);
                let _ = write!(
                    into,
                    "\n## Comment by {}\n\n",
                    login.as_ref().map_or("ghost", |login| login.as_str())
                );
                comment.body.structure(|body| into.push_str(body.trim_end()));
                into.push('\n');
            }
        }
        Ok(())
    }

    /// The issue behind a pull request, or the pull request's own words where there is none.
    async fn tell_pull(&self, repo: &RepoName, pull: Number, into: &mut String) -> Result<Signals, Fault> {
        let signals =
            self.look(repo, &PullQuery::Numbers(vec![pull])).await?.pop().ok_or(Fault::No(No::Missing))?;
        self.tell_issue(repo, signals.closes.first().copied().unwrap_or(pull), into).await?;
        Ok(signals)
    }

    /// The threads that are still open.
    async fn tell_threads(&self, repo: &RepoName, signals: &Signals, into: &mut String) -> Result<(), Fault> {
        let open: BTreeSet<ThreadId> = signals.threads.iter().filter(|t| !t.resolved).map(|t| t.id).collect();
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let mut after = None;
        for _ in 0..PAGES {
            let vars = OneVars { owner, name, number: signals.number.0, after };
            let data = self.caller.query(BriefThreads, Some(repo), Effect::Read, &vars).await?;
            let pull = data.repository.and_then(|repository| repository.pull_request);
            let threads = pull.ok_or(Fault::No(No::Missing))?.review_threads;
            after = next(&threads.page_info);
            for thread in threads.nodes {
                let id = thread.comments.nodes.first().and_then(|first| first.full_database_id).map(ThreadId);
                let Some(id) = id.filter(|id| open.contains(id)) else { continue };
                let _ = write!(into, "\n## Review thread {id}, ");
                thread.path.structure(|path| into.push_str(&path.replace(char::is_control, " ")));
                if let Some(line) = thread.line.or(thread.original_line) {
                    let _ = write!(into, ":{line}");
                }
                into.push_str("\n\n");
                for comment in thread.comments.nodes {
                    let login = comment.author.and_then(|author| author.login);
                    let _ = write!(into, "{}: ", login.as_ref().map_or("ghost", |login| login.as_str()));
                    comment.body.structure(|body| into.push_str(body.trim_end()));
                    into.push('\n');
                }
            }
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What red checks that count say.
    async fn tell_checks(&self, repo: &RepoName, pull: Number, into: &mut String) -> Result<(), Fault> {
        let rules = self.settings.repo(repo);
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let mut after = None;
        for _ in 0..PAGES {
            let vars = OneVars { owner, name, number: pull.0, after };
            let data = self.caller.query(BriefChecks, Some(repo), Effect::Read, &vars).await?;
            let pull = data.repository.and_then(|repository| repository.pull_request);
            let Some(rollup) = pull.and_then(|pull| pull.status_check_rollup) else { return Ok(()) };
            after = next(&rollup.contexts.page_info);
            for run in rollup.contexts.nodes {
                let app = run.check_suite.as_ref().and_then(|suite| suite.app.as_ref()?.database_id);
                let counts = app.is_some_and(|app| rules.check_apps.iter().any(|pinned| pinned.0 == app));
                let red = run.conclusion.is_some_and(|end| end.0 == CheckState::Failing);
                if !counts || !red || run.status != Progress::Completed {
                    continue;
                }
                let name = run.name.as_ref().map_or("(another kind of name)", |name| name.as_str());
                let _ = write!(into, "\n## Check `{name}` fails\n\n");
                for part in [run.title, run.summary, run.text].into_iter().flatten() {
                    part.structure(|part| quote(part, into));
                }
                for note in run.annotations.map(|page| page.nodes).unwrap_or_default() {
                    let line =
                        note.location.and_then(|location| location.start).map_or(0, |start| start.line);
                    note.path.structure(|path| {
                        let _ = write!(into, "    {}:{line}: ", path.replace(char::is_control, " "));
                    });
                    note.message.structure(|message| {
                        into.push_str(&message.replace(char::is_control, " "));
                    });
                    into.push('\n');
                }
            }
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// The end of an output as an indented block, so that nothing in it reads as a heading.
fn quote(output: &str, into: &mut String) {
    let mut from = output.len().saturating_sub(OUTPUT);
    while !output.is_char_boundary(from) {
        from += 1;
    }
    for line in output[from..].lines() {
        into.push_str("    ");
        into.push_str(line);
        into.push('\n');
    }
}
