//! What the spool promises: order, nothing lost by a crash or a full disk, nothing twice, bounded.

use super::*;
use banksman_core::{
    id::Number,
    port::{OutcomeDetail, OutcomeResult},
    training::{Measured, Outcome, RepoTag, Series},
};
use jiff::Timestamp;

/// A batch of one point that is told apart by its number.
fn batch(number: u64) -> Vec<Point> {
    let series = Series { repo: RepoTag::new("acme_shop").unwrap(), pull: Number(number) };
    let measured = Measured::Outcome(Outcome {
        result: OutcomeResult::Success,
        detail: OutcomeDetail::MergedClean,
        resolution_hours: 1.5,
    });
    vec![Point { series, at: Timestamp::UNIX_EPOCH, measured }]
}

fn spool(folder: &Path) -> Spool {
    Spool::open(folder, 1 << 30).unwrap()
}

fn numbers(batches: &[Batch]) -> Vec<u64> {
    batches.iter().flat_map(|batch| &batch.points).map(|point| point.series.pull.0).collect()
}

fn drain(spool: &Spool) -> Vec<u64> {
    let mut all = Vec::new();
    while let Some(batch) = spool.first().unwrap() {
        all.extend(numbers(std::slice::from_ref(&batch)));
        spool.done_with(&batch).unwrap();
    }
    all
}

#[test]
fn batches_come_out_in_order_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let first = spool(dir.path());
    for number in 0..5 {
        first.append(&[&batch(number)]).unwrap();
    }
    let two = first.next_ones(2).unwrap();
    assert_eq!(numbers(&two), [0, 1]);
    first.done_with(&two[1]).unwrap();
    // Another process goes on where this one was, and adds behind it.
    let second = spool(dir.path());
    second.append(&[&batch(5), &batch(6)]).unwrap();
    first.append(&[&batch(7)]).unwrap();
    assert_eq!(drain(&second), [2, 3, 4, 5, 6, 7]);
    assert_eq!(second.waiting().unwrap(), 0);
    assert!(drain(&spool(dir.path())).is_empty());
}

#[test]
fn full_segments_are_removed_once_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool { segment: 1_000, ..spool(dir.path()) };
    let large: Vec<Point> = (0..10).flat_map(batch).collect();
    for _ in 0..8 {
        spool.append(&[&large]).unwrap();
    }
    assert!(segments(dir.path()).unwrap().len() > 1);
    assert_eq!(drain(&spool).len(), 80);
    assert!(segments(dir.path()).unwrap().len() <= 1);
    spool.append(&[&batch(1)]).unwrap();
    assert_eq!(drain(&spool), [1]);
}

#[test]
fn a_torn_tail_is_cut_off_and_nothing_before_it() {
    for cut in [1, 5, 11, 12, 40] {
        let dir = tempfile::tempdir().unwrap();
        spool(dir.path()).append(&[&batch(1), &batch(2)]).unwrap();
        let path = segment::path(dir.path(), 1);
        let whole = fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(&whole[..cut]);
        fs::write(&path, &torn).unwrap();
        let after = spool(dir.path());
        assert_eq!(numbers(&after.next_ones(10).unwrap()), [1, 2], "cut {cut}");
        after.append(&[&batch(3)]).unwrap();
        assert_eq!(drain(&after), [1, 2, 3], "cut {cut}");
    }
}

#[test]
fn a_flipped_bit_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    spool(dir.path()).append(&[&batch(1), &batch(2)]).unwrap();
    let path = segment::path(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(numbers(&spool(dir.path()).next_ones(10).unwrap()), [1]);
}

#[test]
fn a_spool_at_its_bound_refuses_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let small = Spool::open(dir.path(), 1_000).unwrap();
    let mut taken = 0;
    let error = loop {
        match small.append(&[&batch(taken)]) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SpoolError::Bound { .. }), "{error}");
    assert!(error.to_string().contains("training.spool_limit"), "{error}");
    assert_eq!(drain(&small), (0..taken).collect::<Vec<_>>());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_leaves_nothing_half_there() {
    let dir = tempfile::tempdir().unwrap();
    // Every batch gets a segment of its own.
    let spool = Spool { segment: 1, ..spool(dir.path()) };
    spool.append(&[&batch(1)]).unwrap();
    let second = segment::path(dir.path(), 2);
    std::os::unix::fs::symlink("/dev/full", &second).unwrap();
    let error = spool.append(&[&batch(2)]).unwrap_err();
    assert!(matches!(error, SpoolError::DiskFull(_)), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    fs::remove_file(&second).unwrap();
    spool.append(&[&batch(2), &batch(3)]).unwrap();
    assert_eq!(drain(&spool), [1, 2, 3]);
}

#[test]
fn one_process_delivers() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (spool(dir.path()), spool(dir.path()));
    let right = one.deliverer().unwrap();
    assert!(right.is_some());
    assert!(two.deliverer().unwrap().is_none());
    drop(right);
    assert!(two.deliverer().unwrap().is_some());
}
