//! Where a case runs: a database of its own, gone afterwards.

use crate::postgres;
use eile::storage::{Options, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::sync::Arc;

pub struct Place {
    /// For whoever may do all; the service itself is an ordinary owner on PostgreSQL.
    pub url: String,
    pub store: Arc<dyn Store>,
    /// The folder of the SQLite file; `None` on PostgreSQL.
    folder: Option<tempfile::TempDir>,
}

impl Place {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let store = eile::storage::open(&url, Options::default()).await.unwrap();
        Self { url, store, folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| postgres::shared().database_of_ordinary_owner()).await.unwrap();
        let store = eile::storage::open(&postgres::as_owner(&url), Options::default()).await.unwrap();
        Self { url, store, folder: None }
    }

    /// Closes the store and opens another one on the same database.
    pub async fn reopen(&mut self, options: Options) -> Result<(), eile::storage::StoreError> {
        self.store.close().await;
        self.store = eile::storage::open(&postgres::as_owner(&self.url), options).await?;
        Ok(())
    }

    /// Another instance of the service. There can be none on SQLite: there it is the same store.
    pub async fn another(&self) -> Arc<dyn Store> {
        if self.folder.is_some() {
            return Arc::clone(&self.store);
        }
        eile::storage::open(&postgres::as_owner(&self.url), Options::default()).await.unwrap()
    }

    /// The folder of the SQLite file.
    pub fn path(&self) -> &std::path::Path {
        self.folder.as_ref().expect("a place on SQLite").path()
    }

    /// Meddles with the tables behind the store's back.
    pub async fn meddle(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.folder.is_some() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}
