//! The policy table against 50-execute.md: row by row, over the whole abstract state space, and over random cases (X6).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::{ActorId, Number, ThreadId},
    policy::{
        Action, Case, EscalateReason, History, Limits, Reply, Request, Requests, Resolution, TABLE,
        WaitReason, decide, eligible,
    },
    signals::{
        AutoMerge, Check, CheckState, Mark, MergeState, Mergeable, PullState, Reviews, Signals, Thread,
    },
    text::{BranchName, CheckName, Login, Sha},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

const MERGE_STATES: [MergeState; 8] = [
    MergeState::Clean,
    MergeState::Behind,
    MergeState::Blocked,
    MergeState::Dirty,
    MergeState::Unstable,
    MergeState::HasHooks,
    MergeState::Draft,
    MergeState::Unknown,
];
const MERGEABLE: [Mergeable; 3] = [Mergeable::Mergeable, Mergeable::Conflicting, Mergeable::Unknown];
const AUTO_MERGE: [AutoMerge; 3] = [AutoMerge::NotOffered, AutoMerge::Off, AutoMerge::Armed];
const RESOLUTIONS: [Resolution; 3] = [Resolution::NotTried, Resolution::Running, Resolution::Ended];
const REPLIES: [Reply; 3] = [Reply::Unknown, Reply::Working, Reply::Ended];

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn minutes_ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// When the implementer pushed last.
const PUSHED: i64 = 50;

/// A pull request that row 15 merges, and what was done about it: nothing.
fn ready() -> (Signals, History) {
    let signals = Signals {
        number: Number(7),
        state: PullState::Open,
        is_draft: false,
        merge_state: MergeState::Clean,
        mergeable: Mergeable::Mergeable,
        head: Sha::new(&"a".repeat(40)).unwrap(),
        head_at: minutes_ago(60),
        base: BranchName::new("epic/1-security").unwrap(),
        head_branch: BranchName::new("child/3").unwrap(),
        author: ActorId(2),
        author_login: Login::new("claude").unwrap(),
        checks: checks(Checks::Green),
        reviews: reviews(Verdicts::Satisfied),
        threads: Vec::new(),
        auto_merge: AutoMerge::NotOffered,
        additions: 1,
        deletions: 1,
        changed_files: 1,
        created_at: minutes_ago(90),
        updated_at: minutes_ago(1),
        closes: vec![Number(3)],
    };
    (signals, History { implementer_head_at: Some(minutes_ago(PUSHED)), ..History::default() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    None,
    /// Older than the implementer's newest commit.
    Older,
    /// Newer than it.
    Newer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checks {
    None,
    Pending,
    Red,
    Green,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdicts {
    Satisfied,
    Missing,
    Changes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escalated {
    Never,
    /// And nothing changed since.
    Same,
    /// And something changed.
    Other,
}

/// How requests of one kind stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    None,
    /// Outstanding, within the response time or after it.
    Asked(Age, Reply, Count),
    /// A commit came after it.
    Answered(Count),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Lately,
    LongAgo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Below,
    AtLimit,
}

fn all_sent() -> Vec<Sent> {
    let mut all = vec![Sent::None];
    for count in [Count::Below, Count::AtLimit] {
        all.push(Sent::Answered(count));
        for age in [Age::Lately, Age::LongAgo] {
            all.extend(REPLIES.map(|reply| Sent::Asked(age, reply, count)));
        }
    }
    all
}

fn threads(threads: Threads) -> Vec<Thread> {
    let thread = |id, age, resolved| Thread { id: ThreadId(id), created_at: minutes_ago(age), resolved };
    match threads {
        Threads::None => vec![thread(1, PUSHED + 5, true)],
        Threads::Older => vec![thread(1, PUSHED + 5, true), thread(2, PUSHED + 2, false)],
        Threads::Newer => vec![thread(1, PUSHED + 5, true), thread(3, PUSHED - 20, false)],
    }
}

fn checks(checks: Checks) -> Vec<Check> {
    let check = |name, state| Check { name: CheckName::new(name).unwrap(), state };
    match checks {
        Checks::None => vec![],
        Checks::Pending => vec![check("test", CheckState::Passing), check("lint", CheckState::Pending)],
        Checks::Red => vec![check("test", CheckState::Failing), check("lint", CheckState::Pending)],
        Checks::Green => vec![check("test", CheckState::Passing)],
    }
}

fn reviews(verdicts: Verdicts) -> Reviews {
    match verdicts {
        Verdicts::Satisfied => Reviews { approved: 1, changes_requested: 0, required: 1 },
        Verdicts::Missing => Reviews { approved: 0, changes_requested: 0, required: 1 },
        Verdicts::Changes => Reviews { approved: 1, changes_requested: 1, required: 1 },
    }
}

fn requests(sent: Sent, limit: u32) -> Requests {
    let number = |count| if count == Count::AtLimit { limit } else { limit - 1 };
    match sent {
        Sent::None => Requests::default(),
        Sent::Answered(count) => Requests {
            count: number(count),
            last: Some(Request { at: minutes_ago(PUSHED + 1), reply: Reply::Unknown }),
        },
        Sent::Asked(age, reply, count) => {
            let minutes = if age == Age::Lately { 10 } else { 40 };
            Requests { count: number(count), last: Some(Request { at: minutes_ago(minutes), reply }) }
        }
    }
}

fn other_mark(signals: &Signals) -> Mark {
    Mark { head: Sha::new(&"b".repeat(40)).unwrap(), ..signals.mark() }
}

/// What the table says, in the words of its rows.
fn case(change: impl FnOnce(&mut Signals, &mut History)) -> (u8, Action) {
    let (mut signals, mut history) = ready();
    change(&mut signals, &mut history);
    let decision = decide(&signals, &history, &Limits::default(), now());
    (decision.row, decision.action)
}

fn wait(reason: WaitReason) -> Action {
    Action::Wait { reason }
}

#[test]
fn each_row_fires_on_its_example() {
    let limits = Limits::default();
    let review = |sent| requests(sent, limits.review_requests);
    let conflict = |sent| requests(sent, limits.conflict_requests);
    let lately = |count| Sent::Asked(Age::Lately, Reply::Unknown, count);
    let long_ago = |count| Sent::Asked(Age::LongAgo, Reply::Unknown, count);
    let head = ready().0.head;

    let row = case(|s, _| s.state = PullState::Merged { at: now(), commit: s.head.clone() });
    assert_eq!(row, (1, Action::Resolve));
    let row = case(|s, _| s.state = PullState::Closed { at: now() });
    assert_eq!(row, (1, Action::Resolve));

    let row = case(|s, _| s.is_draft = true);
    assert_eq!(row, (2, wait(WaitReason::Draft)));
    let row = case(|s, _| s.mergeable = Mergeable::Unknown);
    assert_eq!(row, (2, wait(WaitReason::MergeabilityUnknown)));

    let row = case(|s, h| h.escalated = Some(s.mark()));
    assert_eq!(row, (3, wait(WaitReason::Escalated)));

    let row = case(|s, h| {
        s.threads = threads(Threads::Older);
        h.review = review(Sent::Answered(Count::Below));
    });
    assert_eq!(row, (4, Action::ResolveThreads { threads: vec![ThreadId(2)] }));

    let row = case(|s, h| {
        s.threads = threads(Threads::Older);
        h.review = review(Sent::Answered(Count::Below));
        h.resolved = vec![ThreadId(2)];
    });
    assert_eq!(row, (5, Action::RequestReviewFix), "a thread that was opened again");
    let row = case(|s, _| s.threads = threads(Threads::Older));
    assert_eq!(row, (5, Action::RequestReviewFix));
    let row = case(|s, h| {
        s.threads = threads(Threads::Newer);
        h.review = review(Sent::Answered(Count::Below));
    });
    assert_eq!(row, (5, Action::RequestReviewFix));

    let row = case(|s, h| {
        s.threads = threads(Threads::Newer);
        h.review = review(lately(Count::AtLimit));
    });
    assert_eq!(row, (6, wait(WaitReason::ReviewFixAsked)));

    let row = case(|s, h| {
        s.threads = threads(Threads::Newer);
        h.review = review(long_ago(Count::Below));
    });
    assert_eq!(row, (7, Action::RequestReviewFix));

    let row = case(|s, _| s.mergeable = Mergeable::Conflicting);
    assert_eq!(row, (8, Action::RequestConflictFix));
    let row = case(|s, h| {
        s.merge_state = MergeState::Dirty;
        h.conflict = conflict(long_ago(Count::Below));
    });
    assert_eq!(row, (8, Action::RequestConflictFix));

    let row = case(|s, h| {
        s.mergeable = Mergeable::Conflicting;
        h.conflict = conflict(lately(Count::AtLimit));
    });
    assert_eq!(row, (9, wait(WaitReason::ConflictFixAsked)));
    let row = case(|s, h| {
        s.mergeable = Mergeable::Conflicting;
        h.conflict = conflict(long_ago(Count::AtLimit));
        h.resolution = Resolution::Running;
    });
    assert_eq!(row, (9, wait(WaitReason::ResolvingConflict)));

    let row = case(|s, h| {
        s.mergeable = Mergeable::Conflicting;
        h.conflict = conflict(long_ago(Count::AtLimit));
    });
    assert_eq!(row, (10, Action::ResolveConflict));

    let row = case(|s, h| {
        s.mergeable = Mergeable::Conflicting;
        h.resolution = Resolution::Ended;
    });
    assert_eq!(row, (11, Action::Escalate { reason: EscalateReason::ConflictUnresolved }));
    let row = case(|s, h| {
        s.threads = threads(Threads::Newer);
        h.review = review(long_ago(Count::AtLimit));
    });
    assert_eq!(row, (11, Action::Escalate { reason: EscalateReason::ReviewLimit }));

    let row = case(|s, _| s.merge_state = MergeState::Behind);
    assert_eq!(row, (12, Action::UpdateBranch { head: head.clone() }));

    let row = case(|s, _| s.auto_merge = AutoMerge::Off);
    assert_eq!(row, (13, Action::EnableAutoMerge { head: head.clone() }));

    let row = case(|s, _| s.checks = checks(Checks::Red));
    assert_eq!(row, (14, wait(WaitReason::ChecksFailing)));
    let row = case(|s, _| s.checks = checks(Checks::Pending));
    assert_eq!(row, (14, wait(WaitReason::ChecksPending)));
    let row = case(|s, _| {
        s.checks = checks(Checks::Red);
        s.head_at = minutes_ago(24 * 60);
    });
    assert_eq!(row, (14, Action::Escalate { reason: EscalateReason::ChecksRed }));
    let row = case(|s, h| {
        s.checks = checks(Checks::Red);
        s.head_at = minutes_ago(24 * 60);
        h.checks_fix_ended_at = Some(minutes_ago(5));
    });
    assert_eq!(row, (14, wait(WaitReason::ChecksFailing)));

    assert_eq!(case(|_, _| {}), (15, Action::Merge { head }));

    let row = case(|s, _| s.auto_merge = AutoMerge::Armed);
    assert_eq!(row, (16, wait(WaitReason::AutoMergeArmed)));
    let row = case(|s, _| s.checks = checks(Checks::None));
    assert_eq!(row, (16, wait(WaitReason::NoChecks)));
    let row = case(|s, _| s.reviews = reviews(Verdicts::Missing));
    assert_eq!(row, (16, wait(WaitReason::ReviewRequired)));
    let row = case(|s, _| s.merge_state = MergeState::Blocked);
    assert_eq!(row, (16, wait(WaitReason::Blocked)));
}

/// One point of the abstract state space of an open pull request.
#[derive(Debug, Clone, Copy)]
struct Point {
    draft: bool,
    merge_state: MergeState,
    mergeable: Mergeable,
    threads: Threads,
    checks: Checks,
    verdicts: Verdicts,
    auto_merge: AutoMerge,
    escalated: Escalated,
    resolution: Resolution,
    review: Sent,
    conflict: Sent,
}

/// The row that 50-execute.md gives a point. Written from the specification, not from the table.
fn row_of(p: Point) -> u8 {
    use Mergeable as M;
    let outstanding = |sent| match sent {
        Sent::None | Sent::Answered(_) => None,
        Sent::Asked(age, Reply::Unknown, _) => Some(age),
        Sent::Asked(_, Reply::Working, _) => Some(Age::Lately),
        Sent::Asked(_, Reply::Ended, _) => Some(Age::LongAgo),
    };
    let at_limit = |sent| matches!(sent, Sent::Answered(Count::AtLimit) | Sent::Asked(_, _, Count::AtLimit));
    if p.draft
        || matches!(p.merge_state, MergeState::Draft | MergeState::Unknown)
        || p.mergeable == M::Unknown
    {
        return 2;
    }
    if p.escalated == Escalated::Same {
        return 3;
    }
    if p.threads != Threads::None {
        if p.threads == Threads::Older && matches!(p.review, Sent::Answered(_)) {
            return 4;
        }
        match (outstanding(p.review), at_limit(p.review)) {
            (None, false) => return 5,
            (Some(Age::Lately), _) => return 6,
            (Some(Age::LongAgo), false) => return 7,
            (None | Some(Age::LongAgo), true) => {}
        }
    }
    if p.mergeable == M::Conflicting || p.merge_state == MergeState::Dirty {
        return match (p.resolution, outstanding(p.conflict)) {
            (Resolution::Running, _) | (Resolution::NotTried, Some(Age::Lately)) => 9,
            (Resolution::NotTried, _) if at_limit(p.conflict) => 10,
            (Resolution::NotTried, _) => 8,
            (Resolution::Ended, _) => 11,
        };
    }
    if p.threads != Threads::None {
        return 11;
    }
    if p.merge_state == MergeState::Behind {
        return 12;
    }
    if p.auto_merge == AutoMerge::Off {
        return 13;
    }
    match (p.checks, p.verdicts, p.auto_merge, p.merge_state) {
        (Checks::Red | Checks::Pending, ..) => 14,
        (
            Checks::Green,
            Verdicts::Satisfied,
            AutoMerge::NotOffered,
            MergeState::Clean | MergeState::HasHooks,
        ) => 15,
        _ => 16,
    }
}

/// The rows that fire on a whole slice of the state space, after comparing each decision with the specification.
fn walk(draft: bool, merge_state: MergeState) -> BTreeSet<u8> {
    let limits = Limits::default();
    let sent = all_sent();
    let mut rows = BTreeSet::new();
    let (mut s, mut h) = ready();
    (s.is_draft, s.merge_state) = (draft, merge_state);
    for mergeable in MERGEABLE {
        s.mergeable = mergeable;
        for of_threads in [Threads::None, Threads::Older, Threads::Newer] {
            s.threads = threads(of_threads);
            for of_checks in [Checks::None, Checks::Pending, Checks::Red, Checks::Green] {
                s.checks = checks(of_checks);
                for escalated in [Escalated::Never, Escalated::Same, Escalated::Other] {
                    h.escalated = match escalated {
                        Escalated::Never => None,
                        Escalated::Same => Some(s.mark()),
                        Escalated::Other => Some(other_mark(&s)),
                    };
                    for (verdicts, auto_merge, resolution) in
                        [Verdicts::Satisfied, Verdicts::Missing, Verdicts::Changes].into_iter().flat_map(
                            |v| {
                                AUTO_MERGE
                                    .into_iter()
                                    .flat_map(move |a| RESOLUTIONS.into_iter().map(move |r| (v, a, r)))
                            },
                        )
                    {
                        s.reviews = reviews(verdicts);
                        s.auto_merge = auto_merge;
                        h.resolution = resolution;
                        for review in &sent {
                            h.review = requests(*review, limits.review_requests);
                            for conflict in &sent {
                                h.conflict = requests(*conflict, limits.conflict_requests);
                                let decision = decide(&s, &h, &limits, now());
                                let point = Point {
                                    draft,
                                    merge_state,
                                    mergeable,
                                    threads: of_threads,
                                    checks: of_checks,
                                    verdicts,
                                    auto_merge,
                                    escalated,
                                    resolution,
                                    review: *review,
                                    conflict: *conflict,
                                };
                                assert_eq!(decision.row, row_of(point), "{point:?}");
                                sound(&decision.action, &s, &h, &limits);
                                rows.insert(decision.row);
                            }
                        }
                    }
                }
            }
        }
    }
    rows
}

/// What no decision may ever do, whatever the row.
fn sound(action: &Action, signals: &Signals, history: &History, limits: &Limits) {
    match action {
        Action::Merge { head } => {
            assert!(signals.state == PullState::Open && !signals.is_draft);
            assert!(matches!(signals.merge_state, MergeState::Clean | MergeState::HasHooks));
            assert!(signals.mergeable == Mergeable::Mergeable && signals.all_green());
            assert!(signals.reviews.approved >= signals.reviews.required);
            assert!(signals.reviews.changes_requested == 0 && signals.unresolved() == 0);
            assert_eq!(*head, signals.head);
        }
        Action::UpdateBranch { head } | Action::EnableAutoMerge { head } => assert_eq!(*head, signals.head),
        Action::RequestReviewFix => assert!(history.review.count < limits.review_requests),
        Action::RequestConflictFix => assert!(history.conflict.count < limits.conflict_requests),
        Action::ResolveConflict => assert_eq!(history.resolution, Resolution::NotTried),
        Action::ResolveThreads { threads } => {
            assert!(!threads.is_empty());
            for id in threads {
                let thread = signals.threads.iter().find(|t| t.id == *id).unwrap();
                assert!(!thread.resolved && Some(thread.created_at) < history.implementer_head_at);
                assert!(!history.resolved.contains(id));
            }
        }
        Action::Escalate { .. } => assert_ne!(history.escalated.as_ref(), Some(&signals.mark())),
        Action::Wait { reason } => assert!(!reason.describe().is_empty()),
        Action::Resolve => assert_ne!(signals.state, PullState::Open),
    }
}

#[test]
fn every_combination_of_signals_gets_the_row_of_the_specification() {
    let slices: Vec<(bool, MergeState)> =
        MERGE_STATES.into_iter().flat_map(|m| [(false, m), (true, m)]).collect();
    let rows: BTreeSet<u8> = std::thread::scope(|scope| {
        let (left, right) = slices.split_at(slices.len() / 2);
        let walk_all = |slices: &[(bool, MergeState)]| -> BTreeSet<u8> {
            slices.iter().flat_map(|(draft, merge_state)| walk(*draft, *merge_state)).collect()
        };
        let other = scope.spawn(move || walk_all(right));
        let mut rows = walk_all(left);
        rows.extend(other.join().unwrap());
        rows
    });
    // Row 1 is about ended pull requests alone, whatever else is true of them: see the next test.
    assert_eq!(rows, (2..=16).collect());
}

#[test]
fn undecided_checks_call_a_person_after_the_configured_hours_only() {
    let limits = Limits::default();
    for of_checks in [Checks::None, Checks::Pending, Checks::Red, Checks::Green] {
        for (head_hours, fix_hours) in
            [(23, None), (25, None), (25, Some(23)), (25, Some(24)), (23, Some(25))]
        {
            for fixing_checks in [false, true] {
                let (mut signals, mut history) = ready();
                signals.checks = checks(of_checks);
                signals.head_at = minutes_ago(head_hours * 60);
                history.checks_fix_ended_at = fix_hours.map(|hours| minutes_ago(hours * 60));
                history.fixing_checks = fixing_checks;
                let undecided = matches!(of_checks, Checks::Red | Checks::Pending);
                let over = head_hours >= 24 && fix_hours.is_none_or(|h| h >= 24) && !fixing_checks;
                let decision = decide(&signals, &history, &limits, now());
                assert_eq!(decision.row == 14, undecided);
                let person = decision.action == Action::Escalate { reason: EscalateReason::ChecksRed };
                assert_eq!(
                    person,
                    undecided && over,
                    "{of_checks:?} {head_hours} {fix_hours:?} {fixing_checks}"
                );
            }
        }
    }
}

#[test]
fn a_change_of_any_kind_reopens_an_escalated_pull_request() {
    let head = ready().0.head;
    let escalated = |before: fn(&mut Signals), after: fn(&mut Signals)| {
        case(|s, h| {
            before(s);
            h.escalated = Some(s.mark());
            after(s);
        })
    };
    let merge = (15, Action::Merge { head });
    let undecided = |s: &mut Signals| s.checks = checks(Checks::Pending);
    let green = |s: &mut Signals| s.checks = checks(Checks::Green);
    assert_eq!(escalated(undecided, |_| {}).0, 3);
    assert_eq!(escalated(undecided, green), merge);
    assert_eq!(escalated(|s| s.checks = checks(Checks::Red), green), merge);
    let settled = |s: &mut Signals| s.threads = threads(Threads::None);
    assert_eq!(escalated(|s| s.threads = threads(Threads::Newer), settled), merge);
    let clean = |s: &mut Signals| s.mergeable = Mergeable::Mergeable;
    assert_eq!(escalated(|s| s.mergeable = Mergeable::Conflicting, clean), merge);
    let other = |s: &mut Signals| s.head = Sha::new(&"c".repeat(40)).unwrap();
    assert_eq!(escalated(|_| {}, other).0, 15);
}

#[test]
fn the_table_is_numbered_and_said_as_in_the_specification() {
    let numbers: Vec<u8> = TABLE.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=16).collect::<Vec<u8>>());
    let words: BTreeSet<&str> = TABLE.iter().map(|row| row.when).collect();
    assert_eq!(words.len(), TABLE.len());
}

/// An implementer who never answers: each decision is carried out, then the response time passes.
#[test]
fn who_never_answers_ends_at_a_person() {
    let limits = Limits::default();
    for of_threads in [Threads::None, Threads::Older] {
        for mergeable in [Mergeable::Mergeable, Mergeable::Conflicting] {
            let (mut signals, mut history) = ready();
            signals.checks = checks(Checks::Red);
            signals.threads = threads(of_threads);
            signals.mergeable = mergeable;
            let mut at = now();
            let mut asked = (0, 0, 0);
            let mut ended = false;
            for _ in 0..100 {
                let action = decide(&signals, &history, &limits, at).action;
                let request = Some(Request { at, reply: Reply::Unknown });
                match action {
                    Action::RequestReviewFix => {
                        asked.0 += 1;
                        history.review = Requests { count: history.review.count + 1, last: request };
                    }
                    Action::RequestConflictFix => {
                        asked.1 += 1;
                        history.conflict = Requests { count: history.conflict.count + 1, last: request };
                    }
                    Action::ResolveConflict => {
                        asked.2 += 1;
                        history.resolution = Resolution::Ended;
                    }
                    Action::Escalate { .. } => history.escalated = Some(signals.mark()),
                    Action::Wait { reason: WaitReason::Escalated } => ended = true,
                    Action::Wait { .. } => {}
                    other => panic!("{other:?}"),
                }
                at += limits.response_time;
            }
            assert!(ended);
            let threads = if of_threads == Threads::None { 0 } else { limits.review_requests };
            let conflicts = if mergeable == Mergeable::Mergeable { 0 } else { limits.conflict_requests };
            assert_eq!(asked, (threads, conflicts, conflicts.min(1)));
        }
    }
}

fn some_time() -> impl Strategy<Value = Timestamp> {
    (0..4000i64).prop_map(minutes_ago)
}

fn some_requests() -> impl Strategy<Value = Requests> {
    let last = prop::option::of(
        (some_time(), prop::sample::select(REPLIES.as_slice())).prop_map(|(at, reply)| Request { at, reply }),
    );
    (0..5u32, last).prop_map(|(count, last)| Requests { count, last })
}

fn some_pull() -> impl Strategy<Value = (Signals, History, Limits)> {
    let check = prop::sample::select(vec![CheckState::Pending, CheckState::Passing, CheckState::Failing]);
    let signals = (
        prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))],
        prop::bool::weighted(0.1),
        prop::sample::select(MERGE_STATES.as_slice()),
        prop::sample::select(MERGEABLE.as_slice()),
        some_time(),
        prop::collection::vec(check, 0..5),
        (0..3u32, 0..2u32, 0..3u32),
        prop::collection::vec((some_time(), any::<bool>()), 0..5),
        prop::sample::select(AUTO_MERGE.as_slice()),
    );
    let history = (
        prop::option::of(some_time()),
        some_requests(),
        some_requests(),
        prop::sample::select(RESOLUTIONS.as_slice()),
        any::<bool>(),
        prop::option::of(some_time()),
        0..3u8,
        prop::collection::vec((1..5u64).prop_map(ThreadId), 0..3),
    );
    let limits =
        (0..120i64, 0..5u32, 0..5u32, 0..50i64).prop_map(|(response, review, conflict, red)| Limits {
            response_time: SignedDuration::from_mins(response),
            review_requests: review,
            conflict_requests: conflict,
            red_checks: SignedDuration::from_hours(red),
            ..Limits::default()
        });
    (signals, history, limits).prop_map(|(s, h, limits)| {
        let mut signals = ready().0;
        signals.state = match s.0 {
            None => PullState::Open,
            Some(true) => PullState::Merged { at: now(), commit: signals.head.clone() },
            Some(false) => PullState::Closed { at: now() },
        };
        (signals.is_draft, signals.merge_state, signals.mergeable, signals.head_at) = (s.1, s.2, s.3, s.4);
        let name = |index: usize| CheckName::new(&format!("check {index}")).unwrap();
        signals.checks =
            s.5.into_iter().enumerate().map(|(i, state)| Check { name: name(i), state }).collect();
        signals.reviews = Reviews { approved: s.6.0, changes_requested: s.6.1, required: s.6.2 };
        signals.threads = (1u64..)
            .zip(s.7)
            .map(|(id, (created_at, resolved))| Thread { id: ThreadId(id), created_at, resolved })
            .collect();
        signals.auto_merge = s.8;
        let escalated = match h.6 {
            0 => None,
            1 => Some(signals.mark()),
            _ => Some(other_mark(&signals)),
        };
        let history = History {
            implementer_head_at: h.0,
            review: h.1,
            conflict: h.2,
            resolution: h.3,
            fixing_checks: h.4,
            checks_fix_ended_at: h.5,
            resolved: h.7,
            escalated,
        };
        (signals, history, limits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn exactly_one_row_fires_and_it_is_the_first_that_matches((signals, history, limits) in some_pull()) {
        let case = Case::new(&signals, &history, &limits, now());
        let first = TABLE.iter().find(|row| (row.matches)(&case)).unwrap();
        let decision = decide(&signals, &history, &limits, now());
        prop_assert_eq!(decision.row, first.number);
        prop_assert_eq!(&decision.action, &(first.then)(&case));
        prop_assert_eq!(&decision, &decide(&signals, &history, &limits, now()));
        sound(&decision.action, &signals, &history, &limits);
    }

    #[test]
    fn what_is_chosen_was_eligible((signals, history, limits) in some_pull()) {
        let eligible = eligible(&signals, &history, &limits, now());
        let decision = decide(&signals, &history, &limits, now());
        prop_assert!(eligible.contains(&decision.action.kind()), "{:?} of {:?}", decision, eligible);
        prop_assert!(eligible.is_sorted());
    }

    #[test]
    fn an_ended_pull_request_is_resolved_whatever_else_is_true((mut signals, history, limits) in some_pull()) {
        signals.state = PullState::Closed { at: now() };
        let decision = decide(&signals, &history, &limits, now());
        prop_assert_eq!((decision.row, decision.action), (1, Action::Resolve));
    }
}
