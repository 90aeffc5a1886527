//! What a run of the cadence came to, for people and scripts, in the home's folder `reports`.

use crate::{
    cli::budget::{Desk, date_words, days_text, suggestion_words},
    home::{Home, short},
    output::{clean, moment},
};
use anyhow::Context as _;
use banksman_core::{
    budget::{cadence::Cadence, days::DayCount, forecast::Forecast, plan::Plan, triggers::Suggestion},
    text::RepoName,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs};

/// A report. What a run does not do is empty.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) run: Cadence,
    pub(super) slot: Timestamp,
    pub(super) at: Timestamp,
    pub(super) ready: u32,
    pub(super) suggestions: Vec<Suggestion>,
    pub(super) plan: Option<Plan>,
    /// Whether that plan was put in force.
    pub(super) in_force: bool,
    pub(super) days: Vec<DayCount>,
    pub(super) forecast: Option<Forecast>,
    pub(super) not_looked_at: BTreeMap<RepoName, String>,
}

impl Report {
    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{} of {}\n", self.run.word(), moment(self.at));
        if let Some(plan) = &self.plan {
            let force = if self.in_force {
                "in force"
            } else {
                "not in force: `banksman budget plan --apply` does that"
            };
            out.push_str(&format!("plan: {} tasks, {force}\n", plan.total));
            for line in plan.lines.iter().filter(|line| line.tasks > 0) {
                out.push_str(&format!("  {}: {} more, {} used\n", short(&line.repo), line.tasks, line.used));
            }
        }
        if !self.days.is_empty() {
            out.push_str(&days_text(&self.days));
        }
        if let Some(forecast) = &self.forecast {
            out.push_str(&forecast_text(forecast));
        }
        out.push_str(&format!("ready to dispatch: {}\n", self.ready));
        for suggestion in &self.suggestions {
            out.push_str(&format!("next: {}\n", suggestion_words(suggestion)));
        }
        for (repo, why) in &self.not_looked_at {
            out.push_str(&format!("note: {} was not looked at: {}\n", short(repo), clean(why)));
        }
        out
    }
}

fn forecast_text(forecast: &Forecast) -> String {
    let Some(all) = forecast.all else { return "no epic is open: there is nothing to forecast\n".to_owned() };
    let zone = TimeZone::system();
    let mut out = String::new();
    for epic in &forecast.epics {
        let due = date_words(epic.dates.p85, &zone);
        out.push_str(&format!(
            "{}#{}: {} children left, P85 {due}\n",
            short(&epic.repo),
            epic.epic,
            epic.left
        ));
    }
    out.push_str(&format!(
        "all epics: P50 {}, P85 {}\n",
        date_words(all.p50, &zone),
        date_words(all.p85, &zone)
    ));
    out
}

/// How long the suggestions of a report are worth reading.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// What the newest report of the last day suggests. A hint: reports that cannot be read say nothing.
pub(crate) fn latest_suggestions(home: &Home, now: Timestamp) -> Vec<Suggestion> {
    #[derive(Deserialize)]
    struct Told {
        at: Timestamp,
        suggestions: Vec<Suggestion>,
    }
    let files = fs::read_dir(home.folder().join("reports")).into_iter().flatten().flatten();
    let reports = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let told = reports.filter_map(|path| serde_json::from_slice::<Told>(&fs::read(path).ok()?).ok());
    let newest = told.filter(|told| now.duration_since(told.at) < FRESH).max_by_key(|told| told.at);
    newest.map(|told| told.suggestions).unwrap_or_default()
}

/// Writes a report beside those of the other days, in the place of one of the same run and day.
pub(super) fn save(report: &Report, desk: &Desk) -> anyhow::Result<()> {
    let folder = desk.home.folder().join("reports");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let day = desk.team.plan_day(report.at).date;
    let name = format!("{day}-{}", report.run.word());
    let plain = anstream::adapter::strip_str(&report.text()).to_string();
    for (ending, text) in [("txt", plain), ("json", serde_json::to_string_pretty(report)?)] {
        let file = folder.join(format!("{name}.{ending}"));
        let next = folder.join(format!(".{name}.{ending}.new"));
        fs::write(&next, text)
            .and_then(|()| fs::rename(&next, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
