//! Who came: the words for what is written down of a session. What happened (a date) and when it was entered
//! (a time) are different things, because lists are kept on paper and typed in later.

use super::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A session's number inside its event. Given once, never reused.
pub type SessionNo = u16;

/// A member's number inside its party: its place in the list, from 1 on.
pub type MemberNo = u16;

/// A session as the core knows it: when it is, and whether it takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub no: SessionNo,
    /// The word by which callers name it.
    pub id: String,
    #[serde(rename = "from")]
    pub starts_at: Timestamp,
    #[serde(rename = "to")]
    pub ends_at: Timestamp,
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
}

fn is_false(b: &bool) -> bool {
    !*b
}

impl Slot {
    /// Its length in whole minutes.
    pub fn minutes(&self) -> u16 {
        let Span(length) = self.ends_at.since(self.starts_at);
        u16::try_from(length / 60_000_000).unwrap_or(0)
    }
}

/// What is written down of one member at one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Mark {
    Present = 1,
    Absent = 2,
    /// Absent, and said so.
    Excused = 3,
    /// Absent, and made up for at another session.
    MadeUp = 4,
}

/// How it became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Source {
    PaperList = 1,
    Door = 2,
    Online = 3,
}

/// How many came, without names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    pub adults: u32,
    pub children: u32,
    /// Not counted, only estimated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub estimated: bool,
}

impl Mark {
    /// The mark of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        [Mark::Present, Mark::Absent, Mark::Excused, Mark::MadeUp].into_iter().find(|m| *m as u8 == code)
    }
}

impl Source {
    /// The source of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        [Source::PaperList, Source::Door, Source::Online].into_iter().find(|s| *s as u8 == code)
    }
}
