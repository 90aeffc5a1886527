//! One repository on the simulated forge: issues, pull requests, branches, comments, and what its owners switched on.

use super::graph::{Areas, Commit, Graph};
use crate::{
    canary,
    executor::{Micros, SECOND, stamp},
};
use banksman_core::{
    id::{ActorId, CommentId, Number, ThreadId},
    intent::{AGENTIC, MergeMethod},
    say::Sentence,
    signals::{
        AutoMerge, Check, CheckState, IssueFacts, MergeState, Mergeable, PullState, Reviews, Signals, Thread,
        TitleHead,
    },
    text::{BranchName, CheckName, ClassName, EngineName, Label, Login, Sha},
    work::Verdict,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The account that Banksman acts as.
pub(crate) const ME: ActorId = ActorId(1);
/// A person whose word counts.
pub(crate) const OWNER: ActorId = ActorId(2);
/// A stranger.
pub(crate) const STRANGER: ActorId = ActorId(3);
/// A stranger whose login looks like ours.
pub(crate) const LOOKALIKE: ActorId = ActorId(4);

/// What the owners switched on, and how the code behaves.
#[derive(Debug, Clone)]
pub(crate) struct Customs {
    /// A pull request must be up to date before it merges.
    pub(crate) strict: bool,
    /// The forge itself refuses a merge with red checks or missing reviews.
    pub(crate) protected: bool,
    /// Auto-merge is offered.
    pub(crate) auto_merge: bool,
    /// Approvals that a pull request into any branch needs.
    pub(crate) approvals: u32,
    /// People review, not engines.
    pub(crate) people_review: bool,
    /// A push dismisses approvals even when it is a mere update.
    pub(crate) dismiss_all: bool,
    /// Whether it merges is computed only when somebody asked.
    pub(crate) lazy: bool,
    /// Merging into an epic's branch closes the child.
    pub(crate) closes_children: bool,
    /// Checks of each head.
    pub(crate) checks: u32,
    /// Failing check runs, in per mille.
    pub(crate) ci_failure: u64,
    /// Changes that touch what others touch, in per mille.
    pub(crate) conflict: u64,
    /// It refuses merges into the default branch for a reason that no signal names.
    pub(crate) obstinate: bool,
    /// Rounds that reviewers ask for beyond what is usual.
    pub(crate) stubborn: u32,
    /// Failing attempts of engines, in per mille.
    pub(crate) engine_failure: u64,
}

/// One issue.
#[derive(Debug)]
pub(crate) struct Issue {
    pub(crate) open: bool,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<Label>,
    pub(crate) author: ActorId,
    pub(crate) parent: Option<Number>,
    pub(crate) blocked_by: Vec<Number>,
    pub(crate) created: Micros,
    pub(crate) closed: Option<Micros>,
}

/// One pull request.
#[derive(Debug)]
pub(crate) struct Pull {
    pub(crate) head_branch: BranchName,
    pub(crate) base: BranchName,
    /// Its head; follows the branch while it is open.
    pub(crate) head: Commit,
    pub(crate) head_at: Micros,
    pub(crate) state: State,
    pub(crate) author: ActorId,
    pub(crate) login: Login,
    pub(crate) labels: Vec<Label>,
    pub(crate) draft: bool,
    pub(crate) threads: Vec<ThreadRow>,
    pub(crate) reviews: Vec<ReviewRow>,
    pub(crate) armed: bool,
    pub(crate) closes: Vec<Number>,
    pub(crate) created: Micros,
    pub(crate) updated: Micros,
    /// When its implementer last pushed; what Banksman pushed itself is no answer.
    pub(crate) answered: Option<Micros>,
    /// The pair of heads for which mergeability was asked, and when it is known.
    known: Option<(Commit, Commit, Micros)>,
}

/// Who pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pusher {
    /// The implementer, or a person.
    Implementer,
    /// Banksman itself.
    Banksman,
}

/// Where a pull request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Merged { at: Micros, commit: Commit },
    Closed { at: Micros },
}

/// One review thread.
#[derive(Debug)]
pub(crate) struct ThreadRow {
    pub(crate) id: ThreadId,
    pub(crate) created: Micros,
    pub(crate) resolved: bool,
}

/// One review.
#[derive(Debug)]
pub(crate) struct ReviewRow {
    pub(crate) reviewer: Reviewer,
    pub(crate) head: Commit,
    pub(crate) verdict: Verdict,
}

/// Who reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reviewer {
    Engine(EngineName),
    Person(ActorId),
}

/// One comment. What strangers say has no sentence.
#[derive(Debug)]
pub(crate) struct Comment {
    pub(crate) id: CommentId,
    pub(crate) on: Number,
    pub(crate) author: ActorId,
    pub(crate) at: Micros,
    pub(crate) say: Option<Sentence>,
}

/// One repository.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) customs: Customs,
    pub(crate) default_branch: BranchName,
    pub(crate) graph: Graph,
    pub(crate) branches: BTreeMap<BranchName, Commit>,
    pub(crate) issues: BTreeMap<Number, Issue>,
    pub(crate) pulls: BTreeMap<Number, Pull>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) checks: HashMap<Commit, Vec<CheckState>>,
    next_number: u64,
    next_comment: u64,
    next_thread: u64,
    /// Heads made by updating a branch: pull request, old head, new head, when.
    pub(crate) updates: Vec<(Number, Commit, Commit, Micros)>,
    /// Heads that nature has taken note of.
    pub(crate) noticed: BTreeSet<(Number, Commit)>,
}

impl Town {
    pub(crate) fn new(salt: u64, customs: Customs) -> Self {
        let mut graph = Graph::new(salt);
        let root = graph.add(&[], 0);
        let default_branch = branch("main");
        Self {
            customs,
            branches: BTreeMap::from([(default_branch.clone(), root)]),
            default_branch,
            graph,
            issues: BTreeMap::new(),
            pulls: BTreeMap::new(),
            comments: Vec::new(),
            checks: HashMap::new(),
            next_number: 1,
            next_comment: 1,
            next_thread: 1,
            updates: Vec::new(),
            noticed: BTreeSet::new(),
        }
    }

    pub(crate) fn number(&mut self) -> Number {
        self.next_number += 1;
        Number(self.next_number - 1)
    }

    /// A new issue.
    pub(crate) fn open_issue(
        &mut self,
        now: Micros,
        author: ActorId,
        title: &str,
        body: String,
        labels: Vec<Label>,
    ) -> Number {
        let number = self.number();
        let issue = Issue {
            open: true,
            title: title.to_owned(),
            body,
            labels,
            author,
            parent: None,
            blocked_by: Vec::new(),
            created: now,
            closed: None,
        };
        self.issues.insert(number, issue);
        number
    }

    /// A new comment.
    pub(crate) fn comment(
        &mut self,
        now: Micros,
        on: Number,
        author: ActorId,
        say: Option<Sentence>,
    ) -> CommentId {
        let id = CommentId(self.next_comment);
        self.next_comment += 1;
        self.comments.push(Comment { id, on, author, at: now, say });
        id
    }

    /// A new thread on a pull request.
    pub(crate) fn open_thread(&mut self, now: Micros, pull: Number) {
        let id = ThreadId(self.next_thread);
        self.next_thread += 1;
        if let Some(pull) = self.pulls.get_mut(&pull) {
            pull.threads.push(ThreadRow { id, created: now, resolved: false });
            pull.updated = now;
        }
    }

    /// A new pull request.
    pub(crate) fn open_pull(
        &mut self,
        now: Micros,
        author: ActorId,
        head_branch: &BranchName,
        base: &BranchName,
        closes: Number,
    ) -> Option<Number> {
        let head = *self.branches.get(head_branch)?;
        let number = self.number();
        let pull = Pull {
            head_branch: head_branch.clone(),
            base: base.clone(),
            head,
            head_at: now,
            state: State::Open,
            author,
            login: login(if author == ME { "banksman" } else { canary::LOGIN }),
            labels: Vec::new(),
            draft: false,
            threads: Vec::new(),
            reviews: Vec::new(),
            armed: false,
            closes: vec![closes],
            created: now,
            updated: now,
            answered: None,
            known: None,
        };
        self.pulls.insert(number, pull);
        Some(number)
    }

    /// Moves a branch; open pull requests from it get the new head.
    pub(crate) fn move_branch(&mut self, now: Micros, name: &BranchName, to: Commit, by: Pusher) {
        self.branches.insert(name.clone(), to);
        for pull in self.pulls.values_mut() {
            if pull.state == State::Open && pull.head_branch == *name && pull.head != to {
                pull.head = to;
                pull.head_at = now;
                pull.updated = now;
                if by == Pusher::Implementer {
                    pull.answered = Some(now);
                }
            }
        }
    }

    /// A new commit on a branch.
    pub(crate) fn push(&mut self, now: Micros, name: &BranchName, touches: Areas) {
        let Some(at) = self.branches.get(name).copied() else { return };
        let commit = self.graph.add(&[at], touches);
        self.move_branch(now, name, commit, Pusher::Implementer);
    }

    /// The head of a pull request's base.
    pub(crate) fn base_head(&self, pull: &Pull) -> Option<Commit> {
        self.branches.get(&pull.base).copied()
    }

    /// Counts of reviews that hold for the head.
    pub(crate) fn reviews(&self, pull: &Pull) -> Reviews {
        let base = self.base_head(pull);
        let mut reviews = Reviews { required: self.customs.approvals, ..Reviews::default() };
        let mut seen: Vec<&Reviewer> = Vec::new();
        for review in pull.reviews.iter().rev() {
            if seen.contains(&&review.reviewer) {
                continue;
            }
            seen.push(&review.reviewer);
            let holds = review.head == pull.head
                || (!self.customs.dismiss_all
                    && base.is_some_and(|b| self.graph.same_change(review.head, pull.head, b)));
            match review.verdict {
                Verdict::Approve if holds => reviews.approved += 1,
                Verdict::Changes if holds => reviews.changes_requested += 1,
                Verdict::Approve | Verdict::Changes => {}
            }
        }
        reviews
    }

    /// All checks of the head are there and green.
    pub(crate) fn green(&self, head: Commit) -> bool {
        self.checks.get(&head).is_some_and(|c| !c.is_empty() && c.iter().all(|c| *c == CheckState::Passing))
    }

    /// Approved as required and nobody asks for changes.
    pub(crate) fn reviewed(&self, pull: &Pull) -> bool {
        let reviews = self.reviews(pull);
        reviews.approved >= reviews.required && reviews.changes_requested == 0
    }

    /// Nothing stands in the way of a merge by the forge.
    pub(crate) fn clear(&self, pull: &Pull) -> bool {
        let Some(base) = self.base_head(pull) else { return false };
        !pull.draft
            && self.green(pull.head)
            && self.reviewed(pull)
            && !self.graph.conflict(pull.head, base)
            && !(self.customs.strict && self.graph.ahead(base, pull.head))
    }

    fn merge_state(&self, pull: &Pull, mergeable: Mergeable) -> MergeState {
        let Some(base) = self.base_head(pull) else { return MergeState::Unknown };
        let green = self.green(pull.head);
        if pull.draft {
            MergeState::Draft
        } else if mergeable == Mergeable::Unknown {
            MergeState::Unknown
        } else if mergeable == Mergeable::Conflicting {
            MergeState::Dirty
        } else if self.customs.strict && self.graph.ahead(base, pull.head) {
            MergeState::Behind
        } else if self.customs.protected && !(green && self.reviewed(pull)) {
            MergeState::Blocked
        } else if !green {
            MergeState::Unstable
        } else {
            MergeState::Clean
        }
    }

    /// Signals of a pull request. Asking is what makes a lazy forge compute mergeability.
    pub(crate) fn signals(&mut self, now: Micros, number: Number) -> Option<Signals> {
        let base = self.base_head(self.pulls.get(&number)?);
        let lazy = self.customs.lazy;
        let pull = self.pulls.get_mut(&number)?;
        let known = match (base, pull.known) {
            (None, _) => false,
            (Some(base), Some((h, b, at))) if (h, b) == (pull.head, base) => now >= at,
            (Some(base), _) => {
                // Deterministic without drawing: a read must not change what chance gives to others.
                let delay = (number.0 * 7 + u64::from(pull.head.place())) % 9;
                pull.known = Some((pull.head, base, now + delay as i64 * SECOND));
                !lazy || delay == 0
            }
        };
        let pull = self.pulls.get(&number)?;
        let mergeable = match base {
            Some(base) if known || !lazy => {
                if self.graph.conflict(pull.head, base) {
                    Mergeable::Conflicting
                } else {
                    Mergeable::Mergeable
                }
            }
            _ => Mergeable::Unknown,
        };
        let lines = base.map_or(0, |b| self.graph.count(pull.head, b));
        Some(Signals {
            number,
            state: match &pull.state {
                State::Open => PullState::Open,
                State::Merged { at, commit } => {
                    PullState::Merged { at: stamp(*at), commit: self.graph.sha(*commit).clone() }
                }
                State::Closed { at } => PullState::Closed { at: stamp(*at) },
            },
            is_draft: pull.draft,
            merge_state: self.merge_state(pull, mergeable),
            mergeable,
            head: self.graph.sha(pull.head).clone(),
            head_at: stamp(pull.head_at),
            base: pull.base.clone(),
            head_branch: pull.head_branch.clone(),
            author: pull.author,
            author_login: pull.login.clone(),
            checks: self
                .checks
                .get(&pull.head)
                .into_iter()
                .flatten()
                .enumerate()
                .map(|(n, state)| Check { name: check_name(n), state: *state })
                .collect(),
            reviews: self.reviews(pull),
            threads: pull
                .threads
                .iter()
                .map(|t| Thread { id: t.id, created_at: stamp(t.created), resolved: t.resolved })
                .collect(),
            auto_merge: match (self.customs.auto_merge, pull.armed) {
                (false, _) => AutoMerge::NotOffered,
                (true, false) => AutoMerge::Off,
                (true, true) => AutoMerge::Armed,
            },
            additions: lines * 20,
            deletions: lines * 7,
            changed_files: lines,
            created_at: stamp(pull.created),
            updated_at: stamp(pull.updated),
            closes: pull.closes.clone(),
        })
    }

    /// Facts of an issue.
    pub(crate) fn facts(&self, number: Number) -> Option<IssueFacts> {
        let issue = self.issues.get(&number)?;
        let is_open = |n: &&Number| self.issues.get(n).is_some_and(|i| i.open);
        Some(IssueFacts {
            number,
            open: issue.open,
            labels: issue.labels.clone(),
            author: issue.author,
            title: TitleHead::read(&issue.title),
            blocked_by: issue.blocked_by.iter().filter(is_open).copied().collect(),
            parent: issue.parent,
            created_at: stamp(issue.created),
            closed_at: issue.closed.map(stamp),
        })
    }

    /// Closes an issue; false when it was closed already.
    pub(crate) fn close_issue(&mut self, now: Micros, number: Number) -> bool {
        match self.issues.get_mut(&number) {
            Some(issue) if issue.open => {
                issue.open = false;
                issue.closed = Some(now);
                true
            }
            _ => false,
        }
    }

    /// The commit of a name.
    pub(crate) fn commit(&self, sha: &Sha) -> Option<Commit> {
        self.graph.find(sha)
    }

    /// Labels of an issue or a pull request.
    pub(crate) fn labels(&mut self, number: Number) -> Option<&mut Vec<Label>> {
        match self.issues.get_mut(&number) {
            Some(issue) => Some(&mut issue.labels),
            None => self.pulls.get_mut(&number).map(|p| &mut p.labels),
        }
    }

    /// Whether an issue or a pull request carries a label.
    pub(crate) fn has_label(&self, number: Number, label: &str) -> bool {
        let labels =
            self.issues.get(&number).map(|i| &i.labels).or(self.pulls.get(&number).map(|p| &p.labels));
        labels.is_some_and(|all| all.iter().any(|l| l.as_str() == label))
    }

    /// Merges an open pull request; what it closes is closed where the forge does that.
    pub(crate) fn merge(&mut self, now: Micros, number: Number, method: MergeMethod) -> Option<Commit> {
        let pull = self.pulls.get(&number)?;
        let base = self.base_head(pull)?;
        let commit = match method {
            MergeMethod::Squash => {
                let touches = self.graph.areas(pull.head, base);
                self.graph.add(&[base], touches)
            }
            MergeMethod::Merge => self.graph.add(&[base, pull.head], 0),
        };
        let (branch, closes) = (pull.base.clone(), pull.closes.clone());
        if let Some(pull) = self.pulls.get_mut(&number) {
            pull.state = State::Merged { at: now, commit };
            pull.updated = now;
        }
        let closing = branch == self.default_branch || self.customs.closes_children;
        self.move_branch(now, &branch, commit, Pusher::Implementer);
        if closing {
            for issue in closes {
                if !self.has_label(issue, AGENTIC) {
                    self.close_issue(now, issue);
                }
            }
        }
        Some(commit)
    }
}

/// Text types of the simulation's own constants.
macro_rules! constant {
    ($($name:ident -> $type:ty;)*) => {
        $(pub(crate) fn $name(text: &str) -> $type {
            <$type>::new(text).expect("a valid name")
        })*
    };
}
constant! {
    branch -> BranchName;
    class -> ClassName;
    login -> Login;
    engine -> EngineName;
    tag -> Label;
}

fn check_name(n: usize) -> CheckName {
    #[expect(clippy::expect_used, reason = "one of three constants")]
    CheckName::new(["build", "test", "lint"][n % 3]).expect("a valid name")
}
