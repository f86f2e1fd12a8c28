//! What Eilė is measured against, behind the same transport: a service that answers a canned reply (the
//! ceiling), and the textbook way (one transaction per sign-up with `select ... for update`), which does
//! the same duties: request id, one registration per contact, seats, line, journal, what is owed.

use eile::api::proto;
use futures_util::Stream;
use proto::event_service_server::EventService;
use proto::registration_service_server::RegistrationService;
use sqlx::{PgPool, Row};
use std::pin::Pin;
use tonic::{Request, Response, Status};
use uuid::Uuid;

type Streaming<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The rest of the service, which is not measured.
macro_rules! not_measured {
    ($($name:ident: $request:ident -> $response:ident),* $(,)?) => {$(
        fn $name<'a, 'b>(&'a self, _: Request<proto::$request>)
            -> Pin<Box<dyn Future<Output = Result<Response<proto::$response>, Status>> + Send + 'b>>
        where 'a: 'b, Self: 'b {
            Box::pin(async { Err(Status::unimplemented("not measured")) })
        }
    )*};
}

macro_rules! not_measured_streams {
    ($($name:ident: $request:ident -> $stream:ident),* $(,)?) => {$(
        fn $name<'a, 'b>(&'a self, _: Request<proto::$request>)
            -> Pin<Box<dyn Future<Output = Result<Response<Self::$stream>, Status>> + Send + 'b>>
        where 'a: 'b, Self: 'b {
            Box::pin(async { Err(Status::unimplemented("not measured")) })
        }
    )*};
}

macro_rules! not_measured_everywhere {
    () => {
        type WatchRegistrationStream = Streaming<proto::WatchRegistrationResponse>;
        type WatchEventStream = Streaming<proto::WatchEventResponse>;
        not_measured_streams! {
            watch_registration: WatchRegistrationRequest -> WatchRegistrationStream,
            watch_event: WatchEventRequest -> WatchEventStream,
        }
        not_measured! {
            list_registrations: ListRegistrationsRequest -> ListRegistrationsResponse,
            update_registration: UpdateRegistrationRequest -> UpdateRegistrationResponse,
            cancel_registration: CancelRegistrationRequest -> CancelRegistrationResponse,
            accept_offer: AcceptOfferRequest -> AcceptOfferResponse,
            decline_offer: DeclineOfferRequest -> DeclineOfferResponse,
            approve_registration: ApproveRegistrationRequest -> ApproveRegistrationResponse,
            reject_registration: RejectRegistrationRequest -> RejectRegistrationResponse,
            set_registration_class: SetRegistrationClassRequest -> SetRegistrationClassResponse,
            promote_registration: PromoteRegistrationRequest -> PromoteRegistrationResponse,
            transfer_registration: TransferRegistrationRequest -> TransferRegistrationResponse,
            explain_registration: ExplainRegistrationRequest -> ExplainRegistrationResponse,
        }
    };
}

/// Answers at once, with an answer of the usual size.
pub struct Canned;

fn canned_registration() -> proto::Registration {
    proto::Registration {
        name: "events/0193b3a0-0000-7000-8000-000000000000/registrations/00000001-0000-8000-8000-000000000000".into(),
        event: "events/0193b3a0-0000-7000-8000-000000000000".into(),
        state: proto::RegistrationState::Waitlisted as i32,
        accepted_number: 12_345,
        position: 12_333,
        journal_number: 12_345,
        party_size: 1,
        ..Default::default()
    }
}

#[tonic::async_trait]
impl RegistrationService for Canned {
    async fn create_registration(
        &self,
        _: Request<proto::CreateRegistrationRequest>,
    ) -> Result<Response<proto::CreateRegistrationResponse>, Status> {
        Ok(Response::new(proto::CreateRegistrationResponse {
            registration: Some(canned_registration()),
            management_token: "0123456789012345678901234567890123456789012".into(),
            check_in_code: "00JX5D90QK".into(),
        }))
    }

    async fn get_registration(
        &self,
        _: Request<proto::GetRegistrationRequest>,
    ) -> Result<Response<proto::GetRegistrationResponse>, Status> {
        Ok(Response::new(proto::GetRegistrationResponse { registration: Some(canned_registration()) }))
    }

    not_measured_everywhere!();
}

#[tonic::async_trait]
impl EventService for Canned {
    async fn get_event(&self, _: Request<proto::GetEventRequest>) -> Result<Response<proto::GetEventResponse>, Status> {
        Ok(Response::new(proto::GetEventResponse { event: Some(canned_event()) }))
    }

    not_measured! {
        create_event: CreateEventRequest -> CreateEventResponse,
        list_events: ListEventsRequest -> ListEventsResponse,
        update_event: UpdateEventRequest -> UpdateEventResponse,
        publish_event: PublishEventRequest -> PublishEventResponse,
        cancel_event: CancelEventRequest -> CancelEventResponse,
        complete_event: CompleteEventRequest -> CompleteEventResponse,
        copy_event: CopyEventRequest -> CopyEventResponse,
        move_session: MoveSessionRequest -> MoveSessionResponse,
        cancel_session: CancelSessionRequest -> CancelSessionResponse,
    }
}

/// As large as the answer of the event that the rush goes to.
fn canned_event() -> proto::Event {
    let counts = proto::EventCounts {
        capacity: Some(12),
        confirmed_persons: 12,
        confirmed_parties: 9,
        waiting_persons: 50_000,
        waiting_parties: 40_000,
        applied_persons: 50_012,
        applied_parties: 40_009,
        free: Some(0),
        ..Default::default()
    };
    let at = prost_types::Timestamp { seconds: 4_073_000_000, nanos: 0 };
    let rule = |hours: i64, answer: Option<i64>| proto::OfferRule {
        min_time_to_start: Some(prost_types::Duration { seconds: hours * 3600, nanos: 0 }),
        answer_window: answer.map(|h| prost_types::Duration { seconds: h * 3600, nanos: 0 }),
    };
    proto::Event {
        name: "events/0193b3a0-0000-7000-8000-000000000000".into(),
        centre: "centres/elk".into(),
        titles: vec![proto::LocalizedText { language: "lt".into(), text: "Sėkmingos tėvystės mokymai".into() }],
        kind: 1,
        state: 2,
        municipality_code: "42".into(),
        time_zone: "Europe/Vilnius".into(),
        sessions: vec![proto::Session {
            session_id: "s1".into(),
            start_local: "2099-02-03T17:30".into(),
            end_local: "2099-02-03T19:30".into(),
            start_time: Some(at),
            end_time: Some(at),
            ..Default::default()
        }],
        seat_pools: vec![proto::SeatPool {
            pool_id: "main".into(),
            capacity: Some(12),
            counts: Some(proto::PoolCounts {
                pool_id: "main".into(),
                confirmed_persons: 12,
                confirmed_parties: 9,
                free: Some(0),
                ..Default::default()
            }),
            ..Default::default()
        }],
        waitlist_policy: Some(proto::WaitlistPolicy {
            version: 1,
            promotion: 1,
            party_fit: 1,
            offer_rules: vec![rule(168, Some(48)), rule(48, Some(24)), rule(12, Some(3)), rule(0, None)],
            quiet_hours: Some(proto::QuietHours { start_local: "21:00".into(), end_local: "08:00".into() }),
            missed_offer: 3,
            registrations_per_contact: Some(1),
            ..Default::default()
        }),
        party_limits: Some(proto::PartyLimits { min_size: 1, max_size: 1000 }),
        languages: vec!["lt".into()],
        counts: Some(counts),
        journal_number: 40_011,
        etag: "\"2\"".into(),
        create_time: Some(at),
        update_time: Some(at),
        ..Default::default()
    }
}

/// One transaction per sign-up on PostgreSQL.
pub struct Textbook {
    pub pool: PgPool,
}

impl Textbook {
    /// Tables as one would write them down first.
    pub async fn open(url: &str) -> sqlx::Result<Self> {
        let options = sqlx::postgres::PgPoolOptions::new().max_connections(16).test_before_acquire(false);
        let pool = options.connect(url).await?;
        for statement in [
            "create table if not exists t_event (id uuid primary key, capacity int not null, used int not null,
             accepted int not null, waiting int not null, journal bigint not null)",
            "create table if not exists t_registration (event_id uuid, number int, id uuid not null, state text
             not null, size int not null, email text, phone text, party text not null, token_hash text not null,
             primary key (event_id, number))",
            "create unique index if not exists t_email on t_registration (event_id, email)",
            "create unique index if not exists t_phone on t_registration (event_id, phone)",
            "create table if not exists t_request (id uuid primary key, event_id uuid not null, number int not null)",
            "create table if not exists t_journal (event_id uuid, number bigint, entry text not null,
             primary key (event_id, number))",
            "create table if not exists t_outbox (id uuid primary key, event_id uuid not null, number int not null,
             kind text not null)",
        ] {
            sqlx::query(statement).execute(&pool).await?;
        }
        Ok(Self { pool })
    }

    pub async fn create_event(&self, id: Uuid, capacity: i32) -> sqlx::Result<()> {
        sqlx::query("insert into t_event values ($1, $2, 0, 0, 0, 0)")
            .bind(id)
            .bind(capacity)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    async fn sign_up(&self, request: proto::CreateRegistrationRequest) -> sqlx::Result<(i32, i32, &'static str)> {
        let event: Uuid = request.parent.trim_start_matches("events/").parse().unwrap_or_default();
        let request_id: Uuid = request.request_id.parse().unwrap_or_default();
        let registration = request.registration.unwrap_or_default();
        let contact = registration.contact.unwrap_or_default();
        let size = registration.members.len() as i32;
        let mut tx = self.pool.begin().await?;
        let row =
            sqlx::query("select capacity, used, accepted, waiting, journal from t_event where id = $1 for update")
                .bind(event)
                .fetch_one(&mut *tx)
                .await?;
        let (capacity, used, accepted, waiting): (i32, i32, i32, i32) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let journal: i64 = row.get(4);
        let seen =
            sqlx::query("select number from t_request where id = $1").bind(request_id).fetch_optional(&mut *tx).await?;
        let twin = sqlx::query("select number from t_registration where event_id = $1 and (email = $2 or phone = $3)")
            .bind(event)
            .bind(&contact.email)
            .bind(&contact.phone)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = seen.or(twin) {
            tx.commit().await?;
            return Ok((row.get(0), 0, "replayed"));
        }
        let fits = waiting == 0 && used + size <= capacity;
        let state = if fits { "confirmed" } else { "waitlisted" };
        let number = accepted + 1;
        let party = format!("{:?}", registration.members.len());
        sqlx::query("insert into t_registration values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(event)
            .bind(number)
            .bind(Uuid::new_v4())
            .bind(state)
            .bind(size)
            .bind(&contact.email)
            .bind(&contact.phone)
            .bind(party)
            .bind("hash")
            .execute(&mut *tx)
            .await?;
        sqlx::query("insert into t_request values ($1, $2, $3)")
            .bind(request_id)
            .bind(event)
            .bind(number)
            .execute(&mut *tx)
            .await?;
        sqlx::query("insert into t_journal values ($1, $2, $3)")
            .bind(event)
            .bind(journal + 1)
            .bind(state)
            .execute(&mut *tx)
            .await?;
        sqlx::query("insert into t_outbox values ($1, $2, $3, $4)")
            .bind(Uuid::new_v4())
            .bind(event)
            .bind(number)
            .bind(state)
            .execute(&mut *tx)
            .await?;
        sqlx::query("update t_event set used = $2, accepted = $3, waiting = $4, journal = journal + 1 where id = $1")
            .bind(event)
            .bind(if fits { used + size } else { used })
            .bind(number)
            .bind(if fits { waiting } else { waiting + 1 })
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok((number, if fits { 0 } else { waiting + 1 }, state))
    }
}

#[tonic::async_trait]
impl RegistrationService for Textbook {
    async fn create_registration(
        &self,
        request: Request<proto::CreateRegistrationRequest>,
    ) -> Result<Response<proto::CreateRegistrationResponse>, Status> {
        let answer = self.sign_up(request.into_inner()).await;
        let (number, position, _) = answer.map_err(|e| Status::internal(e.to_string()))?;
        let registration = proto::Registration {
            accepted_number: i64::from(number),
            position: i64::from(position),
            ..canned_registration()
        };
        Ok(Response::new(proto::CreateRegistrationResponse {
            registration: Some(registration),
            management_token: "0123456789012345678901234567890123456789012".into(),
            check_in_code: "00JX5D90QK".into(),
        }))
    }

    not_measured! { get_registration: GetRegistrationRequest -> GetRegistrationResponse }
    not_measured_everywhere!();
}
