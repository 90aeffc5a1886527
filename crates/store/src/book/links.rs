//! Relations of issues: sub-issues and blockers, without circles.

use super::{Trouble, issues};
use crate::sqlite::{Tx, Word};
use banksman_core::{
    port::{
        Refusal,
        book::{Link, Presence},
    },
    text::RepoName,
};
use jiff::Timestamp;
use rusqlite::params;

/// Makes or removes a relation.
pub(super) fn set(
    tx: &Tx<'_>,
    repo: &RepoName,
    link: Link,
    presence: Presence,
    at: Timestamp,
) -> Result<(), Trouble> {
    // `first` comes before, or above, `second`.
    let (first, second) = match link {
        Link::Child { parent, child } => (parent, child),
        Link::Blocks { blocker, blocked } => (blocker, blocked),
    };
    issues::exists(tx, repo, first, Some(issues::Kind::Issue))?;
    issues::exists(tx, repo, second, Some(issues::Kind::Issue))?;
    let (circle, insert, delete) = match link {
        Link::Child { .. } => (
            "WITH RECURSIVE up (n) AS (VALUES (?2) UNION
                 SELECT parent FROM child JOIN up ON child = n WHERE repo = ?1)
             SELECT count(*) FROM up WHERE n = ?3",
            "INSERT INTO child (repo, parent, child) VALUES (?1, ?2, ?3)
             ON CONFLICT (repo, child) DO UPDATE SET parent = ?2 WHERE parent <> ?2",
            "DELETE FROM child WHERE repo = ?1 AND parent = ?2 AND child = ?3",
        ),
        Link::Blocks { .. } => (
            "WITH RECURSIVE up (n) AS (VALUES (?2) UNION
                 SELECT blocker FROM block JOIN up ON blocked = n WHERE repo = ?1)
             SELECT count(*) FROM up WHERE n = ?3",
            "INSERT OR IGNORE INTO block (repo, blocker, blocked) VALUES (?1, ?2, ?3)",
            "DELETE FROM block WHERE repo = ?1 AND blocker = ?2 AND blocked = ?3",
        ),
    };
    let ends = params![Word(repo), first.0, second.0];
    let sql = match presence {
        Presence::Present => {
            if tx.prepare_cached(circle)?.query_row(ends, |row| row.get::<_, bool>(0))? {
                return Err(Trouble::Refused(Refusal::NotAllowed));
            }
            insert
        }
        Presence::Absent => delete,
    };
    if tx.prepare_cached(sql)?.execute(ends)? > 0 {
        issues::touch(tx, repo, first, at)?;
        issues::touch(tx, repo, second, at)?;
    }
    Ok(())
}
