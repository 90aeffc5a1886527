//! What changes something: GraphQL mutations and REST calls that write. Each that stands for a step of an intent is judged as that step where
//! it arrives; one that does not fit the step which is under way is refused, and shows in the counts.

use super::{Reply, node, objects, parts_of};
use crate::{
    forge::{
        State,
        town::{ReviewRow, Reviewer},
    },
    universe::{Universe, name_of},
};
use banksman_core::{
    epic::Checklist,
    id::{Number, ThreadId},
    intent::{Made, Receipt, Step},
    port::{IssueText, Refusal},
    tainted::Tainted,
    text::{BranchName, EngineName, Label, RepoName, Sha},
    work::Verdict,
};
use serde_json::{Value, json};

/// A step that is under way in some process.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    /// Tells it from others like it.
    pub(super) serial: u64,
    pub(super) step: Step,
    /// Writes of a body for it so far: further ones mend what the first overwrote.
    pub(super) edits: u32,
}

/// The node of a label.
pub(super) fn label_node(repo: &RepoName, label: &str) -> String {
    let hex: String = label.bytes().map(|byte| format!("{byte:02x}")).collect();
    node('L', repo, hex)
}

/// Does a step where its request arrives.
fn step(
    u: &mut Universe,
    repo: &RepoName,
    doing: &[Doing],
    fits: impl Fn(&Step) -> bool,
    text: Option<IssueText>,
) -> Result<Receipt, Reply> {
    let Some(doing) = doing.iter().find(|doing| fits(&doing.step)) else {
        u.see("github: a write of no step");
        return Err(Reply::no(422));
    };
    u.perform(repo, &doing.step, text).map_err(|refusal| match refusal {
        Refusal::NotFound => Reply::no(404),
        Refusal::HeadMoved => Reply::no(409),
        Refusal::Ended | Refusal::Conflict | Refusal::NotAllowed => Reply::no(405),
        _ => Reply::no(422),
    })
}

fn either(done: Result<Reply, Reply>) -> Reply {
    done.unwrap_or_else(|refused| refused)
}

/// A GraphQL mutation.
pub(super) fn mutate(
    u: &mut Universe,
    operation: &str,
    vars: &Value,
    doing: &[Doing],
) -> (Reply, Option<RepoName>) {
    let input = &vars["input"];
    let id = ["labelableId", "threadId", "pullRequestId", "repositoryId"]
        .iter()
        .find_map(|key| input[key].as_str());
    let Some((_, repo, which)) = id.and_then(parts_of) else { return (Reply::error("NOT_FOUND"), None) };
    let number = Number(which.parse().unwrap_or_default());
    let head = input["expectedHeadOid"].as_str().unwrap_or_default().to_owned();
    let same = |sha: &Sha| sha.as_str() == head;
    let done = match operation {
        "AddLabels" => {
            let label = input["labelIds"][0].as_str().unwrap_or_default().to_owned();
            let fits = |step: &Step| match step {
                Step::AddLabel { on, label: wanted } => {
                    *on == number && label_node(&repo, wanted.as_str()) == label
                }
                _ => false,
            };
            step(u, &repo, doing, fits, None).map(|_| json!({ "addLabelsToLabelable": {} }))
        }
        "ResolveThread" => {
            let thread = ThreadId(number.0);
            let fits =
                |step: &Step| matches!(step, Step::ResolveThread { thread: wanted, .. } if *wanted == thread);
            let done = step(u, &repo, doing, fits, None);
            if done.is_ok() {
                u.github.resolved.insert((repo.clone(), thread));
            }
            done.map(|_| json!({ "resolveReviewThread": { "thread": { "isResolved": true } } }))
        }
        "UpdateBranch" => {
            let fits = |step: &Step| matches!(step, Step::UpdateBranch { pull, head } if *pull == number && same(head));
            // The new head often is not there yet when the answer leaves.
            let late = number.0.is_multiple_of(2);
            step(u, &repo, doing, fits, None).map(|receipt| {
                let new = match receipt.made {
                    Made::Commit { sha } if !late => json!({ "headRefOid": sha.as_str() }),
                    _ => json!({ "headRefOid": head }),
                };
                json!({ "updatePullRequestBranch": { "pullRequest": new } })
            })
        }
        "EnableAutoMerge" => {
            let fits = |step: &Step| matches!(step, Step::EnableAutoMerge { pull, head } if *pull == number && same(head));
            step(u, &repo, doing, fits, None).map(
                |_| json!({ "enablePullRequestAutoMerge": { "pullRequest": { "autoMergeRequest": {} } } }),
            )
        }
        "UpdateRefs" => {
            let update = &input["refUpdates"][0];
            let branch = update["name"]
                .as_str()
                .and_then(|name| name.strip_prefix("refs/heads/"))
                .unwrap_or_default()
                .to_owned();
            let fits = |step: &Step| matches!(step, Step::DeleteBranch { branch: wanted, .. } if wanted.as_str() == branch);
            let before = update["beforeOid"].as_str().unwrap_or_default();
            let there = u.in_town(&repo, |town, _| {
                let head = BranchName::new(&branch).ok().and_then(|name| town.branches.get(&name).copied());
                head.is_some_and(|head| town.graph.sha(head).as_str() == before)
            });
            if there == Some(true) {
                step(u, &repo, doing, fits, None).map(|_| json!({ "updateRefs": {} }))
            } else {
                Err(Reply::no(422))
            }
        }
        _ => Err(Reply::no(422)),
    };
    let reply = match done {
        Ok(data) => Reply::ok(json!({ "data": data })),
        Err(Reply { status: 404, .. }) => Reply::error("NOT_FOUND"),
        Err(_) => Reply::error("UNPROCESSABLE"),
    };
    (reply, Some(repo))
}

/// A REST call that writes. `rest` is the path inside the repository.
pub(super) fn write(
    u: &mut Universe,
    operation: &str,
    repo: &RepoName,
    rest: &[&str],
    body: &Value,
    doing: &mut [Doing],
) -> Reply {
    let number = Number(rest.get(1).and_then(|part| part.parse().ok()).unwrap_or_default());
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let named = |key: &str| Number(body[key].as_u64().unwrap_or_default());
    either(match operation {
        "create_issue" => {
            let labels = body["labels"].as_array().into_iter().flatten();
            let labels: Vec<Label> = labels.filter_map(|label| Label::new(label.as_str()?).ok()).collect();
            for label in &labels {
                u.github.labels.insert((repo.clone(), label.as_str().to_owned()));
            }
            let words = IssueText {
                title: Tainted::new(text("title").to_owned()),
                body: Tainted::new(text("body").to_owned()),
                labels,
            };
            let fits = |step: &Step| matches!(step, Step::CreateIssue { .. } | Step::CreateEpic { .. });
            step(u, repo, doing, fits, Some(words)).map(|receipt| match receipt.made {
                Made::Issue { number } => Reply::made(
                    u.in_town(repo, |town, _| objects::issue_rest(town, number))
                        .flatten()
                        .unwrap_or_default(),
                ),
                _ => Reply::no(422),
            })
        }
        "comment" => {
            let said = text("body").to_owned();
            let fits = |step: &Step| matches!(step, Step::Comment { on, say } if *on == number && say.to_string() == said);
            let now = u.now;
            step(u, repo, doing, fits, None).map(|receipt| match receipt.made {
                Made::Comment { id } => Reply::made(json!({
                    "id": id.0, "user": objects::user(crate::forge::town::ME), "body": said, "created_at": objects::time(now),
                })),
                _ => Reply::no(422),
            })
        }
        "close_issue" => {
            let fits = |step: &Step| matches!(step, Step::CloseIssue { issue } if *issue == number);
            step(u, repo, doing, fits, None).map(|_| {
                Reply::ok(
                    u.in_town(repo, |town, _| objects::issue_rest(town, number))
                        .flatten()
                        .unwrap_or_default(),
                )
            })
        }
        "edit_body" => Ok(edit_body(u, repo, number, text("body"), doing)),
        "create_label" => {
            if u.github.labels.insert((repo.clone(), text("name").to_owned())) {
                Ok(Reply::made(json!({ "name": text("name") })))
            } else {
                Err(Reply::no(422))
            }
        }
        "add_sub_issue" => {
            let child = named("sub_issue_id");
            let fits = |step: &Step| matches!(step, Step::LinkChild { parent, child: wanted } if *parent == number && *wanted == child);
            step(u, repo, doing, fits, None).map(|_| Reply::made(json!({})))
        }
        "add_blocked_by" => {
            let other = named("issue_id");
            let fits = |step: &Step| matches!(step, Step::LinkBlocker { blocker, blocked } if *blocked == number && *blocker == other);
            step(u, repo, doing, fits, None).map(|_| Reply::made(json!({})))
        }
        "create_branch" => {
            let name = text("ref").to_owned();
            let fits = |step: &Step| matches!(step, Step::CreateBranch { branch } if name == format!("refs/heads/{branch}"));
            step(u, repo, doing, fits, None).map(|receipt| match receipt.made {
                Made::Commit { sha } => Reply::made(json!({ "object": { "sha": sha.as_str() } })),
                _ => Reply::no(422),
            })
        }
        "open_pull" => {
            let (from, into) = (text("head").to_owned(), text("base").to_owned());
            let fits = |step: &Step| matches!(step, Step::OpenPull { head, base, .. } if head.as_str() == from && base.as_str() == into);
            match step(u, repo, doing, fits, None) {
                Ok(Receipt { made: Made::Pull { number }, .. }) => Ok(Reply::made(
                    u.in_town(repo, |town, _| objects::pull_rest(town, number)).flatten().unwrap_or_default(),
                )),
                Ok(_) | Err(_) => Err(Reply::no(422)),
            }
        }
        "merge" => {
            let sha = text("sha").to_owned();
            let fits = |step: &Step| matches!(step, Step::Merge { pull, head, .. } if *pull == number && head.as_str() == sha);
            step(u, repo, doing, fits, None).map(|receipt| match receipt.made {
                Made::Commit { sha } => Reply::ok(
                    json!({ "sha": sha.as_str(), "merged": true, "message": crate::canary::text("merged") }),
                ),
                _ => Reply::no(422),
            })
        }
        "retarget" => {
            let base = BranchName::new(text("base")).ok();
            let now = u.now;
            let moved = u.in_town(repo, |town, _| {
                let pull = town.pulls.get_mut(&number).filter(|pull| pull.state == State::Open);
                if let (Some(pull), Some(base)) = (pull, base) {
                    pull.base = base;
                    pull.updated = now;
                }
            });
            moved.map_or(Err(Reply::no(404)), |()| Ok(Reply::ok(json!({}))))
        }
        "verdict" => Ok(verdict(u, repo, rest, body)),
        "review" | "thread" | "file_thread" => Ok(review(u, operation, repo, number, body)),
        _ => Err(Reply::no(404)),
    })
}

/// A body is written as a whole, whatever stood there.
fn edit_body(u: &mut Universe, repo: &RepoName, number: Number, body: &str, doing: &mut [Doing]) -> Reply {
    let entries = |body: &str| Checklist::read(&Tainted::new(body.to_owned())).entries.len();
    let before =
        u.towns.get(repo).and_then(|town| town.issues.get(&number)).map_or(0, |it| entries(&it.body));
    let longer = entries(body) > before;
    let fits = |step: &Step| match step {
        Step::Tick { epic, .. } => *epic == number && !longer,
        Step::ExtendChecklist { epic, .. } => *epic == number,
        _ => false,
    };
    let Some(doing) = doing.iter_mut().find(|doing| fits(&doing.step)) else {
        u.see("github: a write of no step");
        return Reply::no(422);
    };
    let first = doing.edits == 0;
    let step = doing.step.clone();
    let done = u.in_town(repo, |town, u| {
        let intent = u.intent_of(repo, &step);
        let objections = u.judge(repo, town, &step);
        let issue = town.issues.get_mut(&number)?;
        u.github.edited(repo, number, &issue.body, body);
        if issue.body != body {
            body.clone_into(&mut issue.body);
            if first {
                u.tally.effects += 1;
                u.see(name_of(&step));
                u.count(repo, &step, intent);
                objections.into_iter().for_each(|(invariant, what)| u.violated(invariant, what));
            } else {
                u.see("github: a body mended");
            }
        }
        Some(())
    });
    if done.flatten().is_none() {
        return Reply::no(404);
    }
    doing.edits += 1;
    Reply::ok(json!({}))
}

/// A commit status of an engine's verdict.
fn verdict(u: &mut Universe, repo: &RepoName, rest: &[&str], body: &Value) -> Reply {
    let engine = body["context"].as_str().and_then(|context| context.strip_prefix("banksman/review/"));
    let engine = engine.and_then(|name| EngineName::new(name).ok());
    let sha = rest.get(1).and_then(|sha| Sha::new(sha).ok());
    let (Some(engine), Some(sha)) = (engine, sha) else { return Reply::no(422) };
    let verdict = if body["state"] == "success" { Verdict::Approve } else { Verdict::Changes };
    let now = u.now;
    let done = u.in_town(repo, |town, _| {
        let head = town.commit(&sha)?;
        let pull = town.pulls.values_mut().find(|pull| pull.head == head)?;
        pull.updated = now;
        pull.reviews.push(ReviewRow { reviewer: Reviewer::Engine(engine), head, verdict });
        Some(())
    });
    match done.flatten() {
        Some(()) => Reply::made(json!({})),
        None => Reply::no(422),
    }
}

/// A review of ours, with its threads.
fn review(u: &mut Universe, operation: &str, repo: &RepoName, number: Number, body: &Value) -> Reply {
    let threads = match operation {
        "review" => body["comments"].as_array().map_or(0, Vec::len),
        _ => 1,
    };
    if operation == "review"
        && let Some(sha) = body["commit_id"].as_str().and_then(|sha| Sha::new(sha).ok())
    {
        u.github.reviews.push((repo.clone(), number, sha));
    }
    let now = u.now;
    let done = u.in_town(repo, |town, _| {
        let open = town.pulls.get(&number).is_some_and(|pull| pull.state == State::Open);
        (0..threads).filter(|_| open).for_each(|_| town.open_thread(now, number));
    });
    if done.is_some() { Reply::ok(json!({})) } else { Reply::no(404) }
}
