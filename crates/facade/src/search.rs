//! Search as `gh` and octokit ask for it: qualifiers that everybody uses, and words that title or body contain.

use crate::{
    caller::{Caller, Spot},
    problem::Problem,
};
use banksman_core::{
    port::book::{IssueRecord, Select},
    signals::{PullState, Reviews},
    text::Label,
};
use banksman_forge::local::PullSummary;
use jiff::Timestamp;
use std::{cmp::Reverse, sync::Arc};

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Search {
    repos: Vec<String>,
    owners: Vec<String>,
    labels: Vec<String>,
    without_labels: Vec<String>,
    authors: Vec<String>,
    is: Vec<String>,
    head: Option<String>,
    base: Option<String>,
    review: Option<String>,
    words: Vec<String>,
    /// Something that nothing here can be: assigned to somebody, in a milestone.
    nothing: bool,
    by_update: bool,
    ascending: bool,
}

/// Something that was found.
pub(crate) enum Found {
    /// An issue.
    Issue(Arc<Spot>, IssueRecord),
    /// A pull request.
    Pull(Arc<Spot>, Box<PullSummary>),
}

impl Search {
    /// Reads a query. `sort` and `order` are those of the REST call.
    pub(crate) fn read(query: &str, viewer: &str) -> Self {
        let mut search = Self::default();
        for term in terms(query) {
            let (no, term) = match term.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, term.as_str()),
            };
            let Some((key, value)) = term.split_once(':').filter(|(key, _)| !key.contains(' ')) else {
                search.words.push(term.to_lowercase());
                continue;
            };
            let value = value.trim_matches('"').to_owned();
            let person = if value == "@me" { viewer.to_owned() } else { value.clone() };
            match (key.to_ascii_lowercase().as_str(), no) {
                ("repo", _) => search.repos.push(value),
                ("user" | "org" | "owner", _) => search.owners.push(value),
                ("label", true) => search.without_labels.push(value),
                ("label", false) => search.labels.extend(value.split(',').map(ToOwned::to_owned)),
                ("author", _) => search.authors.push(person),
                ("is" | "type" | "state", _) => search.is.push(value.to_ascii_lowercase()),
                ("draft", _) => search.is.push(if value == "true" { "draft" } else { "ready" }.to_owned()),
                ("head", _) => search.head = Some(value),
                ("base", _) => search.base = Some(value),
                ("review", _) => search.review = Some(value),
                ("sort", _) => search.sorted(&value),
                (
                    "assignee" | "milestone" | "mentions" | "involves" | "review-requested" | "commenter",
                    false,
                ) => {
                    search.nothing = true;
                }
                _ => {}
            }
        }
        search
    }

    /// Takes `sort:updated-asc` and the like.
    pub(crate) fn sorted(&mut self, sort: &str) {
        self.by_update |= sort.starts_with("updated");
        self.ascending |= sort.ends_with("asc");
    }

    fn is(&self, word: &str) -> bool {
        self.is.iter().any(|is| is == word)
    }

    fn in_repo(&self, spot: &Spot) -> bool {
        let full = spot.full_name();
        let local = format!("local/{}", spot.name());
        let same = |name: &String| full.eq_ignore_ascii_case(name) || local.eq_ignore_ascii_case(name);
        let owner = |name: &String| spot.owner.eq_ignore_ascii_case(name) || name == "@me";
        (self.repos.is_empty() || self.repos.iter().any(same))
            && (self.owners.is_empty() || self.owners.iter().any(owner))
    }

    fn labelled(&self, labels: &[Label]) -> bool {
        let has = |name: &String| labels.iter().any(|label| label.as_str().eq_ignore_ascii_case(name));
        self.labels.iter().all(has) && !self.without_labels.iter().any(has)
    }

    fn by(&self, login: &str) -> bool {
        let same = |name: &String| {
            login.trim_end_matches("[bot]").eq_ignore_ascii_case(name.trim_start_matches("app/"))
        };
        self.authors.is_empty() || self.authors.iter().any(same)
    }

    /// What there is of it, in the order that is asked for: the newest first unless said otherwise.
    pub(crate) async fn run(&self, caller: &Caller) -> Result<Vec<Found>, Problem> {
        let mut found = Vec::new();
        let issues = !self.is("pr") && !self.is("pull-request") && !self.is("merged") && !self.is("draft");
        let pulls = !self.is("issue");
        for spot in caller.spots().await? {
            let spot = match self.repos.iter().find_map(|name| name.split_once('/')) {
                // As it was asked for.
                Some((owner, name)) if self.in_repo(&spot) => caller.spot(owner, name).await.unwrap_or(spot),
                _ => spot,
            };
            if self.nothing || !self.in_repo(&spot) {
                continue;
            }
            let (spot, at) = (Arc::new(spot.clone()), caller.at(&spot));
            let which = if self.is("open") { Select::Open } else { Select::All };
            if issues {
                for issue in caller.front.issues(&at, which.clone()).await? {
                    let right = self.labelled(&issue.labels)
                        && self.by(issue.author.login.as_str())
                        && !(self.is("closed") && issue.open)
                        && self.head.is_none()
                        && self.base.is_none()
                        && self.review.is_none();
                    if right && self.says(caller, &spot, issue.number, &issue.title).await? {
                        found.push(Found::Issue(Arc::clone(&spot), issue));
                    }
                }
            }
            if pulls {
                for pull in caller.front.pulls(&at, which).await? {
                    if self.fits(&pull) && self.says(caller, &spot, pull.signals.number, &pull.title).await? {
                        found.push(Found::Pull(Arc::clone(&spot), Box::new(pull)));
                    }
                }
            }
        }
        if self.ascending {
            found.sort_by_key(|found| found.time(self.by_update));
        } else {
            found.sort_by_key(|found| Reverse(found.time(self.by_update)));
        }
        Ok(found)
    }

    fn fits(&self, pull: &PullSummary) -> bool {
        let signals = &pull.signals;
        let merged = matches!(signals.state, PullState::Merged { .. });
        let open = signals.state == PullState::Open;
        let review = match self.review.as_deref() {
            None => true,
            Some("approved") => decided(&signals.reviews, "APPROVED"),
            Some("changes_requested") => decided(&signals.reviews, "CHANGES_REQUESTED"),
            Some("required") => decided(&signals.reviews, "REVIEW_REQUIRED"),
            Some(_) => {
                !decided(&signals.reviews, "APPROVED") && !decided(&signals.reviews, "CHANGES_REQUESTED")
            }
        };
        self.labelled(&pull.labels)
            && self.by(signals.author_login.as_str())
            && !(self.is("closed") && open)
            && (!self.is("merged") || merged)
            && !(self.is("unmerged") && merged)
            && (!self.is("draft") || signals.is_draft)
            && !(self.is("ready") && signals.is_draft)
            && self.head.as_ref().is_none_or(|head| signals.head_branch.as_str() == head)
            && self.base.as_ref().is_none_or(|base| signals.base.as_str() == base)
            && review
    }

    async fn says(
        &self,
        caller: &Caller,
        spot: &Spot,
        number: banksman_core::id::Number,
        title: &banksman_core::tainted::Tainted,
    ) -> Result<bool, Problem> {
        if self.words.is_empty() {
            return Ok(true);
        }
        let body = caller.front.text(&caller.at(spot), number).await?.body;
        let text = title.structure(str::to_lowercase) + "\n" + &body.structure(str::to_lowercase);
        Ok(self.words.iter().all(|word| text.contains(word.as_str())))
    }
}

fn decided(reviews: &Reviews, word: &str) -> bool {
    crate::graphql::decision(reviews) == Some(word)
}

impl Found {
    fn time(&self, by_update: bool) -> (Timestamp, u64) {
        let (created, updated, number) = match self {
            Self::Issue(_, issue) => (issue.created_at, issue.updated_at, issue.number),
            Self::Pull(_, pull) => (pull.signals.created_at, pull.signals.updated_at, pull.signals.number),
        };
        (if by_update { updated } else { created }, number.0)
    }
}

/// The terms of a query: split at spaces outside quotation marks.
fn terms(query: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quoted = false;
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => terms.push(String::new()),
            c => terms.iter_mut().next_back().into_iter().for_each(|term| term.push(c)),
        }
    }
    terms.retain(|term| !term.is_empty() && !matches!(term.as_str(), "AND" | "(" | ")"));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_by_their_qualifiers() {
        let search = Search::read(
            "repo:me/shop is:issue label:\"needs care\" -label:bug author:@me flaky test",
            "ann",
        );
        assert_eq!(search.repos, ["me/shop"]);
        assert_eq!(search.labels, ["needs care"]);
        assert_eq!(search.without_labels, ["bug"]);
        assert_eq!(search.authors, ["ann"]);
        assert_eq!(search.words, ["flaky", "test"]);
        assert!(search.is("issue") && !search.is("pr"));
    }

    #[test]
    fn nobody_is_assigned_to_anything() {
        assert!(Search::read("assignee:@me", "ann").nothing);
    }
}
