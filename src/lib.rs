//! Eilė: event registration and waiting lines that everyone can check.
//!
//! The rooms, from the ground up, and who may import whom: a room imports only from rooms above it in
//! this list, never the other way.
//!
//! | room        | what it is                                            | knows             |
//! | ----------- | ----------------------------------------------------- | ----------------- |
//! | `model`     | the words of the field as types                       | std, uuid, jiff   |
//! | `admission` | THE CORE: who gets a seat; no I/O, no async, no clock | `model`           |
//! | `storage`   | one behaviour, two dialects                           | sqlx              |
//! | `desk`      | group commit, the roster cache, the sweeper           | `storage`'s traits |
//! | `feed`      | every change of every event, once, for its followers  | `desk`, `storage`'s traits |
//! | `access_log` | who read personal data and who decided: buffer and writer | `storage`'s traits |
//! | `audit`     | does what is stored agree with what happened?         | `storage`'s traits |
//! | `report`    | counts and figures, worked out of the journals        | `storage`'s traits, `keys` |
//! | `oidc`      | people who sign in: their tokens, their issuer's keys   | jsonwebtoken, hyper |
//! | `privacy`   | personal data that go, and what has run out           | `desk`, `storage`'s traits |
//! | `config`    | settings, and which are refused                       | toml              |
//! | `tls`       | certificates from files, renewed without a restart     | rustls            |
//! | `telemetry` | log, metrics, the operators' port                     | axum              |
//! | `api`       | gRPC: parse, authorise, call, render; the server      | tonic             |
//! | `demo`      | a year played through the API, as its callers would   | `api`'s messages, `cli`'s service |
//! | `client`    | the command line for staff and jobs, a caller as any  | `api`'s messages  |
//! | `cli`       | wires the rooms together                              | everything        |

pub mod access_log;
pub mod admission;
pub mod api;
pub mod audit;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod demo;
pub mod desk;
pub mod feed;
pub mod keys;
pub mod model;
pub mod oidc;
pub mod privacy;
pub mod report;
pub mod storage;
pub mod telemetry;
pub mod tls;

/// See docs/decisions/0011.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
