//! Steps: one effect each, sent once. What a step makes is its receipt; what comes back without a clear answer is looked for later (`find`).

use super::{
    GithubForge,
    documents::{AddLabels, Subject},
    fault::{Fault, No},
    governor::Effect,
    look::parts,
    rest::{CommentRest, Ignored, IssueRest},
    transport::{Transport, Verb},
    wire::{NodeId, SubjectIn},
};
use banksman_core::{
    id::{CommentId, Number},
    intent::{Made, Receipt, Step},
    port::{IssueText, Refusal},
    say::Sentence,
    text::{Label, RepoName},
};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct NewIssue<'a> {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) labels: Vec<&'a str>,
}

#[derive(Serialize)]
struct NewComment {
    body: String,
}

#[derive(Serialize)]
struct Closing {
    state: &'static str,
    state_reason: &'static str,
}

#[derive(Serialize)]
struct NewLabel<'a> {
    name: &'a str,
    color: &'static str,
}

/// Colour of labels that Banksman makes: GitHub's own grey.
const GREY: &str = "ededed";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Labelling<'a> {
    labelable_id: &'a NodeId,
    label_ids: [&'a NodeId; 1],
}

#[derive(Serialize)]
struct SubjectVars<'a> {
    owner: &'a str,
    name: &'a str,
    number: u64,
    label: &'a str,
}

impl<T: Transport> GithubForge<T> {
    /// Does one step.
    pub(super) async fn step(
        &self,
        repo: &RepoName,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Receipt, Fault> {
        match step {
            Step::CreateIssue { .. } => {
                let IssueText { title, body, labels } = text.ok_or(Refusal::NotAllowed)?;
                self.create_issue(repo, title.into_forge_slot(), body.into_forge_slot(), &labels).await
            }
            Step::CreateEpic { epic } => self.create_epic(repo, epic).await,
            Step::ExtendChecklist { epic, phases } => self.extend_epic(repo, *epic, phases).await,
            Step::Comment { on, say } => self.comment(repo, *on, say).await,
            Step::AddLabel { on, label } => self.add_label(repo, *on, label).await,
            Step::CloseIssue { issue } => self.close_issue(repo, *issue).await,
            Step::LinkChild { parent, child } => self.link_child(repo, *parent, *child).await,
            Step::LinkBlocker { blocker, blocked } => self.link_blocker(repo, *blocker, *blocked).await,
            Step::CreateBranch { branch } => self.create_branch(repo, branch).await,
            Step::DeleteBranch { branch, at } => self.delete_branch(repo, branch, at.as_ref()).await,
            Step::OpenPull { closes, head, base } => self.open_pull(repo, *closes, head, base).await,
            Step::ResolveThread { pull, thread } => self.resolve_thread(repo, *pull, *thread).await,
            Step::UpdateBranch { pull, head } => self.update_branch(repo, *pull, head).await,
            Step::EnableAutoMerge { pull, head } => self.enable_auto_merge(repo, *pull, head).await,
            Step::Merge { pull, head, method } => self.merge(repo, *pull, head, *method).await,
            Step::Tick { epic, children } => self.tick(repo, *epic, children).await,
        }
    }

    /// A change without an id of its own, done now.
    pub(super) fn change(&self) -> Receipt {
        Receipt { at: self.caller.server_now(), made: Made::Change }
    }

    pub(super) async fn create_issue(
        &self,
        repo: &RepoName,
        title: String,
        body: String,
        labels: &[Label],
    ) -> Result<Receipt, Fault> {
        let new = NewIssue { title, body, labels: labels.iter().map(Label::as_str).collect() };
        let made: IssueRest =
            self.send(repo, Verb::Post, "issues", Effect::Content, "create_issue", &new).await?;
        Ok(Receipt { at: made.created_at, made: Made::Issue { number: made.number() } })
    }

    async fn comment(&self, repo: &RepoName, on: Number, say: &Sentence) -> Result<Receipt, Fault> {
        let path = format!("issues/{on}/comments");
        let new = NewComment { body: say.to_string() };
        let made: CommentRest = self.send(repo, Verb::Post, &path, Effect::Content, "comment", &new).await?;
        let id = made.id.ok_or(Fault::Unclear("a comment has no id"));
        let id = self.changed(repo, id)?;
        Ok(Receipt { at: made.created_at, made: Made::Comment { id: CommentId(id) } })
    }

    async fn close_issue(&self, repo: &RepoName, issue: Number) -> Result<Receipt, Fault> {
        let path = format!("issues/{issue}");
        let closing = Closing { state: "closed", state_reason: "completed" };
        let closed: IssueRest =
            self.send(repo, Verb::Patch, &path, Effect::Write, "close_issue", &closing).await?;
        Ok(Receipt { at: closed.closed_at.unwrap_or_else(|| self.caller.server_now()), made: Made::Change })
    }

    /// Adds a label by its node; one that the repository does not have is made first.
    async fn add_label(&self, repo: &RepoName, on: Number, label: &Label) -> Result<Receipt, Fault> {
        let mut subject = self.subject(repo, on, label).await?;
        if subject.label.is_none() {
            let new = NewLabel { name: label.as_str(), color: GREY };
            let made: Result<Ignored, Fault> =
                self.send(repo, Verb::Post, "labels", Effect::Write, "create_label", &new).await;
            match made {
                // Somebody was faster.
                Ok(_) | Err(Fault::No(No::Invalid)) => subject = self.subject(repo, on, label).await?,
                Err(fault) => return Err(fault),
            }
        }
        let on = subject.issue_or_pull_request.ok_or(Fault::No(No::Missing))?;
        let label = subject.label.ok_or(Fault::Unclear("a label that was made is not there"))?;
        let input = Labelling { labelable_id: &on.id, label_ids: [&label.id] };
        self.changed(repo, self.caller.mutate(AddLabels, repo, Effect::Write, &input).await)?;
        Ok(self.change())
    }

    /// The nodes of an issue or pull request and of a label.
    pub(super) async fn subject(
        &self,
        repo: &RepoName,
        on: Number,
        label: &Label,
    ) -> Result<SubjectIn, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = SubjectVars { owner, name, number: on.0, label: label.as_str() };
        let data = self.caller.query(Subject, Some(repo), Effect::Settle, &vars).await?;
        data.repository.ok_or(Fault::No(No::Missing))
    }
}
