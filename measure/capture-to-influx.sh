#!/bin/sh
# What teams run from cron today: one look at every open pull request of a repository, posted to InfluxDB as line protocol.
# Needs gh, jq, curl; INFLUX_HOST, INFLUX_TOKEN, and INFLUX_ORG, INFLUX_BUCKET if they are not the usual ones.
#   sh capture-to-influx.sh acme/shop
set -eu
REPO=${1:?usage: capture-to-influx.sh OWNER/NAME}
HOST=${INFLUX_HOST:-http://127.0.0.1:8086}
ORG=${INFLUX_ORG:-agents} BUCKET=${INFLUX_BUCKET:-pulls}
TAG=$(printf '%s' "$REPO" | tr / _)
NOW=$(date +%s)

fields='number,author,createdAt,updatedAt,isDraft,mergeable,mergeStateStatus,autoMergeRequest,statusCheckRollup,latestReviews,commits,comments'
threads='query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) {
  pullRequest(number: $number) { reviewThreads(first: 100) { nodes { isResolved } } } } }'

# Whole hours since a time; 0 for none.
hours() {
  then=$(date -d "$1" +%s 2>/dev/null || echo "$NOW")
  age=$(( (NOW - then) / 3600 ))
  [ "$age" -gt 0 ] && echo "$age" || echo 0
}

failed=0
for PR in $(gh pr list --repo "$REPO" --state open --limit 1000 --json number | jq -r '.[].number'); do
  view=$(gh pr view "$PR" --repo "$REPO" --json "$fields")
  get() { printf '%s' "$view" | jq -r "$1"; }

  author=$(get '.author.login')
  merge_state=$(get '.mergeStateStatus')
  mergeable=$(get '.mergeable == "MERGEABLE"')
  draft=$(get '.isDraft')
  auto=$(get '.autoMergeRequest != null')
  total=$(get '.statusCheckRollup | length')
  passing=$(get '[.statusCheckRollup[] | (.conclusion // .state) | select(IN("SUCCESS", "NEUTRAL", "SKIPPED"))] | length')
  failing=$(get '[.statusCheckRollup[] | (.conclusion // .state)
    | select(IN("FAILURE", "ERROR", "TIMED_OUT", "CANCELLED", "ACTION_REQUIRED", "STARTUP_FAILURE", "STALE"))] | length')
  approved=$(get '[.latestReviews[] | select(.state == "APPROVED")] | length')
  changes=$(get '[.latestReviews[] | select(.state == "CHANGES_REQUESTED")] | length')
  created=$(get '.createdAt')
  updated=$(get '.updatedAt')
  pushed=$(get '.commits[-1].committedDate')
  conflicts=$(get '[.comments[] | select(.viewerDidAuthor and (.body | test("conflict")))] | length')
  reviews=$(get '[.comments[] | select(.viewerDidAuthor and (.body | test("review")))] | length')
  open=$(gh api graphql -f query="$threads" -F owner="${REPO%/*}" -F name="${REPO#*/}" -F number="$PR" |
    jq -r '.data.repository.pullRequest.reviewThreads.nodes | "\(length) \([.[] | select(.isResolved | not)] | length)"')

  line="pr_observation,repo=$TAG,pr=$PR,author=$author merge_state=\"$merge_state\",mergeable=$mergeable,is_draft=$draft"
  line="$line,auto_merge_enabled=$auto,checks_total=${total}i,checks_passing=${passing}i,checks_failing=${failing}i"
  line="$line,reviews_approved=${approved}i,reviews_changes_requested=${changes}i,threads_total=${open% *}i"
  line="$line,threads_unresolved=${open#* }i,pr_age_hours=$(hours "$created")i,last_push_hours=$(hours "$pushed")i"
  line="$line,last_activity_hours=$(hours "$updated")i,conflict_attempts=${conflicts}i,review_fix_attempts=${reviews}i"
  curl -sS --fail-with-body -X POST "$HOST/api/v2/write?org=$ORG&bucket=$BUCKET&precision=ns" \
    -H "Authorization: Token $INFLUX_TOKEN" -H 'Content-Type: text/plain; charset=utf-8' \
    --data-binary "$line $(date +%s%N)" || failed=1
done
exit "$failed"
