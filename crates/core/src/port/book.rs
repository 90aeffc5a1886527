//! Port to the book of the embedded forge: everything about issues and pull requests that git does not know. The forge writes
//! here and nobody else; its text never reaches the store. Every write is one transaction, acknowledged (S22) unless its
//! comment says otherwise.

use crate::{
    id::{ActorId, CommentId, Number, ThreadId},
    intent::{Made, Step},
    port::Refusal,
    signals::{CheckState, PullState},
    tainted::Tainted,
    text::{BranchName, CheckName, EngineName, Label, Login, RepoName, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;

/// Banksman's own account, the first in every book.
pub const BANKSMAN: ActorId = ActorId(1);

/// The book could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// For good; nothing was written.
    #[error("refused: {}", .0.describe())]
    Refused(Refusal),
    /// The disk is full; nothing was written.
    #[error("the disk is full")]
    Full,
    /// The database failed; the chain is in the log.
    #[error("the forge's book failed: {0}")]
    Failed(String),
}

/// Somebody with an account. Names of engines end in `[bot]` and persons cannot have such a name, so that nobody looks like
/// an engine (S10).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Banksman itself.
    Banksman,
    /// An engine: author of the pull requests of its work and of its reviews.
    Engine(EngineName),
    /// A person.
    Person(Login),
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What decisions use.
    pub id: ActorId,
    /// What people read.
    pub login: Login,
}

/// Whether something that has no state of its own is to be there: a label, a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is to be there.
    Present,
    /// It is not.
    Absent,
}

/// Which records to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// All open ones.
    Open,
    /// All of them.
    All,
    /// These.
    Numbers(Vec<Number>),
}

/// An issue to be written. Gets the next number of its repository.
pub struct NewIssue {
    /// Who writes it.
    pub author: ActorId,
    /// Its title.
    pub title: Tainted,
    /// Its body.
    pub body: Tainted,
    /// Its labels.
    pub labels: Vec<Label>,
    /// The step that makes it; `None` when a person does.
    pub made_by: Option<Step>,
    /// Now.
    pub at: Timestamp,
}

/// An issue without its body.
pub struct IssueRecord {
    /// Its number.
    pub number: Number,
    /// Who wrote it.
    pub author: Account,
    /// Its title.
    pub title: Tainted,
    /// Still open.
    pub open: bool,
    /// Its labels, ascending.
    pub labels: Vec<Label>,
    /// Open issues that block it, ascending.
    pub blocked_by: Vec<Number>,
    /// The issue that it is a sub-issue of.
    pub parent: Option<Number>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Title and body of an issue or pull request.
pub struct Text {
    /// The title.
    pub title: Tainted,
    /// The body.
    pub body: Tainted,
    /// Grows with each change of either; names what was read in a [`Rewrite`].
    pub revision: u64,
}

/// New words for an issue or pull request.
pub struct Rewrite {
    /// A new title.
    pub title: Option<Tainted>,
    /// A new body.
    pub body: Option<Tainted>,
    /// Only if the text still is at this revision.
    pub revision: Option<u64>,
    /// Now.
    pub at: Timestamp,
}

/// What became of a [`Rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// It is written.
    Yes,
    /// Somebody else wrote meanwhile: read again.
    Stale,
}

/// A comment to be written on an issue or pull request.
pub struct NewComment {
    /// On which.
    pub on: Number,
    /// Who says it.
    pub author: ActorId,
    /// What.
    pub body: Tainted,
    /// The step that makes it; `None` when a person does.
    pub made_by: Option<Step>,
    /// Now.
    pub at: Timestamp,
}

/// A comment.
pub struct CommentRecord {
    /// Its id.
    pub id: CommentId,
    /// Who said it.
    pub author: Account,
    /// What.
    pub body: Tainted,
    /// When.
    pub at: Timestamp,
}

/// A relation between two issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `child` is a sub-issue of `parent`; an issue has one parent at most.
    Child {
        /// The epic.
        parent: Number,
        /// The child.
        child: Number,
    },
    /// `blocker` comes before `blocked`.
    Blocks {
        /// The one that comes first.
        blocker: Number,
        /// The one that waits.
        blocked: Number,
    },
}

/// What becomes of a head branch at the merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadFate {
    /// It stays.
    Kept,
    /// It is deleted if it still is what was merged.
    Deleted,
}

/// A pull request to be written.
pub struct NewPull {
    /// Who opens it.
    pub author: ActorId,
    /// Its title.
    pub title: Tainted,
    /// Its body.
    pub body: Tainted,
    /// The issue it closes.
    pub closes: Option<Number>,
    /// From.
    pub head_branch: BranchName,
    /// Into.
    pub base: BranchName,
    /// The head commit.
    pub head: Sha,
    /// Not ready yet.
    pub readiness: Readiness,
    /// What becomes of the head branch.
    pub head_fate: HeadFate,
    /// Checks of the head commit, to be queued.
    pub checks: Checking,
    /// Now.
    pub at: Timestamp,
}

/// Whether the author calls a pull request ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// A draft.
    Draft,
    /// Ready for review.
    Ready,
}

/// Whether checks are configured for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checking {
    /// A run is queued for each new head.
    Configured,
    /// There are none.
    None,
}

/// A pull request without its words.
pub struct PullRecord {
    /// Its number.
    pub number: Number,
    /// Who opened it.
    pub author: Account,
    /// Its title.
    pub title: Tainted,
    /// Open, merged or closed.
    pub state: PullState,
    /// Draft or ready.
    pub readiness: Readiness,
    /// From.
    pub head_branch: BranchName,
    /// Into.
    pub base: BranchName,
    /// What becomes of the head branch at the merge. `Deleted` on a merged one: the deletion is still due.
    pub head_fate: HeadFate,
    /// Its labels, ascending.
    pub labels: Vec<Label>,
    /// The issues it closes.
    pub closes: Vec<Number>,
    /// Its head as last seen.
    pub head: HeadRecord,
    /// The heads before it, oldest first.
    pub earlier: Vec<HeadRecord>,
    /// Verdicts, oldest first; mere comments are not among them.
    pub reviews: Vec<VerdictRecord>,
    /// Review threads, oldest first.
    pub threads: Vec<ThreadState>,
    /// The check run of the last head.
    pub run: Option<RunRecord>,
    /// A merge that was begun.
    pub plan: Option<MergePlan>,
    /// Updates of the head branch that were begun, oldest first.
    pub updates: Vec<UpdatePlan>,
    /// Size of the change; of an ended one, as it was at its end.
    pub size: Option<Size>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

/// A head that a pull request had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRecord {
    /// The commit.
    pub sha: Sha,
    /// When it was first seen.
    pub at: Timestamp,
    /// Who made it.
    pub origin: HeadOrigin,
    /// Whether it had commits that the base lacked when it was seen.
    pub commits: Commits,
}

/// Who made a head commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadOrigin {
    /// Somebody pushed it.
    Pushed,
    /// The forge, by merging the base into the head branch; approvals stay.
    Updated,
}

/// Whether a head has commits beyond its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commits {
    /// At least one.
    Some,
    /// None.
    None,
}

/// Lines and files of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Size {
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files touched.
    pub files: u64,
}

/// A new head that a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub pull: Number,
    /// The head that the look knew; if another look was faster, nothing is recorded.
    pub after: Sha,
    /// The commit.
    pub head: Sha,
    /// Who made it.
    pub origin: HeadOrigin,
    /// Whether it has commits of its own.
    pub commits: Commits,
}

/// A merge about to be made; written before the base moves, so that a look after a crash knows the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePlan {
    /// The evaluated head.
    pub head: Sha,
    /// The base branch.
    pub base: BranchName,
    /// Where that branch was.
    pub from: Sha,
    /// Where it goes.
    pub commit: Sha,
    /// Size of the change.
    pub size: Size,
}

/// An update of a head branch about to be made; written before the branch moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatePlan {
    /// Where the head branch was.
    pub from: Sha,
    /// Where it goes.
    pub commit: Sha,
}

/// How a pull request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// In its base. The issues that it closes are closed with it, but for epics: those are closed by the pipeline (X13).
    Merged {
        /// The head that was merged.
        head: Sha,
        /// The commit on the base.
        commit: Sha,
    },
    /// Without a merge.
    Closed,
}

/// A reviewer's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// Good as it is.
    Approved,
    /// Something has to change.
    ChangesRequested,
    /// Words only.
    Commented,
}

/// A verdict as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRecord {
    /// Whose.
    pub reviewer: ActorId,
    /// Approved or changes requested.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// When.
    pub at: Timestamp,
}

/// A review thread without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub id: ThreadId,
    /// When it was opened.
    pub at: Timestamp,
    /// Who resolved it.
    pub resolved_by: Option<ActorId>,
}

/// Whether a reviewer may write a second review of the same head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second one changes nothing (engines: an attempt may be repeated after a crash).
    Ignored,
    /// A second one counts (people change their minds).
    Counts,
}

/// A review to be written.
pub struct NewReview {
    /// Of which pull request.
    pub pull: Number,
    /// Whose.
    pub reviewer: ActorId,
    /// The verdict.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// Words about the whole.
    pub body: Tainted,
    /// Threads to open.
    pub threads: Vec<NewThread>,
    /// What a second one means.
    pub repeat: Repeat,
    /// Now.
    pub at: Timestamp,
}

/// A thread to be opened.
pub struct NewThread {
    /// File and line that it is about; `None`: the change as a whole.
    pub place: Option<(Tainted, u32)>,
    /// What it says.
    pub body: Tainted,
}

/// A review with its words.
pub struct ReviewRecord {
    /// Whose.
    pub reviewer: Account,
    /// The verdict.
    pub opinion: Opinion,
    /// The commit that was looked at.
    pub head: Sha,
    /// Words about the whole.
    pub body: Tainted,
    /// When.
    pub at: Timestamp,
}

/// A thread with its words.
pub struct ThreadRecord {
    /// The thread.
    pub id: ThreadId,
    /// File and line that it is about.
    pub place: Option<(Tainted, u32)>,
    /// What was said, oldest first.
    pub comments: Vec<CommentRecord>,
    /// Who resolved it.
    pub resolved_by: Option<Account>,
}

/// All that was said in the reviews of a pull request.
pub struct Conversation {
    /// Reviews, oldest first.
    pub reviews: Vec<ReviewRecord>,
    /// Threads, oldest first.
    pub threads: Vec<ThreadRecord>,
}

/// The checks of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The commit.
    pub sha: Sha,
    /// Where the run is.
    pub state: RunState,
    /// Results; complete when the run is done.
    pub results: Vec<(CheckName, CheckState)>,
}

/// Where a check run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for a runner.
    Queued,
    /// A runner has it. After a crash the next start queues it again.
    Running,
    /// Final, unless somebody asks for another run.
    Done,
}

/// A check run that a runner has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClaim {
    /// Unique per claim: a result of an earlier claim of the same run is refused.
    pub claim: u64,
    /// The commit.
    pub sha: Sha,
    /// How often it was taken, this time included.
    pub tries: u32,
}

/// The result of one check with the end of its output.
pub struct CheckLog {
    /// Which check.
    pub name: CheckName,
    /// How it ended.
    pub state: CheckState,
    /// The end of its output.
    pub log: Tainted,
    /// When it ended.
    pub at: Timestamp,
}

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

    /// The newest pull request from that branch.
    fn pull_from(
        &self,
        repo: &RepoName,
        head: &BranchName,
    ) -> impl Future<Output = Result<Option<Number>, BookError>> + Send;

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

    /// Ends a run; a claim that is not the run's last one changes nothing.
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

    /// Results of the last run of a commit with their output.
    fn check_logs(
        &self,
        repo: &RepoName,
        sha: &Sha,
    ) -> impl Future<Output = Result<Vec<CheckLog>, BookError>> + Send;
}
