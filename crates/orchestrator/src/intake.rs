//! Stages 1 and 2: issues of findings, epics of issues. Intents first; a rerun goes on where the last one ended (A10, E10).

use crate::{
    Orchestrator, Trouble,
    pipeline::{Did, Turn, Unsure, Wish},
};
use banksman_core::{
    benchmark::Assignment,
    epic::EpicPlan,
    id::Number,
    intent::{Deed, Intent, Made, Step},
    port::{
        Clock, EpicRecord, Forge, ForgeError, IssueQuery, IssueText, PlanRecord, Refusal, Store, StoreError,
        World,
    },
    repo::RepoRules,
    text::{Fingerprint, RepoName},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Texts of the issues that a report gives. They are made at the moment of the step and kept nowhere (S8).
pub trait Drafts: Sync {
    /// The text of the issue of a finding or pattern; `None` when this report does not have it.
    fn text(&self, fingerprint: &Fingerprint) -> Option<IssueText>;

    /// The text that a step needs, if it needs one.
    fn text_of(&self, step: &Step) -> Option<IssueText> {
        match step {
            Step::CreateIssue { fingerprint } => self.text(fingerprint),
            _ => None,
        }
    }
}

/// One issue to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueOrder {
    /// Which finding or pattern.
    pub fingerprint: Fingerprint,
    /// Findings whose issues the new one blocks (a pattern's members); they come earlier in the list.
    pub blocks: Vec<Fingerprint>,
}

/// Issues all belong to one sequence of intents, so that at most one creation is ever unclear.
pub(crate) const INTAKE: Number = Number(0);

impl<W: World> Orchestrator<W> {
    /// Makes the issues of a report, one after the other; those that are there already are left alone. What was made or found comes
    /// back in the order of the orders.
    pub async fn create_issues(
        &self,
        rules: &RepoRules,
        orders: &[IssueOrder],
        drafts: &dyn Drafts,
    ) -> Result<Vec<(Fingerprint, Number)>, Trouble> {
        let turn = self.turn(&rules.repo).await?;
        self.settle_vanished(&turn, rules, orders, drafts).await?;
        let mut made = Vec::with_capacity(orders.len());
        let mut numbers: BTreeMap<Fingerprint, Number> = BTreeMap::new();
        for order in orders {
            let blocks = order.blocks.iter().filter_map(|b| numbers.get(b).copied()).collect();
            let deed = Deed::CreateIssue { fingerprint: order.fingerprint.clone(), blocks };
            let intent = self.complete(&turn, rules, Wish::new(INTAKE, deed), drafts).await?;
            if let Some(number) = issue_made(&intent) {
                numbers.insert(order.fingerprint.clone(), number);
                made.push((order.fingerprint.clone(), number));
            }
        }
        Ok(made)
    }

    /// Ends what an earlier report left open and this one does not speak of any more: an issue that was made is accounted for, one that
    /// was not will not be. Should the finding come back, its intent is opened again.
    async fn settle_vanished(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        orders: &[IssueOrder],
        drafts: &dyn Drafts,
    ) -> Result<(), Trouble> {
        for intent in self.world.store().open_intents(&rules.repo).await? {
            let Deed::CreateIssue { fingerprint, .. } = &intent.deed else { continue };
            if orders.iter().any(|order| order.fingerprint == *fingerprint)
                || drafts.text(fingerprint).is_some()
            {
                continue;
            }
            let key = intent.key.clone();
            match self.carry_out(turn, &rules.repo, intent, drafts, Unsure::Yes).await? {
                Did::Unclear => return Err(ForgeError::Unclear("a step is still open").into()),
                Did::Halted(error) => return Err(error.into()),
                Did::Pausing(_) => {
                    let lease = self.lease(turn).await?;
                    self.world.store().settle(&lease, &key, Some(Refusal::NotFound), self.now()).await?;
                }
                Did::Done(_) | Did::Already(_) | Did::Refused(..) | Did::OverCap(_) => {}
            }
        }
        Ok(())
    }

    /// Comments the created numbers on an audit issue and closes it (A12).
    pub async fn close_audit(
        &self,
        rules: &RepoRules,
        audit: Number,
        created: &[Number],
    ) -> Result<(), Trouble> {
        let turn = self.turn(&rules.repo).await?;
        let deed = Deed::CloseAudit { audit, created: created.to_vec() };
        self.complete(&turn, rules, Wish::new(audit, deed), &crate::pipeline::NoDrafts).await?;
        Ok(())
    }

    /// Hands out issues that have no epic (A9). Those that are out already are left alone, features wait for a person's approval (X3);
    /// the ones that the cap or the budget holds back come back.
    pub async fn dispatch_direct(
        &self,
        rules: &RepoRules,
        issues: &[Number],
    ) -> Result<Vec<Number>, Trouble> {
        let turn = self.turn(&rules.repo).await?;
        let query = IssueQuery::Numbers(issues.to_vec());
        let facts = self.world.forge().issues(&rules.repo, &query).await?;
        let mut held_back = Vec::new();
        for issue in issues {
            if facts.iter().any(|f| f.number == *issue && f.awaits_approval()) {
                let flag = Wish::new(*issue, Deed::FlagApproval { child: *issue });
                self.fulfil(&turn, &rules.repo, flag, &crate::pipeline::NoDrafts).await?;
                continue;
            }
            let deed = Deed::DispatchDirect { issue: *issue, label: rules.trigger(&rules.implementer) };
            let spend = self.spend(rules, &rules.implementer, *issue);
            let wish = Wish { spend: Some(spend), ..Wish::new(*issue, deed) };
            let did = self.fulfil(&turn, &rules.repo, wish, &crate::pipeline::NoDrafts).await?;
            if matches!(did, Did::OverCap(_)) {
                held_back.push(*issue);
            }
        }
        Ok(held_back)
    }

    /// Stores a plan of epics and carries it out; a plan that an earlier process left is finished first. The numbers of the epics
    /// that were made or extended come back.
    pub async fn create_epics(&self, rules: &RepoRules, plan: &EpicPlan) -> Result<Vec<Number>, Trouble> {
        let turn = self.turn(&rules.repo).await?;
        let mut epics = self.continue_plans(&turn, rules).await?;
        if plan.epics.is_empty() {
            return Ok(epics);
        }
        let first = plan.epics.iter().flat_map(|e| &e.epic.phases).flat_map(|p| &p.children).min();
        let key = format!("epics:{}", first.copied().unwrap_or(INTAKE));
        let json =
            serde_json::to_value(plan).map_err(|_| StoreError::Failed("the plan is no JSON".to_owned()))?;
        let record = PlanRecord { key, plan: json, created_at: self.now(), done_at: None };
        let stored = self.world.store().plan(&self.lease(&turn).await?, &record).await?;
        if stored.done_at.is_none() {
            epics.extend(self.carry_plan(&turn, rules, &stored).await?);
        }
        Ok(epics)
    }

    /// Carries out plans that are stored and not done.
    pub(crate) async fn continue_plans(
        &self,
        turn: &Turn,
        rules: &RepoRules,
    ) -> Result<Vec<Number>, Trouble> {
        let mut epics = Vec::new();
        for plan in self.world.store().plans(&rules.repo).await? {
            // An assignment of a benchmark is no plan to be carried out: it is asked at each dispatch.
            if plan.done_at.is_none() && !Assignment::is_key(&plan.key) {
                epics.extend(self.carry_plan(turn, rules, &plan).await?);
            }
        }
        Ok(epics)
    }

    async fn carry_plan(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        record: &PlanRecord,
    ) -> Result<Vec<Number>, Trouble> {
        let plan: EpicPlan = serde_json::from_value(record.plan.clone())
            .map_err(|_| StoreError::Failed("a stored plan cannot be read".to_owned()))?;
        let mut epics = Vec::new();
        for planned in plan.epics {
            let deed = match planned.extends {
                Some(epic) => Deed::ExtendEpic { epic, phases: planned.epic.phases.clone() },
                None => Deed::CreateEpic { epic: planned.epic.clone() },
            };
            let intent =
                self.complete(turn, rules, Wish::new(INTAKE, deed), &crate::pipeline::NoDrafts).await?;
            let number = match planned.extends {
                Some(epic) => epic,
                None => {
                    let Some(number) = issue_made(&intent) else { continue };
                    let epic = EpicRecord {
                        repo: rules.repo.clone(),
                        number,
                        branch: planned.epic.branch(number),
                        implementer: rules.implementer.clone(),
                        created_at: self.now(),
                        ended_at: None,
                    };
                    self.world.store().add_epic(&self.lease(turn).await?, &epic).await?;
                    number
                }
            };
            epics.push(number);
        }
        self.world.store().plan_done(&self.lease(turn).await?, &record.key, self.now()).await?;
        Ok(epics)
    }

    /// Fulfils a wish or says why that is not possible now: intake does not go on past an open step.
    async fn complete(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        wish: Wish,
        drafts: &dyn Drafts,
    ) -> Result<Intent, Trouble> {
        loop {
            return match self.fulfil(turn, &rules.repo, wish.clone(), drafts).await? {
                Did::Done(intent) | Did::Already(intent) => Ok(intent),
                Did::Refused(reason, _) => Err(ForgeError::Refused(reason).into()),
                // A long report runs into the forge's limits: it goes on when they allow it.
                Did::Halted(ForgeError::Later(until)) => {
                    self.wait_out(turn, &rules.repo, until).await?;
                    continue;
                }
                Did::Halted(error) => Err(error.into()),
                Did::Pausing(_) | Did::OverCap(_) | Did::Unclear => {
                    Err(ForgeError::Unclear("a step is still open").into())
                }
            };
        }
    }

    /// Waits for the end of a pause that the forge wants, and keeps the turn meanwhile.
    async fn wait_out(&self, turn: &Turn, repo: &RepoName, until: Timestamp) -> Result<(), Trouble> {
        tracing::info!(%repo, %until, "the forge wants a pause");
        while self.now() < until {
            let next = until.min(self.now() + SignedDuration::from_secs(15));
            self.world.clock().sleep_until(next).await;
            self.lease(turn).await?;
        }
        self.go_on(repo);
        Ok(())
    }
}

fn issue_made(intent: &Intent) -> Option<Number> {
    intent.receipts.iter().find_map(|r| match r.made {
        Made::Issue { number } => Some(number),
        _ => None,
    })
}
