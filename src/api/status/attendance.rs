//! What the core refuses to write down of who came, in the words of the caller.

use super::refusal::About;
use super::{Problem, VIOLATION_BYTES_MAX};
use crate::admission::{MarkFault, MarkWhy, Refusal};
use crate::api::proto::ErrorReason as R;
use crate::api::to_proto::{time, words};
use crate::model::event::Terms;
use tonic::Status;
use tonic_types::PreconditionViolation;

/// Lines of a list that the metadata names.
const MARKS_NAMED_MAX: usize = 20;

/// The status of a refusal about attendance; `None` where it is about something else.
pub fn refused(refusal: &Refusal, about: &About<'_>, terms: Option<&Terms>) -> Option<Status> {
    let session = about.session_id;
    let problem = match refusal {
        Refusal::SessionNotFound => {
            let problem = Problem::new(R::SessionNotFound, format!("the event has no session {session}"));
            return Some(problem.with("session_id", session).resource("session", session).status());
        }
        Refusal::MemberNotFound { member, size } => {
            let message = format!("the party of {size} has no member {member}");
            let problem = Problem::new(R::MemberNotFound, message).with("member", member).with("party_size", size);
            return Some(problem.resource("member", &member.to_string()).status());
        }
        Refusal::MarksRefused { faults } => return Some(marks(faults)),
        Refusal::SessionCancelled => {
            Problem::new(R::SessionCancelled, format!("session {session} was called off")).with("session_id", session)
        }
        Refusal::SeatsCalledOff { session } => {
            let id = terms.and_then(|t| t.session_no(*session)).map_or("", |slot| slot.id.as_str());
            Problem::new(R::SessionCancelled, format!("session {id} was called off")).with("session_id", id)
        }
        Refusal::SessionNotBegun { starts_at } => {
            let at = time::text(*starts_at);
            Problem::new(R::SessionNotBegun, format!("session {session} begins at {at}"))
                .with("session_id", session)
                .with("start_time", at)
        }
        Refusal::DoorShut { starts_at } => {
            let at = time::text(*starts_at);
            Problem::new(R::DoorShut, format!("no door was open then; the session begins at {at}"))
                .with("start_time", at)
        }
        Refusal::MemberAttended { member } => {
            Problem::new(R::MemberAttended, format!("it is written down when member {member} came"))
                .with("member", member)
                .with("party_size", about.party_size)
        }
        Refusal::WalkInsNotTaken => {
            Problem::new(R::WalkInsNotTaken, "the event takes nobody at the door who is on no list")
                .with("event", about.event_name())
        }
        Refusal::SessionInUse { session } => {
            let id = terms.and_then(|t| t.session_no(*session)).map_or("", |slot| slot.id.as_str());
            Problem::new(R::SessionInUse, format!("it is written down who came to session {id}")).with("session_id", id)
        }
        _ => return None,
    };
    Some(problem.precondition(&about.subject()).status())
}

/// Every line that cannot be.
fn marks(faults: &[MarkFault]) -> Status {
    let named: Vec<String> =
        faults.iter().take(MARKS_NAMED_MAX).map(|f| format!("{}:{}", f.index, word(f.why))).collect();
    let message = format!("{} lines cannot be; nothing was written down", faults.len());
    let mut problem = Problem::new(R::MarksRefused, message).with("count", faults.len()).with("marks", named.join(","));
    let mut bytes = 0;
    let shown = faults.iter().map(|fault| (format!("marks[{}]", fault.index), fault.why)).take_while(|(line, why)| {
        bytes += line.len() + word(*why).len() + because(*why).len() + 8;
        bytes <= VIOLATION_BYTES_MAX
    });
    let shown: Vec<_> = shown.map(|(line, why)| PreconditionViolation::new(word(why), line, because(why))).collect();
    problem.details.set_precondition_failure(shown);
    problem.status()
}

fn word(why: MarkWhy) -> &'static str {
    match why {
        MarkWhy::RegistrationNotFound => "REGISTRATION_NOT_FOUND",
        MarkWhy::NoSuchMember { .. } => "MEMBER_NOT_FOUND",
        MarkWhy::NotConfirmed { .. } => "NOT_CONFIRMED",
        MarkWhy::OtherSession => "OTHER_SESSION",
        MarkWhy::LongerThanSession { .. } => "LONGER_THAN_SESSION",
        MarkWhy::NamedTwice => "NAMED_TWICE",
    }
}

fn because(why: MarkWhy) -> String {
    match why {
        MarkWhy::RegistrationNotFound => "the event has no such registration".to_owned(),
        MarkWhy::NoSuchMember { size: 1 } => "the party has 1 member".to_owned(),
        MarkWhy::NoSuchMember { size } => format!("the party has {size} members"),
        MarkWhy::NotConfirmed { state } => format!("it never had a seat; it is {}", words::state_kind(state)),
        MarkWhy::OtherSession => "its seat is one at another session".to_owned(),
        MarkWhy::LongerThanSession { minutes } => format!("the session has {minutes} minutes"),
        MarkWhy::NamedTwice => "the member stands in the list already".to_owned(),
    }
}
