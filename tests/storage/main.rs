//! The conformance suite of storage: one list of cases, run on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/postgres.rs"]
mod postgres;

mod cases;
mod clerk;
mod places;
mod samples;

/// Every case, once per dialect.
macro_rules! on_both {
    ($($file:ident: $($case:ident),+;)+) => {
        mod on_sqlite {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::places::Place::sqlite().await).await }
            )+ })+
        }
        mod on_postgres {
            $(mod $file { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() { crate::cases::$file::$case(crate::places::Place::postgres().await).await }
            )+ })+
        }
    };
}

on_both! {
    transact:
        a_roster_read_back_is_the_roster_that_was_written;
}
