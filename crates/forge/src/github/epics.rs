//! Epics' issues: composed here, because the forge has the children's titles; changed line by line, so that nothing that somebody else wrote
//! is lost (I5). GitHub has no conditional write of a body: it is read right before and right after, with its last versions. What somebody
//! wrote in between is taken up again with our change in it.

use super::{
    GithubForge,
    documents::{EpicBody, EpicEdits},
    fault::{Fault, No},
    governor::Effect,
    look::{OneVars, parts},
    rest::Ignored,
    transport::{Transport, Verb},
};
use banksman_core::{
    epic::{Checklist, append, render, tick},
    id::Number,
    intent::{AGENTIC, EpicDraft, PhaseDraft, Receipt, label},
    port::Refusal,
    tainted::Tainted,
    text::RepoName,
};
use serde::Serialize;

/// The second label of every epic (E7).
pub(super) const LARGE: &str = "complexity:large";
/// Times that a body is changed anew because somebody else wrote meanwhile.
const TRIES: usize = 5;

#[derive(Serialize)]
struct NewBody<'a> {
    body: &'a str,
}

impl<T: Transport> GithubForge<T> {
    /// Writes an epic's issue (E6, E7).
    pub(super) async fn create_epic(&self, repo: &RepoName, draft: &EpicDraft) -> Result<Receipt, Fault> {
        let children: Vec<Number> = draft.children().collect();
        let titles = self.titles(repo, &children).await?;
        let body = render(&draft.phases, |child| titles.get(&child).cloned().unwrap_or_default());
        let count = children.len();
        let plural = if count == 1 { "" } else { "s" };
        let title = format!("epic({}): {count} issue{plural}", draft.slug());
        self.create_issue(repo, title, body, &[label(AGENTIC), label(LARGE)]).await
    }

    /// Appends children to an epic's checklist.
    pub(super) async fn extend_epic(
        &self,
        repo: &RepoName,
        epic: Number,
        phases: &[PhaseDraft],
    ) -> Result<Receipt, Fault> {
        let children: Vec<Number> = phases.iter().flat_map(|phase| phase.children.iter().copied()).collect();
        let titles = self.titles(repo, &children).await?;
        let title = |child| titles.get(&child).cloned().unwrap_or_default();
        self.edit_body(repo, epic, |body| append(body, phases, title)).await
    }

    /// Ticks children on an epic's checklist, all with one write.
    pub(super) async fn tick(
        &self,
        repo: &RepoName,
        epic: Number,
        children: &[Number],
    ) -> Result<Receipt, Fault> {
        self.edit_body(repo, epic, |body| tick(body, children)).await
    }

    /// The checklist of an epic.
    pub(super) async fn read_checklist(
        &self,
        repo: &RepoName,
        epic: Number,
        effect: Effect,
    ) -> Result<Checklist, Fault> {
        Ok(Checklist::read(&self.body(repo, epic, effect).await?))
    }

    async fn body(&self, repo: &RepoName, of: Number, effect: Effect) -> Result<Tainted, Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: of.0, after: None };
        let data = self.caller.query(EpicBody, Some(repo), effect, &vars).await?;
        let issue = data.repository.and_then(|repository| repository.issue).ok_or(Fault::No(No::Missing))?;
        Ok(issue.body)
    }

    /// Changes a body until it reads back as changed; `None` from `edit` says that nothing is left to be changed.
    async fn edit_body(
        &self,
        repo: &RepoName,
        of: Number,
        edit: impl Fn(&str) -> Option<String>,
    ) -> Result<Receipt, Fault> {
        let _alone = self.bodies.lock().await;
        let mut before = self.body(repo, of, Effect::Settle).await?;
        let mut wanted = match before.structure(&edit) {
            None => self.unhealed(repo, of, &edit).await?,
            wanted => wanted,
        };
        for _ in 0..TRIES {
            let Some(body) = wanted else { return Ok(self.change()) };
            let path = format!("issues/{of}");
            let new = NewBody { body: &body };
            let _: Ignored = self.send(repo, Verb::Patch, &path, Effect::Content, "edit_body", &new).await?;
            let (after, versions) = self.versions(repo, of).await?;
            match overwritten(&versions, &body, &before) {
                Some(theirs) => {
                    let merged = theirs.structure(|text| edit(text).unwrap_or_else(|| text.to_owned()));
                    (before, wanted) = (Tainted::new(body), Some(merged));
                }
                None => {
                    wanted = after.structure(&edit);
                    before = after;
                }
            }
        }
        match wanted {
            None => Ok(self.change()),
            Some(_) => Err(Refusal::NotAllowed.into()),
        }
    }

    /// Whether children are ticked, and nothing that somebody wrote was lost over it.
    pub(super) async fn is_ticked(
        &self,
        repo: &RepoName,
        epic: Number,
        children: &[Number],
    ) -> Result<Option<Receipt>, Fault> {
        let list = self.read_checklist(repo, epic, Effect::Settle).await?;
        // A child that is not listed cannot be ticked.
        let done = |child: &Number| list.entry(*child).is_none_or(|entry| entry.ticked);
        if !children.iter().all(done) {
            return Ok(None);
        }
        let unhealed = self.unhealed(repo, epic, &|body: &str| tick(body, children)).await?;
        Ok(unhealed.is_none().then(|| self.change()))
    }

    /// The body that ought to be there, where an earlier attempt at the same change overwrote what somebody else wrote and did not come to
    /// take it up again.
    async fn unhealed(
        &self,
        repo: &RepoName,
        of: Number,
        edit: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Fault> {
        let (_, versions) = self.versions(repo, of).await?;
        let lost = skipped(&versions, edit);
        Ok(lost.map(|theirs| theirs.structure(|text| edit(text).unwrap_or_else(|| text.to_owned()))))
    }

    /// The body with its last versions, newest first; without them where the host does not tell.
    async fn versions(&self, repo: &RepoName, of: Number) -> Result<(Tainted, Vec<Tainted>), Fault> {
        let canonical = self.canonical(repo);
        let (owner, name) = parts(&canonical);
        let vars = OneVars { owner, name, number: of.0, after: None };
        match self.caller.query(EpicEdits, Some(repo), Effect::Settle, &vars).await {
            Ok(data) => {
                let issue = data.repository.and_then(|repository| repository.issue);
                let issue = issue.ok_or(Fault::No(No::Missing))?;
                let versions = issue.user_content_edits.map(|page| page.nodes).unwrap_or_default();
                Ok((issue.body, versions.into_iter().filter_map(|version| version.diff).collect()))
            }
            Err(Fault::Unclear(_) | Fault::No(No::Gone | No::Forbidden)) => {
                Ok((self.body(repo, of, Effect::Settle).await?, Vec::new()))
            }
            Err(fault) => Err(fault),
        }
    }
}

/// What our own version took the place of, if it is not what was there `before`: somebody else wrote it, and it is not in the body any more.
/// Versions are whole texts wherever our own is found among them.
fn overwritten<'a>(versions: &'a [Tainted], ours: &str, before: &Tainted) -> Option<&'a Tainted> {
    let is = |version: &Tainted, text: &str| version.structure(|version| same(version, text));
    let at = versions.iter().position(|version| is(version, ours))?;
    versions.get(at + 1).filter(|theirs| !before.structure(|before| is(theirs, before)))
}

/// The version below the newest one, if the newest one was made by `edit` of an older one as though it had not been there. Versions that
/// `edit` made itself are nobody's.
fn skipped<'a>(versions: &'a [Tainted], edit: &impl Fn(&str) -> Option<String>) -> Option<&'a Tainted> {
    let [newest, theirs, older @ ..] = versions else { return None };
    let made = |version: &Tainted, from: &Tainted| {
        let made = from.structure(edit);
        made.is_some_and(|made| version.structure(|version| same(version, &made)))
    };
    let is_made = |version: &Tainted| older.iter().any(|from| made(version, from));
    (is_made(newest) && !made(newest, theirs) && !is_made(theirs)).then_some(theirs)
}

/// Line ends are not told apart: GitHub changes them on the way.
fn same(one: &str, other: &str) -> bool {
    one.lines().eq(other.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attempt_that_was_cut_off_overwrote_is_found_once() {
        let edit = |text: &str| text.contains("[ ]").then(|| text.replace("[ ]", "[x]"));
        let found = |versions: &[&str]| {
            let versions: Vec<_> = versions.iter().map(|text| Tainted::new((*text).to_owned())).collect();
            skipped(&versions, &edit).map(|theirs| theirs.structure(str::to_owned))
        };
        assert_eq!(found(&["[x]", "[ ] and more", "[ ]"]).as_deref(), Some("[ ] and more"));
        assert_eq!(found(&["[x] and more", "[x]", "[ ] and more", "[ ]"]), None, "taken up since");
        assert_eq!(found(&["[x]", "[ ]"]), None, "nobody wrote anything");
        assert_eq!(found(&["[x]", "[ ]", "[x]", "[ ]"]), None, "somebody took the tick back");
        assert_eq!(found(&["[x] later", "[x]", "[ ] and more", "[ ]"]), None, "somebody went on from ours");
    }

    #[test]
    fn what_somebody_wrote_in_between_is_found_among_the_versions() {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| Tainted::new((*text).to_owned())).collect::<Vec<_>>();
        let found = |versions: &[&str]| {
            let (versions, before) = (texts(versions), Tainted::new("before".to_owned()));
            overwritten(&versions, "ours", &before).map(|theirs| theirs.structure(str::to_owned))
        };
        assert_eq!(found(&["ours", "theirs", "older", "before", "first"]).as_deref(), Some("theirs"));
        assert_eq!(found(&["later", "ours", "theirs", "before"]).as_deref(), Some("theirs"));
        assert_eq!(found(&["ours", "before"]), None);
        assert_eq!(found(&["+ ours", "theirs", "before"]), None, "versions of another kind");
        assert_eq!(found(&["ours", "theirs"]).as_deref(), Some("theirs"), "whatever came before that");
        assert_eq!(found(&["ours"]), None, "the first version that is kept");
    }
}
