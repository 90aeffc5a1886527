//! Looks for a step that may have happened without its answer having arrived. What makes something new is found by the step that
//! stands in the book beside it, time and author included; what only changes something is found by how things stand (S6).

use super::{LocalError, LocalForge, home::Home};
use banksman_core::{
    epic::Checklist,
    id::Number,
    intent::{Made, Receipt, Step},
    port::{
        Accounted, Book, Checker,
        book::{BANKSMAN, IssueRecord, Select},
    },
    signals::PullState,
    text::Label,
};
use jiff::{SignedDuration, Timestamp};

/// How much earlier than its intent an effect may lie: the clock may have been set back a little in between.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Looks for a step.
    pub(super) async fn find_step(
        &self,
        home: &Home,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Result<Option<Receipt>, LocalError> {
        let repo = &home.rules.name;
        let since = since.checked_sub(SLACK).unwrap_or(since);
        let change = |at: Timestamp| Some(Receipt { at, made: Made::Change });
        Ok(match step {
            Step::CreateIssue { .. } | Step::CreateEpic { .. } | Step::Comment { .. } => {
                let free = |made: &Made| match made {
                    Made::Issue { number } | Made::Pull { number } => !accounted.numbers.contains(number),
                    Made::Comment { id } => !accounted.comments.contains(id),
                    Made::Commit { .. } | Made::Change => false,
                };
                let made = self.book.made(repo, step, since).await?;
                made.into_iter().find(|(made, _)| free(made)).map(|(made, at)| Receipt { at, made })
            }
            Step::ExtendChecklist { epic, phases } => {
                let list = self.read_checklist(home, *epic).await?;
                let mut wanted = phases.iter().flat_map(|phase| &phase.children);
                if wanted.all(|child| list.entry(*child).is_some()) { change(self.now()) } else { None }
            }
            Step::Tick { epic, children } => {
                let list = self.read_checklist(home, *epic).await?;
                // A child that is not listed cannot be ticked.
                let done = |child: &Number| list.entry(*child).is_none_or(|entry| entry.ticked);
                if children.iter().all(done) { change(self.now()) } else { None }
            }
            Step::AddLabel { on, label } => self.labelled(home, *on, label).await?.and_then(change),
            Step::CloseIssue { issue } => {
                self.issue(home, *issue).await?.and_then(|issue| issue.closed_at).and_then(change)
            }
            Step::LinkChild { parent, child } => {
                let child = self.issue(home, *child).await?;
                child.filter(|c| c.parent == Some(*parent)).and_then(|c| change(c.updated_at))
            }
            Step::LinkBlocker { blocker, blocked } => {
                let blocked = self.issue(home, *blocked).await?;
                blocked.filter(|b| b.blocked_by.contains(blocker)).and_then(|b| change(b.updated_at))
            }
            Step::CreateBranch { branch } => {
                let head = home.git.head(branch).await?;
                head.map(|sha| Receipt { at: self.now(), made: Made::Commit { sha } })
            }
            Step::DeleteBranch { branch, .. } => {
                if home.git.head(branch).await?.is_none() {
                    change(self.now())
                } else {
                    None
                }
            }
            Step::OpenPull { head, base, .. } => {
                let open = self.look(home, &Select::Open).await?;
                let mut open = open.into_iter().map(|seen| seen.record);
                let pull = open.find(|pull| pull.head_branch == *head && pull.base == *base);
                pull.map(|pull| Receipt { at: pull.created_at, made: Made::Pull { number: pull.number } })
            }
            Step::ResolveThread { pull, thread } => {
                let pull = self.book.pulls(repo, &Select::Numbers(vec![*pull])).await?.pop();
                let resolved = pull.filter(|pull| {
                    pull.threads.iter().any(|t| t.id == *thread && t.resolved_by == Some(BANKSMAN))
                });
                resolved.and_then(|pull| change(pull.updated_at))
            }
            Step::UpdateBranch { pull, head } => {
                let record = self.look_at(home, *pull).await?.record;
                let updates = record.updates.iter().filter(|update| update.from == *head);
                let heads = || record.earlier.iter().chain([&record.head]);
                updates
                    .filter_map(|update| heads().find(|head| head.sha == update.commit))
                    .map(|head| Receipt { at: head.at, made: Made::Commit { sha: head.sha.clone() } })
                    .next()
            }
            Step::Merge { pull, head, .. } => {
                let record = self.look_at(home, *pull).await?.record;
                match record.state {
                    PullState::Merged { at, commit } if record.head.sha == *head => {
                        Some(Receipt { at, made: Made::Commit { sha: commit } })
                    }
                    PullState::Merged { .. } | PullState::Open | PullState::Closed { .. } => None,
                }
            }
            Step::EnableAutoMerge { .. } => None,
        })
    }

    /// The checklist of an epic.
    pub(super) async fn read_checklist(&self, home: &Home, epic: Number) -> Result<Checklist, LocalError> {
        Ok(Checklist::read(&self.book.text(&home.rules.name, epic).await?.body))
    }

    async fn issue(&self, home: &Home, number: Number) -> Result<Option<IssueRecord>, LocalError> {
        Ok(self.book.issues(&home.rules.name, &Select::Numbers(vec![number])).await?.pop())
    }

    /// When something that carries the label last changed.
    async fn labelled(
        &self,
        home: &Home,
        on: Number,
        label: &Label,
    ) -> Result<Option<Timestamp>, LocalError> {
        if let Some(issue) = self.issue(home, on).await? {
            return Ok(issue.labels.contains(label).then_some(issue.updated_at));
        }
        let pull = self.book.pulls(&home.rules.name, &Select::Numbers(vec![on])).await?.pop();
        Ok(pull.filter(|pull| pull.labels.contains(label)).map(|pull| pull.updated_at))
    }
}
