//! `eile check` on a database that somebody tampered with.

use crate::process::{Served, run, text};
use eile::api::proto::admin_service_client::AdminServiceClient;
use eile::api::proto::event_service_client::EventServiceClient;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::*;
use sqlx::{Connection, Executor};
use std::path::Path;
use tonic::transport::Channel;
use uuid::Uuid;

fn lt(text: &str) -> Vec<LocalizedText> {
    vec![LocalizedText { language: "lt".into(), text: text.into() }]
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

/// One event of two seats with offers: seven parties, of whom one left and one has an offer.
pub async fn play(channel: Channel) -> String {
    let mut admin = AdminServiceClient::new(channel.clone());
    let centre = Centre { display_names: lt("Šeimų centras"), municipality_code: "42".into(), ..Default::default() };
    let request = CreateCentreRequest { request_id: id(), centre: Some(centre), ..Default::default() };
    let centre = admin.create_centre(request).await.unwrap().into_inner().centre.unwrap().name;

    let mut events = EventServiceClient::new(channel.clone());
    let two_days = Some(prost_types::Duration { seconds: 48 * 3_600, nanos: 0 });
    let policy = WaitlistPolicy {
        promotion: Promotion::Offer.into(),
        offer_rules: vec![OfferRule { min_time_to_start: None, answer_window: two_days }],
        ..Default::default()
    };
    let event = Event {
        centre,
        titles: lt("Mokymai tėvams"),
        kind: EventKind::Course.into(),
        sessions: vec![Session {
            start_local: "2031-02-20T17:30".into(),
            end_local: "2031-02-20T19:00".into(),
            ..Default::default()
        }],
        seat_pools: vec![SeatPool { pool_id: "main".into(), capacity: Some(2), ..Default::default() }],
        waitlist_policy: Some(policy),
        ..Default::default()
    };
    let request = CreateEventRequest { request_id: id(), event: Some(event), ..Default::default() };
    let name = events.create_event(request).await.unwrap().into_inner().event.unwrap().name;
    let request = PublishEventRequest { request_id: id(), name: name.clone(), ..Default::default() };
    events.publish_event(request).await.unwrap();

    let mut desk = RegistrationServiceClient::new(channel);
    let mut first = String::new();
    for n in 0..7 {
        let made = desk.create_registration(another_party(&name, n)).await.unwrap().into_inner();
        if n == 0 {
            first = made.registration.unwrap().name;
        }
    }
    let request = CancelRegistrationRequest { request_id: id(), name: first, ..Default::default() };
    desk.cancel_registration(request).await.unwrap();
    name
}

/// The sign-up of one adult, who is somebody else for each number.
pub fn another_party(event: &str, n: u32) -> CreateRegistrationRequest {
    let contact =
        Contact { display_name: format!("Vardenė {n}"), email: format!("p{n}@example.org"), ..Default::default() };
    let party = Registration {
        contact: Some(contact),
        head_count: Some(HeadCount { adults: 1, children: 0 }),
        ..Default::default()
    };
    CreateRegistrationRequest {
        request_id: id(),
        parent: event.to_owned(),
        registration: Some(party),
        ..Default::default()
    }
}

/// A copy of the database, with one thing done to it behind the service's back.
async fn spoilt(folder: &Path, statement: &'static str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("eile-data")).unwrap();
    for file in std::fs::read_dir(folder.join("eile-data")).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, copy.path().join("eile-data").join(path.file_name().unwrap())).unwrap();
    }
    let url = format!("sqlite:{}", copy.path().join("eile-data/eile.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    assert!(database.execute(statement).await.unwrap().rows_affected() > 0, "{statement}");
    database.close().await.unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_changes_behind_the_services_back_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]);
    let url = format!("http://{}", served.word_after("calls: "));
    let event = play(Channel::from_shared(url).unwrap().connect().await.unwrap()).await;
    served.stop();
    let clean = run(folder.path(), &["check"]);
    assert_eq!(clean.status.code(), Some(0), "{}{}", text(&clean.stdout), text(&clean.stderr));
    assert!(text(&clean.stdout).contains("1 event, 7 registrations"), "{}", text(&clean.stdout));

    let table = [
        ("update registrations set size = 2 where number = 2", "registration: size of 2"),
        ("update registrations set steps = 'x' where number = 2", "row: registrations.steps of 00000002-"),
        ("update journal set entries = '[' where first_number = 1", "row: journal.entries of "),
        ("update registrations set state = 4, pool = 1 where number = 7", "registration: state of 7"),
        ("update registrations set place = 9 where number = 4", "line: "),
        (
            "update registrations set email_key = (select r.email_key from registrations as r where r.number = 5) \
          where number = 6",
            "contact: [5, 6] live under one contact",
        ),
        ("delete from registrations where number = 5", "registration: 5 is in the journal, and not stored"),
        ("update events set free_seats = 1", "event: free seats"),
        ("update events set next_due = null", "event: what is due next"),
        ("update events set header = replace(header, '\"pa\":4', '\"pa\":3')", "counts: "),
        ("delete from journal where first_number = 5", "journal: "),
        ("update journal set entries = replace(entries, '\"number\":3', '\"number\":4')", "registration: "),
    ];
    for (statement, expected) in table {
        let copy = spoilt(folder.path(), statement).await;
        for arguments in [vec!["check"], vec!["check", "--event", &event]] {
            let output = run(copy.path(), &arguments);
            let said = text(&output.stdout);
            assert_eq!(output.status.code(), Some(1), "{statement}\n{said}{}", text(&output.stderr));
            assert!(said.starts_with(&event) && said.contains(expected), "{statement}\n{said}");
        }
    }
}
