//! The judge of effects: every change on the forge is looked at against the world's own truth at that moment (I3, I4, I5, I7, X2 to X13).

use crate::{
    forge::{
        State, Town,
        town::{ME, OWNER},
    },
    universe::Universe,
    violation::Invariant,
};
use banksman_core::{
    id::Number,
    intent::{AGENTIC, APPROVED, Deed, Intent, IntentState, NEEDS_INTERVENTION, Phase, Step},
    port::{Intended, LedgerState, Spend},
    repo::RepoRules,
    say::Sentence,
    signals::TitleKind,
    text::{MemberName, ProviderName, RepoName},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// An objection to an effect.
type Objection = (Invariant, String);

/// The intent behind an effect and which of its steps it is.
type Behind = Option<(Intent, usize)>;

/// Ticked children of the epic that a step writes to, before it.
pub(crate) fn ticked(town: &Town, step: &Step) -> Vec<Number> {
    let (Step::Tick { epic, .. } | Step::ExtendChecklist { epic, .. }) = step else { return Vec::new() };
    let list = town.checklist(*epic).unwrap_or_default();
    list.entries.iter().filter(|e| e.ticked).map(|e| e.child).collect()
}

impl Universe {
    /// The open intent whose next step this is; of several the one whose step has not happened yet.
    pub(crate) fn intent_of(&self, repo: &RepoName, step: &Step) -> Behind {
        let open = self.store.repo(repo)?.intents.iter().filter(|i| i.state == IntentState::Open);
        open.filter(|i| i.deed.step(&i.receipts).as_ref() == Some(step))
            .min_by_key(|i| self.effects_at(repo, i))
            .map(|i| (i.clone(), i.receipts.len()))
    }

    fn effects_at(&self, repo: &RepoName, intent: &Intent) -> u32 {
        let key = (repo.clone(), intent.key.clone(), intent.receipts.len());
        self.notes.effects.get(&key).copied().unwrap_or_default()
    }

    /// Counts an effect that changed something.
    pub(crate) fn count(&mut self, repo: &RepoName, step: &Step, behind: Behind) {
        let Some((intent, position)) = behind else {
            return self.violated(
                Invariant::OneEffect,
                format!("{repo}: an effect without an open intent: {step:?}"),
            );
        };
        let count = self.notes.effects.entry((repo.clone(), intent.key.clone(), position)).or_default();
        *count += 1;
        // A tick that people took back before its receipt was written is made again.
        if *count > 1 && !matches!(step, Step::Tick { .. }) {
            let what = format!("{repo}: effect {count} of step {position} of {}: {step:?}", intent.key);
            self.violated(Invariant::OneEffect, what);
        }
        match (&intent.deed, step) {
            (Deed::Escalate { subject, mark, .. }, Step::Comment { .. }) => {
                let call = (repo.clone(), *subject, mark.clone());
                self.tally.escalations += 1;
                if self.notes.called.contains(&call) {
                    self.violated(
                        Invariant::Sentences,
                        format!("{repo}: called twice to #{subject} in one state"),
                    );
                }
                self.notes.called.push(call);
            }
            (_, Step::Comment { say: Sentence::FixReviews | Sentence::FixConflict, .. }) => {
                self.tally.asks += 1
            }
            (_, Step::Merge { .. }) => self.tally.merges += 1,
            _ => {}
        }
    }

    /// Remembers what later judgements need, and looks at what the step left.
    pub(crate) fn remember(&mut self, repo: &RepoName, town: &Town, step: &Step, ticked: &[Number]) {
        match step {
            Step::AddLabel { on, label } if RepoRules::labelled_engine(label).is_some() => {
                self.notes.dispatched.insert((repo.clone(), *on));
            }
            Step::Tick { epic, .. } | Step::ExtendChecklist { epic, .. } => {
                let list = town.checklist(*epic).unwrap_or_default();
                if let Some(lost) = ticked.iter().find(|c| list.entry(**c).is_none_or(|e| !e.ticked)) {
                    self.violated(
                        Invariant::Checklist,
                        format!("{repo}: the tick of #{lost} on #{epic} was lost"),
                    );
                }
                let body = town.issues.get(epic).map(|i| i.body.as_str()).unwrap_or_default();
                let gone =
                    self.notes.lines.iter().any(|(r, e, l)| r == repo && e == epic && !body.contains(l));
                if gone {
                    self.violated(
                        Invariant::Checklist,
                        format!("{repo}: a foreign edit of #{epic} was lost"),
                    );
                }
            }
            _ => {}
        }
    }

    /// Judges a step before it is done.
    pub(crate) fn judge(&self, repo: &RepoName, town: &Town, step: &Step) -> Vec<Objection> {
        let mut found = Vec::new();
        let mut object = |holds: bool, invariant: Invariant, what: &str| {
            if !holds {
                found.push((invariant, format!("{repo}: {what}: {step:?}")));
            }
        };
        match step {
            Step::Comment { on, say } => {
                let limits = self.rules.get(repo).map(|r| r.limits).unwrap_or_default();
                let said = |like: fn(&Sentence) -> bool| {
                    let mine = town.comments.iter().filter(|c| c.on == *on && c.author == ME);
                    mine.filter(|c| c.say.as_ref().is_some_and(like)).count() as u32
                };
                let pull = town.pulls.get(on);
                let (fits, room) = match say {
                    Sentence::FixReviews => (
                        pull.is_some_and(|p| trusted(p.author) && !p.threads.is_empty()),
                        said(|s| matches!(s, Sentence::FixReviews)) < limits.review_requests,
                    ),
                    Sentence::FixConflict => (
                        pull.is_some_and(|p| trusted(p.author)),
                        said(|s| matches!(s, Sentence::FixConflict)) < limits.conflict_requests,
                    ),
                    Sentence::TargetBranch { branch, epic } => (
                        listed(town, *epic, *on) && town.branches.contains_key(branch),
                        said(|s| matches!(s, Sentence::TargetBranch { .. })) == 0,
                    ),
                    Sentence::Parent { epic } => (
                        listed(town, *epic, *on),
                        !town
                            .comments
                            .iter()
                            .any(|c| c.on == *on && c.author == ME && c.say.as_ref() == Some(say)),
                    ),
                    Sentence::Created { .. } => (
                        town.facts(*on).is_some_and(|f| f.title.kind == Some(TitleKind::Audit)),
                        said(|s| matches!(s, Sentence::Created { .. })) == 0,
                    ),
                    Sentence::NeedsIntervention { .. } => {
                        (pull.is_none_or(|p| trusted(p.author)), town.has_label(*on, NEEDS_INTERVENTION))
                    }
                    Sentence::NeedsApproval => (
                        town.facts(*on).is_some_and(|f| f.title.kind == Some(TitleKind::Feat)),
                        said(|s| matches!(s, Sentence::NeedsApproval)) == 0,
                    ),
                };
                object(fits, Invariant::Sentences, "said to the wrong subject");
                object(room, Invariant::Sentences, "said too often");
            }
            Step::AddLabel { on, label } if RepoRules::labelled_engine(label).is_some() => {
                object(self.in_order(town, *on), Invariant::Dispatch, "earlier phases or blockers are open");
                let facts = town.facts(*on);
                let waits = facts
                    .as_ref()
                    .is_some_and(|f| f.title.kind == Some(TitleKind::Feat) && !f.has_label(APPROVED));
                object(!waits, Invariant::Dispatch, "a feature without approval");
                object(facts.is_some_and(|f| trusted(f.author)), Invariant::Dispatch, "a stranger's issue");
                let spent = self.store.repo(repo).is_some_and(|b| {
                    let mut entries = b.ledger.iter().map(|line| &line.entry);
                    entries.any(|e| e.issue == *on && e.state != LedgerState::Released)
                });
                object(spent, Invariant::Cap, "a dispatch that is not in the ledger");
            }
            Step::CloseIssue { issue } => {
                let fits = match town.facts(*issue).and_then(|f| f.title.kind) {
                    Some(TitleKind::Audit) => true,
                    Some(TitleKind::Epic) => self.epic_over(repo, town, *issue),
                    _ => merged(town, *issue),
                };
                object(fits, Invariant::ClosedInOrder, "closed before its work was merged");
            }
            Step::DeleteBranch { branch, .. } => {
                let head = town.branches.get(branch).copied();
                let main = town.branches[&town.default_branch];
                let in_main = |c| !town.graph.ahead(c, main);
                let merged =
                    |c| town.pulls.values().any(|p| p.head == c && matches!(p.state, State::Merged { .. }));
                object(
                    head.is_none_or(|c| in_main(c) || merged(c)),
                    Invariant::ClosedInOrder,
                    "deleted with commits that are nowhere else",
                );
            }
            Step::Merge { pull: number, head, .. } => {
                let pull = town.pulls.get(number);
                let commit = town.commit(head);
                object(
                    commit.is_some_and(|c| town.green(c)),
                    Invariant::MergedAsEvaluated,
                    "merged while not green",
                );
                object(pull.is_some_and(|p| trusted(p.author)), Invariant::MergedAsEvaluated, "a stranger's");
            }
            Step::UpdateBranch { pull, .. } | Step::EnableAutoMerge { pull, .. } => {
                let ours = town.pulls.get(pull).is_some_and(|p| trusted(p.author));
                object(ours, Invariant::MergedAsEvaluated, "a stranger's pull request");
            }
            Step::ResolveThread { pull, thread } => {
                let asked = town
                    .comments
                    .iter()
                    .filter(|c| c.on == *pull && c.author == ME && c.say == Some(Sentence::FixReviews));
                let asked = asked.map(|c| c.at).min();
                let answered = town.pulls.get(pull).and_then(|p| p.answered);
                let created = town.pulls.get(pull).and_then(|p| p.threads.iter().find(|t| t.id == *thread));
                let fits = match (asked, answered, created) {
                    (Some(asked), Some(answered), Some(t)) => answered > asked && answered > t.created,
                    _ => false,
                };
                object(fits, Invariant::Threads, "a thread resolved without an answer");
            }
            Step::Tick { epic, children } => {
                let list = town.checklist(*epic).unwrap_or_default();
                let early = children.iter().find(|c| {
                    list.entry(**c).is_some_and(|e| !e.ticked)
                        && town.issues.get(*c).is_some_and(|i| i.open)
                        && !merged(town, **c)
                });
                object(early.is_none(), Invariant::Checklist, "ticked before it is done");
            }
            Step::OpenPull { closes, .. } => {
                // An epic whose branch grew after its merge may have a second one.
                let epic = town.has_label(*closes, AGENTIC);
                let other = town.pulls.values().any(|p| {
                    let over = match p.state {
                        State::Open => false,
                        State::Merged { .. } => epic,
                        State::Closed { .. } => true,
                    };
                    p.author == ME && p.closes.contains(closes) && !over
                });
                object(!other, Invariant::OneEffect, "a second pull request for the same");
            }
            Step::CreateEpic { epic } => {
                let twice = epic.phases.iter().flat_map(|p| &p.children).any(|child| {
                    let epics = town.issues.keys().filter(|n| town.has_label(**n, AGENTIC));
                    epics.into_iter().any(|n| listed(town, *n, *child))
                });
                object(!twice, Invariant::OneEffect, "a child on two epics");
            }
            _ => {}
        }
        found
    }

    /// I7: the head that a merge names was handed out as green and reviewed.
    pub(crate) fn was_ready(&self, repo: &RepoName, town: &Town, step: &Step) -> bool {
        let Step::Merge { pull, head, .. } = step else { return true };
        town.commit(head).is_some_and(|c| self.notes.evaluated.contains(&(repo.clone(), *pull, c)))
    }

    /// X2: every child of earlier phases is closed or waits for a person, and no open issue blocks it.
    fn in_order(&self, town: &Town, child: Number) -> bool {
        let blocked = town.facts(child).is_some_and(|f| !f.blocked_by.is_empty());
        let epics = town.issues.keys().filter(|n| town.has_label(**n, AGENTIC));
        let lists: Vec<_> = epics.filter_map(|n| town.checklist(*n)).collect();
        let Some(list) = lists.iter().find(|l| l.entry(child).is_some()) else { return false };
        let phase = list.entry(child).map_or(Phase::Blockers, |e| e.phase);
        !blocked
            && list
                .entries
                .iter()
                .filter(|e| e.phase < phase)
                .all(|e| town.issues.get(&e.child).is_none_or(|i| !i.open) || excused(town, e.child))
    }

    /// X13: an epic ends after its branch is merged, or when it never had a commit.
    fn epic_over(&self, repo: &RepoName, town: &Town, epic: Number) -> bool {
        let Some(record) = self.store.repo(repo).and_then(|b| b.epics.get(&epic)) else { return false };
        let own = town
            .pulls
            .values()
            .any(|p| p.head_branch == record.branch && matches!(p.state, State::Merged { .. }));
        let children = town.checklist(epic).unwrap_or_default();
        let settled = |child| town.issues.get(&child).is_none_or(|i| !i.open) || excused(town, child);
        children.entries.iter().all(|e| settled(e.child))
            && (own
                || !town
                    .pulls
                    .values()
                    .any(|p| p.base == record.branch && matches!(p.state, State::Merged { .. })))
    }

    /// I4: after a reservation the window holds no more than the cap, and each of the team no more than its quota.
    pub(crate) fn check_intended(&mut self, repo: &RepoName, intended: &Intended, spend: Option<&Spend>) {
        let (Intended::New(_) | Intended::Again(_), Some(spend)) = (intended, spend) else { return };
        self.check_quotas();
        let Some(cap) = self.rules.get(repo).and_then(|r| r.daily_tasks) else { return };
        let now = crate::executor::stamp(self.now);
        let day = now - SignedDuration::from_hours(24);
        let spent: u32 = self
            .store
            .repo(repo)
            .iter()
            .flat_map(|b| &b.ledger)
            .map(|line| &line.entry)
            .filter(|e| e.state != LedgerState::Released && e.at > day)
            .map(|e| e.cost)
            .sum();
        if spent > cap {
            let what = format!("{repo}: {spent} tasks in a day with a cap of {cap} ({})", spend.implementer);
            self.violated(Invariant::Cap, what);
        }
    }
}

impl Universe {
    /// I4: in no window of any quota is more reserved and settled than it grants, over all repositories together. Counted anew from the
    /// lines, not as the store counts.
    fn check_quotas(&mut self) {
        let mut spent: BTreeMap<(MemberName, ProviderName, Timestamp), (u64, u64)> = BTreeMap::new();
        let Some(rules) = self.rules.values().find(|rules| !rules.team.is_empty()) else { return };
        let mut around: Option<String> = None;
        for line in self.store.repos.values().flat_map(|book| &book.ledger) {
            let entry = &line.entry;
            if entry.state == LedgerState::Released {
                continue;
            }
            let Some(member) = &entry.member else {
                if rules.team.quotas.iter().any(|quota| quota.provider == entry.provider) {
                    around.get_or_insert_with(|| {
                        format!("#{} was dispatched on nobody's account", entry.issue)
                    });
                }
                continue;
            };
            for quota in &rules.team.quotas {
                if quota.member == *member && quota.provider == entry.provider {
                    let window = quota.window.around(line.counted_at).start;
                    let key = (member.clone(), entry.provider.clone(), window);
                    let sum = spent.entry(key).or_insert((0, quota.most));
                    sum.0 += u64::from(entry.cost);
                }
            }
        }
        let over = spent.iter().find(|(_, (sum, most))| sum > most);
        if let Some(((member, provider, window), (sum, most))) = over {
            let what = format!("{sum} tasks of {member} at {provider} from {window} on, of {most}");
            self.violated(Invariant::Cap, what);
        } else if let Some(what) = around {
            self.violated(Invariant::Cap, what);
        }
    }
}

/// Accounts whose work is ours to act on.
pub(crate) fn trusted(author: banksman_core::id::ActorId) -> bool {
    author == ME || author == OWNER
}

fn listed(town: &Town, epic: Number, child: Number) -> bool {
    town.checklist(epic).is_some_and(|l| l.entry(child).is_some())
}

/// A pull request of a trusted author that closes it is merged.
fn merged(town: &Town, child: Number) -> bool {
    town.pulls.values().any(|p| p.closes.contains(&child) && matches!(p.state, State::Merged { .. }))
}

/// A person was called for it or its pull request, or it waits for such a one (X8).
pub(crate) fn excused(town: &Town, child: Number) -> bool {
    town.has_label(child, NEEDS_INTERVENTION)
        || town.pulls.iter().any(|(n, p)| p.closes.contains(&child) && town.has_label(*n, NEEDS_INTERVENTION))
        || town.facts(child).is_some_and(|f| f.blocked_by.iter().any(|b| *b != child && excused(town, *b)))
}
