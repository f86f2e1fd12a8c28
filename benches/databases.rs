//! A room measured alone, on each database: `sqlite` or `postgres` among the arguments chooses one.

#[path = "../tests/support/postgres.rs"]
mod postgres;

/// Measures with the database's name and its address, each on a fresh one. SQLite's file lies in this folder: a
/// temporary one may stand in memory, where nothing waits for a disk.
pub async fn on_each(measure: impl AsyncFn(&str, &str)) {
    let wanted = |name: &str| !std::env::args().any(|a| ["sqlite", "postgres"].contains(&&*a) && a != name);
    if wanted("sqlite") {
        let folder = tempfile::tempdir_in(".").unwrap();
        measure("sqlite", &format!("sqlite:{}", folder.path().join("eile.db").display())).await;
    }
    if wanted("postgres") {
        measure("postgres", &postgres::shared().database()).await;
    }
}
