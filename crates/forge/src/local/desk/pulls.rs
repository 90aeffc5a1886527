//! A person's work on pull requests.

use super::{Desk, LocalError, body, title, words};
use crate::local::judge::{self, Asker};
use banksman_core::{
    id::{Number, ThreadId},
    intent::MergeMethod,
    port::{
        Book, Checker, Refusal,
        book::{
            Arming, CheckLog, CommentRecord, Conversation, Ending, HeadFate, NewPull, NewReview, NewThread,
            Opinion, Readiness, Repeat, Select,
        },
    },
    signals::{PullState, Signals},
    tainted::Tainted,
    text::{BranchName, Label, Sha},
};

/// A pull request in a list.
pub struct PullSummary {
    /// Its title.
    pub title: Tainted,
    /// Whether it is merged by itself once it can be.
    pub arming: Option<Arming>,
    /// Commits that the forge made on the head branch by merging the base into it.
    pub updates: Vec<Sha>,
    /// The commit at the tip of its base; of one that has ended, `None`.
    pub base_head: Option<Sha>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Everything else.
    pub signals: Signals,
}

/// A pull request with everything on it.
pub struct PullView {
    /// Title, labels and signals.
    pub summary: PullSummary,
    /// Its body.
    pub body: Tainted,
    /// Comments, oldest first.
    pub comments: Vec<CommentRecord>,
    /// Reviews and threads.
    pub conversation: Conversation,
}

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// Pull requests, ascending.
    pub async fn pulls(&self, which: &Select) -> Result<Vec<PullSummary>, LocalError> {
        let seen = self.forge.look(self.home, which).await?;
        let summary = |mut seen: crate::local::look::Seen| {
            let title = std::mem::replace(&mut seen.record.title, Tainted::new(String::new()));
            let labels = std::mem::take(&mut seen.record.labels);
            let arming = seen.record.arming.clone();
            let base_head = seen.now.as_ref().map(|now| now.base.clone());
            let updates = seen.record.updates.iter().map(|update| update.commit.clone()).collect();
            PullSummary {
                title,
                arming,
                updates,
                base_head,
                labels,
                signals: judge::signals(seen, &self.home.rules),
            }
        };
        Ok(seen.into_iter().map(summary).collect())
    }

    /// One pull request with everything on it.
    pub async fn pull(&self, number: Number) -> Result<PullView, LocalError> {
        let summary = self.pulls(&Select::Numbers(vec![number])).await?.pop().ok_or(Refusal::NotFound)?;
        Ok(PullView {
            summary,
            body: self.book().text(self.repo(), number).await?.body,
            comments: self.book().comments(self.repo(), number).await?,
            conversation: self.book().conversation(self.repo(), number).await?,
        })
    }

    /// Reviews and threads of a pull request.
    pub async fn conversation(&self, number: Number) -> Result<Conversation, LocalError> {
        Ok(self.book().conversation(self.repo(), number).await?)
    }

    /// The change as a patch.
    pub async fn diff(&self, number: Number) -> Result<Tainted, LocalError> {
        let seen = self.forge.look_at(self.home, number).await?;
        let head = &seen.record.head.sha;
        let from = match (&seen.record.state, &seen.now) {
            (PullState::Open, Some(now)) => now.relation.fork.clone(),
            // Against the first parent of what the merge made.
            (PullState::Merged { commit, .. }, _) => {
                return Ok(self.home.git.patch_of(commit).await?);
            }
            (PullState::Open | PullState::Closed { .. }, _) => {
                let base = self.home.git.head(&seen.record.base).await?.ok_or(Refusal::NotFound)?;
                self.home.git.relate(head, &base).await?.fork
            }
        };
        Ok(self.home.git.patch(&from.ok_or(Refusal::Nothing)?, head).await?)
    }

    /// Opens a pull request; an open one between the same branches comes back instead.
    pub async fn open_pull(&self, draft: PullDraft) -> Result<Number, LocalError> {
        let heads = self.home.git.heads().await?;
        let base = draft.base.unwrap_or_else(|| self.home.rules.default_branch.clone());
        let (Some(head_sha), Some(base_sha)) = (heads.get(&draft.head), heads.get(&base)) else {
            return Err(Refusal::NotFound.into());
        };
        if !self.home.git.relate(head_sha, base_sha).await?.ahead {
            return Err(Refusal::Nothing.into());
        }
        let pull = NewPull {
            author: self.person.id,
            title: title(draft.title)?,
            body: body(draft.body)?,
            closes: draft.closes,
            head_branch: draft.head,
            base,
            head: head_sha.clone(),
            readiness: draft.readiness,
            head_fate: draft.head_fate,
            checks: self.home.checking(),
            at: self.forge.now(),
        };
        let number = self.book().open_pull(self.repo(), pull).await?;
        self.forge.queued.notify_one();
        Ok(number)
    }

    /// Closes a pull request without merging it.
    pub async fn close_pull(&self, number: Number) -> Result<(), LocalError> {
        let seen = self.forge.look_at(self.home, number).await?;
        if seen.record.state != PullState::Open {
            return Err(Refusal::Ended.into());
        }
        let size = seen.now.map(|now| now.relation.size).unwrap_or_default();
        Ok(self.book().end_pull(self.repo(), number, &Ending::Closed, size, self.forge.now()).await?)
    }

    /// Opens a closed pull request again, if its branches are still there and no other one took its place.
    pub async fn reopen_pull(&self, number: Number) -> Result<(), LocalError> {
        let seen = self.forge.look_at(self.home, number).await?;
        match seen.record.state {
            PullState::Open => return Ok(()),
            PullState::Merged { .. } => return Err(Refusal::Ended.into()),
            PullState::Closed { .. } => {}
        }
        let heads = self.home.git.heads().await?;
        if !heads.contains_key(&seen.record.head_branch) || !heads.contains_key(&seen.record.base) {
            return Err(Refusal::NotFound.into());
        }
        let open = self.book().pulls(self.repo(), &Select::Open).await?;
        if open.iter().any(|o| o.head_branch == seen.record.head_branch && o.base == seen.record.base) {
            return Err(Refusal::NotAllowed.into());
        }
        Ok(self.book().reopen(self.repo(), number, self.forge.now()).await?)
    }

    /// Makes a pull request a draft, or ready.
    pub async fn set_readiness(&self, number: Number, readiness: Readiness) -> Result<(), LocalError> {
        Ok(self.book().set_readiness(self.repo(), number, readiness, self.forge.now()).await?)
    }

    /// Reviews the head that the person looked at. Nobody approves, or asks changes of, what they opened themselves.
    pub async fn review(
        &self,
        number: Number,
        head: &Sha,
        opinion: Opinion,
        text: Tainted,
        threads: Vec<NewThread>,
    ) -> Result<(), LocalError> {
        let seen = self.forge.look_at(self.home, number).await?;
        if seen.record.head.sha != *head {
            return Err(Refusal::HeadMoved.into());
        }
        if opinion != Opinion::Commented && seen.record.author.id == self.person.id {
            return Err(Refusal::NotAllowed.into());
        }
        let review = NewReview {
            pull: number,
            reviewer: self.person.id,
            opinion,
            head: head.clone(),
            body: body(text)?,
            threads,
            repeat: Repeat::Counts,
            at: self.forge.now(),
        };
        Ok(self.book().review(self.repo(), review).await?)
    }

    /// Says something in a review thread.
    pub async fn reply(&self, thread: ThreadId, text: Tainted) -> Result<(), LocalError> {
        let at = self.forge.now();
        Ok(self.book().reply(self.repo(), thread, self.person.id, words(text)?, at).await?)
    }

    /// Resolves a review thread. Where review is required, the author's own resolving does not count (S10).
    pub async fn resolve_thread(&self, pull: Number, thread: ThreadId) -> Result<(), LocalError> {
        let (by, at) = (Some(self.person.id), self.forge.now());
        Ok(self.book().resolve(self.repo(), pull, thread, by, at).await?)
    }

    /// Opens a resolved review thread again.
    pub async fn unresolve_thread(&self, pull: Number, thread: ThreadId) -> Result<(), LocalError> {
        Ok(self.book().resolve(self.repo(), pull, thread, None, self.forge.now()).await?)
    }

    /// Results of the head's checks with the end of their output.
    pub async fn checks(&self, number: Number) -> Result<Vec<CheckLog>, LocalError> {
        let head = self.forge.look_at(self.home, number).await?.record.head.sha;
        Ok(self.book().check_logs(self.repo(), &head).await?)
    }

    /// Queues the head's checks once more.
    pub async fn rerun_checks(&self, number: Number) -> Result<(), LocalError> {
        let seen = self.forge.look_at(self.home, number).await?;
        if seen.record.state != PullState::Open {
            return Err(Refusal::Ended.into());
        }
        self.book().rerun(self.repo(), vec![seen.record.head.sha], self.forge.now()).await?;
        self.forge.queued.notify_one();
        Ok(())
    }

    /// Merges a pull request whose head is that commit; the commit on the base comes back. Where no checks are configured a
    /// person may merge, Banksman does not.
    pub async fn merge(&self, number: Number, head: &Sha, method: MergeMethod) -> Result<Sha, LocalError> {
        let (commit, _) =
            self.forge.merge(self.home, number, head, method, Asker::of(self.person.id)).await?;
        Ok(commit)
    }

    /// Orders a pull request to be merged once nothing stands in its way; it is merged at once if nothing does.
    pub async fn arm(&self, number: Number, method: MergeMethod) -> Result<(), LocalError> {
        let at = self.forge.now();
        let arming = Arming { by: self.person.clone(), method, at };
        self.book().arm(self.repo(), number, Some(arming), at).await?;
        self.forge.look_at(self.home, number).await.map(drop)
    }

    /// Takes such an order back.
    pub async fn disarm(&self, number: Number) -> Result<(), LocalError> {
        Ok(self.book().arm(self.repo(), number, None, self.forge.now()).await?)
    }

    /// Moves an open pull request to another base branch.
    pub async fn rebase(&self, number: Number, base: &BranchName) -> Result<(), LocalError> {
        let heads = self.home.git.heads().await?;
        let seen = self.forge.look_at(self.home, number).await?;
        if !heads.contains_key(base) || seen.record.head_branch == *base {
            return Err(Refusal::NotAllowed.into());
        }
        Ok(self.book().rebase(self.repo(), number, base, self.forge.now()).await?)
    }

    /// Merges the base into the head branch of a pull request whose head is that commit; the new head comes back.
    pub async fn update_branch(&self, number: Number, head: &Sha) -> Result<Sha, LocalError> {
        let (commit, _) = self.forge.update(self.home, number, head).await?;
        Ok(commit)
    }
}

/// A pull request to be opened.
pub struct PullDraft {
    /// Its title.
    pub title: Tainted,
    /// Its body.
    pub body: Tainted,
    /// From.
    pub head: BranchName,
    /// Into; `None`: the default branch.
    pub base: Option<BranchName>,
    /// The issue that it closes.
    pub closes: Option<Number>,
    /// Draft or ready.
    pub readiness: Readiness,
    /// What becomes of the head branch at the merge.
    pub head_fate: HeadFate,
}
