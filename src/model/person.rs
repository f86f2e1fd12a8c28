//! People: which members of registrations are one person, as staff decided. A person is an opaque id.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A person, without anything about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub Uuid);

/// One thing that was entered about persons. Never changed, never taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleEntry {
    /// Dense: 1, 2, 3 ...
    pub number: u64,
    pub at: Timestamp,
    pub change: PeopleChange,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleChange {
    /// `person` is counted as `into` from now on.
    Merged { person: PersonId, into: PersonId },
    /// The merge of that number is taken back.
    Parted { merge: u64, person: PersonId, into: PersonId },
    /// They are one family, whatever parties they come in.
    FamilyLinked { persons: Vec<PersonId> },
    /// A participant form was received, or was marked so by mistake.
    Form { person: PersonId, project: String, received: bool },
}
