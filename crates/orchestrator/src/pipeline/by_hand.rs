//! One step about one pull request, wanted by a person, with the guards of the loop: only what the signals call for, never past a limit,
//! the intent first (X16).

use super::{
    Orchestrator, PullView,
    deeds::{Did, NoDrafts, Wish},
};
use crate::Trouble;
use banksman_core::{
    id::{Number, ThreadId},
    intent::Deed,
    policy::{ActionKind, Reply, Requests, Resolution},
    port::{Refusal, World},
    repo::RepoRules,
    signals::PullState,
};

/// What a person wants to have mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Ask the implementer to answer the reviews.
    Reviews,
    /// Ask the implementer to remove the conflict, or remove it here when it was asked often enough.
    Conflicts,
    /// Resolve the threads that a newer commit of the implementer answers.
    Threads,
}

/// What came of a step by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// It was done.
    Did(ActionKind),
    /// Done before, and nothing new is known since.
    Already,
    /// There is nothing of that kind to mend.
    Nothing,
    /// The limit of requests is reached: a person has to look.
    LimitReached,
    /// No such open pull request that Banksman looks after.
    NotOurs,
    /// The forge refused.
    Refused(Refusal),
    /// The forge gave no clear answer; the next look settles it.
    Unclear,
}

impl<W: World> Orchestrator<W> {
    /// Does one step about a pull request. Work that it makes is enqueued and waits for a worker.
    pub async fn fix(&self, rules: &RepoRules, pull: Number, fix: Fix) -> Result<Fixed, Trouble> {
        let turn = self.turn(&rules.repo).await?;
        if !self.recover(&turn, rules).await? {
            return Ok(Fixed::Unclear);
        }
        let picture = self.observe(rules).await?;
        let open = |p: &&PullView| p.signals.number == pull && p.signals.state == PullState::Open;
        let Some(view) = picture.pulls.iter().find(open) else { return Ok(Fixed::NotOurs) };
        let (deed, round) = match wanted(rules, view, fix) {
            Ok(wanted) => wanted,
            Err(why) => return Ok(why),
        };
        let action = super::deeds::action_of(&deed);
        let wish = Wish { round, ..Wish::new(pull, deed) };
        Ok(match self.fulfil(&turn, &rules.repo, wish, &NoDrafts).await? {
            Did::Done(_) => {
                let picture = self.observe(rules).await?;
                self.enqueue_work(&turn, rules, &picture).await?;
                action.map_or(Fixed::Already, Fixed::Did)
            }
            Did::Already(_) => Fixed::Already,
            Did::Refused(reason, _) => Fixed::Refused(reason),
            Did::Pausing(_) | Did::OverCap(_) | Did::Unclear => Fixed::Unclear,
            Did::Halted(error) => return Err(error.into()),
        })
    }
}

/// An engine of ours has the last request: a second one would only race with it.
fn working(requests: &Requests) -> bool {
    requests.last.is_some_and(|request| request.reply == Reply::Working)
}

/// The deed for a wish and which repetition it is, or why there is none.
fn wanted(rules: &RepoRules, view: &PullView, fix: Fix) -> Result<(Deed, u32), Fixed> {
    let (pull, history) = (view.signals.number, &view.history);
    match fix {
        Fix::Reviews if view.signals.unresolved() == 0 => Err(Fixed::Nothing),
        Fix::Reviews if working(&history.review) => Err(Fixed::Already),
        Fix::Reviews if history.review.count >= rules.limits.review_requests => Err(Fixed::LimitReached),
        Fix::Reviews => Ok((Deed::RequestReviewFix { pull }, history.review.count + 1)),
        Fix::Conflicts if !view.signals.conflicting() => Err(Fixed::Nothing),
        Fix::Conflicts if working(&history.conflict) => Err(Fixed::Already),
        Fix::Conflicts if history.conflict.count < rules.limits.conflict_requests => {
            Ok((Deed::RequestConflictFix { pull }, history.conflict.count + 1))
        }
        Fix::Conflicts if history.resolution == Resolution::NotTried => {
            Ok((Deed::ResolveConflict { pull }, 1))
        }
        Fix::Conflicts => Err(Fixed::LimitReached),
        Fix::Threads => {
            let answered = |at| history.implementer_head_at.is_some_and(|pushed| at < pushed);
            let threads: Vec<ThreadId> = view
                .signals
                .threads
                .iter()
                .filter(|t| !t.resolved && answered(t.created_at))
                .map(|t| t.id)
                .collect();
            if threads.is_empty() {
                Err(Fixed::Nothing)
            } else {
                Ok((Deed::ResolveThreads { pull, threads }, 1))
            }
        }
    }
}
