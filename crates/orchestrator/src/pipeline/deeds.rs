//! Deeds carried out: the intent first, then step by step with a receipt each; after a crash or a lost answer the forge is
//! asked before anything is repeated.

use super::{AT_ONCE, Orchestrator, Turn};
use crate::{Trouble, bug, intake::Drafts};
use banksman_core::{
    budget::Held,
    event::What,
    id::Number,
    intent::{Deed, Intent, IntentState, Made, NewIntent, Receipt},
    policy::ActionKind,
    port::{Accounted, Forge, ForgeError, Intended, Refusal, Spend, Store, World},
    repo::RepoRules,
    text::{EngineName, RepoName},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

/// Refusals of the same deed until a person is called.
pub(crate) const REFUSALS: u32 = 6;

/// What became of a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Did {
    /// Done now.
    Done(Intent),
    /// Done before.
    Already(Intent),
    /// Refused by the forge.
    Refused(Refusal, u32),
    /// Refused that often, and lately; it is not tried again yet.
    Pausing(u32),
    /// The cap does not allow it, or, with its reason, the budget.
    OverCap(Option<Held>),
    /// The forge gave no clear answer: the next look settles it.
    Unclear,
    /// Not done: the forge wants a pause, or refuses everything in the repository. The look ends with that.
    Halted(ForgeError),
}

/// What several deeds came to together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Something was changed.
    pub(crate) acted: bool,
    /// Something is tried again later without anybody doing anything.
    pub(crate) pending: bool,
}

impl Progress {
    /// Adds one.
    pub(crate) fn note(&mut self, did: &Did) {
        match did {
            Did::Done(_) => self.acted = true,
            Did::Refused(_, tries) => self.pending |= *tries < REFUSALS,
            Did::Pausing(tries) => self.pending |= *tries < REFUSALS,
            Did::Unclear | Did::Halted(_) => self.pending = true,
            Did::Already(_) | Did::OverCap(_) => {}
        }
    }
}

/// One deed to be carried out.
#[derive(Clone)]
pub(crate) struct Wish {
    /// What it is about.
    pub(crate) subject: Number,
    /// What.
    pub(crate) deed: Deed,
    /// Which repetition, from 1.
    pub(crate) round: u32,
    /// What it costs.
    pub(crate) spend: Option<Spend>,
}

impl Wish {
    pub(crate) fn new(subject: Number, deed: Deed) -> Self {
        Self { subject, deed, round: 1, spend: None }
    }
}

/// No texts: the pipeline itself never writes an issue of a finding.
pub(crate) struct NoDrafts;

impl Drafts for NoDrafts {
    fn text(&self, _: &banksman_core::text::Fingerprint) -> Option<banksman_core::port::IssueText> {
        None
    }
}

/// Pause after a refusal, longer each time, a minute at most.
pub(crate) fn pause_after(tries: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(2u32.saturating_pow(tries.min(6)).min(60)))
}

impl<W: World> Orchestrator<W> {
    /// Settles what an earlier process, or an earlier look, left open. False when something is still unclear.
    pub(crate) async fn recover(&self, turn: &Turn, rules: &RepoRules) -> Result<bool, Trouble> {
        let open = self.world.store().open_intents(&rules.repo).await?;
        if open.is_empty() {
            return Ok(true);
        }
        let mut settled = 0;
        for intent in open {
            match self.carry_out(turn, &rules.repo, intent, &NoDrafts, Unsure::Yes).await? {
                Did::Unclear => return Ok(false),
                Did::Halted(error) => return Err(error.into()),
                Did::Done(intent) => {
                    settled += 1;
                    self.show_done(&rules.repo, &intent);
                }
                Did::Refused(..) => settled += 1,
                Did::Already(_) | Did::Pausing(_) | Did::OverCap(_) => {}
            }
        }
        if settled > 0 {
            self.show(&rules.repo, What::Recovered { intents: settled });
        }
        Ok(true)
    }

    /// Writes the intent of a wish and carries it out.
    pub(crate) async fn fulfil(
        &self,
        turn: &Turn,
        repo: &RepoName,
        wish: Wish,
        drafts: &dyn Drafts,
    ) -> Result<Did, Trouble> {
        if let Some(halt) = self.halt(repo) {
            return Ok(Did::Halted(halt));
        }
        let key = wish.deed.key(wish.round);
        if let Some(known) = self.world.store().intent(repo, &key).await? {
            match known.state {
                IntentState::Done { .. } => return Ok(Did::Already(known)),
                IntentState::Refused { at, tries, .. } if self.now() < at + pause_after(tries) => {
                    return Ok(Did::Pausing(tries));
                }
                IntentState::Refused { .. } => {}
                IntentState::Open => {
                    return self.carry_out(turn, repo, known, drafts, Unsure::Yes).await;
                }
            }
        }
        let new =
            NewIntent { repo: repo.clone(), key, subject: wish.subject, deed: wish.deed, at: self.now() };
        let lease = self.lease(turn).await?;
        let intent = if bug!(EffectBeforeIntent) {
            if let Some(step) = new.deed.step(&[]) {
                let _ = self.world.forge().perform(repo, &step, drafts.text_of(&step)).await;
            }
            match self.world.store().intend(&lease, &new, wish.spend.as_ref()).await? {
                Intended::New(intent) | Intended::Again(intent) | Intended::Exists(intent) => intent,
                Intended::OverCap => return Ok(Did::OverCap(None)),
                Intended::OverBudget(why) => return Ok(Did::OverCap(Some(why))),
            }
        } else {
            match self.world.store().intend(&lease, &new, wish.spend.as_ref()).await? {
                Intended::New(intent) | Intended::Again(intent) => intent,
                Intended::Exists(intent) if intent.state == IntentState::Open => {
                    return self.carry_out(turn, repo, intent, drafts, Unsure::Yes).await;
                }
                Intended::Exists(intent) => return Ok(Did::Already(intent)),
                Intended::OverCap => return Ok(Did::OverCap(None)),
                Intended::OverBudget(why) => return Ok(Did::OverCap(Some(why))),
            }
        };
        let did = self.carry_out(turn, repo, intent, drafts, Unsure::No).await?;
        if let Did::Done(intent) = &did {
            self.show_done(repo, intent);
        }
        Ok(did)
    }

    /// Carries wishes about different subjects out at the same time, so that the store can group their commits; wishes about one
    /// subject stay in order.
    pub(crate) async fn fulfil_all(
        &self,
        turn: &Turn,
        repo: &RepoName,
        wishes: Vec<Wish>,
    ) -> Result<Vec<(Number, Did)>, Trouble> {
        let mut by_subject: Vec<(Number, Vec<Wish>)> = Vec::new();
        for wish in wishes {
            match by_subject.iter_mut().find(|(subject, _)| *subject == wish.subject) {
                Some((_, group)) => group.push(wish),
                None => by_subject.push((wish.subject, vec![wish])),
            }
        }
        let done: Vec<Vec<(Number, Did)>> = stream::iter(by_subject)
            .map(|(subject, group)| async move {
                let mut done = Vec::new();
                for wish in group {
                    let did = self.fulfil(turn, repo, wish, &NoDrafts).await?;
                    let unclear = matches!(did, Did::Unclear | Did::Halted(_));
                    done.push((subject, did));
                    if unclear {
                        break;
                    }
                }
                Ok::<_, Trouble>(done)
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(done.into_iter().flatten().collect())
    }

    /// Does the steps of an intent that have no receipt yet. When `unsure`, the first of them may have happened already.
    pub(crate) async fn carry_out(
        &self,
        turn: &Turn,
        repo: &RepoName,
        mut intent: Intent,
        drafts: &dyn Drafts,
        mut unsure: Unsure,
    ) -> Result<Did, Trouble> {
        let store = self.world.store();
        let forge = self.world.forge();
        let mut last = None;
        while let Some(step) = intent.deed.step(&intent.receipts) {
            let mut receipt = None;
            if unsure == Unsure::Yes && !bug!(RecoveryRepeats) {
                let accounted = self.accounted(repo).await?;
                receipt = match forge.find(repo, &step, intent.created_at, &accounted).await {
                    Ok(found) => found,
                    Err(error) => return self.undone(turn, repo, intent, error).await,
                };
            }
            unsure = Unsure::No;
            let receipt = match receipt {
                Some(receipt) => receipt,
                None => {
                    let text = drafts.text_of(&step);
                    if text.is_none() && matches!(step, banksman_core::intent::Step::CreateIssue { .. }) {
                        // Only intake has the report; the intent waits for it.
                        return Ok(Did::Pausing(0));
                    }
                    // The lease is looked at right before the effect, never earlier.
                    self.lease(turn).await?;
                    match forge.perform(repo, &step, text).await {
                        Ok(receipt) => receipt,
                        Err(error) => return self.undone(turn, repo, intent, error).await,
                    }
                }
            };
            if bug!(DoubleComment) && matches!(step, banksman_core::intent::Step::Comment { .. }) {
                let _ = forge.perform(repo, &step, None).await;
            }
            intent.receipts.push(receipt.clone());
            let done = intent.deed.step(&intent.receipts).is_none();
            if !bug!(ReceiptNotRecorded) {
                store.record(&self.lease(turn).await?, &intent.key, &receipt, done).await?;
            }
            last = Some(receipt.at);
        }
        let at = match last {
            Some(at) => at,
            None => {
                let now = self.now();
                store.settle(&self.lease(turn).await?, &intent.key, None, now).await?;
                now
            }
        };
        intent.state = IntentState::Done { at };
        Ok(Did::Done(intent))
    }

    /// What becomes of an intent whose step was not done, as far as known.
    async fn undone(
        &self,
        turn: &Turn,
        repo: &RepoName,
        intent: Intent,
        error: ForgeError,
    ) -> Result<Did, Trouble> {
        match error {
            ForgeError::Unclear(_) => Ok(Did::Unclear),
            // The intent stays open: it is about the repository, not about what was intended.
            ForgeError::Later(_) => {
                self.halt_at(repo, error.clone());
                Ok(Did::Halted(error))
            }
            ForgeError::Refused(reason) if reason.is_of_repository() => {
                self.halt_at(repo, error.clone());
                Ok(Did::Halted(error))
            }
            ForgeError::Refused(reason) => self.refused(turn, repo, intent, reason).await,
        }
    }

    async fn refused(
        &self,
        turn: &Turn,
        repo: &RepoName,
        intent: Intent,
        reason: Refusal,
    ) -> Result<Did, Trouble> {
        let lease = self.lease(turn).await?;
        self.world.store().settle(&lease, &intent.key, Some(reason), self.now()).await?;
        let tries = match self.world.store().intent(repo, &intent.key).await?.map(|i| i.state) {
            Some(IntentState::Refused { tries, .. }) => tries,
            _ => 1,
        };
        if let Some(action) = action_of(&intent.deed) {
            self.show(repo, What::Refused { subject: intent.subject, action, reason });
        }
        Ok(Did::Refused(reason, tries))
    }

    /// What receipts speak for already.
    async fn accounted(&self, repo: &RepoName) -> Result<Accounted, Trouble> {
        let mut accounted = Accounted::default();
        for intent in self.world.store().intents(repo).await? {
            for receipt in intent.receipts {
                match receipt.made {
                    Made::Issue { number } | Made::Pull { number } => {
                        accounted.numbers.insert(number);
                    }
                    Made::Comment { id } => {
                        accounted.comments.insert(id);
                    }
                    Made::Commit { .. } | Made::Change => {}
                }
            }
        }
        Ok(accounted)
    }

    fn show_done(&self, repo: &RepoName, intent: &Intent) {
        let number = |receipt: Option<&Receipt>| match receipt.map(|r| &r.made) {
            Some(Made::Issue { number } | Made::Pull { number }) => Some(*number),
            _ => None,
        };
        let first = intent.receipts.first();
        let what = match (&intent.deed, number(first)) {
            (Deed::CreateIssue { .. }, Some(issue)) => What::IssueCreated { issue },
            (Deed::CreateEpic { epic }, Some(number)) => What::EpicCreated {
                epic: number,
                branch: epic.branch(number),
                children: epic.phases.iter().map(|p| p.children.len() as u32).sum(),
            },
            (Deed::Dispatch { child, epic, label, .. }, _) => {
                // A hosted agent is called by its label.
                let named =
                    RepoRules::labelled_engine(label).or_else(|| EngineName::new(label.as_str()).ok());
                let Some(implementer) = named else { return };
                What::Dispatched { epic: *epic, child: *child, implementer }
            }
            (Deed::FlagApproval { child }, _) => What::ApprovalNeeded { child: *child },
            (Deed::OpenPull { child, .. }, Some(pull)) => What::PullOpened { pull, child: *child },
            (Deed::OpenEpicPull { epic, .. }, Some(pull)) => What::EpicPullOpened { epic: *epic, pull },
            (Deed::Escalate { subject, reason, .. }, _) => {
                What::Escalated { subject: *subject, reason: *reason }
            }
            (Deed::TickParent { epic, children }, _) => {
                What::Ticked { epic: *epic, children: children.clone() }
            }
            (Deed::CloseEpic { epic, .. }, _) => What::EpicClosed { epic: *epic },
            (Deed::Merge { pull, .. }, _) => match first.map(|r| &r.made) {
                Some(Made::Commit { sha }) => What::Merged { pull: *pull, commit: sha.clone() },
                _ => return,
            },
            (deed, _) => match action_of(deed) {
                Some(action) => What::Acted { subject: intent.subject, action },
                None => return,
            },
        };
        self.show(repo, what);
    }
}

/// Whether the next step of an intent may have happened already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsure {
    /// The intent was just written by this process.
    No,
    /// It was found open, or its last answer was lost.
    Yes,
}

/// The action of the closed list that a deed carries out, if it is one.
pub(crate) fn action_of(deed: &Deed) -> Option<ActionKind> {
    Some(match deed {
        Deed::Dispatch { .. } | Deed::DispatchDirect { .. } => ActionKind::Dispatch,
        Deed::RequestReviewFix { .. } => ActionKind::RequestReviewFix,
        Deed::RequestConflictFix { .. } => ActionKind::RequestConflictFix,
        Deed::ResolveThreads { .. } => ActionKind::ResolveThreads,
        Deed::UpdateBranch { .. } => ActionKind::UpdateBranch,
        Deed::EnableAutoMerge { .. } => ActionKind::EnableAutoMerge,
        Deed::Merge { .. } => ActionKind::Merge,
        Deed::ResolveConflict { .. } => ActionKind::ResolveConflict,
        Deed::Escalate { .. } => ActionKind::Escalate,
        Deed::TickParent { .. } => ActionKind::TickParent,
        Deed::CloseChild { .. } => ActionKind::CloseChild,
        Deed::OpenEpicPull { .. } | Deed::CloseEpic { .. } => ActionKind::MergeEpic,
        Deed::CreateIssue { .. }
        | Deed::CloseAudit { .. }
        | Deed::CreateEpic { .. }
        | Deed::ExtendEpic { .. }
        | Deed::FlagApproval { .. }
        | Deed::OpenPull { .. } => return None,
    })
}

/// When an intent that is done was done.
pub(crate) fn done_at(intent: &Intent) -> Option<Timestamp> {
    match intent.state {
        IntentState::Done { at } => Some(at),
        IntentState::Open | IntentState::Refused { .. } => None,
    }
}
