//! Nothing that strangers wrote reaches a log, at any level. A binary of its own: what other tests do on other threads decides which
//! events a thread's subscriber hears.

use banksman_sim::{SimOptions, Worlds, replay};
use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// Collects what is logged.
#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Vec<u8>>>);

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_canary_reaches_the_log() {
    let pages = Pages::default();
    let writer = pages.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Replays run on this thread, so the subscriber of this thread hears them.
    tracing::subscriber::with_default(subscriber, || {
        for seed in 0..25 {
            for worlds in [Worlds::Both, Worlds::Github] {
                assert_eq!(replay(seed, &SimOptions { worlds, ..SimOptions::new(0..0) }).violations, []);
            }
        }
    });
    let log = String::from_utf8(pages.0.lock().unwrap().clone()).unwrap();
    assert!(!log.is_empty(), "the loops log something");
    assert!(!log.contains("Kanarienvogel") && !log.contains("S2FuYXJpZW52b2dl"));
}
