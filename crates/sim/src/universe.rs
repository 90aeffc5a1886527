//! Everything that outlives a process: the store's book, the towns of the forge, the engines' log, and the count of what happened.

use crate::{
    canary,
    engine::Log,
    executor::{Micros, stamp},
    forge::{Commit, Town},
    github::Account,
    referee::Model,
    violation::{Invariant, Violation, WorldKind},
};
use banksman_core::{
    id::Number,
    intent::{Receipt, Step},
    policy::EscalateReason,
    port::{IssueText, Refusal},
    repo::RepoRules,
    say::Sentence,
    signals::Mark,
    signals::{PullState, Signals},
    text::RepoName,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::store::Book;

/// Everything that outlives a process.
pub(crate) struct Universe {
    pub(crate) seed: u64,
    world: WorldKind,
    pub(crate) now: Micros,
    pub(crate) store: Book,
    pub(crate) towns: BTreeMap<RepoName, Box<Town>>,
    /// What GitHub knows beyond the towns.
    pub(crate) github: Account,
    pub(crate) rules: BTreeMap<RepoName, RepoRules>,
    pub(crate) log: Log,
    pub(crate) tally: Tally,
    /// How often each kind of thing happened.
    pub(crate) seen: BTreeMap<&'static str, u64>,
    pub(crate) notes: Notes,
    /// What the referee of the queue remembers.
    pub(crate) model: Model,
    /// Things that nature still has in mind.
    pub(crate) agenda: u32,
    /// When an orchestrator last found each repository settled.
    pub(crate) settled: BTreeMap<RepoName, Micros>,
    violations: Vec<Violation>,
    shown: usize,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) merges: u64,
    pub(crate) asks: u64,
    pub(crate) escalations: u64,
    pub(crate) effects: u64,
    pub(crate) crashes: u64,
    pub(crate) attempts: u64,
}

/// What the invariants remember.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Effects by repository, intent key and position.
    pub(crate) effects: HashMap<(RepoName, String, usize), u32>,
    /// Heads that were answered as green and reviewed.
    pub(crate) evaluated: BTreeSet<(RepoName, Number, Commit)>,
    /// States for which a person was called.
    pub(crate) called: Vec<(RepoName, Number, Option<Mark>)>,
    /// Lines that people wrote into an epic's body.
    pub(crate) lines: Vec<(RepoName, Number, String)>,
    /// Issues that were dispatched: repository, child.
    pub(crate) dispatched: BTreeSet<(RepoName, Number)>,
}

impl Universe {
    pub(crate) fn new(seed: u64, world: WorldKind) -> Self {
        Self {
            seed,
            world,
            now: 0,
            store: Book::default(),
            towns: BTreeMap::new(),
            github: Account::default(),
            rules: BTreeMap::new(),
            log: Log::default(),
            tally: Tally::default(),
            seen: BTreeMap::new(),
            notes: Notes::default(),
            model: Model::default(),
            agenda: 0,
            settled: BTreeMap::new(),
            violations: Vec::new(),
            shown: 0,
        }
    }

    /// Works in one town with everything else at hand; `None` when there is no such town.
    pub(crate) fn in_town<T>(
        &mut self,
        repo: &RepoName,
        work: impl FnOnce(&mut Town, &mut Self) -> T,
    ) -> Option<T> {
        let mut town = self.towns.remove(repo)?;
        let answer = work(&mut town, self);
        self.towns.insert(repo.clone(), town);
        Some(answer)
    }

    /// Does a step on the forge and judges it.
    pub(crate) fn perform(
        &mut self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, Refusal> {
        self.check_text("step", step);
        let now = self.now;
        let done = self.in_town(repo, |town, u| {
            let intent = u.intent_of(repo, step);
            let objections = u.judge(repo, town, step);
            let ticked = crate::judge::ticked(town, step);
            // Naming a head that was never seen ready is wrong even where the forge refuses it.
            if matches!(step, Step::Merge { .. }) && !u.was_ready(repo, town, step) {
                u.violated(
                    Invariant::MergedAsEvaluated,
                    format!("{repo}: a head that was never ready: {step:?}"),
                );
            }
            let effect = town.apply(now, step, text)?;
            if effect.changed {
                u.tally.effects += 1;
                u.see(name_of(step));
                u.count(repo, step, intent);
                u.remember(repo, town, step, &ticked);
                objections.into_iter().for_each(|(invariant, what)| u.violated(invariant, what));
            }
            Ok(Receipt { at: stamp(now), made: effect.made })
        });
        done.unwrap_or(Err(Refusal::NotFound))
    }

    /// Signals that were handed out: heads that may be merged by what they say.
    pub(crate) fn answered(&mut self, repo: &RepoName, town: &Town, signals: &[Signals]) {
        for signals in signals.iter().filter(|s| s.state == PullState::Open) {
            let reviews = signals.reviews;
            let content = reviews.approved >= reviews.required && reviews.changes_requested == 0;
            if signals.all_green()
                && content
                && let Some(commit) = town.commit(&signals.head)
            {
                self.notes.evaluated.insert((repo.clone(), signals.number, commit));
            }
        }
    }

    /// Counts something that happened.
    pub(crate) fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// Nothing that strangers wrote may be in there (I10).
    pub(crate) fn check_text<T: Serialize + ?Sized>(&mut self, what: &'static str, value: &T) {
        if canary::sings_in(value) {
            self.violated(Invariant::NoCanary, format!("a canary in a value of kind {what}"));
        }
    }

    /// Writes down a violation; the world ends.
    pub(crate) fn violated(&mut self, invariant: Invariant, detail: String) {
        if invariant == Invariant::NoOverlap && self.model.clocks_lie {
            return;
        }
        let (seed, world, at) = (self.seed, self.world, self.now as f64 / 1e6);
        self.violations.push(Violation { seed, world, invariant, at_seconds: at, detail });
    }

    /// Violations that were not shown yet, as lines.
    pub(crate) fn take_new_violations(&mut self) -> Vec<String> {
        let new = self.violations[self.shown..].iter().map(ToString::to_string).collect();
        self.shown = self.violations.len();
        new
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// The name under which a step is counted.
pub(crate) fn name_of(step: &Step) -> &'static str {
    match step {
        Step::CreateIssue { .. } => "create issue",
        Step::CreateEpic { .. } => "create epic",
        Step::ExtendChecklist { .. } => "extend checklist",
        Step::Comment { say, .. } => match say {
            Sentence::FixReviews => "ask about reviews",
            Sentence::FixConflict => "ask about a conflict",
            Sentence::TargetBranch { .. } => "name the target branch",
            Sentence::Parent { .. } => "name the parent",
            Sentence::Created { .. } => "name the created issues",
            Sentence::NeedsApproval => "ask for approval",
            Sentence::NeedsIntervention { reason } => match reason {
                EscalateReason::ReviewLimit => "call: review limit",
                EscalateReason::ConflictUnresolved => "call: conflict",
                EscalateReason::ChecksRed => "call: checks red",
                EscalateReason::AttemptsFailed => "call: attempts failed",
                EscalateReason::NoPull => "call: no pull request",
                EscalateReason::PullClosed => "call: pull request closed",
                EscalateReason::Refused => "call: refused",
            },
        },
        Step::AddLabel { .. } => "add label",
        Step::CloseIssue { .. } => "close issue",
        Step::LinkChild { .. } => "link child",
        Step::LinkBlocker { .. } => "link blocker",
        Step::CreateBranch { .. } => "create branch",
        Step::DeleteBranch { .. } => "delete branch",
        Step::OpenPull { .. } => "open pull request",
        Step::ResolveThread { .. } => "resolve thread",
        Step::UpdateBranch { .. } => "update branch",
        Step::EnableAutoMerge { .. } => "enable auto-merge",
        Step::Merge { .. } => "merge",
        Step::Tick { .. } => "tick",
    }
}
