//! Who hears the events of this process: the surface that people and scripts see, and whoever moves the files of jobs along.

use super::bells::Bells;
use crate::{queue::Moved, surface::Surface};
use banksman_core::{
    event::{Event, What},
    port::Watcher,
};
use std::sync::OnceLock;
use tokio::sync::mpsc::UnboundedSender;

/// The listeners.
pub(crate) struct Watchers {
    surface: Surface,
    bells: Bells,
    moves: OnceLock<UnboundedSender<Moved>>,
}

impl Watchers {
    /// The surface, and the bells of the repositories that work is done for.
    pub(crate) fn new(surface: Surface, bells: Bells) -> Self {
        Self { surface, bells, moves: OnceLock::new() }
    }

    /// Tells the moves of jobs to somebody else too; the first one who asks gets them.
    pub(super) fn tell_moves(&self, moves: UnboundedSender<Moved>) {
        // A process has one folder queue.
        let _ = self.moves.set(moves);
    }

    /// The surface.
    pub(crate) fn surface(&self) -> &Surface {
        &self.surface
    }
}

impl Watcher for Watchers {
    fn event(&self, event: &Event) {
        if let (Some(moves), What::JobMoved { job, name, to, .. }) = (self.moves.get(), &event.what) {
            // Nobody listens any more when the process ends.
            let _ = moves.send(Moved { job: *job, name: name.clone(), to: *to });
        }
        // What a worker of this process published wants to be looked at.
        if let (Some(repo), What::AttemptEnded { .. } | What::AttemptFailed { .. }) =
            (&event.repo, &event.what)
        {
            self.bells.ring(repo);
        }
        self.surface.event(event);
    }
}
