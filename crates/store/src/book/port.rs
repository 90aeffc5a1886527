//! The port, call by call: which statement, in which kind of transaction.

use super::{
    SqliteBook, accounts, arming, checks, comments, issues, labels, links, pulls, read_pulls, reviews,
    statuses, versions,
};
use crate::sqlite::Durability::{Acknowledged, Restartable};
use banksman_core::{
    id::{ActorId, CommentId, Number, ThreadId},
    intent::{Made, Step},
    port::book::{
        Account, Arming, Book, BookError, CheckLog, Checking, CommentRecord, Conversation, Ending,
        IssueRecord, LabelChange, LabelDraft, LabelMade, LabelRecord, Link, MergePlan, NewComment, NewIssue,
        NewPull, NewReview, NewStatus, Presence, PullRecord, Readiness, Rewrite, Rewritten, RunClaim, Select,
        Sighting, Size, StatusRecord, Text, UpdatePlan, Who,
    },
    tainted::Tainted,
    text::{BranchName, Label, RepoName, Sha},
};
use jiff::Timestamp;

impl Book for SqliteBook {
    async fn account(&self, who: &Who) -> Result<Account, BookError> {
        let login = accounts::login(who).map_err(super::Trouble::into_port)?;
        let wanted = login.clone();
        match self.read(move |db| accounts::find(db, &wanted)).await? {
            Some(account) => Ok(account),
            None => self.write(Acknowledged, move |tx| accounts::make(tx, &login)).await,
        }
    }

    async fn open_issue(&self, repo: &RepoName, issue: NewIssue) -> Result<Number, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| issues::open(tx, &repo, issue)).await
    }

    async fn issues(&self, repo: &RepoName, which: &Select) -> Result<Vec<IssueRecord>, BookError> {
        let (repo, which) = (repo.clone(), which.clone());
        self.read(move |db| issues::read(db, &repo, &which)).await
    }

    async fn text(&self, repo: &RepoName, of: Number) -> Result<Text, BookError> {
        let repo = repo.clone();
        self.read(move |db| issues::text(db, &repo, of)).await
    }

    async fn rewrite(&self, repo: &RepoName, of: Number, rewrite: Rewrite) -> Result<Rewritten, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| issues::rewrite(tx, &repo, of, rewrite)).await
    }

    async fn versions(&self, repo: &RepoName, of: Number) -> Result<Vec<(Tainted, Timestamp)>, BookError> {
        let repo = repo.clone();
        self.read(move |db| versions::read(db, &repo, of)).await
    }

    async fn comment(&self, repo: &RepoName, comment: NewComment) -> Result<CommentId, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| comments::write(tx, &repo, comment)).await
    }

    async fn comments(&self, repo: &RepoName, on: Number) -> Result<Vec<CommentRecord>, BookError> {
        let repo = repo.clone();
        self.read(move |db| comments::read(db, &repo, on)).await
    }

    async fn set_label(
        &self,
        repo: &RepoName,
        on: Number,
        label: &Label,
        presence: Presence,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let (repo, label) = (repo.clone(), label.clone());
        self.write(Acknowledged, move |tx| issues::set_label(tx, &repo, on, &label, presence, at)).await
    }

    async fn labels(&self, repo: &RepoName) -> Result<Vec<(Label, u64)>, BookError> {
        let repo = repo.clone();
        self.read(move |db| issues::labels_in_use(db, &repo)).await
    }

    async fn repo_number(&self, repo: &RepoName) -> Result<u64, BookError> {
        let wanted = repo.clone();
        match self.read(move |db| labels::repo_number(db, &wanted)).await? {
            Some(number) => Ok(number),
            None => {
                let repo = repo.clone();
                self.write(Acknowledged, move |tx| labels::number_repo(tx, &repo)).await
            }
        }
    }

    async fn comment_by_id(&self, id: CommentId) -> Result<(RepoName, Number, CommentRecord), BookError> {
        self.read(move |db| comments::by_id(db, id)).await
    }

    async fn rewrite_comment(&self, id: CommentId, body: Tainted, at: Timestamp) -> Result<(), BookError> {
        self.write(Acknowledged, move |tx| comments::rewrite(tx, id, body, at)).await
    }

    async fn remove_comment(&self, id: CommentId, at: Timestamp) -> Result<(), BookError> {
        self.write(Acknowledged, move |tx| comments::remove(tx, id, at)).await
    }

    async fn known_labels(&self, repo: &RepoName) -> Result<Vec<LabelRecord>, BookError> {
        let repo = repo.clone();
        self.read(move |db| labels::read(db, &repo)).await
    }

    async fn make_label(&self, repo: &RepoName, label: LabelDraft) -> Result<LabelMade, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| labels::make(tx, &repo, label)).await
    }

    async fn change_label(
        &self,
        repo: &RepoName,
        name: &Label,
        change: LabelChange,
    ) -> Result<LabelRecord, BookError> {
        let (repo, name) = (repo.clone(), name.clone());
        self.write(Acknowledged, move |tx| labels::change(tx, &repo, &name, change)).await
    }

    async fn drop_label(&self, repo: &RepoName, name: &Label, at: Timestamp) -> Result<(), BookError> {
        let (repo, name) = (repo.clone(), name.clone());
        self.write(Acknowledged, move |tx| labels::drop(tx, &repo, &name, at)).await
    }

    async fn close_issue(&self, repo: &RepoName, issue: Number, at: Timestamp) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| issues::close(tx, &repo, issue, at)).await
    }

    async fn reopen(&self, repo: &RepoName, number: Number, at: Timestamp) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| issues::reopen(tx, &repo, number, at)).await
    }

    async fn link(
        &self,
        repo: &RepoName,
        link: Link,
        presence: Presence,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| links::set(tx, &repo, link, presence, at)).await
    }

    async fn made(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
    ) -> Result<Vec<(Made, Timestamp)>, BookError> {
        let (repo, step) = (repo.clone(), step.clone());
        self.read(move |db| issues::made(db, &repo, &step, since)).await
    }

    async fn open_pull(&self, repo: &RepoName, pull: NewPull) -> Result<Number, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| pulls::open(tx, &repo, pull)).await
    }

    async fn pulls(&self, repo: &RepoName, which: &Select) -> Result<Vec<PullRecord>, BookError> {
        let (repo, which) = (repo.clone(), which.clone());
        self.read(move |db| read_pulls::read(db, &repo, &which)).await
    }

    async fn untidy(&self, repo: &RepoName) -> Result<Vec<(Number, BranchName, Sha)>, BookError> {
        let repo = repo.clone();
        self.read(move |db| pulls::untidy(db, &repo)).await
    }

    async fn tidied(&self, repo: &RepoName, pull: Number) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| pulls::tidied(tx, &repo, pull)).await
    }

    async fn see(
        &self,
        repo: &RepoName,
        sightings: Vec<Sighting>,
        checks: Checking,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| pulls::see(tx, &repo, &sightings, checks, at)).await
    }

    async fn retarget(
        &self,
        repo: &RepoName,
        from: &BranchName,
        to: &BranchName,
        at: Timestamp,
    ) -> Result<u64, BookError> {
        let (repo, from, to) = (repo.clone(), from.clone(), to.clone());
        self.write(Acknowledged, move |tx| pulls::retarget(tx, &repo, &from, &to, at)).await
    }

    async fn set_readiness(
        &self,
        repo: &RepoName,
        pull: Number,
        readiness: Readiness,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| pulls::set_readiness(tx, &repo, pull, readiness, at)).await
    }

    async fn arm(
        &self,
        repo: &RepoName,
        pull: Number,
        arming: Option<Arming>,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| arming::set(tx, &repo, pull, arming, at)).await
    }

    async fn armed(&self, repo: &RepoName) -> Result<Vec<(Number, Arming)>, BookError> {
        let repo = repo.clone();
        self.read(move |db| arming::read(db, &repo)).await
    }

    async fn rebase(
        &self,
        repo: &RepoName,
        pull: Number,
        base: &BranchName,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let (repo, base) = (repo.clone(), base.clone());
        self.write(Acknowledged, move |tx| arming::rebase(tx, &repo, pull, &base, at)).await
    }

    async fn plan_merge(&self, repo: &RepoName, pull: Number, plan: &MergePlan) -> Result<(), BookError> {
        let (repo, plan) = (repo.clone(), plan.clone());
        self.write(Acknowledged, move |tx| pulls::plan_merge(tx, &repo, pull, &plan)).await
    }

    async fn plan_update(&self, repo: &RepoName, pull: Number, plan: &UpdatePlan) -> Result<(), BookError> {
        let (repo, plan) = (repo.clone(), plan.clone());
        self.write(Acknowledged, move |tx| pulls::plan_update(tx, &repo, pull, &plan)).await
    }

    async fn end_pull(
        &self,
        repo: &RepoName,
        pull: Number,
        ending: &Ending,
        size: Size,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let (repo, ending) = (repo.clone(), ending.clone());
        self.write(Acknowledged, move |tx| pulls::end(tx, &repo, pull, &ending, size, at)).await
    }

    async fn review(&self, repo: &RepoName, review: NewReview) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| reviews::write(tx, &repo, review)).await
    }

    async fn conversation(&self, repo: &RepoName, pull: Number) -> Result<Conversation, BookError> {
        let repo = repo.clone();
        self.read(move |db| reviews::conversation(db, &repo, pull)).await
    }

    async fn reply(
        &self,
        repo: &RepoName,
        thread: ThreadId,
        author: ActorId,
        body: Tainted,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| reviews::reply(tx, &repo, thread, author, body, at)).await
    }

    async fn resolve(
        &self,
        repo: &RepoName,
        pull: Number,
        thread: ThreadId,
        by: Option<ActorId>,
        at: Timestamp,
    ) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| reviews::resolve(tx, &repo, pull, thread, by, at)).await
    }

    async fn claim_run(&self, repo: &RepoName) -> Result<Option<RunClaim>, BookError> {
        let repo = repo.clone();
        self.write(Restartable, move |tx| checks::claim(tx, &repo)).await
    }

    async fn finish_run(
        &self,
        repo: &RepoName,
        claim: &RunClaim,
        results: Vec<CheckLog>,
    ) -> Result<(), BookError> {
        let (repo, claim) = (repo.clone(), claim.clone());
        self.write(Restartable, move |tx| checks::finish(tx, &repo, &claim, results)).await
    }

    async fn release_run(&self, repo: &RepoName, claim: &RunClaim) -> Result<(), BookError> {
        let (repo, claim) = (repo.clone(), claim.clone());
        self.write(Restartable, move |tx| checks::release(tx, &repo, &claim)).await
    }

    async fn requeue_runs(&self, repo: &RepoName) -> Result<u64, BookError> {
        let repo = repo.clone();
        self.write(Restartable, move |tx| checks::requeue(tx, &repo)).await
    }

    async fn rerun(&self, repo: &RepoName, shas: Vec<Sha>, at: Timestamp) -> Result<(), BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| checks::rerun(tx, &repo, &shas, at)).await
    }

    async fn add_status(&self, repo: &RepoName, status: NewStatus) -> Result<u64, BookError> {
        let repo = repo.clone();
        self.write(Acknowledged, move |tx| statuses::add(tx, &repo, status)).await
    }

    async fn statuses(&self, repo: &RepoName, sha: &Sha) -> Result<Vec<StatusRecord>, BookError> {
        let (repo, sha) = (repo.clone(), sha.clone());
        self.read(move |db| statuses::read(db, &repo, &sha)).await
    }

    async fn check_logs(&self, repo: &RepoName, sha: &Sha) -> Result<Vec<CheckLog>, BookError> {
        let (repo, sha) = (repo.clone(), sha.clone());
        self.read(move |db| checks::logs(db, &repo, &sha)).await
    }
}
