//! Engines that do what a test says, and keep a log of what they were asked.

use banksman_core::{
    id::{AttemptId, JobId},
    job::{Body, Outcome},
    port::{
        Engine, EngineError, JobOrder, Measured, Order, Report, ReportResult, Step, StepReport, StepResult,
    },
    tainted::Tainted,
    work::{FailReason, Verdict},
};
use std::sync::Mutex;
use tokio::sync::watch;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Began(JobId, Step),
    Over(JobId, Step),
    Task(AttemptId),
    End(AttemptId),
    Leave(AttemptId),
    Reap(AttemptId),
}

/// What a step does.
pub(crate) enum Act {
    /// It comes to this.
    Gives(StepResult),
    /// The host cannot do its part.
    Trouble,
    /// It goes on until it is asked to end.
    Holds,
    /// It goes on for ever and does not even end when it is asked to.
    Hangs,
}

type Script = Box<dyn Fn(&JobOrder, Step) -> Act + Send + Sync>;

/// Engines after a script.
pub(crate) struct ScriptedEngine {
    script: Mutex<Script>,
    log: watch::Sender<Vec<Line>>,
}

impl ScriptedEngine {
    /// Everything goes well at once.
    pub(crate) fn new() -> Self {
        Self { script: Mutex::new(Box::new(|_, step| well(step))), log: watch::channel(Vec::new()).0 }
    }

    /// From now on it goes like that.
    pub(crate) fn follow(&self, script: impl Fn(&JobOrder, Step) -> Act + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// What happened so far.
    pub(crate) fn log(&self) -> Vec<Line> {
        self.log.borrow().clone()
    }

    /// The steps of a job that began.
    pub(crate) fn steps(&self, job: JobId) -> Vec<Step> {
        let began = |line| match line {
            Line::Began(of, step) if of == job => Some(step),
            _ => None,
        };
        self.log().into_iter().filter_map(began).collect()
    }

    /// Waits until the log has something.
    pub(crate) async fn until(&self, has: impl Fn(&[Line]) -> bool) {
        self.log.subscribe().wait_for(|log| has(log)).await.unwrap();
    }

    /// Waits until a job's building began for the n-th time.
    pub(crate) async fn building(&self, job: JobId, times: usize) {
        let is = |line: &&Line| matches!(line, Line::Began(of, Step::Build { .. }) if *of == job);
        self.until(|log| log.iter().filter(is).count() >= times).await;
    }

    fn note(&self, line: Line) {
        self.log.send_modify(|log| log.push(line));
    }

    async fn asked_to_end(&self, attempt: AttemptId) {
        self.until(|log| log.contains(&Line::End(attempt))).await;
    }
}

/// How a step goes when all is well.
pub(crate) fn well(step: Step) -> Act {
    Act::Gives(match step {
        Step::Build { .. } => StepResult::Built,
        Step::Review => StepResult::Reviewed(Verdict::Approve),
        Step::Verify => StepResult::Verified,
        Step::Land => StepResult::Landed(Outcome::Ran),
    })
}

impl Engine for ScriptedEngine {
    async fn run(&self, order: &Order, _: Tainted) -> Result<Report, EngineError> {
        self.note(Line::Task(order.attempt));
        let result = ReportResult::Failed { reason: FailReason::NoCommit };
        Ok(Report { result, measured: Measured::default() })
    }

    async fn step(&self, order: &JobOrder, step: Step, _: &Body) -> Result<StepReport, EngineError> {
        self.note(Line::Began(order.job, step));
        let act = (self.script.lock().unwrap())(order, step);
        let result = match act {
            Act::Gives(result) => result,
            Act::Trouble => return Err(EngineError::Host("as the test wants it")),
            Act::Holds => {
                self.asked_to_end(order.attempt).await;
                self.note(Line::Over(order.job, step));
                return Err(EngineError::Interrupted);
            }
            Act::Hangs => std::future::pending().await,
        };
        self.note(Line::Over(order.job, step));
        Ok(StepReport { result, measured: Measured { cpu_ms: Some(7), ..Measured::default() } })
    }

    fn end(&self, attempt: AttemptId) {
        self.note(Line::End(attempt));
    }

    async fn leave(&self, attempt: AttemptId) {
        self.note(Line::Leave(attempt));
    }

    async fn reap(&self, attempt: AttemptId) {
        self.note(Line::Reap(attempt));
    }
}
