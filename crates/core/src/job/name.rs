//! Names of jobs made from titles (Q5).

use crate::text::JobName;

/// Longest name, in bytes.
const LONGEST: usize = 60;

impl JobName {
    /// A name that is safe as a part of a file name and of a branch: of `[a-z0-9._-]`, without anything that leaves a folder, hides a file or
    /// looks like an option, and without gaps in a row. What is left of nothing is `job`.
    pub fn from_title(title: &str) -> Self {
        let mut name = String::new();
        for c in title.chars().map(|c| c.to_ascii_lowercase()) {
            let c =
                if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_') { c } else { '-' };
            // Neither gaps nor `..`.
            let gap = |c: char| matches!(c, '-' | '.');
            if gap(c) && name.ends_with(gap) {
                if c == '-' && name.ends_with('.') {
                    name.pop();
                    name.push('-');
                }
            } else {
                name.push(c);
            }
            if name.len() > LONGEST * 4 {
                break;
            }
        }
        let start = name.trim_start_matches(['.', '-']);
        let cut = start.get(..LONGEST.min(start.len())).unwrap_or_default().trim_end_matches(['.', '-']);
        #[expect(clippy::expect_used, reason = "made of the characters of a name alone")]
        Self::new(if cut.is_empty() { "job" } else { cut }).expect("a name made from a title is valid")
    }
}
