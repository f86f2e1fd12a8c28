//! What can be asked of an event.

use crate::model::attendance::{Heads, Mark, MemberNo, Source};
use crate::model::consent::{Choice, Choices};
use crate::model::contact::ContactKeys;
use crate::model::event::Terms;
use crate::model::id::{Number, PoolNo, RegistrationId};
use crate::model::registration::{ActorKind, CancelReason, RejectReason, TransferTarget};
use crate::model::time::Timestamp;
use std::sync::Arc;

/// One thing asked, by whom, under which request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub actor: ActorKind,
    /// `None` only for what the service asks of itself.
    pub request: Option<Request>,
    pub verb: Verb,
}

/// A request id as a keyed hash, and the keyed hash of what was asked under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    pub key: u128,
    pub fingerprint: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A party signs up.
    Register(NewParty),
    /// Words of the party change; the size too where it is named.
    Amend {
        number: Number,
        size: Option<u32>,
        contact: Option<ContactKeys>,
    },
    /// Personal data of the party go; `kept` where some must stay for a while. A live registration ends with it, unless
    /// its event is over.
    Erase {
        number: Number,
        kept: bool,
    },
    /// The party's words are left alone from now on, or are not any more.
    Restrict {
        number: Number,
        restricted: bool,
    },
    /// What the party consents to, or takes back.
    Consent {
        number: Number,
        choices: Vec<Choice>,
    },
    Cancel {
        number: Number,
        reason: CancelReason,
    },
    Accept {
        number: Number,
    },
    Decline {
        number: Number,
        reason: CancelReason,
    },
    Approve {
        number: Number,
    },
    Reject {
        number: Number,
        reason: RejectReason,
    },
    SetClass {
        number: Number,
        class: Option<String>,
    },
    /// Staff give a seat by hand. `has_reason` tells whether a reason was written down.
    Promote {
        number: Number,
        pool: Option<PoolNo>,
        has_reason: bool,
    },
    /// The source's half of a transfer, after the target took the party in.
    TransferAway {
        number: Number,
        to: TransferTarget,
    },
    Publish,
    CancelEvent,
    CompleteEvent,
    /// Staff change the event. `terms` where something that gives seats changed; `if_version` is the etag.
    UpdateEvent {
        terms: Option<Arc<Terms>>,
        if_version: Option<u64>,
    },
    /// Who came, as a list has it.
    RecordAttendance(Box<MarkList>),
    /// A party is at the door.
    CheckIn(Box<AtDoor>),
    /// Somebody on no list is at the door.
    WalkIn(Box<WalkIn>),
    /// How many came, without names.
    CountHeads(HeadCount),
    /// Do whatever is due: deadlines, releases.
    Sweep,
}

impl Verb {
    /// The party that it takes in, if it takes one in.
    pub fn new_party(&self) -> Option<&NewParty> {
        match self {
            Verb::Register(party) => Some(party),
            Verb::WalkIn(walk_in) => Some(&walk_in.party),
            _ => None,
        }
    }

    /// What is written down of sessions that were held: it frees no seat and moves nobody.
    pub fn is_attendance(&self) -> bool {
        matches!(self, Verb::RecordAttendance(_) | Verb::CheckIn(_) | Verb::CountHeads(_))
    }

    /// Whether nobody's place or seat can follow from it.
    pub fn moves_nobody(&self) -> bool {
        self.is_attendance() || matches!(self, Verb::Restrict { .. } | Verb::Consent { .. })
    }
}

/// A registration as callers name it. The id is compared where it is there; a check-in code proves the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhichRegistration {
    pub number: Number,
    pub id: Option<RegistrationId>,
}

/// A session's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkList {
    /// The word of the session.
    pub session: String,
    pub source: Source,
    /// Absent: when the session began.
    pub happened_at: Option<Timestamp>,
    pub marks: Vec<GivenMark>,
}

/// One line of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenMark {
    pub who: WhichRegistration,
    pub member: MemberNo,
    pub mark: Mark,
    /// Of one who was present; absent: the whole session.
    pub minutes: Option<u16>,
}

/// Which session a scan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichSession {
    Named(String),
    /// The one whose door was open then.
    AtThatTime,
}

/// A party at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtDoor {
    pub who: WhichRegistration,
    pub session: WhichSession,
    /// Who of the party; empty: all.
    pub members: Vec<MemberNo>,
    /// When the scan was made, which may be long before it is sent.
    pub happened_at: Timestamp,
}

/// Somebody on no list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkIn {
    pub party: NewParty,
    pub session: String,
    pub source: Source,
    pub happened_at: Option<Timestamp>,
}

/// Heads at a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadCount {
    pub session: String,
    pub happened_at: Option<Timestamp>,
    pub heads: Heads,
}

/// What admission knows of a party: how large, which pools, and whom it might be the same as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewParty {
    pub size: u32,
    /// In order of wish; empty: any.
    pub wishes: Vec<PoolNo>,
    pub contact: ContactKeys,
    /// The caller answers for the contact being the party's own.
    pub vouched: bool,
    /// What it says about its personal data, or has said where it comes from.
    pub choices: Choices,
}
