//! Seven of the stories that the service was made for, played through a real client over loopback, on both
//! databases. Each file tells one; each test is one point that must hold, or one failure that must not happen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod story_01_nine_o_clock;
mod story_02_a_family_of_five;
mod story_03_a_guardian_goes_first;
mod story_04_the_evening_before;
mod story_05_paper;
mod story_09_the_bus;
mod story_10_the_slots;
