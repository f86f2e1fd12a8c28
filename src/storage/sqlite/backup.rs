//! A copy of the database as it is at one moment, made beside the service: readers and the writer go on. Another program's
//! SQLite may be too old for this file; this one is not.

use super::errors::failed;
use super::open::{connect_options, real_path};
use crate::storage::StoreError;
use sqlx::{ConnectOptions, Connection};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes the copy to a file of that name. It has the name when it is whole and on disk.
pub(in crate::storage) async fn backup(url: &str, to: &Path) -> Result<(), StoreError> {
    let named = connect_options(url)?;
    let source = real_path(named.get_filename(), false)?;
    let cannot = |e: std::io::Error| StoreError::Unavailable(format!("{} cannot be written: {e}", to.display()));
    if to.exists() {
        return Err(StoreError::Failed(format!("{} is there already", to.display())));
    }
    let partial = Partial::make(to).map_err(cannot)?;
    let text = partial.0.to_str().ok_or_else(|| StoreError::Failed("the name of the copy is not Unicode".into()))?;
    let mut connection =
        named.filename(source).create_if_missing(false).read_only(true).connect().await.map_err(failed)?;
    let copied = sqlx::query(
        "-- backup
        vacuum into ?1",
    )
    .bind(text)
    .execute(&mut connection)
    .await;
    connection.close().await.map_err(failed)?;
    copied.map_err(failed)?;
    partial.finish(to).map_err(cannot)
}

/// A copy that is not whole; gone when it is dropped.
struct Partial(PathBuf);

impl Partial {
    /// Names and contacts stand in it too.
    fn make(to: &Path) -> std::io::Result<Self> {
        let mut path = to.as_os_str().to_owned();
        path.push(".partial");
        let partial = Self(PathBuf::from(path));
        super::open::for_us_alone(File::options().write(true).create(true).truncate(true)).open(&partial.0)?;
        Ok(partial)
    }

    fn finish(self, to: &Path) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        std::fs::rename(&self.0, to)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
