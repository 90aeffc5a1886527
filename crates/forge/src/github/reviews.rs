//! Reviews by engines of ours. All engines share Banksman's account, and nobody may approve what the same account opened, so a verdict is a
//! commit status of its own context on the head, which is unique by nature; the threads come as a review beside it.

use super::{
    GithubForge,
    fault::{Fault, No},
    governor::Effect,
    judge::VERDICTS,
    rest::Ignored,
    transport::{Transport, Verb},
    wire::{Actor, Life, StatusWord, actor_of, lenient},
};
use banksman_core::{
    id::{ActorId, Number},
    port::{Refusal, ReviewDraft},
    signals::CheckState,
    text::{CheckName, EngineName, RepoName, Sha},
    work::Verdict,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What stands in the body of a review: compiled in (S7).
const SENTENCE: &str = "Reviewed by an engine of Banksman; its verdict is the commit status.";
/// How long a limit is waited out: an engine has worked for minutes on what would be lost.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

#[derive(Deserialize)]
struct StatusRest {
    #[serde(default, deserialize_with = "lenient")]
    context: Option<CheckName>,
    #[serde(default)]
    state: Option<LowerStatus>,
    #[serde(default)]
    creator: Option<Actor>,
}

/// A status in the letters of REST.
struct LowerStatus(CheckState);

impl<'de> Deserialize<'de> for LowerStatus {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Upper(StatusWord);
        impl super::wire::Word for Upper {
            fn of(word: &str) -> Self {
                Self(StatusWord::of(&word.to_ascii_uppercase()))
            }
        }
        super::wire::word::<D, Upper>(from).map(|upper| Self(upper.0.0))
    }
}

#[derive(Deserialize)]
struct ReviewRest {
    #[serde(default)]
    user: Option<Actor>,
    #[serde(default, deserialize_with = "lenient")]
    commit_id: Option<Sha>,
}

#[derive(Serialize)]
struct NewReview<'a> {
    commit_id: &'a str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'static str>,
    comments: &'a [NewThread],
}

#[derive(Serialize)]
struct NewThread {
    path: String,
    line: u32,
    side: &'static str,
    body: String,
}

#[derive(Serialize)]
struct OneThread<'a> {
    commit_id: &'a str,
    path: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_type: Option<&'static str>,
}

#[derive(Serialize)]
struct NewStatus {
    state: &'static str,
    context: String,
    description: &'static str,
}

impl<T: Transport> GithubForge<T> {
    /// The verdict that a reviewer gave about that head.
    pub(super) async fn verdict(
        &self,
        repo: &RepoName,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, Fault> {
        let me = self.me(repo).await?;
        let wanted = context(reviewer);
        let statuses = self.own_verdicts(repo, head, me).await?;
        let mine =
            statuses.into_iter().find(|status| status.context.as_ref().is_some_and(|c| c.as_str() == wanted));
        Ok(mine.and_then(|status| status.state).and_then(|state| match state.0 {
            CheckState::Passing => Some(Verdict::Approve),
            CheckState::Failing => Some(Verdict::Changes),
            CheckState::Pending => None,
        }))
    }

    /// Statuses of our own about reviews of that head, newest first.
    async fn own_verdicts(&self, repo: &RepoName, head: &Sha, me: ActorId) -> Result<Vec<StatusRest>, Fault> {
        let path = format!("commits/{head}/statuses");
        let statuses: Vec<StatusRest> = self.list(repo, &path, "x=1", "statuses").await?;
        let own = |status: &StatusRest| {
            actor_of(status.creator.as_ref()) == me
                && status.context.as_ref().is_some_and(|context| context.as_str().starts_with(VERDICTS))
        };
        Ok(statuses.into_iter().filter(own).collect())
    }

    /// Writes a review; one that is there is left as it is.
    pub(super) async fn write_review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), Fault> {
        let ReviewDraft { pull, head, reviewer, verdict, threads } = draft;
        let me = self.me(repo).await?;
        if self.verdict(repo, &head, &reviewer).await?.is_some() {
            return Ok(());
        }
        let state = self.state_of(repo, pull).await?;
        match state.state {
            Life::Merged | Life::Closed => return Err(Refusal::Ended.into()),
            Life::Open if state.head_ref_oid.as_ref() != Some(&head) => return Err(Refusal::HeadMoved.into()),
            Life::Open => {}
        }
        let threads: Vec<NewThread> = threads
            .into_iter()
            .map(|thread| NewThread {
                path: thread.path.into_forge_slot(),
                line: thread.line.max(1),
                side: "RIGHT",
                body: thread.body.into_forge_slot(),
            })
            .collect();
        let foreign = actor_of(state.author.as_ref()) != me;
        if (foreign || !threads.is_empty()) && !self.half_written(repo, pull, &head, me).await? {
            self.open_threads(repo, pull, &head, verdict, foreign, &threads).await?;
        }
        let status = NewStatus {
            state: match verdict {
                Verdict::Approve => "success",
                Verdict::Changes => "failure",
            },
            context: context(&reviewer),
            description: match verdict {
                Verdict::Approve => "Good as it is",
                Verdict::Changes => "Changes wanted",
            },
        };
        let _: Ignored =
            self.insist(repo, &format!("statuses/{head}"), Effect::Content, "verdict", &status).await?;
        Ok(())
    }

    /// Whether there is a review of ours about that head whose verdict was never written: a crash came between the two.
    async fn half_written(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        me: ActorId,
    ) -> Result<bool, Fault> {
        let reviews: Vec<ReviewRest> =
            self.list(repo, &format!("pulls/{pull}/reviews"), "x=1", "reviews").await?;
        let reviews = reviews
            .iter()
            .filter(|review| actor_of(review.user.as_ref()) == me && review.commit_id.as_ref() == Some(head))
            .count();
        let verdicts = self.own_verdicts(repo, head, me).await?;
        let verdicts: std::collections::BTreeSet<_> =
            verdicts.into_iter().filter_map(|v| v.context).collect();
        Ok(reviews > verdicts.len())
    }

    /// Opens the threads with a review; those whose line is not in the change stand at their file, those whose file is not are dropped.
    async fn open_threads(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        verdict: Verdict,
        foreign: bool,
        threads: &[NewThread],
    ) -> Result<(), Fault> {
        let event = match (foreign, verdict) {
            (true, Verdict::Approve) => "APPROVE",
            (true, Verdict::Changes) => "REQUEST_CHANGES",
            (false, _) => "COMMENT",
        };
        let review = NewReview { commit_id: head.as_str(), event, body: Some(SENTENCE), comments: threads };
        let path = format!("pulls/{pull}/reviews");
        let made: Result<Ignored, Fault> = self.insist(repo, &path, Effect::Content, "review", &review).await;
        match made {
            Ok(_) => return Ok(()),
            Err(Fault::No(No::Invalid)) => {}
            Err(fault) => return Err(fault),
        }
        let path = format!("pulls/{pull}/comments");
        let mut dropped = 0u32;
        for thread in threads {
            let at_line = OneThread {
                commit_id: head.as_str(),
                path: &thread.path,
                body: &thread.body,
                line: Some(thread.line),
                side: Some(thread.side),
                subject_type: None,
            };
            let at_file = OneThread { line: None, side: None, subject_type: Some("file"), ..at_line };
            let mut made: Result<Ignored, Fault> =
                self.insist(repo, &path, Effect::Content, "thread", &at_line).await;
            if matches!(made, Err(Fault::No(No::Invalid))) {
                made = self.insist(repo, &path, Effect::Content, "file_thread", &at_file).await;
            }
            match made {
                Ok(_) => {}
                Err(Fault::No(No::Invalid)) => dropped += 1,
                Err(fault) => return Err(fault),
            }
        }
        if dropped > 0 {
            tracing::warn!(%repo, pull = %pull, dropped, "threads of a review are about files outside of the change");
        }
        Ok(())
    }

    /// Sends a change of a review and waits out the pauses that GitHub wants.
    async fn insist<D: DeserializeOwned>(
        &self,
        repo: &RepoName,
        path: &str,
        effect: Effect,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<D, Fault> {
        let last = self.caller.now() + PATIENCE;
        loop {
            match self.send(repo, Verb::Post, path, effect, operation, body).await {
                Err(Fault::Later(until)) if until <= last => {
                    let wait = until.duration_since(self.caller.now()).max(SignedDuration::from_secs(1));
                    self.caller.pause(wait.unsigned_abs()).await;
                }
                end => return end,
            }
        }
    }
}

/// The context of an engine's verdicts.
fn context(reviewer: &EngineName) -> String {
    format!("{VERDICTS}{reviewer}")
}
