//! Issues and pull requests for people.

use super::shown::{self, Comment, Issue, IssueFull, Pull, PullFull};
use crate::output::{Cell, Table, clean, clean_lines, style};
use banksman_core::{
    id::Number,
    port::book::Opinion,
    signals::CheckState,
    text::{Label, Sha},
};
use jiff::{Timestamp, tz::TimeZone};

/// A list of issues.
pub(super) fn issues(issues: &[Issue]) -> String {
    if issues.is_empty() {
        return "no issues\n".to_owned();
    }
    let mut table = Table::new(&["issue", "state", "title", "labels", "epic", "blocked by"]);
    for issue in issues {
        table.row([
            format!("#{}", issue.number).into(),
            if issue.open { Cell::new("open", style::GOOD) } else { Cell::new("closed", style::DIM) },
            clean(&issue.title).into(),
            Cell::new(labels(&issue.labels), style::DIM),
            issue.parent.map(|p| format!("#{p}")).unwrap_or_default().into(),
            numbers(&issue.blocked_by).into(),
        ]);
    }
    table.text()
}

/// One issue.
pub(super) fn issue(full: &IssueFull) -> String {
    let issue = &full.issue;
    let head = style::HEAD;
    let state = if issue.open { "open" } else { "closed" };
    let mut out = format!("{head}#{} {}{head:#}\n", issue.number, clean(&issue.title));
    out.push_str(&format!("{state}, by {} on {}\n", issue.author, day(issue.created_at)));
    if !issue.labels.is_empty() {
        out.push_str(&format!("labels: {}\n", labels(&issue.labels)));
    }
    if let Some(parent) = issue.parent {
        out.push_str(&format!("epic: #{parent}\n"));
    }
    if !issue.blocked_by.is_empty() {
        out.push_str(&format!("blocked by: {}\n", numbers(&issue.blocked_by)));
    }
    body(&mut out, &full.body);
    if !full.children.is_empty() {
        out.push('\n');
        out.push_str(&issues(&full.children));
    }
    comments(&mut out, &full.comments);
    out
}

/// A list of pull requests.
pub(super) fn pulls(pulls: &[Pull]) -> String {
    if pulls.is_empty() {
        return "no pull requests\n".to_owned();
    }
    let mut table = Table::new(&["pull", "state", "title", "from", "into", "checks", "approvals", "threads"]);
    for pull in pulls {
        let signals = &pull.signals;
        let word = shown::state_word(signals);
        let state = match word {
            "open" => Cell::new(shown::merge_word(signals.merge_state), style::GOOD),
            "merged" => Cell::new(word, style::BUSY),
            _ => Cell::new(word, style::DIM),
        };
        let counts = signals.check_counts();
        let checks = match (counts.total, counts.failing, counts.pending) {
            (0, ..) => Cell::new("none", style::WARN),
            (_, 0, 0) => Cell::new("passed", style::GOOD),
            (_, 0, _) => Cell::new("pending", style::BUSY),
            (..) => Cell::new(format!("{} red", counts.failing), style::BAD),
        };
        let open = signals.unresolved();
        table.row([
            format!("#{}", signals.number).into(),
            state,
            clean(&pull.title).into(),
            Cell::new(signals.head_branch.as_str(), style::DIM),
            Cell::new(signals.base.as_str(), style::DIM),
            checks,
            format!("{} of {}", signals.reviews.approved, signals.reviews.required).into(),
            if open == 0 { "".into() } else { Cell::new(format!("{open} open"), style::WARN) },
        ]);
    }
    table.text()
}

/// One pull request.
pub(super) fn pull(full: &PullFull) -> String {
    let (head, signals) = (style::HEAD, &full.pull.signals);
    let mut out = format!("{head}#{} {}{head:#}\n", signals.number, clean(&full.pull.title));
    out.push_str(&format!(
        "{}, {}, by {} on {}\n{} into {}, +{} -{} in {} files, head {}\n",
        shown::state_word(signals),
        shown::merge_word(signals.merge_state),
        signals.author_login,
        day(signals.created_at),
        signals.head_branch,
        signals.base,
        signals.additions,
        signals.deletions,
        signals.changed_files,
        short(&signals.head),
    ));
    if !signals.closes.is_empty() {
        out.push_str(&format!("closes: {}\n", numbers(&signals.closes)));
    }
    if !full.pull.labels.is_empty() {
        out.push_str(&format!("labels: {}\n", labels(&full.pull.labels)));
    }
    for check in &signals.checks {
        let style = match check.state {
            CheckState::Pending => style::BUSY,
            CheckState::Passing => style::GOOD,
            CheckState::Failing => style::BAD,
        };
        out.push_str(&format!("check {}: {style}{}{style:#}\n", check.name, shown::check_word(check.state)));
    }
    let reviews = signals.reviews;
    out.push_str(&format!("approvals: {} of {}\n", reviews.approved, reviews.required));
    body(&mut out, &full.body);
    for review in &full.conversation.reviews {
        let word = match review.opinion {
            Opinion::Approved => "approved",
            Opinion::ChangesRequested => "asked for changes",
            Opinion::Commented => "commented",
        };
        out.push_str(&format!("\n{head}{} {word}{head:#} {}\n", review.reviewer, short(&review.head)));
        body(&mut out, &review.body);
    }
    for thread in &full.conversation.threads {
        let place = match (&thread.path, thread.line) {
            (Some(path), Some(line)) => format!(" {}:{line}", clean(path)),
            _ => String::new(),
        };
        let state = match &thread.resolved_by {
            Some(login) => format!("resolved by {login}"),
            None => "open".to_owned(),
        };
        out.push_str(&format!("\n{head}thread {}{head:#}{place}, {state}\n", thread.id));
        for comment in &thread.comments {
            out.push_str(&format!("  {}: {}\n", comment.author, indent(&comment.body)));
        }
    }
    comments(&mut out, &full.comments);
    out
}

/// A list of labels.
pub(super) fn labels(list: &[Label]) -> String {
    list.iter().map(Label::as_str).collect::<Vec<_>>().join(", ")
}

/// The beginning of a commit's id.
pub(super) fn short(sha: &Sha) -> &str {
    &sha.as_str()[..10]
}

fn numbers(list: &[Number]) -> String {
    crate::surface::numbers(list)
}

fn body(out: &mut String, text: &str) {
    if !text.trim().is_empty() {
        out.push_str(&format!("\n{}\n", clean_lines(text.trim_end())));
    }
}

fn comments(out: &mut String, comments: &[Comment]) {
    let head = style::HEAD;
    for comment in comments {
        out.push_str(&format!("\n{head}{}{head:#} on {}\n", comment.author, day(comment.at)));
        out.push_str(&format!("{}\n", clean_lines(comment.body.trim_end())));
    }
}

fn indent(text: &str) -> String {
    clean_lines(text.trim_end()).replace('\n', "\n  ")
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}
