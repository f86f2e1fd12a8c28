//! The laws of the core (src/admission/mod.rs) as properties over made-up histories, its ladder of refusals
//! as tables, and its time arithmetic as stories. Everything here is pure and needs no database.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attendance;
mod bench;
mod cases;
mod corrected;
mod exhaustive;
mod golden;
mod hidden;
mod mended;
mod offers;
mod oracle;
mod promises;
mod refusals;
mod world;
