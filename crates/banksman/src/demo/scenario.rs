//! What a script is made of: for each finding the commits that answer it, what the reviewer has to say, how a conflict is settled,
//! and how it ends. The lines themselves are in [`super::script`].

use banksman_core::say::Instruction;
use std::collections::BTreeMap;

/// The part of the scripted agents that belongs to one issue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name: the id of the finding in the report. Stands in the trailer of each of its commits.
    pub(crate) name: &'static str,
    /// Places that its issue names, as the report writes them: one for a finding, those of its members for a pattern.
    pub(crate) places: &'static [&'static str],
    /// The commits, in their order.
    pub(crate) changes: &'static [Change],
    /// What the reviewer says about the first of them; `None`: it is approved as it is.
    pub(crate) remark: Option<Remark>,
    /// The files that conflict with another part, as they are with both sides in them.
    pub(crate) together: &'static [(&'static str, &'static str)],
    /// How it ends.
    pub(crate) fate: Fate,
}

/// How a part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its commits are merged.
    Merged,
    /// A person is called.
    Escalated,
}

/// One commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What it answers.
    pub(crate) answers: Instruction,
    /// First line of its message.
    pub(crate) subject: &'static str,
    /// What it does.
    pub(crate) edits: &'static [Edit],
}

/// A change of one file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Writes a new file.
    Write {
        /// Path.
        path: &'static str,
        /// Its content.
        text: &'static str,
    },
    /// Replaces text that stands in a file exactly once.
    Replace {
        /// Path.
        path: &'static str,
        /// What is there.
        old: &'static str,
        /// What comes in its place.
        new: &'static str,
    },
}

/// A review thread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// File.
    pub(crate) path: &'static str,
    /// Line, from 1.
    pub(crate) line: u32,
    /// What it says.
    pub(crate) body: &'static str,
}

/// A script that does not fit the repository it is played on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not as the script expects it: this is not the repository that the demo made")]
pub(crate) struct Unfit(&'static str);

impl Edit {
    /// The file that it changes.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Write { path, .. } | Self::Replace { path, .. } => path,
        }
    }
}

impl Change {
    /// The new contents of the files that it changes. `read` gives what is there. Where the other side of a conflict is in already,
    /// `together` takes its place.
    pub(crate) fn contents(
        &self,
        together: &[(&'static str, &'static str)],
        read: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<&'static str, String>, Unfit> {
        let mut files = BTreeMap::new();
        for edit in self.edits {
            let path = edit.path();
            let text = match edit {
                Edit::Write { text, .. } => (*text).to_owned(),
                Edit::Replace { old, new, .. } => {
                    let found = files.get(path).cloned().or_else(|| read(path)).ok_or(Unfit(path))?;
                    let both = together.iter().find(|(other, _)| *other == path);
                    match (found.matches(old).count(), both) {
                        (1, _) => found.replacen(old, new, 1),
                        (_, Some((_, both))) => (*both).to_owned(),
                        (_, None) => return Err(Unfit(path)),
                    }
                }
            };
            files.insert(path, text);
        }
        Ok(files)
    }
}

impl Part {
    /// The files that its commits change, each once.
    pub(crate) fn paths(&self) -> Vec<&'static str> {
        let mut paths: Vec<_> = self.changes.iter().flat_map(|c| c.edits).map(Edit::path).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// The part whose name is in a trailer.
    pub(crate) fn named(name: &str) -> Option<&'static Part> {
        super::script::SCRIPT.iter().find(|part| part.name == name)
    }

    /// The part that a task file is about: the one whose places it names, all of them and no others.
    pub(crate) fn of_task(task: &str) -> Option<&'static Part> {
        let named = |place: &&str| names(task, place);
        let all: Vec<&str> =
            super::script::SCRIPT.iter().flat_map(|part| part.places).copied().filter(named).collect();
        super::script::SCRIPT
            .iter()
            .find(|part| part.places.iter().all(named) && all.iter().all(|place| part.places.contains(place)))
    }
}

/// Whether a text names a place, and not merely a longer one that begins or ends with it.
fn names(text: &str, place: &str) -> bool {
    text.match_indices(place).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + place.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '/' || c == '.')
            && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// The files of the repository once these parts are merged, in this order.
pub(crate) fn files_after<'a>(
    merged: impl IntoIterator<Item = &'a Part>,
) -> Result<BTreeMap<&'static str, String>, Unfit> {
    let mut files: BTreeMap<&'static str, String> =
        super::shop::files().map(|(path, text)| (path, text.to_owned())).collect();
    for part in merged {
        for change in part.changes {
            files.extend(change.contents(part.together, |path| files.get(path).cloned())?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(task: &str) -> Option<&'static str> {
        Part::of_task(task).map(|part| part.name)
    }

    #[test]
    fn a_task_is_known_by_the_places_it_names() {
        assert_eq!(name("## Location\n\n- `billing/amount.sh:4`\n"), Some("BILL-01"));
        assert_eq!(name("- `billing/amount.sh:6`\n"), Some("BILL-02"));
        assert_eq!(
            name("a (`api/route.sh:15`)\nb (`auth/session.sh:7`)\nc (`cart/cart.sh:7`)"),
            Some("shared-check")
        );
        assert_eq!(name("- `cart/cart.sh:7`"), Some("CART-01"));
    }

    #[test]
    fn longer_places_and_strange_tasks_are_nobodys() {
        assert_eq!(name("- `billing/amount.sh:41`"), None);
        assert_eq!(name("- `old/billing/amount.sh:4`"), None);
        assert_eq!(name("Please do something else."), None);
        assert_eq!(name("`billing/amount.sh:4` and `web/page.sh:11`"), None);
    }
}
