//! What REST and GraphQL do alike: GitHub's rules around the forge's own.

mod labels;

pub(crate) use labels::{change_label, label_names, make_label, replace_labels};

use crate::{
    caller::{Caller, Spot},
    problem::Problem,
};
use axum::http::StatusCode;
use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::{
        Refusal,
        book::{HeadFate, NewThread, Opinion, Presence, Readiness, Select, Who},
    },
    signals::{MergeState, PullState},
    tainted::Tainted,
    text::{BranchName, Sha},
};
use banksman_forge::local::{LocalError, PullDraft, PullSummary};

/// A pull request that somebody wants to open.
pub(crate) struct Wish<'w> {
    /// Its title.
    pub(crate) title: &'w str,
    /// Its body.
    pub(crate) body: &'w str,
    /// From: a branch, with or without the owner in front.
    pub(crate) head: &'w str,
    /// Into.
    pub(crate) base: &'w str,
    /// Draft or ready.
    pub(crate) readiness: Readiness,
}

/// Opens a pull request. As on GitHub a second one between the same branches is refused, and the body says which issue it closes.
pub(crate) async fn open_pull(caller: &Caller, spot: &Spot, wish: Wish<'_>) -> Result<Number, Problem> {
    let at = caller.at(spot);
    if wish.title.trim().is_empty() {
        return Err(Problem::invalid("PullRequest", "title", "missing_field"));
    }
    let branch = |text: &str, field| {
        BranchName::new(text).map_err(|_| Problem::invalid("PullRequest", field, "invalid"))
    };
    let head = branch(wish.head.rsplit_once(':').map_or(wish.head, |(_, branch)| branch), "head")?;
    let base = branch(wish.base, "base")?;
    let branches = caller.front.branches(&at).await?;
    for (branch, field) in [(&head, "head"), (&base, "base")] {
        if !branches.iter().any(|(name, _)| name == branch) {
            return Err(Problem::invalid("PullRequest", field, "invalid"));
        }
    }
    let open = caller.front.pulls(&at, Select::Open).await?;
    if open.iter().any(|pull| pull.signals.head_branch == head && pull.signals.base == base) {
        let message = "A pull request already exists between these branches.";
        return Err(Problem::custom("PullRequest", "base", message));
    }
    let closes = match closes(wish.body) {
        Some(issue) => {
            let there = caller.front.issues(&at, Select::Numbers(vec![issue])).await?;
            (!there.is_empty()).then_some(issue)
        }
        None => None,
    };
    let draft = PullDraft {
        title: Tainted::new(wish.title.to_owned()),
        body: Tainted::new(wish.body.to_owned()),
        head,
        base: Some(base),
        closes,
        readiness: wish.readiness,
        // As the embedded forge does it itself: what Banksman opened is tidied up after the merge.
        head_fate: if caller.who == Who::Banksman { HeadFate::Deleted } else { HeadFate::Kept },
    };
    match caller.front.open_pull(&at, draft).await {
        Err(LocalError::Refused(Refusal::Nothing)) => {
            Err(Problem::custom("PullRequest", "head", "No commits between base and head"))
        }
        done => Ok(done?),
    }
}

/// The issue that a body says it closes: the first one behind one of GitHub's nine words.
pub(crate) fn closes(body: &str) -> Option<Number> {
    const WORDS: [&str; 9] =
        ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    let mut words = body.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).trim_end_matches(':');
        if WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
            && let Some(number) = words.peek().and_then(|next| next.strip_prefix('#'))
        {
            let digits = number.find(|c: char| !c.is_ascii_digit()).map_or(number, |end| &number[..end]);
            if let Ok(number) = digits.parse() {
                return Some(Number(number));
            }
        }
    }
    None
}

/// A way of merging in GitHub's words. Rebasing is not offered.
pub(crate) fn method(word: Option<&str>) -> Result<MergeMethod, Problem> {
    match word.unwrap_or("merge").to_ascii_lowercase().as_str() {
        "merge" => Ok(MergeMethod::Merge),
        "squash" => Ok(MergeMethod::Squash),
        "rebase" => Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Rebase merges are not allowed on this repository.",
        )),
        _ => Err(Problem::invalid("PullRequest", "merge_method", "invalid")),
    }
}

/// Merges a pull request. `head` is the commit that was looked at; without one it is the one that is there.
pub(crate) async fn merge(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    head: Option<&str>,
    method: MergeMethod,
) -> Result<Sha, Problem> {
    let at = caller.at(spot);
    let pull = pull(caller, spot, number).await?;
    match &pull.signals.state {
        PullState::Open => {}
        PullState::Merged { .. } | PullState::Closed { .. } => {
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Pull Request is not mergeable"));
        }
    }
    let head = expected(head, &pull)?;
    let not_now = |message| Problem::new(StatusCode::METHOD_NOT_ALLOWED, message);
    match caller.front.merge(&at, number, head, method).await {
        Err(LocalError::Refused(Refusal::Conflict)) => Err(not_now("Pull Request has merge conflicts")),
        Err(LocalError::Refused(Refusal::NotAllowed)) => Err(not_now(why_not(&pull))),
        Err(LocalError::Refused(Refusal::Nothing | Refusal::Ended)) => {
            Err(not_now("Pull Request is not mergeable"))
        }
        done => Ok(done?),
    }
}

/// What stands in the way of a merge.
fn why_not(pull: &PullSummary) -> &'static str {
    let signals = &pull.signals;
    if signals.is_draft {
        "Pull Request is still a draft"
    } else if signals.reviews.changes_requested > 0 {
        "Changes have been requested"
    } else if signals.reviews.approved < signals.reviews.required {
        "At least one approving review is required by reviewers with write access."
    } else if signals.merge_state == MergeState::Behind {
        "The head branch is not up to date with the base branch"
    } else {
        "Required status checks have not passed"
    }
}

/// The head that a caller expects, or the one that is there.
fn expected(head: Option<&str>, pull: &PullSummary) -> Result<Sha, Problem> {
    match head {
        Some(head) => {
            Sha::new(head).map_err(|_| Problem::invalid("PullRequest", "expectedHeadOid", "invalid"))
        }
        None => Ok(pull.signals.head.clone()),
    }
}

/// Merges the base into the head branch of a pull request.
pub(crate) async fn update_branch(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    head: Option<&str>,
) -> Result<Sha, Problem> {
    let pull = pull(caller, spot, number).await?;
    let head = expected(head, &pull)?;
    match caller.front.update_branch(&caller.at(spot), number, head).await {
        Err(LocalError::Refused(Refusal::HeadMoved)) => {
            Err(Problem::unprocessable("expected head sha didn't match current head ref."))
        }
        Err(LocalError::Refused(Refusal::Conflict)) => {
            Err(Problem::unprocessable("merge conflict between base and head"))
        }
        Err(LocalError::Refused(Refusal::Nothing)) => {
            Err(Problem::unprocessable("There are no new commits on the base branch."))
        }
        done => Ok(done?),
    }
}

/// Orders a pull request to be merged once it can be. As on GitHub, one that can be merged now is refused.
pub(crate) async fn arm(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    head: Option<&str>,
    method: MergeMethod,
) -> Result<(), Problem> {
    let pull = pull(caller, spot, number).await?;
    let signals = &pull.signals;
    if signals.state != PullState::Open {
        return Err(Problem::unprocessable("Pull request is closed"));
    }
    if expected(head, &pull)? != signals.head {
        return Err(Problem::unprocessable("Head branch was modified. Review and try the merge again."));
    }
    if signals.is_draft {
        return Err(Problem::unprocessable("Pull request is in draft state"));
    }
    if signals.merge_state == MergeState::Clean {
        return Err(Problem::unprocessable("Pull request Pull request is in clean status"));
    }
    Ok(caller.front.arm(&caller.at(spot), number, method).await?)
}

/// Writes a review of the head that the caller looked at, or of the one that is there.
pub(crate) async fn write_review(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    head: Option<Sha>,
    opinion: Opinion,
    body: Tainted,
    threads: Vec<NewThread>,
) -> Result<(), Problem> {
    let pull = pull(caller, spot, number).await?;
    let head = head.unwrap_or_else(|| pull.signals.head.clone());
    match caller.front.review(&caller.at(spot), number, head, opinion, body, threads).await {
        Err(LocalError::Refused(Refusal::NotAllowed)) if opinion == Opinion::Approved => {
            Err(Problem::unprocessable("Can not approve your own pull request"))
        }
        Err(LocalError::Refused(Refusal::NotAllowed)) => {
            Err(Problem::unprocessable("Can not request changes on your own pull request"))
        }
        done => Ok(done?),
    }
}

/// One pull request.
pub(crate) async fn pull(caller: &Caller, spot: &Spot, number: Number) -> Result<PullSummary, Problem> {
    let found = caller.front.pulls(&caller.at(spot), Select::Numbers(vec![number])).await?.pop();
    found.ok_or_else(Problem::not_found)
}

/// Closes an issue or pull request, or opens it again.
pub(crate) async fn set_open(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    open: Presence,
) -> Result<(), Problem> {
    let at = caller.at(spot);
    let is_issue = !caller.front.issues(&at, Select::Numbers(vec![number])).await?.is_empty();
    let done = match (is_issue, open) {
        (true, Presence::Present) => caller.front.reopen_issue(&at, number).await,
        (true, Presence::Absent) => caller.front.close_issue(&at, number).await,
        (false, Presence::Present) => caller.front.reopen_pull(&at, number).await,
        (false, Presence::Absent) => match pull(caller, spot, number).await?.signals.state {
            PullState::Open => caller.front.close_pull(&at, number).await,
            PullState::Closed { .. } | PullState::Merged { .. } => Ok(()),
        },
    };
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_which_issue_it_closes() {
        for (body, number) in [
            ("Closes #12", Some(12)),
            ("text\n\nfixes: #3.", Some(3)),
            ("(Resolved #4)", Some(4)),
            ("see #5", None),
            ("closes 6", None),
            ("closes #x, fixes #7", Some(7)),
        ] {
            assert_eq!(closes(body), number.map(Number), "{body}");
        }
    }
}
