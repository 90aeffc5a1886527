//! Many pull requests that land together, through the genuine client: every child is ticked, and what people write into the epic meanwhile stays.

use crate::{
    client::{Wire, client, repo},
    world::{World, send},
};
use axum::Router;
use banksman_core::{
    id::Number,
    intent::{EpicDraft, Made, MergeMethod, Phase, PhaseDraft, Step, Theme},
    port::{Forge, PullQuery},
    text::BranchName,
};
use banksman_forge::github::{
    governor::Pace,
    transport::{Request, Response, SendError, Transport},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const TOGETHER: usize = 20;
/// Edits by a person, each between the client's look at the body and its write.
const EDITS: usize = 5;

/// A wire on which a person writes into the epic right before the client does, every third time.
struct Meddled {
    wire: Wire,
    app: Router,
    writes: AtomicUsize,
    edits: AtomicUsize,
}

impl Meddled {
    async fn meddle(&self, path: &str) {
        let edit = self.edits.fetch_add(1, Ordering::SeqCst);
        let path = format!("/api/v3{path}");
        let ann = [("host", "127.0.0.1"), ("authorization", "Bearer of-ann")];
        let issue = send(self.app.clone(), "GET", &path, None, &ann).await.json();
        let body = format!("{}note {edit}\n", issue["body"].as_str().unwrap());
        let done = send(self.app.clone(), "PATCH", &path, Some(json!({ "body": body })), &ann).await;
        assert_eq!(done.status, 200, "{}", done.json());
    }
}

impl Transport for Meddled {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        if request.operation == "edit_body" {
            let write = self.writes.fetch_add(1, Ordering::SeqCst);
            if write.is_multiple_of(3) && self.edits.load(Ordering::SeqCst) < EDITS {
                self.meddle(&request.path).await;
            }
        }
        self.wire.send(request).await
    }

    async fn pause(&self, how_long: Duration) {
        self.wire.pause(how_long).await;
    }
}

#[tokio::test]
async fn twenty_merges_that_land_together_are_twenty_ticks_and_foreign_edits_stay() {
    let world = World::new().await;
    let app = world.over_tcp();
    let wire = Meddled {
        wire: Wire(app.clone()),
        app,
        writes: AtomicUsize::default(),
        edits: AtomicUsize::default(),
    };
    // The world's clock goes on with every look at it, and many look at once: the client's stands still.
    let begin = (world.now())();
    let (forge, repo) = (client(wire, Arc::new(move || begin), Pace::Own), repo());
    let mut children = Vec::new();
    for n in 0..TOGETHER {
        children.push(Number(world.issue(&format!("docs: {n}")).await));
    }
    let phases = vec![PhaseDraft { phase: Phase::Parallel, children: children.clone() }];
    let epic = EpicDraft { theme: Theme::Quality, part: None, phases };
    let made = forge.perform(&repo, &Step::CreateEpic { epic: epic.clone() }, None).await.unwrap().made;
    let Made::Issue { number: epic_number } = made else { panic!("{made:?}") };
    let base = epic.branch(epic_number);
    forge.perform(&repo, &Step::CreateBranch { branch: base.clone() }, None).await.unwrap();
    let mut pulls = Vec::new();
    for (n, child) in children.iter().enumerate() {
        let head = BranchName::new(&format!("agent/{child}")).unwrap();
        world.push(head.as_str(), &format!("file-{n}"), "text\n");
        let step = Step::OpenPull { closes: *child, head, base: base.clone() };
        let made = forge.perform(&repo, &step, None).await.unwrap().made;
        let Made::Pull { number } = made else { panic!("{made:?}") };
        pulls.push(number);
    }
    world.check().await;
    let signals = forge.pulls(&repo, &PullQuery::Open).await.unwrap();
    assert_eq!(signals.len(), TOGETHER);
    let merges = signals.iter().map(|signals| {
        let step =
            Step::Merge { pull: signals.number, head: signals.head.clone(), method: MergeMethod::Squash };
        let (forge, repo) = (&forge, &repo);
        async move { forge.perform(repo, &step, None).await.unwrap() }
    });
    futures_util::future::join_all(merges).await;
    let ticks = children.iter().map(|child| {
        let step = Step::Tick { epic: epic_number, children: vec![*child] };
        let (forge, repo) = (&forge, &repo);
        async move { forge.perform(repo, &step, None).await.unwrap() }
    });
    futures_util::future::join_all(ticks).await;
    let list = forge.checklist(&repo, epic_number).await.unwrap();
    let ticked: Vec<Number> =
        list.entries.iter().filter(|entry| entry.ticked).map(|entry| entry.child).collect();
    assert_eq!(ticked, children);
    let body = world.get(&format!("/repos/me/shop/issues/{epic_number}")).await["body"].to_string();
    for edit in 0..EDITS {
        assert_eq!(body.matches(&format!("note {edit}\\n")).count(), 1, "{body}");
    }
    let files = crate::world::git(&world.tree(), &["ls-tree", "--name-only", base.as_str()]);
    assert_eq!(files.lines().filter(|file| file.starts_with("file-")).count(), TOGETHER);
    assert_eq!(pulls.len(), TOGETHER);
}
