//! Lines of an older ledger: `2026-02-05T10:00Z core-mcp #29 jules #EPIC` (B3). Time, repository, issue, implementer and epic; `#12` is an
//! epic, `-`, nothing, or the word `#EPIC` none. Empty lines and lines that begin with `#` are passed over.

use super::team::Mistake;
use crate::{
    id::Number,
    text::{EngineName, RepoName},
};
use jiff::Timestamp;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedLine {
    /// Its line in the file, from 1.
    pub line: usize,
    /// When.
    pub at: Timestamp,
    /// The repository.
    pub repo: RepoName,
    /// The issue.
    pub issue: Number,
    /// Who worked.
    pub implementer: EngineName,
    /// The epic.
    pub epic: Option<Number>,
}

/// Reads all lines, or says what is wrong with each that cannot be read. `named` gives the full name of a repository that is written without
/// its owner.
pub fn ledger_lines(
    text: &str,
    named: &dyn Fn(&str) -> Result<RepoName, String>,
) -> Result<Vec<ImportedLine>, Vec<Mistake>> {
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match ledger_line(n + 1, line, named) {
            Ok(read) => lines.push(read),
            Err(what) => mistakes.push(Mistake { line: n + 1, what }),
        }
    }
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

fn ledger_line(
    line: usize,
    text: &str,
    named: &dyn Fn(&str) -> Result<RepoName, String>,
) -> Result<ImportedLine, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ([at, repo, issue, implementer] | [at, repo, issue, implementer, _]) = words.as_slice() else {
        return Err(format!(
            "a line has 4 or 5 words (time, repository, #issue, implementer, #epic), this one has {}",
            words.len()
        ));
    };
    let at = at
        .parse::<Timestamp>()
        .map_err(|_| "the first word is a time such as `2026-02-05T10:00Z`".to_owned())?;
    let repo = if repo.contains('/') {
        RepoName::new(repo).map_err(|error| error.to_string())?
    } else {
        named(repo)?
    };
    let issue = number(issue).ok_or("the third word is an issue such as `#29`")?;
    let implementer =
        EngineName::new(implementer).map_err(|_| "the fourth word is an implementer such as `jules`")?;
    let epic = match words.get(4) {
        None | Some(&"-") => None,
        Some(word) if word.eq_ignore_ascii_case("#epic") => None,
        Some(word) => Some(number(word).ok_or("the fifth word is an epic such as `#12`, or `-`")?),
    };
    Ok(ImportedLine { line, at, repo, issue, implementer, epic })
}

/// `#29`.
fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix('#')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // The databases count in signed numbers.
    plain.then(|| digits.parse().ok()).flatten().filter(|n| (1..=i64::MAX as u64).contains(n)).map(Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<RepoName, String> {
        RepoName::new(&format!("acme/{name}")).map_err(|e| e.to_string())
    }

    #[test]
    fn lines_are_read_with_and_without_an_epic() {
        let text = "# old ledger\n2026-02-05T10:00Z core-mcp #29 jules #EPIC\n\n\
                    2026-02-05T11:30:00+01:00 other/shop #7 claude #12\r\n2026-02-05T12:00Z shop #8 codex\n";
        let lines = ledger_lines(text, &named).unwrap();
        let told: Vec<String> = lines
            .iter()
            .map(|l| {
                format!(
                    "{} {} {} {} {} {:?}",
                    l.line,
                    l.at,
                    l.repo,
                    l.issue,
                    l.implementer,
                    l.epic.map(|e| e.0)
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "2 2026-02-05T10:00:00Z acme/core-mcp 29 jules None",
                "4 2026-02-05T10:30:00Z other/shop 7 claude Some(12)",
                "5 2026-02-05T12:00:00Z acme/shop 8 codex None",
            ]
        );
    }

    #[test]
    fn every_bad_line_is_told_with_its_number_and_none_is_taken() {
        let text = "2026-02-05T10:00Z a #1 jules\nyesterday a #1 jules\n2026-02-05T10:00Z a 1 jules\n\
                    2026-02-05T10:00Z a #0 jules\n2026-02-05T10:00Z a #1 -x\n2026-02-05T10:00Z a #1 jules twelve\na b c\n\
                    2026-02-05T10:00Z ../x #1 jules\n2026-02-05T10:00Z a #99999999999999999999 jules\n";
        let mistakes = ledger_lines(text, &named).unwrap_err();
        assert_eq!(mistakes.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(mistakes[0].what, "the first word is a time such as `2026-02-05T10:00Z`");
    }
}
