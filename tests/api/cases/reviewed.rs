//! What a hostile review found, seen by clients.

use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::*;

/// Two appointments of one seat each.
fn appointments(e: &mut Event) {
    e.sessions = ["10", "11"].map(|h| session(&format!("2031-02-20T{h}:00"), &format!("2031-02-20T{h}:45"))).to_vec();
    let seat = |id: &str, session: &str| SeatPool { session_id: session.into(), ..pool(id, 1) };
    e.seat_pools = vec![seat("ten", "s1"), seat("eleven", "s2")];
}

fn call_off(event: &str, session_id: &str) -> CancelSessionRequest {
    CancelSessionRequest {
        name: event.into(),
        session_id: session_id.into(),
        reason: "Vadovė serga".into(),
        request_id: id(),
        ..Default::default()
    }
}

pub async fn seats_at_a_session_that_is_called_off_are_given_to_nobody(mut h: House) {
    let event = h.open_with(1, appointments).await;
    let (first, _, waits) = (h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await);
    h.events.cancel_session(call_off(&event, "s1")).await.unwrap();
    h.cancel(&first).await;
    assert_eq!(h.state(&waits).await, RegistrationState::Waitlisted);
    let wish = |pool: &str| Registration { acceptable_pools: vec![pool.into()], ..party(1) };
    let refused = no(h.registrations.create_registration(sign_up(&event, wish("ten"))).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["session_id"].as_str()), ("SESSION_CANCELLED", "s1"));
    h.joins(&event, 1).await;
    h.events.cancel_session(call_off(&event, "s2")).await.unwrap();
    let refused = no(h.registrations.create_registration(sign_up(&event, party(1))).await);
    assert_eq!(refused.reason, "SESSION_CANCELLED", "nothing takes place any more");
}
