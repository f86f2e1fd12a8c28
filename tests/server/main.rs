//! The server around the services: limits, deadlines, health, drain, browsers. Behind it stands a service
//! that answers as it is told, so that only the server is tested.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/heard.rs"]
mod heard;

mod access_log;
mod attack;
mod authority;
mod backup;
mod browsers;
mod check;
mod connections;
mod database_file;
mod drain;
mod frames;
mod greed;
mod limits;
mod machines;
mod memory;
mod process;
mod seen;
mod support;
mod tls;
