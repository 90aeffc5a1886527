//! Epics' issues: composed here, because the forge has the children's titles; changed line by line, so that nothing that somebody
//! else wrote is lost (I5).

use super::{LocalError, LocalForge, home::Home};
use banksman_core::{
    epic::{append, render, tick},
    id::Number,
    intent::{AGENTIC, EpicDraft, PhaseDraft, Step, label},
    port::{
        Book, Checker, Refusal,
        book::{BANKSMAN, NewIssue, Rewrite, Rewritten, Select},
    },
    tainted::Tainted,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The second label of every epic (E7).
const LARGE: &str = "complexity:large";
/// Times that a change of a body is tried anew because somebody else wrote meanwhile.
const TRIES: usize = 100;

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Writes an epic's issue (E6, E7).
    pub(super) async fn create_epic(
        &self,
        home: &Home,
        draft: &EpicDraft,
        step: &Step,
    ) -> Result<(Number, Timestamp), LocalError> {
        let children: Vec<Number> = draft.children().collect();
        let count = children.len();
        let titles = self.titles(home, children).await?;
        let body = render(&draft.phases, |child| titles.get(&child).cloned().unwrap_or_default());
        let plural = if count == 1 { "" } else { "s" };
        let at = self.now();
        let issue = NewIssue {
            author: BANKSMAN,
            title: Tainted::new(format!("epic({}): {count} issue{plural}", draft.slug())),
            body: Tainted::new(body),
            labels: vec![label(AGENTIC), label(LARGE)],
            made_by: Some(step.clone()),
            at,
        };
        Ok((self.book.open_issue(&home.rules.name, issue).await?, at))
    }

    /// Appends children to an epic's checklist.
    pub(super) async fn extend_epic(
        &self,
        home: &Home,
        epic: Number,
        phases: &[PhaseDraft],
    ) -> Result<(), LocalError> {
        let children = phases.iter().flat_map(|phase| phase.children.iter().copied()).collect();
        let titles = self.titles(home, children).await?;
        let title = |child| titles.get(&child).cloned().unwrap_or_default();
        self.edit_body(home, epic, |body| append(body, phases, title)).await
    }

    /// Ticks children on an epic's checklist.
    pub(super) async fn tick(
        &self,
        home: &Home,
        epic: Number,
        children: &[Number],
    ) -> Result<(), LocalError> {
        self.edit_body(home, epic, |body| tick(body, children)).await
    }

    /// Changes a body as long as it takes; `None` from `edit` says that nothing is to be changed.
    async fn edit_body(
        &self,
        home: &Home,
        of: Number,
        edit: impl Fn(&str) -> Option<String>,
    ) -> Result<(), LocalError> {
        let repo = &home.rules.name;
        let _turn = home.turn.lock().await;
        for _ in 0..TRIES {
            let text = self.book.text(repo, of).await?;
            let Some(body) = text.body.structure(&edit) else { return Ok(()) };
            let rewrite = Rewrite {
                title: None,
                body: Some(Tainted::new(body)),
                revision: Some(text.revision),
                at: self.now(),
            };
            if self.book.rewrite(repo, of, rewrite).await? == Rewritten::Yes {
                return Ok(());
            }
        }
        Err(Refusal::NotAllowed.into())
    }

    /// Titles on one line each.
    async fn titles(&self, home: &Home, of: Vec<Number>) -> Result<BTreeMap<Number, String>, LocalError> {
        let issues = self.book.issues(&home.rules.name, &Select::Numbers(of)).await?;
        let line = |title: &str| title.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(issues.iter().map(|issue| (issue.number, issue.title.structure(line))).collect())
    }
}
