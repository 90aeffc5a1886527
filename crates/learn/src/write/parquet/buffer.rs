//! The values of one column until their group of rows is written, and the bytes that they become.

use super::{hybrid, thrift};
use crate::table::{Cell, ColumnKind, Null};
use std::collections::HashMap;

/// Words of the format's enumerations.
pub(super) const PLAIN: i32 = 0;
/// Runs and packed bits.
pub(super) const RLE: i32 = 3;
/// Numbers of words in a dictionary.
pub(super) const RLE_DICTIONARY: i32 = 8;
const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;

/// Whole numbers from 0 below this are written as numbers of a dictionary where they repeat.
const SMALL: i64 = 1 << 16;

/// Values of one column.
pub(super) struct Buffer {
    null: Null,
    /// 1 where a row has a value.
    present: Vec<u32>,
    values: Values,
}

enum Values {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Time(Vec<i64>),
    Word(Words),
}

/// Words with their numbers, in the order of their first coming.
#[derive(Default)]
struct Words {
    numbers: HashMap<Box<str>, u32>,
    dictionary: Vec<u8>,
    rows: Vec<u32>,
    last: Option<(Box<str>, u32)>,
}

/// The bytes of a column in one group of rows.
pub(super) struct Chunk {
    /// Pages, the dictionary first where there is one.
    pub(super) bytes: Vec<u8>,
    /// Where the page of values begins.
    pub(super) data_at: usize,
    /// Rows, those without a value included.
    pub(super) rows: usize,
    /// How values are written.
    pub(super) encodings: Vec<i32>,
}

impl Buffer {
    pub(super) fn new(kind: ColumnKind, null: Null) -> Self {
        let values = match kind {
            ColumnKind::Bool => Values::Bool(Vec::new()),
            ColumnKind::Int => Values::Int(Vec::new()),
            ColumnKind::Float => Values::Float(Vec::new()),
            ColumnKind::Time => Values::Time(Vec::new()),
            ColumnKind::Word => Values::Word(Words::default()),
        };
        Self { null, present: Vec::new(), values }
    }

    /// Takes a value; `false`: it is of another kind, or missing where none may be.
    pub(super) fn push(&mut self, cell: &Cell<'_>) -> bool {
        match (&mut self.values, cell) {
            (_, Cell::Null) => {
                self.present.push(0);
                return self.null == Null::Possible;
            }
            (Values::Bool(values), Cell::Bool(yes)) => values.push(*yes),
            (Values::Int(values), Cell::Int(number)) => values.push(*number),
            (Values::Float(values), Cell::Float(number)) => values.push(*number),
            (Values::Time(values), Cell::Time(nanos)) => values.push(*nanos),
            (Values::Word(words), Cell::Word(word)) => words.push(word),
            _ => return false,
        }
        if self.null == Null::Possible {
            self.present.push(1);
        }
        true
    }

    /// Writes the pages and forgets the values. `rows`: how many were taken.
    pub(super) fn chunk(&mut self, rows: usize) -> Chunk {
        let mut page = Vec::new();
        if self.null == Null::Possible {
            let mut levels = Vec::new();
            hybrid::write(&self.present, 1, &mut levels);
            page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
            page.append(&mut levels);
            self.present.clear();
        }
        let mut dictionary = None;
        match &mut self.values {
            Values::Bool(values) => bits(values, &mut page),
            Values::Float(values) => plain(values.drain(..).map(f64::to_le_bytes), &mut page),
            Values::Time(values) => plain(values.drain(..).map(i64::to_le_bytes), &mut page),
            Values::Int(values) => {
                match small(values) {
                    Some((words, numbers)) => {
                        indices(&numbers, words.len(), &mut page);
                        let mut bytes = Vec::with_capacity(words.len() * 8);
                        let count = words.len();
                        plain(words.into_iter().map(i64::to_le_bytes), &mut bytes);
                        dictionary = Some((bytes, count));
                    }
                    None => plain(values.iter().map(|n| n.to_le_bytes()), &mut page),
                }
                values.clear();
            }
            Values::Word(words) => {
                let words = std::mem::take(words);
                indices(&words.rows, words.numbers.len(), &mut page);
                dictionary = Some((words.dictionary, words.numbers.len()));
            }
        }
        let mut bytes = Vec::with_capacity(page.len() + 64);
        let has_dictionary = dictionary.is_some();
        if let Some((words, count)) = dictionary {
            header(&mut bytes, DICTIONARY_PAGE, words.len(), |head| {
                head.inner(7, |page| {
                    page.i32(1, count as i32);
                    page.i32(2, PLAIN);
                });
            });
            bytes.extend_from_slice(&words);
        }
        let data_at = bytes.len();
        let encoding = if has_dictionary { RLE_DICTIONARY } else { PLAIN };
        header(&mut bytes, DATA_PAGE, page.len(), |head| {
            head.inner(5, |page| {
                page.i32(1, rows as i32);
                page.i32(2, encoding);
                page.i32(3, RLE);
                page.i32(4, RLE);
            });
        });
        bytes.append(&mut page);
        let encodings = if has_dictionary { vec![PLAIN, RLE, RLE_DICTIONARY] } else { vec![PLAIN, RLE] };
        Chunk { bytes, data_at, rows, encodings }
    }
}

impl Words {
    fn push(&mut self, word: &str) {
        if let Some((last, number)) = &self.last
            && **last == *word
        {
            self.rows.push(*number);
            return;
        }
        let number = match self.numbers.get(word) {
            Some(number) => *number,
            None => {
                let number = self.numbers.len() as u32;
                self.numbers.insert(word.into(), number);
                self.dictionary.extend_from_slice(&(word.len() as u32).to_le_bytes());
                self.dictionary.extend_from_slice(word.as_bytes());
                number
            }
        };
        self.rows.push(number);
        self.last = Some((word.into(), number));
    }
}

fn header(bytes: &mut Vec<u8>, kind: i32, size: usize, more: impl FnOnce(&mut thrift::Struct<'_>)) {
    thrift::write(bytes, |head| {
        head.i32(1, kind);
        head.i32(2, size as i32);
        head.i32(3, size as i32);
        more(head);
    });
}

fn plain(values: impl Iterator<Item = [u8; 8]>, page: &mut Vec<u8>) {
    values.for_each(|value| page.extend_from_slice(&value));
}

fn bits(values: &mut Vec<bool>, page: &mut Vec<u8>) {
    let byte = |eight: &[bool]| eight.iter().enumerate().map(|(at, yes)| u8::from(*yes) << at).sum::<u8>();
    page.extend(values.chunks(8).map(byte));
    values.clear();
}

fn indices(numbers: &[u32], words: usize, page: &mut Vec<u8>) {
    let width = hybrid::width(words);
    page.push(width);
    hybrid::write(numbers, width, page);
}

/// The different numbers in the order of their first coming, and which of them stands where; `None`: they are not small, or nearly all
/// different.
fn small(values: &[i64]) -> Option<(Vec<i64>, Vec<u32>)> {
    if values.iter().any(|value| !(0..SMALL).contains(value)) {
        return None;
    }
    let mut number_of: Vec<u32> = vec![u32::MAX; SMALL as usize];
    let (mut words, mut numbers) = (Vec::new(), Vec::with_capacity(values.len()));
    for value in values {
        let number = &mut number_of[*value as usize];
        if *number == u32::MAX {
            *number = words.len() as u32;
            words.push(*value);
        }
        numbers.push(*number);
    }
    (words.len() <= values.len() / 2 || words.len() < 16).then_some((words, numbers))
}
