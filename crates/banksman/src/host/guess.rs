//! A guess at the check of a repository that names none: from the files at its top, in words of our own. It is shown with the plan and kept
//! in the inventory once somebody said yes, so that no command ever comes from the repository itself (S16).

use banksman_core::text::CheckName;
use std::collections::BTreeSet;

/// A file at the top and the command that usually tests what it stands for.
const USUAL: [(&str, &str); 12] = [
    ("Cargo.toml", "cargo test"),
    ("go.mod", "go test ./..."),
    ("package.json", "npm test"),
    ("pyproject.toml", "python3 -m pytest"),
    ("pytest.ini", "python3 -m pytest"),
    ("pom.xml", "mvn -q test"),
    ("build.gradle", "./gradlew test"),
    ("build.gradle.kts", "./gradlew test"),
    ("mix.exs", "mix test"),
    ("Makefile", "make test"),
    ("makefile", "make test"),
    ("GNUmakefile", "make test"),
];

/// A guessed check and the file that it was guessed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    /// The check.
    pub(crate) check: (CheckName, String),
    /// The file.
    pub(crate) from: &'static str,
}

/// The usual check of a repository with these paths; `None` where nothing at its top tells.
pub(crate) fn guess_check(paths: &BTreeSet<String>) -> Option<Guess> {
    let (from, command) = USUAL.iter().find(|(file, _)| paths.contains(*file))?;
    let name = CheckName::new("test").ok()?;
    Some(Guess { check: (name, (*command).to_owned()), from })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(paths: &[&str]) -> Option<String> {
        guess_check(&paths.iter().map(|p| (*p).to_owned()).collect()).map(|guess| guess.check.1)
    }

    #[test]
    fn files_at_the_top_tell_the_usual_check() {
        assert_eq!(command(&["Cargo.toml", "Makefile"]).as_deref(), Some("cargo test"));
        assert_eq!(command(&["src/a.c", "Makefile"]).as_deref(), Some("make test"));
        assert_eq!(command(&["sub/Cargo.toml", "README.md"]), None);
    }
}
