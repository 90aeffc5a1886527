//! Keys of the daily cadence (B13).

use banksman_core::budget::{Zone, plan::Strategy};
use jiff::civil::Time;

/// When the daily runs are, and what they may do by themselves.
#[derive(Debug, Clone)]
pub(crate) struct CadenceKeys {
    /// Tick, unstick, plan. `None`: off, as for the others.
    pub(crate) morning: Option<Time>,
    /// Conflicts and pacing.
    pub(crate) midday: Option<Time>,
    /// Report and forecast.
    pub(crate) evening: Option<Time>,
    /// The zone of these times; `None`: the team's.
    pub(crate) zone: Option<Zone>,
    /// How many tasks of a day the plan is for.
    pub(crate) strategy: Strategy,
    /// Whether plans are put in force without a person.
    pub(crate) auto: bool,
}

impl Default for CadenceKeys {
    fn default() -> Self {
        Self {
            morning: None,
            midday: None,
            evening: None,
            zone: None,
            strategy: Strategy::Moderate,
            auto: false,
        }
    }
}
