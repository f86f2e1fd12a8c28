//! What can be asked of an event.

use crate::model::contact::ContactKeys;
use crate::model::event::Terms;
use crate::model::id::{Number, PoolNo};
use crate::model::registration::{ActorKind, CancelReason, RejectReason, TransferTarget};
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
    /// Do whatever is due: deadlines, releases.
    Sweep,
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
}
