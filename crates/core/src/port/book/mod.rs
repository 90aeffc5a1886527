//! Port to the book of the embedded forge: everything about issues and pull requests that git does not know. The forge writes
//! here and nobody else; its text never reaches the store. Every write is one transaction, acknowledged (S22) unless its
//! comment says otherwise.

mod accounts;
mod issues;
mod labels;
mod pulls;
mod reviews;
mod runs;
mod statuses;

pub use accounts::{Account, BANKSMAN, BookError, Presence, Select, Who};
pub use issues::{CommentRecord, IssueRecord, Link, NewComment, NewIssue, Rewrite, Rewritten, Text};
pub use labels::{LabelChange, LabelDraft, LabelMade, LabelRecord};
pub use pulls::{
    Arming, Checking, Commits, Ending, HeadFate, HeadOrigin, HeadRecord, MergePlan, NewPull, PullRecord,
    Readiness, Sighting, Size, UpdatePlan,
};
pub use reviews::{
    Conversation, NewReview, NewThread, Opinion, Repeat, ReviewRecord, ThreadRecord, ThreadState,
    VerdictRecord,
};
pub use runs::{CheckLog, RunClaim, RunRecord, RunState};
pub use statuses::{NewStatus, StatusRecord, StatusWord};

use crate::{
    id::{ActorId, CommentId, Number, ThreadId},
    intent::{Made, Step},
    tainted::Tainted,
    text::{BranchName, Label, RepoName, Sha},
};
use jiff::Timestamp;
use std::future::Future;

/// The book. `repo` names the repository in every call; numbers are unique inside it.
pub trait Book: Send + Sync {
    /// The account of somebody, made if it is missing.
    fn account(&self, who: &Who) -> impl Future<Output = Result<Account, BookError>> + Send;

    /// Writes an issue.
    fn open_issue(
        &self,
        repo: &RepoName,
        issue: NewIssue,
    ) -> impl Future<Output = Result<Number, BookError>> + Send;

    /// Issues, ascending by number.
    fn issues(
        &self,
        repo: &RepoName,
        which: &Select,
    ) -> impl Future<Output = Result<Vec<IssueRecord>, BookError>> + Send;

    /// Title and body of an issue or pull request.
    fn text(&self, repo: &RepoName, of: Number) -> impl Future<Output = Result<Text, BookError>> + Send;

    /// Changes title or body of an issue or pull request.
    fn rewrite(
        &self,
        repo: &RepoName,
        of: Number,
        rewrite: Rewrite,
    ) -> impl Future<Output = Result<Rewritten, BookError>> + Send;

    /// Versions of a body that was changed, newest first, at most twenty: the body as it is now and what it was before.
    fn versions(
        &self,
        repo: &RepoName,
        of: Number,
    ) -> impl Future<Output = Result<Vec<(Tainted, Timestamp)>, BookError>> + Send;

    /// Writes a comment.
    fn comment(
        &self,
        repo: &RepoName,
        comment: NewComment,
    ) -> impl Future<Output = Result<CommentId, BookError>> + Send;

    /// Comments on an issue or pull request, oldest first.
    fn comments(
        &self,
        repo: &RepoName,
        on: Number,
    ) -> impl Future<Output = Result<Vec<CommentRecord>, BookError>> + Send;

    /// Adds or removes a label of an issue or pull request. A second time changes nothing.
    fn set_label(
        &self,
        repo: &RepoName,
        on: Number,
        label: &Label,
        presence: Presence,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Labels in use with the number of open issues and pull requests that carry them, ascending.
    fn labels(&self, repo: &RepoName) -> impl Future<Output = Result<Vec<(Label, u64)>, BookError>> + Send;

    /// A number that stands for the repository wherever numbers are unique beyond it; given at the first call and for ever.
    fn repo_number(&self, repo: &RepoName) -> impl Future<Output = Result<u64, BookError>> + Send;

    /// One comment, wherever it stands: its repository and what it is on.
    fn comment_by_id(
        &self,
        id: CommentId,
    ) -> impl Future<Output = Result<(RepoName, Number, CommentRecord), BookError>> + Send;

    /// Gives a comment new words.
    fn rewrite_comment(
        &self,
        id: CommentId,
        body: Tainted,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Takes a comment away.
    fn remove_comment(
        &self,
        id: CommentId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Labels that the repository knows, in use or not, ascending by name.
    fn known_labels(
        &self,
        repo: &RepoName,
    ) -> impl Future<Output = Result<Vec<LabelRecord>, BookError>> + Send;

    /// Makes a label known; letter case does not tell two labels apart.
    fn make_label(
        &self,
        repo: &RepoName,
        label: LabelDraft,
    ) -> impl Future<Output = Result<LabelMade, BookError>> + Send;

    /// Changes name, colour or description of a known label. Wherever it is in use it has the new name from then on.
    fn change_label(
        &self,
        repo: &RepoName,
        name: &Label,
        change: LabelChange,
    ) -> impl Future<Output = Result<LabelRecord, BookError>> + Send;

    /// Forgets a label and takes it off everything that carries it.
    fn drop_label(
        &self,
        repo: &RepoName,
        name: &Label,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Closes an issue, or opens it again. A second time changes nothing.
    fn close_issue(
        &self,
        repo: &RepoName,
        issue: Number,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Opens a closed issue or pull request again; a merged one is refused.
    fn reopen(
        &self,
        repo: &RepoName,
        number: Number,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Makes or removes a relation of two issues. A second time changes nothing; a circle is refused.
    fn link(
        &self,
        repo: &RepoName,
        link: Link,
        presence: Presence,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// What exactly this step made since then, oldest first. Compares the step's own data, which has no text in it (S6).
    fn made(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<(Made, Timestamp)>, BookError>> + Send;

    /// Writes a pull request; an open one from the same head into the same base comes back instead.
    fn open_pull(
        &self,
        repo: &RepoName,
        pull: NewPull,
    ) -> impl Future<Output = Result<Number, BookError>> + Send;

    /// Pull requests, ascending by number.
    fn pulls(
        &self,
        repo: &RepoName,
        which: &Select,
    ) -> impl Future<Output = Result<Vec<PullRecord>, BookError>> + Send;

    /// Merged pull requests whose head branch is still to be deleted: number, branch and what was merged.
    fn untidy(
        &self,
        repo: &RepoName,
    ) -> impl Future<Output = Result<Vec<(Number, BranchName, Sha)>, BookError>> + Send;

    /// The head branch of a merged pull request is gone, or stays after all.
    fn tidied(&self, repo: &RepoName, pull: Number) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Records new heads and queues their checks. One that is the last head already changes nothing.
    fn see(
        &self,
        repo: &RepoName,
        sightings: Vec<Sighting>,
        checks: Checking,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Moves open pull requests from one base to another; how many.
    fn retarget(
        &self,
        repo: &RepoName,
        from: &BranchName,
        to: &BranchName,
        at: Timestamp,
    ) -> impl Future<Output = Result<u64, BookError>> + Send;

    /// Makes an open pull request a draft, or ready.
    fn set_readiness(
        &self,
        repo: &RepoName,
        pull: Number,
        readiness: Readiness,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Arms an open pull request to be merged once it can be, or disarms it (`None`).
    fn arm(
        &self,
        repo: &RepoName,
        pull: Number,
        arming: Option<Arming>,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Open pull requests that are armed, ascending.
    fn armed(&self, repo: &RepoName)
    -> impl Future<Output = Result<Vec<(Number, Arming)>, BookError>> + Send;

    /// Moves one open pull request to another base.
    fn rebase(
        &self,
        repo: &RepoName,
        pull: Number,
        base: &BranchName,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Writes down a merge that is about to be made; it takes the place of an earlier plan.
    fn plan_merge(
        &self,
        repo: &RepoName,
        pull: Number,
        plan: &MergePlan,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Writes down an update of a head branch that is about to be made.
    fn plan_update(
        &self,
        repo: &RepoName,
        pull: Number,
        plan: &UpdatePlan,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Ends an open pull request. One that has ended already stays as it is.
    fn end_pull(
        &self,
        repo: &RepoName,
        pull: Number,
        ending: &Ending,
        size: Size,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Writes a review with its threads. A request for changes without a thread gets one.
    fn review(
        &self,
        repo: &RepoName,
        review: NewReview,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// What was said in reviews.
    fn conversation(
        &self,
        repo: &RepoName,
        pull: Number,
    ) -> impl Future<Output = Result<Conversation, BookError>> + Send;

    /// Says something in a thread.
    fn reply(
        &self,
        repo: &RepoName,
        thread: ThreadId,
        author: ActorId,
        body: Tainted,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Resolves a thread, or opens it again (`None`). Who resolved it first stays on record, unless the word of the later one
    /// counts where that of the first did not.
    fn resolve(
        &self,
        repo: &RepoName,
        pull: Number,
        thread: ThreadId,
        by: Option<ActorId>,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Takes the oldest queued run of a commit that is still the head of an open pull request; drops queued ones of commits
    /// that are not. Restartable.
    fn claim_run(&self, repo: &RepoName) -> impl Future<Output = Result<Option<RunClaim>, BookError>> + Send;

    /// Ends a run; a claim that is not the run's last one changes nothing. Restartable: a run can be made again.
    fn finish_run(
        &self,
        repo: &RepoName,
        claim: &RunClaim,
        results: Vec<CheckLog>,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Queues a run again that could not be made. Restartable.
    fn release_run(
        &self,
        repo: &RepoName,
        claim: &RunClaim,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Queues runs again whose runner died: at the start of the one process that runs checks. How many. Restartable.
    fn requeue_runs(&self, repo: &RepoName) -> impl Future<Output = Result<u64, BookError>> + Send;

    /// Queues another run of these commits, unless one is queued or running.
    fn rerun(
        &self,
        repo: &RepoName,
        shas: Vec<Sha>,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), BookError>> + Send;

    /// Writes a status of a commit.
    fn add_status(
        &self,
        repo: &RepoName,
        status: NewStatus,
    ) -> impl Future<Output = Result<u64, BookError>> + Send;

    /// Statuses of a commit, newest first.
    fn statuses(
        &self,
        repo: &RepoName,
        sha: &Sha,
    ) -> impl Future<Output = Result<Vec<StatusRecord>, BookError>> + Send;

    /// Results of the last run of a commit with their output.
    fn check_logs(
        &self,
        repo: &RepoName,
        sha: &Sha,
    ) -> impl Future<Output = Result<Vec<CheckLog>, BookError>> + Send;
}
