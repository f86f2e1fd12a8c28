//! Between rows and the words of the model; both dialects share it. A row is a tuple or a struct of plain
//! column values here, so that no dialect has an opinion about what a value means. No SQL in this room.

mod access_log;
mod attendance;
mod batch;
mod digest;
mod event;
mod feed;
mod fresh;
mod journal;
mod registration;

pub(super) use access_log::{AccessColumns, AccessQueryColumns};
pub(super) use attendance::{MarkColumns, MarkRow, read_mark};
pub(super) use batch::{Batch, EventUpdate, PartyColumns, ReasonColumns, RequestColumns, TokenColumns};
pub(super) use digest::{DigestRowColumns, read_digest_row};
pub(super) use event::{
    EventColumns, QueryColumns, WithinColumns, counts_of_new, free_seats, header_of_new, read_event, read_row,
    state_word, write_header,
};
pub(super) use feed::{FeedColumns, FeedGathering};
pub(super) use fresh::{Gathering, RequestRow, WholeRow};
pub(super) use journal::{JournalRow, attached_numbers, journal_row, read_batch_counts, read_counts, read_entries};
pub(super) use registration::{
    AttachmentRow, ChangeRow, Reader, RegistrationRow, SignUpRow, read_attachment, read_recorded, write_outcome,
};

use super::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A hash without sign, bit by bit as the signed number that both databases know.
pub(super) fn signed(hash: u64) -> i64 {
    hash.cast_signed()
}

/// The reverse of [`signed`].
pub(super) fn unsigned(column: i64) -> u64 {
    column.cast_unsigned()
}

/// A stored count or number: never negative, never larger than its type.
pub(super) fn count<T: TryFrom<i64>>(
    value: i64,
    table: &'static str,
    column: &'static str,
    id: impl std::fmt::Display,
) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| corrupt(table, column, id))
}

/// A number for a column of 64 bits with sign. Journal numbers and versions never come near its end.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn corrupt(table: &'static str, column: &'static str, id: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { table, column, id: id.to_string() }
}

/// A document with its id and version: a centre, a programme.
pub(super) struct DocumentRow {
    pub id: String,
    pub version: u64,
    pub document: String,
}

impl DocumentRow {
    pub fn of<T: Serialize>(id: &str, version: u64, value: &T) -> Result<Self, StoreError> {
        Ok(Self { id: id.to_owned(), version, document: to_json(value)? })
    }
}

/// The id of an entry about persons: its number, in digits that sort as numbers do.
pub(super) fn people_id(number: u64) -> String {
    format!("{number:012}")
}

/// A value as its JSON document.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Failed(format!("a document cannot be written: {e}")))
}

/// A stored JSON document as its value.
pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    table: &'static str,
    column: &'static str,
    id: impl std::fmt::Display,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(table, column, id))
}

/// Thirty-two random bytes: two random UUIDs (244 random bits) through SHA-256.
pub(super) fn new_secret() -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(uuid::Uuid::new_v4().as_bytes());
    hash.update(uuid::Uuid::new_v4().as_bytes());
    hash.finalize().into()
}
