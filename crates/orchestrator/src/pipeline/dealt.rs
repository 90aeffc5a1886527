//! Who implements a child: the epic's implementer, or, where the epic is a benchmark, the one whose turn it is (D16).

use super::{EpicView, Orchestrator};
use crate::Trouble;
use banksman_core::{
    benchmark::Assignment,
    epic::EpicStep,
    id::Number,
    port::{Store, World},
    repo::RepoRules,
    text::EngineName,
};

/// The implementers of an epic's children.
pub(super) struct Dealt<'a> {
    usual: &'a EngineName,
    assignment: Option<Assignment>,
    rules: &'a RepoRules,
}

impl<'a> Dealt<'a> {
    /// Who gets a child. A side that does not work for the repository any more is replaced by the epic's implementer.
    pub(super) fn of(&'a self, child: Number) -> &'a EngineName {
        let dealt = self.assignment.as_ref().and_then(|assignment| assignment.of(child));
        dealt.filter(|name| self.rules.knows(name) || self.rules.is_hosted(name)).unwrap_or(self.usual)
    }
}

impl<W: World> Orchestrator<W> {
    /// How the children of an epic are dealt out; looked up only where one is to be dispatched.
    pub(super) async fn dealt<'a>(
        &self,
        rules: &'a RepoRules,
        view: &'a EpicView,
    ) -> Result<Dealt<'a>, Trouble> {
        let usual = &view.record.implementer;
        let mut dealt = Dealt { usual, assignment: None, rules };
        if view.steps.iter().any(|step| matches!(step, EpicStep::Dispatch(_))) {
            let key = Assignment::key(view.record.number);
            let plans = self.world.store().plans(&rules.repo).await?;
            let stored = plans.into_iter().find(|plan| plan.key == key);
            // What is no assignment of ours is none.
            dealt.assignment = stored.and_then(|plan| serde_json::from_value(plan.plan).ok());
        }
        Ok(dealt)
    }
}
