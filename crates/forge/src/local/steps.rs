//! Steps: one effect each, done when it is in the book.

use super::{LocalError, LocalForge, home::Home, judge::Asker};
use banksman_core::{
    id::Number,
    intent::{AGENTIC, Made, Receipt, Step},
    port::{
        Book, Checker, IssueText, Refusal,
        book::{BANKSMAN, HeadFate, Link, NewComment, NewIssue, NewPull, Presence, Readiness, Select, Who},
    },
    repo::RepoRules,
    tainted::Tainted,
    text::BranchName,
};

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Does one step.
    pub(super) async fn step(
        &self,
        home: &Home,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, LocalError> {
        let repo = &home.rules.name;
        let at = self.now();
        let made = match step {
            Step::CreateIssue { .. } => {
                let IssueText { title, body, labels } = text.ok_or(Refusal::NotAllowed)?;
                let made_by = Some(step.clone());
                let issue = NewIssue { author: BANKSMAN, title, body, labels, made_by, at };
                Made::Issue { number: self.book.open_issue(repo, issue).await? }
            }
            Step::CreateEpic { epic } => {
                let (number, at) = self.create_epic(home, epic, step).await?;
                return Ok(Receipt { at, made: Made::Issue { number } });
            }
            Step::ExtendChecklist { epic, phases } => {
                self.extend_epic(home, *epic, phases).await?;
                Made::Change
            }
            Step::Comment { on, say } => {
                let body = Tainted::new(say.to_string());
                let comment = NewComment { on: *on, author: BANKSMAN, body, made_by: Some(step.clone()), at };
                Made::Comment { id: self.book.comment(repo, comment).await? }
            }
            Step::AddLabel { on, label } => {
                self.book.set_label(repo, *on, label, Presence::Present, at).await?;
                Made::Change
            }
            Step::CloseIssue { issue } => {
                self.book.close_issue(repo, *issue, at).await?;
                Made::Change
            }
            Step::LinkChild { parent, child } => {
                let link = Link::Child { parent: *parent, child: *child };
                self.book.link(repo, link, Presence::Present, at).await?;
                Made::Change
            }
            Step::LinkBlocker { blocker, blocked } => {
                let link = Link::Blocks { blocker: *blocker, blocked: *blocked };
                self.book.link(repo, link, Presence::Present, at).await?;
                Made::Change
            }
            Step::CreateBranch { branch } => {
                let turn = home.take_turn().await?;
                Made::Commit { sha: self.create_branch(home, &turn, branch).await? }
            }
            Step::DeleteBranch { branch, at } => {
                let turn = home.take_turn().await?;
                self.delete_branch(home, &turn, branch, at.as_ref()).await?;
                Made::Change
            }
            Step::OpenPull { closes, head, base } => {
                Made::Pull { number: self.open_pull(home, *closes, head, base).await? }
            }
            Step::ResolveThread { pull, thread } => {
                self.book.resolve(repo, *pull, *thread, Some(BANKSMAN), at).await?;
                Made::Change
            }
            Step::UpdateBranch { pull, head } => {
                let (sha, at) = self.update(home, *pull, head).await?;
                return Ok(Receipt { at, made: Made::Commit { sha } });
            }
            Step::EnableAutoMerge { .. } => return Err(Refusal::NotAllowed.into()),
            Step::Merge { pull, head, method } => {
                let (sha, at) = self.merge(home, *pull, head, *method, Asker::Banksman).await?;
                return Ok(Receipt { at, made: Made::Commit { sha } });
            }
            Step::Tick { epic, children } => {
                self.tick(home, *epic, children).await?;
                Made::Change
            }
        };
        Ok(Receipt { at, made })
    }

    /// Opens the pull request of an issue's branch. Its author is the engine that the issue was handed to.
    async fn open_pull(
        &self,
        home: &Home,
        closes: Number,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Number, LocalError> {
        let repo = &home.rules.name;
        let issue = self.book.issues(repo, &Select::Numbers(vec![closes])).await?.pop();
        let issue = issue.ok_or(Refusal::NotFound)?;
        let is_epic = issue.labels.iter().any(|label| label.as_str() == AGENTIC);
        let engine = issue.labels.iter().find_map(RepoRules::labelled_engine).filter(|_| !is_epic);
        let author = match engine {
            Some(engine) => self.account(Who::Engine(engine)).await?,
            None => BANKSMAN,
        };
        let heads = home.git.heads().await?;
        let (Some(head_sha), Some(base_sha)) = (heads.get(head), heads.get(base)) else {
            return Err(Refusal::NotFound.into());
        };
        if !home.git.relate(head_sha, base_sha).await?.ahead {
            return Err(Refusal::Nothing.into());
        }
        let pull = NewPull {
            author,
            title: issue.title,
            body: Tainted::new(format!("Closes #{closes}")),
            closes: Some(closes),
            head_branch: head.clone(),
            base: base.clone(),
            head: head_sha.clone(),
            readiness: Readiness::Ready,
            // The pipeline deletes an epic's branch itself (X13).
            head_fate: if is_epic { HeadFate::Kept } else { HeadFate::Deleted },
            checks: home.checking(),
            at: self.now(),
        };
        let number = self.book.open_pull(repo, pull).await?;
        self.queued.notify_one();
        Ok(number)
    }
}
