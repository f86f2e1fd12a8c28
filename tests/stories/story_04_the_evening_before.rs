//! The evening before. The course starts on Tuesday 4 February at 17:30. On Monday at 19:10 one participant cancels,
//! at 19:40 a couple. First in line is a couple, then single parents. Offers: three hours to answer, quiet hours from
//! 21:00 to 08:00 stop the clock, and from twelve hours before the start (05:30) on staff telephone.
//!
//! Not here: that no message leaves at 23:40 (the courier delivers later; shown is that the clock of the offer stands).

use crate::support::client::{Client, SignedUp};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::admission::{Because, Change, Idle, NoticeKind};
use eile::api::proto as pb;
use pb::PartyFit::{Hold, Skip};

on_both_databases! {
    with_skip_the_first_single_is_offered_the_seat_and_the_couple_keeps_its_place,
    with_hold_the_seat_waits_for_the_couple_and_it_is_written_down_why,
    two_more_seats_are_offered_to_the_couple_until_twenty_to_ten,
    an_offer_is_good_until_its_last_minute_and_not_a_minute_longer,
    at_night_the_clock_of_an_offer_stands_still,
    from_half_past_five_staff_have_a_call_list_and_no_offer_goes_out_by_itself,
    one_seat_is_never_accepted_twice,
    a_declined_offer_goes_to_the_next_and_not_back_to_the_same,
    who_was_passed_over_often_enough_holds_the_line,
}

struct Evening {
    service: Service,
    desk: Client,
    event: String,
    singles_inside: Vec<SignedUp>,
    couple_inside: SignedUp,
    couple: SignedUp,
    singles: Vec<SignedUp>,
}

/// Ten singles and a couple have the twelve seats; a couple and then five singles wait. Monday, 19:00.
async fn the_evening(database: Database, policy: pb::WaitlistPolicy) -> Evening {
    let service = Service::start(database, "2025-01-13T09:00").await;
    let desk = service.client().await;
    let event = pb::Event {
        seat_pools: vec![pool("main", 12)],
        registration_window: window("2025-01-13T09:00", "2025-01-31T12:00"),
        waitlist_policy: Some(policy),
        ..course("Sėkmingos tėvystės mokymai", &["2025-02-04T17:30", "2025-02-11T17:30"])
    };
    let event = desk.publish(event).await.name;
    let mut singles_inside = Vec::new();
    for n in 1..=10 {
        singles_inside.push(desk.sign_up(&event, party(&format!("Viduje {n}"), 1)).await.unwrap());
    }
    let couple_inside = desk.sign_up(&event, party("Pora viduje", 2)).await.unwrap();
    let couple = desk.sign_up(&event, party("Pora", 2)).await.unwrap();
    let mut singles = Vec::new();
    for n in 1..=5 {
        singles.push(desk.sign_up(&event, party(&format!("Viena {n}"), 1)).await.unwrap());
    }
    assert!(couple_inside.is_confirmed() && couple.is_waiting());
    service.move_to("2025-02-03T19:00").await;
    Evening { service, desk, event, singles_inside, couple_inside, couple, singles }
}

impl Evening {
    async fn ten_past_seven(&self) {
        self.service.move_to("2025-02-03T19:10").await;
        self.desk.cancel(&self.singles_inside[0].name, &by(&self.singles_inside[0])).await.unwrap();
    }

    async fn twenty_to_eight(&self) {
        self.service.move_to("2025-02-03T19:40").await;
        self.desk.cancel(&self.couple_inside.name, &by(&self.couple_inside)).await.unwrap();
    }

    async fn now(&self, party: &SignedUp) -> pb::Registration {
        self.desk.get_as_party(party).await.unwrap()
    }

    /// Offered, until this local time.
    async fn offered_until(&self, party: &SignedUp, local: &str) {
        let now = self.now(party).await;
        assert_eq!((now.stands(), now.offer_expire_time), (State::Offered, Some(wire_time(local))));
    }

    async fn is_waiting(&self, party: &SignedUp, position: i64) {
        let now = self.now(party).await;
        assert_eq!((now.stands(), now.position), (State::Waitlisted, position));
    }

    async fn idle(&self) -> Vec<Idle> {
        let journal = self.service.journal(&self.event).await;
        let because = |c| if let Change::SeatsFree { because, .. } = c { Some(because) } else { None };
        journal.into_iter().filter_map(|e| because(e.change)).collect()
    }
}

async fn with_skip_the_first_single_is_offered_the_seat_and_the_couple_keeps_its_place(database: Database) {
    let evening = the_evening(database, offers(Skip)).await;
    evening.ten_past_seven().await;
    evening.offered_until(&evening.singles[0], "2025-02-04T09:10").await;
    evening.is_waiting(&evening.couple, 1).await;
    evening.is_waiting(&evening.singles[1], 2).await;
    let journal = evening.service.journal(&evening.event).await;
    let offer = journal.iter().find(|e| matches!(e.change, Change::Offered { .. })).unwrap();
    let over = u32::try_from(evening.couple.first.accepted_number).unwrap();
    assert!(matches!(offer.change,
        Change::Offered { because: Because::FirstThatFits, passed_over: Some(number), .. } if number == over));
    evening.twenty_to_eight().await;
    evening.offered_until(&evening.couple, "2025-02-04T09:40").await;
    evening.service.finish().await;
}

async fn with_hold_the_seat_waits_for_the_couple_and_it_is_written_down_why(database: Database) {
    let evening = the_evening(database, offers(Hold)).await;
    evening.ten_past_seven().await;
    evening.is_waiting(&evening.couple, 1).await;
    evening.is_waiting(&evening.singles[0], 2).await;
    let number = u32::try_from(evening.couple.first.accepted_number).unwrap();
    assert_eq!(evening.idle().await, [Idle::FirstHolds { number }]);
    assert_eq!(evening.desk.counts(&evening.event).await.free, Some(1), "an empty chair that everybody can see");

    evening.twenty_to_eight().await;
    evening.offered_until(&evening.couple, "2025-02-04T09:40").await;
    evening.offered_until(&evening.singles[0], "2025-02-04T09:40").await;
    let counts = evening.desk.counts(&evening.event).await;
    assert_eq!((counts.confirmed_persons, counts.offered_persons, counts.free), (9, 3, Some(0)));
    evening.service.finish().await;
}

async fn two_more_seats_are_offered_to_the_couple_until_twenty_to_ten(database: Database) {
    let evening = the_evening(database, offers(Skip)).await;
    evening.ten_past_seven().await;
    evening.twenty_to_eight().await;
    // 80 minutes run on Monday evening, the other 100 from eight on Tuesday.
    evening.offered_until(&evening.couple, "2025-02-04T09:40").await;
    let owed = evening.service.notices(&evening.event).await;
    let offered: Vec<_> = owed.iter().filter(|n| n.kind == NoticeKind::Offered).map(|n| i64::from(n.number)).collect();
    assert_eq!(offered, [&evening.singles[0], &evening.couple].map(|s| s.first.accepted_number));
    let accepted = evening.desk.accept(&evening.couple.name, &by(&evening.couple)).await.unwrap();
    assert_eq!((accepted.stands(), accepted.party_size), (State::Confirmed, 2));
    evening.service.finish().await;
}

async fn an_offer_is_good_until_its_last_minute_and_not_a_minute_longer(database: Database) {
    let evening = the_evening(database, offers(Skip)).await;
    evening.ten_past_seven().await;
    evening.twenty_to_eight().await;
    evening.service.move_to("2025-02-04T09:39").await;
    let (couple, single) = (&evening.couple, &evening.singles[0]);
    let late = evening.desk.accept(&single.name, &by(single)).await.unwrap_err();
    assert_eq!((late.code, late.reason.as_str()), (tonic::Code::FailedPrecondition, "OFFER_EXPIRED"));
    assert_eq!(evening.now(single).await.stands(), State::Expired, "the policy says LEAVE");
    assert!(evening.desk.accept(&couple.name, &by(couple)).await.unwrap().is_confirmed(), "the last minute is good");

    // The seat of the missed offer: too near to the start for another offer by itself.
    assert_eq!(evening.idle().await.last(), Some(&Idle::TooCloseToStart));
    evening.is_waiting(&evening.singles[1], 1).await;
    evening.service.finish().await;
}

async fn at_night_the_clock_of_an_offer_stands_still(database: Database) {
    let evening = the_evening(database, offers(Hold)).await;
    evening.service.move_to("2025-02-03T23:40").await;
    evening.desk.cancel(&evening.couple_inside.name, &by(&evening.couple_inside)).await.unwrap();
    evening.offered_until(&evening.couple, "2025-02-04T11:00").await;
    evening.service.move_to("2025-02-04T10:59").await;
    evening.offered_until(&evening.couple, "2025-02-04T11:00").await;
    evening.service.move_to("2025-02-04T11:00").await;
    assert_eq!(evening.now(&evening.couple).await.stands(), State::Expired);
    evening.service.finish().await;
}

async fn from_half_past_five_staff_have_a_call_list_and_no_offer_goes_out_by_itself(database: Database) {
    let evening = the_evening(database, offers(Skip)).await;
    evening.service.move_to("2025-02-04T05:30").await;
    evening.desk.cancel(&evening.singles_inside[0].name, &staff()).await.unwrap();
    evening.offered_until(&evening.singles[0], "2025-02-04T11:00").await;
    evening.service.move_to("2025-02-04T05:31").await;
    evening.desk.cancel(&evening.couple_inside.name, &staff()).await.unwrap();
    evening.is_waiting(&evening.couple, 1).await;
    assert_eq!(evening.idle().await, [Idle::TooCloseToStart]);
    let explained = evening.desk.explain(&evening.couple.name, "").await.unwrap();
    assert_eq!(explained.needed.unwrap().reason(), pb::NeededReason::StaffCall);

    // The call list is the line; who says yes is in with one call, in order or with a reason.
    let list = evening.desk.list(&evening.event, "state = WAITLISTED", "line").await;
    assert_eq!(list[0].name, evening.couple.name);
    let jumped = evening.desk.promote(&evening.singles[1].name, "", &staff()).await.unwrap_err();
    assert_eq!(jumped.reason, "REASON_REQUIRED");
    let reached = evening.desk.promote(&evening.singles[1].name, "Pora neatsiliepia", &staff()).await.unwrap();
    assert!(reached.is_confirmed());
    let too_many = evening.desk.promote(&evening.couple.name, "", &staff()).await.unwrap_err();
    assert_eq!(too_many.reason, "SEATS_NOT_FREE");
    evening.is_waiting(&evening.couple, 1).await;
    assert!(evening.desk.promote(&evening.singles[2].name, "", &staff()).await.is_ok(), "the first who still fits");
    evening.service.finish().await;
}

async fn one_seat_is_never_accepted_twice(database: Database) {
    let evening = the_evening(database, offers(Hold)).await;
    evening.twenty_to_eight().await;
    // The couple taps twice, on two telephones, while staff confirm for it as well.
    let (one, two) = (evening.service.client().await, evening.service.client().await);
    let same = by(&evening.couple);
    let (own, again, other) = (by(&evening.couple), same.clone(), staff());
    let name = &evening.couple.name;
    let answers = tokio::join!(
        one.accept(name, &same),
        two.accept(name, &again),
        evening.desk.accept(name, &own),
        evening.desk.promote(name, "", &other)
    );
    assert_eq!(answers.0, answers.1, "the same tap, the same answer");
    let counts = evening.desk.counts(&evening.event).await;
    assert_eq!((counts.confirmed_persons, counts.offered_persons), (12, 0));
    // What is held for somebody is not given to somebody else.
    evening.desk.cancel(&evening.singles_inside[1].name, &staff()).await.unwrap();
    evening.offered_until(&evening.singles[0], "2025-02-04T09:40").await;
    let taken = evening.desk.promote(&evening.singles[1].name, "Skubu", &staff()).await.unwrap_err();
    assert_eq!(taken.reason, "SEATS_NOT_FREE");
    let none = evening.desk.accept(&evening.singles[1].name, &by(&evening.singles[1])).await.unwrap_err();
    assert_eq!(none.reason, "NO_LIVE_OFFER");
    evening.service.finish().await;
}

async fn a_declined_offer_goes_to_the_next_and_not_back_to_the_same(database: Database) {
    let evening = the_evening(database, offers(Skip)).await;
    evening.ten_past_seven().await;
    let declined = evening.desk.decline(&evening.singles[0].name, &by(&evening.singles[0])).await.unwrap();
    assert_eq!(declined.stands(), State::Declined);
    evening.offered_until(&evening.singles[1], "2025-02-04T09:10").await;
    let keeps = pb::WaitlistPolicy { missed_offer: pb::MissedOffer::KeepPlace as i32, ..offers(Skip) };
    let event = evening.desk.event(&evening.event).await;
    let changed = pb::Event { name: event.name, waitlist_policy: Some(keeps), ..Default::default() };
    let changed = evening.desk.update_event(changed, &["waitlist_policy"]).await.unwrap();
    assert_eq!(changed.waitlist_policy.unwrap().version, 2);
    evening.service.move_to("2025-02-04T04:00").await;
    evening.offered_until(&evening.singles[1], "2025-02-04T09:10").await;
    evening.service.move_to("2025-02-04T09:10").await;
    evening.is_waiting(&evening.singles[1], 2).await;
    evening.service.finish().await;
}

async fn who_was_passed_over_often_enough_holds_the_line(database: Database) {
    let twice = pb::WaitlistPolicy { max_passed_over: Some(2), ..offers(Skip) };
    let evening = the_evening(database, twice).await;
    for n in 0..2 {
        evening.desk.cancel(&evening.singles_inside[n].name, &staff()).await.unwrap();
        evening.offered_until(&evening.singles[n], "2025-02-04T09:00").await;
    }
    evening.desk.cancel(&evening.singles_inside[2].name, &staff()).await.unwrap();
    evening.is_waiting(&evening.singles[2], 2).await;
    evening.desk.cancel(&evening.singles_inside[3].name, &staff()).await.unwrap();
    evening.offered_until(&evening.couple, "2025-02-04T09:00").await;
    evening.service.finish().await;
}
