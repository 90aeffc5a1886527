//! Pull requests read in one statement: fifty of them cost little more than one.

use super::{Trouble, issues::condition, row::Columns};
use crate::sqlite::{Json, Nanos, Word};
use banksman_core::{
    id::{ActorId, ThreadId},
    intent::MergeMethod,
    port::book::{
        Account, Arming, Commits, HeadOrigin, HeadRecord, MergePlan, Opinion, PullRecord, RunRecord,
        RunState, Select, Size, ThreadState, UpdatePlan, VerdictRecord,
    },
    signals::{CheckState, PullState},
    text::{BranchName, CheckName, Login, RepoName, Sha},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params, types::FromSqlError};

/// Everything but the words. Lists of a pull request come as JSON arrays of arrays.
const SELECT: &str = "
    SELECT i.number, a.id, a.login, i.title, i.created_at, i.updated_at, i.closed_at,
        p.head_branch, p.base, p.readiness, p.head_fate, p.merge_commit, p.additions, p.deletions, p.files,
        (SELECT json_group_array(name) FROM (SELECT name FROM label l
            WHERE l.repo = i.repo AND l.number = i.number ORDER BY name)) AS labels,
        (SELECT json_group_array(issue) FROM (SELECT issue FROM closes c
            WHERE c.repo = i.repo AND c.pull = i.number ORDER BY issue)) AS closes,
        (SELECT json_group_array(json_array(sha, at, origin, commits)) FROM (SELECT * FROM head h
            WHERE h.repo = i.repo AND h.pull = i.number ORDER BY seq)) AS heads,
        (SELECT json_group_array(json_array(reviewer, opinion, head, at)) FROM (SELECT * FROM review r
            WHERE r.repo = i.repo AND r.pull = i.number AND opinion <> 'commented' ORDER BY id)) AS reviews,
        (SELECT json_group_array(json_array(id, at, resolved_by)) FROM (SELECT id, at, resolved_by FROM thread t
            WHERE t.repo = i.repo AND t.pull = i.number ORDER BY id)) AS threads,
        (SELECT json_array(head, base, from_sha, commit_sha, additions, deletions, files) FROM merge_plan m
            WHERE m.repo = i.repo AND m.pull = i.number) AS plan,
        (SELECT json_array(b.id, b.login, m.method, m.at) FROM armed m JOIN account b ON b.id = m.by
            WHERE m.repo = i.repo AND m.pull = i.number) AS arming,
        (SELECT json_group_array(json_array(from_sha, commit_sha)) FROM update_plan u
            WHERE u.repo = i.repo AND u.pull = i.number) AS updates,
        (SELECT json_array(sha, state) FROM run WHERE run.repo = i.repo AND run.sha = p.head) AS run,
        (SELECT json_group_array(json_array(name, state)) FROM (SELECT name, state FROM result s
            WHERE s.repo = i.repo AND s.sha = p.head ORDER BY name)) AS results
    FROM item i JOIN account a ON a.id = i.author
    JOIN pull p ON p.repo = i.repo AND p.number = i.number
    WHERE i.repo = ?1 AND i.kind = 'pull'";

/// Head, base, where the base was, where it goes, lines added and removed, files.
type PlanRow = (Sha, BranchName, Sha, Sha, u64, u64, u64);

/// Reads pull requests, ascending by number.
pub(super) fn read(db: &Connection, repo: &RepoName, which: &Select) -> Result<Vec<PullRecord>, Trouble> {
    let (condition, numbers) = condition(which);
    let mut query = db.prepare_cached(&format!("{SELECT} AND {condition} ORDER BY i.number"))?;
    let rows = query.query_map(params![Word(repo), numbers], record)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<PullRecord> {
    let closed_at = row.maybe("closed_at")?.map(|Nanos(at)| at);
    let merge_commit = row.maybe("merge_commit")?.map(|Word(sha)| sha);
    let state = match (closed_at, merge_commit) {
        (Some(at), Some(commit)) => PullState::Merged { at, commit },
        (Some(at), None) => PullState::Closed { at },
        (None, _) => PullState::Open,
    };
    let size = match (row.get("additions")?, row.get("deletions")?, row.get("files")?) {
        (Some(additions), Some(deletions), Some(files)) if state != PullState::Open => {
            Some(Size { additions, deletions, files })
        }
        _ => None,
    };
    let Json(labels) = row.get("labels")?;
    let Json(closes) = row.get("closes")?;
    let Json(heads): Json<Vec<(Sha, i64, HeadOrigin, Commits)>> = row.get("heads")?;
    let mut earlier: Vec<HeadRecord> = heads
        .into_iter()
        .map(|(sha, at, origin, commits)| Ok(HeadRecord { sha, at: time(at)?, origin, commits }))
        .collect::<rusqlite::Result<_>>()?;
    let head = earlier.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let Json(reviews): Json<Vec<(ActorId, Opinion, Sha, i64)>> = row.get("reviews")?;
    let Json(threads): Json<Vec<(ThreadId, i64, Option<ActorId>)>> = row.get("threads")?;
    let plan: Option<Json<PlanRow>> = row.get("plan")?;
    let arming: Option<Json<(ActorId, Login, MergeMethod, i64)>> = row.get("arming")?;
    let arming = match arming {
        Some(Json((id, login, method, at))) => {
            Some(Arming { by: Account { id, login }, method, at: time(at)? })
        }
        None => None,
    };
    let Json(updates): Json<Vec<(Sha, Sha)>> = row.get("updates")?;
    let run: Option<Json<(Sha, RunState)>> = row.get("run")?;
    let Json(results): Json<Vec<(CheckName, CheckState)>> = row.get("results")?;
    Ok(PullRecord {
        number: row.number("number")?,
        author: row.account(1, 2)?,
        title: row.tainted("title")?,
        state,
        readiness: row.word("readiness")?,
        head_branch: row.word("head_branch")?,
        base: row.word("base")?,
        head_fate: row.word("head_fate")?,
        labels,
        closes,
        head,
        earlier,
        reviews: reviews
            .into_iter()
            .map(|(reviewer, opinion, head, at)| Ok(VerdictRecord { reviewer, opinion, head, at: time(at)? }))
            .collect::<rusqlite::Result<_>>()?,
        threads: threads
            .into_iter()
            .map(|(id, at, resolved_by)| Ok(ThreadState { id, at: time(at)?, resolved_by }))
            .collect::<rusqlite::Result<_>>()?,
        run: run.map(|Json((sha, state))| RunRecord { sha, state, results }),
        arming,
        plan: plan.map(|Json((head, base, from, commit, additions, deletions, files))| MergePlan {
            head,
            base,
            from,
            commit,
            size: Size { additions, deletions, files },
        }),
        updates: updates.into_iter().map(|(from, commit)| UpdatePlan { from, commit }).collect(),
        size,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// A time inside JSON.
fn time(nanos: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).map_err(|e| FromSqlError::Other(e.into()).into())
}
