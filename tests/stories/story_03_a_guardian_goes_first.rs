//! A guardian goes first. Inga, guardian of two, signs up for EL-05 on the fifth day; all open seats are taken and
//! dozens wait. One of 14 seats is kept for guardians until a week before. The coordinator checks her status in the
//! centre's own records and sets the class.
//!
//! Not here: which staff member it was, and who may read the reason (access); messages (delivery).

use crate::support::client::{Client, SignedUp};
use crate::support::heard::told;
use crate::support::service::{Database, Service, event_id};
use crate::support::words::*;
use eile::admission::{Change, Entering, NoticeKind};
use eile::api::proto as pb;
use eile::model::access::Reach;
use eile::model::registration::ActorKind;

on_both_databases! {
    she_gets_the_kept_seat_and_the_others_move_by_one,
    the_history_says_who_set_the_class_and_under_which_rules,
    nobody_else_ever_learns_why,
    a_class_without_a_reason_is_refused,
    a_kept_seat_that_nobody_needed_goes_to_the_line_by_itself_a_week_before,
    under_rules_that_rank_guardians_she_stands_first_in_line_and_keeps_her_number,
}

const GUARDIAN_REASON: &str = "Globos pažyma patikrinta centro žurnale";

/// The group, its 13 open seats given and 30 singles waiting. Those who wait, in order.
async fn the_fifth_day(database: Database, policy: pb::WaitlistPolicy) -> (Service, Client, String, Vec<SignedUp>) {
    let service = Service::start(database, "2025-09-01T09:00").await;
    let desk = service.client().await;
    let event = pb::Event {
        seat_pools: vec![pool("open", 13), kept_pool("kept", 1, &["guardian"], Some("2025-09-25T17:30"))],
        registration_window: window("2025-09-01T09:00", "2025-10-01T12:00"),
        waitlist_policy: Some(policy),
        ..course("Sėkmingos tėvystės mokymai, rudens II grupė", &["2025-10-02T17:30", "2025-10-09T17:30"])
    };
    let event = desk.publish(event).await.name;
    let mut waiting = Vec::new();
    for n in 1..=43 {
        let signed = desk.sign_up(&event, party(&format!("Šeima {n}"), 1)).await.unwrap();
        assert_eq!(signed.is_confirmed(), n <= 13);
        if n > 13 {
            waiting.push(signed);
        }
    }
    service.move_to("2025-09-05T10:12").await;
    (service, desk, event, waiting)
}

async fn inga(desk: &Client, event: &str) -> SignedUp {
    let inga = desk.sign_up(event, party("Inga", 1)).await.unwrap();
    assert!(inga.is_waiting());
    inga
}

async fn she_gets_the_kept_seat_and_the_others_move_by_one(database: Database) {
    let (service, desk, event, waiting) = the_fifth_day(database, Default::default()).await;
    let inga = inga(&desk, &event).await;
    let after_her = desk.sign_up(&event, party("Po jos", 1)).await.unwrap();
    assert_eq!((inga.first.position, after_her.first.position), (31, 32));
    let now = desk.set_class(&inga.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();
    assert_eq!((now.stands(), now.pool_id.as_str(), now.position), (State::Confirmed, "kept", 0));
    assert_eq!(desk.get_as_party(&after_her).await.unwrap().position, 31, "her own number, by one");
    for (signed, place) in waiting.iter().zip(1..) {
        assert_eq!(desk.get_as_party(signed).await.unwrap().position, place, "those before her did not move");
    }
    let owed = service.notices(&event).await;
    assert!(owed.iter().any(|n| (i64::from(n.number), n.kind) == (inga.first.accepted_number, NoticeKind::Promoted)));
    service.finish().await;
}

async fn the_history_says_who_set_the_class_and_under_which_rules(database: Database) {
    let (service, desk, event, _) = the_fifth_day(database, Default::default()).await;
    let inga = inga(&desk, &event).await;
    desk.set_class(&inga.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();
    let explained = desk.explain(&inga.name, "").await.unwrap();
    let steps: Vec<_> = explained.steps.iter().map(|s| (s.kind(), s.actor_kind(), s.policy_version, s.seats)).collect();
    assert_eq!(
        steps,
        [
            (pb::StepKind::Received, pb::ActorKind::Staff, 1, 0),
            (pb::StepKind::Waitlisted, pb::ActorKind::Staff, 1, 0),
            (pb::StepKind::ClassChanged, pb::ActorKind::Staff, 1, 0),
            (pb::StepKind::Confirmed, pb::ActorKind::System, 1, 1),
        ]
    );
    assert_eq!(explained.steps[2].time, Some(to_wire(vilnius("2025-09-05T10:12"))));
    let set = service.journal(&event).await.into_iter().find(|e| matches!(e.change, Change::ClassSet { .. })).unwrap();
    assert_eq!((set.actor, set.number as i64), (ActorKind::Staff, explained.steps[2].journal_number));
    service.finish().await;
}

async fn nobody_else_ever_learns_why(database: Database) {
    let (service, desk, event, waiting) = the_fifth_day(database, Default::default()).await;
    let inga = inga(&desk, &event).await;
    let after_her = desk.sign_up(&event, party("Po jos", 1)).await.unwrap();
    let mut page = desk.watch(&after_her).await;
    page.message().await.unwrap().unwrap();
    desk.set_class(&inga.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();

    let news = tokio::time::timeout(std::time::Duration::from_secs(5), page.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(news.registration.as_ref().unwrap().position, 31);
    let explained = desk.explain(&after_her.name, &after_her.token).await.unwrap();
    assert_eq!(explained.ahead.last().unwrap().accepted_number, waiting[29].first.accepted_number);
    let own = desk.get_as_party(&inga).await.unwrap();
    let seen = [told(&news), told(&explained), told(&own), told(&desk.counts(&event).await)].concat();
    assert!(seen.contains(&after_her.name) && seen.contains(&inga.name), "{seen}");
    for word in ["guardian", "globė", "glob", "Globos", "Inga"] {
        assert!(!seen.contains(word), "`{word}` can be seen by others");
    }
    let full = told(&desk.get_in_full(&inga.name).await.unwrap());
    assert!(full.contains("guardian") && full.contains("Inga"), "staff see the class: {full}");
    assert_eq!(own.class, "", "not even her own page shows it");
    let number = u32::try_from(inga.first.accepted_number).unwrap();
    let reasons = service.store().reasons(&Reach::Service, event_id(&event), number).await.unwrap();
    assert!(reasons.iter().any(|(_, reason)| reason == GUARDIAN_REASON), "{reasons:?}");
    let everything = format!("{:?} {full}", service.journal(&event).await);
    assert!(!everything.contains("žurnale"), "the reason stands apart from the journal and the registration");
    service.finish().await;
}

async fn a_class_without_a_reason_is_refused(database: Database) {
    let (service, desk, event, _) = the_fifth_day(database, Default::default()).await;
    let inga = inga(&desk, &event).await;
    let journal = desk.event(&event).await.journal_number;
    let refused = desk.set_class(&inga.name, "guardian", "", &staff()).await.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (tonic::Code::InvalidArgument, "INVALID_FIELDS"));
    assert_eq!(refused.facts.get("fields").map(String::as_str), Some("reason"));
    assert_eq!(desk.event(&event).await.journal_number, journal, "nothing changed");
    assert_eq!(desk.get(&inga.name).await.unwrap().class, "");
    service.finish().await;
}

async fn a_kept_seat_that_nobody_needed_goes_to_the_line_by_itself_a_week_before(database: Database) {
    let (service, desk, event, waiting) = the_fifth_day(database, Default::default()).await;
    service.move_to("2025-09-25T17:29").await;
    assert!(desk.get(&waiting[0].name).await.unwrap().is_waiting(), "kept to the last minute");
    // Nobody calls: the service looks at its clock itself.
    service.clock.move_to(vilnius("2025-09-25T17:30"));
    service.until(|| async { desk.get(&waiting[0].name).await.unwrap().is_confirmed() }).await;
    let shown = desk.event(&event).await;
    assert_eq!((shown.seat_pools[1].released, shown.counts.unwrap().free), (true, Some(0)), "no empty chair");
    let journal = service.journal(&event).await;
    let released: Vec<_> = journal.iter().filter(|e| matches!(e.change, Change::PoolReleased { .. })).collect();
    assert_eq!(
        released.iter().map(|e| (e.actor, e.at)).collect::<Vec<_>>(),
        [(ActorKind::System, vilnius("2025-09-25T17:30"))]
    );
    assert_eq!(desk.get(&waiting[1].name).await.unwrap().position, 1);
    service.finish().await;
}

async fn under_rules_that_rank_guardians_she_stands_first_in_line_and_keeps_her_number(database: Database) {
    let ranked = pb::WaitlistPolicy { class_order: vec!["guardian".into(), "any".into()], ..Default::default() };
    let (service, desk, event, waiting) = the_fifth_day(database, ranked).await;
    let first = desk.sign_up(&event, party("Kita globėja", 1)).await.unwrap();
    desk.set_class(&first.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();
    let inga = inga(&desk, &event).await;
    let now = desk.set_class(&inga.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();
    assert_eq!((now.stands(), now.position, now.accepted_number), (State::Waitlisted, 1, inga.first.accepted_number));
    assert_eq!(desk.get_as_party(&waiting[0]).await.unwrap().position, 2);
    assert_eq!(desk.explain(&inga.name, "").await.unwrap().class_rank, 0);

    // A correction of the contact keeps the place; a seat that is freed is hers.
    let contact = party("Inga Taisyta", 1).contact;
    let corrected = pb::Registration { name: inga.name.clone(), contact, ..Default::default() };
    assert_eq!(desk.amend(corrected, &["contact"], &staff()).await.unwrap().position, 1);
    let open = desk.list(&event, "pool = open", "time").await;
    desk.cancel(&open[0].name, &staff()).await.unwrap();
    assert!(desk.get(&inga.name).await.unwrap().is_confirmed());

    // Without the class she would stand where her number says.
    let other = desk.sign_up(&event, party("Trečia", 1)).await.unwrap();
    desk.set_class(&other.name, "guardian", GUARDIAN_REASON, &staff()).await.unwrap();
    let back = desk.set_class(&other.name, "", "Įvesta per klaidą", &staff()).await.unwrap();
    assert_eq!(back.position, 31);
    let entered = service
        .journal(&event)
        .await
        .into_iter()
        .filter(|e| matches!(&e.change, Change::Registered { to: Entering::Line, .. }));
    assert_eq!(entered.count(), 33);
    service.finish().await;
}
