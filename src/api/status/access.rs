//! What is answered to who may not.

use super::{Problem, not_found};
use crate::api::proto::ErrorReason;
use crate::api::to_proto::names;
use crate::model::id::EventId;
use tonic::Status;

/// No key that lets in: the same answer, whatever is wrong with what was shown.
pub fn key_required() -> Status {
    Problem::new(ErrorReason::KeyRequired, "an access key that is known and live is required").status()
}

pub fn role_not_allowed(method: &str) -> Status {
    Problem::new(ErrorReason::RoleNotAllowed, format!("the role of the key may not call {method}"))
        .with("method", method)
        .status()
}

pub fn centre_required(method: &str) -> Status {
    let message = format!("{method} asks about all centres, and the key reaches only some; name one of them");
    Problem::new(ErrorReason::CentreRequired, message).with("method", method).status()
}

/// The same for what is never of one centre: there is none to name.
pub fn all_centres_required(method: &str) -> Status {
    let message = format!(
        "{method} is about persons, who are the same in all centres, and the key reaches only some; \
         it takes a key that reaches all"
    );
    Problem::new(ErrorReason::CentreRequired, message).with("method", method).status()
}

pub fn access_key_not_found(name: &str) -> Status {
    not_found(ErrorReason::AccessKeyNotFound, "access_key", name)
}

pub fn access_key_revoked(name: &str) -> Status {
    Problem::new(ErrorReason::AccessKeyRevoked, format!("{name} is revoked; make another key"))
        .with("access_key", name)
        .precondition(name)
        .status()
}

pub fn first_key_administrator() -> Status {
    let message = "the first key must be one of ROLE_ADMINISTRATOR without expire_time, or everybody is locked out";
    Problem::new(ErrorReason::FirstKeyAdministrator, message).precondition("access_keys").status()
}

pub fn access_keys_full(limit: usize) -> Status {
    Problem::new(ErrorReason::AccessKeysFull, format!("there are {limit} live access keys; revoke some"))
        .with("limit", limit)
        .quota("access_keys")
        .status()
}

/// Who is in the event is for the roles that it names.
pub fn people_not_shown(method: &str, event: EventId) -> Status {
    let event = names::event(event);
    let message = format!("{event} is sensitive, and {method} would tell the role of the key who is in it");
    Problem::new(ErrorReason::PeopleNotShown, message).with("method", method).with("event", event).status()
}

pub fn sensitivity_kept(event: EventId) -> Status {
    let event = names::event(event);
    let message = format!("{event} is published as sensitive: what was hidden then stays hidden");
    Problem::new(ErrorReason::SensitivityKept, message).with("event", &event).precondition(&event).status()
}
