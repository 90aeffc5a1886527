//! The live table: draws the board in place on a terminal, a few times a second, from a thread of its own.

use super::board::{Board, Cast};
use crate::output::{put, terminal_size};
use banksman_core::event::Event;
use std::{
    sync::{
        Mutex,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Pause between two drawings.
const PAUSE: Duration = Duration::from_millis(120);

/// The live table.
pub(crate) struct Live {
    to_drawer: Sender<News>,
    drawer: Mutex<Option<JoinHandle<()>>>,
}

enum News {
    Event(Box<Event>),
    Cast(Cast),
    Above(String),
    Finish,
}

impl Live {
    /// Starts the drawing thread.
    pub(super) fn start() -> Self {
        let (to_drawer, news) = mpsc::channel();
        let drawer = std::thread::spawn(move || draw(&news));
        Self { to_drawer, drawer: Mutex::new(Some(drawer)) }
    }

    pub(super) fn event(&self, event: &Event) {
        self.tell(News::Event(Box::new(event.clone())));
    }

    pub(super) fn cast(&self, cast: Cast) {
        self.tell(News::Cast(cast));
    }

    pub(super) fn above(&self, text: &str) {
        self.tell(News::Above(text.to_owned()));
    }

    /// Draws a last time and ends the thread.
    pub(super) fn finish(&self) {
        self.tell(News::Finish);
        let drawer = self.drawer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(drawer) = drawer {
            drop(drawer.join());
        }
    }

    fn tell(&self, news: News) {
        // A drawer that ended draws no more: nothing is lost but a picture.
        drop(self.to_drawer.send(news));
    }
}

fn draw(news: &mpsc::Receiver<News>) {
    let mut board = Board::default();
    let mut drawn = 0;
    let mut active = false;
    loop {
        let mut above = Vec::new();
        let mut finish = false;
        let mut next = news.recv_timeout(PAUSE);
        loop {
            match next {
                Ok(News::Event(event)) => {
                    active = true;
                    board.event(&event);
                }
                Ok(News::Cast(cast)) => board.cast(cast),
                Ok(News::Above(text)) => above.push(text),
                Ok(News::Finish) | Err(RecvTimeoutError::Disconnected) => {
                    finish = true;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
            next = news.try_recv().map_err(|_| RecvTimeoutError::Timeout);
        }
        let (width, height) = terminal_size();
        let lines = if active {
            board.lines(width, height.saturating_sub(2), crate::clock::now())
        } else {
            Vec::new()
        };
        let mut out = String::new();
        if drawn > 0 {
            out.push_str(&format!("\x1b[{drawn}A\r"));
        }
        for line in above.iter().chain(&lines) {
            // Clear to the end of the line, so that nothing of the last picture stays.
            out.push_str(&format!("{line}\x1b[K\n"));
        }
        out.push_str("\x1b[J");
        drawn = lines.len();
        drop(put(&out));
        if finish {
            return;
        }
    }
}
