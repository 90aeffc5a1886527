//! Runs seeds from the command line: `simulate [jobs|pipeline|github] FIRST COUNT [CHILDREN] [REPOS]`, `simulate [jobs|pipeline|github]
//! replay SEED [CHILDREN]`; without a word for them worlds of jobs and of the pipeline. `--json` prints the
//! report as JSON.

use banksman_sim::{SimOptions, Worlds, replay, simulate};

fn main() {
    let (flags, mut words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let worlds = match words.first().map(String::as_str) {
        Some("jobs") => Worlds::Jobs,
        Some("pipeline") => Worlds::Pipeline,
        Some("github") => Worlds::Github,
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
    if flags.iter().any(|flag| flag == "--json") {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
        return;
    }
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
