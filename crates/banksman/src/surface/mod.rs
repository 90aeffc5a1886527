//! Surfaces of the one stream of events: plain lines for pipes, JSON lines for scripts, a live table for a terminal. Each is a
//! `Watcher`; none of them blocks the loops or decides anything.

mod board;
mod live;
mod words;

pub(crate) use board::Cast;
pub(crate) use words::{numbers, sandbox_words, why_words};

use crate::output::{Form, Page, put};
use banksman_core::{event::Event, port::Watcher};
use live::Live;
use std::sync::{Arc, Mutex};

/// Where events go.
#[derive(Clone)]
pub(crate) enum Surface {
    /// One line of words per event.
    Lines,
    /// One JSON document per event.
    Json,
    /// A table that is drawn again and again.
    Live(Arc<Live>),
    /// Nothing.
    Silent,
    /// Kept for the caller: commands that do one step and tests.
    Kept(Arc<Mutex<Vec<Event>>>),
}

impl Surface {
    /// The surface that fits the output: a table on a terminal, lines in a pipe, JSON where asked for.
    pub(crate) fn fitting(page: &Page) -> Self {
        match page.form {
            Form::Json => Self::Json,
            Form::Text if page.is_live() => Self::Live(Arc::new(Live::start())),
            Form::Text => Self::Lines,
        }
    }

    /// Lines, or JSON where asked for, even on a terminal.
    pub(crate) fn plain(page: &Page) -> Self {
        if page.form == Form::Json { Self::Json } else { Self::Lines }
    }

    /// A surface that says nothing.
    pub(crate) fn silent() -> Self {
        Self::Silent
    }

    /// A surface that only keeps what happened.
    pub(crate) fn kept() -> Self {
        Self::Kept(Arc::default())
    }

    /// Tells the table who is on stage: titles and phases, which events do not carry.
    pub(crate) fn cast(&self, cast: Cast) {
        if let Self::Live(live) = self {
            live.cast(cast);
        }
    }

    /// Says something of our own between the events.
    pub(crate) fn note(&self, text: &str) {
        match self {
            Self::Lines => drop(put(&format!("{text}\n"))),
            Self::Live(live) => live.above(text),
            Self::Json | Self::Silent | Self::Kept(_) => {}
        }
    }

    /// Draws a last time and leaves what was drawn where it is.
    pub(crate) fn finish(&self) {
        if let Self::Live(live) = self {
            live.finish();
        }
    }
}

impl Watcher for Surface {
    fn event(&self, event: &Event) {
        match self {
            Self::Lines => drop(put(&words::line(event))),
            Self::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    drop(put(&format!("{line}\n")));
                }
            }
            Self::Live(live) => live.event(event),
            Self::Silent => {}
            Self::Kept(kept) => {
                kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(event.clone());
            }
        }
    }
}
