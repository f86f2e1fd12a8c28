//! Sessions that staff change after people came to them.

use crate::house::{House, No, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Span;

fn on(day: &str) -> Session {
    session(&format!("{day}T17:30"), &format!("{day}T19:00"))
}

fn marked(registration: &Registration, session_id: &str, mark: AttendanceMark) -> RecordAttendanceRequest {
    RecordAttendanceRequest {
        parent: registration.event.clone(),
        session_id: session_id.into(),
        marks: vec![MarkEntry { registration: registration.name.clone(), member: 1, mark: mark.into(), minutes: None }],
        request_id: id(),
        ..Default::default()
    }
}

fn moved(event: &str, session_id: &str, day: &str) -> MoveSessionRequest {
    MoveSessionRequest {
        name: event.into(),
        session_id: session_id.into(),
        start_local: format!("{day}T17:30"),
        end_local: format!("{day}T19:00"),
        request_id: id(),
        ..Default::default()
    }
}

impl House {
    async fn replaces_sessions(&mut self, event: &str, sessions: Vec<Session>) -> No {
        let event = Event { name: event.into(), sessions, ..Default::default() };
        let request = UpdateEventRequest {
            event: Some(event),
            update_mask: mask(&["sessions"]),
            request_id: id(),
            ..Default::default()
        };
        no(self.events.update_event(request).await)
    }
}

pub async fn a_new_session_never_takes_the_marks_of_one_that_is_left_out(mut h: House) {
    let event = h.open_with(4, |e| e.sessions = vec![on("2031-02-20"), on("2031-02-27")]).await;
    let rasa = h.joins(&event, 1).await;
    h.pass(Span::hours(42 * 24)).await;
    h.attendance.record_attendance(marked(&rasa, "s1", AttendanceMark::Present)).await.unwrap();
    let second = h.get(&event).await.sessions[1].clone();
    // The first is left out, and a third comes without a word of its own: it must not become "s1".
    let refused = h.replaces_sessions(&event, vec![second.clone(), on("2031-03-06")]).await;
    assert_eq!((refused.reason.as_str(), refused.metadata["session_id"].as_str()), ("SESSION_IN_USE", "s1"));
    // Nobody came to the second: it may go, and its word goes with it.
    let mut first = h.get(&event).await;
    first.sessions = vec![first.sessions[0].clone(), on("2031-03-06")];
    let made = h.update(Event { etag: String::new(), ..first }, &["sessions"]).await;
    assert_eq!(made.sessions[1].session_id, "s3", "never a word that was made before");
}

pub async fn a_session_that_was_held_stays_where_it_was(mut h: House) {
    let event = h.open_with(4, |e| e.sessions = vec![on("2031-02-20"), on("2031-02-27")]).await;
    let rasa = h.joins(&event, 1).await;
    h.pass(Span::hours(24)).await;
    // Who said that they cannot come says nothing of a session that is to come: it may still be moved.
    h.attendance.record_attendance(marked(&rasa, "s1", AttendanceMark::Excused)).await.unwrap();
    h.events.move_session(moved(&event, "s1", "2031-02-21")).await.unwrap();
    h.pass(Span::hours(42 * 24)).await;
    h.attendance.record_attendance(marked(&rasa, "s1", AttendanceMark::Present)).await.unwrap();
    let held = no(h.events.move_session(moved(&event, "s1", "2031-03-06")).await);
    assert_eq!((held.reason.as_str(), held.metadata["session_id"].as_str()), ("SESSION_IN_USE", "s1"));
    let mut longer = h.get(&event).await.sessions;
    longer[0].end_local = "2031-02-21T20:00".into();
    assert_eq!(h.replaces_sessions(&event, longer).await.reason, "SESSION_IN_USE");
    // Its words may change, and so may a session of which nothing is written down.
    let mut noted = h.get(&event).await.sessions;
    noted[0].note = "Buvo smagu".into();
    noted[1].end_local = "2031-02-27T20:00".into();
    h.update(Event { name: event, sessions: noted, ..Default::default() }, &["sessions"]).await;
}
