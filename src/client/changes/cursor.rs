//! The place in the feed, and the file that it is kept in.

use crate::client::failure::Failure;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// More than a cursor of this feed ever has.
const LENGTH_MAX: usize = 4_096;

pub struct Cursor {
    file: Option<PathBuf>,
    last: Option<String>,
    /// What the file holds.
    kept: Option<String>,
}

impl Cursor {
    /// The cursor that was given, or the one in the file; a file that is not there yet is no mistake.
    pub fn open(given: Option<String>, file: Option<PathBuf>) -> Result<Self, Failure> {
        let kept = match &file {
            Some(path) => read(path)?,
            None => None,
        };
        Ok(Self { last: given.or_else(|| kept.clone()), kept, file })
    }

    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    pub fn moved_to(&mut self, cursor: String) {
        self.last = Some(cursor);
    }

    /// Writes it down where it moved. The file is replaced whole: it never holds half a cursor.
    pub fn keep(&mut self) -> Result<(), Failure> {
        let (Some(path), Some(last)) = (&self.file, &self.last) else { return Ok(()) };
        if self.kept.as_ref() == Some(last) {
            return Ok(());
        }
        let cannot = |error: std::io::Error| Failure::Other(format!("cannot write {}: {error}", path.display()));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".eile-").tempfile_in(folder).map_err(cannot)?;
        writeln!(file, "{last}").map_err(cannot)?;
        file.as_file().sync_data().map_err(cannot)?;
        file.persist(path).map_err(|error| cannot(error.error))?;
        self.kept = Some(last.clone());
        Ok(())
    }

    /// Says where to go on, to whom keeps no file.
    pub fn tell(&self) {
        if let (None, Some(last)) = (&self.file, &self.last) {
            eprintln!("eile: cursor {last}");
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("--cursor-file {}: {error}", path.display()))),
    };
    let cursor = text.trim();
    if cursor.is_empty() || cursor.len() > LENGTH_MAX || cursor.contains(char::is_whitespace) {
        return Err(Failure::usage(format!("--cursor-file {} holds no cursor", path.display())));
    }
    Ok(Some(cursor.to_owned()))
}
