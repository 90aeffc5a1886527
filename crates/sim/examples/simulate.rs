//! Runs seeds from the command line: `simulate [jobs|pipeline] FIRST COUNT [CHILDREN] [REPOS]`, `simulate [jobs|pipeline] replay SEED
//! [CHILDREN]`; without a word for them both kinds of worlds.

use banksman_sim::{SimOptions, Worlds, replay, simulate};

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let worlds = match words.first().map(String::as_str) {
        Some("jobs") => Worlds::Jobs,
        Some("pipeline") => Worlds::Pipeline,
        _ => Worlds::Both,
    };
    if worlds != Worlds::Both {
        words.remove(0);
    }
    let number = |n: usize, default: u64| words.get(n).and_then(|w| w.parse().ok()).unwrap_or(default);
    let children = number(2, 4) as u32;
    if words.first().is_some_and(|w| w == "replay") {
        let repos = number(3, 1) as u32;
        let trace = replay(number(1, 0), &SimOptions { worlds, children, repos, ..SimOptions::new(0..0) });
        trace.lines.iter().for_each(|line| println!("{line}"));
        trace.violations.iter().for_each(|v| println!("VIOLATION {v}"));
        return;
    }
    let first = number(0, 0);
    let seeds = first..first + number(1, 100);
    let repos = number(3, 1) as u32;
    let report = simulate(&SimOptions { worlds, children, repos, ..SimOptions::new(seeds) }, &|_| {});
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
