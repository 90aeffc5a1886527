//! A person's work on issues.

use super::{Desk, LocalError, body, title, words};
use banksman_core::{
    id::{CommentId, Number},
    port::{
        Book, Checker, Refusal,
        book::{
            CommentRecord, IssueRecord, Link, NewComment, NewIssue, Presence, Rewrite, Rewritten, Select,
            Text,
        },
    },
    tainted::Tainted,
    text::Label,
};

/// An issue with everything on it.
pub struct IssueView {
    /// Its facts and title.
    pub issue: IssueRecord,
    /// Its body.
    pub body: Tainted,
    /// Which state of title and body this is; see [`Desk::edit`].
    pub revision: u64,
    /// Comments, oldest first.
    pub comments: Vec<CommentRecord>,
    /// Its sub-issues, ascending.
    pub children: Vec<IssueRecord>,
}

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// Issues, ascending.
    pub async fn issues(&self, which: &Select) -> Result<Vec<IssueRecord>, LocalError> {
        Ok(self.book().issues(self.repo(), which).await?)
    }

    /// One issue with everything on it.
    pub async fn issue(&self, number: Number) -> Result<IssueView, LocalError> {
        let mut all = self.book().issues(self.repo(), &Select::All).await?;
        let at = all.iter().position(|issue| issue.number == number).ok_or(Refusal::NotFound)?;
        let issue = all.swap_remove(at);
        let mut children: Vec<_> = all.into_iter().filter(|child| child.parent == Some(number)).collect();
        children.sort_by_key(|child| child.number);
        let Text { body, revision, .. } = self.book().text(self.repo(), number).await?;
        let comments = self.book().comments(self.repo(), number).await?;
        Ok(IssueView { issue, body, revision, comments, children })
    }

    /// Opens an issue.
    pub async fn open_issue(
        &self,
        heading: Tainted,
        text: Tainted,
        labels: Vec<Label>,
    ) -> Result<Number, LocalError> {
        let issue = NewIssue {
            author: self.person.id,
            title: title(heading)?,
            body: body(text)?,
            labels,
            made_by: None,
            at: self.forge.now(),
        };
        Ok(self.book().open_issue(self.repo(), issue).await?)
    }

    /// Changes title or body of an issue or pull request. With a revision (of what the person saw) only if nobody else changed
    /// it meanwhile.
    pub async fn edit(
        &self,
        number: Number,
        heading: Option<Tainted>,
        text: Option<Tainted>,
        revision: Option<u64>,
    ) -> Result<Rewritten, LocalError> {
        let rewrite = Rewrite {
            title: heading.map(title).transpose()?,
            body: text.map(body).transpose()?,
            revision,
            at: self.forge.now(),
        };
        Ok(self.book().rewrite(self.repo(), number, rewrite).await?)
    }

    /// Comments on an issue or pull request.
    pub async fn comment(&self, on: Number, text: Tainted) -> Result<CommentId, LocalError> {
        let (author, at) = (self.person.id, self.forge.now());
        let comment = NewComment { on, author, body: words(text)?, made_by: None, at };
        Ok(self.book().comment(self.repo(), comment).await?)
    }

    /// Closes an issue.
    pub async fn close_issue(&self, number: Number) -> Result<(), LocalError> {
        Ok(self.book().close_issue(self.repo(), number, self.forge.now()).await?)
    }

    /// Opens a closed issue again.
    pub async fn reopen_issue(&self, number: Number) -> Result<(), LocalError> {
        if self.book().issues(self.repo(), &Select::Numbers(vec![number])).await?.is_empty() {
            return Err(Refusal::NotFound.into());
        }
        Ok(self.book().reopen(self.repo(), number, self.forge.now()).await?)
    }

    /// Makes or removes a relation: sub-issue or blocked-by.
    pub async fn link(&self, link: Link, presence: Presence) -> Result<(), LocalError> {
        Ok(self.book().link(self.repo(), link, presence, self.forge.now()).await?)
    }
}
