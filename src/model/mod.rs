//! The words of the field as types. Everything else is written in them.
//!
//! Nothing here waits, reads a clock or knows a database. Types that are stored as documents derive
//! serde here, because the stored shape is part of what the word means (docs/decisions/0003).

pub mod access;
pub mod access_log;
pub mod attendance;
pub mod centre;
pub mod consent;
pub mod contact;
pub mod event;
pub mod id;
pub mod party;
pub mod person;
pub mod policy;
pub mod registration;
pub mod report;
pub mod retention;
pub mod text;
pub mod time;
