//! A world whose engine is a genuine agent, its home and its environment turned to the model server on loopback.

use crate::{
    agent::Agent,
    model::{Model, Script},
    world::{Kept, World},
};
use banksman_core::{
    id::{AttemptId, JobId},
    job::Body,
    manifest::{Choice, JobSpec, Priority},
    port::{Engine, JobOrder, Measured, Step, StepReport, StepResult},
    text::{BranchName, EngineName},
};
use banksman_engine::{EngineHostConfig, Unattended};
use jiff::SignedDuration;
use std::{collections::BTreeMap, fs, path::Path};

/// The instructions of the test's job: what a shell, a template or an argument parser would spoil.
pub(crate) const BODY: &str = "--help me write \"made.txt\"; $(rm -rf x) 'now' \\n {prompt}\n\n- as äöü said";

/// Whether the job lets the engine act without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yolo {
    Yes,
    No,
}

/// The world and its model server.
pub(crate) struct Kit {
    pub(crate) world: World,
    pub(crate) model: Model,
    agent: Agent,
}

impl Kit {
    /// `None` where the host has no sandbox.
    pub(crate) async fn new(kept: Kept, agent: Agent, script: Script) -> Option<Self> {
        let model = Model::start(script);
        let url = model.url();
        let world = World::with(kept, "true", &|config| configure(config, kept, agent, &url)).await?;
        Some(Self { world, model, agent })
    }

    /// The job, in the user's work tree.
    pub(crate) fn order(&self, yolo: Yolo) -> JobOrder {
        let engine = EngineName::new(self.agent.builtin()).unwrap();
        JobOrder {
            attempt: AttemptId(1),
            job: JobId(7),
            engine: engine.clone(),
            spec: JobSpec {
                engine: Choice::Engine(engine),
                profile: None,
                cwd: self.world.path("seed"),
                worktree: true,
                yolo: yolo == Yolo::Yes,
                lock: None,
                timeout: SignedDuration::from_mins(10),
                priority: Priority::Normal,
                capabilities: Vec::new(),
                depends_on: Vec::new(),
                tracker_item: None,
                auto_echo: false,
                retries: 0,
                not_before: None,
                review: None,
                verify: Vec::new(),
                fix_rounds: 0,
                base: None,
                branch: None,
                max_cost: None,
                max_tokens: None,
                env: Vec::new(),
                preamble: None,
                extra: BTreeMap::new(),
            },
            branch: BranchName::new("job/7-made").unwrap(),
        }
    }

    /// Runs the engine on the job.
    pub(crate) async fn build(&self, order: &JobOrder) -> (StepResult, Measured) {
        let StepReport { result, measured } = self.step(order, Step::Build { round: 0 }).await;
        (result, measured)
    }

    pub(crate) async fn step(&self, order: &JobOrder, step: Step) -> StepReport {
        self.world.host.step(order, step, &Body::new(BODY.into())).await.unwrap()
    }
}

fn configure(config: &mut EngineHostConfig, kept: Kept, agent: Agent, url: &str) {
    let mut engine = agent.definition();
    if kept == Kept::Unconfined {
        engine.unattended = Unattended::Always;
    }
    config.engines.insert(EngineName::new(agent.builtin()).unwrap(), engine);
    for (name, value) in
        [("OPENAI_API_KEY", "none"), ("GEMINI_API_KEY", "none"), ("GOOGLE_GEMINI_BASE_URL", url)]
    {
        config.environment.insert(name.into(), value.into());
    }
    let home = config.environment[std::ffi::OsStr::new("HOME")].clone();
    let (name, text) = agent.settings(url);
    let file = Path::new(&home).join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}
