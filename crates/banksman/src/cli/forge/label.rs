//! `forge label`: labels of issues and pull requests.

use super::Counter;
use crate::output::Table;
use banksman_core::{id::Number, port::book::Presence, text::Label};
use clap::Subcommand;
use serde::Serialize;

/// What to do with labels.
#[derive(Debug, Subcommand)]
pub(super) enum LabelCommand {
    /// List the labels in use.
    List,
    /// Add labels to an issue or a pull request.
    Add {
        /// Its number.
        number: u64,
        /// The labels.
        #[arg(required = true)]
        labels: Vec<Label>,
    },
    /// Remove labels from an issue or a pull request.
    Remove {
        /// Its number.
        number: u64,
        /// The labels.
        #[arg(required = true)]
        labels: Vec<Label>,
    },
}

#[derive(Serialize)]
struct Used {
    label: Label,
    open: u64,
}

pub(super) async fn run(command: LabelCommand, at: &Counter<'_>) -> anyhow::Result<()> {
    let (number, labels, presence, word) = match command {
        LabelCommand::List => {
            let labels = at.desk.labels().await.map_err(super::explain)?;
            let used: Vec<Used> = labels.into_iter().map(|(label, open)| Used { label, open }).collect();
            return at.page.write(&used, |used| {
                let mut table = Table::new(&["label", "open"]);
                for used in used {
                    table.row([used.label.as_str().into(), used.open.to_string().into()]);
                }
                if used.is_empty() { "no labels\n".to_owned() } else { table.text() }
            });
        }
        LabelCommand::Add { number, labels } => (Number(number), labels, Presence::Present, "labelled"),
        LabelCommand::Remove { number, labels } => (Number(number), labels, Presence::Absent, "unlabelled"),
    };
    for label in &labels {
        at.desk.label(number, label, presence).await.map_err(super::explain)?;
    }
    at.did(number, word)
}
