//! What was asked and heard in a run, and what the store held at its end.

use crate::support::client::{Refused, SignedUp};
use eile::admission::Entry;
use eile::api::proto as pb;
use eile::keys::Keys;
use eile::model::contact::ContactKeys;
use eile::model::id::{EventId, Number, RegistrationId};
use eile::model::time::Timestamp;
use eile::storage::Whole;
use std::sync::Arc;
use uuid::Uuid;

/// What was asked.
#[derive(Clone, Debug)]
pub enum Ask {
    Register {
        party: Box<pb::Registration>,
        vouched: bool,
    },
    Cancel,
    Accept,
    Decline,
    Amend {
        party: Box<pb::Registration>,
        fields: Vec<&'static str>,
    },
    SetClass {
        class: String,
    },
    Promote {
        reason: String,
    },
    Seats {
        event: Box<pb::Event>,
        pool: String,
        seats: i32,
    },
    Transfer {
        to: usize,
    },
    /// Who came: a list, a scan, somebody on no list, heads.
    List {
        session: String,
        marks: Vec<pb::MarkEntry>,
    },
    Scan {
        session: String,
        members: Vec<i32>,
        at: Timestamp,
    },
    WalkIn {
        session: String,
        party: Box<pb::Registration>,
    },
    Heads {
        session: String,
        adults: i32,
        children: i32,
    },
    /// A session takes place at another time, or not at all.
    Move {
        session: String,
        start_local: String,
        end_local: String,
    },
    CallOff {
        session: String,
    },
    /// Reads: one registration, or the counts of the event.
    Look,
    Counts,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    SignedUp(SignedUp),
    Registration(pb::Registration),
    /// The new registration, and the old one.
    Transferred(Box<(SignedUp, pb::Registration)>),
    Event(Box<pb::Event>),
    Listed(pb::RecordAttendanceResponse),
    Scanned(Box<pb::CheckInResponse>),
    Counted(Box<pb::RecordHeadCountResponse>),
    Refused(Refused),
}

/// One call. The instants are ticks of one counter, so that "returned before it was called" is a fact.
#[derive(Clone, Debug)]
pub struct Call {
    /// Index of the event.
    pub event: usize,
    /// The registration that it is about, where it is about one.
    pub about: Option<String>,
    pub ask: Ask,
    pub request_id: Uuid,
    /// The party itself asked, by its token.
    pub by_party: bool,
    /// The same request id with another body, on purpose.
    pub reused: bool,
    pub called: u64,
    pub returned: u64,
    /// The service's clock at both.
    pub clock: (Timestamp, Timestamp),
    pub heard: Heard,
}

/// One event at the end of a run.
#[derive(Clone)]
pub struct Log {
    pub name: String,
    pub id: EventId,
    /// Journal number before the first call of the run.
    pub base: u64,
    pub entries: Vec<Entry>,
    pub whole: Arc<Whole>,
    /// As the API tells it.
    pub shown: pb::Event,
    pub listed: Vec<pb::Registration>,
    pub attendance: pb::ListAttendanceResponse,
}

/// A whole run.
#[derive(Clone)]
pub struct History {
    pub seed: u64,
    pub calls: Vec<Call>,
    pub logs: Vec<Log>,
    /// Every time that the clock showed, in order.
    pub times: Vec<Timestamp>,
    /// What the audit found.
    pub audit: Vec<String>,
    pub keys: Keys,
}

impl Call {
    pub fn is_read(&self) -> bool {
        matches!(self.ask, Ask::Look | Ask::Counts)
    }

    /// Staff changed what the event is.
    pub fn is_of_terms(&self) -> bool {
        matches!(self.ask, Ask::Seats { .. } | Ask::Move { .. } | Ask::CallOff { .. })
    }

    pub fn refused(&self) -> Option<&Refused> {
        match &self.heard {
            Heard::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// What was done, to which events, and the journal numbers that the answer names.
    pub fn numbers(&self) -> Vec<(usize, u64)> {
        match (&self.heard, &self.ask) {
            (Heard::SignedUp(s), _) => vec![(self.event, s.first.journal_number as u64)],
            (Heard::Registration(r), _) => vec![(self.event, r.journal_number as u64)],
            (Heard::Transferred(moved), Ask::Transfer { to }) => {
                let (new, old) = moved.as_ref();
                vec![(self.event, old.journal_number as u64), (*to, new.first.journal_number as u64)]
            }
            (Heard::Event(event), _) => vec![(self.event, event.journal_number as u64)],
            (heard, _) => {
                super::at_the_door::journal_number(heard).map(|number| (self.event, number)).into_iter().collect()
            }
        }
    }
}

impl History {
    /// The key under which the store keeps a request of an event.
    pub fn request_key(&self, event: usize, request_id: Uuid) -> u128 {
        self.keys.request_key(&self.logs[event].id.0.as_hyphenated().to_string(), request_id)
    }

    /// The keys under which a contact on the wire is compared.
    pub fn contact(&self, contact: &pb::Contact) -> ContactKeys {
        self.keys.contact(&eile::model::party::Contact {
            name: contact.display_name.clone(),
            email: contact.email.clone(),
            phone: contact.phone.clone(),
        })
    }

    /// Changes that were accepted, each once: the first call of each request id, with how often it was sent.
    pub fn accepted(&self) -> Vec<(&Call, usize)> {
        let mut found: Vec<(&Call, usize)> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        for call in self.calls.iter().filter(|c| !c.is_read() && !c.reused && c.refused().is_none()) {
            match seen.get(&(call.event, call.request_id)) {
                Some(at) => {
                    let (first, times): &mut (&Call, usize) = &mut found[*at];
                    *times += 1;
                    if call.called < first.called {
                        *first = call;
                    }
                }
                None => {
                    seen.insert((call.event, call.request_id), found.len());
                    found.push((call, 1));
                }
            }
        }
        found
    }
}

/// The accepted number in a registration's name.
pub fn number(name: &str) -> Number {
    registration_id(name).number()
}

pub fn registration_id(name: &str) -> RegistrationId {
    RegistrationId(name.rsplit('/').next().unwrap().parse().unwrap())
}
