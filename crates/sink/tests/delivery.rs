//! From the spool to a server over HTTP: a sink that is away, slow, refuses single points; a disk that is full.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{Router, extract::State, http::StatusCode, routing::post};
use banksman_core::{
    id::Number,
    port::{
        OutcomeDetail, OutcomeResult,
        training::{Outlet as _, Sink, SinkError},
    },
    training::{Measured, Outcome, Point, RepoTag, Series},
};
use banksman_sink::{
    Delivered, Influx, InfluxSettings, InfluxToken, Pauses, SinkKind, SinkSettings, Sinks, Spool, SpoolError,
    deliver, deliver_what_waits,
};
use jiff::Timestamp;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

fn point(number: u64) -> Point {
    let series = Series { repo: RepoTag::new("acme_shop").unwrap(), pull: Number(number) };
    let measured = Measured::Outcome(Outcome {
        result: OutcomeResult::Closed,
        detail: OutcomeDetail::ClosedUnmerged,
        resolution_hours: 0.5,
    });
    Point { series, at: Timestamp::UNIX_EPOCH, measured }
}

/// What a stub server got, and what it answers.
#[derive(Clone, Default)]
struct Stub(Arc<Mutex<Got>>);

#[derive(Default)]
struct Got {
    lines: Vec<String>,
    answer: Option<StatusCode>,
}

async fn take(State(stub): State<Stub>, body: String) -> StatusCode {
    let mut got = stub.0.lock().unwrap();
    let answer = got.answer.unwrap_or(StatusCode::NO_CONTENT);
    // A point that this server never takes.
    if body.contains("pr=13,") {
        return StatusCode::BAD_REQUEST;
    }
    if answer == StatusCode::NO_CONTENT {
        got.lines.extend(body.lines().map(str::to_owned));
    }
    answer
}

async fn serve(stub: &Stub) -> String {
    let app = Router::new().route("/api/v2/write", post(take)).with_state(stub.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

fn influx(url: &str, patience: Duration) -> Influx {
    let token = InfluxToken::new("secret").unwrap();
    let settings = InfluxSettings {
        url: url.to_owned(),
        org: "o".into(),
        bucket: "b".into(),
        token,
        patience: Some(patience),
    };
    Influx::open(&settings).unwrap()
}

fn pulls(lines: &[String]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line.split("pr=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap())
        .collect()
}

fn fill(spool: &Spool, numbers: std::ops::Range<u64>) {
    let batches: Vec<Vec<Point>> = numbers.map(|number| vec![point(number)]).collect();
    let refs: Vec<&[Point]> = batches.iter().map(Vec::as_slice).collect();
    spool.append(&refs).unwrap();
}

#[tokio::test]
async fn what_waited_for_a_sink_arrives_in_order_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(dir.path(), 1 << 30).unwrap());
    fill(&spool, 100..600);
    // Nobody listens on port 1.
    let away = influx("http://127.0.0.1:1", Duration::from_secs(5));
    let nothing = deliver_what_waits(&away, &spool).await.unwrap();
    assert_eq!(nothing, Delivered { stopped: Some(SinkError::Away), ..Delivered::default() });
    let stub = Stub::default();
    let url = serve(&stub).await;
    let sink = influx(&url, Duration::from_secs(5));
    for (answer, error) in [
        (StatusCode::SERVICE_UNAVAILABLE, SinkError::Away),
        (StatusCode::UNAUTHORIZED, SinkError::Denied),
        (StatusCode::NOT_FOUND, SinkError::NoPlace),
    ] {
        stub.0.lock().unwrap().answer = Some(answer);
        assert_eq!(deliver_what_waits(&sink, &spool).await.unwrap().stopped, Some(error));
    }
    stub.0.lock().unwrap().answer = None;
    fill(&spool, 600..700);
    let delivered = deliver_what_waits(&sink, &spool).await.unwrap();
    assert_eq!(delivered, Delivered { taken: 600, refused: 0, stopped: None });
    assert_eq!(pulls(&stub.0.lock().unwrap().lines), (100..700).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_point_that_is_refused_for_good_is_put_aside_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(dir.path(), 1 << 30).unwrap());
    fill(&spool, 10..20);
    let stub = Stub::default();
    let sink = influx(&serve(&stub).await, Duration::from_secs(5));
    let delivered = deliver_what_waits(&sink, &spool).await.unwrap();
    assert_eq!(delivered, Delivered { taken: 9, refused: 1, stopped: None });
    assert_eq!(pulls(&stub.0.lock().unwrap().lines), [10, 11, 12, 14, 15, 16, 17, 18, 19]);
    let aside = std::fs::read_to_string(dir.path().join("refused.jsonl")).unwrap();
    assert_eq!(serde_json::from_str::<Point>(aside.trim()).unwrap(), point(13));
}

#[tokio::test]
async fn a_slow_sink_is_given_up_on_for_now() {
    // It takes the connection and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sink = influx(&format!("http://{}", listener.local_addr().unwrap()), Duration::from_millis(50));
    assert_eq!(sink.write(&[point(1)]).await, Err(SinkError::Away));
}

/// Takes nothing for so many calls.
struct Away(Mutex<u32>, Mutex<Vec<u64>>);

impl Sink for Away {
    async fn write(&self, points: &[Point]) -> Result<(), SinkError> {
        let mut left = self.0.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Err(SinkError::Away);
        }
        self.1.lock().unwrap().extend(points.iter().map(|point| point.series.pull.0));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_while_a_sink_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(dir.path(), 1 << 30).unwrap());
    fill(&spool, 0..3);
    let sink = Away(Mutex::new(5), Mutex::default());
    let more = Notify::new();
    let begun = tokio::time::Instant::now();
    let pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(4) };
    let came = async {
        while sink.1.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    deliver(&sink, &spool, &more, pauses, came).await;
    // 1 + 2 + 4 + 4 + 4.
    assert!(begun.elapsed() >= Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(*sink.1.lock().unwrap(), [0, 1, 2]);
}

#[tokio::test]
async fn any_number_of_sinks_get_the_same_points() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let settings = vec![
        SinkSettings { name: "lines", kind: SinkKind::Lines(at("points.lp")) },
        SinkSettings { name: "json", kind: SinkKind::Json(at("points.jsonl")) },
        SinkSettings { name: "nowhere", kind: SinkKind::Lines(at("missing/points.lp")) },
    ];
    let sinks = Sinks::open(settings, &at("spool"), 1 << 30).unwrap();
    sinks.recorded(&[point(1), point(2)]);
    sinks.recorded(&[point(3)]);
    let standings = sinks.deliver_once().await.unwrap();
    let told: Vec<_> = standings
        .iter()
        .map(|s| (s.name, s.delivered.unwrap().taken, s.delivered.unwrap().stopped))
        .collect();
    assert_eq!(told, [("lines", 3, None), ("json", 3, None), ("nowhere", 0, Some(SinkError::NoPlace))]);
    let lines: Vec<String> =
        std::fs::read_to_string(at("points.lp")).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(pulls(&lines), [1, 2, 3]);
    let json = std::fs::read_to_string(at("points.jsonl")).unwrap();
    let points: Vec<Point> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(points, [point(1), point(2), point(3)]);
    // What waits outlives the process.
    drop(sinks);
    std::fs::create_dir(at("missing")).unwrap();
    let settings = vec![SinkSettings { name: "nowhere", kind: SinkKind::Lines(at("missing/points.lp")) }];
    let sinks = Sinks::open(settings, &at("spool"), 1 << 30).unwrap();
    let standing = sinks.deliver_once().await.unwrap().remove(0);
    assert_eq!((standing.delivered.unwrap().taken, standing.waiting), (3, 0));
}

#[tokio::test]
async fn a_full_spool_is_told_and_loses_no_order() {
    let dir = tempfile::tempdir().unwrap();
    let settings = vec![SinkSettings { name: "lines", kind: SinkKind::Lines(dir.path().join("no/points")) }];
    let sinks = Sinks::open(settings, &dir.path().join("spool"), 400).unwrap();
    for number in 0..10 {
        sinks.recorded(&[point(number)]);
    }
    let error = sinks.flush().await.unwrap_err();
    assert!(matches!(error, SpoolError::Bound { .. }), "{error}");
}
