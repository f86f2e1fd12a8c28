//! What the tests of the whole service share. Each test binary uses its own part of it.
#![allow(dead_code, unused_imports)]

pub mod client;
pub mod heard;
pub mod postgres;
#[macro_use]
pub mod service;
pub mod words;
