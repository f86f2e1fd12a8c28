//! Where a case runs: a database of its own, gone afterwards.

use crate::postgres;
use eile::storage::{Options, Store};
use std::sync::Arc;

pub struct Place {
    pub url: String,
    pub store: Arc<dyn Store>,
    /// The folder of the SQLite file; `None` on PostgreSQL.
    pub folder: Option<tempfile::TempDir>,
}

impl Place {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let store = eile::storage::open(&url, Options::default()).await.unwrap();
        Self { url, store, folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| postgres::shared().database()).await.unwrap();
        let store = eile::storage::open(&url, Options::default()).await.unwrap();
        Self { url, store, folder: None }
    }
}
