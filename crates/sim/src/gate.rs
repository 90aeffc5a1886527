//! The gate of faults: every call of a process passes it before and after its effect. There a process dies, stalls, is told nothing
//! of what it did, or just takes its time.

use crate::{
    chance::Chance,
    executor::{MINUTE, Micros, NATURE, SECOND},
    world::Me,
};

/// What a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// The store.
    Store,
    /// The forge.
    Forge,
    /// An engine's process.
    Engine,
}

/// How bad a world is. Rates are per hundred thousand passes of the gate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// From here on nothing goes wrong any more.
    pub(crate) until: Micros,
    /// The process dies.
    pub(crate) crash: u64,
    /// The call fails before it does anything.
    pub(crate) fail: u64,
    /// The call does its work and its answer is lost.
    pub(crate) lose: u64,
    /// The process stands still past its leases.
    pub(crate) stall: u64,
    /// Wake-ups that get lost, in per mille.
    pub(crate) deaf: u64,
    /// Mean time between kills from outside; 0: none.
    pub(crate) kill_every: Micros,
}

impl Faults {
    /// A level of trouble: none in every eighth world, so that the plain run is proved too.
    pub(crate) fn draw(chance: &mut Chance, until: Micros) -> Self {
        if chance.below(8) == 0 {
            return Self { until, ..Self::default() };
        }
        let rates = [0, 60, 200, 700];
        Self {
            until,
            crash: *chance.pick(&rates),
            fail: *chance.pick(&rates),
            lose: *chance.pick(&[0, 100, 500, 1500]),
            stall: *chance.pick(&[0, 0, 40, 150]),
            deaf: *chance.pick(&[0, 0, 100, 300]),
            kill_every: *chance.pick(&[0, 20 * MINUTE, 60 * MINUTE]),
        }
    }
}

impl Faults {
    /// Trouble for a world of jobs, which is shorter and sees more of it.
    pub(crate) fn draw_yard(chance: &mut Chance, until: Micros) -> Self {
        Self {
            until,
            crash: *chance.pick(&[0, 100, 400, 1000]),
            fail: *chance.pick(&[0, 1000, 4000]),
            lose: *chance.pick(&[0, 1000, 4000]),
            stall: *chance.pick(&[0, 0, 200, 500]),
            deaf: *chance.pick(&[0, 0, 100, 300]),
            kill_every: *chance.pick(&[0, 4 * MINUTE, 10 * MINUTE]),
        }
    }
}

/// The call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Something is broken.
    Broken,
    /// It cannot be reached just now.
    Away,
}

/// What happens to a process at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pass,
    Wait(Micros),
    Crash,
    NoAnswer,
}

/// Which side of the effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

fn fate(chance: &mut Chance, faults: &Faults, now: Micros, port: Port, side: Side) -> Fate {
    if now < faults.until {
        if chance.rare(faults.crash) {
            return Fate::Crash;
        }
        // A request that starts late is given up before it goes out: the forge knows no fencing. Everything else may be late.
        if chance.rare(faults.stall) && !(port == Port::Forge && side == Side::Before) {
            return Fate::Wait(chance.time(40 * SECOND, 5 * MINUTE));
        }
        let silent = match (side, port) {
            (Side::Before, Port::Forge) => faults.fail,
            (Side::Before, Port::Store) => faults.fail / 10,
            (Side::After, Port::Forge) => faults.lose,
            (Side::After, Port::Store) => faults.lose / 10,
            (_, Port::Engine) => 0,
        };
        if chance.rare(silent) {
            return Fate::NoAnswer;
        }
    }
    match (port, side) {
        (Port::Store, Side::Before) if chance.below(4) == 0 => Fate::Wait(chance.time(100, 5_000)),
        (Port::Forge, Side::Before) if chance.below(3) == 0 => Fate::Wait(chance.time(10_000, 400_000)),
        (Port::Forge, Side::After) if chance.below(3) == 0 => Fate::Wait(chance.time(10_000, 400_000)),
        _ => Fate::Pass,
    }
}

impl Me {
    /// Passes the gate before an effect.
    pub(crate) async fn before(&self, port: Port, call: &'static str) -> Result<(), NoAnswer> {
        self.pass(port, Side::Before, call).await
    }

    /// Passes the gate after an effect.
    pub(crate) async fn after(&self, port: Port, call: &'static str) -> Result<(), NoAnswer> {
        self.pass(port, Side::After, call).await
    }

    async fn pass(&self, port: Port, side: Side, call: &'static str) -> Result<(), NoAnswer> {
        if self.process == NATURE {
            return Ok(());
        }
        let kernel = &self.shared.kernel;
        let now = kernel.now();
        if port == Port::Store && self.shared.life(self.process, |life| life.cut_until > now) == Some(true) {
            // A connection that is refused, or one that hangs until it is given up.
            let pause = kernel.draw(|c| if c.below(3) == 0 { c.time(SECOND, 10 * SECOND) } else { 1_000 });
            kernel.sleep(pause).await;
            return Err(NoAnswer::Away);
        }
        let fate = kernel.draw(|chance| fate(chance, &self.shared.plan.faults, now, port, side));
        match fate {
            Fate::Pass => Ok(()),
            Fate::Wait(time) => {
                if time > 30 * SECOND {
                    self.shared.with(|u| u.see("stall"));
                    self.shared.note(self.process, "stall", time as u64, || {
                        format!("at {call} for {} s", time / SECOND)
                    });
                }
                kernel.sleep(time).await;
                Ok(())
            }
            Fate::NoAnswer => {
                self.shared.with(|u| u.see(if side == Side::After { "answer lost" } else { "call failed" }));
                self.shared.note(self.process, "no answer", 0, || format!("{call}, {side:?} its effect"));
                let away = self.shared.plan.yard.is_some() && kernel.draw(|c| c.below(3) > 0);
                Err(if away { NoAnswer::Away } else { NoAnswer::Broken })
            }
            Fate::Crash => {
                self.shared.note(self.process, "crash", 0, || format!("{side:?} {call}"));
                crate::process::crash(&self.shared, self.process);
                std::future::pending().await
            }
        }
    }
}
