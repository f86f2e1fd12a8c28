use crate::house::{HEARTBEAT, House, STALL, end_of, no_of};
use crate::samples::*;
use eile::api::proto::RegistrationState as State;
use eile::api::proto::*;

pub async fn a_registration_is_followed_to_its_end(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let seated = h.joins(&event, 1).await;
    let waiting = h.joins(&event, 1).await;
    let request = WatchRegistrationRequest { name: waiting.name.clone(), ..Default::default() };
    let mut stream = h.registrations.watch_registration(request).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!((first.registration.as_ref().unwrap().position, first.heartbeat), (1, false));
    // What does not touch it is not told.
    h.joins(&event, 1).await;
    let quiet = stream.message().await.unwrap().unwrap();
    assert!(quiet.heartbeat && quiet.registration.is_none());
    h.cancel(&seated).await;
    let mut last = first.journal_number;
    let mut states = Vec::new();
    h.cancel(&waiting).await;
    while let Some(message) = stream.message().await.unwrap() {
        assert!(message.journal_number >= last, "numbers never fall");
        last = message.journal_number;
        states.extend(message.registration.map(|r| r.state()));
    }
    assert_eq!(states.last(), Some(&State::Cancelled), "the stream ends well with the registration");
    let gone = WatchRegistrationRequest { name: waiting.name, ..Default::default() };
    let mut stream = h.registrations.watch_registration(gone).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().registration.unwrap().state(), State::Cancelled);
    assert!(stream.message().await.unwrap().is_none());
}

pub async fn an_event_is_followed_with_heartbeats(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let mut stream = h.registrations.watch_event(WatchEventRequest { name: event.clone() }).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!((first.state(), first.counts.unwrap().free, first.pools.len()), (EventState::Published, Some(2), 1));
    let beat = stream.message().await.unwrap().unwrap();
    assert!(beat.heartbeat && beat.counts.is_none() && beat.pools.is_empty());
    assert_eq!(beat.journal_number, first.journal_number);
    h.joins(&event, 2).await;
    let next = stream.message().await.unwrap().unwrap();
    assert_eq!((next.counts.unwrap().free, next.pools[0].confirmed_persons), (Some(0), 2));
    let nobody = WatchEventRequest { name: format!("events/{}", id()) };
    assert_eq!(no_of(h.registrations.watch_event(nobody).await.unwrap_err()).reason, "EVENT_NOT_FOUND");
}

pub async fn who_waits_hears_heartbeats_also_while_others_come(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    h.joins(&event, 1).await;
    let waiting = h.joins(&event, 1).await;
    let request = WatchRegistrationRequest { name: waiting.name, ..Default::default() };
    let mut stream = h.registrations.watch_registration(request).await.unwrap().into_inner();
    assert!(!stream.message().await.unwrap().unwrap().heartbeat);
    let begun = std::time::Instant::now();
    while begun.elapsed() < HEARTBEAT * 5 {
        h.joins(&event, 1).await;
        tokio::time::sleep(HEARTBEAT / 5).await;
    }
    // They stand there already.
    for _ in 0..2 {
        let heard = tokio::time::timeout(HEARTBEAT / 3, stream.message()).await.expect("a sign of life").unwrap();
        assert!(heard.unwrap().heartbeat, "nothing of it changed");
    }
}

pub async fn a_reader_that_takes_nothing_is_cut(mut h: House) {
    // Many pools make large messages, which soon fill what the connection takes.
    let pools: Vec<SeatPool> = (0..200).map(|i| pool(&format!("p{i}-{}", "x".repeat(20)), 10)).collect();
    let event = h.open_with(1, |e| e.seat_pools = pools).await;
    let mut stream = h.registrations.watch_event(WatchEventRequest { name: event.clone() }).await.unwrap().into_inner();
    for _ in 0..40 {
        h.joins(&event, 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    tokio::time::sleep(STALL + STALL).await;
    let mut last = 0;
    let cut = end_of(&mut stream, |message| last = message.journal_number).await;
    assert_eq!(cut.reason, "WATCH_LAGGED");
    assert!(cut.metadata["journal_number"].parse::<i64>().unwrap() >= last);
}

pub async fn streams_end_when_the_instance_stops(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let mut stream = h.registrations.watch_event(WatchEventRequest { name: event }).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    h.drain.cancel();
    let ended = end_of(&mut stream, drop).await;
    assert_eq!(ended.reason, "DRAINING");
    tokio::time::sleep(HEARTBEAT).await;
}
