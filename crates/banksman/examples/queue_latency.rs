//! How long it takes from adding a job to the first word of its engine, with an idle worker in another process. The job prints the
//! time at which it runs, so that the start of the shell and of `date` counts too. Prints milliseconds, one number a job.
//! usage: queue_latency PROGRAM [STORE]

use banksman_core::{
    job::Body,
    manifest::{self, Defaults},
    port::{NewJob, Queue as _},
    text::{Holder, JobName},
};
use banksman_store::Chosen;
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Jobs that are measured.
const JOBS: usize = 60;
/// Jobs before them, while caches fill.
const FIRST: usize = 5;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let program = args.next().ok_or_else(|| anyhow::anyhow!("usage: queue_latency PROGRAM [STORE]"))?;
    let address = args.next();
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    fs::create_dir(&home)?;
    fs::write(folder.path().join("config.toml"), "sandbox = \"off\"\n")?;
    let mut command = Command::new(program);
    command.args(["worker", "--quiet"]).current_dir(folder.path()).stdout(Stdio::null());
    command.env("BANKSMAN_HOME", &home).env("BANKSMAN_CONFIG", folder.path().join("config.toml"));
    if let Some(address) = &address {
        command.env("BANKSMAN_STORE", address);
    }
    let mut worker = command.spawn()?;
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(measure(folder.path(), &home, address.as_deref()));
    end(&mut worker);
    for took in result? {
        println!("{took:.3}");
    }
    Ok(())
}

async fn measure(
    folder: &std::path::Path,
    home: &std::path::Path,
    address: Option<&str>,
) -> anyhow::Result<Vec<f64>> {
    let store = match address {
        None => Chosen::sqlite(&home.join("store.db"))?,
        Some(address) => Chosen::postgres(address).await?,
    };
    let who = Holder::new("latency/1/1/add")?;
    let mut all = Vec::new();
    for number in 0..FIRST + JOBS {
        let out = folder.join(format!("out-{number}"));
        let text = format!(
            "---\nengine: shell\nworktree: false\n---\ndate +%s%N > {0}.new; mv {0}.new {0}\n",
            out.display()
        );
        let (manifest, body): (_, Body) =
            manifest::parse(&text).map_err(|_| anyhow::anyhow!("a wrong manifest"))?;
        let spec = manifest.resolve(&BTreeMap::new(), &Defaults::default(), folder, Timestamp::now())?;
        let job = NewJob { name: JobName::new("stamp")?, key: None, spec, body };
        let begun = Timestamp::now();
        store.add(vec![job], &who, begun).await?;
        let limit = Instant::now() + Duration::from_secs(10);
        while !out.exists() {
            anyhow::ensure!(Instant::now() < limit, "job {number} did not run");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let said: i128 = fs::read_to_string(&out)?.trim().parse()?;
        if number >= FIRST {
            all.push((said - begun.as_nanosecond()) as f64 / 1e6);
        }
        // The worker is idle again.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Ok(all)
}

fn end(worker: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let _ = kill_process(Pid::from_child(worker), Signal::TERM);
    let _ = worker.wait();
}
