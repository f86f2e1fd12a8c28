//! The change feed through the API: page by page, as a stream, from every sort of start, and its refusals.

use crate::heard;
use crate::house::{HEARTBEAT, House, STALL, as_portal, end_of, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::id::EventId;
use eile::model::time::Span;
use eile::storage::StoreError;
use std::collections::BTreeMap;
use std::time::Duration;
use tonic::{Code, Streaming};

fn from(cursor: &str) -> Option<ChangeStart> {
    Some(ChangeStart { cursor: cursor.into(), ..Default::default() })
}

fn at_time(h: &House, back: Span) -> Option<ChangeStart> {
    use eile::clock::Clock;
    let at = h.clock.now().0 - back.0;
    let time =
        prost_types::Timestamp { seconds: at.div_euclid(1_000_000), nanos: (at.rem_euclid(1_000_000) * 1000) as i32 };
    Some(ChangeStart { time: Some(time), ..Default::default() })
}

fn now() -> Option<ChangeStart> {
    Some(ChangeStart { now: true, ..Default::default() })
}

fn only(kinds: &[ChangeKind]) -> Option<ChangeFilter> {
    Some(ChangeFilter { kinds: kinds.iter().map(|k| (*k).into()).collect(), ..Default::default() })
}

impl House {
    async fn page(&mut self, request: ListChangesRequest) -> ListChangesResponse {
        self.changes.list_changes(request).await.unwrap().into_inner()
    }

    /// Everything from this start on, page by page; and the last cursor.
    async fn all(
        &mut self,
        start: Option<ChangeStart>,
        filter: Option<ChangeFilter>,
        size: i32,
    ) -> (Vec<Change>, String) {
        let (mut start, mut all) = (start, Vec::new());
        loop {
            let request = ListChangesRequest { start: start.clone(), page_size: size, filter: filter.clone() };
            let page = self.page(request).await;
            assert!(page.changes.len() <= size as usize);
            all.extend(page.changes);
            if !page.more {
                return (all, page.cursor);
            }
            let next = from(&page.cursor);
            assert_ne!(next, start, "there is more, and it does not go on");
            start = next;
        }
    }

    async fn watch(
        &mut self,
        start: Option<ChangeStart>,
        filter: Option<ChangeFilter>,
    ) -> Streaming<WatchChangesResponse> {
        self.changes.watch_changes(WatchChangesRequest { start, filter }).await.unwrap().into_inner()
    }

    /// Numbers and kinds of the stored journal of an event.
    async fn journal_numbers(&self, event: &str) -> Result<Vec<i64>, StoreError> {
        let id = EventId(event.strip_prefix("events/").unwrap().parse().unwrap());
        Ok(self.desk.store().journal(id, 1, u32::MAX).await?.into_iter().map(|e| e.number as i64).collect())
    }
}

/// The journals that the changes make up.
fn by_event(changes: &[Change]) -> BTreeMap<String, Vec<i64>> {
    let mut journals: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for change in changes {
        journals.entry(change.event.clone()).or_default().push(change.journal_number);
    }
    journals
}

/// Reads a stream until it has told of as many changes.
async fn told(stream: &mut Streaming<WatchChangesResponse>, count: usize) -> (Vec<Change>, String) {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    while all.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(10), stream.message()).await;
        let message = next.expect("nothing more is told").unwrap().unwrap();
        assert_eq!(message.heartbeat, message.changes.is_empty());
        all.extend(message.changes);
        cursor = message.cursor;
    }
    (all, cursor)
}

pub async fn a_job_reads_each_change_once_page_by_page(mut h: House) {
    let one = h.open_with(2, |_| {}).await;
    let other = h.open_with(1, |e| e.waitlist_policy = Some(offers())).await;
    let seated = h.joins(&one, 2).await;
    h.joins(&one, 1).await;
    h.joins(&other, 1).await;
    h.cancel(&seated).await;
    let mut shapes = Vec::new();
    for size in [1, 2, 3, 500] {
        let (all, cursor) = h.all(None, None, size).await;
        for event in [&one, &other] {
            assert_eq!(by_event(&all)[event], h.journal_numbers(event).await.unwrap());
        }
        assert_eq!(h.all(from(&cursor), None, size).await, (Vec::new(), cursor), "nothing comes twice");
        shapes.push(all);
    }
    assert!(shapes.windows(2).all(|w| w[0] == w[1]), "the same changes by any page");

    let told: Vec<&Change> = shapes[0].iter().filter(|c| c.event == one).collect();
    let kinds: Vec<ChangeKind> = told.iter().map(|c| c.kind()).collect();
    use ChangeKind::*;
    assert_eq!(kinds, [EventCreated, EventPublished, Registered, Registered, Ended, Confirmed, SeatsFree]);
    let (created, published, first, waiting, ended, confirmed) = (told[0], told[1], told[2], told[3], told[4], told[5]);
    assert_eq!((created.event_state(), published.event_state()), (EventState::Draft, EventState::Published));
    assert_eq!(
        (created.registration.as_str(), created.accepted_number, created.actor_kind()),
        ("", 0, ActorKind::Staff)
    );
    assert_eq!((first.registration.as_str(), first.accepted_number), (seated.name.as_str(), seated.accepted_number));
    assert_eq!((first.registration_state(), first.seats, first.persons), (RegistrationState::Confirmed, 2, 2));
    assert_eq!((first.pool_id.as_str(), first.because.as_str(), first.policy_version), ("main", "seat_free", 1));
    assert_eq!(
        (waiting.registration_state(), waiting.seats, waiting.pool_id.as_str()),
        (RegistrationState::Waitlisted, 0, "")
    );
    assert_eq!(
        (ended.registration_state(), ended.seats, ended.actor_kind()),
        (RegistrationState::Cancelled, -2, ActorKind::Staff)
    );
    assert_eq!(
        (confirmed.registration_state(), confirmed.because.as_str()),
        (RegistrationState::Confirmed, "first_in_line")
    );
    assert_eq!(
        (confirmed.registration.as_str(), confirmed.actor_kind()),
        (waiting.registration.as_str(), ActorKind::System)
    );
    assert_eq!((told[6].persons, told[6].because.as_str()), (1, "nobody_waits"));
    let held: i32 = told.iter().map(|c| c.seats).sum();
    let counts = h.get(&one).await.counts.unwrap();
    assert_eq!(held, counts.confirmed_persons + counts.offered_persons);
}

pub async fn a_follower_hears_what_was_and_what_comes(mut h: House) {
    let event = h.open_with(3, |_| {}).await;
    h.joins(&event, 1).await;
    let mut stream = h.watch(None, None).await;
    let first = stream.message().await.unwrap().unwrap();
    assert!(first.heartbeat && !first.cursor.is_empty(), "a cursor at once");
    let (past, _) = told(&mut stream, 3).await;
    for _ in 0..3 {
        h.joins(&event, 1).await;
    }
    let (new, cursor) = told(&mut stream, 3).await;
    let all: Vec<Change> = past.into_iter().chain(new).collect();
    assert_eq!(by_event(&all)[&event], h.journal_numbers(&event).await.unwrap());
    let beat = stream.message().await.unwrap().unwrap();
    assert_eq!((beat.heartbeat, beat.cursor.as_str()), (true, cursor.as_str()));
    // It dies, and another goes on where it was: by the other rpc as well.
    drop(stream);
    h.joins(&event, 1).await;
    let (by_page, _) = h.all(from(&cursor), None, 10).await;
    let mut stream = h.watch(from(&cursor), None).await;
    let (by_stream, _) = told(&mut stream, 1).await;
    assert_eq!((by_page.len(), by_page == by_stream), (1, true));
}

pub async fn a_cursor_may_stand_in_the_middle_of_a_batch(mut h: House) {
    let event = h.open_with(300, |_| {}).await;
    let (_, start) = h.all(None, None, 500).await;
    // Many at once, which the desk decides together.
    let mut joining = tokio::task::JoinSet::new();
    for _ in 0..250 {
        let (mut registrations, event) = (h.registrations.clone(), event.clone());
        joining.spawn(async move { registrations.create_registration(sign_up(&event, party(1))).await.unwrap() });
    }
    joining.join_all().await;
    let (all, _) = h.all(from(&start), None, 500).await;
    assert_eq!(all.len(), 250);
    for size in [7, 100] {
        assert_eq!(h.all(from(&start), None, size).await.0, all);
    }
    let mut at = start;
    let mut heard = Vec::new();
    while heard.len() < all.len() {
        let page = h.page(ListChangesRequest { start: from(&at), page_size: 33, filter: None }).await;
        heard.extend(page.changes);
        // The next few by a stream, and on by pages from there.
        let mut stream = h.watch(from(&page.cursor), None).await;
        if heard.len() < all.len() {
            let (some, cursor) = told(&mut stream, 1).await;
            heard.extend(some);
            at = cursor;
        }
    }
    assert_eq!(heard, all);
}

pub async fn a_follower_starts_at_a_time_or_now(mut h: House) {
    let event = h.open_with(9, |_| {}).await;
    let mut joined = Vec::new();
    for _ in 0..3 {
        h.pass(Span::hours(1)).await;
        joined.push(h.joins(&event, 1).await.name);
    }
    let names = |changes: Vec<Change>| changes.into_iter().map(|c| c.registration).collect::<Vec<_>>();
    let start = at_time(&h, Span::hours(1));
    assert_eq!(names(h.all(start, None, 50).await.0), joined[1..]);
    let start = at_time(&h, Span::seconds(0));
    assert_eq!(names(h.all(start, None, 50).await.0), joined[2..]);
    let start = at_time(&h, Span::seconds(-1));
    assert_eq!(names(h.all(start, None, 50).await.0), [""; 0]);
    assert_eq!(names(h.all(now(), None, 50).await.0), [""; 0]);
    let mut stream = h.watch(now(), None).await;
    stream.message().await.unwrap().unwrap();
    let last = h.joins(&event, 1).await.name;
    assert_eq!(names(told(&mut stream, 1).await.0), [last]);
}

pub async fn a_filter_picks_events_and_kinds(mut h: House) {
    let centres = [h.centre().await, h.centre().await];
    let request = CreateProgrammeRequest { programme: Some(programme()), request_id: id(), ..Default::default() };
    let course = h.admin.create_programme(request).await.unwrap().into_inner().programme.unwrap().name;
    let mut events = Vec::new();
    for n in 0..4 {
        let programme = if n < 2 { course.clone() } else { String::new() };
        let made = h.open(Event { programme, ..event(&centres[n % 2], 2) }).await;
        h.joins(&made, 1).await;
        events.push(made);
    }
    let (all, end) = h.all(None, None, 500).await;
    let of = |name: &str| all.iter().filter(|c| c.event == name).cloned().collect::<Vec<_>>();
    let some = |picked: &[usize]| {
        all.iter().filter(|c| picked.iter().any(|n| c.event == events[*n])).cloned().collect::<Vec<_>>()
    };
    let filters = [
        (ChangeFilter { event: events[2].clone(), ..Default::default() }, of(&events[2])),
        (ChangeFilter { centre: centres[1].clone(), ..Default::default() }, some(&[1, 3])),
        (ChangeFilter { programme: course.clone(), ..Default::default() }, some(&[0, 1])),
        (ChangeFilter { programme: course, centre: centres[0].clone(), ..Default::default() }, some(&[0])),
        (ChangeFilter { centre: "centres/nobody".into(), ..Default::default() }, Vec::new()),
        (
            only(&[ChangeKind::Registered, ChangeKind::EventCreated]).unwrap(),
            all.iter()
                .filter(|c| [ChangeKind::Registered, ChangeKind::EventCreated].contains(&c.kind()))
                .cloned()
                .collect(),
        ),
    ];
    for (filter, expected) in filters {
        for size in [1, 500] {
            let (found, cursor) = h.all(None, Some(filter.clone()), size).await;
            assert_eq!(found, expected, "{filter:?}");
            assert_eq!(cursor, end, "the cursor is behind what the filter left out too");
        }
        if !expected.is_empty() {
            let mut stream = h.watch(None, Some(filter)).await;
            assert_eq!(told(&mut stream, expected.len()).await.0, expected);
        }
    }
    // Where nothing is wanted, heartbeats carry the cursor on.
    let mut stream = h.watch(from(&end), only(&[ChangeKind::EventCompleted])).await;
    assert_eq!(stream.message().await.unwrap().unwrap().cursor, end);
    h.joins(&events[0], 1).await;
    let (_, later) = h.all(from(&end), None, 10).await;
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while stream.message().await.unwrap().unwrap().cursor != later {
        assert!(tokio::time::Instant::now() < patience, "the cursor stays behind");
    }
}

pub async fn a_slow_follower_is_cut_with_its_cursor(mut h: House) {
    let event = h.open_with(2000, |_| {}).await;
    let mut stream = h.watch(None, None).await;
    let mut joining = tokio::task::JoinSet::new();
    for _ in 0..1500 {
        let (mut registrations, event) = (h.registrations.clone(), event.clone());
        joining.spawn(async move { registrations.create_registration(sign_up(&event, party(1))).await.unwrap() });
    }
    joining.join_all().await;
    tokio::time::sleep(STALL + STALL).await;
    let (mut heard, mut last) = (Vec::new(), String::new());
    let cut = end_of(&mut stream, |message| {
        heard.extend(message.changes);
        last = message.cursor;
    })
    .await;
    assert_eq!((cut.reason.as_str(), cut.code), ("FEED_LAGGED", Code::Aborted));
    assert_eq!(cut.metadata["cursor"], last);
    assert!(heard.len() < 1502);
    heard.extend(h.all(from(&last), None, 500).await.0);
    assert_eq!(
        by_event(&heard)[&event],
        h.journal_numbers(&event).await.unwrap(),
        "it lost nothing and heard nothing twice"
    );
}

pub async fn an_old_cursor_is_told_as_expired(mut h: House) {
    let event = h.open_with(9, |e| e.sessions = vec![session("2033-02-20T17:30", "2033-02-20T19:00")]).await;
    let page = h.page(ListChangesRequest { page_size: 1, ..Default::default() }).await;
    let beginning = at_time(&h, Span::hours(1));
    h.pass(Span::hours(200 * 24)).await;
    let kept = h.joins(&event, 1).await.name;
    h.pass(Span::hours(150 * 24)).await;
    assert_eq!(h.all(from(&page.cursor), None, 10).await.0.len(), 2, "400 days are kept");
    h.pass(Span::hours(51 * 24)).await;
    let refusals = [
        no(h.changes.list_changes(ListChangesRequest { start: from(&page.cursor), ..Default::default() }).await),
        no(h.changes.watch_changes(WatchChangesRequest { start: from(&page.cursor), ..Default::default() }).await),
        no(h.changes.list_changes(ListChangesRequest { start: beginning, ..Default::default() }).await),
    ];
    for refused in refusals {
        assert_eq!((refused.reason.as_str(), refused.code), ("CURSOR_EXPIRED", Code::OutOfRange));
        assert!(refused.metadata["oldest_time"].starts_with("2031-01-"), "{:?}", refused.metadata);
        let (rest, _) = h.all(from(&refused.metadata["oldest_cursor"]), None, 10).await;
        assert_eq!(rest.iter().map(|c| c.registration.as_str()).collect::<Vec<_>>(), [kept.as_str()]);
    }
    let (rest, _) = h.all(None, None, 10).await;
    assert_eq!(rest.len(), 1, "the beginning is the oldest that is kept");
}

pub async fn a_bad_cursor_and_a_bad_filter_are_refused(mut h: House) {
    h.open_with(1, |_| {}).await;
    let sound = h.page(ListChangesRequest::default()).await.cursor;
    let mut forged = sound.clone().into_bytes();
    forged[9] = if forged[9] == b'A' { b'B' } else { b'A' };
    let endless = "A".repeat(10_000);
    for bad in ["x", "'; drop table feed; --", "ė", &sound[1..], &endless, &String::from_utf8(forged).unwrap()] {
        for refused in [
            no(h.changes.list_changes(ListChangesRequest { start: from(bad), ..Default::default() }).await),
            no(h.changes.watch_changes(WatchChangesRequest { start: from(bad), ..Default::default() }).await),
        ] {
            assert_eq!((refused.reason.as_str(), refused.code), ("CURSOR_INVALID", Code::InvalidArgument), "{bad}");
        }
    }
    // A cursor that the feed has not reached: of a database that was set back.
    let ahead = eile_cursor(&h, 1000);
    let refused = no(h.changes.list_changes(ListChangesRequest { start: from(&ahead), ..Default::default() }).await);
    assert_eq!(refused.reason, "CURSOR_INVALID");
    let request = ListChangesRequest {
        start: Some(ChangeStart {
            cursor: sound,
            time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
            now: true,
        }),
        page_size: -1,
        filter: Some(ChangeFilter {
            event: "events/7".into(),
            centre: "7".into(),
            programme: "Ė".into(),
            kinds: vec![0, 9999, 20, 20],
        }),
    };
    let refused = no(h.changes.list_changes(request).await);
    assert_eq!(refused.reason, "INVALID_FIELDS");
    let expected = [
        "filter.centre",
        "filter.event",
        "filter.kinds[0]",
        "filter.kinds[1]",
        "filter.kinds[3]",
        "filter.programme",
        "page_size",
        "start",
        "start.time",
    ];
    assert_eq!(refused.fields, expected);
    let (list, watch) = (ListChangesRequest::default(), WatchChangesRequest::default());
    assert_eq!(no(h.changes.list_changes(as_portal(list)).await).reason, "STAFF_ONLY");
    assert_eq!(no(h.changes.watch_changes(as_portal(watch)).await).reason, "STAFF_ONLY");
}

/// A cursor as this installation would write it.
fn eile_cursor(h: &House, position: u64) -> String {
    use base64::Engine as _;
    let mut bytes = vec![1];
    bytes.extend_from_slice(&position.to_be_bytes());
    bytes.extend_from_slice(&0u32.to_be_bytes());
    let seal = h.desk.keys().fingerprint("cursor of changes", uuid::Uuid::nil(), &bytes);
    bytes.extend_from_slice(&seal.to_be_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub async fn the_feed_tells_nothing_of_persons(mut h: House) {
    let event = h
        .open_with(2, |e| {
            e.waitlist_policy = Some(WaitlistPolicy { class_order: vec!["kanarele-class".into()], ..offers() })
        })
        .await;
    let canary = |n: usize| Registration {
        contact: Some(Contact {
            display_name: format!("Kanarėlė Vardenė {n}"),
            email: format!("kanarele{n}@example.org"),
            phone: format!("+3706111111{n}"),
        }),
        members: vec![Member { display_name: format!("Kanarėlis {n}"), ..Default::default() }],
        ..Default::default()
    };
    let mut names = Vec::new();
    for n in 0..4 {
        names.push(h.sign_up(&event, canary(n)).await.registration.unwrap());
    }
    let class = SetRegistrationClassRequest {
        name: names[3].name.clone(),
        class: "kanarele-class".into(),
        reason: "Kanarėlės priežastis".into(),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.set_registration_class(class).await.unwrap();
    h.cancel(&names[0]).await;
    let amend = UpdateRegistrationRequest {
        registration: Some(Registration { name: names[2].name.clone(), ..canary(7) }),
        update_mask: mask(&["contact"]),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.update_registration(amend).await.unwrap();
    let (all, _) = h.all(None, None, 500).await;
    assert!(all.iter().any(|c| c.kind() == ChangeKind::ClassChanged));
    assert!(all.iter().any(|c| c.kind() == ChangeKind::Offered && c.offer_expire_time.is_some()));
    let mut stream = h.watch(None, None).await;
    let (streamed, _) = told(&mut stream, all.len()).await;
    let words = ["kanar", "@example", "370611", "vardenė"];
    let staff_hear = heard::told(&h.look(&names[3].name, RegistrationView::Full).await).to_lowercase();
    assert!(words.iter().all(|word| staff_hear.contains(word)), "{staff_hear}");
    for change in all.iter().chain(&streamed) {
        let text = heard::told(change).to_lowercase();
        assert!(text.contains(event.as_str()), "a change names its event: {text}");
        for word in words {
            assert!(!text.contains(word), "{text}");
        }
    }
}

pub async fn a_stream_of_changes_ends_when_the_instance_stops(mut h: House) {
    let mut stream = h.watch(None, None).await;
    stream.message().await.unwrap().unwrap();
    h.drain.cancel();
    let ended = end_of(&mut stream, drop).await;
    assert_eq!(ended.reason, "DRAINING");
    tokio::time::sleep(HEARTBEAT).await;
}

pub async fn a_pool_that_was_taken_out_keeps_its_id(mut h: House) {
    let pools = vec![pool("old", 2), pool("new", 2)];
    let event = h.open_with(1, |e| e.seat_pools = pools).await;
    let seated = h.sign_up(&event, Registration { acceptable_pools: vec!["old".into()], ..party(1) }).await;
    h.cancel(&seated.registration.unwrap()).await;
    let mut changed = h.get(&event).await;
    changed.seat_pools.retain(|p| p.pool_id == "new");
    h.update(changed, &["seat_pools"]).await;
    // Another reader, who knows nothing yet and starts behind what made the pools.
    let (all, _) = h.all(None, None, 500).await;
    let first = h.page(ListChangesRequest { page_size: 2, ..Default::default() }).await;
    let fresh = h.another_api().await;
    let (rest, _) = told(
        &mut fresh
            .clone()
            .watch_changes(WatchChangesRequest { start: from(&first.cursor), filter: None })
            .await
            .unwrap()
            .into_inner(),
        all.len() - 2,
    )
    .await;
    assert_eq!(rest, all[2..]);
    assert_eq!(rest[0].pool_id, "old");
}
