//! What the loops are up to, for people: repositories that stand still, and what is left of GitHub's limits.

use crate::{
    home::short,
    host::{Limits, Loops},
    output::{clean, span_words, style},
};
use jiff::Timestamp;

/// One line per repository in trouble, then GitHub's limits.
pub(super) fn text(loops: &Loops, now: Timestamp) -> String {
    let mut out = String::new();
    for (repo, trouble) in &loops.troubles {
        let until = match trouble.until {
            Some(until) if until > now => format!(", for {}", span_words(until.duration_since(now))),
            Some(_) | None => String::new(),
        };
        let (name, why, bad) = (short(repo), clean(&trouble.why), style::BAD);
        out.push_str(&format!("\n{bad}{name} stands still{bad:#}: {why}{until}\n"));
    }
    if let Some(limits) = &loops.github {
        out.push_str(&format!("\n{}", limits_text(limits, now)));
    }
    out
}

fn limits_text(limits: &Limits, now: Timestamp) -> String {
    let Limits { rest, graphql, content: (written, most), pause } = limits;
    let mut out = format!(
        "GitHub: {} of {} points and {} of {} requests left this hour; {written} of {most} texts written\n",
        graphql.left, graphql.limit, rest.left, rest.limit
    );
    if let Some((until, why)) = pause.as_ref().filter(|(until, _)| *until > now) {
        let (rest, warn) = (span_words(until.duration_since(now)), style::WARN);
        out.push_str(&format!("{warn}GitHub rests for {rest}{warn:#}: {}\n", clean(why)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Hour, Trouble};
    use banksman_core::text::RepoName;
    use jiff::SignedDuration;

    #[test]
    fn what_stands_still_is_told_with_its_reason_and_for_how_long() {
        let now = Timestamp::UNIX_EPOCH;
        let until = Some(now + SignedDuration::from_mins(5));
        let trouble = |why: &str, until| Trouble { why: why.to_owned(), until };
        let name = |text: &str| RepoName::new(text).unwrap();
        let hour = Hour { left: 4900, limit: 5000, reset_at: None };
        let loops = Loops {
            pid: 1,
            troubles: [
                (name("acme/old"), trouble("the repository is archived and can only be read", None)),
                (name("acme/shop"), trouble("waits for the limits of GitHub", until)),
            ]
            .into(),
            github: Some(Limits { rest: hour, graphql: hour, content: (3, 450), pause: None }),
        };
        let plain = anstream::adapter::strip_str(&text(&loops, now)).to_string();
        assert_eq!(
            plain,
            "\nacme/old stands still: the repository is archived and can only be read\n\
             \nacme/shop stands still: waits for the limits of GitHub, for 5 min\n\
             \nGitHub: 4900 of 5000 points and 4900 of 5000 requests left this hour; 3 of 450 texts written\n"
        );
    }
}
