//! Who came: the last mark stands in a row, and what it was before in the journal.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{START, asked, contact, sign_up};
use eile::admission::{AtDoor, Change, GivenMark, HeadCount, MarkKey, MarkList, Verb, WhichRegistration, WhichSession};
use eile::model::attendance::{Heads, Mark};
use eile::model::time::{Span, Timestamp};

fn first_evening() -> Timestamp {
    START.plus(Span::hours(24 * 30 + 1))
}

fn line(number: u32, member: u16, mark: Mark) -> GivenMark {
    GivenMark { who: WhichRegistration { number, id: None }, member, mark, minutes: None }
}

fn list(marks: Vec<GivenMark>) -> Verb {
    Verb::RecordAttendance(Box::new(MarkList::on_paper("s1", marks)))
}

pub async fn marks_and_heads_are_read_back_as_they_stand(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in((0..300).map(|n| sign_up(2, contact(n))).collect()).await.unwrap();
    let all = (1..=300).flat_map(|n| [line(n, 1, Mark::Present), line(n, 2, Mark::Absent)]).collect();
    let heads = |adults| {
        let heads = Heads { adults, children: 7, estimated: true };
        asked(Verb::CountHeads(HeadCount { session: "s1".into(), happened_at: None, heads }))
    };
    // Set and corrected within one batch: one row.
    let corrected = list(vec![line(3, 1, Mark::Excused), line(3, 2, Mark::Absent)]);
    let at_door = AtDoor {
        who: WhichRegistration { number: 4, id: None },
        session: WhichSession::AtThatTime,
        members: vec![2],
        happened_at: first_evening(),
    };
    let commands =
        vec![asked(list(all)), asked(corrected), asked(Verb::CheckIn(Box::new(at_door))), heads(90), heads(96)];
    clerk.hand_in_at(commands, first_evening()).await.unwrap();
    let roster = clerk.check().await;
    let counts = roster.session_counts().next().unwrap();
    assert_eq!((counts.present, counts.absent, counts.excused, counts.made_up), (300, 299, 1, 0));
    assert_eq!((counts.minutes, counts.heads.unwrap().heads.adults), (300 * 120, 96));
    let stranger = Clerk::at(&place.store, clerk.event);
    stranger.check().await;

    // What a mark was before stands in the entry that set the one after.
    let stands = *roster.marked(1, 3, 1).unwrap();
    let entries = place.store.journal_entries(clerk.event, &[stands.step]).await.unwrap();
    let Change::AttendanceRecorded { marks, .. } = &entries[0].change else { panic!("{entries:?}") };
    let was = marks[0].was.unwrap();
    assert_eq!((marks.len(), was.mark, was.minutes, was.step + 1), (1, Mark::Present, 120, stands.step));
}

pub async fn an_instance_that_is_behind_learns_the_marks_from_the_journal(place: Place) {
    let here = Clerk::at_open(&place.store, None).await;
    here.hand_in(vec![sign_up(1, contact(1)), sign_up(1, contact(2))]).await.unwrap();
    let there = Clerk::at(&place.another().await, here.event);
    there.check().await;
    here.hand_in_at(vec![asked(list(vec![line(1, 1, Mark::Present)]))], first_evening()).await.unwrap();
    there.hand_in_at(vec![asked(list(vec![line(1, 1, Mark::Absent)]))], first_evening()).await.unwrap();
    let key = MarkKey { session: 1, number: 1, member: 1 };
    for clerk in [&here, &there] {
        let roster = clerk.check().await;
        assert_eq!(roster.marks().map(|(k, m)| (k, m.mark)).collect::<Vec<_>>(), [(key, Mark::Absent)]);
    }
}
