//! Merges and updates: the commit is made and written into the book before its branch moves, so that whatever a crash leaves is
//! either nothing or something that the next look recognises.

use super::{
    LocalError, LocalForge,
    home::Home,
    judge::{self, Asker},
};
use crate::git::{Merged, Message, Moved, Turn};
use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::{
        Book, Checker, Refusal,
        book::{Ending, MergePlan, UpdatePlan},
    },
    signals::PullState,
    text::Sha,
};
use jiff::Timestamp;

/// Times that a merge is tried anew because its base moved meanwhile.
const TRIES: usize = 5;

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Merges a pull request whose head is that commit.
    pub(super) async fn merge(
        &self,
        home: &Home,
        pull: Number,
        head: &Sha,
        method: MergeMethod,
        asker: Asker,
    ) -> Result<(Sha, Timestamp), LocalError> {
        let turn = home.take_turn().await?;
        self.merge_in(home, &turn, pull, head, method, asker).await
    }

    /// Merges a pull request in one's own turn.
    pub(super) async fn merge_in(
        &self,
        home: &Home,
        turn: &Turn,
        pull: Number,
        head: &Sha,
        method: MergeMethod,
        asker: Asker,
    ) -> Result<(Sha, Timestamp), LocalError> {
        let repo = &home.rules.name;
        for _ in 0..TRIES {
            let seen = self.look_at(home, pull).await?;
            let record = seen.record;
            let now = match (record.state, seen.now) {
                (PullState::Merged { at, commit }, _) if record.head.sha == *head => return Ok((commit, at)),
                (PullState::Merged { .. } | PullState::Closed { .. }, _) => return Err(Refusal::Ended.into()),
                (PullState::Open, Some(now)) => now,
                // Its branches are on the move.
                (PullState::Open, None) => continue,
            };
            let record = banksman_core::port::book::PullRecord { state: PullState::Open, ..record };
            judge::may_merge(&record, &now, head, &home.rules, asker)?;
            let Merged::Tree(tree) = &now.relation.merged else { return Err(Refusal::Conflict.into()) };
            let begun = record
                .plan
                .filter(|plan| plan.head == *head && plan.from == now.base && plan.base == record.base);
            let plan = match begun {
                Some(plan) => plan,
                None => {
                    let message = Message::pull(&record.title, pull);
                    let parents: &[&Sha] = match method {
                        MergeMethod::Squash => &[&now.base],
                        MergeMethod::Merge => &[&now.base, head],
                    };
                    let commit = home.git.commit(tree, parents, message, self.now()).await?;
                    let (base, from) = (record.base.clone(), now.base.clone());
                    let plan = MergePlan { head: head.clone(), base, from, commit, size: now.relation.size };
                    self.book.plan_merge(repo, pull, &plan).await?;
                    plan
                }
            };
            match home.git.advance(turn, &plan.base, &plan.from, &plan.commit).await? {
                Moved::Yes => {}
                Moved::Elsewhere => continue,
                Moved::Dirty => return Err(Refusal::WorkTreeDirty.into()),
            }
            let at = self.now();
            let ending = Ending::Merged { head: plan.head, commit: plan.commit.clone() };
            self.book.end_pull(repo, pull, &ending, plan.size, at).await?;
            self.tidy_in(home, turn).await?;
            return Ok((plan.commit, at));
        }
        Err(Refusal::HeadMoved.into())
    }

    /// Merges the base into the head branch of a pull request whose head is that commit.
    pub(super) async fn update(
        &self,
        home: &Home,
        pull: Number,
        head: &Sha,
    ) -> Result<(Sha, Timestamp), LocalError> {
        let turn = home.take_turn().await?;
        let seen = self.look_at(home, pull).await?;
        let now = match (&seen.record.state, seen.now) {
            (PullState::Open, Some(now)) => now,
            (PullState::Open, None) => return Err(Refusal::HeadMoved.into()),
            (PullState::Merged { .. } | PullState::Closed { .. }, _) => return Err(Refusal::Ended.into()),
        };
        if now.head != *head {
            return Err(Refusal::HeadMoved.into());
        }
        if !now.relation.behind {
            return Err(Refusal::Nothing.into());
        }
        let Merged::Tree(tree) = &now.relation.merged else { return Err(Refusal::Conflict.into()) };
        let record = seen.record;
        let message = Message::update(&record.base, &record.head_branch);
        let commit = home.git.commit(tree, &[head, &now.base], message, self.now()).await?;
        let plan = UpdatePlan { from: head.clone(), commit: commit.clone() };
        self.book.plan_update(&home.rules.name, pull, &plan).await?;
        match home.git.advance(&turn, &record.head_branch, head, &commit).await? {
            Moved::Yes => {}
            Moved::Elsewhere => return Err(Refusal::HeadMoved.into()),
            Moved::Dirty => return Err(Refusal::WorkTreeDirty.into()),
        }
        let at = self.look_at(home, pull).await?.record.head.at;
        Ok((commit, at))
    }
}
