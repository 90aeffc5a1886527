//! What Banksman knows, without I/O, clock or randomness: the words of the domain, the policy, the parsers
//! and the ports through which everything else is reached.
pub mod audit;
