//! What a push asks for: the commands in front of the pack, read from git's packet lines and judged as a whole.

use super::backend::QUIET;
use crate::problem::Problem;
use axum::body::{Body, BodyDataStream};
use banksman_core::text::BranchName;
use futures_util::{StreamExt, stream};
use std::fmt::Write;
use tokio::time::timeout;

/// Most bytes of commands: some ten thousand branches.
const MOST: usize = 1 << 20;

/// What becomes of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Git may do it.
    Fine,
    /// Nothing of it is done; this is the report that the client gets.
    Refused(Vec<u8>),
}

/// One line of a push: a branch or tag that is to be made, moved or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Command {
    name: String,
    fault: Option<&'static str>,
}

/// Reads the commands in front of a push and judges them. The body comes back whole.
pub(super) async fn judge(body: Body, default: &BranchName) -> Result<(Verdict, Body), Problem> {
    let mut data: BodyDataStream = body.into_data_stream();
    let mut head: Vec<u8> = Vec::new();
    let parsed = loop {
        if let Some(parsed) = parse(&head, default)? {
            break parsed;
        }
        if head.len() > MOST {
            return Err(Problem::bad_request("Too many commands in one push"));
        }
        match timeout(QUIET, data.next()).await {
            Ok(Some(Ok(chunk))) => head.extend_from_slice(&chunk),
            Ok(Some(Err(_)) | None) | Err(_) => return Err(Problem::bad_request("The push ends too early")),
        }
    };
    let (commands, side_band) = parsed;
    let verdict = if commands.iter().any(|command| command.fault.is_some()) {
        Verdict::Refused(report(&commands, side_band))
    } else {
        Verdict::Fine
    };
    let head = stream::iter([Ok(axum::body::Bytes::from(head))]);
    Ok((verdict, Body::from_stream(head.chain(data))))
}

/// The commands up to the flush packet, and whether the client wants its report in a side band; `None`: there is more to come.
fn parse(head: &[u8], default: &BranchName) -> Result<Option<(Vec<Command>, bool)>, Problem> {
    let bad = || Problem::bad_request("This is no push");
    let mut rest = head;
    let mut commands = Vec::new();
    let mut side_band = false;
    loop {
        let Some((length, after)) = rest.split_at_checked(4) else { return Ok(None) };
        let length = std::str::from_utf8(length).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.ok_or_else(bad)?;
        if length == 0 {
            return Ok(Some((commands, side_band)));
        }
        let size = length.checked_sub(4).ok_or_else(bad)?;
        let Some((line, after)) = after.split_at_checked(size) else { return Ok(None) };
        rest = after;
        let mut parts = line.splitn(2, |b| *b == 0);
        let command = std::str::from_utf8(parts.next().unwrap_or_default()).map_err(|_| bad())?;
        if let Some(wishes) = parts.next() {
            side_band |=
                String::from_utf8_lossy(wishes).split_whitespace().any(|wish| wish == "side-band-64k");
        }
        let command = command.trim_end_matches('\n');
        // What a shallow clone lacks, or the beginning of a signed push, which is not offered.
        if command.starts_with("shallow ") {
            continue;
        }
        let mut words = command.splitn(3, ' ');
        let (Some(_), Some(_), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(bad());
        };
        commands.push(Command { fault: fault(name, default), name: name.to_owned() });
    }
}

/// Why a reference must not be pushed to.
fn fault(name: &str, default: &BranchName) -> Option<&'static str> {
    match name.strip_prefix("refs/heads/") {
        Some(branch) if branch == default.as_str() => Some("protected branch: it is moved by merges alone"),
        Some(branch) if BranchName::new(branch).is_err() => Some("no name for a branch here"),
        Some(_) => None,
        None if name.starts_with("refs/tags/") => None,
        None => Some("only branches and tags can be pushed"),
    }
}

/// The report of a push of which nothing is done.
fn report(commands: &[Command], side_band: bool) -> Vec<u8> {
    let mut lines = packet("unpack ok\n".as_bytes());
    for command in commands {
        let mut line = format!("ng {} ", command.name);
        let _ = writeln!(line, "{}", command.fault.unwrap_or("refused with the others"));
        lines.extend(packet(line.as_bytes()));
    }
    lines.extend(b"0000");
    if !side_band {
        return lines;
    }
    let mut wrapped = Vec::new();
    for chunk in lines.chunks(60_000) {
        let mut band = vec![1];
        band.extend(chunk);
        wrapped.extend(packet(&band));
    }
    wrapped.extend(b"0000");
    wrapped
}

fn packet(bytes: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", bytes.len() + 4).into_bytes();
    packet.extend(bytes);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(names: &[&str]) -> Vec<u8> {
        let zeros = "0".repeat(40);
        let mut head = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let wishes = if at == 0 { "\0 report-status side-band-64k" } else { "" };
            head.extend(packet(format!("{zeros} {zeros} {name}{wishes}").as_bytes()));
        }
        head.extend(b"0000PACK");
        head
    }

    async fn judged(head: Vec<u8>) -> Result<Verdict, Problem> {
        judge(Body::from(head), &BranchName::new("main").unwrap()).await.map(|(verdict, _)| verdict)
    }

    #[tokio::test]
    async fn branches_and_tags_may_be_pushed_and_the_body_stays_whole() {
        let head = push(&["refs/heads/topic", "refs/tags/v1"]);
        let main = BranchName::new("main").unwrap();
        let (verdict, body) = judge(Body::from(head.clone()), &main).await.unwrap();
        assert_eq!(verdict, Verdict::Fine);
        assert_eq!(axum::body::to_bytes(body, 1 << 20).await.unwrap(), head);
    }

    #[tokio::test]
    async fn the_default_branch_and_everything_else_is_refused_with_its_company() {
        for name in ["refs/heads/main", "refs/pull/1/head", "refs/heads/a..b", "HEAD", "refs/banksman/x"] {
            let Verdict::Refused(report) = judged(push(&["refs/heads/topic", name])).await.unwrap() else {
                panic!("{name}");
            };
            let report = String::from_utf8(report).unwrap();
            assert!(
                report.contains(&format!("ng {name} ")) && report.contains("ng refs/heads/topic "),
                "{report}"
            );
        }
    }

    #[tokio::test]
    async fn a_probe_and_nonsense_are_told_apart() {
        assert_eq!(judged(b"0000".to_vec()).await.unwrap(), Verdict::Fine);
        for bad in [&b"zzzz"[..], b"0003", b"00", b"0008abcd0000"] {
            assert!(judged(bad.to_vec()).await.is_err());
        }
    }
}
