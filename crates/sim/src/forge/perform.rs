//! Steps on the simulated forge: what each does, what it refuses, and how one that may have happened is found again. Like GitHub it
//! knows no keys: the same step twice is two effects.

use super::town::{ME, Pusher, State, Town, tag};
use crate::{
    canary,
    executor::{Micros, micros, stamp},
};
use banksman_core::{
    epic::{Checklist, append, render, tick},
    id::Number,
    intent::{AGENTIC, Made, Receipt, Step},
    port::{Accounted, IssueText, Refusal},
    tainted::Tainted,
};
use jiff::Timestamp;

/// What a step did.
pub(crate) struct Effect {
    /// What it made.
    pub(crate) made: Made,
    /// Whether anything is different now.
    pub(crate) changed: bool,
}

fn change(changed: bool) -> Result<Effect, Refusal> {
    Ok(Effect { made: Made::Change, changed })
}

fn made(made: Made) -> Result<Effect, Refusal> {
    Ok(Effect { made, changed: true })
}

impl Town {
    /// Does one step.
    pub(crate) fn apply(
        &mut self,
        now: Micros,
        step: &Step,
        text: Option<IssueText>,
    ) -> Result<Effect, Refusal> {
        match step {
            Step::CreateIssue { .. } => {
                let text = text.ok_or(Refusal::NotFound)?;
                let (title, body) = (text.title.into_forge_slot(), text.body.into_forge_slot());
                let number = self.open_issue(now, ME, &title, body, text.labels);
                made(Made::Issue { number })
            }
            Step::CreateEpic { epic } => {
                let body = render(&epic.phases, |n| self.title(n));
                let labels = vec![tag(AGENTIC), tag("complexity:large")];
                let number = self.open_issue(
                    now,
                    ME,
                    &format!("epic({}): {}", epic.slug(), canary::text("t")),
                    body,
                    labels,
                );
                made(Made::Issue { number })
            }
            Step::ExtendChecklist { epic, phases } => {
                let body = &self.issues.get(epic).ok_or(Refusal::NotFound)?.body;
                let more = append(body, phases, |n| self.title(n));
                change(self.rewrite(*epic, more))
            }
            Step::Comment { on, say } => {
                if !self.issues.contains_key(on) && !self.pulls.contains_key(on) {
                    return Err(Refusal::NotFound);
                }
                let id = self.comment(now, *on, ME, Some(say.clone()));
                made(Made::Comment { id })
            }
            Step::AddLabel { on, label } => {
                let labels = self.labels(*on).ok_or(Refusal::NotFound)?;
                let changed = !labels.contains(label);
                if changed {
                    labels.push(label.clone());
                }
                change(changed)
            }
            Step::CloseIssue { issue } => {
                if !self.issues.contains_key(issue) {
                    return Err(Refusal::NotFound);
                }
                change(self.close_issue(now, *issue))
            }
            Step::LinkChild { parent, child } => {
                let issue = self.issues.get_mut(child).ok_or(Refusal::NotFound)?;
                change(issue.parent.replace(*parent) != Some(*parent))
            }
            Step::LinkBlocker { blocker, blocked } => {
                let issue = self.issues.get_mut(blocked).ok_or(Refusal::NotFound)?;
                let changed = !issue.blocked_by.contains(blocker);
                if changed {
                    issue.blocked_by.push(*blocker);
                }
                change(changed)
            }
            Step::CreateBranch { branch } => {
                if self.branches.contains_key(branch) {
                    return Err(Refusal::NotAllowed);
                }
                let head = self.branches[&self.default_branch];
                self.branches.insert(branch.clone(), head);
                made(Made::Commit { sha: self.graph.sha(head).clone() })
            }
            Step::DeleteBranch { branch, at } => {
                let Some(head) = self.branches.get(branch).copied() else { return change(false) };
                match at {
                    Some(at) if self.graph.sha(head) != at => return Err(Refusal::HeadMoved),
                    None if self.graph.ahead(head, self.branches[&self.default_branch]) => {
                        return Err(Refusal::NotAllowed);
                    }
                    _ => {}
                }
                self.branches.remove(branch);
                for pull in self.pulls.values_mut().filter(|p| p.state == State::Open && p.base == *branch) {
                    pull.base = self.default_branch.clone();
                    pull.updated = now;
                }
                change(true)
            }
            Step::OpenPull { closes, head, base } => {
                let (from, into) = match (self.branches.get(head), self.branches.get(base)) {
                    (Some(from), Some(into)) => (*from, *into),
                    _ => return Err(Refusal::NotFound),
                };
                if !self.graph.ahead(from, into) {
                    return Err(Refusal::Nothing);
                }
                let there = self
                    .pulls
                    .values()
                    .any(|p| p.state == State::Open && p.head_branch == *head && p.base == *base);
                if there {
                    return Err(Refusal::NotAllowed);
                }
                let number = self.open_pull(now, ME, head, base, *closes).ok_or(Refusal::NotFound)?;
                made(Made::Pull { number })
            }
            Step::ResolveThread { pull, thread } => {
                let pull = self.pulls.get_mut(pull).ok_or(Refusal::NotFound)?;
                let row = pull.threads.iter_mut().find(|t| t.id == *thread).ok_or(Refusal::NotFound)?;
                change(!std::mem::replace(&mut row.resolved, true))
            }
            Step::UpdateBranch { pull: number, head } => {
                let pull = self.pulls.get(number).ok_or(Refusal::NotFound)?;
                let base = self.base_head(pull).ok_or(Refusal::NotFound)?;
                let old = pull.head;
                if pull.state != State::Open {
                    return Err(Refusal::Ended);
                } else if self.graph.sha(old) != head {
                    return Err(Refusal::HeadMoved);
                } else if self.graph.conflict(old, base) {
                    return Err(Refusal::Conflict);
                } else if !self.graph.ahead(base, old) {
                    return Err(Refusal::Nothing);
                }
                let branch = pull.head_branch.clone();
                let commit = self.graph.add(&[old, base], 0);
                self.move_branch(now, &branch, commit, Pusher::Banksman);
                self.updates.push((*number, old, commit, now));
                made(Made::Commit { sha: self.graph.sha(commit).clone() })
            }
            Step::EnableAutoMerge { pull, head } => {
                let moved = self.pulls.get(pull).is_some_and(|p| self.graph.sha(p.head) != head);
                let offered = self.customs.auto_merge;
                let pull = self.pulls.get_mut(pull).ok_or(Refusal::NotFound)?;
                if pull.state != State::Open {
                    return Err(Refusal::Ended);
                } else if moved {
                    return Err(Refusal::HeadMoved);
                } else if !offered {
                    return Err(Refusal::NotAllowed);
                }
                change(!std::mem::replace(&mut pull.armed, true))
            }
            Step::Merge { pull: number, head, method } => {
                let pull = self.pulls.get(number).ok_or(Refusal::NotFound)?;
                let base = self.base_head(pull).ok_or(Refusal::NotFound)?;
                if pull.state != State::Open {
                    return Err(Refusal::Ended);
                } else if self.graph.sha(pull.head) != head {
                    return Err(Refusal::HeadMoved);
                } else if self.graph.conflict(pull.head, base) {
                    return Err(Refusal::Conflict);
                } else if (self.customs.protected && !self.clear(pull))
                    || (self.customs.obstinate && pull.base == self.default_branch)
                {
                    return Err(Refusal::NotAllowed);
                }
                let commit = self.merge(now, *number, *method).ok_or(Refusal::NotFound)?;
                made(Made::Commit { sha: self.graph.sha(commit).clone() })
            }
            Step::Tick { epic, children } => {
                let body = tick(&self.issues.get(epic).ok_or(Refusal::NotFound)?.body, children);
                change(self.rewrite(*epic, body))
            }
        }
    }

    fn title(&self, number: Number) -> String {
        self.issues.get(&number).map(|i| i.title.clone()).unwrap_or_default()
    }

    fn rewrite(&mut self, issue: Number, body: Option<String>) -> bool {
        match (self.issues.get_mut(&issue), body) {
            (Some(issue), Some(body)) => {
                issue.body = body;
                true
            }
            _ => false,
        }
    }

    /// The checklist of an epic.
    pub(crate) fn checklist(&self, epic: Number) -> Option<Checklist> {
        Some(Checklist::read(&Tainted::new(self.issues.get(&epic)?.body.clone())))
    }

    /// Looks for a step that may have happened: by id, time and author.
    pub(crate) fn find(
        &self,
        now: Micros,
        step: &Step,
        since: Timestamp,
        accounted: &Accounted,
    ) -> Option<Receipt> {
        let since = micros(since);
        let seen = |at: Micros, made: Made| Some(Receipt { at: stamp(at), made });
        let done = |happened: bool| happened.then(|| Receipt { at: stamp(now), made: Made::Change });
        match step {
            Step::CreateIssue { .. } | Step::CreateEpic { .. } => {
                let epic = matches!(step, Step::CreateEpic { .. });
                let (number, issue) = self.issues.iter().find(|(n, i)| {
                    i.author == ME
                        && i.created >= since
                        && !accounted.numbers.contains(n)
                        && i.labels.iter().any(|l| l.as_str() == AGENTIC) == epic
                })?;
                seen(issue.created, Made::Issue { number: *number })
            }
            Step::ExtendChecklist { epic, phases } => {
                let list = self.checklist(*epic)?;
                done(phases.iter().flat_map(|p| &p.children).all(|c| list.entry(*c).is_some()))
            }
            Step::Comment { on, .. } => {
                let comment = self.comments.iter().find(|c| {
                    c.on == *on && c.author == ME && c.at >= since && !accounted.comments.contains(&c.id)
                })?;
                seen(comment.at, Made::Comment { id: comment.id })
            }
            Step::AddLabel { on, label } => done(self.has_label(*on, label.as_str())),
            Step::CloseIssue { issue } => done(self.issues.get(issue).is_some_and(|i| !i.open)),
            Step::LinkChild { parent, child } => {
                done(self.issues.get(child).is_some_and(|i| i.parent == Some(*parent)))
            }
            Step::LinkBlocker { blocker, blocked } => {
                done(self.issues.get(blocked).is_some_and(|i| i.blocked_by.contains(blocker)))
            }
            Step::CreateBranch { branch } => {
                seen(now, Made::Commit { sha: self.graph.sha(*self.branches.get(branch)?).clone() })
            }
            Step::DeleteBranch { branch, .. } => done(!self.branches.contains_key(branch)),
            Step::OpenPull { head, base, .. } => {
                let (number, pull) = self.pulls.iter().find(|(n, p)| {
                    p.author == ME
                        && p.head_branch == *head
                        && (p.base == *base || p.state == State::Open)
                        && p.created >= since
                        && !accounted.numbers.contains(n)
                })?;
                seen(pull.created, Made::Pull { number: *number })
            }
            Step::ResolveThread { pull, thread } => {
                done(self.pulls.get(pull)?.threads.iter().any(|t| t.id == *thread && t.resolved))
            }
            Step::UpdateBranch { pull, head } => {
                let (_, _, new, at) = self
                    .updates
                    .iter()
                    .find(|(n, old, _, at)| n == pull && self.graph.sha(*old) == head && *at >= since)?;
                seen(*at, Made::Commit { sha: self.graph.sha(*new).clone() })
            }
            Step::EnableAutoMerge { pull, .. } => done(self.pulls.get(pull)?.armed),
            Step::Merge { pull, head, .. } => {
                let pull = self.pulls.get(pull)?;
                match pull.state {
                    State::Merged { at, commit } if self.graph.sha(pull.head) == head => {
                        seen(at, Made::Commit { sha: self.graph.sha(commit).clone() })
                    }
                    _ => None,
                }
            }
            Step::Tick { epic, children } => {
                let list = self.checklist(*epic)?;
                done(children.iter().all(|c| list.entry(*c).is_none_or(|e| e.ticked)))
            }
        }
    }
}
