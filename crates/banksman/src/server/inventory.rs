//! Waits until the inventory is another one: repositories that were added, changed or taken out while the server runs.

use super::parts::{Part, Parts};
use crate::{home::Inventory, host::Host};
use banksman_core::port::Queue as _;
use std::{fs, path::Path, time::Duration};
use tokio::time;

/// How often the file is looked at.
const LOOKS: Duration = Duration::from_millis(500);

/// What an inventory's file says; nothing where there is none.
pub(crate) fn written(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Returns when the inventory says something else than it did, and can be read, and no attempt of this home runs that a new beginning would
/// cut off.
pub(super) async fn changed(host: &Host, before: &str, parts: &Parts) {
    let file = host.home.inventory();
    loop {
        time::sleep(LOOKS).await;
        // Somebody may be in the middle of writing it.
        if written(&file) != before
            && Inventory::read(&file).is_ok()
            && (!parts.has(Part::Workers) || idle(host).await)
        {
            return;
        }
    }
}

/// Whether no attempt runs. A store that does not answer says no.
async fn idle(host: &Host) -> bool {
    let counts = host.shared.store.counts().await;
    counts.is_ok_and(|counts| counts.building + counts.review + counts.testing == 0)
}
