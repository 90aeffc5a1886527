//! The statements of the tracker's database.

use super::Trouble;
use crate::sqlite::{Json, Nanos, Tx, Word};
use banksman_core::{
    port::tracker::{Change, ItemBookError, ItemRecord, ItemSelect, NewItem},
    tainted::Tainted,
    text::ItemId,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str =
    "row, id, product, kind, status, priority, created_at, updated_at, labels, title, note, description";

/// Descriptions on a page, in bytes; a page holds one item at least.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

fn record(row: &Row<'_>) -> rusqlite::Result<ItemRecord> {
    let (Word(id), Word(status)) = (row.get(1)?, row.get(4)?);
    let (Nanos(created_at), Nanos(updated_at), Json(labels)) = (row.get(6)?, row.get(7)?, row.get(8)?);
    Ok(ItemRecord {
        id,
        product: row.get(2)?,
        kind: row.get(3)?,
        status,
        priority: row.get(5)?,
        created_at,
        updated_at,
        labels,
        title: Tainted::new(row.get(9)?),
        note: row.get::<_, Option<String>>(10)?.map(Tainted::new),
        description: Tainted::new(row.get(11)?),
    })
}

/// Makes an item; without an id it gets the next free one.
pub(super) fn make(tx: &Tx<'_>, item: NewItem) -> Result<ItemId, Trouble> {
    let id = match item.id {
        Some(id) if row_of(tx, &id)?.is_some() => return Err(Trouble::Refused(ItemBookError::Exists)),
        Some(id) => id,
        None => free_id(tx)?,
    };
    let row = tx
        .prepare_cached(
            "INSERT INTO item (id, product, kind, status, priority, created_at, updated_at, labels, title, description)
             VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?5, ?6, ?7, ?8)",
        )?
        .insert(params![
            Word(&id),
            item.product,
            item.kind,
            item.priority,
            Nanos(item.at),
            Json(&item.labels),
            item.title.into_forge_slot(),
            item.description.into_forge_slot(),
        ])?;
    let mut label = tx.prepare_cached("INSERT OR IGNORE INTO item_label (name, item) VALUES (?1, ?2)")?;
    for name in &item.labels {
        label.execute(params![name, row])?;
    }
    Ok(id)
}

/// `T-<number>`: one more than the number of the newest row, and further while somebody chose that id.
fn free_id(tx: &Tx<'_>) -> Result<ItemId, Trouble> {
    let newest: u64 =
        tx.prepare_cached("SELECT coalesce(max(row), 0) FROM item")?.query_row([], |row| row.get(0))?;
    for number in newest + 1.. {
        let id = ItemId::new(&format!("T-{number}"));
        if let Ok(id) = id
            && row_of(tx, &id)?.is_none()
        {
            return Ok(id);
        }
    }
    Err(Trouble::Refused(ItemBookError::Full))
}

fn row_of(db: &Connection, id: &ItemId) -> Result<Option<i64>, Trouble> {
    Ok(db
        .prepare_cached("SELECT row FROM item WHERE id = ?1")?
        .query_row([Word(id)], |row| row.get(0))
        .optional()?)
}

/// One item.
pub(super) fn item(db: &Connection, id: &ItemId) -> Result<ItemRecord, Trouble> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM item WHERE id = ?1"))?
        .query_row([Word(id)], record)
        .optional()?
        .ok_or(Trouble::Refused(ItemBookError::Missing))
}

/// Items in the order of their rows; one more than asked for is read to know whether there are more.
pub(super) fn items(db: &Connection, which: &ItemSelect) -> Result<(Vec<ItemRecord>, Option<u64>), Trouble> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM item WHERE row > ?1
             AND (?2 IS NULL OR product = ?2) AND (?3 IS NULL OR status = ?3)
             AND (?4 IS NULL OR EXISTS (SELECT 1 FROM item_label l WHERE l.name = ?4 AND l.item = item.row))
         ORDER BY row LIMIT ?5"
    ))?;
    let limit = which.limit.max(1);
    let rows = query.query_map(
        params![which.after, which.product, which.status.map(Word), which.label, u64::from(limit) + 1],
        |row| Ok((row.get::<_, u64>(0)?, record(row)?)),
    )?;
    let mut found: Vec<(u64, ItemRecord)> = rows.collect::<Result<_, _>>()?;
    let mut bytes = 0;
    let fits = |(_, item): &&(u64, ItemRecord)| {
        bytes += item.description.structure(str::len);
        bytes <= PAGE_BYTES
    };
    let kept = found.iter().take(limit as usize).take_while(fits).count().max(1);
    let more = found.len() > kept;
    found.truncate(kept);
    let next = if more { found.last().map(|(row, _)| *row) } else { None };
    Ok((found.into_iter().map(|(_, item)| item).collect(), next))
}

/// Sets the status of an item.
pub(super) fn change(tx: &Tx<'_>, id: &ItemId, change: Change) -> Result<ItemRecord, Trouble> {
    tx.prepare_cached(
        "UPDATE item SET status = ?2, note = ?3, updated_at = max(updated_at, ?4) WHERE id = ?1",
    )?
    .execute(params![
        Word(id),
        Word(change.status),
        change.note.map(Tainted::into_forge_slot),
        Nanos(change.at)
    ])?;
    item(tx, id)
}

/// Writes a comment.
pub(super) fn comment(tx: &Tx<'_>, id: &ItemId, body: Tainted, at: Timestamp) -> Result<u64, Trouble> {
    let item = row_of(tx, id)?.ok_or(Trouble::Refused(ItemBookError::Missing))?;
    let comment = tx
        .prepare_cached("INSERT INTO item_comment (item, at, body) VALUES (?1, ?2, ?3)")?
        .insert(params![item, Nanos(at), body.into_forge_slot()])?;
    tx.prepare_cached("UPDATE item SET updated_at = max(updated_at, ?2) WHERE row = ?1")?
        .execute(params![item, Nanos(at)])?;
    Ok(comment.unsigned_abs())
}

/// The comments on an item, oldest first.
pub(super) fn comments(db: &Connection, id: &ItemId) -> Result<Vec<(Timestamp, Tainted)>, Trouble> {
    let item = row_of(db, id)?.ok_or(Trouble::Refused(ItemBookError::Missing))?;
    let mut query = db.prepare_cached("SELECT at, body FROM item_comment WHERE item = ?1 ORDER BY id")?;
    let rows = query.query_map([item], |row| {
        let Nanos(at) = row.get(0)?;
        Ok((at, Tainted::new(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
