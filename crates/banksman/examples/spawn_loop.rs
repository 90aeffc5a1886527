//! The bare loop that the queue is measured against: starts `sh -c true` again and again, some at a time, and waits for each. Prints
//! milliseconds a process. usage: spawn_loop COUNT AT_ONCE

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<i64>());
    let (Some(count), Some(at_once)) = (numbers.next().transpose()?, numbers.next().transpose()?) else {
        return Err("usage: spawn_loop COUNT AT_ONCE".into());
    };
    let left = AtomicI64::new(count);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                    let mut command = Command::new("/bin/sh");
                    command.args(["-c", "true"]).process_group(0);
                    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                    if let Err(error) = command.output() {
                        eprintln!("{error}");
                    }
                }
            });
        }
    });
    println!("{:.3} ms a process", begun.elapsed().as_secs_f64() * 1000.0 / count as f64);
    Ok(())
}
