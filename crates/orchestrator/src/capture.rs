//! Capture: every open pull request of a repository once, as points (D1). Reads the forge and the store, changes neither on the forge nor in
//! the pipeline; needs no lease, so it may run beside the loops and in any process.

use crate::{Orchestrator, Trouble};
use banksman_core::{
    port::{Forge, PullQuery, Store, Training, World},
    repo::RepoRules,
    training::{Point, attempts, observed},
};

impl<W: World> Orchestrator<W>
where
    W::Store: Training,
{
    /// Observes every open pull request of a repository and records it, changed or not. The points, ascending by pull request.
    pub async fn capture(&self, rules: &RepoRules) -> Result<Vec<Point>, Trouble> {
        let (store, forge) = (self.world.store(), self.world.forge());
        // On GitHub the facts come with the first page of pull requests, so that both cost one query.
        forge.repo(&rules.repo).await?;
        let open = forge.pulls(&rules.repo, &PullQuery::Open).await?;
        let attempts = attempts(&store.intents(&rules.repo).await?);
        let at = self.now();
        let points: Vec<Point> = open
            .iter()
            .map(|signals| {
                let asked = attempts.get(&signals.number).copied().unwrap_or_default();
                observed(&rules.repo, signals, asked, at)
            })
            .collect();
        if !points.is_empty() {
            store.record_points(points.clone()).await?;
            self.outlet.recorded(&points);
        }
        Ok(points)
    }
}
