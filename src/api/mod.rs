//! gRPC: parse, authorise, call, render. The only room that knows tonic and the messages of `proto/`.
//!
//! A call goes `admit` (who is it, and may it: `rights`) -> `from_proto` (is it sound; every violation at once) -> the desk or
//! the store (one call) -> `to_proto`. Every no becomes a status in `status`, and nowhere else. What is not
//! here: rules of the field, which are the core's, and the server around the services (`server`, `layers`).

mod access_keys;
mod access_log;
mod admin;
mod admit;
mod attendance;
mod caller;
mod certificate;
mod changes;
mod cursor;
mod events;
mod facts;
mod filter;
mod from_proto;
mod gate;
mod identity;
pub mod layers;
mod metrics;
mod page_token;
mod people;
#[cfg(test)]
mod personal;
mod privacy;
mod registrations;
mod repeat;
mod reports;
mod request;
mod rights;
mod rules;
pub mod server;
mod sight;
mod status;
mod to_proto;
mod watch;

pub use metrics::Metrics;
pub use rights::table as rights_table;
pub use watch::WatchOptions;

/// The messages and services of `proto/eile/v1`, as generated.
#[allow(clippy::all, missing_docs, reason = "generated code")]
pub mod proto {
    tonic::include_proto!("eile.v1");
    // The `Debug` of messages that hold words about people (proto/personal.txt).
    include!(concat!(env!("OUT_DIR"), "/silent.rs"));
}

use crate::access_log::AccessLog;
use crate::desk::Desk;
use crate::feed::{Feed, FeedOptions};
use crate::model::id::EventId;
use crate::model::retention::Rules as RetentionRules;
use crate::oidc::Users;
use crate::privacy::Privacy;
use crate::report::Reports;
use crate::storage::StoreError;
use proto::admin_service_server::AdminServiceServer;
use proto::attendance_service_server::AttendanceServiceServer;
use proto::change_service_server::ChangeServiceServer;
use proto::event_service_server::EventServiceServer;
use proto::people_service_server::PeopleServiceServer;
use proto::privacy_service_server::PrivacyServiceServer;
use proto::registration_service_server::RegistrationServiceServer;
use proto::report_service_server::ReportServiceServer;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;

/// Every message and service of the API, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("eile_descriptor");

/// What the services share. A clone is the same.
#[derive(Clone)]
pub struct Api {
    desk: Desk,
    feed: Feed,
    reports: Reports,
    privacy: Privacy,
    /// Counts below it are hidden from reporting jobs.
    small_cell: u64,
    rules: Arc<rules::Rules>,
    identities: Arc<identity::Identities>,
    places: Arc<admit::Places>,
    access_log: AccessLog,
    metrics: Metrics,
    watch: WatchOptions,
    crowd: watch::Crowd,
    /// Fires when the instance stops: streams end.
    drain: CancellationToken,
}

impl Api {
    pub fn new(desk: Desk, watch: WatchOptions, drain: CancellationToken) -> Self {
        let feed = Feed::open(desk.clone(), FeedOptions::default(), drain.clone());
        let reports = Reports::new(Arc::clone(desk.store()), desk.keys().clone());
        let access_log = AccessLog::open(Arc::clone(desk.store()), Arc::clone(desk.clock()));
        let identities = Arc::new(identity::Identities::new(Arc::clone(desk.store()), Arc::clone(desk.clock()), None));
        let privacy = Privacy::new(desk.clone(), RetentionRules::default());
        Self {
            desk,
            feed,
            reports,
            privacy,
            small_cell: 5,
            rules: Arc::default(),
            identities,
            places: Arc::default(),
            access_log,
            metrics: Metrics::default(),
            watch,
            crowd: watch::Crowd::default(),
            drain,
        }
    }

    /// With a change feed that is kept in another way than by default.
    pub fn with_feed(self, options: FeedOptions) -> Self {
        let feed = Feed::open(self.desk.clone(), options, self.drain.clone());
        Self { feed, ..self }
    }

    /// Who read and who decided; to be closed before the store is.
    pub fn access_log(&self) -> &AccessLog {
        &self.access_log
    }

    /// With what is measured, for whoever may ask for it.
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// With other rules of retention, or a list of erasures.
    pub fn with_privacy(self, privacy: Privacy) -> Self {
        Self { privacy, ..self }
    }

    /// What works figures out.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// With another bound below which counts are hidden from reporting jobs.
    pub fn with_small_cell(self, small_cell: u64) -> Self {
        Self { small_cell, ..self }
    }

    /// With people who sign in: nobody is let in any more who shows nothing.
    pub fn with_users(self, users: Arc<Users>) -> Self {
        let (store, clock) = (Arc::clone(self.desk.store()), Arc::clone(self.desk.clock()));
        Self { identities: Arc::new(identity::Identities::new(store, clock, Some(users))), ..self }
    }

    pub fn admin_service(&self) -> AdminServiceServer<Self> {
        AdminServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn attendance_service(&self) -> AttendanceServiceServer<Self> {
        AttendanceServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn change_service(&self) -> ChangeServiceServer<Self> {
        ChangeServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn event_service(&self) -> EventServiceServer<Self> {
        EventServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn registration_service(&self) -> RegistrationServiceServer<Self> {
        RegistrationServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn people_service(&self) -> PeopleServiceServer<Self> {
        PeopleServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn privacy_service(&self) -> PrivacyServiceServer<Self> {
        PrivacyServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    pub fn report_service(&self) -> ReportServiceServer<Self> {
        ReportServiceServer::new(self.clone()).max_decoding_message_size(server::MESSAGE_BYTES_MAX)
    }

    /// All services.
    pub fn routes(&self) -> Routes {
        Routes::new(self.gated(self.admin_service()))
            .add_service(self.gated(self.attendance_service()))
            .add_service(self.gated(self.change_service()))
            .add_service(self.gated(self.event_service()))
            .add_service(self.gated(self.people_service()))
            .add_service(self.gated(self.privacy_service()))
            .add_service(self.gated(self.registration_service()))
            .add_service(self.gated(self.report_service()))
    }

    fn gated<S>(&self, service: S) -> gate::Gate<S> {
        gate::Gate::new(service, Arc::clone(&self.identities))
    }

    /// Writes to the store in a task of its own: a caller who goes away must not leave a transaction half done.
    async fn write<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, Status> {
        match tokio::spawn(work).await {
            Ok(done) => done.map_err(status::storage),
            Err(error) => Err(status::internal(error)),
        }
    }

    /// Looks at an event that exists.
    async fn look<R: Send>(
        &self,
        event: EventId,
        f: impl FnOnce(&crate::desk::View<'_>) -> R + Send,
    ) -> Result<R, Status> {
        self.desk.read(event, f).await.map_err(|error| status::desk(error, &status::About::event("", event)))
    }
}
