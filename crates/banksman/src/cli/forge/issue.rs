//! `forge issue`: a person's work on issues.

use super::{
    Counter,
    shown::{Issue, IssueFull},
    view,
};
use crate::output::Failure;
use banksman_core::{
    id::Number,
    port::book::{Link, Presence, Rewritten, Select},
    tainted::Tainted,
    text::Label,
};
use clap::{Args, Subcommand, ValueEnum};
use std::{io::Read, path::PathBuf};

/// What to do with issues.
#[derive(Debug, Subcommand)]
pub(super) enum IssueCommand {
    /// List issues.
    List {
        /// Which.
        #[arg(long, value_enum, default_value_t = StateFilter::Open)]
        state: StateFilter,
        /// Only those with this label; may be given several times.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<Label>,
    },
    /// Show an issue with everything on it.
    View {
        /// Its number.
        number: u64,
    },
    /// Open an issue.
    Create {
        /// Its title.
        #[arg(long)]
        title: String,
        #[command(flatten)]
        body: Body,
        /// A label; may be given several times.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<Label>,
    },
    /// Change title or body of an issue or a pull request.
    Edit {
        /// Its number.
        number: u64,
        /// The new title.
        #[arg(long)]
        title: Option<String>,
        #[command(flatten)]
        body: Body,
    },
    /// Comment on an issue or a pull request.
    Comment {
        /// Its number.
        number: u64,
        #[command(flatten)]
        body: Body,
    },
    /// Close an issue.
    Close {
        /// Its number.
        number: u64,
    },
    /// Open a closed issue again.
    Reopen {
        /// Its number.
        number: u64,
    },
    /// Record that an issue waits for another one.
    Block {
        /// The issue that waits.
        number: u64,
        /// The one that comes first.
        #[arg(long, value_name = "NUMBER")]
        by: u64,
        /// Take the record back.
        #[arg(long)]
        remove: bool,
    },
    /// Make an issue a sub-issue of another one.
    Child {
        /// The child.
        number: u64,
        /// Its parent.
        #[arg(long, value_name = "NUMBER")]
        of: u64,
        /// Take the record back.
        #[arg(long)]
        remove: bool,
    },
}

/// Which of them to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StateFilter {
    /// Open ones.
    Open,
    /// Closed ones.
    Closed,
    /// All.
    All,
}

/// A text of several lines.
#[derive(Debug, Args)]
pub(super) struct Body {
    /// The text.
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// A file with the text; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    body_file: Option<PathBuf>,
}

impl Body {
    /// The text, if one was given.
    pub(super) fn read(self) -> anyhow::Result<Option<Tainted>> {
        use anyhow::Context;
        let text = match (self.body, self.body_file) {
            (Some(text), _) => text,
            (None, Some(file)) if file.as_os_str() == "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
                text
            }
            (None, Some(file)) => {
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Tainted::new(text)))
    }

    /// The text, which has to be there.
    pub(super) fn required(self) -> anyhow::Result<Tainted> {
        self.read()?
            .ok_or_else(|| Failure::usage("no text", "Give one with --body TEXT or --body-file FILE."))
    }
}

/// The wish to record a relation or to take it back.
fn presence(remove: bool) -> Presence {
    if remove { Presence::Absent } else { Presence::Present }
}

pub(super) async fn run(command: IssueCommand, at: &Counter<'_>) -> anyhow::Result<()> {
    let desk = &at.desk;
    match command {
        IssueCommand::List { state, labels } => {
            let which = if state == StateFilter::Open { Select::Open } else { Select::All };
            let records = desk.issues(&which).await.map_err(super::explain)?;
            let wanted = |issue: &Issue| {
                (state != StateFilter::Closed || !issue.open)
                    && labels.iter().all(|l| issue.labels.contains(l))
            };
            let shown: Vec<Issue> = records.iter().map(Issue::from).filter(wanted).collect();
            at.page.write(&shown, |shown: &Vec<Issue>| view::issues(shown))
        }
        IssueCommand::View { number } => {
            let full = IssueFull::from(&desk.issue(Number(number)).await.map_err(super::explain)?);
            at.page.write(&full, view::issue)
        }
        IssueCommand::Create { title, body, labels } => {
            let body = body.read()?.unwrap_or_else(|| Tainted::new(String::new()));
            let number = desk.open_issue(Tainted::new(title), body, labels).await.map_err(super::explain)?;
            at.did(number, "opened")
        }
        IssueCommand::Edit { number, title, body } => {
            let (number, body) = (Number(number), body.read()?);
            if title.is_none() && body.is_none() {
                return Err(Failure::usage("nothing to change", "Give --title, --body or --body-file."));
            }
            match desk.edit(number, title.map(Tainted::new), body, None).await.map_err(super::explain)? {
                Rewritten::Yes => at.did(number, "changed"),
                Rewritten::Stale => Err(Failure::new("somebody else changed it meanwhile", "Try again.")),
            }
        }
        IssueCommand::Comment { number, body } => {
            let number = Number(number);
            desk.comment(number, body.required()?).await.map_err(super::explain)?;
            at.did(number, "commented on")
        }
        IssueCommand::Close { number } => {
            desk.close_issue(Number(number)).await.map_err(super::explain)?;
            at.did(Number(number), "closed")
        }
        IssueCommand::Reopen { number } => {
            desk.reopen_issue(Number(number)).await.map_err(super::explain)?;
            at.did(Number(number), "opened again")
        }
        IssueCommand::Block { number, by, remove } => {
            let link = Link::Blocks { blocker: Number(by), blocked: Number(number) };
            desk.link(link, presence(remove)).await.map_err(super::explain)?;
            at.did(Number(number), if remove { "does not wait any more" } else { "waits" })
        }
        IssueCommand::Child { number, of, remove } => {
            let link = Link::Child { parent: Number(of), child: Number(number) };
            desk.link(link, presence(remove)).await.map_err(super::explain)?;
            at.did(Number(number), if remove { "stands alone" } else { "is a sub-issue" })
        }
    }
}
