//! Auto-merge: pull requests that somebody ordered to be merged as soon as nothing stands in their way.

use super::{LocalError, LocalForge, home::Home, judge::Asker};
use banksman_core::{
    port::{Book, Checker, Refusal, book::Select},
    signals::PullState,
};
use std::{future::Future, pin::Pin};

impl<B: Book, C: Checker> LocalForge<B, C> {
    /// Merges what is armed and can be merged. Somebody else's turn is not waited for: whoever has it, or the next look, does it.
    /// Boxed, because a merge looks and a look merges.
    pub(super) fn merge_armed<'a>(
        &'a self,
        home: &'a Home,
    ) -> Pin<Box<dyn Future<Output = Result<(), LocalError>> + Send + 'a>> {
        Box::pin(async move {
            let repo = &home.rules.name;
            if self.book.armed(repo).await?.is_empty() {
                return Ok(());
            }
            let Some(turn) = home.try_turn()? else { return Ok(()) };
            for (pull, arming) in self.book.armed(repo).await? {
                let record = self.book.pulls(repo, &Select::Numbers(vec![pull])).await?.pop();
                let Some(record) = record.filter(|record| record.state == PullState::Open) else { continue };
                let head = record.head.sha;
                let asker = Asker::of(arming.by.id);
                match self.merge_in(home, &turn, pull, &head, arming.method, asker).await {
                    Ok(_) | Err(LocalError::Refused(Refusal::HeadMoved | Refusal::NotAllowed)) => {}
                    Err(LocalError::Refused(Refusal::Ended | Refusal::Conflict | Refusal::Nothing)) => {}
                    Err(LocalError::Refused(why)) => {
                        tracing::info!(pull = pull.0, ?why, "an armed pull request waits");
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }
}
