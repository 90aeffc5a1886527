//! A person's work on labels, and on comments that are there already.

use super::{Desk, LocalError, words};
use banksman_core::{
    id::{CommentId, Number},
    port::{
        Book, Checker, Refusal,
        book::{CommentRecord, LabelChange, LabelDraft, LabelMade, LabelRecord, Text},
    },
    tainted::Tainted,
    text::Label,
};
use jiff::Timestamp;

impl<B: Book, C: Checker> Desk<'_, B, C> {
    /// Labels that the repository knows, in use or not.
    pub async fn known_labels(&self) -> Result<Vec<LabelRecord>, LocalError> {
        Ok(self.book().known_labels(self.repo()).await?)
    }

    /// Makes a label known.
    pub async fn make_label(&self, label: LabelDraft) -> Result<LabelMade, LocalError> {
        Ok(self.book().make_label(self.repo(), label).await?)
    }

    /// Changes a known label.
    pub async fn change_label(&self, name: &Label, change: LabelChange) -> Result<LabelRecord, LocalError> {
        Ok(self.book().change_label(self.repo(), name, change).await?)
    }

    /// Forgets a label and takes it off everything.
    pub async fn drop_label(&self, name: &Label) -> Result<(), LocalError> {
        Ok(self.book().drop_label(self.repo(), name, self.forge.now()).await?)
    }

    /// Title and body of an issue or pull request.
    pub async fn text(&self, number: Number) -> Result<Text, LocalError> {
        Ok(self.book().text(self.repo(), number).await?)
    }

    /// Versions of a body that was changed, newest first.
    pub async fn versions(&self, of: Number) -> Result<Vec<(Tainted, Timestamp)>, LocalError> {
        Ok(self.book().versions(self.repo(), of).await?)
    }

    /// Comments on an issue or pull request, oldest first.
    pub async fn comments(&self, on: Number) -> Result<Vec<CommentRecord>, LocalError> {
        Ok(self.book().comments(self.repo(), on).await?)
    }

    /// One comment of this repository, and what it is on.
    pub async fn comment_by_id(&self, id: CommentId) -> Result<(Number, CommentRecord), LocalError> {
        let (repo, on, comment) = self.book().comment_by_id(id).await?;
        if repo == *self.repo() { Ok((on, comment)) } else { Err(Refusal::NotFound.into()) }
    }

    /// Gives a comment new words.
    pub async fn rewrite_comment(&self, id: CommentId, text: Tainted) -> Result<(), LocalError> {
        self.comment_by_id(id).await?;
        Ok(self.book().rewrite_comment(id, words(text)?, self.forge.now()).await?)
    }

    /// Takes a comment away.
    pub async fn remove_comment(&self, id: CommentId) -> Result<(), LocalError> {
        self.comment_by_id(id).await?;
        Ok(self.book().remove_comment(id, self.forge.now()).await?)
    }
}
