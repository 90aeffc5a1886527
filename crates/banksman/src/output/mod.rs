//! What people and scripts see: conventions of 00-overview.md in one place. Results on standard output, errors and progress on
//! standard error, foreign text only after [`clean`].

mod clean;
mod failure;
mod page;
pub(crate) mod plot;
mod table;
mod times;

pub(crate) use clean::{clean, clean_lines};
pub(crate) use failure::{Exit, Failure, report};
pub(crate) use page::{Form, Page, put};
pub(crate) use table::{Cell, Table, style, terminal_size};
pub(crate) use times::{ago, amount, moment, span_words};
