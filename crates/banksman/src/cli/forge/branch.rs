//! `forge branch`: branches of the repository.

use super::{Counter, shown::Branch, view};
use crate::output::{Cell, Failure, Table, style};
use banksman_core::text::{BranchName, Sha};
use clap::Subcommand;

/// What to do with branches.
#[derive(Debug, Subcommand)]
pub(super) enum BranchCommand {
    /// List the branches.
    List,
    /// Make a branch at the head of the default branch.
    Create {
        /// Its name.
        branch: BranchName,
    },
    /// Delete a branch. The default branch and one that is checked out are refused.
    Delete {
        /// Its name.
        branch: BranchName,
        /// Only if it is at this commit [default: where it is now].
        #[arg(long, value_name = "SHA")]
        at: Option<Sha>,
    },
}

pub(super) async fn run(command: BranchCommand, at: &Counter<'_>) -> anyhow::Result<()> {
    match command {
        BranchCommand::List => {
            let branches = at.desk.branches().await.map_err(super::explain)?;
            let shown: Vec<Branch> = branches.into_iter().map(|(name, head)| Branch { name, head }).collect();
            at.page.write(&shown, |shown| {
                let mut table = Table::new(&["branch", "head"]);
                for branch in shown {
                    table
                        .row([branch.name.as_str().into(), Cell::new(view::short(&branch.head), style::DIM)]);
                }
                table.text()
            })
        }
        BranchCommand::Create { branch } => {
            let head = at.desk.create_branch(&branch).await.map_err(super::explain)?;
            let made = Branch { name: branch, head };
            at.page.write(&made, |made| format!("{} made at {}\n", made.name, view::short(&made.head)))
        }
        BranchCommand::Delete { branch, at: wanted } => {
            let heads = at.desk.branches().await.map_err(super::explain)?;
            let Some((_, head)) = heads.into_iter().find(|(name, _)| *name == branch) else {
                return Err(Failure::new(
                    format!("there is no branch {branch}"),
                    "`banksman forge branch list` lists them.",
                ));
            };
            let head = wanted.unwrap_or(head);
            at.desk.delete_branch(&branch, &head).await.map_err(super::explain)?;
            let gone = Branch { name: branch, head };
            at.page.write(&gone, |gone| {
                format!("{} deleted, it was at {}\n", gone.name, view::short(&gone.head))
            })
        }
    }
}
