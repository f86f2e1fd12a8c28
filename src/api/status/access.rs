//! What is answered to who may not.

use super::{Problem, not_found};
use crate::api::proto::ErrorReason;
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
