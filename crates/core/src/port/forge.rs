//! Port to a forge: structure out, closed effects in. No signature carries a bare `String` (S3).

use crate::{
    epic::Checklist,
    id::{ActorId, Number},
    intent::{Receipt, Step},
    signals::{IssueFacts, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::{Task, Verdict},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, future::Future};

use super::ThreadDraft;

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFacts {
    /// Its default branch.
    pub default_branch: BranchName,
    /// The head of that branch.
    pub default_head: Sha,
    /// The account that Banksman acts as.
    pub me: ActorId,
    /// Accounts whose issues may go to local engines besides `me` (X5).
    pub allowed: Vec<ActorId>,
    /// Accounts of hosted agents that work for this repository: their pull requests are looked after, their issues are nobody's order.
    pub agents: Vec<ActorId>,
    /// What the forge has to offer here.
    pub offers: Offers,
}

/// What a forge offers for one repository. The pipeline needs none of it: it takes the next best way, and `status` says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// Pull requests can be set to merge by themselves.
    pub auto_merge: Offered,
    /// The default branch has a merge queue.
    pub merge_queue: Offered,
    /// Issues can have sub-issues; elsewhere the checklist alone says what belongs to an epic.
    pub sub_issues: Offered,
    /// Issues can block each other.
    pub dependencies: Offered,
    /// Pull requests may be squashed; otherwise they are merged with a merge commit.
    pub squash: Offered,
    /// Pull requests may be merged with a merge commit; otherwise they are squashed.
    pub merge_commit: Offered,
    /// Who may look at it.
    pub audience: Audience,
}

/// Whether something is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offered {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Offered {
    /// From a flag of the forge.
    pub fn of(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

/// Who may look at a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody.
    Public,
    /// Those who were let in.
    Private,
}

impl Default for Offers {
    /// What the embedded forge has.
    fn default() -> Self {
        Self {
            auto_merge: Offered::No,
            merge_queue: Offered::No,
            sub_issues: Offered::Yes,
            dependencies: Offered::Yes,
            squash: Offered::Yes,
            merge_commit: Offered::Yes,
            audience: Audience::Private,
        }
    }
}

/// Which issues to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueQuery {
    /// All open ones.
    Open,
    /// These, open or closed.
    Numbers(Vec<Number>),
}

/// Which pull requests to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullQuery {
    /// All open ones.
    Open,
    /// These, whatever their state.
    Numbers(Vec<Number>),
}

/// The text of an issue that a step creates, from the parsed report (S8).
pub struct IssueText {
    /// At most 72 characters (A4).
    pub title: Tainted,
    /// Quoted and defused (A13).
    pub body: Tainted,
    /// Labels of the closed vocabulary (A5).
    pub labels: Vec<crate::text::Label>,
}

/// What an engine's task file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BriefFor {
    /// Whatever the task needs: the issue, the open threads, the output of red checks, the names of both branches.
    Task(Task),
}

/// A review to be written on the forge.
pub struct ReviewDraft {
    /// The pull request.
    pub pull: Number,
    /// The commit that was looked at.
    pub head: Sha,
    /// The engine that looked; the forge has an account for it.
    pub reviewer: EngineName,
    /// The verdict.
    pub verdict: Verdict,
    /// Threads to open.
    pub threads: Vec<ThreadDraft>,
}

/// Receipts already on record in the repository: what was made and is spoken for. Recovery takes none of these for an unclear step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounted {
    /// Issues and pull requests.
    pub numbers: BTreeSet<Number>,
    /// Comments.
    pub comments: BTreeSet<crate::id::CommentId>,
}

/// The forge refused for good: trying the same again does not help until something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The head is not the evaluated one any more.
    HeadMoved,
    /// It conflicts with its base.
    Conflict,
    /// Checks, reviews or protection stand in the way.
    NotAllowed,
    /// What it is about is not there.
    NotFound,
    /// It has ended already.
    Ended,
    /// A work tree that has the branch checked out has changes of its own.
    WorkTreeDirty,
    /// There is nothing to do it with (no commits between base and head).
    Nothing,
    /// The credential is not valid, or not any more.
    BadCredential,
    /// The credential lacks a right.
    NoScope(Scope),
    /// The organisation wants the credential to be authorised by single sign-on first.
    SsoRequired,
    /// The repository is archived, locked or switched off: it can only be read.
    Archived,
}

/// A right that a credential needs, in the forge's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the forge's own closed vocabulary")]
pub enum Scope {
    /// The scope `repo` of a classic token.
    Repo,
    /// The scope `workflow` of a classic token: branches that change workflow files.
    Workflow,
    Contents,
    Issues,
    PullRequests,
    Statuses,
    Checks,
    Metadata,
    Administration,
    /// Another one; the forge's documentation of the call names it.
    Other,
}

impl Scope {
    /// Its name as the forge's settings show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Repo => "repo",
            Self::Workflow => "workflow",
            Self::Contents => "contents: write",
            Self::Issues => "issues: write",
            Self::PullRequests => "pull_requests: write",
            Self::Statuses => "statuses: write",
            Self::Checks => "checks: read",
            Self::Metadata => "metadata: read",
            Self::Administration => "administration: read",
            Self::Other => "write access to the repository",
        }
    }
}

impl Refusal {
    /// Whether it is about the repository as a whole: nothing else can be done there either until a person mends it.
    pub fn is_of_repository(self) -> bool {
        match self {
            Self::BadCredential | Self::NoScope(_) | Self::SsoRequired | Self::Archived => true,
            Self::HeadMoved
            | Self::Conflict
            | Self::NotAllowed
            | Self::NotFound
            | Self::Ended
            | Self::WorkTreeDirty
            | Self::Nothing => false,
        }
    }

    /// The reason in a few words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::HeadMoved => "the head moved on",
            Self::Conflict => "it conflicts with its base",
            Self::NotAllowed => "checks, reviews or protection stand in the way",
            Self::NotFound => "it is not there",
            Self::Ended => "it has ended already",
            Self::WorkTreeDirty => "the work tree that has the branch checked out has uncommitted changes",
            Self::Nothing => "there is nothing to merge",
            Self::BadCredential => "the token is not valid, or not any more",
            Self::NoScope(scope) => match scope {
                Scope::Repo => "the token lacks the scope `repo`",
                Scope::Workflow => "the token lacks the scope `workflow`",
                Scope::Contents => "the token lacks the permission `contents: write`",
                Scope::Issues => "the token lacks the permission `issues: write`",
                Scope::PullRequests => "the token lacks the permission `pull_requests: write`",
                Scope::Statuses => "the token lacks the permission `statuses: write`",
                Scope::Checks => "the token lacks the permission `checks: read`",
                Scope::Metadata => "the token lacks the permission `metadata: read`",
                Scope::Administration => "the token lacks the permission `administration: read`",
                Scope::Other => "the token lacks a permission that this needs",
            },
            Self::SsoRequired => "the organisation wants the token to be authorised for single sign-on",
            Self::Archived => "the repository is archived and can only be read",
        }
    }
}

/// A call to the forge that gave no answer to work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// Refused for good.
    #[error("the forge refused: {}", .0.describe())]
    Refused(Refusal),
    /// Surely not done: a limit of the forge is reached, or it could not be reached. It may be tried again from then on.
    #[error("the forge wants a pause until {0}")]
    Later(Timestamp),
    /// No answer, or one that says "later". The effect may have happened: only [`Forge::find`] tells.
    #[error("the forge gave no clear answer: {0}")]
    Unclear(&'static str),
}

/// A forge: where repositories, issues and pull requests live.
pub trait Forge: Send + Sync {
    /// Facts of the repository.
    fn repo(&self, repo: &RepoName) -> impl Future<Output = Result<RepoFacts, ForgeError>> + Send;

    /// Structure of issues (pull requests are not among them), ascending by number.
    fn issues(
        &self,
        repo: &RepoName,
        query: &IssueQuery,
    ) -> impl Future<Output = Result<Vec<IssueFacts>, ForgeError>> + Send;

    /// The checklist of an epic: the one body that is read, by pattern (S5).
    fn checklist(
        &self,
        repo: &RepoName,
        epic: Number,
    ) -> impl Future<Output = Result<Checklist, ForgeError>> + Send;

    /// Signals of pull requests, ascending by number.
    fn pulls(
        &self,
        repo: &RepoName,
        query: &PullQuery,
    ) -> impl Future<Output = Result<Vec<Signals>, ForgeError>> + Send;

    /// The head of a branch; `None` when there is no such branch.
    fn branch(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> impl Future<Output = Result<Option<Sha>, ForgeError>> + Send;

    /// Text for an engine's task file. It goes from here into that file and decides nothing.
    fn brief(
        &self,
        repo: &RepoName,
        about: &BriefFor,
    ) -> impl Future<Output = Result<Tainted, ForgeError>> + Send;

    /// The text of an audit issue, for the parser.
    fn audit(
        &self,
        repo: &RepoName,
        issue: Number,
    ) -> impl Future<Output = Result<Tainted, ForgeError>> + Send;

    /// Whether a review of that head by that reviewer is there already.
    fn reviewed(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> impl Future<Output = Result<Option<Verdict>, ForgeError>> + Send;

    /// Writes a review; at most one per reviewer and head.
    fn review(
        &self,
        repo: &RepoName,
        draft: ReviewDraft,
    ) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// Does one step. `text` comes with [`Step::CreateIssue`] only.
    fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> impl Future<Output = Result<Receipt, ForgeError>> + Send;

    /// Looks for a step that may have happened without its answer having arrived: by structure (id, time, author), never by text.
    /// `since` is when the intent was written; what is in `accounted` belongs to other steps.
    fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> impl Future<Output = Result<Option<Receipt>, ForgeError>> + Send;
}
