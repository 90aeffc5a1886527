//! The documents with what is read of their answers. One operation a file; what a file selects is checked against the allowlist and GitHub's
//! schema by tests (S1). What several of them select stands in `documents/parts`.

use super::{
    graphql::{Document, document},
    wire::{
        BranchIn, BranchToDeleteIn, BriefChecksIn, BriefIssueIn, BriefThreadsIn, Context, Done, EnqueuedData,
        FactsData, GlanceData, In, IssueWire, LineageIn, MergeabilityWire, MoreChecks, MoreReviews,
        MoreThreads, Nodes, Of, OfEdits, OfIssue, OpenIssuesIn, OpenPullsIn, OriginWire, Page,
        PullsByNumberIn, ReferencesIn, ReviewWire, StateWire, SubjectIn, ThreadStateData, ThreadWire,
        TitleWire, Twelve, UpdatedData,
    },
};
use banksman_core::{
    id::Number,
    text::{RepoName, Sha},
};
use serde::Serialize;
use std::collections::BTreeMap;

document!(
    /// What a repository is and offers.
    RepositoryFacts, "repository", FactsData
);
document!(
    /// One glance at a repository.
    Glance, "glance" with "pull" "checks" "issue" "actor", GlanceData
);
document!(
    /// The head of a branch.
    BranchHead, "branch", In<BranchIn>
);
document!(
    /// What has to be known before a branch is deleted.
    BranchToDelete, "branch_delete", In<BranchToDeleteIn>
);
document!(
    /// Moves or deletes references.
    UpdateRefs, "update_refs", Done
);
document!(
    /// Open pull requests, by the page.
    OpenPulls, "open_pulls" with "pull" "checks" "actor", In<OpenPullsIn>
);
document!(
    /// Five pull requests.
    PullsByNumber, "pulls_by_number" with "pull" "checks" "actor", In<PullsByNumberIn>
);
document!(
    /// Further checks.
    PullChecks, "pull_checks" with "checks" "actor", In<Of<MoreChecks>>
);
document!(
    /// Further threads.
    PullThreads, "pull_threads", In<Of<MoreThreads>>
);
document!(
    /// Further reviews.
    PullReviews, "pull_reviews" with "actor", In<Of<MoreReviews>>
);
document!(
    /// Who threads are.
    ThreadOrigins, "thread_origins", Nodes<OriginWire>
);
document!(
    /// Mergeability, asked again.
    Mergeability, "mergeability", Nodes<MergeabilityWire>
);
document!(
    /// The last commits of a pull request.
    Lineage, "lineage", In<Of<LineageIn>>
);
document!(
    /// Where a pull request stands.
    PullStateOf, "pull_state" with "actor", In<Of<StateWire>>
);
document!(
    /// Switches auto-merge on.
    EnableAutoMerge, "enable_auto_merge", Done
);
document!(
    /// Puts into the merge queue.
    Enqueue, "enqueue", EnqueuedData
);
document!(
    /// Updates a head branch.
    UpdateBranch, "update_branch", UpdatedData
);
document!(
    /// Resolves a thread.
    ResolveThread, "resolve_thread", Done
);
document!(
    /// Whether a thread is resolved.
    ThreadState, "thread_state", ThreadStateData
);
document!(
    /// Open issues, by the page.
    OpenIssues, "open_issues" with "issue" "actor", In<OpenIssuesIn>
);
document!(
    /// Twelve issues.
    IssuesByNumber, "issues_by_number" with "issue" "actor", In<Twelve<IssueWire>>
);
document!(
    /// Twelve titles.
    Titles, "titles", In<Twelve<TitleWire>>
);
document!(
    /// The body of an epic.
    EpicBody, "checklist", In<OfIssue>
);
document!(
    /// The body of an epic and its last versions.
    EpicEdits, "checklist_edits", In<OfEdits>
);
document!(
    /// The text of an audit.
    AuditText, "audit", In<OfIssue>
);
document!(
    /// The nodes of a subject and a label.
    Subject, "subject", In<SubjectIn>
);
document!(
    /// Adds labels.
    AddLabels, "add_labels", Done
);
document!(
    /// Cross-references of open issues.
    References, "references", In<ReferencesIn>
);

document!(
    /// The words of an issue.
    BriefIssue, "brief_issue" with "actor", In<BriefIssueIn>
);
document!(
    /// The words of threads.
    BriefThreads, "brief_threads", In<Of<BriefThreadsIn>>
);
document!(
    /// What checks say.
    BriefChecks, "brief_checks", In<Of<BriefChecksIn>>
);

/// A document that reads the further pages of one list of a pull request.
pub(super) trait Paged: Document {
    /// The document.
    const NEW: Self;
    /// What is listed.
    type Entry;

    /// The page in an answer; `None` when the pull request is not as it was, with another head or none.
    fn page(data: Self::Data, head: Option<&Sha>) -> Option<Page<Self::Entry>>;
}

impl Paged for PullChecks {
    const NEW: Self = Self;
    type Entry = Context;

    fn page(data: Self::Data, head: Option<&Sha>) -> Option<Page<Context>> {
        let pull = data.repository?.pull_request.filter(|pull| pull.head_ref_oid.as_ref() == head)?;
        Some(pull.status_check_rollup?.contexts)
    }
}

impl Paged for PullThreads {
    const NEW: Self = Self;
    type Entry = ThreadWire;

    fn page(data: Self::Data, _: Option<&Sha>) -> Option<Page<ThreadWire>> {
        Some(data.repository?.pull_request?.review_threads)
    }
}

impl Paged for PullReviews {
    const NEW: Self = Self;
    type Entry = ReviewWire;

    fn page(data: Self::Data, _: Option<&Sha>) -> Option<Page<ReviewWire>> {
        data.repository?.pull_request?.latest_opinionated_reviews
    }
}

/// Variables of documents that ask for several numbers: places that are left are filled with the last one.
#[derive(Serialize)]
pub(super) struct ByNumber<'a> {
    owner: &'a str,
    name: &'a str,
    #[serde(flatten)]
    numbers: BTreeMap<String, u64>,
}

/// Variables for up to `N` numbers.
pub(super) fn by_number<'a, const N: usize>(repo: &'a RepoName, numbers: &[Number]) -> ByNumber<'a> {
    let (owner, name) = super::look::parts(repo);
    let last = numbers.last().map_or(0, |number| number.0);
    let place = |index: usize| numbers.get(index).map_or(last, |number| number.0);
    let numbers = (0..N).map(|index| (format!("n{index}"), place(index))).collect();
    ByNumber { owner, name, numbers }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words behind each of these, up to the end of a name.
    fn named<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
        let mut names: Vec<&str> = text
            .split(before)
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_fragment_is_there_once_and_spread() {
        for text in [
            Glance::TEXT,
            OpenPulls::TEXT,
            PullsByNumber::TEXT,
            OpenIssues::TEXT,
            IssuesByNumber::TEXT,
            PullChecks::TEXT,
            PullReviews::TEXT,
            PullStateOf::TEXT,
            BriefIssue::TEXT,
        ] {
            let mut spread = named(text, "...");
            spread.dedup();
            assert_eq!(named(text, "\nfragment "), spread, "{text}");
        }
    }
}
