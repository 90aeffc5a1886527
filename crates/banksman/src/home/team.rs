//! The team of a home: `team.toml` (B2), written by people or imported. A missing file is a team without quotas; one that cannot be read stops
//! whatever would spend.

use crate::output::Failure;
use banksman_core::budget::Team;
use std::path::{Path, PathBuf};

/// Where it stands in a home.
pub(crate) fn team_file(home: &Path) -> PathBuf {
    home.join("team.toml")
}

/// Reads the team of a home.
pub(crate) fn read_team(home: &Path) -> anyhow::Result<Team> {
    let file = team_file(home);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Team::default()),
        Err(error) => {
            return Err(Failure::new(
                format!("cannot read {}: {error}", file.display()),
                "nothing is dispatched without knowing the quotas: mend the file, or take it away to work without quotas",
            ));
        }
    };
    Team::from_toml(&text).map_err(|error| {
        let told: Vec<String> = error
            .0
            .iter()
            .map(|mistake| match mistake.line {
                0 => format!("{}: {}", file.display(), mistake.what),
                line => format!("{}:{line}: {}", file.display(), mistake.what),
            })
            .collect();
        Failure::new(
            told.join("\n"),
            "nothing is dispatched until the team file can be read; nothing in the ledger is lost",
        )
    })
}
