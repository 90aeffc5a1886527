//! What the facade asks of the embedded forge, as an object: one method per wish, made in the name of an account at a
//! repository. The wiring decides what holds the forge ([`Holds`]).

use banksman_core::{
    id::{CommentId, Number, ThreadId},
    intent::MergeMethod,
    port::{
        Book, Checker,
        book::{
            Account, CheckLog, CommentRecord, Conversation, IssueRecord, LabelChange, LabelDraft, LabelMade,
            LabelRecord, Link, NewThread, Opinion, Presence, Readiness, Rewritten, Select, StatusRecord,
            StatusWord, Text, Who,
        },
    },
    tainted::Tainted,
    text::{BranchName, CheckName, Label, RepoName, Sha},
};
use banksman_forge::local::{
    CommitView, FileChange, Leap, LocalError, LocalForge, LocalRepo, PullDraft, PullSummary,
};
use jiff::Timestamp;
use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, LocalError>> + Send + 'a>>;

/// Where and as whom something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The repository.
    pub repo: RepoName,
    /// In whose name.
    pub who: Who,
}

/// Something that has the embedded forge.
pub trait Holds: Send + Sync + 'static {
    /// The forge's book.
    type Book: Book + 'static;
    /// The forge's checker.
    type Checker: Checker + 'static;
    /// The forge.
    fn forge(&self) -> &LocalForge<Self::Book, Self::Checker>;
}

impl<B: Book + 'static, C: Checker + 'static> Holds for LocalForge<B, C> {
    type Book = B;
    type Checker = C;
    fn forge(&self) -> &LocalForge<B, C> {
        self
    }
}

impl<H: Holds> Holds for Arc<H> {
    type Book = H::Book;
    type Checker = H::Checker;
    fn forge(&self) -> &LocalForge<H::Book, H::Checker> {
        (**self).forge()
    }
}

/// Writes the trait and its one implementation side by side: a line is the name of a wish, what it takes, what comes back, and
/// what is done at the desk for it.
macro_rules! wishes {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $answer:ty = |$desk:ident| $work:expr;)*) => {
        /// The forge as the facade sees it.
        pub trait Front: Send + Sync + 'static {
            /// The repositories, ascending by name.
            fn repos(&self) -> Vec<LocalRepo>;

            /// A number for a repository that never changes and that no other one has.
            fn repo_number<'a>(&'a self, repo: &'a RepoName) -> Later<'a, u64>;

            /// The account behind a name.
            fn account<'a>(&'a self, who: &'a Who) -> Later<'a, Account>;

            /// The folder with the objects and branches of a repository.
            fn git_dir(&self, repo: &RepoName) -> Result<PathBuf, LocalError>;

            /// Somebody pushed to a repository just now.
            fn pushed<'a>(&'a self, repo: &'a RepoName) -> Later<'a, ()>;

            $($(#[$doc])* fn $name<'a>(&'a self, at: &'a At $(, $arg: $kind)*) -> Later<'a, $answer>;)*
        }

        impl<H: Holds> Front for H {
            fn repos(&self) -> Vec<LocalRepo> {
                self.forge().repos().cloned().collect()
            }

            fn repo_number<'a>(&'a self, repo: &'a RepoName) -> Later<'a, u64> {
                Box::pin(self.forge().repo_number(repo))
            }

            fn account<'a>(&'a self, who: &'a Who) -> Later<'a, Account> {
                Box::pin(self.forge().account_of(who))
            }

            fn git_dir(&self, repo: &RepoName) -> Result<PathBuf, LocalError> {
                self.forge().git_dir(repo).map(ToOwned::to_owned)
            }

            fn pushed<'a>(&'a self, repo: &'a RepoName) -> Later<'a, ()> {
                Box::pin(self.forge().pushed(repo))
            }

            $(fn $name<'a>(&'a self, at: &'a At $(, $arg: $kind)*) -> Later<'a, $answer> {
                Box::pin(async move {
                    let $desk = self.forge().desk_of(&at.repo, &at.who).await?;
                    $work
                })
            })*
        }
    };
}

wishes! {
    /// Issues, ascending by number.
    issues(which: Select) -> Vec<IssueRecord> = |desk| desk.issues(&which).await;
    /// Title and body of an issue or pull request.
    text(of: Number) -> Text = |desk| desk.text(of).await;
    /// Versions of a body that was changed, newest first.
    versions(of: Number) -> Vec<(Tainted, Timestamp)> = |desk| desk.versions(of).await;
    /// Opens an issue.
    open_issue(title: Tainted, body: Tainted, labels: Vec<Label>) -> Number =
        |desk| desk.open_issue(title, body, labels).await;
    /// Changes title or body of an issue or pull request.
    edit(of: Number, title: Option<Tainted>, body: Option<Tainted>) -> Rewritten =
        |desk| desk.edit(of, title, body, None).await;
    /// Closes an issue.
    close_issue(issue: Number) -> () = |desk| desk.close_issue(issue).await;
    /// Opens a closed issue again.
    reopen_issue(issue: Number) -> () = |desk| desk.reopen_issue(issue).await;
    /// Makes or removes a relation of two issues.
    link(link: Link, presence: Presence) -> () = |desk| desk.link(link, presence).await;
    /// Comments on an issue or pull request, oldest first.
    comments(on: Number) -> Vec<CommentRecord> = |desk| desk.comments(on).await;
    /// One comment and what it is on.
    comment_by_id(id: CommentId) -> (Number, CommentRecord) = |desk| desk.comment_by_id(id).await;
    /// Writes a comment.
    comment(on: Number, body: Tainted) -> CommentId = |desk| desk.comment(on, body).await;
    /// Gives a comment new words.
    rewrite_comment(id: CommentId, body: Tainted) -> () = |desk| desk.rewrite_comment(id, body).await;
    /// Takes a comment away.
    remove_comment(id: CommentId) -> () = |desk| desk.remove_comment(id).await;
    /// Known labels, ascending by name.
    labels() -> Vec<LabelRecord> = |desk| desk.known_labels().await;
    /// Makes a label known.
    make_label(label: LabelDraft) -> LabelMade = |desk| desk.make_label(label).await;
    /// Changes a known label.
    change_label(name: Label, change: LabelChange) -> LabelRecord = |desk| desk.change_label(&name, change).await;
    /// Forgets a label.
    drop_label(name: Label) -> () = |desk| desk.drop_label(&name).await;
    /// Adds or removes a label of an issue or pull request.
    set_label(on: Number, label: Label, presence: Presence) -> () = |desk| desk.label(on, &label, presence).await;
    /// Pull requests, ascending by number.
    pulls(which: Select) -> Vec<PullSummary> = |desk| desk.pulls(&which).await;
    /// Opens a pull request.
    open_pull(draft: PullDraft) -> Number = |desk| desk.open_pull(draft).await;
    /// Closes a pull request.
    close_pull(pull: Number) -> () = |desk| desk.close_pull(pull).await;
    /// Opens a closed pull request again.
    reopen_pull(pull: Number) -> () = |desk| desk.reopen_pull(pull).await;
    /// Makes a pull request a draft, or ready.
    set_readiness(pull: Number, readiness: Readiness) -> () = |desk| desk.set_readiness(pull, readiness).await;
    /// Moves a pull request to another base.
    rebase(pull: Number, base: BranchName) -> () = |desk| desk.rebase(pull, &base).await;
    /// Merges a pull request at that head.
    merge(pull: Number, head: Sha, method: MergeMethod) -> Sha = |desk| desk.merge(pull, &head, method).await;
    /// Merges the base into the head branch of a pull request at that head.
    update_branch(pull: Number, head: Sha) -> Sha = |desk| desk.update_branch(pull, &head).await;
    /// Orders a pull request to be merged once it can be.
    arm(pull: Number, method: MergeMethod) -> () = |desk| desk.arm(pull, method).await;
    /// Takes that back.
    disarm(pull: Number) -> () = |desk| desk.disarm(pull).await;
    /// The change of a pull request as a patch.
    diff(pull: Number) -> Tainted = |desk| desk.diff(pull).await;
    /// Commits of a pull request, oldest first.
    commits(pull: Number) -> Vec<CommitView> = |desk| desk.commits(pull).await;
    /// Files of a pull request.
    files(pull: Number) -> Vec<FileChange> = |desk| desk.files(pull).await;
    /// The patch of one file of a pull request.
    file_patch(pull: Number, path: Tainted) -> Tainted = |desk| desk.file_patch(pull, &path).await;
    /// Reviews and threads of a pull request.
    conversation(pull: Number) -> Conversation = |desk| desk.conversation(pull).await;
    /// Writes a review.
    review(pull: Number, head: Sha, opinion: Opinion, body: Tainted, threads: Vec<NewThread>) -> () =
        |desk| desk.review(pull, &head, opinion, body, threads).await;
    /// Says something in a thread.
    reply(thread: ThreadId, body: Tainted) -> () = |desk| desk.reply(thread, body).await;
    /// Resolves a thread.
    resolve_thread(pull: Number, thread: ThreadId) -> () = |desk| desk.resolve_thread(pull, thread).await;
    /// Opens a resolved thread again.
    unresolve_thread(pull: Number, thread: ThreadId) -> () = |desk| desk.unresolve_thread(pull, thread).await;
    /// Results of the checks of a pull request's head.
    checks(pull: Number) -> Vec<CheckLog> = |desk| desk.checks(pull).await;
    /// Runs the checks of a pull request's head again.
    rerun_checks(pull: Number) -> () = |desk| desk.rerun_checks(pull).await;
    /// Says something of a commit.
    add_status(sha: Sha, context: CheckName, state: StatusWord, description: Tainted, target: Tainted) -> u64 =
        |desk| desk.add_status(sha, context, state, description, target).await;
    /// What accounts say of a commit, newest first.
    statuses(sha: Sha) -> Vec<StatusRecord> = |desk| desk.statuses(&sha).await;
    /// Branches with their heads, ascending.
    branches() -> Vec<(BranchName, Sha)> = |desk| desk.branches().await;
    /// Makes a branch at a commit.
    create_branch(branch: BranchName, at: Sha) -> () = |desk| desk.create_branch_at(&branch, &at).await;
    /// Sets a branch to a commit.
    move_branch(branch: BranchName, to: Sha, leap: Leap) -> () = |desk| desk.move_branch(&branch, &to, leap).await;
    /// Deletes a branch that is at that commit.
    delete_branch(branch: BranchName, at: Sha) -> () = |desk| desk.delete_branch(&branch, &at).await;
    /// A commit.
    commit(sha: Sha) -> CommitView = |desk| desk.commit(&sha).await;
    /// The commits that lead to one, newest first.
    history(head: Sha, most: u32) -> Vec<CommitView> = |desk| desk.history(&head, most).await;
}
