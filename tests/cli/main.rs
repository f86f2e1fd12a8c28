//! The command line for staff and jobs, from outside: the real binary against the real service on a free loopback
//! port, with wrong input too. The service's clock is the test's, so that what is written can be compared to the byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod access_log;
mod again;
mod attendance;
mod changes;
mod exports;
mod first_day;
mod house;
mod memory;
mod personal;
mod refusals;
mod reports;
mod shows;
