//! The stored form of every change. A journal that was written must be read for ever: whoever makes one of
//! these lines fail needs a new variant or a default, not a new line.

use crate::bench::terms;
use eile::admission::{Because, Change, Entering, Entry, HeadsWere, Idle, MarkSet, MarkWas};
use eile::model::attendance::{Heads, Mark, Source};
use eile::model::consent::{Consent, Purpose};
use eile::model::id::{EventId, RegistrationId};
use eile::model::party::Channel;
use eile::model::registration::{ActorKind, CancelReason, End, RejectReason, TransferTarget};
use eile::model::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

const TERMS: &str = r#"{"zone":"Europe/Vilnius","opens_at":null,"closes_at":null,"starts_at":null,"ends_at":null,"pools":[{"no":1,"id":"p1","capacity":12,"classes":[],"release_at":null,"session_id":""}],"policy":{"version":1,"promotion":"automatic","party_fit":"hold","offer_rules":[{"min_time_to_start":604800000000,"answer_window":172800000000},{"min_time_to_start":172800000000,"answer_window":86400000000},{"min_time_to_start":43200000000,"answer_window":10800000000},{"min_time_to_start":0,"answer_window":null}],"quiet_hours":{"from_minute":1260,"to_minute":480},"missed_offer":"leave","class_order":[],"waitlist_limit":null,"registrations_per_contact":1,"duplicate_hold":86400000000},"party_min":1,"party_max":5,"approval_required":false,"join_midway":false}"#;

fn stands(change: Change, stored: &str) {
    let written = serde_json::to_string(&change).unwrap();
    assert_eq!(written, stored);
    assert_eq!(serde_json::from_str::<Change>(stored).unwrap(), change, "{stored}");
}

#[test]
fn the_stored_form_of_what_happens_to_an_event_never_changes() {
    let terms = Arc::new(terms(12));
    stands(Change::EventCreated { terms: Arc::clone(&terms) }, &format!(r#"{{"event_created":{{"terms":{TERMS}}}}}"#));
    stands(Change::TermsChanged { terms }, &format!(r#"{{"terms_changed":{{"terms":{TERMS}}}}}"#));
    stands(Change::DetailsChanged, r#""details_changed""#);
    stands(Change::Published, r#""published""#);
    stands(Change::EventCancelled, r#""event_cancelled""#);
    stands(Change::EventCompleted, r#""event_completed""#);
    stands(Change::PoolReleased { pool: 2 }, r#"{"pool_released":{"pool":2}}"#);
    for (because, stored) in [
        (Idle::NobodyWaits, r#""nobody_waits""#),
        (Idle::OnlyDuplicates { number: 4 }, r#"{"only_duplicates":{"number":4}}"#),
        (Idle::FirstHolds { number: 4 }, r#"{"first_holds":{"number":4}}"#),
        (Idle::NobodyFits, r#""nobody_fits""#),
        (Idle::StaffChoose, r#""staff_choose""#),
        (Idle::TooCloseToStart, r#""too_close_to_start""#),
        (Idle::Begun, r#""begun""#),
        (Idle::JustMissed, r#""just_missed""#),
    ] {
        let stored = format!(r#"{{"seats_free":{{"pool":1,"seats":3,"because":{stored}}}}}"#);
        stands(Change::SeatsFree { pool: 1, seats: 3, because }, &stored);
    }
}

#[test]
fn the_stored_form_of_a_sign_up_never_changes() {
    let registered = |wishes: Vec<u16>, to, twin_of, drop_at| Change::Registered {
        number: 7,
        size: 2,
        wishes,
        to,
        twin_of,
        drop_at,
    };
    stands(
        registered(Vec::new(), Entering::InReview, None, None),
        r#"{"registered":{"number":7,"size":2,"to":"in_review"}}"#,
    );
    stands(
        registered(vec![2, 1], Entering::Line, Some(3), Some(Timestamp(9))),
        r#"{"registered":{"number":7,"size":2,"wishes":[2,1],"to":"line","twin_of":3,"drop_at":9}}"#,
    );
    stands(
        registered(Vec::new(), Entering::Seat { pool: 1, passed_over: Some(5) }, None, None),
        r#"{"registered":{"number":7,"size":2,"to":{"seat":{"pool":1,"passed_over":5}}}}"#,
    );
    stands(
        registered(Vec::new(), Entering::Seat { pool: 1, passed_over: None }, None, None),
        r#"{"registered":{"number":7,"size":2,"to":{"seat":{"pool":1}}}}"#,
    );
}

#[test]
fn the_stored_form_of_what_happens_to_a_registration_never_changes() {
    stands(Change::Approved { number: 7 }, r#"{"approved":{"number":7}}"#);
    for (because, stored) in [
        (Because::FirstInLine, "first_in_line"),
        (Because::FirstThatFits, "first_that_fits"),
        (Because::StaffInOrder, "staff_in_order"),
        (Because::StaffOutOfOrder, "staff_out_of_order"),
        (Because::StartMoved, "start_moved"),
    ] {
        stands(
            Change::Confirmed { number: 7, pool: 1, because, passed_over: None },
            &format!(r#"{{"confirmed":{{"number":7,"pool":1,"because":"{stored}"}}}}"#),
        );
        stands(
            Change::Offered { number: 7, pool: 1, expires_at: Timestamp(9), because, passed_over: Some(4) },
            &format!(r#"{{"offered":{{"number":7,"pool":1,"expires_at":9,"because":"{stored}","passed_over":4}}}}"#),
        );
    }
    stands(Change::OfferAccepted { number: 7 }, r#"{"offer_accepted":{"number":7}}"#);
    stands(Change::OfferMissed { number: 7, to_place: None }, r#"{"offer_missed":{"number":7}}"#);
    stands(Change::OfferMissed { number: 7, to_place: Some(12) }, r#"{"offer_missed":{"number":7,"to_place":12}}"#);
    stands(Change::OfferWithdrawn { number: 7 }, r#"{"offer_withdrawn":{"number":7}}"#);
    stands(Change::ClassSet { number: 7, class: None }, r#"{"class_set":{"number":7,"class":null}}"#);
    stands(
        Change::ClassSet { number: 7, class: Some("guardian".to_owned()) },
        r#"{"class_set":{"number":7,"class":"guardian"}}"#,
    );
    stands(Change::Resized { number: 7, size: 3, passed_over: None }, r#"{"resized":{"number":7,"size":3}}"#);
    stands(
        Change::Resized { number: 7, size: 3, passed_over: Some(9) },
        r#"{"resized":{"number":7,"size":3,"passed_over":9}}"#,
    );
    let amended = |twin_of, drop_at| Change::Amended { number: 7, twin_of, drop_at };
    stands(amended(None, None), r#"{"amended":{"number":7}}"#);
    stands(amended(Some(3), Some(Timestamp(9))), r#"{"amended":{"number":7,"twin_of":3,"drop_at":9}}"#);
    stands(Change::Erased { number: 7, kept: true }, r#"{"erased":{"number":7,"kept":true}}"#);
    stands(Change::Restricted { number: 7, restricted: true }, r#"{"restricted":{"number":7,"restricted":true}}"#);
    let consent = |purpose, withdrawn_at| Consent {
        purpose,
        text: "2031-1".into(),
        channel: Channel::InPerson,
        given_at: Timestamp(5),
        withdrawn_at,
    };
    stands(
        Change::ConsentsSet { number: 7, consents: vec![consent(Purpose::Photos, None)] },
        r#"{"consents_set":{"number":7,"consents":[{"purpose":"photos","text":"2031-1","channel":"in_person","given_at":5}]}}"#,
    );
    stands(
        Change::ConsentsSet { number: 7, consents: vec![consent(Purpose::NextSeason, Some(Timestamp(9)))] },
        r#"{"consents_set":{"number":7,"consents":[{"purpose":"next_season","text":"2031-1","channel":"in_person","given_at":5,"withdrawn_at":9}]}}"#,
    );
}

#[test]
fn the_stored_form_of_who_came_never_changes() {
    let was = Some(MarkWas { mark: Mark::Present, minutes: 60, step: 5 });
    let set = |mark, minutes, was| MarkSet { number: 7, member: 2, mark, minutes, was };
    let marks = vec![set(Mark::Present, 120, None), set(Mark::Absent, 0, was), set(Mark::MadeUp, 0, None)];
    stands(
        Change::AttendanceRecorded { session: 3, source: Source::PaperList, happened_at: Timestamp(9), marks },
        r#"{"attendance_recorded":{"session":3,"source":"paper_list","happened_at":9,"marks":[{"n":7,"m":2,"k":"present","min":120},{"n":7,"m":2,"k":"absent","was":{"k":"present","min":60,"by":5}},{"n":7,"m":2,"k":"made_up"}]}}"#,
    );
    let marks = vec![set(Mark::Present, 120, None)];
    stands(
        Change::CheckedIn { session: 3, number: 7, happened_at: Timestamp(9), size: 3, missing: vec![1, 3], marks },
        r#"{"checked_in":{"session":3,"number":7,"happened_at":9,"size":3,"missing":[1,3],"marks":[{"n":7,"m":2,"k":"present","min":120}]}}"#,
    );
    let (heads, estimated) = (|estimated| Heads { adults: 96, children: 71, estimated }, true);
    stands(
        Change::HeadsCounted {
            session: 1,
            happened_at: Timestamp(9),
            heads: heads(false),
            was: Some(HeadsWere { heads: heads(estimated), step: 4 }),
        },
        r#"{"heads_counted":{"session":1,"happened_at":9,"heads":{"adults":96,"children":71},"was":{"heads":{"adults":96,"children":71,"estimated":true},"by":4}}}"#,
    );
}

#[test]
fn the_stored_form_of_what_happens_to_a_session_never_changes() {
    let (from, to) = (Timestamp(5), Timestamp(9));
    stands(
        Change::SessionMoved { session: 3, from, to, tell: vec![1, 4] },
        r#"{"session_moved":{"session":3,"from":5,"to":9,"tell":[1,4]}}"#,
    );
    stands(
        Change::SessionCancelled { session: 3, at: to, tell: Vec::new() },
        r#"{"session_cancelled":{"session":3,"at":9}}"#,
    );
}

#[test]
fn the_stored_form_of_an_end_never_changes() {
    let to = TransferTarget { event: EventId(Uuid::nil()), registration: RegistrationId::new(1, [0; 12]) };
    for (end, stored) in [
        (
            End::Cancelled { by: ActorKind::Party, reason: CancelReason::CannotCome },
            r#"{"cancelled":{"by":"party","reason":"cannot_come"}}"#,
        ),
        (End::Declined { reason: CancelReason::FoundElsewhere }, r#"{"declined":{"reason":"found_elsewhere"}}"#),
        (End::Expired, r#""expired""#),
        (End::DuplicateDropped, r#""duplicate_dropped""#),
        (
            End::Rejected { reason: RejectReason::OtherServiceFitsBetter },
            r#"{"rejected":{"reason":"other_service_fits_better"}}"#,
        ),
        (End::EventCancelled, r#""event_cancelled""#),
        (
            End::Transferred { to: Box::new(to) },
            r#"{"transferred":{"to":{"event":"00000000-0000-0000-0000-000000000000","registration":"00000001-0000-8000-8000-000000000000"}}}"#,
        ),
    ] {
        stands(Change::Ended { number: 7, end }, &format!(r#"{{"ended":{{"number":7,"end":{stored}}}}}"#));
    }
}

#[test]
fn the_stored_form_of_an_entry_never_changes() {
    let change = Change::Approved { number: 7 };
    let entry = |seats, cleared| Entry {
        number: 3,
        at: Timestamp(5),
        actor: ActorKind::System,
        policy: 2,
        seats,
        change: change.clone(),
        cleared,
    };
    for (entry, stored) in [
        (entry(0, vec![]), r#"{"n":3,"at":5,"by":"system","pv":2,"c":{"approved":{"number":7}}}"#),
        (entry(-2, vec![]), r#"{"n":3,"at":5,"by":"system","pv":2,"s":-2,"c":{"approved":{"number":7}}}"#),
        (entry(0, vec![8, 9]), r#"{"n":3,"at":5,"by":"system","pv":2,"c":{"approved":{"number":7}},"cl":[8,9]}"#),
    ] {
        assert_eq!(serde_json::to_string(&entry).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Entry>(stored).unwrap(), entry);
    }
}
