//! Runs seeds from the command line: `simulate FIRST COUNT [CHILDREN] [REPOS]`, `simulate replay SEED [CHILDREN]`.

use banksman_sim::{SimOptions, replay, simulate};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, default: u64| words.get(n).and_then(|w| w.parse().ok()).unwrap_or(default);
    let children = number(2, 4) as u32;
    if words.first().is_some_and(|w| w == "replay") {
        let repos = number(3, 1) as u32;
        let trace = replay(number(1, 0), &SimOptions { children, repos, ..SimOptions::new(0..0) });
        trace.lines.iter().for_each(|line| println!("{line}"));
        trace.violations.iter().for_each(|v| println!("VIOLATION {v}"));
        return;
    }
    let first = number(0, 0);
    let seeds = first..first + number(1, 100);
    let repos = number(3, 1) as u32;
    let report = simulate(&SimOptions { children, repos, ..SimOptions::new(seeds) }, &|_| {});
    for violation in report.violations.iter().take(40) {
        println!("{violation}");
    }
    report.last_lines.iter().for_each(|line| println!("    {line}"));
    report.seen.iter().for_each(|(what, count)| println!("{count:>9} {what}"));
    println!(
        "{} worlds, {} violations, {} merges ({:.1} a day), {} asks, {} escalations, {} effects, {} crashes, {} attempts, {:.1} s",
        report.worlds,
        report.violations.len(),
        report.merges,
        report.merges_per_day(),
        report.asks,
        report.escalations,
        report.effects,
        report.crashes,
        report.attempts,
        report.seconds
    );
}
