//! The cases: each takes a place and knows nothing of the dialect behind it.

pub mod transact;
