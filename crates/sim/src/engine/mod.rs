//! Simulated engines. Their processes are of the host and not of the worker: when a worker dies they run on until somebody reaps them
//! or they end by themselves. What they do is logged by themselves, for the proof that none overlap (I2).

mod job;
mod log;
mod task;

pub(crate) use log::{Begin, Log};

use crate::{
    executor::{Micros, SECOND, Sleep, held},
    gate::Port,
    nature,
    world::Me,
};
use banksman_core::{
    id::AttemptId,
    job::Body,
    port::{Engine, EngineError, JobOrder, Measured, Order, Report, ReportResult, Step, StepReport},
    tainted::Tainted,
    work::SandboxLevel,
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// One process's engines.
#[derive(Clone)]
pub(crate) struct SimEngine(pub(crate) Me);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself.
    Itself,
    /// Because its worker asked it to.
    Asked,
    /// Somebody else ended it.
    Killed,
}

/// An attempt's process while its worker waits for it. Dropped by a worker that lives, the process is ended; one of a worker that is dead
/// runs on.
struct Running<'a> {
    me: &'a Me,
    attempt: AttemptId,
    sleep: Sleep,
}

impl Future for Running<'_> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let (me, attempt) = (self.me, self.attempt);
        let Some((until, asked)) = me.shared.with(|u| u.log.look(attempt, cx.waker())) else {
            return Poll::Ready(Ended::Killed);
        };
        self.sleep.hasten(until);
        let over = Pin::new(&mut self.sleep).poll(cx);
        over.map(|()| if asked { Ended::Asked } else { Ended::Itself })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.me.shared.kernel.alive(self.me.process) {
            self.me.shared.with(|u| u.log.stopped(self.attempt));
            self.me
                .shared
                .note(self.me.process, "stop", self.attempt.0, || format!("attempt {}", self.attempt));
        }
    }
}

impl SimEngine {
    /// Runs an attempt's process for a while.
    pub(super) async fn process(&self, begin: Begin) -> Ended {
        let me = &self.0;
        let (attempt, until) = (begin.attempt, begin.until);
        if me.shared.with(|u| u.model.asked.contains(&attempt)) {
            return Ended::Asked;
        }
        me.shared.with(|u| u.began(begin));
        Running { me, attempt, sleep: me.shared.kernel.sleep_until(until) }.await
    }

    /// The host that this process runs on.
    pub(super) fn host(&self) -> u32 {
        let lives = held(&self.0.shared.lives);
        lives.get(self.0.process.0 as usize).and_then(Option::as_ref).map_or(0, |life| life.host)
    }

    fn until(&self, takes: Micros) -> Micros {
        self.0.shared.kernel.now() + takes
    }
}

impl Engine for SimEngine {
    async fn run(&self, order: &Order, brief: Tainted) -> Result<Report, EngineError> {
        // The brief goes into the task file; that it has the text is right.
        drop(brief);
        let me = &self.0;
        me.before(Port::Engine, "run").await.map_err(|_| EngineError::Host("simulated"))?;
        let job = me.shared.with(|u| {
            u.tally.attempts += 1;
            u.check_author(order);
            u.store.job_of(order.attempt)
        });
        let Some(job) = job else { return Err(EngineError::Host("an attempt that nobody claimed")) };
        me.shared.note(me.process, "start", order.attempt.0, || {
            format!("attempt {} {} {:?}", order.attempt, order.repo, order.task)
        });
        let fortune = self.fortune(order);
        let (attempt, host, until) = (order.attempt, self.host(), self.until(fortune.takes));
        let ended = self.process(Begin { attempt, job, lock: None, host, worker: me.process, until }).await;
        me.shared.with(|u| u.log.left(attempt));
        if ended != Ended::Itself {
            return Err(EngineError::Interrupted);
        }
        me.before(Port::Engine, "publish").await.map_err(|_| EngineError::Host("simulated"))?;
        let result = match fortune.fails {
            Some(reason) => ReportResult::Failed { reason },
            None => self.result(order, &fortune),
        };
        if matches!(result, ReportResult::Published { .. }) {
            me.shared
                .note(me.process, "publish", order.attempt.0, || format!("{} {}", order.repo, order.branch));
            me.changed();
            nature::stir(&me.shared, &order.repo);
        }
        me.after(Port::Engine, "publish").await.map_err(|_| EngineError::Host("simulated"))?;
        Ok(Report { result, measured: measured() })
    }

    async fn step(&self, order: &JobOrder, step: Step, body: &Body) -> Result<StepReport, EngineError> {
        self.0.shared.with(|u| u.check_held(order.attempt));
        self.0.before(Port::Engine, "step").await.map_err(|_| EngineError::Host("simulated"))?;
        let result = self.take_step(order, step, body).await?;
        self.0.after(Port::Engine, "step").await.map_err(|_| EngineError::Host("simulated"))?;
        Ok(StepReport { result, measured: measured() })
    }

    fn end(&self, attempt: AttemptId) {
        let me = &self.0;
        // Most end on TERM, some only on KILL after the grace.
        let grace =
            me.shared.kernel.draw(|c| if c.below(4) == 0 { 10 * SECOND } else { c.time(1_000, SECOND) });
        let until = self.until(grace);
        me.shared.with(|u| {
            u.model.asked.insert(attempt);
            u.log.ask(attempt, until);
        });
        me.shared.note(me.process, "end", attempt.0, || format!("attempt {attempt}"));
    }

    async fn leave(&self, attempt: AttemptId) {
        if self.0.before(Port::Engine, "leave").await.is_ok() {
            self.0.shared.with(|u| u.log.left(attempt));
        }
    }

    async fn reap(&self, attempt: AttemptId) {
        let me = &self.0;
        let takes = me.shared.kernel.draw(|c| c.time(0, 3 * SECOND));
        me.shared.kernel.sleep(takes).await;
        let here = self.host();
        me.shared.with(|u| {
            u.see("reap");
            // Its call is only about processes of this host.
            if u.log.host_of(attempt) == Some(here) {
                u.log.clear(attempt);
            }
        });
        me.shared.note(me.process, "reap", attempt.0, || format!("attempt {attempt}"));
    }
}

fn measured() -> Measured {
    Measured { sandbox: Some(SandboxLevel::Bubblewrap), exit_code: Some(0), ..Measured::default() }
}
