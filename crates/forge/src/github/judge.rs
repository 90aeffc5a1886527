//! What the signals of a pull request are, given what GitHub said. Pure. Structure can be forged as well (S10): every doubt is decided for
//! the reading that merges nothing.

use super::{
    settings::GithubRepo,
    wire::{
        Actor, Context, Life, NOBODY, NodeId, Opinion, Progress, PullWire, ReviewWire, Sort, ThreadWire,
        actor_of,
    },
};
use banksman_core::{
    id::{ActorId, Number, ThreadId},
    signals::{AutoMerge, Check, CheckState, MergeState, Mergeable, PullState, Reviews, Signals, Thread},
    text::{BranchName, CheckName, Login, RepoName, Sha},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Begin of the contexts of commit statuses by which Banksman's own reviewers give their verdict.
pub(super) const VERDICTS: &str = "banksman/review/";

/// Whether everything about a pull request was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// It was.
    Yes,
    /// Some list is longer than what is read, or an entry has no shape: the pull request is only waited for.
    No,
}

/// Who a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// Number of its first comment.
    pub(super) id: ThreadId,
    /// When that was written.
    pub(super) created_at: Timestamp,
}

/// All that is known about one pull request.
pub(super) struct Evidence<'a> {
    pub(super) repo: &'a RepoName,
    pub(super) pull: PullWire,
    /// Its checks, all pages.
    pub(super) contexts: Vec<Context>,
    /// Its threads, all pages.
    pub(super) threads: Vec<ThreadWire>,
    /// Its reviews, all pages.
    pub(super) reviews: Vec<ReviewWire>,
    pub(super) whole: Whole,
    pub(super) origins: &'a BTreeMap<NodeId, Origin>,
    /// Threads that Banksman is known to have resolved.
    pub(super) resolved: &'a BTreeSet<ThreadId>,
    /// The head and those before it that only own updates from the base lie behind.
    pub(super) fresh: &'a [Sha],
    /// When the head was seen first, at the latest.
    pub(super) first_seen: Timestamp,
    /// The issue that it is known to be about where GitHub has no link.
    pub(super) about: &'a [Number],
    pub(super) me: ActorId,
    pub(super) rules: &'a GithubRepo,
}

/// The branch that a pull request comes from. One of a fork gets a name that no branch of ours can have.
pub(super) fn head_branch(pull: &PullWire) -> Option<BranchName> {
    let name = pull.head_ref_name.as_ref()?;
    if !pull.is_cross_repository {
        return Some(name.clone());
    }
    let owner = pull.head_repository_owner.as_ref().and_then(|owner| owner.login.as_ref());
    BranchName::new(&format!("fork/{}/{name}", owner.map_or("gone", Login::as_str))).ok()
}

/// The child or epic whose branch it comes from, by the names that Banksman gives; only its own pull requests are read so.
pub(super) fn own_subject(pull: &PullWire, me: ActorId) -> Option<Number> {
    if pull.is_cross_repository || actor_of(pull.author.as_ref()) != me || me == NOBODY {
        return None;
    }
    let name = pull.head_ref_name.as_ref()?.as_str();
    match name.strip_prefix("agent/") {
        Some(number) => number.parse().ok().map(Number),
        None => epic_of_branch(name),
    }
}

/// The epic that has this branch (E9).
pub(super) fn epic_of_branch(branch: &str) -> Option<Number> {
    branch.strip_prefix("epic/")?.split_once('-')?.0.parse().ok().map(Number)
}

impl Evidence<'_> {
    /// The signals; `None`: a name in it has no valid shape, so that nothing can be done about it.
    pub(super) fn signals(self) -> Option<Signals> {
        let head = self.pull.head_ref_oid.clone()?;
        let head_branch = head_branch(&self.pull)?;
        let base = self.pull.base_ref_name.clone()?;
        let state = self.state()?;
        let checks = self.checks();
        let reviews = self.reviews(&head);
        let (threads, whole) = self.threads(reviews.required);
        let head_at = self.head_at();
        let auto_merge = self.auto_merge(&checks);
        let closes = self.closes();
        let pull = self.pull;
        let known = self.whole == Whole::Yes && whole == Whole::Yes;
        Some(Signals {
            number: Number(pull.number),
            state,
            is_draft: pull.is_draft,
            merge_state: if known { pull.merge_state_status } else { MergeState::Unknown },
            mergeable: if known { pull.mergeable } else { Mergeable::Unknown },
            head,
            head_at,
            base,
            head_branch,
            author: actor_of(pull.author.as_ref()),
            author_login: pull.author.as_ref().and_then(|author| author.login.clone()).or_else(ghost)?,
            checks,
            reviews,
            threads,
            auto_merge,
            additions: pull.additions,
            deletions: pull.deletions,
            changed_files: pull.changed_files,
            created_at: pull.created_at,
            updated_at: pull.updated_at,
            closes,
        })
    }

    fn state(&self) -> Option<PullState> {
        Some(match self.pull.state {
            Life::Open => PullState::Open,
            Life::Merged => PullState::Merged {
                at: self.pull.merged_at?,
                // A merge commit that is gone still was one; the head stands in for it.
                commit: self
                    .pull
                    .merge_commit
                    .as_ref()
                    .and_then(|commit| commit.oid.clone())
                    .or_else(|| self.pull.head_ref_oid.clone())?,
            },
            Life::Closed => PullState::Closed { at: self.pull.closed_at.unwrap_or(self.pull.updated_at) },
        })
    }

    /// Checks of pinned apps and configured statuses. Of several with one name the worst counts.
    fn checks(&self) -> Vec<Check> {
        let mut worst: BTreeMap<CheckName, CheckState> = BTreeMap::new();
        for context in &self.contexts {
            let Some((name, state)) = self.check(context) else { continue };
            let known = worst.entry(name).or_insert(CheckState::Passing);
            *known = match (*known, state) {
                (CheckState::Failing, _) | (_, CheckState::Failing) => CheckState::Failing,
                (CheckState::Pending, _) | (_, CheckState::Pending) => CheckState::Pending,
                (CheckState::Passing, CheckState::Passing) => CheckState::Passing,
            };
        }
        worst.into_iter().map(|(name, state)| Check { name, state }).collect()
    }

    fn check(&self, context: &Context) -> Option<(CheckName, CheckState)> {
        match context.sort {
            Sort::Run => {
                let app = context.check_suite.as_ref()?.app.as_ref()?.database_id?;
                if !self.rules.check_apps.iter().any(|pinned| pinned.0 == app) {
                    return None;
                }
                let state = match (context.status, context.conclusion) {
                    (Progress::Completed, Some(conclusion)) => conclusion.0,
                    (Progress::Completed | Progress::UnderWay, _) => CheckState::Pending,
                };
                // A check that counts must not vanish because of its name.
                Some((context.name.clone().or_else(unnamed)?, state))
            }
            Sort::Status => {
                let name = context.context.clone().filter(|name| self.rules.statuses.contains(name))?;
                Some((name, context.state.map_or(CheckState::Pending, |state| state.0)))
            }
            Sort::Other => None,
        }
    }

    /// Approvals of the head, or of one that differs from it by own updates only; a request for changes stays until its author reviews
    /// again. Own reviewers say theirs by a commit status where they may not review their own account's work.
    fn reviews(&self, head: &Sha) -> Reviews {
        let rule = self.pull.base_ref.as_ref().and_then(|base| base.ref_update_rule.as_ref());
        let counted = rule.and_then(|rule| rule.required_approving_review_count).unwrap_or(0);
        let decided = u32::from(self.pull.review_decision.is_some());
        let mut reviews = Reviews { required: counted.max(decided), ..Reviews::default() };
        let mut seen = BTreeSet::new();
        for review in &self.reviews {
            let author = actor_of(review.author.as_ref());
            if author == NOBODY || !seen.insert(author) {
                continue;
            }
            let of = review.commit.as_ref().and_then(|commit| commit.oid.as_ref());
            let fresh = of.is_some_and(|of| of == head || self.fresh.contains(of));
            match review.state {
                Opinion::Approved => reviews.approved += u32::from(fresh && author != self.author()),
                Opinion::ChangesRequested => reviews.changes_requested += 1,
                Opinion::Other => {}
            }
        }
        let verdicts = self.contexts.iter().filter(|context| {
            context.sort == Sort::Status
                && context.context.as_ref().is_some_and(|name| name.as_str().starts_with(VERDICTS))
                && actor_of(context.creator.as_ref()) == self.me
                && context.state.is_some_and(|state| state.0 == CheckState::Failing)
        });
        reviews.changes_requested += verdicts.count() as u32;
        reviews
    }

    fn author(&self) -> ActorId {
        actor_of(self.pull.author.as_ref())
    }

    /// Threads, oldest first. Where review is required, the author's own resolving does not count, nor does that of an account that GitHub
    /// does not name (a bot, a deleted one).
    fn threads(&self, required: u32) -> (Vec<Thread>, Whole) {
        let (author, mut whole) = (self.author(), Whole::Yes);
        let counts = |by: Option<&Actor>| {
            let by = actor_of(by);
            required == 0 || (by == self.me && by != NOBODY) || (by != author && by != NOBODY)
        };
        let mut threads = Vec::with_capacity(self.threads.len());
        for thread in &self.threads {
            match self.origins.get(&thread.id) {
                Some(origin) => threads.push(Thread {
                    id: origin.id,
                    created_at: origin.created_at,
                    resolved: thread.is_resolved
                        && (counts(thread.resolved_by.as_ref()) || self.resolved.contains(&origin.id)),
                }),
                None => whole = Whole::No,
            }
        }
        threads.sort_by_key(|thread| (thread.created_at, thread.id));
        (threads, whole)
    }

    /// When the head came, by the server: its first check suite or status. A commit without any has only the date that its author wrote
    /// into it, which counts as far back as it likes but never later than when the head was seen (S10).
    fn head_at(&self) -> Timestamp {
        let told = self
            .contexts
            .iter()
            .filter_map(|context| match context.sort {
                Sort::Run => context.check_suite.as_ref()?.created_at,
                Sort::Status => context.created_at,
                Sort::Other => None,
            })
            .min();
        let commit = self.pull.status_check_rollup.as_ref().and_then(|rollup| rollup.commit.as_ref());
        let written = commit
            .filter(|commit| commit.oid == self.pull.head_ref_oid)
            .and_then(|commit| commit.committed_date);
        let latest = self.first_seen.max(self.pull.created_at);
        told.or(written).unwrap_or(latest).clamp(self.pull.created_at, latest)
    }

    /// Offered only where the base requires every check that counts here: GitHub would merge past any other that is red, and past no check at
    /// all.
    fn auto_merge(&self, checks: &[Check]) -> AutoMerge {
        if self.pull.auto_merge_request.is_some() || self.pull.is_in_merge_queue {
            return AutoMerge::Armed;
        }
        let rule = self.pull.base_ref.as_ref().and_then(|base| base.ref_update_rule.as_ref());
        let required =
            rule.and_then(|rule| rule.required_status_check_contexts.as_deref()).unwrap_or_default();
        let is_required = |check: &Check| required.iter().any(|name| name.0.as_ref() == Some(&check.name));
        let safe = !checks.is_empty() && checks.iter().all(is_required);
        if self.pull.viewer_can_enable_auto_merge && !self.pull.is_merge_queue_enabled && safe {
            AutoMerge::Off
        } else {
            AutoMerge::NotOffered
        }
    }

    fn closes(&self) -> Vec<Number> {
        let linked = self.pull.closing_issues_references.iter().flat_map(|page| &page.nodes);
        let mut closes: Vec<Number> = linked.filter_map(|issue| issue.inside(self.repo)).collect();
        if let Some(own) = own_subject(&self.pull, self.me) {
            // What Banksman opened it for comes first, whatever else it mentions.
            closes.retain(|number| *number != own);
            closes.insert(0, own);
        }
        if closes.is_empty() { self.about.to_vec() } else { closes }
    }
}

fn ghost() -> Option<Login> {
    Login::new("ghost").ok()
}

fn unnamed() -> Option<CheckName> {
    CheckName::new("(a check with another kind of name)").ok()
}
