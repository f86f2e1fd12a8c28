//! A whole service in this process: storage, desk, api and server, with clients.

use crate::postgres;
use eile::api::proto::admin_service_client::AdminServiceClient;
use eile::api::proto::attendance_service_client::AttendanceServiceClient;
use eile::api::proto::change_service_client::ChangeServiceClient;
use eile::api::proto::event_service_client::EventServiceClient;
use eile::api::proto::people_service_client::PeopleServiceClient;
use eile::api::proto::privacy_service_client::PrivacyServiceClient;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::report_service_client::ReportServiceClient;
use eile::api::server::{self, Running, ServerOptions};
use eile::api::{Api, FILE_DESCRIPTOR_SET, WatchOptions};
use eile::clock::{Clock, ManualClock};
use eile::desk::{Desk, DeskOptions};
use eile::keys::Keys;
use eile::model::time::{Span, Timestamp};
use eile::oidc::Users;
use eile::storage::Options;
use prometheus_client::registry::Registry;
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

/// 10 January 2031, 10:00 in Vilnius.
pub const START: Timestamp = Timestamp(1_925_798_400_000_000);

pub struct House {
    pub admin: AdminServiceClient<Channel>,
    pub changes: ChangeServiceClient<Channel>,
    pub events: EventServiceClient<Channel>,
    pub registrations: RegistrationServiceClient<Channel>,
    pub attendance: AttendanceServiceClient<Channel>,
    pub people: PeopleServiceClient<Channel>,
    pub privacy: PrivacyServiceClient<Channel>,
    pub reports: ReportServiceClient<Channel>,
    pub channel: Channel,
    pub clock: Arc<ManualClock>,
    pub desk: Desk,
    pub drain: CancellationToken,
    _server: Running,
    others: Vec<Running>,
    url: String,
    _folder: Option<tempfile::TempDir>,
}

/// How often the streams of these tests show that they live.
pub const HEARTBEAT: Duration = Duration::from_millis(150);
/// After how long a reader counts as slow here.
pub const STALL: Duration = Duration::from_millis(400);

impl House {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        Self::at(&url, Some(folder)).await
    }

    pub async fn on_postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| postgres::shared().database()).await.unwrap();
        Self::at(&url, None).await
    }

    async fn at(url: &str, folder: Option<tempfile::TempDir>) -> Self {
        let store = eile::storage::open(url, Options::default()).await.unwrap();
        let keys = Keys::new(store.secret().await.unwrap());
        let clock = Arc::new(ManualClock::at(START));
        let shared = folder.is_none();
        let options = DeskOptions { shared, lines: if shared { 2 } else { 1 }, ..DeskOptions::default() };
        let desk = Desk::open(store, Arc::clone(&clock) as Arc<dyn Clock>, keys, options);
        let drain = CancellationToken::new();
        let server = serve(&desk, None, drain.clone()).await;
        let channel = channel(&server).await;
        Self {
            admin: AdminServiceClient::new(channel.clone()),
            changes: ChangeServiceClient::new(channel.clone()),
            events: EventServiceClient::new(channel.clone()),
            registrations: RegistrationServiceClient::new(channel.clone()),
            attendance: AttendanceServiceClient::new(channel.clone()),
            people: PeopleServiceClient::new(channel.clone()),
            privacy: PrivacyServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel.clone()),
            channel,
            clock,
            desk,
            drain,
            _server: server,
            others: Vec::new(),
            url: url.to_owned(),
            _folder: folder,
        }
    }

    /// The feed of another server over the same desk, which remembers nothing of what this one told.
    pub async fn another_api(&mut self) -> ChangeServiceClient<Channel> {
        let server = serve(&self.desk, None, self.drain.clone()).await;
        let endpoint = Channel::from_shared(format!("http://{}", server.address())).unwrap();
        self.others.push(server);
        ChangeServiceClient::new(endpoint.connect().await.unwrap())
    }

    /// Meddles with the tables behind the service's back.
    pub async fn meddle(&self, sql: &'static str) {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Takes row-level security down, where there is any.
    pub async fn take_the_wall_down(&self) {
        if !self.url.starts_with("sqlite:") {
            self.meddle(
                "alter table parties disable row level security;
                alter table reasons disable row level security;
                alter table attendance disable row level security;
                alter table access_log disable row level security;
                alter table reports disable row level security",
            )
            .await;
        }
    }

    /// Keeps everybody else from writing until it is let go.
    pub async fn hold(&self) -> Hold {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql("begin immediate").execute(&mut connection).await.unwrap();
            Hold::Sqlite(connection)
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql("begin; lock table events in exclusive mode").execute(&mut connection).await.unwrap();
            Hold::Postgres(connection)
        }
    }

    /// From now on those whose issuer this is may sign in, at a server of theirs that the clients call.
    pub async fn let_sign_in(&mut self, users: Arc<Users>) {
        let server = serve(&self.desk, Some(users), self.drain.clone()).await;
        let channel = channel(&server).await;
        self.others.push(server);
        self.admin = AdminServiceClient::new(channel.clone());
        self.events = EventServiceClient::new(channel.clone());
        self.registrations = RegistrationServiceClient::new(channel.clone());
        self.reports = ReportServiceClient::new(channel);
    }

    /// Moves the clock, and lets everything happen that is due by then.
    pub async fn pass(&self, time: Span) {
        self.clock.advance(time);
        self.desk.sweep_now().await;
    }
}

pub enum Hold {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Hold {
    pub async fn let_go(self) {
        match self {
            Self::Sqlite(mut connection) => drop(sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap()),
            Self::Postgres(mut connection) => drop(sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap()),
        }
    }
}

/// A server over this desk.
async fn serve(desk: &Desk, users: Option<Arc<Users>>, drain: CancellationToken) -> Running {
    let api = Api::new(desk.clone(), WatchOptions { heartbeat: HEARTBEAT, stall: STALL }, drain.clone());
    let api = match users {
        Some(users) => api.with_users(users),
        None => api,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ServerOptions {
        deadline_max: Duration::from_secs(30),
        concurrency_max: 1000,
        connections_max: 100,
        streams_per_connection_max: 200,
        ..ServerOptions::default()
    };
    let mut registry = Registry::default();
    let routes = api.routes();
    server::start(listener, routes, FILE_DESCRIPTOR_SET, &options, &mut registry, drain).await.unwrap()
}

/// A connection with a small window, so that a reader which takes nothing is felt at once.
async fn channel(server: &Running) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", server.address())).unwrap();
    endpoint.initial_stream_window_size(1024).connect().await.unwrap()
}

/// The request as a reporting job sends it.
pub fn as_reporting<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("eile-role", "reporting".parse().unwrap());
    request
}

/// A no, as programs read it.
#[derive(Debug)]
pub struct No {
    pub reason: String,
    pub code: Code,
    pub metadata: std::collections::HashMap<String, String>,
    /// The violated fields, in order.
    pub fields: Vec<String>,
    pub status: Status,
}

/// The no that a call was answered.
pub fn no<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> No {
    no_of(answer.expect_err("it should have been refused"))
}

/// Reads a stream until it ends, which it must with a no.
pub async fn end_of<T>(stream: &mut tonic::Streaming<T>, mut hear: impl FnMut(T)) -> No {
    loop {
        match stream.message().await {
            Ok(Some(message)) => hear(message),
            Ok(None) => panic!("the stream ended without a word"),
            Err(status) => return no_of(status),
        }
    }
}

pub fn no_of(status: Status) -> No {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "eile.v1");
    let violations = status.get_details_bad_request().map(|b| b.field_violations).unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|v| v.field).collect();
    fields.sort();
    No { reason: info.reason, code: status.code(), metadata: info.metadata, fields, status }
}

/// The same call from a public portal.
pub fn as_portal<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("eile-vouches", tonic::metadata::MetadataValue::from_static("no"));
    request
}
