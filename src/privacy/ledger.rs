//! The ledger: a file outside the database and outside its backups, of what a restored backup must not bring back. One line
//! for each erasure and for each access key that was revoked, ids only. It is written and synced before the thing is done,
//! so that a backup of any moment can be brought up to it; and taken back by a second line where the thing was refused, so
//! that nothing is done after a restore that nobody agreed to.

use crate::model::id::{EventId, RegistrationId};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What is noted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Noted {
    Erasure {
        event: EventId,
        registration: RegistrationId,
        /// Names were kept for a while.
        kept: bool,
    },
    Revocation {
        /// The id of the access key.
        key: String,
        revoked_at: Timestamp,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    noted: Noted,
    /// One such line before it does not count: it was refused, and nothing was done.
    #[serde(default, skip_serializing_if = "is_false")]
    taken_back: bool,
}

fn is_false(b: &bool) -> bool {
    !*b
}

/// The file, open for adding.
pub struct Ledger {
    pages: Arc<Mutex<Pages>>,
    noted: Vec<Noted>,
}

impl Ledger {
    /// Opens the ledger, or makes an empty one, for this process alone. A last line that broke off was never followed by
    /// what it was to note: it is set aside in a file beside it, and the log says so. Anything else that cannot be read is
    /// an error, for what it says would be lost.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = private().read(true).append(true).create(true).open(path)?;
        alone(&file)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = mend(path, &mut file, &mut text)?;
        let text = std::str::from_utf8(&text[..whole]).map_err(|e| Error::new(ErrorKind::InvalidData, e))?;
        let read = |(n, line): (usize, &str)| {
            let wrong = |e| Error::new(ErrorKind::InvalidData, format!("line {}: {e}", n + 1));
            serde_json::from_str(line).map_err(wrong)
        };
        let lines = text.lines().enumerate().map(read).collect::<Result<_>>()?;
        let pages = Pages { medium: Box::new(file), length: whole as u64, is_shut: false };
        Ok(Self { pages: Arc::new(Mutex::new(pages)), noted: standing(lines) })
    }

    /// What it said when it was opened, without what was taken back.
    pub fn noted(&self) -> &[Noted] {
        &self.noted
    }

    /// Adds a line; it is on disk when this returns. Where it fails, nothing of it is in the file.
    pub async fn note(&self, noted: &Noted) -> Result<()> {
        self.add(noted, false).await
    }

    /// Takes one such line back: what it noted was refused.
    pub async fn take_back(&self, noted: &Noted) -> Result<()> {
        self.add(noted, true).await
    }

    async fn add(&self, noted: &Noted, taken_back: bool) -> Result<()> {
        let mut line = serde_json::to_vec(&Line { noted: noted.clone(), taken_back })?;
        line.push(b'\n');
        let pages = Arc::clone(&self.pages);
        let write = move || pages.lock().unwrap_or_else(PoisonError::into_inner).add(&line);
        tokio::task::spawn_blocking(write).await.map_err(Error::other)?
    }
}

/// The notes that count. Each taking back is of one line, whichever of those that say the same.
fn standing(lines: Vec<Line>) -> Vec<Noted> {
    let mut taken_back: HashMap<&Noted, usize> = HashMap::new();
    for line in lines.iter().filter(|line| line.taken_back) {
        *taken_back.entry(&line.noted).or_default() += 1;
    }
    let mut counts = |line: &&Line| match taken_back.get_mut(&line.noted) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    lines.iter().filter(|line| !line.taken_back).filter(|line| counts(line)).map(|line| line.noted.clone()).collect()
}

/// Two that write the same file would cut off each other's lines.
fn alone(file: &File) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(Error::new(ErrorKind::ResourceBusy, "another process writes it: each instance has a ledger of its own"))
        }
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            tracing::warn!("the disk of the ledger knows no locks: see to it that no other process writes it");
            Ok(())
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Sees to it that the file ends with a whole line, and answers where that is. A line that lacks nothing but its end says
/// what it says; one that broke off says nothing, and what it was to note was not done: noting comes first.
fn mend(path: &Path, file: &mut File, text: &mut Vec<u8>) -> Result<usize> {
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let rest = &text[whole..];
    if rest.is_empty() {
        return Ok(whole);
    }
    if serde_json::from_slice::<Line>(rest).is_ok() {
        file.write_all(b"\n")?;
        file.sync_all()?;
        text.push(b'\n');
        return Ok(text.len());
    }
    let beside = path.with_added_extension("broken");
    let mut aside = private().append(true).create(true).open(&beside)?;
    aside.write_all(rest)?;
    aside.write_all(b"\n")?;
    aside.sync_all()?;
    file.set_len(whole as u64)?;
    file.sync_all()?;
    tracing::error!(
        bytes = rest.len(),
        line = %String::from_utf8_lossy(rest),
        aside = %beside.display(),
        "the last line of the ledger broke off: what it was to note was not done, and is not done now"
    );
    Ok(whole)
}

/// What the ledger is written on: a file; in tests, one that fails at will.
trait Medium: Send {
    /// Writes behind what is there, and waits until it is on disk.
    fn add(&mut self, line: &[u8]) -> Result<()>;
    /// Takes away what stands behind this length.
    fn cut(&mut self, length: u64) -> Result<()>;
}

impl Medium for File {
    fn add(&mut self, line: &[u8]) -> Result<()> {
        self.write_all(line)?;
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// Whole lines, or nothing more.
struct Pages {
    medium: Box<dyn Medium>,
    /// To the end of the last whole line.
    length: u64,
    /// It may hold half a line that cannot be taken away: whatever came behind it could not be read.
    is_shut: bool,
}

impl Pages {
    fn add(&mut self, line: &[u8]) -> Result<()> {
        if self.is_shut {
            return Err(Error::other("it may hold half a line since an error before: see to its disk, and start anew"));
        }
        let Err(error) = self.medium.add(line) else {
            self.length += line.len() as u64;
            return Ok(());
        };
        if let Err(cut) = self.medium.cut(self.length) {
            self.is_shut = true;
            tracing::error!(%error, %cut, "the ledger may hold half a line: nothing more is noted until a new start");
        }
        Err(error)
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn erasure(kept: bool) -> Noted {
        Noted::Erasure { event: EventId(Uuid::from_u128(7)), registration: RegistrationId::new(3, [1; 12]), kept }
    }

    fn said(path: &Path) -> Vec<Noted> {
        Ledger::open(path).unwrap().noted().to_vec()
    }

    #[tokio::test]
    async fn lines_come_back_and_one_that_broke_off_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let revocation = Noted::Revocation { key: "0f1e2d3c4b5a6978".into(), revoked_at: Timestamp(5) };
        let expected = [erasure(true), revocation, erasure(false)];
        let ledger = Ledger::open(&path).unwrap();
        for noted in &expected {
            ledger.note(noted).await.unwrap();
        }
        assert!(Ledger::open(&path).is_err_and(|e| e.kind() == ErrorKind::ResourceBusy), "two writers");
        drop(ledger);
        assert_eq!(said(&path), expected);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.noted(), &expected[..2]);
        let aside = std::fs::read_to_string(folder.path().join("ledger.jsonl.broken")).unwrap();
        assert!(aside.starts_with("{\"event\"") && aside.ends_with("\"kept\":fa\n"), "{aside}");
        ledger.note(&expected[2]).await.unwrap();
        drop(ledger);
        assert_eq!(said(&path), expected);
        // A line that lacks nothing but its end, as an editor leaves it.
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(said(&path), expected);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[tokio::test]
    async fn what_was_taken_back_does_not_count_and_the_same_noted_once_more_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let ledger = Ledger::open(&path).unwrap();
        // Two ask for the same at once; one is refused.
        ledger.note(&erasure(false)).await.unwrap();
        ledger.note(&erasure(false)).await.unwrap();
        ledger.take_back(&erasure(false)).await.unwrap();
        // One that turns from whole into part.
        ledger.note(&erasure(true)).await.unwrap();
        drop(ledger);
        assert_eq!(said(&path), [erasure(false), erasure(true)]);
        Ledger::open(&path).unwrap().take_back(&erasure(false)).await.unwrap();
        assert_eq!(said(&path), [erasure(true)]);
    }

    /// A disk that takes half of a line while it is full.
    struct Full {
        file: File,
        is_full: Arc<Mutex<bool>>,
        cuts: bool,
    }

    impl Medium for Full {
        fn add(&mut self, line: &[u8]) -> Result<()> {
            if *self.is_full.lock().unwrap() {
                self.file.write_all(&line[..line.len() / 2])?;
                return Err(ErrorKind::StorageFull.into());
            }
            Medium::add(&mut self.file, line)
        }

        fn cut(&mut self, length: u64) -> Result<()> {
            if self.cuts { self.file.cut(length) } else { Err(ErrorKind::ReadOnlyFilesystem.into()) }
        }
    }

    fn full(path: &Path, cuts: bool) -> (Ledger, Arc<Mutex<bool>>) {
        let is_full = Arc::new(Mutex::new(false));
        let file = private().append(true).create(true).open(path).unwrap();
        let length = file.metadata().unwrap().len();
        let medium = Box::new(Full { file, is_full: Arc::clone(&is_full), cuts });
        let pages = Arc::new(Mutex::new(Pages { medium, length, is_shut: false }));
        (Ledger { pages, noted: Vec::new() }, is_full)
    }

    #[tokio::test]
    async fn half_a_line_is_taken_away_and_the_next_one_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let (ledger, is_full) = full(&path, true);
        ledger.note(&erasure(true)).await.unwrap();
        *is_full.lock().unwrap() = true;
        assert_eq!(ledger.note(&erasure(false)).await.unwrap_err().kind(), ErrorKind::StorageFull);
        *is_full.lock().unwrap() = false;
        ledger.note(&erasure(true)).await.unwrap();
        drop(ledger);
        assert_eq!(said(&path), [erasure(true), erasure(true)]);
    }

    #[tokio::test]
    async fn where_half_a_line_cannot_be_taken_away_nothing_more_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let (ledger, is_full) = full(&path, false);
        ledger.note(&erasure(true)).await.unwrap();
        *is_full.lock().unwrap() = true;
        ledger.note(&erasure(false)).await.unwrap_err();
        *is_full.lock().unwrap() = false;
        assert!(ledger.note(&erasure(true)).await.is_err_and(|e| e.to_string().contains("half a line")));
        drop(ledger);
        assert_eq!(said(&path), [erasure(true)], "and the half is set aside at the next start");
    }

    #[test]
    fn the_stored_form_of_a_line_never_changes() {
        let stands = |noted: Noted, text: &str| {
            let line = Line { noted, taken_back: false };
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
        };
        let (event, registration) = (EventId(Uuid::from_u128(7)), RegistrationId(Uuid::from_u128(8)));
        stands(
            Noted::Erasure { event, registration, kept: true },
            r#"{"event":"00000000-0000-0000-0000-000000000007","registration":"00000000-0000-0000-0000-000000000008","kept":true}"#,
        );
        stands(
            Noted::Revocation { key: "0f1e2d3c4b5a6978".into(), revoked_at: Timestamp(5) },
            r#"{"key":"0f1e2d3c4b5a6978","revoked_at":5}"#,
        );
        let line = Line { noted: Noted::Revocation { key: "0f".into(), revoked_at: Timestamp(5) }, taken_back: true };
        let text = r#"{"key":"0f","revoked_at":5,"taken_back":true}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_told_and_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(Ledger::open(&path).is_err_and(|e| e.to_string().contains("line 1")));
    }
}
