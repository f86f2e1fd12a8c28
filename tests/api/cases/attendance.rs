//! AttendanceService: lists, the door, heads.

use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Span;
use tonic::Code;

/// From the beginning of these tests to the door of the first session: 20 February 2031, 17:30 in Vilnius.
const TO_THE_SESSION: Span = Span::seconds(41 * 24 * 3600 + 7 * 3600 + 30 * 60);

fn line(registration: &Registration, member: i32, mark: AttendanceMark) -> MarkEntry {
    MarkEntry { registration: registration.name.clone(), member, mark: mark.into(), minutes: None }
}

fn list(event: &str, marks: Vec<MarkEntry>) -> RecordAttendanceRequest {
    RecordAttendanceRequest {
        parent: event.into(),
        session_id: "s1".into(),
        marks,
        request_id: id(),
        ..Default::default()
    }
}

fn scan(event: &str, code: &str) -> CheckInRequest {
    CheckInRequest { parent: event.into(), check_in_code: code.into(), request_id: id(), ..Default::default() }
}

fn walk_in(event: &str, registration: Registration) -> AddWalkInRequest {
    AddWalkInRequest {
        parent: event.into(),
        session_id: "s1".into(),
        registration: Some(registration),
        request_id: id(),
        ..Default::default()
    }
}

/// A person of whom only the name is known.
fn passer_by() -> Registration {
    let contact = Contact { display_name: "Praeivė".into(), ..Default::default() };
    Registration { contact: Some(contact), members: vec![Member::default()], ..Default::default() }
}

impl House {
    async fn marks(&mut self, event: &str) -> ListAttendanceResponse {
        let request = ListAttendanceRequest { parent: event.into(), with_corrections: true, ..Default::default() };
        self.attendance.list_attendance(request).await.unwrap().into_inner()
    }

    async fn scans(&mut self, request: CheckInRequest) -> CheckInResponse {
        self.attendance.check_in(request).await.unwrap().into_inner()
    }
}

pub async fn a_paper_list_is_entered_all_or_nothing_and_corrected_with_a_trace(mut h: House) {
    let event = h.open_with(12, |_| {}).await;
    let (rasa, couple) = (h.joins(&event, 1).await, h.joins(&event, 2).await);
    h.pass(TO_THE_SESSION).await;
    h.pass(Span::hours(72)).await;
    let mut early = line(&couple, 2, AttendanceMark::Present);
    early.minutes = Some(60);
    let marks = vec![line(&rasa, 1, AttendanceMark::Present), line(&couple, 1, AttendanceMark::Absent), early];
    let tried = RecordAttendanceRequest { validate_only: true, ..list(&event, marks.clone()) };
    assert_eq!(h.attendance.record_attendance(tried).await.unwrap().into_inner().new_marks, 3);
    assert_eq!(h.marks(&event).await, ListAttendanceResponse::default(), "tried out only");
    let entered = h.attendance.record_attendance(list(&event, marks.clone())).await.unwrap().into_inner();
    assert_eq!((entered.new_marks, entered.corrected_marks, entered.unchanged_marks), (3, 0, 0));
    h.pass(Span::hours(72)).await;
    let mut corrected = marks;
    corrected[0].mark = AttendanceMark::Absent.into();
    let after = h.attendance.record_attendance(list(&event, corrected)).await.unwrap().into_inner();
    assert_eq!((after.new_marks, after.corrected_marks, after.unchanged_marks), (0, 1, 2));
    let told = h.marks(&event).await;
    let first = &told.attendances[0];
    assert_eq!((first.mark(), first.minutes, first.journal_number), (AttendanceMark::Absent, 0, after.journal_number));
    let before = &first.corrections[0];
    assert_eq!((before.mark(), before.minutes, before.actor_kind()), (AttendanceMark::Present, 90, ActorKind::Staff));
    assert_eq!((before.enter_time, before.journal_number), (entered.enter_time, entered.journal_number));
    // The session, and not the day on which somebody typed it in.
    assert_eq!(first.happen_time, at("2031-02-20T15:30:00Z"));
    assert_eq!((told.attendances[2].minutes, told.attendances[2].corrections.len()), (60, 0));
    let counts = &told.sessions[0];
    assert_eq!((counts.present, counts.absent, counts.person_minutes), (1, 2, 60));
    assert_eq!(h.state(&rasa).await, RegistrationState::Confirmed);
}

pub async fn a_repeated_list_is_answered_as_first(mut h: House) {
    let event = h.open_with(12, |_| {}).await;
    let rasa = h.joins(&event, 1).await;
    h.pass(TO_THE_SESSION).await;
    let first = list(&event, vec![line(&rasa, 1, AttendanceMark::Present)]);
    let answer = h.attendance.record_attendance(first.clone()).await.unwrap().into_inner();
    let absent = list(&event, vec![line(&rasa, 1, AttendanceMark::Absent)]);
    h.attendance.record_attendance(absent).await.unwrap();
    assert_eq!(h.attendance.record_attendance(first.clone()).await.unwrap().into_inner(), answer);
    assert_eq!(h.marks(&event).await.attendances[0].mark(), AttendanceMark::Absent, "and nothing more happened");
    // What says what stands already is an answer too, and counts once.
    let same = list(&event, vec![line(&rasa, 1, AttendanceMark::Absent)]);
    let unchanged = h.attendance.record_attendance(same.clone()).await.unwrap().into_inner();
    assert_eq!(unchanged.unchanged_marks, 1);
    assert_eq!(h.attendance.record_attendance(same).await.unwrap().into_inner(), unchanged);
    let other = RecordAttendanceRequest { marks: vec![line(&rasa, 1, AttendanceMark::Excused)], ..first };
    assert_eq!(no(h.attendance.record_attendance(other).await).reason, "REQUEST_ID_REUSED");
}

pub async fn every_line_that_cannot_be_is_told_at_once(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let (couple, waits) = (h.joins(&event, 2).await, h.joins(&event, 1).await);
    h.pass(TO_THE_SESSION).await;
    let stranger = Registration {
        name: couple.name.replace("/registrations/00000001", "/registrations/00000009"),
        ..couple.clone()
    };
    let mut long = line(&couple, 2, AttendanceMark::Present);
    long.minutes = Some(91);
    let marks = vec![
        line(&couple, 1, AttendanceMark::Present),
        line(&waits, 1, AttendanceMark::Present),
        line(&stranger, 1, AttendanceMark::Present),
        line(&couple, 3, AttendanceMark::Present),
        long,
    ];
    let refused = no(h.attendance.record_attendance(list(&event, marks)).await);
    assert_eq!((refused.reason.as_str(), refused.code), ("MARKS_REFUSED", Code::FailedPrecondition));
    let told = "1:NOT_CONFIRMED,2:REGISTRATION_NOT_FOUND,3:MEMBER_NOT_FOUND,4:LONGER_THAN_SESSION";
    assert_eq!((refused.metadata["count"].as_str(), refused.metadata["marks"].as_str()), ("4", told));
    assert_eq!(h.marks(&event).await, ListAttendanceResponse::default(), "half a list was saved");
    // Whoever took part and left again was there all the same.
    h.cancel(&couple).await;
    let late = list(&event, vec![line(&couple, 1, AttendanceMark::Present)]);
    assert_eq!(h.attendance.record_attendance(late).await.unwrap().into_inner().new_marks, 1);
}

pub async fn attendance_refuses_in_its_documented_order(mut h: House) {
    let centre = h.centre().await;
    let draft = h.draft(event(&centre, 4)).await.name;
    let event = h.open_with(4, |_| {}).await;
    let rasa = h.joins(&event, 1).await;
    let of = |event: &str| {
        let name = rasa.name.replace(rasa.event.as_str(), event);
        list(event, vec![line(&Registration { name, ..rasa.clone() }, 9, AttendanceMark::Present)])
    };
    let mut request = of("events/01980000-0000-7000-8000-000000000000");
    assert_eq!(no(h.attendance.record_attendance(request).await).reason, "EVENT_NOT_FOUND");
    assert_eq!(no(h.attendance.record_attendance(of(&draft)).await).reason, "EVENT_NOT_PUBLISHED");
    request = RecordAttendanceRequest { session_id: "s9".into(), ..of(&event) };
    let unknown = no(h.attendance.record_attendance(request).await);
    assert_eq!((unknown.reason.as_str(), unknown.metadata["session_id"].as_str()), ("SESSION_NOT_FOUND", "s9"));
    let early = no(h.attendance.record_attendance(of(&event)).await);
    assert_eq!(early.reason, "SESSION_NOT_BEGUN");
    assert_eq!(early.metadata["start_time"], "2031-02-20T15:30:00Z");
    // Who says beforehand that they cannot come is written down beforehand.
    let excused = list(&event, vec![line(&rasa, 1, AttendanceMark::Excused)]);
    h.attendance.record_attendance(excused).await.unwrap();
    h.pass(TO_THE_SESSION).await;
    assert_eq!(no(h.attendance.record_attendance(of(&event)).await).reason, "MARKS_REFUSED");
    h.pass(Span::hours(2)).await;
    let complete = CompleteEventRequest { name: event.clone(), request_id: id(), ..Default::default() };
    h.events.complete_event(complete).await.unwrap();
    let late = list(&event, vec![line(&rasa, 1, AttendanceMark::Present)]);
    assert_eq!(h.attendance.record_attendance(late).await.unwrap().into_inner().corrected_marks, 1);
    let other = h.open_with(4, |_| {}).await;
    let cancel =
        CancelEventRequest { name: other.clone(), reason: "Liga".into(), request_id: id(), ..Default::default() };
    h.events.cancel_event(cancel).await.unwrap();
    assert_eq!(no(h.attendance.record_attendance(of(&other)).await).reason, "EVENT_CANCELLED");
}

pub async fn a_party_is_let_in_by_its_code(mut h: House) {
    let event = h.open_with(4, |_| {}).await;
    let mut family = party(3);
    family.members[1].display_name = "Ugnė".into();
    family.members[2].display_name = "Jonas".into();
    let family = h.sign_up(&event, family).await;
    assert_eq!(family.check_in_code.len(), 10);
    let early = no(h.attendance.check_in(scan(&event, &family.check_in_code)).await);
    assert_eq!((early.reason.as_str(), early.metadata["start_time"].as_str()), ("DOOR_SHUT", "2031-02-20T15:30:00Z"));
    h.pass(TO_THE_SESSION).await;
    let shown = format!("eile:{}-{}", &family.check_in_code[..5], family.check_in_code[5..].to_lowercase());
    let one = h.scans(CheckInRequest { members: vec![1], ..scan(&event, &shown) }).await;
    assert_eq!((one.verdict(), one.party_size, one.present), (DoorVerdict::Welcome, 3, 1));
    assert_eq!(one.registration, family.registration.as_ref().unwrap().name);
    assert_eq!(one.session_id, "s1");
    let missing: Vec<(i32, &str)> = one.missing.iter().map(|m| (m.member, m.display_name.as_str())).collect();
    assert_eq!(missing, [(2, "Ugnė"), (3, "Jonas")]);
    let again = h.scans(CheckInRequest { members: vec![1], ..scan(&event, &shown) }).await;
    assert_eq!((again.verdict(), again.present), (DoorVerdict::AlreadyIn, 1));
    let named = CheckInRequest { registration: one.registration.clone(), ..scan(&event, "") };
    let all = h.scans(named).await;
    assert_eq!((all.verdict(), all.present, all.missing.len()), (DoorVerdict::Welcome, 3, 0));
    let nobody = CheckInRequest { members: vec![4], ..scan(&event, &shown) };
    assert_eq!(no(h.attendance.check_in(nobody).await).reason, "MEMBER_NOT_FOUND");
    let told = h.marks(&event).await;
    assert_eq!((told.sessions[0].present, told.sessions[0].person_minutes), (3, 270));
    assert!(told.attendances.iter().all(|a| a.source() == AttendanceSource::Door));
}

pub async fn a_scan_made_offline_is_answered_as_first(mut h: House) {
    let event = h.open_with(4, |_| {}).await;
    let first = h.sign_up(&event, party(2)).await;
    h.pass(TO_THE_SESSION).await;
    h.pass(Span::hours(5)).await;
    let made = CheckInRequest { scan_time: at("2031-02-20T15:25:00Z"), ..scan(&event, &first.check_in_code) };
    let answer = h.scans(made.clone()).await;
    assert_eq!((answer.verdict(), answer.scan_time), (DoorVerdict::Welcome, at("2031-02-20T15:25:00Z")));
    // A leader corrects it; the device sends its scans once more.
    let couple = first.registration.clone().unwrap();
    let absent = list(&event, vec![line(&couple, 1, AttendanceMark::Absent)]);
    h.attendance.record_attendance(absent).await.unwrap();
    h.cancel(&couple).await;
    assert_eq!(h.scans(made).await, answer);
    let told = h.marks(&event).await;
    assert_eq!(told.attendances[0].mark(), AttendanceMark::Absent);
    assert_eq!(told.attendances[0].corrections[0].happen_time, at("2031-02-20T15:25:00Z"));
    let later = CheckInRequest { scan_time: at("2031-03-20T15:25:00Z"), ..scan(&event, &first.check_in_code) };
    assert_eq!(no(h.attendance.check_in(later).await).fields, ["scan_time"]);
}

pub async fn who_has_no_seat_gets_a_verdict_and_no_error(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let other = h.open_with(1, |_| {}).await;
    let (seated, waits) = (h.sign_up(&event, party(1)).await, h.sign_up(&event, party(1)).await);
    let elsewhere = h.sign_up(&other, party(1)).await;
    h.pass(TO_THE_SESSION).await;
    let request = scan(&event, &waits.check_in_code);
    let waiting = h.scans(request.clone()).await;
    assert_eq!((waiting.verdict(), waiting.state()), (DoorVerdict::Waiting, RegistrationState::Waitlisted));
    assert_eq!((waiting.present, waiting.missing.len()), (0, 1));
    let foreign = h.scans(scan(&event, &elsewhere.check_in_code)).await;
    assert_eq!((foreign.verdict(), foreign.registration.as_str()), (DoorVerdict::NotForThisEvent, ""));
    let mut mistyped = seated.check_in_code.clone().into_bytes();
    mistyped[9] = if mistyped[9] == b'7' { b'8' } else { b'7' };
    let mistyped = h.scans(scan(&event, std::str::from_utf8(&mistyped).unwrap())).await;
    assert_eq!(mistyped.verdict(), DoorVerdict::Misread);
    h.cancel(&seated.registration.unwrap()).await;
    let gone = h.scans(scan(&event, &seated.check_in_code)).await;
    assert_eq!((gone.verdict(), gone.state()), (DoorVerdict::Cancelled, RegistrationState::Cancelled));
    assert!(h.marks(&event).await.attendances.is_empty());
    // The scan of one who waited stays what it was, also when the seat has come.
    let promote = PromoteRegistrationRequest {
        name: waiting.registration.clone(),
        reason: "Laisva vieta".into(),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.promote_registration(promote).await.unwrap();
    assert_eq!(h.scans(request).await, waiting);
    assert_eq!(h.scans(scan(&event, &waits.check_in_code)).await.verdict(), DoorVerdict::Welcome);
}

pub async fn somebody_on_no_list_is_taken_in_where_nobody_waits(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    h.joins(&event, 1).await;
    assert_eq!(no(h.attendance.add_walk_in(walk_in(&event, passer_by())).await).reason, "SESSION_NOT_BEGUN");
    h.pass(TO_THE_SESSION).await;
    let tried = AddWalkInRequest { validate_only: true, ..walk_in(&event, passer_by()) };
    let tried = h.attendance.add_walk_in(tried).await.unwrap().into_inner();
    assert_eq!((tried.registration.unwrap().name.as_str(), tried.check_in_code.as_str()), ("", ""));
    let request = walk_in(&event, passer_by());
    let answer = h.attendance.add_walk_in(request.clone()).await.unwrap().into_inner();
    assert_eq!(h.attendance.add_walk_in(request).await.unwrap().into_inner(), answer);
    let registration = answer.registration.unwrap();
    assert_eq!(registration.state(), RegistrationState::Confirmed);
    let full = h.look(&registration.name, RegistrationView::Full).await;
    assert_eq!(full.channel(), Channel::InPerson);
    let told = h.marks(&event).await;
    assert_eq!((told.attendances.len(), told.attendances[0].mark()), (1, AttendanceMark::Present));
    let again = h.scans(scan(&event, &answer.check_in_code)).await;
    assert_eq!(again.verdict(), DoorVerdict::AlreadyIn);
    let full = no(h.attendance.add_walk_in(walk_in(&event, passer_by())).await);
    assert_eq!((full.reason.as_str(), full.metadata["seats_free"].as_str()), ("SEATS_NOT_FREE", "0"));

    let event = h.open_with(1, |e| e.sessions = vec![session("2031-03-20T17:30", "2031-03-20T19:00")]).await;
    let (seated, _) = (h.joins(&event, 1).await, h.joins(&event, 1).await);
    h.pass(Span::hours(28 * 24)).await;
    // After the start, a freed seat waits for staff: whoever stands in line has the right to it.
    h.cancel(&seated).await;
    let waits = no(h.attendance.add_walk_in(walk_in(&event, passer_by())).await);
    assert_eq!((waits.reason.as_str(), waits.metadata["waiting_parties"].as_str()), ("WAITING_PARTY_FIRST", "1"));

    let closed = |e: &mut Event| {
        e.sessions = vec![session("2031-03-20T17:30", "2031-03-20T19:00")];
        e.waitlist_policy = Some(WaitlistPolicy { walk_ins_taken: Some(false), ..Default::default() });
    };
    let event = h.open_with(1, closed).await;
    assert_eq!(no(h.attendance.add_walk_in(walk_in(&event, passer_by())).await).reason, "WALK_INS_NOT_TAKEN");
}

pub async fn who_was_taken_in_at_the_door_is_answered_though_the_questions_are_others_now(mut h: House) {
    let question =
        |id: &str| Question { question_id: id.into(), texts: lt("Kaip?"), max_length: 100, ..Default::default() };
    let event = h.open_with(2, |e| e.questions = vec![question("old")]).await;
    h.pass(TO_THE_SESSION).await;
    let answers = vec![Answer { question_id: "old".into(), text: "Taip".into() }];
    let request = walk_in(&event, Registration { answers, ..passer_by() });
    let first = h.attendance.add_walk_in(request.clone()).await.unwrap().into_inner();
    h.update(Event { name: event.clone(), questions: vec![question("new")], ..Default::default() }, &["questions"])
        .await;
    assert_eq!(h.attendance.add_walk_in(request.clone()).await.unwrap().into_inner(), first);
    let fresh = AddWalkInRequest { request_id: id(), ..request };
    assert_eq!(no(h.attendance.add_walk_in(fresh).await).reason, "INVALID_FIELDS");
    assert_eq!(h.marks(&event).await.attendances.len(), 1);
}

pub async fn heads_are_counted_beside_names_and_corrected_with_a_trace(mut h: House) {
    let event = h.open_with(200, |_| {}).await;
    h.pass(TO_THE_SESSION).await;
    let count = |adults, estimated| RecordHeadCountRequest {
        parent: event.clone(),
        session_id: "s1".into(),
        adults,
        children: 71,
        estimated,
        request_id: id(),
        ..Default::default()
    };
    let guess = count(90, true);
    let first = h.attendance.record_head_count(guess.clone()).await.unwrap().into_inner();
    assert_eq!(first.before, None);
    let second = h.attendance.record_head_count(count(96, false)).await.unwrap().into_inner();
    assert_eq!(second.before, first.heads);
    assert_eq!(h.attendance.record_head_count(guess).await.unwrap().into_inner(), first);
    let told = h.marks(&event).await;
    assert_eq!(told.sessions[0].heads, second.heads);
    assert_eq!(second.heads.map(|h| (h.adults, h.children, h.estimated)), Some((96, 71, false)));
}

pub async fn a_session_that_was_written_down_cannot_go_and_its_number_never_comes_again(mut h: House) {
    let days = ["2031-02-20", "2031-02-27", "2031-03-06"];
    let on = |day: &str| session(&format!("{day}T17:30"), &format!("{day}T19:00"));
    let event = h.open_with(4, |e| e.sessions = days.iter().map(|day| on(day)).collect()).await;
    let (rasa, couple) = (h.joins(&event, 1).await, h.joins(&event, 2).await);
    h.pass(TO_THE_SESSION).await;
    h.attendance.record_attendance(list(&event, vec![line(&rasa, 1, AttendanceMark::Present)])).await.unwrap();
    let stored = h.get(&event).await;
    let without = |n: usize| {
        let mut sessions = stored.sessions.clone();
        sessions.remove(n);
        Event { name: event.clone(), sessions, ..Default::default() }
    };
    let request = |event| UpdateEventRequest {
        event: Some(event),
        update_mask: mask(&["sessions"]),
        request_id: id(),
        ..Default::default()
    };
    let used = no(h.events.update_event(request(without(0))).await);
    assert_eq!((used.reason.as_str(), used.metadata["session_id"].as_str()), ("SESSION_IN_USE", "s1"));
    let mut two = h.events.update_event(request(without(2))).await.unwrap().into_inner().event.unwrap();
    two.sessions.push(Session { session_id: "s3".into(), ..on("2031-03-13") });
    h.update(Event { etag: String::new(), ..two }, &["sessions"]).await;
    let event_id = eile::model::id::EventId(event.strip_prefix("events/").unwrap().parse().unwrap());
    let numbers = h.desk.read(event_id, |view| view.roster.terms.sessions.iter().map(|s| s.no).collect::<Vec<_>>());
    assert_eq!(numbers.await.unwrap(), [1, 2, 4], "another session under the same word is another session");
    // A party of whom somebody came cannot become smaller than that.
    let second = list(&event, vec![line(&couple, 2, AttendanceMark::Present)]);
    h.attendance.record_attendance(second).await.unwrap();
    let smaller = Registration { name: couple.name, members: vec![Member::default()], ..Default::default() };
    let request = UpdateRegistrationRequest {
        registration: Some(smaller),
        update_mask: mask(&["members"]),
        request_id: id(),
        ..Default::default()
    };
    let attended = no(h.registrations.update_registration(request).await);
    assert_eq!((attended.reason.as_str(), attended.metadata["member"].as_str()), ("MEMBER_ATTENDED", "2"));
}

pub async fn attendance_is_for_staff_and_violations_come_at_once(mut h: House) {
    let portal = h.attendance.record_attendance(as_portal(RecordAttendanceRequest::default())).await;
    assert_eq!((no(portal).reason.as_str()), "STAFF_ONLY");
    assert_eq!(no(h.attendance.check_in(as_portal(CheckInRequest::default())).await).reason, "STAFF_ONLY");
    assert_eq!(no(h.attendance.add_walk_in(as_portal(AddWalkInRequest::default())).await).reason, "STAFF_ONLY");
    let heads = h.attendance.record_head_count(as_portal(RecordHeadCountRequest::default())).await;
    assert_eq!(no(heads).reason, "STAFF_ONLY");
    let listed = h.attendance.list_attendance(as_portal(ListAttendanceRequest::default())).await;
    assert_eq!(no(listed).reason, "STAFF_ONLY");

    let event = h.open_with(4, |_| {}).await;
    let rasa = h.joins(&event, 1).await;
    let elsewhere = h.open_with(4, |_| {}).await;
    let minutes = MarkEntry { minutes: Some(-1), ..line(&rasa, 0, AttendanceMark::Absent) };
    let bad = RecordAttendanceRequest {
        parent: elsewhere,
        session_id: "S 1".into(),
        source: 9,
        happen_time: at("2032-01-01T00:00:00Z"),
        marks: vec![
            line(&rasa, 1, AttendanceMark::Present),
            line(&rasa, 1, AttendanceMark::Absent),
            MarkEntry { mark: 77, ..minutes },
            MarkEntry::default(),
        ],
        request_id: String::new(),
        ..Default::default()
    };
    let told = no(h.attendance.record_attendance(bad).await);
    let expected = [
        "happen_time",
        "marks[0].registration",
        "marks[1]",
        "marks[1].registration",
        "marks[2].mark",
        "marks[2].member",
        "marks[2].minutes",
        "marks[2].registration",
        "marks[3].mark",
        "marks[3].member",
        "marks[3].registration",
        "request_id",
        "session_id",
        "source",
    ];
    assert_eq!(told.fields, expected);
    let nothing = no(h.attendance.check_in(CheckInRequest { parent: event.clone(), ..Default::default() }).await);
    assert_eq!(nothing.fields, ["check_in_code", "request_id"]);
    let both = CheckInRequest { registration: rasa.name.clone(), members: vec![1, 1, -3], ..scan(&event, "0") };
    assert_eq!(no(h.attendance.check_in(both).await).fields, ["check_in_code", "members[1]", "members[2]"]);
    let long = "9".repeat(100);
    assert_eq!(no(h.attendance.check_in(scan(&event, &long)).await).fields, ["check_in_code"]);
    let heads = RecordHeadCountRequest { parent: event.clone(), adults: -1, children: 2_000_000, ..Default::default() };
    let heads = no(h.attendance.record_head_count(heads).await);
    assert_eq!(heads.fields, ["adults", "children", "request_id", "session_id"]);
    let walk = no(h.attendance.add_walk_in(AddWalkInRequest { parent: event, ..Default::default() }).await);
    assert_eq!(
        walk.fields,
        ["registration", "registration.contact", "registration.members", "request_id", "session_id"]
    );
}

pub async fn a_roster_has_what_a_leader_needs_and_no_more(mut h: House) {
    let event = h.open_with(12, |_| {}).await;
    let mut family = party(2);
    family.members[0] = Member { display_name: "Žydrė".into(), birth_year: Some(1990), ..Default::default() };
    family.members[1] = Member { display_name: "Ąžuolas".into(), birth_year: Some(2014), ..Default::default() };
    family.contact.as_mut().unwrap().display_name = "Žydrė".into();
    family.services = Some(ServiceWishes { childcare_children: 1, rides: 0 });
    let family = h.sign_up(&event, family).await.registration.unwrap();
    let mut bus = party(1);
    bus.members.clear();
    bus.head_count = Some(HeadCount { adults: 4, children: 3 });
    bus.contact.as_mut().unwrap().display_name = "Autobusas iš Šalčininkų".into();
    h.sign_up(&event, bus).await;
    h.joins(&event, 4).await;
    h.pass(TO_THE_SESSION).await;
    h.attendance.record_attendance(list(&event, vec![line(&family, 2, AttendanceMark::Present)])).await.unwrap();
    let request = |token: &str| GetRosterRequest {
        parent: event.clone(),
        session_id: "s1".into(),
        page_size: 1,
        page_token: token.into(),
    };
    let first = h.attendance.get_roster(request("")).await.unwrap().into_inner();
    let [group] = first.entries.as_slice() else { panic!("{first:?}") };
    assert_eq!(group.display_name, "Autobusas iš Šalčininkų");
    assert_eq!((group.head_count, group.members.len()), (Some(HeadCount { adults: 4, children: 3 }), 0));
    let second = h.attendance.get_roster(request(&first.next_page_token)).await.unwrap().into_inner();
    let [entry] = second.entries.as_slice() else { panic!("the party that waits is not in the room: {second:?}") };
    assert_eq!(
        (entry.registration.as_str(), entry.display_name.as_str(), entry.present),
        (family.name.as_str(), "", 1)
    );
    assert_eq!(entry.services, Some(ServiceWishes { childcare_children: 1, rides: 0 }));
    let told: Vec<_> =
        entry.members.iter().map(|m| (m.display_name.as_str(), m.age_group(), m.mark(), m.minutes)).collect();
    let expected = [
        ("Žydrė", AgeGroup::Adult, AttendanceMark::Unspecified, 0),
        ("Ąžuolas", AgeGroup::Child, AttendanceMark::Present, 90),
    ];
    assert_eq!(told, expected);
    assert_eq!(second.session.unwrap().present, 1);
    let mut request = request("");
    request.session_id = "s9".into();
    assert_eq!(no(h.attendance.get_roster(request.clone()).await).reason, "SESSION_NOT_FOUND");
    request.session_id = "s1".into();
    request.page_token = "x".into();
    assert_eq!(no(h.attendance.get_roster(request.clone()).await).reason, "PAGE_TOKEN_INVALID");
    assert_eq!(no(h.attendance.get_roster(as_portal(request)).await).reason, "STAFF_ONLY");
}

pub async fn completion_follows_the_rule_of_the_event(mut h: House) {
    let days: Vec<String> = (0..5).map(|week| format!("2031-03-{:02}", 3 + 7 * week)).collect();
    let on = |day: &String| session(&format!("{day}T17:30"), &format!("{day}T19:30"));
    let event = h
        .open_with(12, |e| {
            e.sessions = days.iter().map(on).collect();
            e.attendance_rule = Some(AttendanceRule { min_percent: 80, makeup_sessions: 1 });
        })
        .await;
    let (all, most, few) = (h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await);
    h.pass(Span::hours(24 * 67)).await;
    use AttendanceMark::{Absent, MadeUp, Present};
    let of = |session_id: &str, marks: Vec<MarkEntry>| RecordAttendanceRequest {
        session_id: session_id.into(),
        ..list(&event, marks)
    };
    for (n, (a, b, c)) in
        [(Present, Present, Present), (Present, Absent, Absent), (Present, Present, Absent)].into_iter().enumerate()
    {
        let marks = vec![line(&all, 1, a), line(&most, 1, b), line(&few, 1, c)];
        h.attendance.record_attendance(of(&format!("s{}", n + 1), marks)).await.unwrap();
    }
    let ask = GetCompletionRequest { parent: event.clone(), ..Default::default() };
    let halfway = h.attendance.get_completion(ask.clone()).await.unwrap().into_inner();
    let progress: Vec<_> = halfway.members.iter().map(|m| (m.progress(), m.percent, m.sessions_absent)).collect();
    let expected = [
        (CompletionProgress::Possible, 60, 0),
        (CompletionProgress::Possible, 40, 1),
        (CompletionProgress::Possible, 20, 2),
    ];
    assert_eq!((progress.as_slice(), halfway.certificates_due), (&expected[..], 0));
    h.pass(Span::hours(24 * 14)).await;
    let last = |a, b| vec![line(&all, 1, a), line(&most, 1, b), line(&few, 1, Absent)];
    h.attendance.record_attendance(of("s4", last(Present, Present))).await.unwrap();
    h.attendance.record_attendance(of("s5", last(Absent, Absent))).await.unwrap();
    let end = h.attendance.get_completion(ask.clone()).await.unwrap().into_inner();
    let progress: Vec<_> = end.members.iter().map(|m| (m.progress(), m.percent, m.certificate_due)).collect();
    let expected = [
        (CompletionProgress::Reached, 80, true),
        (CompletionProgress::OneMakeupShort, 60, false),
        (CompletionProgress::OutOfReach, 20, false),
    ];
    assert_eq!(progress, expected);
    assert_eq!((end.reached_members, end.one_makeup_short_members, end.certificates_due), (1, 1, 1));
    // One session made up for counts; a second one does not, for the rule allows one.
    h.attendance.record_attendance(of("s2", vec![line(&most, 1, MadeUp), line(&few, 1, MadeUp)])).await.unwrap();
    h.attendance.record_attendance(of("s3", vec![line(&few, 1, MadeUp)])).await.unwrap();
    let only = GetCompletionRequest { progress: CompletionProgress::Reached.into(), ..ask };
    let reached = h.attendance.get_completion(only.clone()).await.unwrap().into_inner();
    let names: Vec<_> = reached.members.iter().map(|m| m.registration.as_str()).collect();
    assert_eq!(names, [all.name.as_str(), most.name.as_str()]);
    let paged = GetCompletionRequest { page_size: 1, ..only };
    let first = h.attendance.get_completion(paged.clone()).await.unwrap().into_inner();
    let next = GetCompletionRequest { page_token: first.next_page_token, ..paged };
    let second = h.attendance.get_completion(next).await.unwrap().into_inner();
    assert_eq!((second.members[0].registration.as_str(), second.next_page_token.as_str()), (most.name.as_str(), ""));
    let wrong = GetCompletionRequest { parent: event, progress: 9, page_size: -1, ..Default::default() };
    assert_eq!(no(h.attendance.get_completion(wrong).await).fields, ["page_size", "progress"]);
}
