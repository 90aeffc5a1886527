//! The port: what the orchestrator sees of the embedded forge.

use super::{LocalForge, judge};
use banksman_core::{
    epic::Checklist,
    id::Number,
    intent::{Receipt, Step},
    port::{
        Accounted, Book, BriefFor, Checker, Forge, ForgeError, IssueQuery, IssueText, Offers, PullQuery,
        Refusal, RepoFacts, ReviewDraft, ThreadDraft,
        book::{BANKSMAN, NewReview, NewThread, Opinion, Repeat, Select, Who},
    },
    signals::{IssueFacts, Signals},
    tainted::Tainted,
    text::{BranchName, EngineName, RepoName, Sha},
    work::Verdict,
};
use jiff::Timestamp;

impl<B: Book, C: Checker> Forge for LocalForge<B, C> {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        let home = self.home(repo)?;
        let head = home.git.head(&home.rules.default_branch).await.map_err(super::LocalError::from)?;
        let mut allowed = Vec::with_capacity(home.rules.allowed.len());
        for login in &home.rules.allowed {
            allowed.push(self.account(Who::Person(login.clone())).await?);
        }
        Ok(RepoFacts {
            default_branch: home.rules.default_branch.clone(),
            default_head: head.ok_or(ForgeError::Refused(Refusal::NotFound))?,
            me: BANKSMAN,
            allowed,
            agents: Vec::new(),
            offers: Offers::default(),
        })
    }

    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        let which = match query {
            IssueQuery::Open => Select::Open,
            IssueQuery::Numbers(numbers) => Select::Numbers(numbers.clone()),
        };
        self.home(repo)?;
        let issues = self.book.issues(repo, &which).await.map_err(super::LocalError::from)?;
        Ok(issues.iter().map(judge::facts).collect())
    }

    async fn checklist(&self, repo: &RepoName, epic: Number) -> Result<Checklist, ForgeError> {
        Ok(self.read_checklist(self.home(repo)?, epic).await?)
    }

    async fn pulls(&self, repo: &RepoName, query: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        let home = self.home(repo)?;
        let which = match query {
            PullQuery::Open => Select::Open,
            PullQuery::Numbers(numbers) => Select::Numbers(numbers.clone()),
        };
        let seen = self.look(home, &which).await?;
        Ok(seen.into_iter().map(|seen| judge::signals(seen, &home.rules)).collect())
    }

    async fn branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Option<Sha>, ForgeError> {
        Ok(self.home(repo)?.git.head(branch).await.map_err(super::LocalError::from)?)
    }

    async fn brief(&self, repo: &RepoName, about: &BriefFor) -> Result<Tainted, ForgeError> {
        let BriefFor::Task(task) = about;
        Ok(self.material(self.home(repo)?, task).await?)
    }

    async fn audit(&self, repo: &RepoName, issue: Number) -> Result<Tainted, ForgeError> {
        self.home(repo)?;
        Ok(self.book.text(repo, issue).await.map_err(super::LocalError::from)?.body)
    }

    async fn reviewed(
        &self,
        repo: &RepoName,
        pull: Number,
        head: &Sha,
        reviewer: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        self.home(repo)?;
        let who = self.account(Who::Engine(reviewer.clone())).await?;
        let pulls = self.book.pulls(repo, &Select::Numbers(vec![pull])).await;
        let record = pulls.map_err(super::LocalError::from)?.pop();
        let record = record.ok_or(ForgeError::Refused(Refusal::NotFound))?;
        let mut own = record.reviews.iter().filter(|review| review.reviewer == who && review.head == *head);
        Ok(own.next_back().and_then(|review| match review.opinion {
            Opinion::Approved => Some(Verdict::Approve),
            Opinion::ChangesRequested => Some(Verdict::Changes),
            Opinion::Commented => None,
        }))
    }

    async fn review(&self, repo: &RepoName, draft: ReviewDraft) -> Result<(), ForgeError> {
        self.home(repo)?;
        let ReviewDraft { pull, head, reviewer, verdict, threads } = draft;
        let reviewer = self.account(Who::Engine(reviewer)).await?;
        let open = |ThreadDraft { path, line, body }| NewThread { place: Some((path, line)), body };
        let review = NewReview {
            pull,
            reviewer,
            opinion: match verdict {
                Verdict::Approve => Opinion::Approved,
                Verdict::Changes => Opinion::ChangesRequested,
            },
            head,
            body: Tainted::new(String::new()),
            threads: threads.into_iter().map(open).collect(),
            repeat: Repeat::Ignored,
            at: self.now(),
        };
        Ok(self.book.review(repo, review).await.map_err(super::LocalError::from)?)
    }

    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        Ok(self.step(self.home(repo)?, step, text).await?)
    }

    async fn find(
        &self,
        repo: &RepoName,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        Ok(self.find_step(self.home(repo)?, step, since, accounted).await?)
    }
}
