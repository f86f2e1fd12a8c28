//! Events that are closed after they took place, and what that means to those who waited.

use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::RegistrationState as State;
use eile::api::proto::*;
use eile::model::time::Span;

/// After the one session of an event.
const AFTER: Span = Span::hours(42 * 24);

fn closing(event: &str) -> CompleteEventRequest {
    CompleteEventRequest { name: event.into(), request_id: id(), ..Default::default() }
}

fn explain(r: &Registration) -> ExplainRegistrationRequest {
    ExplainRegistrationRequest { name: r.name.clone(), ..Default::default() }
}

pub async fn an_event_is_not_closed_before_its_last_session_has_ended(mut h: House) {
    let two = |e: &mut Event| e.sessions.push(session("2031-02-27T17:30", "2031-02-27T19:00"));
    let event = h.open_with(1, two).await;
    h.pass(AFTER).await;
    let early = no(h.events.complete_event(closing(&event)).await);
    assert_eq!(
        (early.reason.as_str(), early.metadata["end_time"].as_str()),
        ("EVENT_NOT_OVER", "2031-02-27T17:00:00Z")
    );
    // A session that does not take place is not waited for.
    let off = CancelSessionRequest {
        name: event.clone(),
        session_id: "s2".into(),
        reason: "Liga".into(),
        request_id: id(),
        ..Default::default()
    };
    h.events.cancel_session(off).await.unwrap();
    let closed = h.events.complete_event(closing(&event)).await.unwrap().into_inner().event.unwrap();
    assert_eq!(closed.state(), EventState::Completed);
}

pub async fn who_waited_to_the_end_is_told_that_the_event_is_over(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let (seated, waiting) = (h.joins(&event, 1).await, h.joins(&event, 1).await);
    let watched = WatchRegistrationRequest { name: waiting.name.clone(), ..Default::default() };
    let mut stream = h.registrations.watch_registration(watched).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().registration.unwrap().position, 1);
    h.pass(AFTER).await;
    h.events.complete_event(closing(&event)).await.unwrap();
    while stream.message().await.unwrap().is_some() {}
    let told = h.registrations.explain_registration(explain(&waiting)).await.unwrap().into_inner();
    assert_eq!((told.state(), told.needed.unwrap().reason()), (State::Waitlisted, NeededReason::EventOver));
    assert!(told.text[0].text.contains("over"), "{}", told.text[0].text);
    let counts = h.get(&event).await.counts.unwrap();
    assert_eq!((counts.waiting_parties, counts.confirmed_parties), (1, 1), "the demand that was not met stays");
    // Who waited in vain may take the name off the list; who came may not undo it.
    assert_eq!(h.cancel(&waiting).await.state(), State::Cancelled);
    let came = CancelRegistrationRequest { name: seated.name, request_id: id(), ..Default::default() };
    assert_eq!(no(h.registrations.cancel_registration(came).await).reason, "EVENT_COMPLETED");
}

pub async fn nobody_misses_an_offer_because_the_event_is_over(mut h: House) {
    for missed in [MissedOffer::KeepPlace, MissedOffer::ToEnd, MissedOffer::Leave] {
        let policy = WaitlistPolicy { missed_offer: missed.into(), ..offers() };
        let event = h.open_with(1, |e| e.waitlist_policy = Some(policy)).await;
        let (seated, next) = (h.joins(&event, 1).await, h.joins(&event, 1).await);
        h.cancel(&seated).await;
        assert_eq!(h.state(&next).await, State::Offered);
        // Staff find that the event was yesterday, and close it.
        let sessions = vec![session("2031-01-09T17:30", "2031-01-09T19:00")];
        h.update(Event { name: event.clone(), sessions, ..Default::default() }, &["sessions"]).await;
        let closed = h.events.complete_event(closing(&event)).await.unwrap().into_inner().event.unwrap();
        let counts = closed.counts.unwrap();
        assert_eq!((counts.offers_made, counts.offers_missed, counts.offered_persons), (1, 0, 0), "{missed:?}");
        assert_eq!((h.state(&next).await, counts.waiting_parties), (State::Waitlisted, 1));
        let told = h.registrations.explain_registration(explain(&next)).await.unwrap().into_inner();
        let last = told.steps.last().unwrap();
        assert_eq!((last.kind(), last.because.as_str(), last.seats), (StepKind::Waitlisted, "offer_withdrawn", -1));
    }
}
