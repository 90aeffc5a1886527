//! `training capture`: every open pull request once, into the store and to the sinks (D1, D3).

use super::super::monitor::hosted;
use crate::{
    app::App,
    host::{Host, block_on, explain_trouble},
    output::{Exit, clean},
    surface::Surface,
};
use banksman_core::text::RepoName;
use banksman_sink::Standing;
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;

/// Observe every open pull request once, changed or not.
#[derive(Debug, Args)]
#[command(
    after_help = "One query for 25 to 50 pull requests. `serve` does the same on schedule: every hour, repositories of training.priority every \
15 minutes. Sinks are configured with training.influx_url, training.line_file and training.json_file; what a sink does not take now waits on \
disk."
)]
pub(crate) struct CaptureArgs {
    /// Repositories: names (shop, acme/shop) or paths [default: all].
    repos: Vec<String>,
    /// All; the default, written out.
    #[arg(long, conflicts_with = "repos")]
    all: bool,
}

/// What came of it, for scripts.
#[derive(Serialize)]
struct Shown {
    captured: Vec<Captured>,
    sinks: Vec<SinkShown>,
}

#[derive(Serialize)]
struct Captured {
    repo: RepoName,
    pulls: usize,
    error: Option<String>,
}

/// How a sink stands after a command.
#[derive(Serialize)]
pub(super) struct SinkShown {
    name: &'static str,
    taken: u64,
    refused: u64,
    waiting_bytes: u64,
    problem: Option<String>,
}

pub(super) fn run(args: &CaptureArgs, app: &App) -> anyhow::Result<Exit> {
    let (settings, hosted) = hosted(app, &args.repos)?;
    block_on(async {
        let policy = Host::sandbox_policy(&settings);
        let host = Host::open(&settings, policy, hosted, Default::default(), Surface::kept()).await?;
        let orchestrator = host.orchestrator()?;
        let mut captured = Vec::new();
        for rules in host.rules() {
            let (pulls, error) = match orchestrator.capture(&rules).await {
                Ok(points) => (points.len(), None),
                Err(trouble) => (0, Some(format!("{:#}", explain_trouble(&rules.repo, trouble)))),
            };
            captured.push(Captured { repo: rules.repo, pulls, error });
        }
        let sinks = standings(host.shared.sinks.deliver_once().await?);
        let failed = captured.iter().any(|one| one.error.is_some());
        app.page.write(&Shown { captured, sinks }, |shown| {
            let mut text = String::new();
            for Captured { repo, pulls, error } in &shown.captured {
                // Writing to a string cannot fail.
                let _ = match error {
                    None => writeln!(text, "{repo}: {pulls} open pull requests observed"),
                    Some(error) => writeln!(text, "{repo}: not observed: {}", clean(error)),
                };
            }
            text + &told(&shown.sinks)
        })?;
        Ok(if failed { Exit::Failed } else { Exit::Success })
    })
}

/// How the sinks stand, to be shown.
pub(super) fn standings(all: Vec<Standing>) -> Vec<SinkShown> {
    let shown = |standing: Standing| {
        let delivered = standing.delivered.unwrap_or_default();
        let problem = match standing.delivered {
            None if standing.waiting > 0 => Some("another process delivers to it".to_owned()),
            None => None,
            Some(delivered) => delivered.stopped.map(|error| error.to_string()),
        };
        SinkShown {
            name: standing.name,
            taken: delivered.taken,
            refused: delivered.refused,
            waiting_bytes: standing.waiting,
            problem,
        }
    };
    all.into_iter().map(shown).collect()
}

/// The same for people.
pub(super) fn told(sinks: &[SinkShown]) -> String {
    let mut text = String::new();
    for sink in sinks {
        let _ = write!(text, "sink {}: {} points", sink.name, sink.taken);
        if sink.refused > 0 {
            let _ = write!(text, ", {} refused (refused.jsonl in its spool)", sink.refused);
        }
        if let Some(problem) = &sink.problem {
            let _ = write!(text, "; {problem}: {} KiB wait on disk", sink.waiting_bytes.div_ceil(1024));
        }
        text.push('\n');
    }
    text
}
