//! The commands of `gh` that the facade has to serve, in the order in which they are run, each with what it has to say.

/// What happens before a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// A branch is pushed with one new file.
    Push(&'static str),
    /// The queued checks are run.
    Check,
    /// Ann approves pull request 2.
    Approve,
}

/// One command.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) before: Before,
    /// Its words.
    pub(super) run: &'static [&'static str],
    /// How it ends.
    pub(super) code: i32,
    /// What stands in its output or its errors.
    pub(super) says: &'static [&'static str],
}

const fn row(run: &'static [&'static str], says: &'static [&'static str]) -> Row {
    Row { before: Before::Nothing, run, code: 0, says }
}

const fn after(before: Before, run: &'static [&'static str], says: &'static [&'static str]) -> Row {
    Row { before, run, code: 0, says }
}

const fn fails(run: &'static [&'static str], says: &'static [&'static str]) -> Row {
    Row { before: Before::Nothing, run, code: 1, says }
}

const R: &str = "--repo=me/shop";

/// The table.
pub(super) const TABLE: &[Row] = &[
    row(&["auth", "status"], &["Logged in to github.com", "me"]),
    row(&["repo", "view", "me/shop"], &["name:\tme/shop"]),
    row(
        &["repo", "view", "me/shop", "--json", "name,defaultBranchRef,viewerPermission"],
        &["\"ADMIN\"", "\"main\""],
    ),
    fails(&["repo", "view", "me/other"], &["Could not resolve to a Repository"]),
    row(&["label", "create", "bug", "--color", "d73a4a", "--description", "Something is wrong", R], &[]),
    fails(&["label", "create", "bug", R], &["already exists"]),
    row(&["label", "create", "bug", "--color", "ff0000", "--force", R], &[]),
    row(&["label", "list", R], &["bug", "#ff0000"]),
    row(
        &["issue", "create", "--title", "Mend it", "--body", "It is broken", "--label", "bug", R],
        &["https://github.com/me/shop/issues/1"],
    ),
    row(&["issue", "list", R], &["Mend it", "bug"]),
    row(&["issue", "list", "--label", "bug", "--state", "all", R], &["Mend it"]),
    row(&["issue", "list", "--search", "mend", R], &["Mend it"]),
    row(
        &["issue", "list", "--json", "number,title,labels,author,state", R],
        &["\"number\":1", "\"OPEN\"", "\"login\":\"me\""],
    ),
    row(&["issue", "view", "1", R], &["title:\tMend it", "It is broken", "labels:\tbug"]),
    row(
        &["issue", "comment", "1", "--body", "I saw it too", R],
        &["https://github.com/me/shop/issues/1#issuecomment-1"],
    ),
    row(&["issue", "view", "1", "--comments", R], &["I saw it too"]),
    row(&["issue", "view", "1", "--json", "title,comments,closed,id,url", R], &["I saw it too"]),
    row(
        &["issue", "edit", "1", "--title", "Mend all of it", "--add-label", "bug", R],
        &["https://github.com/me/shop/issues/1"],
    ),
    row(&["issue", "view", "1", R], &["Mend all of it"]),
    row(&["issue", "edit", "1", "--remove-label", "bug", R], &["https://github.com/me/shop/issues/1"]),
    row(&["issue", "close", "1", R], &["Closed issue"]),
    row(&["issue", "list", R], &[]),
    row(&["issue", "reopen", "1", R], &["Reopened issue"]),
    row(&["issue", "close", "1", "--comment", "done", "--reason", "not planned", R], &["Closed issue"]),
    row(&["issue", "reopen", "1", R], &["Reopened issue"]),
    fails(&["issue", "view", "99", R], &["Could not resolve"]),
    after(
        Before::Push("topic"),
        &[
            "pr",
            "create",
            "--title",
            "Add topic",
            "--body",
            "Closes #1",
            "--head",
            "topic",
            "--base",
            "main",
            R,
        ],
        &["https://github.com/me/shop/pull/2"],
    ),
    fails(
        &["pr", "create", "--title", "Add topic", "--body", "again", "--head", "topic", "--base", "main", R],
        &["already exists"],
    ),
    row(&["pr", "list", R], &["Add topic", "topic"]),
    row(&["pr", "list", "--search", "topic", R], &["Add topic"]),
    row(
        &["pr", "list", "--json", "number,title,headRefName,mergeable,reviewDecision,statusCheckRollup", R],
        &["\"number\":2", "\"QUEUED\""],
    ),
    row(&["pr", "view", "2", R], &["title:\tAdd topic", "state:\tOPEN", "Closes #1"]),
    row(
        &[
            "pr",
            "view",
            "2",
            "--json",
            "additions,body,commits,files,reviews,mergeStateStatus,headRefOid,comments,latestReviews",
            R,
        ],
        &["\"BLOCKED\"", "\"path\":\"topic\""],
    ),
    row(&["pr", "diff", "2", R], &["diff --git a/topic b/topic"]),
    row(
        &["pr", "comment", "2", "--body", "Please look", R],
        &["https://github.com/me/shop/pull/2#issuecomment-"],
    ),
    row(&["pr", "review", "2", "--comment", "--body", "Looks fine", R], &[]),
    fails(&["pr", "review", "2", "--approve", R], &["Can not approve your own pull request"]),
    row(&["pr", "view", "2", "--comments", R], &["Please look", "Looks fine"]),
    row(&["pr", "ready", "2", "--undo", R], &["draft"]),
    row(&["pr", "ready", "2", R], &["ready for review"]),
    row(
        &["pr", "edit", "2", "--title", "Add the topic", "--add-label", "bug", R],
        &["https://github.com/me/shop/pull/2"],
    ),
    row(&["pr", "merge", "2", "--auto", "--squash", R], &[]),
    row(&["pr", "merge", "2", "--disable-auto", R], &[]),
    row(&["pr", "merge", "2", "--auto", "--squash", R], &[]),
    after(
        Before::Approve,
        &["pr", "view", "2", "--json", "reviewDecision,latestReviews", R],
        &["APPROVED", "\"ann\""],
    ),
    after(Before::Check, &["pr", "view", "2", R], &["state:\tMERGED"]),
    row(&["issue", "list", "--state", "closed", R], &["Mend all of it"]),
    after(
        Before::Push("second"),
        &[
            "pr",
            "create",
            "--title",
            "Add second",
            "--body",
            "work",
            "--head",
            "second",
            "--base",
            "main",
            "--draft",
            R,
        ],
        &["https://github.com/me/shop/pull/3"],
    ),
    row(&["pr", "close", "3", R], &["Closed pull request"]),
    row(&["pr", "reopen", "3", R], &["Reopened pull request"]),
    row(&["pr", "ready", "3", R], &["ready for review"]),
    after(Before::Check, &["pr", "checks", "3", R], &["test\tpass"]),
    row(&["pr", "merge", "3", "--merge", R], &[]),
    row(&["pr", "list", "--state", "merged", R], &["Add second"]),
    row(&["search", "issues", "mend", R], &["Mend all of it"]),
    row(&["search", "prs", "second", R], &["Add second"]),
    row(&["api", "repos/me/shop", "--jq", ".full_name"], &["me/shop"]),
    row(
        &["api", "repos/{owner}/{repo}/issues?state=all&per_page=1", "--paginate", "--jq", ".[].number"],
        &["3", "2", "1"],
    ),
    row(&["api", "repos/me/shop/issues", "-f", "title=By hand", "--jq", ".number"], &["4"]),
    row(&["api", "repos/me/shop/git/refs/heads/main", "--jq", ".ref"], &["refs/heads/main"]),
    fails(&["api", "repos/me/nothing"], &["Not Found (HTTP 404)"]),
    row(
        &[
            "api",
            "graphql",
            "-F",
            "name=shop",
            "-f",
            "query=query($name: String!) { repository(owner: \"me\", name: $name) { nameWithOwner } }",
        ],
        &["me/shop"],
    ),
];
