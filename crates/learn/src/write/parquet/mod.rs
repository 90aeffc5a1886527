//! Apache Parquet, written plainly: flat tables, one page a column and group of rows, words and small numbers by dictionaries, nothing
//! compressed further. Two hundred lines of our own, because the crate for it brings a second time library, a second copy of number types
//! and licences of their own for features that a flat table does not need; that readers of others take the files is measured with pyarrow and
//! DuckDB. The format: <https://parquet.apache.org/docs/file-format/>.

mod buffer;
mod hybrid;
mod thrift;

use crate::table::{Cell, Column, ColumnKind, Null};
use buffer::{Buffer, Chunk};
use std::io::{self, Write};

/// What the files say who made them. It has no version in it, so that the same data give the same bytes after an update.
pub const CREATED_BY: &str = "banksman";

/// Rows of a group. A group is held in memory until it is whole.
const GROUP: usize = 1 << 16;

const MAGIC: &[u8; 4] = b"PAR1";

/// A table as Parquet.
pub(crate) struct Parquet<W> {
    name: String,
    columns: Vec<Column>,
    buffers: Vec<Buffer>,
    rows: usize,
    groups: Vec<Group>,
    at: u64,
    out: W,
}

/// A group of rows that was written.
struct Group {
    rows: usize,
    chunks: Vec<Written>,
}

/// Where a column of a group stands.
struct Written {
    begin: u64,
    data: u64,
    size: usize,
    rows: usize,
    encodings: Vec<i32>,
}

impl<W: Write> Parquet<W> {
    /// Begins a file.
    pub(super) fn begin(name: &str, columns: Vec<Column>, mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let buffers = columns.iter().map(|c| Buffer::new(c.kind, c.null)).collect();
        Ok(Self { name: name.to_owned(), columns, buffers, rows: 0, groups: Vec::new(), at: 4, out })
    }

    /// Takes a row.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        debug_assert_eq!(cells.len(), self.columns.len());
        for ((buffer, cell), column) in self.buffers.iter_mut().zip(cells).zip(&self.columns) {
            if !buffer.push(cell) {
                let what = format!("a value of column {} is of another type than the column", column.name);
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        self.rows += 1;
        if self.rows == GROUP { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut chunks = Vec::with_capacity(self.buffers.len());
        for buffer in &mut self.buffers {
            let Chunk { bytes, data_at, rows, encodings } = buffer.chunk(rows);
            self.out.write_all(&bytes)?;
            let data = self.at + data_at as u64;
            chunks.push(Written { begin: self.at, data, size: bytes.len(), rows, encodings });
            self.at += bytes.len() as u64;
        }
        self.groups.push(Group { rows, chunks });
        Ok(())
    }

    /// Writes the rest and the description of the file.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if self.rows > 0 {
            self.end_group()?;
        }
        let mut footer = Vec::new();
        thrift::write(&mut footer, |file| {
            file.i32(1, 1);
            let root = std::iter::once(None);
            let schema: Vec<Option<&Column>> = root.chain(self.columns.iter().map(Some)).collect();
            file.structs(2, &schema, |element, column| match column {
                None => {
                    element.text(4, &self.name);
                    element.i32(5, self.columns.len() as i32);
                }
                Some(column) => describe(element, column),
            });
            file.i64(3, self.groups.iter().map(|g| g.rows as i64).sum());
            file.structs(4, &self.groups, |group, written| {
                group.structs(
                    1,
                    &written.chunks.iter().zip(&self.columns).collect::<Vec<_>>(),
                    |c, (w, column)| {
                        c.i64(2, w.begin as i64);
                        c.inner(3, |meta| place(meta, w, column));
                    },
                );
                group.i64(2, written.chunks.iter().map(|c| c.size as i64).sum());
                group.i64(3, written.rows as i64);
            });
            file.text(6, CREATED_BY);
        });
        self.out.write_all(&footer)?;
        self.out.write_all(&(footer.len() as u32).to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        Ok(self.out)
    }
}

/// The physical type of a kind.
fn physical(kind: ColumnKind) -> i32 {
    match kind {
        ColumnKind::Bool => 0,
        ColumnKind::Int | ColumnKind::Time => 2,
        ColumnKind::Float => 5,
        ColumnKind::Word => 6,
    }
}

fn describe(element: &mut thrift::Struct<'_>, column: &Column) {
    element.i32(1, physical(column.kind));
    element.i32(3, i32::from(column.null == Null::Possible));
    element.text(4, &column.name);
    match column.kind {
        ColumnKind::Word => {
            element.i32(6, 0);
            element.inner(10, |logical| logical.inner(1, |_| {}));
        }
        ColumnKind::Time => element.inner(10, |logical| {
            logical.inner(8, |time| {
                time.bool(1, true);
                // Nanoseconds.
                time.inner(2, |unit| unit.inner(3, |_| {}));
            });
        }),
        ColumnKind::Bool | ColumnKind::Int | ColumnKind::Float => {}
    }
}

fn place(meta: &mut thrift::Struct<'_>, written: &Written, column: &Column) {
    meta.i32(1, physical(column.kind));
    meta.enums(2, &written.encodings);
    meta.texts(3, &[&column.name]);
    // Not compressed.
    meta.i32(4, 0);
    meta.i64(5, written.rows as i64);
    meta.i64(6, written.size as i64);
    meta.i64(7, written.size as i64);
    meta.i64(9, written.data as i64);
    if written.data != written.begin {
        meta.i64(11, written.begin as i64);
    }
}
