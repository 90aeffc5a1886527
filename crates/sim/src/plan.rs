//! The plan of a world, drawn from its seed: repositories, their customs and issues, who works, how bad things get.

use crate::{
    canary,
    chance::{CI_FAILURE, CONFLICT, Chance},
    executor::{HOUR, MINUTE, Micros},
    forge::{
        Customs,
        town::{branch, class, engine, tag},
    },
    gate::Faults,
    yard::{Luck, Yard},
};
use banksman_core::{
    budget::{Period, Quota, Team, Unit, Window},
    epic::{EpicPlan, PlannedEpic},
    id::Number,
    intent::{EpicDraft, Phase, PhaseDraft, Theme},
    port::IssueText,
    repo::RepoRules,
    tainted::Tainted,
    text::{BranchName, EngineName, Fingerprint, MemberName, RepoName},
};
use banksman_orchestrator::{Drafts, EngineRoom, IssueOrder, WorkerSetup};
use jiff::{SignedDuration, civil::Time};

/// How the processes of a world reach the forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wired {
    /// Through the port.
    Port,
    /// Through the client of GitHub and a simulated wire.
    Github,
}

/// One world as planned.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) repos: Vec<RepoPlan>,
    pub(crate) faults: Faults,
    pub(crate) wire: Wired,
    pub(crate) orchestrators: u32,
    pub(crate) workers: u32,
    /// Attempts that one worker process runs at a time.
    pub(crate) slots: u32,
    /// Until when people do things of their own accord.
    pub(crate) busy: Micros,
    /// What a world of jobs has instead of repositories.
    pub(crate) yard: Option<Yard>,
    /// How attempts at jobs of manifests fare.
    pub(crate) luck: Luck,
}

/// One repository as planned.
#[derive(Debug, Clone)]
pub(crate) struct RepoPlan {
    pub(crate) name: RepoName,
    pub(crate) rules: RepoRules,
    pub(crate) customs: Customs,
    /// Issues of the audit.
    pub(crate) orders: Vec<IssueOrder>,
    /// Features that the owner wrote.
    pub(crate) features: u32,
    /// The last finding comes later and goes onto an epic that is there.
    pub(crate) extends: bool,
    /// Epics that the children are spread over.
    pub(crate) epics: u32,
    /// Distinguishes repositories of one world.
    pub(crate) salt: u64,
}

impl Plan {
    /// Draws a world.
    pub(crate) fn draw(chance: &mut Chance, repos: u32, children: u32) -> Self {
        let busy = chance.time(HOUR, 4 * HOUR);
        let mut repos: Vec<RepoPlan> =
            (0..repos.max(1)).map(|n| RepoPlan::draw(chance, n, children.max(1))).collect();
        share_team(&mut repos);
        Self {
            repos,
            faults: Faults::draw(chance, busy),
            wire: Wired::Port,
            orchestrators: *chance.pick(&[1, 1, 2]),
            workers: *chance.pick(&[1, 2, 3]),
            slots: *chance.pick(&[1, 2, 4]),
            busy,
            yard: None,
            luck: Luck::default(),
        }
    }

    /// The same world with its forge on GitHub. There all engines of ours share one account, and nobody approves his own work: who asks for
    /// approvals has people who give them, for each head anew.
    pub(crate) fn on_github(mut self) -> Self {
        self.wire = Wired::Github;
        for repo in &mut self.repos {
            if repo.customs.people_review {
                repo.customs.dismiss_all = true;
            } else {
                repo.customs.approvals = 0;
            }
        }
        self
    }

    /// What a worker is given.
    pub(crate) fn room(&self, room: u32, mut setup: WorkerSetup, rules: Vec<RepoRules>) -> WorkerSetup {
        setup.rules = rules;
        match &self.yard {
            Some(yard) => yard.rooms[room as usize % yard.rooms.len()].furnish(&mut setup),
            None => {
                setup.at_once = self.slots;
                setup.watch = SignedDuration::from_secs(15);
                setup.engines = [implementer(), reviewer()]
                    .map(|name| EngineRoom { name, class: class("agentic-coder"), parallel: self.slots })
                    .into();
            }
        }
        setup
    }
}

/// In a third of the worlds the repositories share a team of two, whose quotas last for about a third of the children a day.
fn share_team(repos: &mut [RepoPlan]) {
    // Not drawn, so that the worlds of earlier seeds stay what they were.
    let Some(salt) = repos.first().map(|repo| repo.salt).filter(|salt| salt % 3 == 0) else { return };
    let children: usize = repos.iter().map(|repo| repo.orders.len()).sum();
    let each = (children as u64).div_ceil(6) + salt / 3 % 2;
    let window = Window {
        period: Period::Day,
        reset: Time::constant(9, 30, 0, 0),
        zone: "Europe/Berlin".parse().unwrap_or_default(),
    };
    let name = implementer();
    let Some(provider) = Team::unlisted(&name) else { return };
    let members = ["ann", "bob"].into_iter().filter_map(|name| MemberName::new(name).ok());
    let quotas = members.clone().map(|member| Quota {
        member,
        provider: provider.name.clone(),
        unit: Unit::Tasks,
        most: each.max(1),
        window: window.clone(),
    });
    let team = Team {
        day: window.clone(),
        members: members.clone().collect(),
        quotas: quotas.collect(),
        providers: vec![provider],
    };
    repos.iter_mut().for_each(|repo| repo.rules.team = team.clone());
}

impl RepoPlan {
    fn draw(chance: &mut Chance, n: u32, children: u32) -> Self {
        let name = repo_name(n);
        let people_review = chance.below(3) == 0;
        let customs = Customs {
            strict: chance.below(3) == 0,
            protected: chance.below(2) == 0,
            auto_merge: chance.below(4) == 0,
            approvals: if people_review { chance.between(0, 2) as u32 } else { 0 },
            people_review,
            dismiss_all: people_review && chance.below(3) == 0,
            lazy: chance.below(2) == 0,
            closes_children: chance.below(2) == 0,
            checks: chance.between(1, 3) as u32,
            ci_failure: chance.between(CI_FAILURE.0, CI_FAILURE.1),
            conflict: chance.between(CONFLICT.0, CONFLICT.1),
            obstinate: chance.below(40) == 0,
            stubborn: *chance.pick(&[0, 0, 1, 2]),
            engine_failure: *chance.pick(&[30, 100, 250]),
        };
        let mut rules = RepoRules::new(name.clone(), implementer());
        if !people_review && chance.below(2) == 0 {
            rules.reviewers.push(reviewer());
        }
        let customs = Customs {
            approvals: if rules.reviewers.is_empty() { customs.approvals } else { chance.below(2) as u32 },
            ..customs
        };
        rules.limits.red_checks = SignedDuration::from_hours(*chance.pick(&[1, 3, 24]));
        rules.limits.review_requests = *chance.pick(&[1, 3]);
        rules.limits.conflict_requests = *chance.pick(&[1, 2]);
        rules.limits.response_time = SignedDuration::from_mins(*chance.pick(&[10, 30]));
        rules.daily_tasks = (chance.below(5) == 0)
            .then(|| chance.between(u64::from(children).div_ceil(4), u64::from(children)) as u32);
        rules.attempts = chance.between(1, 3) as u32;
        let count = chance.between(u64::from(children).div_ceil(2), u64::from(children)) as u32;
        let features = if chance.below(3) == 0 { 1 } else { 0 };
        let framework = count >= 3 && chance.below(3) == 0;
        let orders = (0..count)
            .map(|k| IssueOrder {
                fingerprint: fingerprint(n, k),
                blocks: if framework && k + 1 == count {
                    (0..2).map(|m| fingerprint(n, m)).collect()
                } else {
                    Vec::new()
                },
            })
            .collect();
        let epics = if count >= 4 && chance.below(3) == 0 { 2 } else { 1 };
        let extends = !framework && count >= 3 && chance.below(4) == 0;
        Self { name, rules, customs, orders, features, extends, epics, salt: chance.below(u64::MAX) }
    }

    /// The epics of these issues, the same at each call. `created` are those of the audit, in the order of its findings.
    pub(crate) fn epics(&self, created: &[Number], features: &[Number]) -> EpicPlan {
        let mut planned: Vec<PlannedEpic> = Vec::new();
        for part in 0..self.epics {
            let mut phases: Vec<PhaseDraft> =
                Phase::ALL.map(|phase| PhaseDraft { phase, children: Vec::new() }).into();
            for (k, child) in created.iter().chain(features).enumerate() {
                if k as u32 % self.epics != part {
                    continue;
                }
                // A framework issue blocks others, so it comes first; the rest is spread by the seed.
                let order = self.orders.get(k).filter(|_| k < created.len());
                let phase = match order {
                    Some(order) if !order.blocks.is_empty() => 0,
                    _ => 1 + (self.salt >> (k % 60) & 1) as usize,
                };
                phases[phase].children.push(*child);
            }
            phases.iter_mut().for_each(|p| p.children.sort());
            phases.retain(|p| !p.children.is_empty());
            if !phases.is_empty() {
                let epic =
                    EpicDraft { theme: Theme::Quality, part: (self.epics > 1).then_some(part + 1), phases };
                planned.push(PlannedEpic { epic, extends: None });
            }
        }
        EpicPlan { epics: planned, direct: Vec::new(), reasons: Vec::new() }
    }
}

/// One more child for an epic.
pub(crate) fn extension(epic: Number, child: Number) -> EpicPlan {
    let phases = vec![PhaseDraft { phase: Phase::Cleanup, children: vec![child] }];
    let draft = EpicDraft { theme: Theme::Quality, part: None, phases };
    EpicPlan {
        epics: vec![PlannedEpic { epic: draft, extends: Some(epic) }],
        direct: Vec::new(),
        reasons: Vec::new(),
    }
}

impl Drafts for RepoPlan {
    fn text(&self, wanted: &Fingerprint) -> Option<IssueText> {
        let n = self.orders.iter().position(|o| o.fingerprint == *wanted)?;
        let kind = ["fix(api)", "security(web)", "docs(core)", "perf(core)"][n % 4];
        Some(IssueText {
            title: Tainted::new(format!("{kind}: {}", canary::text("title"))),
            body: Tainted::new(canary::text("body")),
            labels: ["audit", "severity:high", "quality"].map(tag).into(),
        })
    }
}

/// The engine that implements.
pub(crate) fn implementer() -> EngineName {
    engine("builder")
}

/// The engine that reviews.
pub(crate) fn reviewer() -> EngineName {
    engine("critic")
}

/// A branch that strangers or people work on.
pub(crate) fn side_branch(n: u64) -> BranchName {
    branch(&format!("patch-{n}"))
}

fn repo_name(n: u32) -> RepoName {
    #[expect(clippy::expect_used, reason = "`local/` and a number are a repository name")]
    RepoName::new(&format!("local/town-{n}")).expect("a valid name")
}

fn fingerprint(repo: u32, finding: u32) -> Fingerprint {
    #[expect(clippy::expect_used, reason = "two numbers of sixteen hex digits are a fingerprint")]
    Fingerprint::new(&format!("{repo:016x}{finding:016x}")).expect("a valid fingerprint")
}

/// Time that faults leave to the slowest: after that nothing may be open any more.
pub(crate) const PATIENCE: Micros = 12 * 24 * HOUR;

/// How often the world looks whether everything is settled.
pub(crate) const LOOK: Micros = 5 * MINUTE;
