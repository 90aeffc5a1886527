//! Reviews and their threads.

use super::{Trouble, issues, pulls, row::Columns};
use crate::sqlite::{Nanos, Tx, Word};
use banksman_core::{
    id::{ActorId, CommentId, Number, ReviewId, ThreadId},
    port::{
        Refusal,
        book::{
            Account, CommentRecord, Conversation, NewReview, NewThread, Opinion, Repeat, ReviewRecord,
            ThreadRecord,
        },
    },
    tainted::Tainted,
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// What the thread of a request for changes says that came without one.
const CHANGES: &str = "Changes are requested.";

/// Writes a review.
pub(super) fn write(tx: &Tx<'_>, repo: &RepoName, review: NewReview) -> Result<(), Trouble> {
    let NewReview { pull, reviewer, opinion, head, body, mut threads, repeat, at } = review;
    pulls::still_open(tx, repo, pull)?;
    if repeat == Repeat::Ignored {
        let there: bool = tx
            .prepare_cached(
                "SELECT count(*) FROM review
                 WHERE repo = ?1 AND pull = ?2 AND reviewer = ?3 AND head = ?4 AND opinion <> 'commented'",
            )?
            .query_row(params![Word(repo), pull.0, reviewer.0, Word(&head)], |row| row.get(0))?;
        if there {
            return Ok(());
        }
    }
    let review = tx
        .prepare_cached(
        "INSERT INTO review (repo, pull, reviewer, opinion, head, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .insert(params![
        Word(repo),
        pull.0,
        reviewer.0,
        Word(opinion),
        Word(&head),
        Nanos(at),
        body.into_forge_slot(),
    ])?;
    if opinion == Opinion::ChangesRequested && threads.is_empty() {
        threads.push(NewThread { place: None, body: Tainted::new(CHANGES.to_owned()) });
    }
    for thread in threads {
        let (path, line) = thread.place.map(|(path, line)| (path.into_forge_slot(), line)).unzip();
        let id = tx
            .prepare_cached(
                "INSERT INTO thread (repo, pull, at, line, path, review) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .insert(params![Word(repo), pull.0, Nanos(at), line, path, review])?;
        say(tx, ThreadId(id.unsigned_abs()), reviewer, thread.body, at)?;
    }
    issues::touch(tx, repo, pull, at)
}

fn say(tx: &Tx<'_>, thread: ThreadId, author: ActorId, body: Tainted, at: Timestamp) -> Result<(), Trouble> {
    tx.prepare_cached("INSERT INTO thread_comment (thread, author, at, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![thread.0, author.0, Nanos(at), body.into_forge_slot()])?;
    Ok(())
}

/// The pull request of a thread.
fn pull_of(db: &Connection, repo: &RepoName, thread: ThreadId) -> Result<Number, Trouble> {
    db.prepare_cached("SELECT pull FROM thread WHERE repo = ?1 AND id = ?2")?
        .query_row(params![Word(repo), thread.0], |row| row.number(0))
        .optional()?
        .ok_or(Trouble::Refused(Refusal::NotFound))
}

/// Says something in a thread.
pub(super) fn reply(
    tx: &Tx<'_>,
    repo: &RepoName,
    thread: ThreadId,
    author: ActorId,
    body: Tainted,
    at: Timestamp,
) -> Result<(), Trouble> {
    let pull = pull_of(tx, repo, thread)?;
    say(tx, thread, author, body, at)?;
    issues::touch(tx, repo, pull, at)
}

/// Resolves a thread, or opens it again. A resolution by the author of the pull request gives way to any other.
pub(super) fn resolve(
    tx: &Tx<'_>,
    repo: &RepoName,
    pull: Number,
    thread: ThreadId,
    by: Option<ActorId>,
    at: Timestamp,
) -> Result<(), Trouble> {
    if pull_of(tx, repo, thread)? != pull {
        return Err(Trouble::Refused(Refusal::NotFound));
    }
    let changed = tx
        .prepare_cached(
            "UPDATE thread SET resolved_by = ?3 WHERE repo = ?1 AND id = ?2
             AND (?3 IS NULL OR resolved_by IS NULL OR resolved_by =
                 (SELECT author FROM item i WHERE i.repo = thread.repo AND i.number = thread.pull))
             AND resolved_by IS NOT ?3",
        )?
        .execute(params![Word(repo), thread.0, by.map(|actor| actor.0)])?;
    if changed > 0 {
        issues::touch(tx, repo, pull, at)?;
    }
    Ok(())
}

/// Everything that was said.
pub(super) fn conversation(db: &Connection, repo: &RepoName, pull: Number) -> Result<Conversation, Trouble> {
    issues::exists(db, repo, pull, Some(issues::Kind::Pull))?;
    let mut query = db.prepare_cached(
        "SELECT a.id, a.login, r.opinion, r.head, r.body, r.at, r.id FROM review r JOIN account a ON a.id = r.reviewer
         WHERE r.repo = ?1 AND r.pull = ?2 ORDER BY r.id",
    )?;
    let reviews = query
        .query_map(params![Word(repo), pull.0], |row| {
            Ok(ReviewRecord {
                id: ReviewId(row.id(6)?),
                reviewer: row.account(0, 1)?,
                opinion: row.word(2)?,
                head: row.word(3)?,
                body: row.tainted(4)?,
                at: row.time(5)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let mut query = db.prepare_cached(
        "SELECT t.id, t.path, t.line, a.id, a.login, t.review FROM thread t LEFT JOIN account a ON a.id = t.resolved_by
         WHERE t.repo = ?1 AND t.pull = ?2 ORDER BY t.id",
    )?;
    let mut threads: Vec<ThreadRecord> = query
        .query_map(params![Word(repo), pull.0], |row| {
            let place = match (row.maybe(1)?, row.maybe(2)?) {
                (Some(path), Some(line)) => Some((Tainted::new(path), line)),
                _ => None,
            };
            let resolved_by = match row.maybe::<_, u64>(3)? {
                Some(id) => Some(Account { id: ActorId(id), login: row.word(4)? }),
                None => None,
            };
            let review = row.maybe(5)?.map(ReviewId);
            Ok(ThreadRecord { id: ThreadId(row.id(0)?), review, place, comments: Vec::new(), resolved_by })
        })?
        .collect::<Result<_, _>>()?;
    let mut query = db.prepare_cached(
        "SELECT c.id, a.id, a.login, c.at, c.body FROM thread_comment c JOIN account a ON a.id = c.author
         WHERE c.thread = ?1 ORDER BY c.id",
    )?;
    for thread in &mut threads {
        thread.comments = query
            .query_map([thread.id.0], |row| {
                Ok(CommentRecord {
                    id: CommentId(row.id(0)?),
                    author: row.account(1, 2)?,
                    at: row.time(3)?,
                    body: row.tainted(4)?,
                })
            })?
            .collect::<Result<_, _>>()?;
    }
    Ok(Conversation { reviews, threads })
}
