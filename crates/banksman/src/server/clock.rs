//! The clock of commands that run no loops: nothing wakes them but time.

use banksman_core::port::Clock;
use jiff::Timestamp;
use std::time::Duration;

/// Time of the host.
pub(crate) struct CommandClock;

impl Clock for CommandClock {
    fn now(&self) -> Timestamp {
        crate::clock::now()
    }

    async fn sleep_until(&self, until: Timestamp) {
        let left = until.duration_since(self.now());
        tokio::time::sleep(Duration::try_from(left).unwrap_or(Duration::ZERO)).await;
    }

    async fn changed(&self, until: Timestamp) {
        self.sleep_until(until).await;
    }
}
