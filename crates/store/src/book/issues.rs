//! Issues, and what issues and pull requests have in common: number, words, labels.

use super::{
    Trouble, labels,
    row::{Columns, made_by},
    versions,
};
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    id::Number,
    intent::{Made, Step},
    port::{
        Refusal,
        book::{IssueRecord, NewIssue, Presence, Rewrite, Rewritten, Select, Text},
    },
    tainted::Tainted,
    text::{Label, RepoName},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An issue.
    Issue,
    /// A pull request.
    Pull,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Pull => "pull",
        }
    }
}

/// The condition on `item i` for a selection, and its parameter `?2`.
pub(super) fn condition(which: &Select) -> (&'static str, Json<Vec<Number>>) {
    match which {
        Select::Open => ("i.closed_at IS NULL AND ?2 IS NOT NULL", Json(Vec::new())),
        Select::All => ("?2 IS NOT NULL", Json(Vec::new())),
        Select::Numbers(numbers) => ("i.number IN (SELECT value FROM json_each(?2))", Json(numbers.clone())),
    }
}

/// The part of a new item that both kinds have.
pub(super) struct NewItem {
    pub(super) kind: Kind,
    pub(super) author: u64,
    pub(super) title: Tainted,
    pub(super) body: Tainted,
    pub(super) made_by: Option<Step>,
    pub(super) at: Timestamp,
}

/// Writes an item under the next number.
pub(super) fn insert(tx: &Tx<'_>, repo: &RepoName, item: NewItem) -> Result<Number, Trouble> {
    let made = item.made_by.as_ref().map(made_by).transpose()?;
    let number = tx
        .prepare_cached(
            "INSERT INTO item (repo, number, kind, author, created_at, updated_at, made_by, title, body)
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM item WHERE repo = ?1),
                     ?2, ?3, ?4, ?4, ?5, ?6, ?7)
             RETURNING number",
        )?
        .query_row(
            params![
                Word(repo),
                item.kind.word(),
                item.author,
                Nanos(item.at),
                made,
                item.title.into_forge_slot(),
                item.body.into_forge_slot(),
            ],
            |row| row.number(0),
        )?;
    Ok(number)
}

/// Writes an issue with its labels.
pub(super) fn open(tx: &Tx<'_>, repo: &RepoName, issue: NewIssue) -> Result<Number, Trouble> {
    let NewIssue { author, title, body, labels, made_by, at } = issue;
    let number = insert(tx, repo, NewItem { kind: Kind::Issue, author: author.0, title, body, made_by, at })?;
    for label in &labels {
        set_label(tx, repo, number, label, Presence::Present, at)?;
    }
    Ok(number)
}

/// Refuses what is not there. `kind`: only that kind will do.
pub(super) fn exists(
    db: &Connection,
    repo: &RepoName,
    number: Number,
    kind: Option<Kind>,
) -> Result<(), Trouble> {
    let found: Option<String> = db
        .prepare_cached("SELECT kind FROM item WHERE repo = ?1 AND number = ?2")?
        .query_row(params![Word(repo), number.0], |row| row.get(0))
        .optional()?;
    match (found, kind) {
        (Some(found), Some(kind)) if found == kind.word() => Ok(()),
        (Some(_), None) => Ok(()),
        _ => Err(Trouble::Refused(Refusal::NotFound)),
    }
}

/// Something about an item changed now.
pub(super) fn touch(tx: &Tx<'_>, repo: &RepoName, number: Number, at: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached("UPDATE item SET updated_at = max(updated_at, ?3) WHERE repo = ?1 AND number = ?2")?
        .execute(params![Word(repo), number.0, Nanos(at)])?;
    Ok(())
}

/// Issues without their bodies.
pub(super) fn read(db: &Connection, repo: &RepoName, which: &Select) -> Result<Vec<IssueRecord>, Trouble> {
    let (condition, numbers) = condition(which);
    let sql = format!(
        "SELECT i.number, a.id, a.login, i.title, i.closed_at, i.created_at, i.updated_at,
                (SELECT json_group_array(name) FROM (SELECT name FROM label l
                     WHERE l.repo = i.repo AND l.number = i.number ORDER BY name)),
                (SELECT json_group_array(blocker) FROM (SELECT blocker FROM block b
                     JOIN item x ON x.repo = b.repo AND x.number = b.blocker AND x.closed_at IS NULL
                     WHERE b.repo = i.repo AND b.blocked = i.number ORDER BY blocker)),
                (SELECT parent FROM child c WHERE c.repo = i.repo AND c.child = i.number)
         FROM item i JOIN account a ON a.id = i.author
         WHERE i.repo = ?1 AND i.kind = 'issue' AND {condition} ORDER BY i.number"
    );
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map(params![Word(repo), numbers], |row| {
        let closed_at = row.maybe(4)?.map(|Nanos(at)| at);
        let Json(labels) = row.get(7)?;
        let Json(blocked_by) = row.get(8)?;
        Ok(IssueRecord {
            number: row.number(0)?,
            author: row.account(1, 2)?,
            title: row.tainted(3)?,
            open: closed_at.is_none(),
            labels,
            blocked_by,
            parent: row.maybe(9)?.map(Number),
            created_at: row.time(5)?,
            updated_at: row.time(6)?,
            closed_at,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Title and body of an item.
pub(super) fn text(db: &Connection, repo: &RepoName, of: Number) -> Result<Text, Trouble> {
    db.prepare_cached("SELECT title, body, revision FROM item WHERE repo = ?1 AND number = ?2")?
        .query_row(params![Word(repo), of.0], |row| {
            Ok(Text { title: row.tainted(0)?, body: row.tainted(1)?, revision: row.id(2)? })
        })
        .optional()?
        .ok_or(Trouble::Refused(Refusal::NotFound))
}

/// Changes title or body, if nobody else did meanwhile.
pub(super) fn rewrite(
    tx: &Tx<'_>,
    repo: &RepoName,
    of: Number,
    rewrite: Rewrite,
) -> Result<Rewritten, Trouble> {
    exists(tx, repo, of, None)?;
    let (at, words) = (rewrite.at, rewrite.body.is_some());
    if words {
        versions::keep_first(tx, repo, of)?;
    }
    let changed = tx
        .prepare_cached(
            "UPDATE item SET title = coalesce(?3, title), body = coalesce(?4, body), revision = revision + 1,
                    updated_at = max(updated_at, ?6)
             WHERE repo = ?1 AND number = ?2 AND (?5 IS NULL OR revision = ?5)",
        )?
        .execute(params![
            Word(repo),
            of.0,
            rewrite.title.map(Tainted::into_forge_slot),
            rewrite.body.map(Tainted::into_forge_slot),
            rewrite.revision,
            Nanos(rewrite.at),
        ])?;
    if changed == 0 {
        return Ok(Rewritten::Stale);
    }
    if words {
        versions::keep(tx, repo, of, at)?;
    }
    Ok(Rewritten::Yes)
}

/// Adds or removes a label.
pub(super) fn set_label(
    tx: &Tx<'_>,
    repo: &RepoName,
    on: Number,
    label: &Label,
    presence: Presence,
    at: Timestamp,
) -> Result<(), Trouble> {
    exists(tx, repo, on, None)?;
    if presence == Presence::Present {
        labels::know(tx, repo, label)?;
    }
    let sql = match presence {
        Presence::Present => "INSERT OR IGNORE INTO label (repo, number, name) VALUES (?1, ?2, ?3)",
        Presence::Absent => "DELETE FROM label WHERE repo = ?1 AND number = ?2 AND name = ?3",
    };
    if tx.prepare_cached(sql)?.execute(params![Word(repo), on.0, Word(label)])? > 0 {
        touch(tx, repo, on, at)?;
    }
    Ok(())
}

/// Labels in use.
pub(super) fn labels_in_use(db: &Connection, repo: &RepoName) -> Result<Vec<(Label, u64)>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT l.name, sum(i.closed_at IS NULL) FROM label l
         JOIN item i ON i.repo = l.repo AND i.number = l.number
         WHERE l.repo = ?1 GROUP BY l.name ORDER BY l.name",
    )?;
    let rows = query.query_map([Word(repo)], |row| Ok((row.word(0)?, row.id(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Closes an issue.
pub(super) fn close(tx: &Tx<'_>, repo: &RepoName, issue: Number, at: Timestamp) -> Result<(), Trouble> {
    exists(tx, repo, issue, Some(Kind::Issue))?;
    tx.prepare_cached(
        "UPDATE item SET closed_at = ?3, updated_at = max(updated_at, ?3)
         WHERE repo = ?1 AND number = ?2 AND closed_at IS NULL",
    )?
    .execute(params![Word(repo), issue.0, Nanos(at)])?;
    Ok(())
}

/// Opens an item again; a merged pull request stays what it is.
pub(super) fn reopen(tx: &Tx<'_>, repo: &RepoName, number: Number, at: Timestamp) -> Result<(), Trouble> {
    exists(tx, repo, number, None)?;
    let merged: bool = tx
        .prepare_cached(
            "SELECT count(*) FROM pull WHERE repo = ?1 AND number = ?2 AND merge_commit IS NOT NULL",
        )?
        .query_row(params![Word(repo), number.0], |row| row.get(0))?;
    if merged {
        return Err(Trouble::Refused(Refusal::Ended));
    }
    tx.prepare_cached(
        "UPDATE item SET closed_at = NULL, updated_at = max(updated_at, ?3)
         WHERE repo = ?1 AND number = ?2 AND closed_at IS NOT NULL",
    )?
    .execute(params![Word(repo), number.0, Nanos(at)])?;
    Ok(())
}

/// What a step made since then.
pub(super) fn made(
    db: &Connection,
    repo: &RepoName,
    step: &Step,
    since: Timestamp,
) -> Result<Vec<(Made, Timestamp)>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT kind, number, created_at AS at FROM item WHERE repo = ?1 AND made_by = ?2 AND created_at >= ?3
         UNION ALL
         SELECT 'comment', id, at FROM comment WHERE repo = ?1 AND made_by = ?2 AND at >= ?3
         ORDER BY at, number",
    )?;
    let rows = query.query_map(params![Word(repo), made_by(step)?, Nanos(since)], |row| {
        let number = row.number(1)?;
        let made = match row.get_ref(0)?.as_str()? {
            "issue" => Made::Issue { number },
            "pull" => Made::Pull { number },
            _ => Made::Comment { id: banksman_core::id::CommentId(number.0) },
        };
        Ok((made, row.time(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
