//! What is handed in at the desk, and what is heard back.

use crate::admission::{Command, Entry, Outcome, Refusal, Roster, Standing};
use crate::keys::TokenKey;
use crate::model::attendance::MemberNo;
use crate::model::event::{Event, Terms};
use crate::model::id::EventId;
use std::sync::Arc;

/// One command for one event, with what only storage needs of it.
#[derive(Clone)]
pub struct Job {
    pub event: EventId,
    pub command: Command,
    pub papers: Papers,
    /// Where a management token lets it in.
    pub borne: Option<Borne>,
}

/// A management token that was good: until its registration takes another step, which may have ended it. Then the answer
/// is `Stale`, and the caller looks at the token again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borne {
    pub number: crate::model::id::Number,
    /// The last step of the registration, looked at before the token.
    pub seen_step: u64,
}

/// What goes with a command and is stored when it is accepted.
#[derive(Clone)]
pub enum Papers {
    None,
    /// With `Verb::Register`.
    SignUp(Box<SignUp>),
    /// With `Verb::Amend` and `Verb::Erase`: the party's words from now on, made from those that were read when this was the last step
    /// of its registration, and `seen_marked` its last member with a mark. Where any of it has moved since, the answer is
    /// `Stale` and the caller reads again.
    Party {
        words: Box<PartyPapers>,
        seen_step: u64,
        seen_marked: MemberNo,
        /// With `Verb::Erase`: whether it had taken part, which decides what is kept. A mark can be corrected without a step.
        seen_part: Option<bool>,
        /// With `Verb::Amend`: makes the next management token, where the contact becomes another.
        token_key: Option<TokenKey>,
    },
    /// With any verb of the event.
    Event(EventPapers),
    /// With `Verb::SetClass` and `Verb::Promote`: the reason that staff wrote down; may be empty.
    Reason(String),
    /// Whatever the verb: answered if it was answered before, or else `Stale`.
    Repeat,
}

/// What goes with a command about the event itself.
#[derive(Clone, Default)]
pub struct EventPapers {
    /// Only if the event still has this version.
    pub if_version: Option<u64>,
    /// With `Verb::UpdateEvent` and `Verb::CancelEvent`: makes the new document from the locked one. Pure.
    pub edit: Option<EditEvent>,
    /// Renders what is answered, under the lock. It is kept beside the request id, for whoever asks again. Pure.
    pub answer: Option<AnswerEvent>,
}

/// Makes the event's new document from the one that is stored; version and times are set by the desk.
pub type EditEvent = Arc<dyn Fn(&mut Event) + Send + Sync>;

/// Renders an event as it is after the command.
pub type AnswerEvent = Arc<dyn Fn(&View<'_>) -> Vec<u8> + Send + Sync>;

/// A new party: what is stored of it.
#[derive(Clone)]
pub struct SignUp {
    pub party: PartyPapers,
    pub id_secret: [u8; 12],
    pub token_key: TokenKey,
}

/// A party's words.
#[derive(Clone)]
pub struct PartyPapers {
    /// `model::party::Party` as JSON.
    pub document: String,
    /// `Party::search_text`.
    pub search: String,
}

/// What stays of a party's words where it was before a transfer.
#[derive(Clone)]
pub struct LeftBehind {
    /// Of one that took part there: its names, as evidence.
    pub part: PartyPapers,
    /// Of any other: nothing of who it is.
    pub nothing: PartyPapers,
}

/// Moves a live registration to another event, in one transaction over both.
pub struct TransferJob {
    /// On the source: actor and request as for any command there; the verb is made by the desk.
    pub from: EventId,
    pub number: crate::model::id::Number,
    pub to: EventId,
    /// Pool ids of the target, in order of wish.
    pub wishes: Vec<String>,
    pub actor: crate::model::registration::ActorKind,
    /// Scoped to the source event.
    pub request: crate::admission::Request,
    /// The same request, scoped to the target event.
    pub target_request: crate::admission::Request,
    pub vouched: bool,
    /// The party's words as they were read, and the last step of its registration at that time: where it
    /// has taken another step since, the answer is `Stale` and the caller reads again.
    pub papers: PartyPapers,
    pub left: LeftBehind,
    pub seen_step: u64,
    /// Where the token of the registration lets it in.
    pub borne: Option<Borne>,
    pub id_secret: [u8; 12],
    pub token_key: TokenKey,
    pub validate_only: bool,
}

/// What is kept beside the request id of a correction that gave the registration a new management token. The token itself
/// is nowhere: it is made again from the request id.
pub const NEW_TOKEN: &[u8] = b"new token";

/// What was decided, after the commit.
#[derive(Clone, Debug)]
pub struct Done {
    /// As first answered, also in a replay.
    pub outcome: Outcome,
    /// The registration that it was about, as it stands now; `None` where it was about the event.
    pub standing: Option<Standing>,
    pub terms: Arc<Terms>,
    /// As `EventPapers::answer` rendered it, or `NEW_TOKEN`; a replay finds it in storage.
    pub answer: Option<Vec<u8>>,
    pub replayed: bool,
    /// What a verb of attendance wrote down; `None` in a replay, where the journal has it under the outcome's number.
    pub entry: Option<Entry>,
}

/// The outcome of a transfer.
#[derive(Clone, Debug)]
pub struct Transferred {
    pub source: Done,
    pub target: Done,
}

/// Why the desk has no decision to give.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("no such event")]
    EventNotFound,
    /// Decided, and the answer is no. Nothing was changed.
    #[error("refused: {0:?}")]
    Refused(Box<Refusal>, Option<Arc<Terms>>),
    /// Too many wait already. Nothing was changed.
    #[error("the desk is overloaded")]
    Overloaded,
    /// The desk takes nobody in any more. Nothing was changed.
    #[error("the desk is closing")]
    Draining,
    /// Nothing was changed.
    #[error("storage is unavailable")]
    Unavailable,
    /// Changed or not: the same request id tells, when storage is back.
    #[error("the outcome is not known")]
    OutcomeUnknown,
    /// What the caller read has changed since; read again and hand in again. Nothing was changed.
    #[error("what was read is stale")]
    Stale,
    /// A stored value cannot be read; logged where it was found.
    #[error("internal error")]
    Internal,
}

impl DeskError {
    pub(super) fn refused(refusal: Refusal, terms: Option<&Arc<Terms>>) -> Self {
        DeskError::Refused(Box::new(refusal), terms.cloned())
    }
}

/// A consistent look at one event: all of it holds at one journal number.
pub struct View<'a> {
    pub event: &'a Event,
    pub roster: &'a Roster,
}
