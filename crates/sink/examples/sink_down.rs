//! A sink that is down for so many batches and then comes back: records them, says so, waits for a line on standard input, and delivers.
//! `cargo run -p banksman-sink --example sink_down -- URL FOLDER BATCHES`
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::{
    id::Number,
    port::{OutcomeDetail, OutcomeResult, training::Outlet as _},
    training::{Measured, Outcome, Point, RepoTag, Series},
};
use banksman_sink::{InfluxSettings, InfluxToken, Pauses, SinkKind, SinkSettings, Sinks};
use jiff::Timestamp;
use std::{env, io, path::PathBuf, time::Duration};

fn point(number: u64) -> Point {
    let series = Series { repo: RepoTag::new("acme_shop").unwrap(), pull: Number(number) };
    let measured = Measured::Outcome(Outcome {
        result: OutcomeResult::Success,
        detail: OutcomeDetail::MergedClean,
        resolution_hours: 1.0,
    });
    let at = Timestamp::from_nanosecond(1_753_600_000_000_000_000 + i128::from(number)).unwrap();
    Point { series, at, measured }
}

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let (url, folder) = (args.next().unwrap(), PathBuf::from(args.next().unwrap()));
    let batches: u64 = args.next().unwrap().parse().unwrap();
    let token = InfluxToken::new("secret").unwrap();
    let influx = InfluxSettings { url, org: "o".into(), bucket: "b".into(), token, patience: None };
    let settings = vec![SinkSettings { name: "influx", kind: SinkKind::Influx(influx) }];
    let sinks = Sinks::open(settings, &folder, 1 << 30).unwrap();
    let pauses = Pauses { first: Duration::from_millis(50), longest: Duration::from_millis(500) };
    let (stop, mut stopped) = tokio::sync::watch::channel(());
    let own = sinks.clone();
    let delivery = tokio::spawn(async move {
        own.deliver_until(pauses, async move { while stopped.changed().await.is_ok() {} }).await;
    });
    for batch in 0..batches {
        sinks.recorded(&[point(batch * 2), point(batch * 2 + 1)]);
        if batch % 64 == 0 {
            sinks.flush().await.unwrap();
        }
    }
    sinks.flush().await.unwrap();
    println!("spooled");
    tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()).unwrap()).await.unwrap();
    drop(stop);
    delivery.await.unwrap();
    // What the running delivery left when it was stopped.
    loop {
        let standing = sinks.deliver_once().await.unwrap().remove(0);
        if standing.waiting == 0 {
            break;
        }
        assert!(standing.delivered.is_some_and(|delivered| delivered.stopped.is_none()), "{standing:?}");
    }
    println!("delivered");
}
