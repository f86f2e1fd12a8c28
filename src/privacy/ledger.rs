//! The ledger: a file outside the database and outside its backups, of what a restored backup must not bring back. One line
//! for each erasure and for each access key that was revoked, ids only. It is written and synced before the thing is done,
//! so that a backup of any moment can be brought up to it.

use crate::model::id::{EventId, RegistrationId};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The file, open for adding.
pub struct Ledger {
    file: Arc<Mutex<File>>,
    noted: Vec<Noted>,
}

impl Ledger {
    /// Opens the ledger, or makes an empty one. A last line that broke off is taken away: what it was to say was not done
    /// yet. Anything else that cannot be read is an error, for what it says would be lost.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = private().read(true).append(true).create(true).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        let read = |(n, line): (usize, &str)| {
            let wrong = |e| Error::new(ErrorKind::InvalidData, format!("line {}: {e}", n + 1));
            serde_json::from_str(line).map_err(wrong)
        };
        let noted = text[..whole].lines().enumerate().map(read).collect::<Result<_>>()?;
        Ok(Self { file: Arc::new(Mutex::new(file)), noted })
    }

    /// What it said when it was opened.
    pub fn noted(&self) -> &[Noted] {
        &self.noted
    }

    /// Adds a line; it is on disk when this returns.
    pub async fn note(&self, noted: &Noted) -> Result<()> {
        let mut line = serde_json::to_vec(noted)?;
        line.push(b'\n');
        let file = Arc::clone(&self.file);
        let write = move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&line)?;
            file.sync_data()
        };
        tokio::task::spawn_blocking(write).await.map_err(Error::other)?
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

    #[tokio::test]
    async fn lines_come_back_and_one_that_broke_off_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let (event, registration) = (EventId(Uuid::from_u128(7)), RegistrationId::new(3, [1; 12]));
        let erasure = |kept| Noted::Erasure { event, registration, kept };
        let revocation = Noted::Revocation { key: "0f1e2d3c4b5a6978".into(), revoked_at: Timestamp(5) };
        let expected = [erasure(true), revocation, erasure(false)];
        let ledger = Ledger::open(&path).unwrap();
        for noted in &expected {
            ledger.note(noted).await.unwrap();
        }
        assert_eq!(Ledger::open(&path).unwrap().noted(), expected);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.noted(), &expected[..2]);
        ledger.note(&expected[2]).await.unwrap();
        assert_eq!(Ledger::open(&path).unwrap().noted(), expected);
    }

    #[test]
    fn the_stored_form_of_a_line_never_changes() {
        let stands = |noted: Noted, text: &str| {
            assert_eq!(serde_json::to_string(&noted).unwrap(), text);
            assert_eq!(serde_json::from_str::<Noted>(text).unwrap(), noted);
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
    }

    #[test]
    fn a_list_that_cannot_be_read_is_told_and_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(Ledger::open(&path).is_err_and(|e| e.to_string().contains("line 1")));
    }
}
