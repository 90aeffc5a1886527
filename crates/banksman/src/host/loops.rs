//! What the loops of a home are up to, in a file for the commands of other processes: repositories in trouble, and what is left of GitHub's
//! limits. A hint for people; nothing depends on it.

use super::{Host, troubles::Trouble};
use crate::home::{Home, running_pid};
use banksman_core::text::RepoName;
use banksman_forge::github::governor::GovernorView;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, time::Duration};

/// How often the file is brought in line.
const EVERY: Duration = Duration::from_secs(2);

/// What the loops are up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loops {
    /// The process.
    pub(crate) pid: u32,
    /// Repositories in trouble.
    pub(crate) troubles: BTreeMap<RepoName, Trouble>,
    /// GitHub's limits, once it was asked for anything.
    pub(crate) github: Option<Limits>,
}

/// What is left of GitHub's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// REST requests of the hour.
    pub(crate) rest: Hour,
    /// GraphQL points of the hour.
    pub(crate) graphql: Hour,
    /// Issues, comments and the like that were written in the last hour, and the most that are.
    pub(crate) content: (u64, u32),
    /// Until when everything stands still, and why.
    pub(crate) pause: Option<(Timestamp, String)>,
}

/// An hourly budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hour {
    /// What is left.
    pub(crate) left: u32,
    /// An hour's worth.
    pub(crate) limit: u32,
    /// When it is full again.
    pub(crate) reset_at: Option<Timestamp>,
}

impl From<GovernorView> for Limits {
    fn from(view: GovernorView) -> Self {
        let hour = |budget: banksman_forge::github::governor::BudgetView| Hour {
            left: budget.left,
            limit: budget.limit,
            reset_at: budget.reset_at,
        };
        Self {
            rest: hour(view.rest),
            graphql: hour(view.graphql),
            content: (view.content_hour.used, view.content_hour.limit),
            pause: view.pause.map(|pause| (pause.until, pause.why.describe().to_owned())),
        }
    }
}

impl Loops {
    /// What the process that runs the loops of a home wrote; `None` where none runs.
    pub(crate) fn of(home: &Home) -> Option<Self> {
        let text = fs::read_to_string(home.loops()).ok()?;
        let loops: Self = serde_json::from_str(&text).ok()?;
        (running_pid(home.folder()) == Some(loops.pid)).then_some(loops)
    }
}

impl Host {
    /// Keeps the file in line; never returns.
    pub(super) async fn tell_loops(&self) {
        let mut told = None;
        loop {
            let now = Loops {
                pid: std::process::id(),
                troubles: self.shared.troubles.all(),
                github: self.shared.forge.github().map(|github| github.limits().into()),
            };
            if told.as_ref() != Some(&now) {
                if let Err(error) = self.write_loops(&now) {
                    tracing::debug!(%error, "what the loops are up to could not be written");
                }
                told = Some(now);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn write_loops(&self, loops: &Loops) -> anyhow::Result<()> {
        let file = self.home.loops();
        let next = file.with_extension("new");
        fs::write(&next, serde_json::to_string(loops)?)?;
        Ok(fs::rename(&next, file)?)
    }
}
