// Calls of @octokit/rest and @octokit/graphql that a program would make. usage: octokit.mjs NODE_MODULES BASE_URL TOKEN
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [modules, baseUrl, token] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${modules}/@octokit/${name}`));
const { Octokit } = await load("rest/dist-src/index.js");
const { graphql } = await load("graphql/dist-bundle/index.js");
const kit = new Octokit({ baseUrl, auth: token });
const at = { owner: "me", repo: "shop" };

assert.equal((await kit.rest.users.getAuthenticated()).data.login, "me");
assert.equal((await kit.rest.repos.get(at)).data.default_branch, "main");
assert.ok((await kit.rest.rateLimit.get()).data.rate.limit);
await kit.rest.issues.createLabel({ ...at, name: "bug", color: "d73a4a" });
await assert.rejects(kit.rest.issues.createLabel({ ...at, name: "bug" }), { status: 422 });
for (let n = 1; n <= 5; n++) {
  const made = await kit.rest.issues.create({ ...at, title: `Issue ${n}`, body: "text", labels: ["bug"] });
  assert.equal(made.data.number, n);
}
const all = await kit.paginate(kit.rest.issues.listForRepo, { ...at, per_page: 2 });
assert.deepEqual(all.map((issue) => issue.number), [5, 4, 3, 2, 1]);
await kit.rest.issues.update({ ...at, issue_number: 1, title: "Other", state: "closed" });
assert.equal((await kit.rest.issues.get({ ...at, issue_number: 1 })).data.state, "closed");
const comment = await kit.rest.issues.createComment({ ...at, issue_number: 2, body: "words" });
await kit.rest.issues.updateComment({ ...at, comment_id: comment.data.id, body: "other words" });
assert.equal((await kit.rest.issues.listComments({ ...at, issue_number: 2 })).data[0].body, "other words");
await kit.rest.issues.deleteComment({ ...at, comment_id: comment.data.id });
await kit.rest.issues.addLabels({ ...at, issue_number: 2, labels: ["needs care"] });
await kit.rest.issues.removeLabel({ ...at, issue_number: 2, name: "needs care" });
await kit.rest.issues.addSubIssue({ ...at, issue_number: 3, sub_issue_id: all[3].id });
assert.equal((await kit.rest.issues.listSubIssues({ ...at, issue_number: 3 })).data[0].number, 2);

const pull = await kit.rest.pulls.create({ ...at, title: "Add topic", head: "topic", base: "main", body: "Closes #4" });
const pull_number = pull.data.number;
assert.equal((await kit.rest.pulls.list({ ...at, head: "me:topic" })).data.length, 1);
assert.equal((await kit.rest.pulls.listFiles({ ...at, pull_number })).data[0].filename, "topic");
assert.equal((await kit.rest.pulls.listCommits({ ...at, pull_number })).data.length, 1);
const review = await kit.rest.pulls.createReview({ ...at, pull_number, event: "COMMENT", body: "fine" });
assert.equal((await kit.rest.pulls.getReview({ ...at, pull_number, review_id: review.data.id })).data.state, "COMMENTED");
const diff = await kit.rest.pulls.get({ ...at, pull_number, mediaType: { format: "diff" } });
assert.ok(diff.data.startsWith("diff --git"));
await assert.rejects(kit.rest.pulls.merge({ ...at, pull_number }), { status: 405 });
assert.equal((await kit.rest.checks.listForRef({ ...at, ref: "topic" })).data.check_runs[0].status, "queued");

const main = (await kit.rest.git.getRef({ ...at, ref: "heads/main" })).data.object.sha;
await kit.rest.git.createRef({ ...at, ref: "refs/heads/epic/1-a", sha: main });
assert.equal((await kit.rest.repos.getBranch({ ...at, branch: "epic/1-a" })).data.commit.sha, main);
await kit.rest.git.deleteRef({ ...at, ref: "heads/epic/1-a" });
assert.equal((await kit.rest.repos.listBranches(at)).data.length, 2);
assert.equal((await kit.rest.repos.getCommit({ ...at, ref: "main" })).data.sha, main);
assert.equal((await kit.rest.search.issuesAndPullRequests({ q: "repo:me/shop is:pr" })).data.total_count, 1);

const first = await kit.request("GET /repos/{owner}/{repo}", at);
await assert.rejects(kit.request("GET /repos/{owner}/{repo}", { ...at, headers: { "if-none-match": first.headers.etag } }), { status: 304 });

const ask = graphql.defaults({ baseUrl, headers: { authorization: `token ${token}` } });
const { repository } = await ask("query($name: String!) { repository(owner: \"me\", name: $name) { issues(first: 5, states: OPEN) { totalCount } } }", { name: "shop" });
assert.equal(repository.issues.totalCount, 4);
await assert.rejects(ask("{ repository(owner: \"me\", name: \"other\") { id } }"), { name: "GraphqlResponseError" });
console.log("all calls answered");
