//! Describes a data set to people and machines: the data card, as Markdown and JSON, and Croissant metadata. All of it follows from what was
//! written; nothing says when or where that was.

mod card;
mod croissant;

pub use card::{Card, card, markdown};
pub use croissant::croissant;
