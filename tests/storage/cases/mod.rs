//! The cases: each takes a place and knows nothing of the dialect behind it.

pub mod access_log;
pub mod attendance;
pub mod centres;
pub mod corrupt;
pub mod events;
pub mod feed;
pub mod fresh;
pub mod journal;
pub mod opening;
pub mod parties;
pub mod refused;
pub mod reports;
pub mod transact;
