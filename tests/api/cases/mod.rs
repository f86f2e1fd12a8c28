//! The cases: each is told once and runs on both databases.

pub mod access_log;
pub mod admin;
pub mod ahead;
pub mod attendance;
pub mod changes;
pub mod choices;
pub mod closing;
pub mod events;
pub mod keys;
pub mod lists;
pub mod oidc;
pub mod once;
pub mod privacy;
pub mod protected;
pub mod questions;
pub mod refusals;
pub mod registrations;
pub mod restricted;
pub mod reviewed;
pub mod sensitive;
pub mod sessions;
pub mod strangers;
pub mod tokens;
pub mod transfers;
pub mod wall;
pub mod watch;
