//! Waits until the inventory or the team is another one: repositories or quotas that were added, changed or taken out while the server runs.

use super::parts::{Part, Parts};
use crate::{
    home::{Home, Inventory, read_team, team_file},
    host::Host,
};
use banksman_core::port::Queue as _;
use std::{fs, time::Duration};
use tokio::time;

/// How often the file is looked at.
const LOOKS: Duration = Duration::from_millis(500);

/// What the files of inventory and team say; nothing where there is none.
pub(crate) fn written(home: &Home) -> String {
    [home.inventory(), team_file(home.folder())]
        .map(|file| fs::read_to_string(file).unwrap_or_default())
        .join("\0")
}

/// Returns when one of them says something else than it did, both can be read, and no attempt of this home runs that a new beginning would
/// cut off.
pub(super) async fn changed(host: &Host, before: &str, parts: &Parts) {
    let home = &host.home;
    loop {
        time::sleep(LOOKS).await;
        // Somebody may be in the middle of writing it.
        if written(home) != before
            && Inventory::read(&home.inventory()).is_ok()
            && read_team(home.folder()).is_ok()
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
