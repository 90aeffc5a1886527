//! The life of a reservation (B4): it comes before a dispatch and is settled or released after it, once.

use crate::port::LedgerState;

/// What ends a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The dispatch happened.
    Settle,
    /// The dispatch surely did not happen.
    Release,
}

/// The ledger does not have that move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a spend that is {from:?} cannot be moved on by {end:?}")]
pub struct IllegalEnd {
    /// Where it was.
    pub from: LedgerState,
    /// What was wanted.
    pub end: End,
}

/// Where a reservation goes. The same end twice is no mistake: whoever lost the answer asks again. After a crash a reservation stays
/// open, with the key of its dispatch, and counts; whoever finds out what became of the dispatch ends it by that key.
pub fn next(state: LedgerState, end: End) -> Result<LedgerState, IllegalEnd> {
    use LedgerState::{Released, Reserved, Settled};
    match (state, end) {
        (Reserved | Settled, End::Settle) => Ok(Settled),
        (Reserved | Released, End::Release) => Ok(Released),
        (Settled, End::Release) | (Released, End::Settle) => Err(IllegalEnd { from: state, end }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_ends_once_and_the_same_end_twice_is_no_mistake() {
        use LedgerState::{Released, Reserved, Settled};
        assert_eq!(next(Reserved, End::Settle), Ok(Settled));
        assert_eq!(next(Reserved, End::Release), Ok(Released));
        assert_eq!(next(Settled, End::Settle), Ok(Settled));
        assert_eq!(next(Released, End::Release), Ok(Released));
        assert!(next(Settled, End::Release).is_err());
        assert!(next(Released, End::Settle).is_err());
    }
}
