//! Copies of a PostgreSQL are made by its own tools, which know more of it than we do.

use crate::storage::StoreError;
use std::path::Path;

/// Differs from sqlite because the database is not ours to copy.
pub(in crate::storage) async fn backup(_url: &str, _to: &Path) -> Result<(), StoreError> {
    Err(StoreError::Failed("a PostgreSQL is backed up by its own tools, such as pg_dump (docs/operations.md)".into()))
}
