//! Commits as the simulated forge knows them: parents, and which areas of the repository each one touches. Enough to say what is behind
//! what and what conflicts, without a file.

use banksman_core::text::Sha;
use std::collections::HashMap;

/// One commit, by its place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Commit(u32);

impl Commit {
    /// Its place in the graph.
    pub(crate) fn place(self) -> u32 {
        self.0
    }
}

/// Areas that a commit touches, one bit each.
pub(crate) type Areas = u64;

#[derive(Debug)]
struct Node {
    sha: Sha,
    /// Bits of this commit and everything before it.
    ancestry: Vec<u64>,
    touches: Areas,
    merge: bool,
}

/// All commits of a repository.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    by_sha: HashMap<Sha, Commit>,
    salt: u64,
}

impl Graph {
    pub(crate) fn new(salt: u64) -> Self {
        Self { salt, ..Self::default() }
    }

    /// A new commit.
    pub(crate) fn add(&mut self, parents: &[Commit], touches: Areas) -> Commit {
        let commit = Commit(self.nodes.len() as u32);
        let words = commit.0 as usize / 64 + 1;
        let mut ancestry = vec![0; words];
        for parent in parents {
            for (word, more) in ancestry.iter_mut().zip(&self.nodes[parent.0 as usize].ancestry) {
                *word |= more;
            }
        }
        ancestry[commit.0 as usize / 64] |= 1 << (commit.0 % 64);
        let sha = name(self.salt, commit.0);
        self.by_sha.insert(sha.clone(), commit);
        self.nodes.push(Node { sha, ancestry, touches, merge: parents.len() > 1 });
        commit
    }

    /// Its name.
    pub(crate) fn sha(&self, commit: Commit) -> &Sha {
        &self.nodes[commit.0 as usize].sha
    }

    /// The commit of that name.
    pub(crate) fn find(&self, sha: &Sha) -> Option<Commit> {
        self.by_sha.get(sha).copied()
    }

    /// Commits that `of` has and `without` lacks.
    fn only(&self, of: Commit, without: Commit) -> impl Iterator<Item = &Node> {
        let (of, without) = (&self.nodes[of.0 as usize].ancestry, &self.nodes[without.0 as usize].ancestry);
        of.iter().enumerate().flat_map(move |(n, word)| {
            let mut bits = word & !without.get(n).copied().unwrap_or_default();
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros();
                (bit < 64).then(|| {
                    bits &= bits - 1;
                    &self.nodes[n * 64 + bit as usize]
                })
            })
        })
    }

    /// Whether `of` has commits that `without` lacks.
    pub(crate) fn ahead(&self, of: Commit, without: Commit) -> bool {
        self.only(of, without).next().is_some()
    }

    /// How many commits `of` has that `without` lacks.
    pub(crate) fn count(&self, of: Commit, without: Commit) -> u64 {
        self.only(of, without).count() as u64
    }

    /// What changed between them.
    pub(crate) fn areas(&self, of: Commit, without: Commit) -> Areas {
        self.only(of, without).filter(|n| !n.merge).fold(0, |areas, node| areas | node.touches)
    }

    /// Whether the two sides touched the same.
    pub(crate) fn conflict(&self, a: Commit, b: Commit) -> bool {
        self.ahead(a, b) && self.ahead(b, a) && self.areas(a, b) & self.areas(b, a) != 0
    }

    /// Whether `head` differs from `reviewed`, which it contains, by merges from `base` alone.
    pub(crate) fn same_change(&self, reviewed: Commit, head: Commit, base: Commit) -> bool {
        reviewed == head
            || (!self.ahead(reviewed, head)
                && self
                    .only(head, reviewed)
                    .all(|n| n.merge || self.find(&n.sha).is_some_and(|c| !self.ahead(c, base))))
    }
}

/// Forty hex digits that look like nothing.
fn name(salt: u64, n: u32) -> Sha {
    let mut state = salt ^ (u64::from(n) << 32 | 0x5bd1_e995);
    let mut text = [0u8; 40];
    for chunk in text.chunks_mut(16) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word ^= word >> 27;
        for digit in chunk {
            *digit = b"0123456789abcdef"[(word & 15) as usize];
            word >>= 4;
        }
    }
    #[expect(clippy::expect_used, reason = "forty hex digits are a git object id")]
    std::str::from_utf8(&text).ok().and_then(|t| Sha::new(t).ok()).expect("a valid object id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_touching_an_area_conflict_until_merged() {
        let mut graph = Graph::new(1);
        let root = graph.add(&[], 0);
        let ours = graph.add(&[root], 0b01);
        let theirs = graph.add(&[root], 0b11);
        let other = graph.add(&[root], 0b100);
        assert!(graph.conflict(ours, theirs) && !graph.conflict(ours, other));
        let merged = graph.add(&[ours, theirs], 0);
        assert!(!graph.conflict(merged, theirs) && !graph.ahead(theirs, merged));
        assert!(graph.same_change(ours, merged, theirs));
    }

    #[test]
    fn names_are_object_ids_and_differ() {
        let mut graph = Graph::new(2);
        let commits: Vec<Commit> = (0..100).map(|_| graph.add(&[], 0)).collect();
        let names: std::collections::BTreeSet<_> = commits.iter().map(|c| graph.sha(*c).clone()).collect();
        assert_eq!(names.len(), 100);
    }
}
