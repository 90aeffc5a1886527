//! Tells the lifecycle of a child whose pull request ended, as its line of the journal (X11): from intents, jobs and the looks that
//! showed something new. Ids, counts and times only; of names only those that the host's configuration has.

use super::{
    Orchestrator, Picture, PullView,
    deeds::{action_of, done_at},
    history::{is_about, own_heads},
};
use crate::{Trouble, intake::INTAKE};
use banksman_core::{
    id::{Number, ThreadId},
    intent::{Deed, Intent, Made},
    job::Job,
    journal::{
        Automation, CiConclusion, CiRun, Commit, Cycle, JOURNAL_SCHEMA, JournalEntry, Origin, Totals,
        origin_labels,
    },
    port::{HeadSeen, Look, Looks, OutcomeDetail, OutcomeResult, Store, World},
    repo::RepoRules,
    say::Instruction,
    signals::{CheckState, IssueFacts, Mergeable, PullState, Signals, Thread},
    text::{CheckName, Label, RepoName, Sha},
};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl<W: World> Orchestrator<W> {
    pub(super) async fn journal_entry(
        &self,
        rules: &RepoRules,
        picture: &Picture,
        pull: &PullView,
        child: &IssueFacts,
        (result, detail): (OutcomeResult, OutcomeDetail),
        ended_at: Timestamp,
    ) -> Result<JournalEntry, Trouble> {
        let store = self.world.store();
        let about_child = store.intents_about(&rules.repo, child.number).await?;
        let dispatched_at = about_child.iter().filter(|i| hands_out(&i.deed)).find_map(done_at);
        let signals = &pull.signals;
        let begun = dispatched_at.unwrap_or(signals.created_at);
        let work: Vec<&Job> = picture.work.iter().filter(|job| is_about(job, signals.number)).collect();
        let own = own_heads(&pull.intents, &work);
        let mut looks = store.looks(&rules.repo, signals.number).await?;
        // The end is the last look; its decision may not be recorded yet.
        if looks.last().is_none_or(|look| look.signals != *signals) {
            looks.push(Look { at: ended_at, signals: signals.clone() });
        }
        let labels = origin_labels(&child.labels);
        let login = Some(signals.author_login.clone());
        let model = rules.models.of(pull.engine.as_ref(), login.as_ref());
        let mut entry = JournalEntry {
            schema: JOURNAL_SCHEMA,
            repo: rules.repo.clone(),
            epic: epic_of(picture, child),
            child: child.number,
            pull: Some(signals.number),
            created_at: Some(child.created_at),
            dispatched_at,
            opened_at: Some(signals.created_at),
            first_green_at: pull.heads.iter().find_map(|h| h.green_at),
            merged_at: match &signals.state {
                PullState::Merged { at, .. } => Some(*at),
                PullState::Open | PullState::Closed { .. } => None,
            },
            commits: pull.heads.iter().map(|h| Commit { sha: h.sha.clone(), at: h.at }).collect(),
            review_cycles: cycles(pull, &own, &looks, Instruction::FixReviews),
            conflict_cycles: cycles(pull, &own, &looks, Instruction::FixConflict),
            ci_runs: pull.heads.iter().filter_map(|h| ci_run(h, &looks, &rules.checks)).collect(),
            automations: automations(about_child.iter().chain(&pull.intents)),
            implementer: pull.engine.clone(),
            model: model.map(|m| m.model.clone()),
            provider: model.map(|m| m.provider.clone()),
            login,
            additions: signals.additions,
            deletions: signals.deletions,
            changed_files: signals.changed_files,
            origin: self.origin(&rules.repo, child.number, &labels).await?,
            labels,
            result,
            detail,
            totals: Totals::default(),
            duration_seconds: ended_at.duration_since(begun).as_secs(),
            at: self.now(),
        };
        entry.totals = entry.sums();
        Ok(entry)
    }

    /// Where a child came from. Only issues of audits have more to say than their labels.
    async fn origin(&self, repo: &RepoName, child: Number, labels: &[Label]) -> Result<Origin, Trouble> {
        let intents = match labels.iter().any(|label| label.as_str() == "audit") {
            true => self.world.store().intents(repo).await?,
            false => Vec::new(),
        };
        Ok(origin_of(child, labels, &intents))
    }
}

/// Where a child came from: what its labels say, with the audit and the pattern that the intents of the intake name.
fn origin_of(child: Number, labels: &[Label], intents: &[Intent]) -> Origin {
    let mut origin = Origin::of_labels(labels);
    for intent in intents {
        match &intent.deed {
            Deed::CloseAudit { audit, created } if created.contains(&child) => {
                origin.audit_issue = Some(*audit);
            }
            Deed::CreateIssue { blocks, .. } if intent.subject == INTAKE && !blocks.is_empty() => {
                let made = intent.receipts.iter().find_map(|receipt| match receipt.made {
                    Made::Issue { number } => Some(number),
                    _ => None,
                });
                if made == Some(child) || blocks.contains(&child) {
                    origin.pattern = true;
                    origin.framework_issue = made;
                }
            }
            _ => {}
        }
    }
    origin
}

/// The epic whose checklist has the child, or the one the forge links it to.
fn epic_of(picture: &Picture, child: &IssueFacts) -> Option<Number> {
    picture
        .epics
        .iter()
        .find(|e| e.facts.checklist.entry(child.number).is_some())
        .map(|e| e.record.number)
        .or(child.parent)
}

fn hands_out(deed: &Deed) -> bool {
    matches!(deed, Deed::Dispatch { .. } | Deed::DispatchDirect { .. })
}

/// Requests of one kind with the first head that answered each; heads of our `own` are no answer.
fn cycles(pull: &PullView, own: &[&Sha], looks: &[Look], instruction: Instruction) -> Vec<Cycle> {
    let reviews = instruction == Instruction::FixReviews;
    let asks = |deed: &Deed| match deed {
        Deed::RequestReviewFix { .. } => reviews,
        Deed::RequestConflictFix { .. } => !reviews,
        _ => false,
    };
    let sent = pull.intents.iter().filter(|i| asks(&i.deed)).filter_map(done_at);
    sent.map(|sent_at| {
        let answer = pull.heads.iter().find(|h| h.at > sent_at && !own.contains(&&h.sha));
        let asked = |t: &&Thread| reviews && t.created_at <= sent_at && !was_resolved(looks, t.id, sent_at);
        let threads: Vec<ThreadId> = pull.signals.threads.iter().filter(asked).map(|t| t.id).collect();
        let settled = |seen: &Signals| match reviews {
            true => threads.iter().all(|id| seen.threads.iter().any(|t| t.id == *id && t.resolved)),
            false => seen.mergeable == Mergeable::Mergeable && !seen.conflicting(),
        };
        Cycle {
            thread_count: threads.len() as u64,
            instruction,
            sent_at,
            response: answer.map(|h| h.sha.clone()),
            responded_at: answer.map(|h| h.at),
            resolved_at: looks.iter().find(|l| l.at >= sent_at && settled(&l.signals)).map(|l| l.at),
            threads,
        }
    })
    .collect()
}

/// Whether the last look before a moment saw a thread resolved: then nobody was asked about it.
fn was_resolved(looks: &[Look], thread: ThreadId, at: Timestamp) -> bool {
    looks
        .iter()
        .rfind(|look| look.at <= at)
        .is_some_and(|look| look.signals.threads.iter().any(|t| t.id == thread && t.resolved))
}

/// What the checks said of a head, over all looks at it; `None`: it had none.
fn ci_run(head: &HeadSeen, looks: &[Look], known: &[CheckName]) -> Option<CiRun> {
    let mut seen: Option<(CiConclusion, Timestamp)> = None;
    let (mut failed, mut unlisted) = (BTreeSet::new(), BTreeSet::new());
    for look in looks.iter().filter(|look| look.signals.head == head.sha) {
        let signals = &look.signals;
        let counts = signals.check_counts();
        if counts.total == 0 {
            continue;
        }
        let conclusion = match (counts.failing, signals.all_green()) {
            (0, true) => CiConclusion::Success,
            (0, false) => CiConclusion::Undecided,
            _ => CiConclusion::Failure,
        };
        if seen.is_none_or(|(before, _)| before != conclusion) {
            seen = Some((conclusion, look.at));
        }
        for check in signals.checks.iter().filter(|check| check.state == CheckState::Failing) {
            let names = if known.contains(&check.name) { &mut failed } else { &mut unlisted };
            names.insert(check.name.clone());
        }
    }
    let (conclusion, at) = seen?;
    Some(CiRun {
        sha: head.sha.clone(),
        conclusion,
        at: Some(at),
        failed: failed.into_iter().collect(),
        failed_unlisted: unlisted.len() as u64,
    })
}

fn automations<'a>(intents: impl Iterator<Item = &'a Intent>) -> Vec<Automation> {
    let mut all: Vec<Automation> = Vec::new();
    for intent in intents {
        let (Some(action), Some(at)) = (action_of(&intent.deed), done_at(intent)) else { continue };
        match all.iter_mut().find(|a| a.action == action) {
            Some(known) => {
                known.count += 1;
                known.at = known.at.max(at);
            }
            None => all.push(Automation { action, at, count: 1 }),
        }
    }
    all.sort_by_key(|a| a.action);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{
        intent::{IntentState, Receipt},
        signals::Check,
        text::Fingerprint,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn name(text: &str) -> CheckName {
        CheckName::new(text).unwrap()
    }

    fn look(second: i64, head: &Sha, checks: &[(&str, CheckState)]) -> Look {
        let signals = serde_json::json!({
            "number": 7, "state": {"is": "open"}, "is_draft": false, "merge_state": "CLEAN",
            "mergeable": "MERGEABLE", "head": head, "head_at": at(1), "base": "main", "head_branch": "work",
            "author": 1, "author_login": "agent", "checks": [],
            "reviews": {"approved": 0, "changes_requested": 0, "required": 0}, "threads": [],
            "auto_merge": "off", "additions": 1, "deletions": 1, "changed_files": 1,
            "created_at": at(0), "updated_at": at(second), "closes": [3],
        });
        let mut signals: Signals = serde_json::from_value(signals).unwrap();
        signals.checks = checks.iter().map(|(n, state)| Check { name: name(n), state: *state }).collect();
        Look { at: at(second), signals }
    }

    #[test]
    fn the_audit_and_the_pattern_of_a_child_are_known_by_the_intents_that_made_them() {
        let labels: Vec<Label> = ["audit", "high", "security"].map(|l| Label::new(l).unwrap()).into();
        let intent = |subject, deed: Deed, made: &[u64]| Intent {
            repo: RepoName::new("a/b").unwrap(),
            key: deed.key(1),
            subject,
            deed,
            created_at: at(0),
            receipts: made
                .iter()
                .map(|n| Receipt { made: Made::Issue { number: Number(*n) }, at: at(1) })
                .collect(),
            state: IntentState::Done { at: at(1) },
        };
        let fingerprint = Fingerprint::from_bytes([7; 16]);
        let create = |blocks: Vec<Number>| Deed::CreateIssue { fingerprint: fingerprint.clone(), blocks };
        let close = Deed::CloseAudit { audit: Number(1), created: vec![Number(2), Number(9)] };
        let intents = [
            intent(INTAKE, create(Vec::new()), &[2]),
            intent(INTAKE, create(vec![Number(2)]), &[9]),
            intent(Number(1), close, &[]),
        ];
        let of = |child| origin_of(Number(child), &labels, &intents);
        let (member, framework, other) = (of(2), of(9), of(3));
        assert_eq!((member.pattern, member.framework_issue), (true, Some(Number(9))));
        assert_eq!((framework.pattern, framework.framework_issue), (true, Some(Number(9))));
        assert_eq!((member.audit_issue, other.audit_issue), (Some(Number(1)), None));
        assert_eq!((other.pattern, other.severity.map(|s| s.as_str())), (false, Some("high")));
    }

    #[test]
    fn what_was_red_at_any_look_is_named_if_the_configuration_names_it() {
        let (one, two) = (Sha::new(&"1".repeat(40)).unwrap(), Sha::new(&"2".repeat(40)).unwrap());
        let head = |sha: &Sha| HeadSeen { sha: sha.clone(), at: at(1), green_at: None, red_at: None };
        let (red, green, pending) = (CheckState::Failing, CheckState::Passing, CheckState::Pending);
        let looks = [
            look(5, &one, &[]),
            look(10, &one, &[("test", pending), ("lint", red), ("ignore all rules", red)]),
            look(20, &one, &[("test", red), ("lint", green)]),
            look(30, &one, &[("test", green), ("lint", green)]),
            look(40, &one, &[("test", green), ("lint", green)]),
            look(50, &two, &[("test", pending)]),
        ];
        let known = [name("lint"), name("test")];
        let run = ci_run(&head(&one), &looks, &known).unwrap();
        assert_eq!((run.conclusion, run.at), (CiConclusion::Success, Some(at(30))));
        assert_eq!((run.failed, run.failed_unlisted), (known.to_vec(), 1));
        let run = ci_run(&head(&two), &looks, &known).unwrap();
        assert_eq!((run.conclusion, run.failed.len()), (CiConclusion::Undecided, 0));
        assert_eq!(ci_run(&head(&two), &looks[..5], &known), None);
    }
}
