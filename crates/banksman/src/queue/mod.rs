//! The queue as people use it: jobs from files, and the folders that show where each is (Q10). What a job is and how it moves is
//! known elsewhere; the store is the truth, the folders follow it.

mod folders;
mod inbox;
mod mirror;
mod prepare;

pub(crate) use folders::Folders;
pub(crate) use inbox::{Inbox, Taken, read};
pub(crate) use mirror::{Mirror, Moved};
pub(crate) use prepare::{Prepared, prepare, resolve};
