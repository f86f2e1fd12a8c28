//! The promises over the running service: several clients at once do everything that can be done, on SQLite, on
//! PostgreSQL, and on two instances on one PostgreSQL; afterwards everything that they heard is held against the
//! journal. `EILE_SEED` plays a run again (as far as the machine lets it), `EILE_ROUNDS` makes runs longer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod at_the_door;
mod driver;
mod faults;
mod followers;
mod history;
mod laws;
mod local_times;
mod replay;
mod same_answers;
mod two_instances;
