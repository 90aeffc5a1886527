//! `forge pull`: a person's work on pull requests.

use super::{
    Counter,
    issue::{Body, StateFilter},
    shown::{self, CheckShown, Pull, PullFull},
    view,
};
use crate::output::{Failure, clean_lines, style};
use banksman_core::{
    id::{Number, ThreadId},
    intent::MergeMethod,
    port::book::{HeadFate, NewThread, Opinion, Readiness, Select},
    signals::PullState,
    tainted::Tainted,
    text::{BranchName, Sha},
};
use banksman_forge::local::PullDraft;
use clap::{Args, Subcommand, ValueEnum};

/// What to do with pull requests.
#[derive(Debug, Subcommand)]
pub(super) enum PullCommand {
    /// List pull requests.
    List {
        /// Which.
        #[arg(long, value_enum, default_value_t = StateFilter::Open)]
        state: StateFilter,
    },
    /// Show a pull request with everything on it.
    View {
        /// Its number.
        number: u64,
    },
    /// Show the change as a patch.
    Diff {
        /// Its number.
        number: u64,
    },
    /// Open a pull request.
    Create(Create),
    /// Review the head of a pull request.
    Review(Review),
    /// Say something in a review thread.
    Reply {
        /// The thread's id.
        thread: u64,
        #[command(flatten)]
        body: Body,
    },
    /// Resolve a review thread.
    Resolve {
        /// The pull request.
        number: u64,
        /// The thread's id.
        thread: u64,
    },
    /// Open a resolved review thread again.
    Unresolve {
        /// The pull request.
        number: u64,
        /// The thread's id.
        thread: u64,
    },
    /// Show the checks of the head with the end of their output.
    Checks {
        /// Its number.
        number: u64,
    },
    /// Queue the checks of the head once more.
    Recheck {
        /// Its number.
        number: u64,
    },
    /// Merge a pull request.
    Merge {
        /// Its number.
        number: u64,
        /// How.
        #[arg(long, value_enum, default_value_t = Method::Merge)]
        method: Method,
        /// Only if the head is this commit [default: the head now].
        #[arg(long, value_name = "SHA")]
        head: Option<Sha>,
    },
    /// Merge the base into the head branch.
    Update {
        /// Its number.
        number: u64,
        /// Only if the head is this commit [default: the head now].
        #[arg(long, value_name = "SHA")]
        head: Option<Sha>,
    },
    /// Make a pull request ready for review.
    Ready {
        /// Its number.
        number: u64,
    },
    /// Make a pull request a draft.
    Draft {
        /// Its number.
        number: u64,
    },
    /// Close a pull request without merging it.
    Close {
        /// Its number.
        number: u64,
    },
    /// Open a closed pull request again.
    Reopen {
        /// Its number.
        number: u64,
    },
}

/// A pull request to be opened.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// From which branch.
    #[arg(long, value_name = "BRANCH")]
    head: BranchName,
    /// Into which branch [default: the default branch].
    #[arg(long, value_name = "BRANCH")]
    base: Option<BranchName>,
    /// Its title.
    #[arg(long)]
    title: String,
    #[command(flatten)]
    body: Body,
    /// The issue that it closes.
    #[arg(long, value_name = "NUMBER")]
    closes: Option<u64>,
    /// It is not ready yet.
    #[arg(long)]
    draft: bool,
    /// Delete the branch at the merge.
    #[arg(long)]
    delete_branch: bool,
}

/// A review.
#[derive(Debug, Args)]
pub(super) struct Review {
    /// Its number.
    number: u64,
    /// The verdict.
    #[arg(value_enum)]
    verdict: Verdict,
    #[command(flatten)]
    body: Body,
    /// A thread to open: PATH:LINE=TEXT; may be given several times.
    #[arg(long = "thread", value_name = "PATH:LINE=TEXT", value_parser = thread)]
    threads: Vec<(String, u32, String)>,
    /// Only if the head is this commit [default: the head now].
    #[arg(long, value_name = "SHA")]
    head: Option<Sha>,
}

/// A reviewer's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    /// Good as it is.
    Approve,
    /// Something has to change.
    Changes,
    /// Words only.
    Comment,
}

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// One commit on the base.
    Squash,
    /// A merge commit.
    Merge,
}

fn thread(text: &str) -> Result<(String, u32, String), String> {
    let form = "a thread is written PATH:LINE=TEXT";
    let (place, body) = text.split_once('=').ok_or(form)?;
    let (path, line) = place.rsplit_once(':').ok_or(form)?;
    let line = line.parse().ok().filter(|n| *n > 0).ok_or("the line is a number from 1")?;
    Ok((path.to_owned(), line, body.to_owned()))
}

pub(super) async fn run(command: PullCommand, at: &Counter<'_>) -> anyhow::Result<()> {
    let desk = &at.desk;
    match command {
        PullCommand::List { state } => {
            let which = if state == StateFilter::Open { Select::Open } else { Select::All };
            let pulls = desk.pulls(&which).await.map_err(super::explain)?;
            let wanted = |pull: &Pull| state != StateFilter::Closed || pull.signals.state != PullState::Open;
            let shown: Vec<Pull> = pulls.iter().map(Pull::from).filter(wanted).collect();
            at.page.write(&shown, |shown: &Vec<Pull>| view::pulls(shown))
        }
        PullCommand::View { number } => {
            let full = PullFull::from(&desk.pull(Number(number)).await.map_err(super::explain)?);
            at.page.write(&full, view::pull)
        }
        PullCommand::Diff { number } => {
            let patch = shown::text(&desk.diff(Number(number)).await.map_err(super::explain)?);
            at.page.write(&serde_json::json!({ "patch": patch }), |_| clean_lines(&patch))
        }
        PullCommand::Create(create) => {
            let draft = PullDraft {
                title: Tainted::new(create.title),
                body: create.body.read()?.unwrap_or_else(|| Tainted::new(String::new())),
                head: create.head,
                base: create.base,
                closes: create.closes.map(Number),
                readiness: if create.draft { Readiness::Draft } else { Readiness::Ready },
                head_fate: if create.delete_branch { HeadFate::Deleted } else { HeadFate::Kept },
            };
            let number = desk.open_pull(draft).await.map_err(super::explain)?;
            at.did(number, "opened")
        }
        PullCommand::Review(review) => write_review(review, at).await,
        PullCommand::Reply { thread, body } => {
            desk.reply(ThreadId(thread), body.required()?).await.map_err(super::explain)?;
            at.page
                .write(&serde_json::json!({ "thread": thread }), |_| format!("answered in thread {thread}\n"))
        }
        PullCommand::Resolve { number, thread } => {
            desk.resolve_thread(Number(number), ThreadId(thread)).await.map_err(super::explain)?;
            at.did(Number(number), "thread resolved")
        }
        PullCommand::Unresolve { number, thread } => {
            desk.unresolve_thread(Number(number), ThreadId(thread)).await.map_err(super::explain)?;
            at.did(Number(number), "thread opened again")
        }
        PullCommand::Checks { number } => checks(Number(number), at).await,
        PullCommand::Recheck { number } => {
            desk.rerun_checks(Number(number)).await.map_err(super::explain)?;
            at.did(Number(number), "checks queued: the process with the loops runs them")
        }
        PullCommand::Merge { number, method, head } => {
            let number = Number(number);
            let head = head_of(number, head, at).await?;
            let method = match method {
                Method::Squash => MergeMethod::Squash,
                Method::Merge => MergeMethod::Merge,
            };
            let commit = desk.merge(number, &head, method).await.map_err(super::explain)?;
            let made = serde_json::json!({ "number": number, "commit": commit });
            at.page.write(&made, |_| format!("#{number} merged as {}\n", view::short(&commit)))
        }
        PullCommand::Update { number, head } => {
            let number = Number(number);
            let head = head_of(number, head, at).await?;
            let head = desk.update_branch(number, &head).await.map_err(super::explain)?;
            let made = serde_json::json!({ "number": number, "head": head });
            at.page.write(&made, |_| format!("#{number} updated, its head is {}\n", view::short(&head)))
        }
        PullCommand::Ready { number } => {
            desk.set_readiness(Number(number), Readiness::Ready).await.map_err(super::explain)?;
            at.did(Number(number), "ready")
        }
        PullCommand::Draft { number } => {
            desk.set_readiness(Number(number), Readiness::Draft).await.map_err(super::explain)?;
            at.did(Number(number), "a draft")
        }
        PullCommand::Close { number } => {
            desk.close_pull(Number(number)).await.map_err(super::explain)?;
            at.did(Number(number), "closed")
        }
        PullCommand::Reopen { number } => {
            desk.reopen_pull(Number(number)).await.map_err(super::explain)?;
            at.did(Number(number), "opened again")
        }
    }
}

async fn write_review(review: Review, at: &Counter<'_>) -> anyhow::Result<()> {
    let number = Number(review.number);
    let opinion = match review.verdict {
        Verdict::Approve => Opinion::Approved,
        Verdict::Changes => Opinion::ChangesRequested,
        Verdict::Comment => Opinion::Commented,
    };
    let body = review.body.read()?;
    if opinion == Opinion::Commented && body.is_none() && review.threads.is_empty() {
        return Err(Failure::usage("a comment needs words", "Give --body, --body-file or --thread."));
    }
    let head = head_of(number, review.head, at).await?;
    let threads = review.threads.into_iter().map(|(path, line, text)| NewThread {
        place: Some((Tainted::new(path), line)),
        body: Tainted::new(text),
    });
    let body = body.unwrap_or_else(|| Tainted::new(String::new()));
    at.desk.review(number, &head, opinion, body, threads.collect()).await.map_err(super::explain)?;
    at.did(number, "reviewed")
}

/// The commit that the person means: the one named, or the head now.
async fn head_of(number: Number, named: Option<Sha>, at: &Counter<'_>) -> anyhow::Result<Sha> {
    match named {
        Some(sha) => Ok(sha),
        None => Ok(at.desk.pull(number).await.map_err(super::explain)?.summary.signals.head),
    }
}

async fn checks(number: Number, at: &Counter<'_>) -> anyhow::Result<()> {
    let logs = at.desk.checks(number).await.map_err(super::explain)?;
    let shown: Vec<CheckShown> = logs
        .iter()
        .map(|check| CheckShown {
            name: check.name.clone(),
            state: check.state,
            at: check.at,
            log: shown::text(&check.log),
        })
        .collect();
    at.page.write(&shown, |shown| {
        let head = style::HEAD;
        let mut out = String::new();
        for check in shown {
            out.push_str(&format!("{head}{}{head:#} {}\n", check.name, shown::check_word(check.state)));
            for line in clean_lines(&check.log).lines() {
                out.push_str(&format!("    {line}\n"));
            }
        }
        if shown.is_empty() { "no check has ended for this head\n".to_owned() } else { out }
    })
}
