//! Measures `audit::parse` on a report of 147 kB and on ten copies of it in one file. Prints one JSON object. The report is the
//! one that `BANKSMAN_BIG_AUDIT` names, else one made here of the same size.
//! `cargo run --release -p banksman-core --example audit_rate`

use banksman_core::audit;
use std::{fmt::Write as _, hint::black_box, process::ExitCode, time::Instant};

/// Size of the largest report that was seen in the wild.
const SIZE: usize = 147_000;
/// Measurements of each size.
const RUNS: usize = 21;

fn main() -> ExitCode {
    let (name, report) = match std::env::var("BANKSMAN_BIG_AUDIT") {
        Ok(path) => match std::fs::read(&path) {
            Ok(bytes) => ("the given one", bytes),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        },
        Err(_) => ("made here", made()),
    };
    let ten: Vec<u8> = report.iter().copied().cycle().take(report.len() * 10).collect();
    let (Some(one), Some(ten)) = (times(&report), times(&ten)) else {
        eprintln!("the report cannot be parsed");
        return ExitCode::FAILURE;
    };
    println!(
        "{{\"report\": \"{name}, {} bytes\", \"runs\": {RUNS}, \"median_ms\": {:.3}, \"min_ms\": {:.3}, \"max_ms\": {:.3}, \"ratio\": {:.2}}}",
        report.len(),
        one[RUNS / 2],
        one[0],
        one[RUNS - 1],
        ten[RUNS / 2] / one[RUNS / 2],
    );
    ExitCode::SUCCESS
}

/// Milliseconds of each run, ascending.
fn times(report: &[u8]) -> Option<Vec<f64>> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        black_box(audit::parse(black_box(report), "report.md").ok()?);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Some(times)
}

/// Findings under severity headings, with lists, code and a table, up to the size.
fn made() -> Vec<u8> {
    let mut text = String::from("# Audit\n\n## Summary\n\nSome prose about the method.\n\n");
    let mut n = 0;
    while text.len() < SIZE {
        n += 1;
        if n % 25 == 1 {
            let band = ["Critical", "High", "Medium", "Low"][(n / 25) % 4];
            let _ =
                writeln!(text, "## {band} findings\n\n| id | title |\n| --- | --- |\n| F-{n} | one row |\n");
        }
        let _ = writeln!(
            text,
            "### F-{n}: Input number {n} is not checked\n\n**Location**: `src/part{}/file{n}.rs:{}`\n\nThe value of *field {n}* goes on unchecked, \
             see [the code](src/part{}/file{n}.rs).\n\n```rust\nlet x = read({n})?;\n```\n\n- one consequence\n- another one\n\n\
             **Recommendation**: check it before use.\n",
            n % 7,
            n * 3,
            n % 7,
        );
    }
    text.into_bytes()
}
