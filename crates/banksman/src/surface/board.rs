//! What the live table shows, derived from events alone; drawing it is left to `live`. Pure: time is an argument.

use super::words;
use crate::output::{Cell, Table, clean, style};
use anstyle::Style;
use banksman_core::{
    event::{Event, What},
    id::Number,
    intent::Phase,
    job::Outcome,
    work::Task,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Who is on stage: what the forge knows and events do not carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cast {
    /// Children: epic, phase, title. Titles are foreign text and cleaned when drawn.
    pub(crate) children: BTreeMap<Number, (Number, Phase, String)>,
}

/// The table's content.
#[derive(Debug, Default)]
pub(super) struct Board {
    cast: Cast,
    children: BTreeMap<Number, Child>,
    pulls: BTreeMap<Number, Number>,
    epic_pulls: BTreeMap<Number, Number>,
    epics: BTreeMap<Number, EpicLine>,
    issues: u32,
    started: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct EpicLine {
    state: &'static str,
    pull: Option<Number>,
}

/// One child.
#[derive(Debug, Default, Clone)]
struct Child {
    pull: Option<Number>,
    state: ChildState,
    doing: String,
}

/// Where a child is, for colours and the bar.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ChildState {
    #[default]
    Waiting,
    Working,
    Review,
    Merged,
    Person,
}

impl ChildState {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Working => "working",
            Self::Review => "in review",
            Self::Merged => "merged",
            Self::Person => "needs a person",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Waiting => style::DIM,
            Self::Working => style::BUSY,
            Self::Review => style::WARN,
            Self::Merged => style::GOOD,
            Self::Person => style::BAD,
        }
    }
}

impl Board {
    pub(super) fn cast(&mut self, cast: Cast) {
        for child in cast.children.keys() {
            self.children.entry(*child).or_default();
        }
        self.cast.children.extend(cast.children);
    }

    pub(super) fn event(&mut self, event: &Event) {
        self.started.get_or_insert(event.at);
        match &event.what {
            What::IssueCreated { .. } => self.issues += 1,
            What::EpicCreated { epic, .. } => {
                self.epics.entry(*epic).or_default().state = "running";
            }
            What::Dispatched { child, implementer, .. } => {
                self.child(*child, ChildState::Working, format!("dispatched to {implementer}"));
            }
            What::ApprovalNeeded { child } => {
                self.child(*child, ChildState::Person, "needs approval".to_owned());
            }
            What::OverCap { child } => {
                self.child(*child, ChildState::Waiting, "the daily cap is reached".to_owned());
            }
            What::OverBudget { child, held } => {
                self.child(*child, ChildState::Waiting, words::held_words(*held));
            }
            What::AttemptStarted { engine, task, .. } => {
                self.task(task, |child| {
                    let state = if matches!(task, Task::Implement { .. }) {
                        ChildState::Working
                    } else {
                        child.state
                    };
                    (state, format!("{engine}: {}", words::task_words(task)))
                });
            }
            What::AttemptEnded { engine, task, outcome, .. } => self.task(task, |child| {
                let what = match outcome {
                    Outcome::Published { .. } => format!("{engine} published"),
                    Outcome::Reviewed { .. } => format!("reviewed by {engine}"),
                    Outcome::Ran => format!("{engine} ended"),
                };
                (child.state, what)
            }),
            What::AttemptFailed { engine, task, reason, .. } => {
                self.task(task, |child| (child.state, format!("{engine} failed: {}", reason.describe())));
            }
            What::PullOpened { pull, child } => {
                self.pulls.insert(*pull, *child);
                self.child(*child, ChildState::Review, "opened".to_owned());
                self.children.entry(*child).or_default().pull = Some(*pull);
            }
            What::Decided { pull, action, wait, .. } => {
                let doing = match wait {
                    Some(reason) => format!("wait: {}", reason.describe()),
                    None => action.as_str().replace('_', " "),
                };
                if let Some(child) = self.pulls.get(pull).and_then(|c| self.children.get_mut(c)) {
                    if child.state == ChildState::Person && wait.is_none() {
                        child.state = ChildState::Review;
                    }
                    child.doing = doing;
                }
            }
            What::Merged { pull, .. } => {
                if let Some(epic) = self.epic_pulls.get(pull) {
                    self.epics.entry(*epic).or_default().state = "merged";
                } else if let Some(child) = self.pulls.get(pull).copied() {
                    self.child(child, ChildState::Merged, String::new());
                }
            }
            What::Escalated { subject, reason } => {
                let child = self.pulls.get(subject).copied().unwrap_or(*subject);
                if self.epics.contains_key(&child) {
                    self.epics.entry(child).or_default().state = "needs a person";
                } else {
                    self.child(child, ChildState::Person, reason.describe().to_owned());
                }
            }
            What::EpicPullOpened { epic, pull } => {
                self.epic_pulls.insert(*pull, *epic);
                let line = self.epics.entry(*epic).or_default();
                (line.pull, line.state) = (Some(*pull), "pull request open");
            }
            What::EpicClosed { epic } => self.epics.entry(*epic).or_default().state = "merged and closed",
            What::Acted { .. }
            | What::Refused { .. }
            | What::Ticked { .. }
            | What::Journaled { .. }
            | What::JobMoved { .. }
            | What::CoolingDown { .. }
            | What::Echoed { .. }
            | What::Recovered { .. } => {}
        }
    }

    fn child(&mut self, child: Number, state: ChildState, doing: String) {
        let line = self.children.entry(child).or_default();
        (line.state, line.doing) = (state, doing);
    }

    fn task(&mut self, task: &Task, change: impl FnOnce(&Child) -> (ChildState, String)) {
        let subject = task.subject();
        let child = self.pulls.get(&subject).copied().unwrap_or(subject);
        // The epic's own pull request has no line of its own.
        if let Some(line) = self.children.get_mut(&child)
            && !matches!(line.state, ChildState::Merged)
        {
            (line.state, line.doing) = change(line);
        }
    }

    /// The lines of the table, at most `width` columns wide and `height` lines.
    pub(super) fn lines(&self, width: usize, height: usize, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        let merged = self.children.values().filter(|c| c.state == ChildState::Merged).count();
        let person = self.children.values().filter(|c| c.state == ChildState::Person).count();
        let elapsed = self.started.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        let total = self.children.len();
        let bar = bar(merged, person, total, 24);
        let mut head = format!("{bar}  {merged} of {total} merged");
        if person > 0 {
            head.push_str(&format!(", {person} for a person"));
        }
        lines.push(format!("{head}  {}", clock(elapsed)));
        let mut table = Table::new(&["child", "phase", "title", "pull", "state", "next"]);
        let mut order: Vec<(&Number, &Child)> = self.children.iter().collect();
        order.sort_by_key(|(n, _)| (self.cast.children.get(n).map(|(epic, phase, _)| (*epic, *phase)), **n));
        let mut epic_shown = None;
        for (number, child) in order {
            let cast = self.cast.children.get(number);
            if let Some((epic, ..)) = cast
                && epic_shown != Some(*epic)
            {
                epic_shown = Some(*epic);
                let line = self.epics.get(epic);
                let pull = line.and_then(|l| l.pull).map(|p| format!("#{p}")).unwrap_or_default();
                let state = line.map_or("running", |l| l.state);
                table.row([
                    Cell::new(format!("#{epic}"), style::HEAD),
                    "".into(),
                    Cell::new("epic", style::HEAD),
                    pull.into(),
                    Cell::new(state, style::HEAD),
                    "".into(),
                ]);
            }
            table.row([
                format!("#{number}").into(),
                Cell::new(cast.map_or("", |(_, phase, _)| phase.word()), style::DIM),
                cast.map_or(String::new(), |(_, _, title)| clean(title)).into(),
                child.pull.map(|p| format!("#{p}")).unwrap_or_default().into(),
                Cell::new(child.state.word(), child.state.style()),
                child.doing.clone().into(),
            ]);
        }
        lines.extend(table.lines(width));
        if lines.len() > height {
            let hidden = lines.len() - height + 1;
            lines.truncate(height.saturating_sub(1));
            lines.push(format!("… and {hidden} lines more"));
        }
        lines
    }
}

fn bar(merged: usize, person: usize, total: usize, width: usize) -> String {
    let part = |n: usize| (n * width).checked_div(total).unwrap_or(0);
    // What is settled fills the bar whatever the rounding.
    let good = part(merged);
    let bad = part(merged + person) - good;
    let (g, b, d) = (style::GOOD, style::BAD, style::DIM);
    format!(
        "{g}{}{g:#}{b}{}{b:#}{d}{}{d:#}",
        "█".repeat(good),
        "█".repeat(bad),
        "░".repeat(width - good - bad)
    )
}

/// Minutes and seconds, hours where there are some.
pub(super) fn clock(elapsed: SignedDuration) -> String {
    let seconds = elapsed.as_secs().max(0);
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banksman_core::{
        policy::{ActionKind, EscalateReason, WaitReason},
        text::{BranchName, EngineName, RepoName, Sha},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn board(events: Vec<What>) -> Board {
        let mut board = Board::default();
        let repo = RepoName::new("local/shop").unwrap();
        let title = |text: &str| text.to_owned();
        board.cast(Cast {
            children: BTreeMap::from([
                (Number(1), (Number(4), Phase::Blockers, title("fix(api): one\u{1b}[2J"))),
                (Number(2), (Number(4), Phase::Parallel, title("docs: two"))),
                (Number(3), (Number(4), Phase::Parallel, title("perf: three"))),
            ]),
        });
        for (second, what) in events.into_iter().enumerate() {
            board.event(&Event { at: at(second as i64), repo: Some(repo.clone()), what });
        }
        board
    }

    fn story() -> Vec<What> {
        let engine = EngineName::new("claude").unwrap();
        let dispatched =
            |child| What::Dispatched { epic: Number(4), child: Number(child), implementer: engine.clone() };
        let merged = |pull| What::Merged { pull: Number(pull), commit: Sha::new(&"a".repeat(40)).unwrap() };
        let branch = BranchName::new("epic/4-audit").unwrap();
        vec![
            What::EpicCreated { epic: Number(4), branch, children: 3 },
            dispatched(1),
            What::PullOpened { pull: Number(5), child: Number(1) },
            merged(5),
            dispatched(2),
            dispatched(3),
            What::PullOpened { pull: Number(6), child: Number(2) },
            What::Decided {
                pull: Number(6),
                row: 14,
                action: ActionKind::Wait,
                wait: Some(WaitReason::ChecksPending),
            },
            What::Escalated { subject: Number(3), reason: EscalateReason::AttemptsFailed },
        ]
    }

    #[test]
    fn the_table_tells_where_every_child_is() {
        let lines = board(story()).lines(100, 40, at(75));
        let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
        insta::assert_snapshot!(plain, @r"
        ████████████████░░░░░░░░  1 of 3 merged, 1 for a person  1:15
        child  phase     title                   pull  state           next
        #4               epic                          running
        #1     blockers  fix(api): one\u{1b}[2J  #5    merged
        #2     parallel  docs: two               #6    in review       wait: checks pending
        #3     parallel  perf: three                   needs a person  no attempt gave a pull request
        ");
    }

    #[test]
    fn a_small_terminal_gets_what_fits() {
        let lines = board(story()).lines(60, 4, at(75));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3], "… and 3 lines more");
    }

    #[test]
    fn every_event_has_words_without_text_of_strangers() {
        for what in story() {
            let words = words::sentence(&what);
            assert!(!words.is_empty() && words.is_ascii(), "{words}");
        }
    }
}
