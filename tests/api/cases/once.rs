//! Once (P7): a repeated request gets the answer that it got first, to the byte, whatever has changed since.

use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Span;
use prost::Message;

fn bytes(answer: &impl Message) -> Vec<u8> {
    answer.encode_to_vec()
}

/// Sends a request with a closure, and again after `$then`.
macro_rules! same_again {
    ($h:ident, $client:ident . $method:ident, $request:expr, $then:expr) => {{
        let request = $request;
        let first = $h.$client.$method(request.clone()).await.unwrap().into_inner();
        $h.clock.advance(Span::seconds(7));
        $then;
        let again = $h.$client.$method(request).await.unwrap().into_inner();
        assert_eq!(again, first, stringify!($method));
        assert_eq!(bytes(&again), bytes(&first), stringify!($method));
        first
    }};
}

pub async fn centres_and_programmes_are_answered_as_first_whatever_came_later(mut h: House) {
    let create =
        CreateCentreRequest { centre: Some(centre()), centre_id: "a".into(), request_id: id(), ..Default::default() };
    let update = |languages: &[&str]| UpdateCentreRequest {
        centre: Some(Centre {
            name: "centres/a".into(),
            languages: languages.iter().map(|l| (*l).to_owned()).collect(),
            ..Default::default()
        }),
        update_mask: mask(&["languages"]),
        request_id: id(),
        ..Default::default()
    };
    let made = same_again!(h, admin.create_centre, create, {
        h.admin.update_centre(update(&["lt", "pl"])).await.unwrap();
    });
    assert_eq!((made.centre.unwrap().etag.as_str()), "\"1\"");
    let updated = same_again!(h, admin.update_centre, update(&["lt", "ru"]), {
        h.admin.update_centre(update(&["lt", "uk"])).await.unwrap();
    });
    assert_eq!(updated.centre.unwrap().languages, ["lt", "ru"]);

    let create = CreateProgrammeRequest {
        programme: Some(programme()),
        programme_id: "p".into(),
        request_id: id(),
        ..Default::default()
    };
    let update = |code: &str| UpdateProgrammeRequest {
        programme: Some(Programme { name: "programmes/p".into(), project_code: code.into(), ..Default::default() }),
        update_mask: mask(&["project_code"]),
        request_id: id(),
        ..Default::default()
    };
    let made = same_again!(h, admin.create_programme, create, {
        h.admin.update_programme(update("LT-1")).await.unwrap();
    });
    assert_eq!(made.programme.unwrap().project_code, "");
    let updated = same_again!(h, admin.update_programme, update("LT-2"), {
        h.admin.update_programme(update("LT-3")).await.unwrap();
    });
    assert_eq!(updated.programme.unwrap().project_code, "LT-2");
}

/// The answer of the update holds the counts of its own moment, with sign-ups before it and after it.
pub async fn an_event_is_answered_as_first_with_the_counts_of_that_moment(mut h: House) {
    let centre = h.centre().await;
    let create = CreateEventRequest { event: Some(event(&centre, 2)), request_id: id(), ..Default::default() };
    let retitle = |name: &str, title: &str| UpdateEventRequest {
        event: Some(Event { name: name.into(), titles: lt(title), ..Default::default() }),
        update_mask: mask(&["titles"]),
        request_id: id(),
        ..Default::default()
    };
    let made = same_again!(h, events.create_event, create, {
        let name = h.newest(&centre).await;
        h.events.update_event(retitle(&name, "Kitaip")).await.unwrap();
    });
    let name = made.event.unwrap().name;
    let publish = PublishEventRequest { name: name.clone(), request_id: id(), ..Default::default() };
    let published = same_again!(h, events.publish_event, publish, {
        h.joins(&name, 2).await;
    });
    assert_eq!(published.event.unwrap().counts.unwrap().confirmed_persons, 0);
    let updated = same_again!(h, events.update_event, retitle(&name, "Pirma"), {
        h.joins(&name, 1).await;
        h.events.update_event(retitle(&name, "Antra")).await.unwrap();
    });
    let updated = updated.event.unwrap();
    assert_eq!((updated.titles[0].text.as_str(), updated.counts.unwrap().waiting_parties), ("Pirma", 0));
    let copy = CopyEventRequest { name: name.clone(), request_id: id(), ..Default::default() };
    let copied = same_again!(h, events.copy_event, copy, {
        h.events.update_event(retitle(&name, "Trečia")).await.unwrap();
    });
    let copied = copied.event.unwrap();
    let publish = PublishEventRequest { name: copied.name.clone(), request_id: id(), ..Default::default() };
    h.events.publish_event(publish).await.unwrap();
    let cancel = CancelEventRequest {
        name: copied.name,
        reason: "Susirgo lektorė".into(),
        request_id: id(),
        ..Default::default()
    };
    same_again!(h, events.cancel_event, cancel, {
        h.get(&name).await;
    });
    let waiting = h.joins(&name, 1).await;
    h.pass(eile::model::time::Span::hours(42 * 24)).await;
    let complete = CompleteEventRequest { name: name.clone(), request_id: id(), ..Default::default() };
    let completed = same_again!(h, events.complete_event, complete, {
        h.get(&name).await;
    });
    assert_eq!(completed.event.unwrap().counts.unwrap().waiting_parties, 2);
    assert_eq!(h.state(&waiting).await, RegistrationState::Waitlisted);
}

/// A first answer that was rendered after the commit would hold what others did in between, and differ from its own
/// repetition.
pub async fn a_change_amid_a_rush_is_answered_as_of_its_own_moment(mut h: House) {
    let name = h.open_with(3, |_| ()).await;
    for round in 0..6 {
        let update = UpdateEventRequest {
            event: Some(Event { name: name.clone(), titles: lt(&format!("Nr. {round}")), ..Default::default() }),
            update_mask: mask(&["titles"]),
            request_id: id(),
            ..Default::default()
        };
        let rush = (0..20).map(|_| {
            let (mut registrations, request) = (h.registrations.clone(), sign_up(&name, party(1)));
            tokio::spawn(async move { registrations.create_registration(request).await.unwrap() })
        });
        let rush: Vec<_> = rush.collect();
        let first = h.events.update_event(update.clone()).await.unwrap().into_inner().event.unwrap();
        for call in rush {
            call.await.unwrap();
        }
        let again = h.events.update_event(update).await.unwrap().into_inner().event.unwrap();
        assert_eq!(again, first);
        let counts = first.counts.unwrap();
        // One entry made the event, one published it, one per round retitled it, one per party took it in.
        assert_eq!(i64::from(counts.applied_parties) + 3 + round, first.journal_number);
    }
}

pub async fn what_was_done_is_answered_though_it_would_be_refused_now(mut h: House) {
    let session_at = |start: &str, end: &str| Session { session_id: "s1".into(), ..session(start, end) };
    let utc = Centre { time_zone: "UTC".into(), ..centre() };
    let request = CreateCentreRequest { centre: Some(utc), request_id: id(), ..Default::default() };
    let centre = h.admin.create_centre(request).await.unwrap().into_inner().centre.unwrap().name;

    // In the centre's new zone this time would be skipped by the clock.
    let skipped = vec![session_at("2031-03-30T03:30", "2031-03-30T05:00")];
    let given = Event { sessions: skipped, ..event(&centre, 3) };
    let create = CreateEventRequest { event: Some(given), request_id: id(), ..Default::default() };
    let vilnius = Centre { name: centre.clone(), time_zone: "Europe/Vilnius".into(), ..Default::default() };
    same_again!(h, events.create_event, create.clone(), {
        let update = UpdateCentreRequest {
            centre: Some(vilnius),
            update_mask: mask(&["time_zone"]),
            request_id: id(),
            ..Default::default()
        };
        h.admin.update_centre(update).await.unwrap();
        let fresh = CreateEventRequest { request_id: id(), ..create };
        assert_eq!(no(h.events.create_event(fresh).await).reason, "INVALID_FIELDS");
    });

    let early = vec![session_at("2031-02-20T03:30", "2031-02-20T05:00")];
    let late = vec![session_at("2031-02-20T17:30", "2031-02-20T19:00")];
    let source = h.draft(Event { sessions: late, time_zone: "Europe/Vilnius".into(), ..event(&centre, 3) }).await;
    let copy = CopyEventRequest {
        name: source.name.clone(),
        first_session_date: "2031-03-30".into(),
        request_id: id(),
        ..Default::default()
    };
    same_again!(h, events.copy_event, copy.clone(), {
        h.update(Event { name: source.name.clone(), sessions: early, ..Default::default() }, &["sessions"]).await;
        let fresh = CopyEventRequest { request_id: id(), ..copy };
        assert_eq!(no(h.events.copy_event(fresh).await).reason, "INVALID_FIELDS");
    });

    let slot = SeatPool { session_id: "s1".into(), ..pool("slot", 1) };
    let update = UpdateEventRequest {
        event: Some(Event { name: source.name.clone(), seat_pools: vec![slot], ..Default::default() }),
        update_mask: mask(&["seat_pools"]),
        request_id: id(),
        ..Default::default()
    };
    same_again!(h, events.update_event, update.clone(), {
        let other = Session { session_id: "s2".into(), ..session("2031-02-21T17:30", "2031-02-21T19:00") };
        let changed = Event {
            name: source.name.clone(),
            sessions: vec![other],
            seat_pools: vec![pool("main", 1)],
            ..Default::default()
        };
        h.update(changed, &["sessions", "seat_pools"]).await;
        let fresh = UpdateEventRequest { request_id: id(), ..update };
        assert_eq!(no(h.events.update_event(fresh).await).reason, "INVALID_FIELDS");
    });
}

pub async fn a_party_is_answered_though_its_answers_are_to_questions_asked_no_more(mut h: House) {
    let question =
        |id: &str| Question { question_id: id.into(), texts: lt("Kaip?"), max_length: 100, ..Default::default() };
    let name = h.open_with(2, |e| e.questions = vec![question("old")]).await;
    let answers = vec![Answer { question_id: "old".into(), text: "Taip".into() }];
    let join = sign_up(&name, Registration { answers: answers.clone(), ..party(1) });
    let first = h.registrations.create_registration(join.clone()).await.unwrap().into_inner();
    let registration = first.registration.clone().unwrap();
    let amend = UpdateRegistrationRequest {
        registration: Some(Registration { name: registration.name, answers, ..Default::default() }),
        update_mask: mask(&["answers"]),
        request_id: id(),
        ..Default::default()
    };
    same_again!(h, registrations.update_registration, amend.clone(), {
        h.update(Event { name: name.clone(), questions: vec![question("new")], ..Default::default() }, &["questions"])
            .await;
        let fresh = UpdateRegistrationRequest { request_id: id(), ..amend };
        assert_eq!(no(h.registrations.update_registration(fresh).await).reason, "INVALID_FIELDS");
    });
    let again = h.registrations.create_registration(join.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    let fresh = CreateRegistrationRequest { request_id: id(), ..join.clone() };
    assert_eq!(no(h.registrations.create_registration(fresh).await).reason, "INVALID_FIELDS");
    // Another body under a used id is not what was asked.
    let other = Registration { answers: join.registration.unwrap().answers, ..party(2) };
    let reused = CreateRegistrationRequest { registration: Some(other), ..join };
    assert_eq!(no(h.registrations.create_registration(reused).await).reason, "INVALID_FIELDS");
}

impl House {
    /// The name of the centre's only event.
    async fn newest(&mut self, centre: &str) -> String {
        let request = ListEventsRequest { filter: format!("centre = \"{centre}\""), ..Default::default() };
        let events = self.events.list_events(request).await.unwrap().into_inner().events;
        events.first().unwrap().name.clone()
    }
}
