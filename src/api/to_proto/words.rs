//! The words of enums: as numbers of the wire, and as texts where a text holds one.

use crate::api::proto;
use crate::model::consent::Purpose;
use crate::model::event::{EventKind, EventState};
use crate::model::party::{Channel, OnBehalfOf, Sex};
use crate::model::registration::{ActorKind, CancelReason, RejectReason, StateKind};

pub fn event_kind(kind: EventKind) -> proto::EventKind {
    match kind {
        EventKind::Course => proto::EventKind::Course,
        EventKind::OpenGroup => proto::EventKind::OpenGroup,
        EventKind::OpenEvent => proto::EventKind::OpenEvent,
        EventKind::SingleSession => proto::EventKind::SingleSession,
        EventKind::Appointments => proto::EventKind::Appointments,
        EventKind::Contest => proto::EventKind::Contest,
    }
}

pub fn event_state(state: EventState) -> proto::EventState {
    match state {
        EventState::Draft => proto::EventState::Draft,
        EventState::Published => proto::EventState::Published,
        EventState::Cancelled => proto::EventState::Cancelled,
        EventState::Completed => proto::EventState::Completed,
    }
}

pub fn registration_state(kind: StateKind) -> proto::RegistrationState {
    use proto::RegistrationState as P;
    match kind {
        StateKind::InReview => P::InReview,
        StateKind::Waitlisted => P::Waitlisted,
        StateKind::Offered => P::Offered,
        StateKind::Confirmed => P::Confirmed,
        StateKind::Cancelled => P::Cancelled,
        StateKind::Declined => P::Declined,
        StateKind::Expired => P::Expired,
        StateKind::Rejected => P::Rejected,
        StateKind::EventCancelled => P::EventCancelled,
        StateKind::Transferred => P::Transferred,
    }
}

/// A state's word without its prefix.
pub fn state_kind(kind: StateKind) -> &'static str {
    unprefixed(registration_state(kind).as_str_name(), "REGISTRATION_STATE_")
}

pub fn consent_purpose(purpose: Purpose) -> proto::ConsentPurpose {
    match purpose {
        Purpose::Photos => proto::ConsentPurpose::Photos,
        Purpose::News => proto::ConsentPurpose::News,
        Purpose::Sharing => proto::ConsentPurpose::Sharing,
        Purpose::NextSeason => proto::ConsentPurpose::NextSeason,
    }
}

pub fn channel(channel: Channel) -> proto::Channel {
    match channel {
        Channel::Web => proto::Channel::Web,
        Channel::Phone => proto::Channel::Phone,
        Channel::Message => proto::Channel::Message,
        Channel::InPerson => proto::Channel::InPerson,
        Channel::Referral => proto::Channel::Referral,
    }
}

pub fn on_behalf_of(word: OnBehalfOf) -> proto::OnBehalfOf {
    match word {
        OnBehalfOf::Oneself => proto::OnBehalfOf::Self_,
        OnBehalfOf::Partner => proto::OnBehalfOf::Partner,
        OnBehalfOf::Child => proto::OnBehalfOf::Child,
        OnBehalfOf::Ward => proto::OnBehalfOf::Ward,
        OnBehalfOf::Client => proto::OnBehalfOf::Client,
        OnBehalfOf::Group => proto::OnBehalfOf::Group,
    }
}

pub fn sex(sex: Sex) -> proto::Sex {
    match sex {
        Sex::NotGiven => proto::Sex::Unspecified,
        Sex::Female => proto::Sex::Female,
        Sex::Male => proto::Sex::Male,
        Sex::Other => proto::Sex::Other,
    }
}

pub fn actor(actor: ActorKind) -> proto::ActorKind {
    match actor {
        ActorKind::Party => proto::ActorKind::Party,
        ActorKind::Staff => proto::ActorKind::Staff,
        ActorKind::Portal => proto::ActorKind::Portal,
        ActorKind::System => proto::ActorKind::System,
    }
}

/// A reason's word without its prefix; what was not said is OTHER.
pub fn cancel_reason(reason: CancelReason) -> &'static str {
    use proto::CancelReason as P;
    let word = match reason {
        CancelReason::CannotCome => P::CannotCome,
        CancelReason::FoundElsewhere => P::FoundElsewhere,
        CancelReason::NotReachable => P::NotReachable,
        CancelReason::EnteredByMistake => P::EnteredByMistake,
        CancelReason::Duplicate => P::Duplicate,
        CancelReason::NoShow => P::NoShow,
        CancelReason::Erased => P::Erased,
        CancelReason::Unspecified | CancelReason::Other => P::Other,
    };
    unprefixed(word.as_str_name(), "CANCEL_REASON_")
}

/// A reason's word without its prefix.
pub fn reject_reason(reason: RejectReason) -> &'static str {
    use proto::RejectReason as P;
    let word = match reason {
        RejectReason::NotEligible => P::NotEligible,
        RejectReason::OutsideArea => P::OutsideArea,
        RejectReason::Incomplete => P::Incomplete,
        RejectReason::Duplicate => P::Duplicate,
        RejectReason::OtherServiceFitsBetter => P::OtherServiceFitsBetter,
        RejectReason::Other => P::Other,
    };
    unprefixed(word.as_str_name(), "REJECT_REASON_")
}

pub fn unprefixed(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}
