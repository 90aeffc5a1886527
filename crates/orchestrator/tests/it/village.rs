//! A forge with issues and labels and nothing else. A repository that it does not know is refused.

use banksman_core::{
    epic::Checklist,
    id::{ActorId, CommentId, Number},
    intent::{Made, Receipt, Step},
    port::{
        Accounted, BriefFor, Forge, ForgeError, IssueQuery, IssueText, PullQuery, Refusal, RepoFacts,
        ReviewDraft,
    },
    signals::{IssueFacts, Signals, TitleHead},
    tainted::Tainted,
    text::{BranchName, EngineName, Label, RepoName, Sha},
    work::Verdict,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

/// Repositories with their issues.
#[derive(Default)]
pub(crate) struct Village(Mutex<BTreeMap<RepoName, Town>>);

/// What is in one repository.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) issues: Vec<IssueFacts>,
    /// What was done, in order.
    pub(crate) done: Vec<Step>,
    /// The answer to every effect is lost, and it did not happen.
    pub(crate) silent: bool,
    /// What the forge says to so many effects before it does any.
    pub(crate) halts: Option<(ForgeError, u32)>,
    /// The time of the server.
    pub(crate) now: Timestamp,
}

const ME: ActorId = ActorId(1);

impl Village {
    /// A repository that is known from now on.
    pub(crate) fn town(&self, repo: &RepoName, now: Timestamp) {
        self.all().insert(repo.clone(), Town { now, ..Town::default() });
    }

    /// What is in a repository.
    pub(crate) fn with<T>(
        &self,
        repo: &RepoName,
        look: impl FnOnce(&mut Town) -> T,
    ) -> Result<T, ForgeError> {
        self.all().get_mut(repo).map(look).ok_or(ForgeError::Refused(Refusal::NotFound))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<RepoName, Town>> {
        self.0.lock().unwrap()
    }
}

impl Town {
    /// Opens an issue of Banksman's own account.
    pub(crate) fn open(&mut self, labels: &[&str]) -> Number {
        let number = Number(self.issues.len() as u64 + 1);
        self.issues.push(IssueFacts {
            number,
            open: true,
            labels: labels.iter().map(|label| Label::new(label).unwrap()).collect(),
            author: ME,
            title: TitleHead::default(),
            blocked_by: Vec::new(),
            parent: None,
            created_at: self.now,
            closed_at: None,
        });
        number
    }

    /// A person takes a label away.
    pub(crate) fn take_label(&mut self, issue: Number, label: &str) {
        let issue = self.issues.iter_mut().find(|i| i.number == issue).unwrap();
        issue.labels.retain(|l| l.as_str() != label);
    }

    fn perform(&mut self, step: &Step) -> Receipt {
        let made = match step {
            Step::CreateIssue { .. } => Made::Issue { number: self.open(&[]) },
            Step::Comment { .. } => Made::Comment { id: CommentId(self.done.len() as u64) },
            Step::AddLabel { on, label } => {
                let issue = self.issues.iter_mut().find(|i| i.number == *on).unwrap();
                issue.labels.push(label.clone());
                Made::Change
            }
            _ => Made::Change,
        };
        self.done.push(step.clone());
        Receipt { at: self.now, made }
    }
}

impl Forge for Village {
    async fn repo(&self, repo: &RepoName) -> Result<RepoFacts, ForgeError> {
        self.with(repo, |_| RepoFacts {
            default_branch: BranchName::new("main").unwrap(),
            default_head: Sha::new(&"0".repeat(40)).unwrap(),
            me: ME,
            allowed: Vec::new(),
            agents: Vec::new(),
            offers: banksman_core::port::Offers::default(),
        })
    }
    async fn issues(&self, repo: &RepoName, query: &IssueQuery) -> Result<Vec<IssueFacts>, ForgeError> {
        self.with(repo, |town| {
            let wanted = |issue: &&IssueFacts| match query {
                IssueQuery::Open => issue.open,
                IssueQuery::Numbers(numbers) => numbers.contains(&issue.number),
            };
            town.issues.iter().filter(wanted).cloned().collect()
        })
    }
    async fn checklist(&self, repo: &RepoName, _: Number) -> Result<Checklist, ForgeError> {
        self.with(repo, |_| Checklist::default())
    }
    async fn pulls(&self, repo: &RepoName, _: &PullQuery) -> Result<Vec<Signals>, ForgeError> {
        self.with(repo, |_| Vec::new())
    }
    async fn branch(&self, repo: &RepoName, _: &BranchName) -> Result<Option<Sha>, ForgeError> {
        self.with(repo, |_| None)
    }
    async fn brief(&self, repo: &RepoName, _: &BriefFor) -> Result<Tainted, ForgeError> {
        self.with(repo, |_| Tainted::new("what is to be done".to_owned()))
    }
    async fn audit(&self, repo: &RepoName, _: Number) -> Result<Tainted, ForgeError> {
        self.with(repo, |_| Tainted::new(String::new()))
    }
    async fn reviewed(
        &self,
        repo: &RepoName,
        _: Number,
        _: &Sha,
        _: &EngineName,
    ) -> Result<Option<Verdict>, ForgeError> {
        self.with(repo, |_| None)
    }
    async fn review(&self, repo: &RepoName, _: ReviewDraft) -> Result<(), ForgeError> {
        self.with(repo, |_| ())
    }
    async fn perform(
        &self,
        repo: &RepoName,
        step: &Step,
        _: Option<IssueText>,
    ) -> Result<Receipt, ForgeError> {
        self.with(repo, |town| {
            if let Some((halt, times)) = &mut town.halts
                && *times > 0
            {
                *times -= 1;
                return Err(halt.clone());
            }
            match town.silent {
                true => Err(ForgeError::Unclear("as the test wants it")),
                false => Ok(town.perform(step)),
            }
        })?
    }
    async fn find(
        &self,
        repo: &RepoName,
        _: &Step,
        _: Timestamp,
        _: &Accounted,
    ) -> Result<Option<Receipt>, ForgeError> {
        self.with(repo, |_| None)
    }
}
