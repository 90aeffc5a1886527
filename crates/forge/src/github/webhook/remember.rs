//! Deliveries that were seen already.
//!
//! A delivery is known again by its id and by its signature: the id is not signed, so somebody who repeats a captured delivery could change it;
//! the signature he cannot. Both are kept in memory, so many as an hour brings: what is repeated after a restart only wakes a look.

use super::Signature;
use std::collections::{HashSet, VecDeque};

/// The id of a delivery, from the header `X-GitHub-Delivery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delivery(u128);

impl Delivery {
    /// Reads the header: 32 hex digits, with hyphens.
    pub fn read(header: &str) -> Option<Self> {
        if header.len() > 64 {
            return None;
        }
        let mut digits = header.chars().filter(|c| *c != '-');
        let id = digits.try_fold((0_u128, 0), |(id, count), c| {
            Some((id.checked_mul(16)? | u128::from(c.to_digit(16)?), count + 1))
        });
        id.filter(|(_, count)| *count == 32).map(|(id, _)| Self(id))
    }
}

/// Whether a delivery is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It was not seen before.
    First,
    /// It was.
    Repeat,
}

/// The latest deliveries.
#[derive(Debug)]
pub struct Remembered {
    known: HashSet<u128>,
    /// Oldest first.
    order: VecDeque<u128>,
    most: usize,
}

impl Default for Remembered {
    fn default() -> Self {
        Self::new(200_000)
    }
}

impl Remembered {
    /// Remembers so many marks, two for each delivery.
    pub fn new(most: usize) -> Self {
        Self { known: HashSet::new(), order: VecDeque::new(), most }
    }

    /// Notes a verified delivery. One that is not verified must not come here: it would push others out.
    pub fn note(&mut self, delivery: Option<Delivery>, signature: &Signature) -> Sight {
        let mut sight = Sight::First;
        for mark in delivery.map(|delivery| delivery.0).into_iter().chain([signature.mark()]) {
            if !self.known.insert(mark) {
                sight = Sight::Repeat;
                continue;
            }
            self.order.push_back(mark);
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        sight
    }
}

#[cfg(test)]
mod tests {
    use super::super::HookKey;
    use super::*;

    #[test]
    fn a_delivery_is_known_again_by_id_and_by_signature() {
        let key = HookKey::new(b"x").unwrap();
        let id = |n: u8| Delivery::read(&format!("72d3162e-cc78-11e3-81ab-4c9367dc09{n:02x}")).unwrap();
        let mut seen = Remembered::new(4);
        assert_eq!(seen.note(Some(id(1)), &key.sign(b"a")), Sight::First);
        assert_eq!(seen.note(Some(id(1)), &key.sign(b"a")), Sight::Repeat);
        assert_eq!(seen.note(Some(id(2)), &key.sign(b"a")), Sight::Repeat, "the id is not signed");
        assert_eq!(seen.note(None, &key.sign(b"b")), Sight::First);
        assert_eq!(seen.note(Some(id(3)), &key.sign(b"c")), Sight::First);
        assert_eq!(seen.note(Some(id(1)), &key.sign(b"a")), Sight::First, "forgotten by now");
    }

    #[test]
    fn ids_are_32_digits() {
        assert!(Delivery::read("72d3162e-cc78-11e3-81ab-4c9367dc0958").is_some());
        for bad in
            ["", "72d3162e", "72d3162e-cc78-11e3-81ab-4c9367dc09580", "zzd3162e-cc78-11e3-81ab-4c9367dc0958"]
        {
            assert_eq!(Delivery::read(bad), None, "{bad}");
        }
    }
}
