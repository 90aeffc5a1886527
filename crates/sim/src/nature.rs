//! Nature: everything that happens without Banksman. Checks run, forges merge by themselves, people review, approve, edit, push and close,
//! strangers write.

use crate::{
    canary,
    chance::{CHECK, PERSON},
    executor::{HOUR, MINUTE, Micros, NATURE, SECOND},
    forge::{
        Commit, State, Town,
        town::{LOOKALIKE, OWNER, Pusher, ReviewRow, Reviewer, STRANGER, tag},
    },
    plan::{RepoPlan, implementer, side_branch},
    universe::Universe,
    world::Shared,
};
use banksman_core::{
    id::{ActorId, Number},
    intent::{AGENTIC, APPROVED, MergeMethod, NEEDS_INTERVENTION},
    repo::RepoRules,
    signals::CheckState,
    text::RepoName,
    work::Verdict,
};
use std::sync::Arc;

/// Does something later; nobody can stop it.
pub(crate) fn later(shared: &Arc<Shared>, delay: Micros, what: impl FnOnce(&Arc<Shared>) + 'static) {
    shared.with(|u| u.agenda += 1);
    let at = shared.kernel.now() + delay;
    let inside = Arc::clone(shared);
    shared.kernel.spawn(NATURE, async move {
        inside.kernel.sleep_until(at).await;
        what(&inside);
        inside.with(|u| u.agenda -= 1);
    });
}

/// Something of people or checks in a town; everybody may notice.
fn happen(
    shared: &Arc<Shared>,
    repo: &RepoName,
    what: &'static str,
    deed: impl FnOnce(&mut Town, &mut Universe) -> Option<u64>,
) {
    let happened = shared.with(|u| u.in_town(repo, deed).flatten());
    if let Some(number) = happened {
        shared.note(NATURE, what, number, || format!("{repo} #{number}"));
        shared.changed(None);
        stir(shared, repo);
    }
}

/// Looks at what changed on the forge and plans what follows from it: checks of new heads, looks by people, merges by the forge.
pub(crate) fn stir(shared: &Arc<Shared>, repo: &RepoName) {
    struct Fresh {
        pull: Number,
        head: Commit,
        checks: usize,
        people: bool,
    }
    let (fresh, clear) = shared.with(|u| {
        u.in_town(repo, |town, _| {
            let open: Vec<(Number, Commit)> = town
                .pulls
                .iter()
                .filter(|(_, p)| p.state == State::Open)
                .map(|(n, p)| (*n, p.head))
                .collect();
            let clear: Vec<(Number, Commit)> = open
                .iter()
                .filter(|(n, _)| town.pulls.get(n).is_some_and(|p| p.armed && town.clear(p)))
                .copied()
                .collect();
            let mut fresh = Vec::new();
            for (pull, head) in open {
                if !town.noticed.insert((pull, head)) {
                    continue;
                }
                let people = town.customs.people_review;
                let checks = if town.checks.contains_key(&head) { 0 } else { town.customs.checks as usize };
                if checks > 0 {
                    town.checks.insert(head, vec![CheckState::Pending; checks]);
                }
                fresh.push(Fresh { pull, head, checks, people });
            }
            (fresh, clear)
        })
        .unwrap_or_default()
    });
    for (pull, head) in clear {
        let (repo, delay) = (repo.clone(), shared.kernel.draw(|c| c.time(SECOND, 30 * SECOND)));
        later(shared, delay, move |shared| {
            happen(shared, &repo, "auto-merge", |town, u| {
                let pull_row = town.pulls.get(&pull)?;
                if pull_row.state != State::Open || pull_row.head != head || !town.clear(pull_row) {
                    return None;
                }
                town.merge(u.now, pull, MergeMethod::Merge)?;
                u.tally.merges += 1;
                Some(pull.0)
            });
        });
    }
    for Fresh { pull, head, checks, people } in fresh {
        run_checks(shared, repo, head, checks);
        if people {
            for person in [OWNER, ActorId(5)] {
                let (repo, delay) = (repo.clone(), shared.kernel.draw(|c| c.around(PERSON)));
                later(shared, delay, move |shared| person_reviews(shared, &repo, pull, head, person));
            }
        }
    }
}

/// Checks of a head, each in its own time. How often they fail falls with each run of a pull request's life, as people mend flaky ones.
fn run_checks(shared: &Arc<Shared>, repo: &RepoName, head: Commit, count: usize) {
    for n in 0..count {
        let (delay, lot) = shared.kernel.draw(|c| (c.around(CHECK), c.below(1000)));
        let repo = repo.clone();
        later(shared, delay, move |shared| {
            happen(shared, &repo, "check", |town, _| {
                // The rate is per run of all checks, so each has its share.
                let fails = lot * (count as u64) < town.customs.ci_failure;
                let state = if fails { CheckState::Failing } else { CheckState::Passing };
                *town.checks.get_mut(&head)?.get_mut(n)? = state;
                Some(u64::from(head.place()))
            });
        });
    }
}

fn person_reviews(shared: &Arc<Shared>, repo: &RepoName, number: Number, head: Commit, person: ActorId) {
    let (rounds, threads) = shared.kernel.draw(|c| (c.review_rounds(), c.between(1, 3)));
    happen(shared, repo, "person reviews", |town, u| {
        let rounds = rounds + town.customs.stubborn;
        let pull = town.pulls.get_mut(&number)?;
        if pull.state != State::Open || pull.head != head {
            return None;
        }
        let content = person != OWNER
            || pull.reviews.iter().filter(|r| r.verdict == Verdict::Changes).count() >= rounds as usize;
        let verdict = if content { Verdict::Approve } else { Verdict::Changes };
        pull.reviews.push(ReviewRow { reviewer: Reviewer::Person(person), head, verdict });
        pull.updated = u.now;
        if !content {
            (0..threads).for_each(|_| town.open_thread(u.now, number));
        }
        Some(number.0)
    });
}

/// What people and strangers have in mind for a repository, planned at the beginning.
pub(crate) fn populate(shared: &Arc<Shared>, plan: &RepoPlan) {
    let busy = shared.plan.busy;
    let at = |low: Micros| shared.kernel.draw(|c| c.time(low, busy.max(low + MINUTE)));
    let approval = at(10 * MINUTE);
    let mut moments: Vec<(Micros, Whim)> = vec![(approval, Whim::Approve)];
    for whim in Whim::ALL {
        let times = shared.kernel.draw(|c| if c.below(3) == 0 { c.between(1, 3) } else { 0 });
        moments.extend((0..times).map(|_| (at(MINUTE), whim)));
    }
    for (moment, whim) in moments {
        let repo = plan.name.clone();
        later(shared, moment, move |shared| act(shared, &repo, whim));
    }
}

/// What people do of their own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whim {
    /// The owner approves the features.
    Approve,
    /// Somebody writes into an epic's body.
    Edit,
    /// Somebody takes a tick back.
    Untick,
    /// Somebody comments, in our own words.
    Comment,
    /// A stranger writes an issue with the trigger label.
    Issue,
    /// A stranger opens a pull request that says it closes a child.
    Pull,
    /// The owner opens a pull request for a child.
    OwnPull,
    /// The owner pushes to an open pull request.
    Push,
    /// The owner pushes to the default branch.
    PushMain,
    /// The owner closes a pull request.
    Close,
    /// The owner closes a child.
    CloseChild,
    /// The author marks a pull request as a draft for a while.
    Draft,
    /// Somebody labels a child with a word of their own.
    Label,
}

impl Whim {
    const ALL: [Whim; 12] = [
        Whim::Edit,
        Whim::Untick,
        Whim::Comment,
        Whim::Issue,
        Whim::Pull,
        Whim::OwnPull,
        Whim::Push,
        Whim::PushMain,
        Whim::Close,
        Whim::CloseChild,
        Whim::Draft,
        Whim::Label,
    ];
}

fn act(shared: &Arc<Shared>, repo: &RepoName, whim: Whim) {
    let lot = shared.kernel.draw(|c| c.below(u64::MAX));
    let some = |all: Vec<Number>| (!all.is_empty()).then(|| all[(lot % all.len().max(1) as u64) as usize]);
    happen(shared, repo, "whim", |town, u| {
        let now = u.now;
        let open_pulls = || {
            let open = town.pulls.iter().filter(|(_, p)| p.state == State::Open);
            some(open.map(|(n, _)| *n).collect())
        };
        let epic = || some(town.issues.keys().filter(|n| town.has_label(**n, AGENTIC)).copied().collect());
        let child = || {
            some(town.issues.iter().filter(|(_, i)| i.open && i.parent.is_some()).map(|(n, _)| *n).collect())
        };
        match whim {
            Whim::Approve => {
                let features: Vec<Number> = town
                    .issues
                    .iter()
                    .filter(|(_, i)| i.author == OWNER && i.title.starts_with("feat"))
                    .map(|(n, _)| *n)
                    .collect();
                for number in &features {
                    if let Some(labels) = town.labels(*number) {
                        labels.push(tag(APPROVED));
                    }
                }
                features.first().map(|n| n.0)
            }
            Whim::Edit => {
                let epic = epic()?;
                let line = format!("{} ({lot})", canary::text("edit"));
                let body = &mut town.issues.get_mut(&epic)?.body;
                let new = if lot & 1 == 0 { format!("{line}\n{body}") } else { format!("{body}\n{line}\n") };
                u.github.edited(repo, epic, body, &new);
                *body = new;
                u.notes.lines.push((repo.clone(), epic, line));
                Some(epic.0)
            }
            Whim::Untick => {
                let epic = epic()?;
                let body = &mut town.issues.get_mut(&epic)?.body;
                let new = body.replacen("- [x] #", "- [ ] #", 1);
                u.github.edited(repo, epic, body, &new);
                *body = new;
                Some(epic.0)
            }
            Whim::Comment => {
                let on = open_pulls().or(child())?;
                town.comment(now, on, LOOKALIKE, None);
                Some(on.0)
            }
            Whim::Issue => {
                let labels = vec![RepoRules::agent_label(&implementer()), tag(canary::LABEL)];
                let author = if lot & 1 == 0 { STRANGER } else { LOOKALIKE };
                Some(town.open_issue(now, author, &canary::text("title"), canary::text("body"), labels).0)
            }
            Whim::Pull | Whim::OwnPull => {
                let closes = child()?;
                let author = if whim == Whim::OwnPull { OWNER } else { STRANGER };
                if author == OWNER && town.pulls.values().any(|p| p.closes.contains(&closes)) {
                    return None;
                }
                let epic = town.issues.get(&closes)?.parent?;
                let base = u.store.repo(repo)?.epics.get(&epic)?.branch.clone();
                let from = *town.branches.get(&base)?;
                let branch = side_branch(lot % 1000);
                let commit = town.graph.add(&[from], 1 << (lot % 60));
                town.move_branch(now, &branch, commit, Pusher::Implementer);
                town.open_pull(now, author, &branch, &base, closes).map(|n| n.0)
            }
            Whim::Push => {
                let number = open_pulls()?;
                let branch = town.pulls.get(&number)?.head_branch.clone();
                town.push(now, &branch, 1 << (lot % 60));
                Some(number.0)
            }
            Whim::PushMain => {
                let branch = town.default_branch.clone();
                town.push(now, &branch, 1 << (lot % 8));
                Some(0)
            }
            Whim::Close => {
                let number = open_pulls()?;
                let pull = town.pulls.get_mut(&number)?;
                pull.state = State::Closed { at: now };
                pull.updated = now;
                Some(number.0)
            }
            Whim::CloseChild => {
                let child = child()?;
                town.close_issue(now, child).then_some(child.0)
            }
            Whim::Draft => {
                let number = open_pulls()?;
                town.pulls.get_mut(&number)?.draft = true;
                Some(number.0)
            }
            Whim::Label => {
                let child = child()?;
                town.labels(child)?.push(tag(canary::LABEL));
                Some(child.0)
            }
        }
    });
    if whim == Whim::Draft {
        let repo = repo.clone();
        later(shared, HOUR / 2, move |shared| {
            happen(shared, &repo, "ready", |town, _| {
                town.pulls.values_mut().for_each(|p| p.draft = false);
                Some(0)
            });
        });
    }
}

/// People help where they were called: they push to pull requests that carry the label, once each.
pub(crate) fn help(shared: &Arc<Shared>, repo: &RepoName) {
    happen(shared, repo, "help", |town, u| {
        let called = town
            .pulls
            .iter()
            .filter(|(n, p)| p.state == State::Open && town.has_label(**n, NEEDS_INTERVENTION))
            .map(|(n, p)| (*n, p.head_branch.clone()))
            .next()?;
        town.push(u.now, &called.1, 0);
        Some(called.0.0)
    });
}
