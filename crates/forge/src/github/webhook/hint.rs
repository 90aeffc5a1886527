//! What a delivery is about: four fields of it, and which of them are worth a look.

use banksman_core::{
    id::Number,
    text::{RepoName, Sha},
};
use serde::Deserialize;

/// What a delivery says: that looking at a repository may be worth while. Never how things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Something may have changed.
    Look {
        /// In this repository.
        repo: RepoName,
        /// About this.
        about: About,
    },
    /// Nothing that anybody looks at.
    Nothing,
}

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An issue.
    Issue(Number),
    /// A pull request.
    Pull(Number),
    /// Checks of a commit, or a branch that is there now.
    Commit(Sha),
    /// The repository: its branches, labels, rules or name.
    Repository,
}

/// The four fields; whatever else there is, is skipped without being kept.
#[derive(Deserialize)]
struct Payload {
    action: Option<String>,
    repository: Option<Repository>,
    issue: Option<Numbered>,
    pull_request: Option<Numbered>,
    check_run: Option<Headed>,
    check_suite: Option<Headed>,
    merge_group: Option<Headed>,
    /// The commit of a `status`.
    sha: Option<String>,
    /// The new tip of a `push`.
    after: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct Numbered {
    number: Option<u64>,
}

#[derive(Deserialize)]
struct Headed {
    head_sha: Option<String>,
}

impl Hint {
    /// Reads the hint out of verified bytes; `None` when they are no payload.
    pub(super) fn read(event: &str, body: &[u8]) -> Option<Self> {
        let payload: Payload = serde_json::from_slice(body).ok()?;
        let name = payload.repository.as_ref().and_then(|repository| repository.full_name.as_deref());
        let repo = name.and_then(|name| RepoName::new(name).ok());
        let Some(repo) = repo else { return Some(Self::Nothing) };
        let about = payload.about(event);
        Some(about.map_or(Self::Nothing, |about| Self::Look { repo, about }))
    }
}

impl Payload {
    /// What the event is about, if it can change anything that is looked at.
    fn about(&self, event: &str) -> Option<About> {
        let action = self.action.as_deref().unwrap_or_default();
        let number = |numbered: &Option<Numbered>| numbered.as_ref().and_then(|it| it.number).map(Number);
        let commit = |sha: Option<&str>| sha.and_then(|sha| Sha::new(sha).ok()).map(About::Commit);
        let head = |headed: &Option<Headed>| commit(headed.as_ref().and_then(|it| it.head_sha.as_deref()));
        match event {
            "pull_request" if !is_chatter(action) => number(&self.pull_request).map(About::Pull),
            "pull_request_review" | "pull_request_review_thread" => {
                number(&self.pull_request).map(About::Pull)
            }
            // A comment may open a thread; changing or removing one closes none that counts.
            "pull_request_review_comment" if action == "created" => {
                number(&self.pull_request).map(About::Pull)
            }
            "issues" if !is_chatter(action) => number(&self.issue).map(About::Issue),
            "sub_issues" | "issue_dependencies" => Some(About::Repository),
            // That checks were queued, the push that queued them has told.
            "check_run" if action == "completed" || action == "rerequested" => head(&self.check_run),
            "check_suite" if action == "completed" => head(&self.check_suite),
            "merge_group" => head(&self.merge_group),
            "status" => commit(self.sha.as_deref()),
            "push" => Some(commit(self.after.as_deref()).unwrap_or(About::Repository)),
            "create"
            | "delete"
            | "label"
            | "repository"
            | "public"
            | "branch_protection_rule"
            | "branch_protection_configuration"
            | "repository_ruleset" => Some(About::Repository),
            _ => None,
        }
    }
}

/// Actions on issues and pull requests that change nothing which is looked at.
fn is_chatter(action: &str) -> bool {
    matches!(
        action,
        "assigned"
            | "unassigned"
            | "milestoned"
            | "demilestoned"
            | "locked"
            | "unlocked"
            | "pinned"
            | "unpinned"
            | "review_requested"
            | "review_request_removed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &str, body: &str) -> Option<Hint> {
        Hint::read(event, body.as_bytes())
    }

    fn look(about: About) -> Option<Hint> {
        Some(Hint::Look { repo: RepoName::new("acme/shop").unwrap(), about })
    }

    #[test]
    fn four_fields_make_a_hint() {
        let body = r#"{"action":"opened","repository":{"full_name":"acme/shop","id":1},
            "pull_request":{"title":"\u0000 x","number":7,"body":null},"number":9}"#;
        assert_eq!(read("pull_request", body), look(About::Pull(Number(7))));
        assert_eq!(read("pull_request", &body.replace("opened", "assigned")), Some(Hint::Nothing));
        let sha = "5c1f8b6a".repeat(5);
        let body = format!(r#"{{"repository":{{"full_name":"acme/shop"}},"after":"{sha}"}}"#);
        assert_eq!(read("push", &body), look(About::Commit(Sha::new(&sha).unwrap())));
    }

    #[test]
    fn what_is_missing_says_nothing_and_other_shapes_are_no_payload() {
        for body in [
            r#"{}"#,
            r#"{"repository":null}"#,
            r#"{"repository":{"full_name":"acme/shop x"},"pull_request":{"number":7}}"#,
            r#"{"repository":{"full_name":"acme/shop"},"pull_request":{"number":null}}"#,
        ] {
            assert_eq!(read("pull_request", body), Some(Hint::Nothing), "{body}");
        }
        for body in [
            "",
            "{",
            "null",
            "7",
            "\u{feff}{}",
            r#"{"repository":"acme/shop"}"#,
            r#"{"issue":{"number":-7}}"#,
        ] {
            assert_eq!(read("pull_request", body), None, "{body}");
        }
    }
}
