use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::*;

pub async fn what_is_left_out_comes_from_programme_and_centre(mut h: House) {
    let request = CreateCentreRequest {
        centre: Some(Centre { time_zone: "Europe/Warsaw".into(), languages: vec!["pl".into()], ..centre() }),
        request_id: id(),
        ..Default::default()
    };
    let centre = h.admin.create_centre(request).await.unwrap().into_inner().centre.unwrap().name;
    let rule = AttendanceRule { min_percent: 70, makeup_sessions: 0 };
    let request = CreateProgrammeRequest {
        programme: Some(Programme {
            project_code: "ESF".into(),
            kind: EventKind::OpenGroup.into(),
            attendance_rule: Some(rule),
            ..programme()
        }),
        request_id: id(),
        ..Default::default()
    };
    let programme = h.admin.create_programme(request).await.unwrap().into_inner().programme.unwrap().name;
    let made = h.draft(Event { programme, kind: 0, ..event(&centre, 12) }).await;
    assert_eq!((made.kind(), made.project_code.as_str()), (EventKind::OpenGroup, "ESF"));
    assert_eq!((made.time_zone.as_str(), made.languages.as_slice()), ("Europe/Warsaw", &["pl".to_owned()][..]));
    assert_eq!((made.municipality_code.as_str(), made.attendance_rule), ("42", Some(rule)));
    assert_eq!(made.sessions[0].start_time, at("2031-02-20T16:30:00Z"));
    assert_eq!((made.state(), made.journal_number, made.etag.as_str()), (EventState::Draft, 1, "\"1\""));
    let policy = made.waitlist_policy.clone().unwrap();
    assert_eq!((policy.version, policy.promotion()), (1, Promotion::Automatic));
    assert_eq!((policy.party_fit(), policy.offer_rules.len()), (PartyFit::Hold, 4));
    assert_eq!(policy.quiet_hours.unwrap().start_local, "21:00");
    assert_eq!((policy.registrations_per_contact, policy.duplicate_hold), (Some(1), hours(24)));
    assert_eq!(made.party_limits, Some(PartyLimits { min_size: 1, max_size: 1000 }));
    assert_eq!(made.counts.as_ref().unwrap().free, Some(12));
    assert_eq!(h.get(&made.name).await, made);
}

/// An event that uses every field.
fn full(centre: &str) -> Event {
    let venue = |name: &str| Venue {
        display_name: name.into(),
        address: "Sodų g. 1, Elektrėnai".into(),
        link: "https://example.org/ąžuolas".into(),
    };
    Event {
        descriptions: vec![
            LocalizedText { language: "lt".into(), text: "Eilutė\nir „kita“ – žąsys".into() },
            LocalizedText { language: "uk".into(), text: "Їжачок".into() },
        ],
        venue: Some(venue("Salė")),
        municipality_code: "79".into(),
        time_zone: "Europe/Riga".into(),
        sessions: vec![
            Session {
                session_id: "pirma".into(),
                venue: Some(venue("Kita salė")),
                note: "Atsineškite arbatos".into(),
                ..session("2031-03-25T17:30", "2031-03-25T19:00")
            },
            session("2031-04-01T17:30", "2031-04-01T19:00"),
        ],
        registration_window: Some(RegistrationWindow {
            open_time: at("2031-01-01T07:00:00Z"),
            close_time: at("2031-03-20T10:00:00Z"),
        }),
        seat_pools: vec![
            SeatPool { session_id: "pirma".into(), ..pool("atvira", 8) },
            SeatPool {
                classes: vec!["referral".into()],
                release_time: at("2031-03-18T00:00:00Z"),
                ..pool("siuntimai", 4)
            },
            SeatPool { capacity: None, ..pool("be-ribos", 0) },
        ],
        waitlist_policy: Some(WaitlistPolicy {
            party_fit: PartyFit::Skip.into(),
            max_passed_over: Some(2),
            missed_offer: MissedOffer::ToEnd.into(),
            class_order: vec!["mandated".into(), "any".into(), "guest".into()],
            waitlist_limit: Some(40),
            duplicate_hold: hours(3),
            registrations_per_contact: Some(0),
            walk_ins_taken: Some(false),
            entry_sessions: 2,
            ..offers()
        }),
        party_limits: Some(PartyLimits { min_size: 2, max_size: 5 }),
        approval_required: true,
        join_midway: true,
        minimum_to_start: 6,
        services_offered: Some(ServicesOffered { childcare_places: 5, rides: 3 }),
        questions: vec![Question {
            question_id: "kada".into(),
            texts: lt("Kada patogu?"),
            required: true,
            max_length: 80,
        }],
        languages: vec!["lt".into(), "ru".into()],
        attendance_rule: Some(AttendanceRule { min_percent: 50, makeup_sessions: 2 }),
        ..event(centre, 12)
    }
}

pub async fn what_is_given_comes_back_unchanged(mut h: House) {
    let centre = h.centre().await;
    let given = full(&centre);
    let made = h.draft(given.clone()).await;
    assert_eq!(made.descriptions, given.descriptions);
    assert_eq!((&made.venue, &made.languages, &made.questions), (&given.venue, &given.languages, &given.questions));
    assert_eq!(made.registration_window, given.registration_window);
    assert_eq!((made.sessions[0].session_id.as_str(), made.sessions[1].session_id.as_str()), ("pirma", "s1"));
    assert_eq!(made.sessions[0].venue, given.sessions[0].venue);
    // 17:30 stays 17:30 across the clock change.
    assert_eq!(made.sessions[0].start_time, at("2031-03-25T15:30:00Z"));
    assert_eq!(made.sessions[1].start_time, at("2031-04-01T14:30:00Z"));
    let policy = made.waitlist_policy.clone().unwrap();
    assert_eq!(WaitlistPolicy { version: 0, ..policy }, given.waitlist_policy.unwrap());
    let pools: Vec<_> = made.seat_pools.iter().map(|p| SeatPool { counts: None, ..p.clone() }).collect();
    assert_eq!(pools, given.seat_pools);
    assert_eq!(made.counts.as_ref().unwrap().free, None, "one pool is unlimited");
    assert_eq!(h.get(&made.name).await, made);
}

pub async fn an_update_replaces_what_the_mask_names_and_nothing_else(mut h: House) {
    let centre = h.centre().await;
    let before = h.draft(full(&centre)).await;
    let change = Event {
        name: before.name.clone(),
        titles: lt("Naujas pavadinimas"),
        seat_pools: vec![pool("atvira", 20), pool("nauja", 1)],
        ..Default::default()
    };
    let after = h.update(change, &["titles", "seat_pools", "venue", "registration_window", "project_code"]).await;
    assert_eq!((after.titles[0].text.as_str(), &after.venue), ("Naujas pavadinimas", &None));
    assert_eq!((after.registration_window, after.etag.as_str()), (None, "\"2\""));
    assert_eq!(after.counts.as_ref().unwrap().capacity, Some(21));
    let expected = Event {
        titles: after.titles.clone(),
        venue: None,
        registration_window: None,
        project_code: String::new(),
        seat_pools: after.seat_pools.clone(),
        counts: after.counts,
        etag: after.etag.clone(),
        journal_number: after.journal_number,
        update_time: after.update_time,
        ..before
    };
    assert_eq!(after, expected);
}

pub async fn an_update_that_says_nothing_new_keeps_the_policy_version(mut h: House) {
    let centre = h.centre().await;
    let event = Event { etag: String::new(), ..h.draft(full(&centre)).await };
    let same = h.update(event.clone(), &["waitlist_policy", "sessions", "seat_pools", "questions"]).await;
    assert_eq!(same.waitlist_policy, event.waitlist_policy);
    let policy = WaitlistPolicy { waitlist_limit: Some(10), ..event.waitlist_policy.clone().unwrap() };
    let changed = h.update(Event { waitlist_policy: Some(policy), ..event }, &["waitlist_policy"]).await;
    assert_eq!(changed.waitlist_policy.unwrap().version, 2);
}

pub async fn a_pool_that_is_new_never_gets_the_number_of_one_taken_out(mut h: House) {
    let name = h.open_with(1, |e| e.seat_pools = vec![pool("a", 1), pool("b", 1)]).await;
    for pools in [["a", "c"], ["a", "d"], ["e", "a"]] {
        let seat_pools = pools.iter().map(|id| pool(id, 1)).collect();
        h.update(Event { name: name.clone(), seat_pools, ..Default::default() }, &["seat_pools"]).await;
    }
    let id = eile::model::id::EventId(name.strip_prefix("events/").unwrap().parse().unwrap());
    let numbers =
        |view: &eile::desk::View<'_>| view.roster.terms.pools.iter().map(|p| (p.id.clone(), p.no)).collect::<Vec<_>>();
    assert_eq!(h.desk.read(id, numbers).await.unwrap(), [("e".to_owned(), 5), ("a".to_owned(), 1)]);
}

pub async fn trying_an_event_out_changes_nothing(mut h: House) {
    let name = h.open_with(1, |_| {}).await;
    h.joins(&name, 1).await;
    let waiting = h.joins(&name, 1).await;
    let before = h.get(&name).await;
    let request = UpdateEventRequest {
        event: Some(Event { name: name.clone(), seat_pools: vec![pool("main", 2)], ..Default::default() }),
        update_mask: mask(&["seat_pools"]),
        request_id: id(),
        validate_only: true,
    };
    let tried = h.events.update_event(request.clone()).await.unwrap().into_inner().event.unwrap();
    assert_eq!(tried.counts.unwrap().confirmed_parties, 2, "as if the line had moved");
    assert_eq!(h.get(&name).await, before);
    // The same request id is still free for the real call, which counts as the same request.
    let real = UpdateEventRequest { validate_only: false, ..request };
    h.events.update_event(real).await.unwrap();
    assert_eq!(h.state(&waiting).await, RegistrationState::Confirmed);
}

pub async fn a_repeated_change_is_answered_and_done_once(mut h: House) {
    let centre = h.centre().await;
    let create = CreateEventRequest { event: Some(event(&centre, 2)), request_id: id(), ..Default::default() };
    let first = h.events.create_event(create.clone()).await.unwrap().into_inner().event.unwrap();
    let again = h.events.create_event(create.clone()).await.unwrap().into_inner().event.unwrap();
    assert_eq!(again, first);
    let other = CreateEventRequest { event: Some(event(&centre, 3)), ..create };
    assert_eq!(no(h.events.create_event(other).await).reason, "REQUEST_ID_REUSED");
    let cancel = CancelEventRequest {
        name: first.name.clone(),
        reason: "Susirgo lektorė".into(),
        request_id: id(),
        ..Default::default()
    };
    for _ in 0..2 {
        let gone = h.events.cancel_event(cancel.clone()).await.unwrap().into_inner().event.unwrap();
        assert_eq!((gone.state(), gone.cancel_reason.as_str()), (EventState::Cancelled, "Susirgo lektorė"));
        assert_eq!(gone.journal_number, 2);
    }
}

pub async fn a_copy_keeps_local_times_and_leaves_people_behind(mut h: House) {
    let centre = h.centre().await;
    let source =
        h.open(Event { approval_required: false, party_limits: None, questions: Vec::new(), ..full(&centre) }).await;
    h.joins(&source, 2).await;
    let other = h.centre().await;
    let request = CopyEventRequest {
        name: source.clone(),
        centre: other.clone(),
        first_session_date: "2031-05-06".into(),
        request_id: id(),
    };
    let copy = h.events.copy_event(request).await.unwrap().into_inner().event.unwrap();
    assert_eq!((copy.state(), &copy.centre), (EventState::Draft, &other));
    let starts: Vec<_> = copy.sessions.iter().map(|s| s.start_local.as_str()).collect();
    assert_eq!(starts, ["2031-05-06T17:30", "2031-05-13T17:30"]);
    // 42 days later, across the clock change: the window opened at 09:00 local and does so again.
    assert_eq!(copy.registration_window.unwrap().open_time, at("2031-02-12T07:00:00Z"));
    assert_eq!(copy.registration_window.unwrap().close_time, at("2031-05-01T09:00:00Z"));
    assert_eq!((copy.counts.as_ref().unwrap().applied_parties, copy.journal_number), (0, 1));
    assert_eq!((copy.venue.as_ref().unwrap().display_name.as_str(), copy.time_zone.as_str()), ("Salė", "Europe/Riga"));
    let same = CopyEventRequest { name: source.clone(), request_id: id(), ..Default::default() };
    let same = h.events.copy_event(same).await.unwrap().into_inner().event.unwrap();
    assert_eq!(same.sessions, h.get(&source).await.sessions);
}

pub async fn a_copy_into_the_skipped_hour_is_refused(mut h: House) {
    let source = h.open_with(2, |e| e.sessions = vec![session("2031-02-20T03:30", "2031-02-20T05:00")]).await;
    let copy = |date: &str, name: &str| CopyEventRequest {
        name: name.into(),
        first_session_date: date.into(),
        request_id: id(),
        ..Default::default()
    };
    assert_eq!(no(h.events.copy_event(copy("2031-03-30", &source)).await).fields, ["first_session_date"]);
    assert_eq!(no(h.events.copy_event(copy("30.03.2031", &source)).await).fields, ["first_session_date"]);
    let nobody = format!("events/{}", id());
    assert_eq!(no(h.events.copy_event(copy("", &nobody)).await).reason, "EVENT_NOT_FOUND");
}

pub async fn a_list_filters_by_every_field(mut h: House) {
    let centre = h.centre().await;
    let course = h.open(event(&centre, 1)).await;
    let contest = h
        .draft(Event {
            kind: EventKind::Contest.into(),
            municipality_code: "79".into(),
            sessions: vec![session("2031-06-01T10:00", "2031-06-01T12:00")],
            seat_pools: vec![SeatPool { capacity: None, ..pool("main", 0) }, pool("extra", 3)],
            ..event(&centre, 1)
        })
        .await
        .name;
    h.joins(&course, 1).await;
    let table: [(&str, &[&String]); 13] = [
        ("", &[&course, &contest]),
        ("kind = COURSE", &[&course]),
        ("kind != COURSE", &[&contest]),
        ("state = DRAFT", &[&contest]),
        ("state = PUBLISHED AND kind = CONTEST", &[]),
        ("municipality = 79", &[&contest]),
        ("municipality != \"79\"", &[&course]),
        ("start_time < \"2031-03-01T00:00:00Z\"", &[&course]),
        ("start_time >= 2031-06-01T07:00:00Z", &[&contest]),
        ("start_time > 2031-06-01T07:00:00Z", &[]),
        ("start_time <= 2031-06-01T07:00:00Z", &[&course, &contest]),
        ("has_free_seats = true", &[&contest]),
        ("has_free_seats = false", &[&course]),
    ];
    for (filter, expected) in table {
        let request = ListEventsRequest { filter: filter.into(), ..Default::default() };
        let page = h.events.list_events(request).await.unwrap().into_inner();
        let found: Vec<_> = page.events.iter().map(|e| &e.name).collect();
        assert_eq!(found, expected, "{filter}");
        for listed in &page.events {
            assert_eq!(*listed, h.get(&listed.name).await, "a list shows what GetEvent shows");
        }
    }
    let filter = format!("centre = \"{centre}\"");
    let first = ListEventsRequest { page_size: 1, filter: filter.clone(), ..Default::default() };
    let page = h.events.list_events(first.clone()).await.unwrap().into_inner();
    let next = ListEventsRequest { page_token: page.next_page_token.clone(), ..first.clone() };
    let second = h.events.list_events(next).await.unwrap().into_inner();
    assert_eq!((&second.events[0].name, second.next_page_token.as_str()), (&contest, ""));
    // One that was cancelled gives no seat to anybody.
    let cancel = CancelEventRequest {
        name: contest.clone(),
        reason: "Salė užlieta".into(),
        request_id: id(),
        ..Default::default()
    };
    h.events.cancel_event(cancel).await.unwrap();
    for (filter, found) in [("has_free_seats = true", 0), ("has_free_seats = false", 2)] {
        let request = ListEventsRequest { filter: filter.into(), ..Default::default() };
        assert_eq!(h.events.list_events(request).await.unwrap().into_inner().events.len(), found, "{filter}");
    }
    let other = ListEventsRequest { page_token: page.next_page_token, filter: String::new(), ..first };
    assert_eq!(no(h.events.list_events(other).await).reason, "PAGE_TOKEN_INVALID");
    for (filter, offset) in [("colour = red", "0"), ("kind = BOAT", "7"), ("start_time > soon", "13"), ("state", "5")] {
        let bad = no(h.events.list_events(ListEventsRequest { filter: filter.into(), ..Default::default() }).await);
        assert_eq!((bad.reason.as_str(), bad.metadata["offset"].as_str()), ("FILTER_INVALID", offset), "{filter}");
    }
}

pub async fn a_draft_is_there_for_staff_only(mut h: House) {
    let centre = h.centre().await;
    let draft = h.draft(event(&centre, 1)).await.name;
    let seen = no(h.events.get_event(as_portal(GetEventRequest { name: draft.clone() })).await);
    assert_eq!((seen.reason.as_str(), &seen.metadata["event"]), ("EVENT_NOT_FOUND", &draft));
    let listed = h.events.list_events(as_portal(ListEventsRequest::default())).await.unwrap().into_inner();
    assert!(listed.events.is_empty());
    assert_eq!(h.get(&draft).await.state(), EventState::Draft);
}

pub async fn an_etag_guards_the_verbs_and_not_their_repetition(mut h: House) {
    let centre = h.centre().await;
    let draft = h.draft(event(&centre, 1)).await;
    h.update(Event { name: draft.name.clone(), minimum_to_start: 1, ..Default::default() }, &["minimum_to_start"])
        .await;
    let stale = PublishEventRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        request_id: id(),
        ..Default::default()
    };
    let refused = no(h.events.publish_event(stale.clone()).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["etag"].as_str()), ("ETAG_MISMATCH", "\"2\""));
    let good = PublishEventRequest { etag: "\"2\"".into(), ..stale };
    for _ in 0..2 {
        let event = h.events.publish_event(good.clone()).await.unwrap().into_inner().event.unwrap();
        assert_eq!((event.state(), event.etag.as_str()), (EventState::Published, "\"3\""));
    }
    let stale = Event { etag: "\"2\"".into(), name: draft.name, ..Default::default() };
    let request = UpdateEventRequest {
        event: Some(stale),
        update_mask: mask(&["minimum_to_start"]),
        request_id: id(),
        ..Default::default()
    };
    assert_eq!(no(h.events.update_event(request).await).reason, "ETAG_MISMATCH");
}

const DAYS: [&str; 3] = ["2031-02-20", "2031-02-27", "2031-03-06"];

fn three_evenings(e: &mut Event) {
    e.sessions = DAYS.iter().map(|day| session(&format!("{day}T17:30"), &format!("{day}T19:00"))).collect();
}

impl House {
    /// What is owed so far for moved and cancelled sessions: registration numbers by kind.
    async fn owed(&self, event: &str) -> Vec<(u32, eile::admission::NoticeKind)> {
        use eile::admission::NoticeKind::{SessionCancelled, SessionMoved};
        let id = eile::model::id::EventId(event.strip_prefix("events/").unwrap().parse().unwrap());
        let entries = self.desk.store().journal(id, 1, 1000).await.unwrap();
        let owed = entries.iter().flat_map(eile::admission::notices).map(|n| (n.number, n.kind));
        owed.filter(|(_, kind)| matches!(kind, SessionMoved | SessionCancelled)).collect()
    }
}

pub async fn a_session_is_moved_and_those_with_a_seat_at_it_are_told(mut h: House) {
    let event = h.open_with(2, three_evenings).await;
    h.joins(&event, 2).await;
    h.joins(&event, 1).await;
    let request = |session_id: &str, day: &str| MoveSessionRequest {
        name: event.clone(),
        session_id: session_id.into(),
        start_local: format!("{day}T18:00"),
        end_local: format!("{day}T19:30"),
        request_id: id(),
        ..Default::default()
    };
    let tried = MoveSessionRequest { validate_only: true, ..request("s1", "2031-02-28") };
    let tried = h.events.move_session(tried).await.unwrap().into_inner().event.unwrap();
    assert_eq!(tried.sessions[1].session_id, "s1");
    let meant = request("s1", "2031-02-28");
    let moved = h.events.move_session(meant.clone()).await.unwrap().into_inner().event.unwrap();
    let order: Vec<&str> = moved.sessions.iter().map(|s| s.session_id.as_str()).collect();
    assert_eq!(order, ["s2", "s1", "s3"]);
    assert_eq!(moved.sessions[1].start_time, at("2031-02-28T16:00:00Z"));
    assert_eq!(h.owed(&event).await, [(1, eile::admission::NoticeKind::SessionMoved)], "who waits is not told");
    // The first that takes place is another now, and sign-ups end with it.
    assert_eq!(moved.registration_window, None);
    h.pass(eile::model::time::Span::hours(42 * 24)).await;
    h.joins(&event, 1).await;
    assert_eq!(h.events.move_session(meant).await.unwrap().into_inner().event.unwrap(), moved);
    let unknown = no(h.events.move_session(request("s7", "2031-02-28")).await);
    assert_eq!((unknown.reason.as_str(), unknown.metadata["session_id"].as_str()), ("SESSION_NOT_FOUND", "s7"));
    let backwards = MoveSessionRequest { end_local: "2031-02-28T17:00".into(), ..request("s1", "2031-02-28") };
    assert_eq!(no(h.events.move_session(backwards).await).fields, ["end_local"]);
    let skipped = MoveSessionRequest { start_local: "2031-03-30T03:30".into(), ..request("s1", "2031-03-30") };
    assert_eq!(no(h.events.move_session(skipped).await).fields, ["start_local"]);
    let bad = no(h.events.move_session(MoveSessionRequest { start_local: "17:30".into(), ..Default::default() }).await);
    assert_eq!(bad.fields, ["end_local", "name", "request_id", "session_id", "start_local"]);
    let stale = MoveSessionRequest { etag: "\"1\"".into(), ..request("s1", "2031-02-28") };
    assert_eq!(no(h.events.move_session(stale).await).reason, "ETAG_MISMATCH");
    assert_eq!(no(h.events.move_session(as_portal(request("s1", "2031-02-28"))).await).reason, "STAFF_ONLY");
}

pub async fn a_session_is_called_off_and_counts_no_more(mut h: House) {
    let event = h.open_with(2, three_evenings).await;
    let couple = h.joins(&event, 2).await;
    let request = |session_id: &str| CancelSessionRequest {
        name: event.clone(),
        session_id: session_id.into(),
        reason: "Vadovė serga".into(),
        request_id: id(),
        ..Default::default()
    };
    let off = h.events.cancel_session(request("s1")).await.unwrap().into_inner().event.unwrap();
    assert_eq!((off.sessions[0].cancelled, off.sessions[0].cancel_reason.as_str()), (true, "Vadovė serga"));
    assert_eq!(h.owed(&event).await, [(1, eile::admission::NoticeKind::SessionCancelled)]);
    assert_eq!(no(h.events.cancel_session(request("s1")).await).reason, "SESSION_CANCELLED");
    // It stays called off, with its reason, whatever staff change beside it.
    let mut later = off.clone();
    later.sessions[0].cancel_reason = "Kita".into();
    later.sessions[0].cancelled = false;
    later.sessions[2].note = "Atsineškite vandens".into();
    let later = h.update(Event { etag: String::new(), ..later }, &["sessions"]).await;
    assert_eq!((later.sessions[0].cancelled, later.sessions[0].cancel_reason.as_str()), (true, "Vadovė serga"));
    h.pass(eile::model::time::Span::hours(49 * 24)).await;
    let mark = |session_id: &str| RecordAttendanceRequest {
        parent: event.clone(),
        session_id: session_id.into(),
        marks: vec![MarkEntry { registration: couple.name.clone(), member: 1, mark: 1, minutes: None }],
        request_id: id(),
        ..Default::default()
    };
    let refused = no(h.attendance.record_attendance(mark("s1")).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["session_id"].as_str()), ("SESSION_CANCELLED", "s1"));
    h.attendance.record_attendance(mark("s2")).await.unwrap();
    let used = no(h.events.cancel_session(request("s2")).await);
    assert_eq!((used.reason.as_str(), used.metadata["session_id"].as_str()), ("SESSION_IN_USE", "s2"));
    let sums = h.attendance.get_completion(GetCompletionRequest { parent: event.clone(), ..Default::default() });
    assert_eq!(sums.await.unwrap().into_inner().members[0].minutes_in_all, 180, "two evenings of the three");
    assert_eq!(no(h.events.cancel_session(as_portal(request("s3"))).await).reason, "STAFF_ONLY");
    let bad = no(h.events.cancel_session(CancelSessionRequest::default()).await);
    assert_eq!(bad.fields, ["name", "reason", "request_id", "session_id"]);
}

pub async fn freed_seats_are_given_on_until_the_session_that_the_policy_names(mut h: House) {
    let late = |e: &mut Event| {
        three_evenings(e);
        e.waitlist_policy = Some(WaitlistPolicy { entry_sessions: 2, ..Default::default() });
    };
    let event = h.open_with(1, late).await;
    let (gone, next, last) = (h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await);
    let no_show = |registration: &Registration| CancelRegistrationRequest {
        name: registration.name.clone(),
        reason: CancelReason::NoShow.into(),
        request_id: id(),
        ..Default::default()
    };
    // After the first evening and before the second: the seat of somebody who did not come goes to the next.
    h.pass(eile::model::time::Span::hours(42 * 24)).await;
    let ended = h.registrations.cancel_registration(no_show(&gone)).await.unwrap().into_inner().registration.unwrap();
    assert_eq!(ended.end_reason, "NO_SHOW");
    assert_eq!(h.state(&next).await, RegistrationState::Confirmed);
    let joined = h.joins(&event, 1).await;
    assert_eq!(joined.state(), RegistrationState::Waitlisted, "and newcomers are still taken");
    // After the second, the group is closed.
    h.pass(eile::model::time::Span::hours(7 * 24)).await;
    h.registrations.cancel_registration(no_show(&next)).await.unwrap();
    assert_eq!(h.state(&last).await, RegistrationState::Waitlisted);
    assert_eq!(no(h.registrations.create_registration(sign_up(&event, party(1))).await).reason, "REGISTRATION_CLOSED");
}
