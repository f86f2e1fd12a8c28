//! Standard output, or a file that takes its name only when it is whole: a job that reads exports never finds half of
//! one, and an export that fails leaves the one before as it was.

use crate::client::failure::Failure;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

pub enum Target {
    Screen(BufWriter<Stdout>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Target {
    pub fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::Screen(BufWriter::new(io::stdout()))) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cannot = |error| Failure::usage(format!("--output {}: {error}", path.display()));
        if path.is_dir() {
            return Err(Failure::usage(format!("--output {} is a folder", path.display())));
        }
        let file = tempfile::Builder::new().prefix(".eile-").tempfile_in(folder).map_err(cannot)?;
        Ok(Self::File(BufWriter::new(file), path.to_owned()))
    }

    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Screen(_)) && io::stdout().is_terminal()
    }

    /// All of it is there.
    pub fn commit(mut self) -> Result<(), Failure> {
        self.flush()?;
        if let Self::File(file, path) = self {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.persist(&path).map_err(|error| error.error)?;
        }
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Screen(out) => out.write(bytes),
            Self::File(out, _) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(out) => out.flush(),
            Self::File(out, _) => out.flush(),
        }
    }
}
