//! `budget team`: each member's quotas, and what was used of them (B9).

use super::Desk;
use crate::{
    app::App,
    clock::now,
    output::{Cell, Exit, Table, span_words, style},
};
use banksman_core::{
    budget::{Quota, Unit, days::first_instant},
    port::{Budget, budget::MemberUse},
    text::{MemberName, ProviderName},
};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

/// Days that the last column sums up.
const DAYS: u16 = 7;

/// Show each member's quotas and what was used of them.
#[derive(Debug, Args)]
pub(super) struct TeamArgs {
    /// This member alone.
    #[arg(value_name = "NAME")]
    member: Option<MemberName>,
}

/// A line, for scripts.
#[derive(Serialize)]
struct Line {
    member: MemberName,
    provider: ProviderName,
    unit: Unit,
    quota: u64,
    per: &'static str,
    reset_at: Timestamp,
    used: u64,
    reserved: u64,
    left: u64,
    used_in_7_days: u64,
}

pub(super) fn run(args: &TeamArgs, app: &App) -> anyhow::Result<Exit> {
    let desk = Desk::open(app)?;
    let now = now();
    if let Some(member) = &args.member
        && !desk.team.members.contains(member)
    {
        let names: Vec<&str> = desk.team.members.iter().map(MemberName::as_str).collect();
        return Err(crate::output::Failure::usage(
            format!("{member} is no member of the team"),
            format!("the members in team.toml are: {}", names.join(", ")),
        ));
    }
    let team = &desk.team;
    let lines = desk.with_store(|store| async move {
        let week = banksman_core::budget::Span { start: first_instant(&team.day, now, DAYS), end: now };
        let mut lines = Vec::new();
        for quota in &team.quotas {
            if args.member.as_ref().is_some_and(|member| *member != quota.member) {
                continue;
            }
            let span = quota.window.around(now);
            let present = of(quota, &store.used(&quota.provider, span).await?);
            let lately = of(quota, &store.used(&quota.provider, week).await?);
            lines.push(Line {
                member: quota.member.clone(),
                provider: quota.provider.clone(),
                unit: quota.unit,
                quota: quota.most,
                per: quota.window.period.word(),
                reset_at: span.end,
                used: present.0,
                reserved: present.1,
                left: quota.most.saturating_sub(present.0 + present.1),
                used_in_7_days: lately.0 + lately.1,
            });
        }
        Ok(lines)
    })?;
    app.page.write(&lines, |lines| text(lines, now))?;
    Ok(Exit::Success)
}

/// What a member settled and reserved.
fn of(quota: &Quota, used: &[MemberUse]) -> (u64, u64) {
    used.iter()
        .find(|line| line.member.as_ref() == Some(&quota.member))
        .map_or((0, 0), |line| (line.settled.of(quota.unit), line.reserved.of(quota.unit)))
}

fn text(lines: &[Line], now: Timestamp) -> String {
    if lines.is_empty() {
        return "no quotas: `banksman budget --help` shows a team.toml, `banksman budget import-team` takes an older one\n"
            .to_owned();
    }
    let mut table =
        Table::new(&["member", "provider", "quota", "used", "reserved", "left", "reset in", "last 7 days"]);
    for line in lines {
        table.row([
            Cell::new(line.member.to_string(), style::HEAD),
            line.provider.to_string().into(),
            format!("{} {} a {}", line.quota, line.unit.word(), line.per).into(),
            line.used.to_string().into(),
            line.reserved.to_string().into(),
            Cell::new(line.left.to_string(), if line.left == 0 { style::WARN } else { style::PLAIN }),
            span_words(line.reset_at.duration_since(now)).into(),
            line.used_in_7_days.to_string().into(),
        ]);
    }
    table.text()
}
