//! The summary of a run, for people.

use crate::host::{Ended, Summary};
use banksman_core::id::Number;
use banksman_orchestrator::Outlook;

/// Whether the run ended because somebody has to do something.
fn waiting(ended: &Ended) -> bool {
    matches!(ended, Ended::Settled(outlooks) if outlooks.iter().any(|o| matches!(o, Outlook::NeedsPeople(_))))
}

/// The summary for people.
pub(crate) fn summary_text(summary: &Summary, ended: &Ended) -> String {
    let mut text = String::new();
    let head = match ended {
        Ended::HandedOut => format!(
            "Handed out. `banksman monitor {}` carries on as pull requests come.",
            crate::home::short(&summary.repo)
        ),
        Ended::Interrupted => "Interrupted. The same command goes on where it was.".to_owned(),
        Ended::Settled(outlooks) if outlooks.iter().all(|o| *o == Outlook::Done) => "Done.".to_owned(),
        Ended::Settled(outlooks) if outlooks.iter().any(|o| matches!(o, Outlook::OverCap(_))) => {
            "The cap of tasks is reached. The same command goes on when its window has moved on.".to_owned()
        }
        Ended::Settled(_) => "Nothing moves any more without a person.".to_owned(),
    };
    let numbers = |list: &[Number]| list.iter().map(|n| format!("#{n}")).collect::<Vec<_>>().join(" ");
    text.push_str(&format!("\n{head}\n"));
    let merged: Vec<String> = summary
        .merged
        .iter()
        .map(|d| d.pull.map_or(format!("#{}", d.child), |pull| format!("#{} (by #{pull})", d.child)))
        .collect();
    text.push_str(&format!(
        "  merged          {}\n",
        if merged.is_empty() { "nothing".into() } else { merged.join(", ") }
    ));
    if !summary.epics_merged.is_empty() {
        text.push_str(&format!("  epics closed    {}\n", numbers(&summary.epics_merged)));
    }
    match summary.needs_people.as_slice() {
        // Nobody was called, and yet it waits: for a review, say, or for an issue's author to be allowed.
        [] if waiting(ended) => {
            text.push_str("  needs a person  see `banksman epic status` and the open pull requests\n");
        }
        [] => text.push_str("  needs a person  nothing\n"),
        some => {
            for needs in some {
                text.push_str(&format!("  needs a person  #{}: {}\n", needs.number, needs.why));
            }
        }
    }
    text.push_str(&format!(
        "  cycles          {} review requests, {} conflict requests, {} red heads\n",
        summary.review_requests, summary.conflict_requests, summary.red_heads
    ));
    text.push_str(&format!(
        "  attempts        {}, {} of them failed; {} tokens, ${:.2}\n",
        summary.attempts, summary.failed_attempts, summary.tokens, summary.cost_usd
    ));
    text.push_str(&format!("  hours           {:.2}\n", summary.hours));
    text.push_str(&format!("  repository      {}\n", summary.place));
    text.push_str(&format!("  journals        {}\n", summary.journals.display()));
    text
}
