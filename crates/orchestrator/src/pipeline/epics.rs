//! What epics and their children need: dispatch, ticks, pull requests of published branches, the epic's own merge.

use super::{
    Awaited, Orchestrator, Picture, Turn,
    calls::implementations,
    deeds::{Did, NoDrafts, Progress, REFUSALS, Wish},
};
use crate::{Trouble, bug};
use banksman_core::{
    budget::Held,
    epic::EpicStep,
    id::Number,
    intent::{Deed, Intent, IntentState, Made},
    job::{JobState, Outcome},
    policy::EscalateReason,
    port::{EpicRecord, Forge, PullQuery, Refusal, Spend, Store, World},
    repo::RepoRules,
    text::EngineName,
};
use jiff::SignedDuration;

/// A child that waits for the cap, or, with the reason, for the budget.
pub(super) type HeldBack = (Number, Option<Held>);

/// The window that the cap of daily tasks counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl<W: World> Orchestrator<W> {
    /// Opens the pull requests of published branches and calls a person where no attempt gave one, or where the forge does not take
    /// it.
    pub(crate) async fn act_on_issues(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<Progress, Trouble> {
        let mut wishes = Vec::new();
        for issue in &picture.issues {
            if picture.pulls.iter().any(|p| p.closes() == Some(issue.number)) {
                continue;
            }
            match implementations(&picture.work, issue.number).last().map(|job| &job.state) {
                Some(JobState::Shipped { outcome: Outcome::Published { branch, .. }, .. }) => {
                    let base = picture
                        .epics
                        .iter()
                        .find(|e| e.facts.checklist.entry(issue.number).is_some())
                        .map_or_else(|| picture.facts.default_branch.clone(), |e| e.record.branch.clone());
                    let deed = Deed::OpenPull { child: issue.number, head: branch.clone(), base };
                    wishes.push(Wish::new(issue.number, deed));
                }
                Some(JobState::Failed { .. }) => {
                    let reason = EscalateReason::AttemptsFailed;
                    wishes.push(self.call(&picture.work, issue.number, reason).await?);
                }
                Some(_) | None => {}
            }
        }
        let silent = picture.awaited.iter().filter(|awaited| awaited.due(rules) <= picture.at);
        wishes.extend(silent.map(Awaited::call));
        let mut progress = Progress::default();
        for (subject, did) in self.fulfil_all(turn, &rules.repo, wishes).await? {
            progress.note(&did);
            if let Did::Already(intent) = &did {
                progress.acted |= self.look_at_unseen(turn, rules, picture, intent).await?;
            }
            progress.acted |= self.call_if_refused(turn, picture, rules, subject, &did).await?;
        }
        Ok(progress)
    }

    /// Records a pull request of ours that ended before any look saw it open: the next look then resolves it.
    async fn look_at_unseen(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
        intent: &Intent,
    ) -> Result<bool, Trouble> {
        let (Deed::OpenPull { .. }, Some(Made::Pull { number })) =
            (&intent.deed, intent.receipts.first().map(|r| &r.made))
        else {
            return Ok(false);
        };
        if self.world.store().last_signals(&rules.repo, *number).await?.is_some() {
            return Ok(false);
        }
        let found = self.world.forge().pulls(&rules.repo, &PullQuery::Numbers(vec![*number])).await?;
        let Some(signals) = found.into_iter().next() else { return Ok(false) };
        let records: Vec<EpicRecord> = picture.epics.iter().map(|e| e.record.clone()).collect();
        let view = self.view(rules, &records, &picture.work, signals, picture.at).await?;
        let lease = self.lease(turn).await?;
        self.record_decision(&lease, rules, &view, &view.decision, picture.at).await?;
        Ok(true)
    }

    /// Calls a person to an issue or an epic for which the forge keeps refusing a deed.
    pub(super) async fn call_if_refused(
        &self,
        turn: &Turn,
        picture: &Picture,
        rules: &RepoRules,
        subject: Number,
        did: &Did,
    ) -> Result<bool, Trouble> {
        match did {
            Did::Refused(reason, tries) if *tries >= REFUSALS && *reason != Refusal::WorkTreeDirty => {
                let call = self.call(&picture.work, subject, EscalateReason::Refused).await?;
                let did = self.fulfil(turn, &rules.repo, call, &NoDrafts).await?;
                Ok(matches!(did, Did::Done(_)))
            }
            _ => Ok(false),
        }
    }

    /// Carries out what each epic needs; comes back with the children that the cap, or with its reason the budget, holds back.
    pub(crate) async fn act_on_epics(
        &self,
        turn: &Turn,
        rules: &RepoRules,
        picture: &Picture,
    ) -> Result<(bool, Vec<HeldBack>), Trouble> {
        let (mut acted, mut over_cap) = (false, Vec::new());
        for view in &picture.epics {
            let epic = view.record.number;
            if !view.facts.open {
                let lease = self.lease(turn).await?;
                self.world.store().end_epic(&lease, epic, self.now()).await?;
                acted = true;
                continue;
            }
            let mut wishes = Vec::new();
            let dealt = self.dealt(rules, view).await?;
            for step in &view.steps {
                match step {
                    EpicStep::FlagApproval(child) => {
                        wishes.push(Wish::new(*child, Deed::FlagApproval { child: *child }));
                    }
                    EpicStep::Dispatch(child) => {
                        let deed = Deed::Dispatch {
                            child: *child,
                            epic,
                            branch: view.record.branch.clone(),
                            label: rules.trigger(dealt.of(*child)),
                        };
                        let spend = self.spend(rules, dealt.of(*child), epic);
                        wishes.push(Wish { spend: Some(spend), ..Wish::new(*child, deed) });
                    }
                    EpicStep::CloseChild(child) => {
                        wishes.push(Wish::new(*child, Deed::CloseChild { child: *child }));
                    }
                    EpicStep::Tick(children) if !bug!(LostTick) => {
                        // A tick that a foreign edit took back is made again under a key of its own.
                        let deed = Deed::TickParent { epic, children: children.clone() };
                        let round = self.done_rounds(rules, &deed).await? + 1;
                        wishes.push(Wish { round, ..Wish::new(epic, deed) });
                    }
                    EpicStep::Tick(_) => {}
                    EpicStep::OpenPull => {
                        let deed = Deed::OpenEpicPull {
                            epic,
                            head: view.record.branch.clone(),
                            base: picture.facts.default_branch.clone(),
                        };
                        let round = self.done_rounds(rules, &deed).await? + 1;
                        wishes.push(Wish { round, ..Wish::new(epic, deed) });
                    }
                    EpicStep::Close { merged } => {
                        let deed = Deed::CloseEpic {
                            epic,
                            branch: view.record.branch.clone(),
                            merged: merged.clone(),
                        };
                        wishes.push(Wish::new(epic, deed));
                    }
                    EpicStep::GiveUp => {
                        let deed = Deed::Escalate {
                            subject: epic,
                            reason: EscalateReason::AttemptsFailed,
                            mark: None,
                        };
                        wishes.push(Wish::new(epic, deed));
                    }
                }
            }
            for (subject, did) in self.fulfil_all(turn, &rules.repo, wishes).await? {
                acted |= matches!(did, Did::Done(_));
                if let Did::OverCap(why) = &did {
                    over_cap.push((subject, *why));
                }
                acted |= self.call_if_refused(turn, picture, rules, subject, &did).await?;
            }
        }
        Ok((acted, over_cap))
    }

    /// What one dispatch spends: one task, under the cap of the last 24 hours, the quotas of the team and the plan of the day.
    pub(crate) fn spend(&self, rules: &RepoRules, implementer: &EngineName, epic: Number) -> Spend {
        let now = self.now();
        Spend {
            implementer: implementer.clone(),
            epic,
            cost: 1,
            cap: if bug!(CapIgnored) { None } else { rules.daily_tasks },
            window_start: now - DAY,
            charge: if bug!(CapIgnored) { None } else { rules.team.charge(implementer, now) },
            day: Some(rules.team.plan_day(now)),
        }
    }

    /// How often a deed was done already under the keys of rounds 1, 2, ...
    async fn done_rounds(&self, rules: &RepoRules, deed: &Deed) -> Result<u32, Trouble> {
        let mut rounds = 0;
        loop {
            match self.world.store().intent(&rules.repo, &deed.key(rounds + 1)).await? {
                Some(intent) if matches!(intent.state, IntentState::Done { .. }) => rounds += 1,
                _ => return Ok(rounds),
            }
        }
    }
}
