//! What is left of the budget and what to do next, for the board: from the store and from the newest report of the cadence, so that nothing has
//! to be asked of a forge.

use crate::{
    cadence::latest_suggestions,
    cli::budget::suggestion_words,
    home::{Home, read_team},
    output::{clean, span_words, style},
};
use banksman_core::{
    budget::{Unit, triggers::Suggestion},
    port::Budget,
    text::ProviderName,
};
use jiff::Timestamp;
use serde::Serialize;

/// The budget on the board.
#[derive(Debug, Default, Serialize)]
pub(super) struct Purse {
    pools: Vec<Pool>,
    suggestions: Vec<Suggestion>,
    /// Why nothing is known, where the team file cannot be read.
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Pool {
    provider: ProviderName,
    unit: Unit,
    quota: u64,
    left: u64,
    reset_at: Timestamp,
}

impl Purse {
    /// Whether there is anything to say.
    pub(super) fn is_empty(&self) -> bool {
        self.pools.is_empty() && self.suggestions.is_empty() && self.trouble.is_none()
    }

    /// Reads what is left. A team file that cannot be read is told and stops nothing here.
    pub(super) async fn of<B: Budget>(store: &B, home: &Home, now: Timestamp) -> anyhow::Result<Self> {
        let suggestions = latest_suggestions(home, now);
        let team = match read_team(home.folder()) {
            Ok(team) => team,
            Err(error) => {
                return Ok(Self { pools: Vec::new(), suggestions, trouble: Some(error.to_string()) });
            }
        };
        let mut pools = Vec::new();
        for pool in team.pools() {
            let charge = team.charge_of(pool.provider, now);
            let usage = store.usage(&charge).await?;
            let (mut left, mut strays, mut reset_at) = (0u64, 0u64, Timestamp::MAX);
            for (n, account) in charge.accounts.iter().enumerate() {
                for (m, limit) in account.limits.iter().enumerate() {
                    let own = |quota: &&&banksman_core::budget::Quota| {
                        quota.member == account.member && quota.window.around(now) == limit.span
                    };
                    if limit.unit != pool.unit || !pool.quotas.iter().any(|quota| own(&quota)) {
                        continue;
                    }
                    left += limit.most.saturating_sub(usage.used[n][m]);
                    strays = strays.max(usage.strays[n][m]);
                    reset_at = reset_at.min(limit.span.end);
                }
            }
            pools.push(Pool {
                provider: pool.provider.name.clone(),
                unit: pool.unit,
                quota: pool.most(),
                left: left.saturating_sub(strays),
                reset_at,
            });
        }
        Ok(Self { pools, suggestions, trouble: None })
    }

    /// Some lines for people.
    pub(super) fn text(&self, now: Timestamp) -> String {
        let mut out = String::new();
        for pool in &self.pools {
            let rest = span_words(pool.reset_at.duration_since(now));
            let (name, unit) = (&pool.provider, pool.unit.word());
            if pool.left == 0 {
                let warn = style::WARN;
                out.push_str(&format!(
                    "\n{warn}{name}: all {} {unit} are used{warn:#}; dispatches are held back for {rest}\n",
                    pool.quota
                ));
            } else {
                out.push_str(&format!("\n{name}: {} of {} {unit} left, for {rest}\n", pool.left, pool.quota));
            }
        }
        for suggestion in &self.suggestions {
            out.push_str(&format!("\nnext: {}\n", suggestion_words(suggestion)));
        }
        if let Some(trouble) = &self.trouble {
            let bad = style::BAD;
            out.push_str(&format!("\n{bad}nothing is dispatched:{bad:#} {}\n", clean(trouble)));
        }
        out
    }
}
