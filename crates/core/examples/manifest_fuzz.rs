//! Fuzzes the reader of job files: mutated valid files, files put together from what YAML finds remarkable, and raw bytes. Every call has to
//! return in a second without a panic, what it accepts has to survive printing and reading (Q4), what it refuses has to say where.
//! Run with `cargo run --release -p banksman-core --example manifest_fuzz -- --seconds 60 [--seed N]`; prints one line of JSON, and on a
//! failure the input; exits 1 then.

use banksman_core::manifest::{parse_bytes, print};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// Longest that one call may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Accepted files that are mutated further.
const POOL: usize = 400;

/// Files that use every key in every way it may be written.
const SEEDS: [&str; 6] = [
    "---\nengine: claude\nprofile: quick\ncwd: sub/dir\nworktree: false\nyolo: true\nlock: db\ntimeout: 1h30m\npriority: high\n---\n# Do it\n",
    "---\nengine-class: reviewer\ncapabilities: [os:mac, gpu:cuda]\ndepends-on:\n  - 12\n  - schema\nidempotency-key: a/b:c\ntracker-item: T-1\nretries: 20\n---\n",
    "---\nnot-before: 2026-12-01T08:00:00+01:00\nreview: gemini\nverify:\n- cargo test\n- |\n  make lint\n  make docs\nbase: v1.0\nbranch: topic/x\n---\nbody",
    "---\nmax-cost: 2.50\nmax-tokens: 100000\nenv: [PATH, TOKEN]\nverify: 'make \"all\"'\nnot-before: 90m\n---\n---\n",
    "---\nx-note: {by: [me, \"you\"], since: 2026, ratio: 1.5e3, nothing: ~}\nx-text: >-\n  folded\n  text\nx-deep: [[[[[[[[1]]]]]]]]\n---\n",
    "no front matter\n",
];

/// What YAML, or this reader, finds remarkable.
const TOKENS: [&str; 64] = [
    "---\n",
    "...\n",
    "---",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "!x ",
    "!<",
    "? ",
    ": ",
    ":",
    "- ",
    "-",
    "[",
    "]",
    "{",
    "}",
    ",",
    "|",
    ">",
    "|2-\n",
    ">+\n",
    "\"",
    "'",
    "\\",
    "\\x",
    "\\u00",
    "\\U0010ffff",
    "#",
    " # ",
    "%YAML 1.2\n",
    "%TAG ! x\n",
    "@",
    "`",
    "<<: ",
    "null",
    "~",
    "true",
    "no",
    "0x1F",
    "-1",
    "99999999999999999999",
    "1e999",
    ".inf",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\0",
    "\u{1f680}",
    "ä",
    "engine: ",
    "engine-class: ",
    "x-a: ",
    "verify:\n",
    "not-before: ",
    "9999999d",
    "timeout: 1s",
];

struct Progress {
    executions: u64,
    accepted: u64,
    slowest: Duration,
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut seconds, mut seed) = (10u64, fastrand::u64(..));
    while let (Some(name), Some(value)) = (args.next(), args.next().and_then(|v| v.parse().ok())) {
        match name.as_str() {
            "--seconds" => seconds = value,
            "--seed" => seed = value,
            _ => {
                eprintln!("usage: manifest_fuzz [--seconds N] [--seed N]");
                return ExitCode::from(2);
            }
        }
    }
    // A panic is reported with its input below.
    std::panic::set_hook(Box::new(|_| {}));
    let current: Arc<Mutex<(Instant, Vec<u8>)>> = Arc::new(Mutex::new((Instant::now(), Vec::new())));
    let (done, waiting) = mpsc::channel();
    let watched = Arc::clone(&current);
    let until = Instant::now() + Duration::from_secs(seconds);
    thread::spawn(move || done.send(run(seed, until, &watched)));
    let finished = loop {
        match waiting.recv_timeout(PATIENCE) {
            Ok(finished) => break finished,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let now = current.lock().map(|now| now.clone());
                if let Some((since, input)) = now.ok().filter(|(since, _)| since.elapsed() > 10 * PATIENCE) {
                    break Err((format!("no answer after {} s", since.elapsed().as_secs()), input));
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                break Err(("the fuzzer itself died".to_owned(), Vec::new()));
            }
        }
    };
    match finished {
        Ok(Progress { executions, accepted, slowest }) => {
            println!(
                "{{\"executions\":{executions},\"accepted\":{accepted},\"slowest_ms\":{:.3},\"seconds\":{seconds},\"seed\":{seed}}}",
                slowest.as_secs_f64() * 1e3
            );
            ExitCode::SUCCESS
        }
        Err((what, input)) => {
            eprintln!("{what}; seed {seed}; input of {} bytes:\n{}", input.len(), input.escape_ascii());
            ExitCode::FAILURE
        }
    }
}

/// Fuzzes until the time is up or something is wrong.
fn run(
    seed: u64,
    until: Instant,
    current: &Mutex<(Instant, Vec<u8>)>,
) -> Result<Progress, (String, Vec<u8>)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut pool: Vec<Vec<u8>> = SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let mut progress = Progress { executions: 0, accepted: 0, slowest: Duration::ZERO };
    while Instant::now() < until {
        let input = make(&mut random, &pool);
        if let Ok(mut current) = current.lock() {
            *current = (Instant::now(), input.clone());
        }
        let start = Instant::now();
        let verdict = catch_unwind(AssertUnwindSafe(|| check(&input)));
        let took = start.elapsed();
        progress.executions += 1;
        progress.slowest = progress.slowest.max(took);
        let fail = |what: &str| Err((what.to_owned(), input.clone()));
        match verdict {
            _ if took > PATIENCE => return fail("a call took over a second"),
            Err(_) => return fail("a panic"),
            Ok(Err(what)) => return fail(&what),
            Ok(Ok(Accepted::No)) => {}
            Ok(Ok(Accepted::Yes)) => {
                progress.accepted += 1;
                let place = if pool.len() < POOL { pool.len() } else { random.usize(SEEDS.len()..POOL) };
                match pool.get_mut(place) {
                    _ if input.len() > 8192 => {}
                    Some(old) => *old = input,
                    None => pool.push(input),
                }
            }
        }
    }
    Ok(progress)
}

enum Accepted {
    Yes,
    No,
}

/// One call with everything that has to hold of it.
fn check(input: &[u8]) -> Result<Accepted, String> {
    match parse_bytes(input) {
        Ok((manifest, body)) => {
            let printed = print(&manifest, &body);
            let (again, rest) =
                parse_bytes(printed.as_bytes()).map_err(|e| format!("printed is refused: {e}\n{printed}"))?;
            if again != manifest || rest.as_str() != body.as_str() {
                return Err(format!("printed is read as something else:\n{printed}"));
            }
            Ok(Accepted::Yes)
        }
        Err(errors) => {
            let lines =
                u32::try_from(input.split(|b| matches!(b, b'\n' | b'\r')).count()).unwrap_or(u32::MAX);
            for problem in errors.problems() {
                if problem.line == 0 || problem.column == 0 || problem.line > lines + 1 {
                    return Err(format!("a place outside the file: {problem}"));
                }
                if problem.message.is_empty() || problem.message.len() > 400 || !problem.message.is_ascii() {
                    return Err(format!("a message that is not for people: {problem}"));
                }
            }
            if errors.problems().is_empty() { Err("no problem is told".to_owned()) } else { Ok(Accepted::No) }
        }
    }
}

fn make(random: &mut fastrand::Rng, pool: &[Vec<u8>]) -> Vec<u8> {
    let mut input = match random.u32(..100) {
        0..80 => pool[random.usize(..pool.len())].clone(),
        80..90 => soup(random),
        90..98 => (0..random.usize(..300)).map(|_| random.u8(..)).collect(),
        _ => monster(random),
    };
    for _ in 0..random.u32(..6) {
        mutate(random, &mut input, pool);
    }
    input
}

/// A front matter of tokens alone.
fn soup(random: &mut fastrand::Rng) -> Vec<u8> {
    let inside: String = (0..random.usize(..40)).map(|_| TOKENS[random.usize(..TOKENS.len())]).collect();
    format!("---\n{inside}\n---\n").into_bytes()
}

/// A front matter near its limits: one thing very often.
fn monster(random: &mut fastrand::Rng) -> Vec<u8> {
    let token = TOKENS[random.usize(..TOKENS.len())];
    let size = random.usize(1..66_000);
    let indent =
        |step: usize| (0..size.min(300)).map(|n| format!("{}a:\n", " ".repeat(n * step))).collect::<String>();
    let inside = match random.u32(..7) {
        0 => format!("x-a: {}", token.repeat(size / token.len())),
        1 => token.repeat(size / token.len()),
        2 => format!("x-a:\n{}", indent(1)),
        3 => format!("x-a: \"{}\"", "\\x7f".repeat(size / 4)),
        4 => format!("x-a: \"{}\"", "\u{7f}".repeat(size)),
        5 => (0..size / 6).map(|n| format!("k{n}: \n")).collect(),
        _ => format!("x-a: [{}]", format!("{token},").repeat(size / (token.len() + 1))),
    };
    format!("---\n{inside}\n---\n").into_bytes()
}

fn mutate(random: &mut fastrand::Rng, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
    let at = random.usize(..=input.len());
    let span = |random: &mut fastrand::Rng, text: &[u8]| {
        let from = random.usize(..=text.len());
        from..text.len().min(from + random.usize(..24))
    };
    match random.u32(..9) {
        0 if at < input.len() => input[at] ^= 1 << random.u32(..8),
        1 => drop(input.drain(span(random, input))),
        2 => {
            let part = input[span(random, input)].to_vec();
            input.splice(at..at, part);
        }
        3 => {
            let other = &pool[random.usize(..pool.len())];
            let part = other[span(random, other)].to_vec();
            input.splice(at..at, part);
        }
        4..=6 => {
            let token = TOKENS[random.usize(..TOKENS.len())];
            let many = if random.u32(..20) == 0 { random.usize(1..40) } else { 1 };
            input.splice(at..at, token.repeat(many).into_bytes());
        }
        _ => {
            // Lines change places, so that values come under other keys.
            let mut lines: Vec<&[u8]> = input.split_inclusive(|b| *b == b'\n').collect();
            if lines.len() > 1 {
                let (one, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
                lines.swap(one, other);
                *input = lines.concat();
            }
        }
    }
}
