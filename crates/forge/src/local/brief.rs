//! The material of an engine's task file. It is put together from the book's words and goes into that file and nowhere else; it
//! decides nothing (S8).

use super::{LocalError, LocalForge, home::Home};
use banksman_core::{
    id::Number,
    port::{
        Book, Checker, Refusal,
        book::{BANKSMAN, PullRecord, Select},
    },
    signals::CheckState,
    tainted::Tainted,
    work::Task,
};
use std::fmt::Write;

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// What a task needs to know.
    pub(super) async fn material(&self, home: &Home, task: &Task) -> Result<Tainted, LocalError> {
        let mut text = String::new();
        match task {
            Task::Implement { child, base } => {
                self.tell_issue(home, *child, &mut text).await?;
                let _ = write!(text, "\n## Branch\n\nThe work starts from and goes into `{base}`.\n");
            }
            Task::FixReviews { pull, .. } => {
                let record = self.tell_pull(home, *pull, &mut text).await?;
                self.tell_threads(home, &record, &mut text).await?;
            }
            Task::FixConflict { pull, .. } | Task::ResolveConflict { pull } => {
                let record = self.tell_pull(home, *pull, &mut text).await?;
                let (head, base) = (&record.head_branch, &record.base);
                let _ = write!(text, "\n## Conflict\n\n`{head}` conflicts with its base `{base}`.\n");
            }
            Task::FixChecks { pull, head, .. } => {
                self.tell_pull(home, *pull, &mut text).await?;
                for check in self.book.check_logs(&home.rules.name, head).await? {
                    if check.state == CheckState::Failing {
                        let _ = write!(text, "\n## Check `{}` fails\n\n", check.name);
                        check.log.structure(|log| quote(log, &mut text));
                    }
                }
            }
            Task::Review { pull, head } => {
                let record = self.tell_pull(home, *pull, &mut text).await?;
                let (branch, base) = (&record.head_branch, &record.base);
                let _ = write!(text, "\n## Review\n\nCommit {head} of `{branch}`, to go into `{base}`.\n");
                if let Some(now) = self.look_at(home, *pull).await?.now
                    && let Some(fork) = now.relation.fork
                {
                    let _ = writeln!(text, "The change is what `git diff {fork} {head}` shows.");
                }
            }
        }
        Ok(Tainted::new(text))
    }

    /// An issue with what people said about it.
    async fn tell_issue(&self, home: &Home, issue: Number, into: &mut String) -> Result<(), LocalError> {
        let text = self.book.text(&home.rules.name, issue).await?;
        let _ = write!(into, "# Issue #{issue}: ");
        text.title.structure(|title| into.push_str(title.trim()));
        into.push_str("\n\n");
        text.body.structure(|body| into.push_str(body.trim_end()));
        into.push('\n');
        for comment in self.book.comments(&home.rules.name, issue).await? {
            if comment.author.id != BANKSMAN {
                let _ = write!(into, "\n## Comment by {}\n\n", comment.author.login);
                comment.body.structure(|body| into.push_str(body.trim_end()));
                into.push('\n');
            }
        }
        Ok(())
    }

    /// The issue behind a pull request, or the pull request's own words where there is none.
    async fn tell_pull(
        &self,
        home: &Home,
        pull: Number,
        into: &mut String,
    ) -> Result<PullRecord, LocalError> {
        let record = self.book.pulls(&home.rules.name, &Select::Numbers(vec![pull])).await?.pop();
        let record = record.ok_or(Refusal::NotFound)?;
        self.tell_issue(home, record.closes.first().copied().unwrap_or(pull), into).await?;
        Ok(record)
    }

    async fn tell_threads(
        &self,
        home: &Home,
        record: &PullRecord,
        into: &mut String,
    ) -> Result<(), LocalError> {
        let talk = self.book.conversation(&home.rules.name, record.number).await?;
        let open = super::judge::unresolved(record, &home.rules);
        for thread in talk.threads.into_iter().filter(|thread| open.contains(&thread.id)) {
            let _ = write!(into, "\n## Review thread {}", thread.id);
            if let Some((path, line)) = &thread.place {
                path.structure(|path| {
                    let _ = write!(into, ", {}:{line}", path.replace(char::is_control, " "));
                });
            }
            into.push_str("\n\n");
            for comment in thread.comments {
                let _ = write!(into, "{}: ", comment.author.login);
                comment.body.structure(|body| into.push_str(body.trim_end()));
                into.push('\n');
            }
        }
        Ok(())
    }
}

/// Output as an indented block, so that nothing in it reads as a heading.
fn quote(output: &str, into: &mut String) {
    for line in output.lines() {
        into.push_str("    ");
        into.push_str(line);
        into.push('\n');
    }
}
