//! The way to the service: one connection, a deadline on every call, and the same request again where the service
//! says "send again" or is not heard. That is always safe: reads change nothing, and a change goes under one id.

use super::failure::{Failure, lost};
use super::options::Reach;
use crate::api::proto;
use proto::admin_service_client::AdminServiceClient;
use proto::attendance_service_client::AttendanceServiceClient;
use proto::change_service_client::ChangeServiceClient;
use proto::event_service_client::EventServiceClient;
use proto::privacy_service_client::PrivacyServiceClient;
use proto::registration_service_client::RegistrationServiceClient;
use proto::report_service_client::ReportServiceClient;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::StatusExt;

/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Rows of a page: the most that the service gives.
pub const PAGE: i32 = 500;

/// The largest answer that is taken: a page of parties of fifty with long names and answers.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

pub struct Wire {
    events: EventServiceClient<Channel>,
    people: RegistrationServiceClient<Channel>,
    door: AttendanceServiceClient<Channel>,
    feed: ChangeServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
    privacy: PrivacyServiceClient<Channel>,
    reports: ReportServiceClient<Channel>,
    /// Asks for figures as a reporting job sees them.
    protected: bool,
    /// The secret of the access key as it is sent.
    authorization: Option<MetadataValue<Ascii>>,
    patience: Duration,
}

/// One method per rpc, so that verbs name neither clients nor metadata. A change is told under its request id.
macro_rules! rpc {
    ($($client:ident . $name:ident ( $ask:ident ) -> $answer:ident $(under $id:ident)?;)*) => {$(
        pub async fn $name(&self, ask: proto::$ask) -> Result<proto::$answer, Failure> {
            let call = || async { self.$client.clone().$name(self.timed(ask.clone())).await };
            self.again(call).await$(.map_err(|failure| failure.under(&ask.$id)))?
        }
    )*};
}

impl Wire {
    /// Nothing is called yet.
    pub fn to(reach: &Reach) -> Result<Self, Failure> {
        let endpoint = endpoint(reach)?;
        let channel = endpoint.tcp_nodelay(true).connect_timeout(Duration::from_secs(5)).connect_lazy();
        Ok(Self {
            events: EventServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            people: RegistrationServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            door: AttendanceServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            feed: ChangeServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            admin: AdminServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            privacy: PrivacyServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            reports: ReportServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX),
            protected: false,
            authorization: reach.key.as_deref().map(authorization).transpose()?,
            patience: Duration::from_secs(reach.patience),
        })
    }

    /// In the role of staff, or of a reporting job, to whom small counts are not shown.
    pub fn in_role_of(self, protected: bool) -> Self {
        Self { protected, ..self }
    }

    fn timed<T>(&self, ask: T) -> Request<T> {
        let mut request = self.shown(ask);
        request.set_timeout(DEADLINE);
        request
    }

    /// With what says who asks.
    fn shown<T>(&self, ask: T) -> Request<T> {
        let mut request = Request::new(ask);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        if self.protected {
            request.metadata_mut().insert("eile-role", MetadataValue::from_static("reporting"));
        }
        request
    }

    rpc! {
        events.list_events(ListEventsRequest) -> ListEventsResponse;
        events.create_event(CreateEventRequest) -> CreateEventResponse under request_id;
        events.publish_event(PublishEventRequest) -> PublishEventResponse under request_id;
        people.list_registrations(ListRegistrationsRequest) -> ListRegistrationsResponse;
        people.create_registration(CreateRegistrationRequest) -> CreateRegistrationResponse under request_id;
        door.record_attendance(RecordAttendanceRequest) -> RecordAttendanceResponse under request_id;
        door.check_in(CheckInRequest) -> CheckInResponse under request_id;
        feed.list_changes(ListChangesRequest) -> ListChangesResponse;
        admin.create_access_key(CreateAccessKeyRequest) -> CreateAccessKeyResponse under request_id;
        admin.list_access_keys(ListAccessKeysRequest) -> ListAccessKeysResponse;
        admin.rotate_access_key(RotateAccessKeyRequest) -> RotateAccessKeyResponse under request_id;
        admin.revoke_access_key(RevokeAccessKeyRequest) -> RevokeAccessKeyResponse under request_id;
        admin.list_access_entries(ListAccessEntriesRequest) -> ListAccessEntriesResponse;
        admin.get_metrics(GetMetricsRequest) -> GetMetricsResponse;
        admin.create_centre(CreateCentreRequest) -> CreateCentreResponse under request_id;
        admin.get_centre(GetCentreRequest) -> GetCentreResponse;
        admin.list_centres(ListCentresRequest) -> ListCentresResponse;
        admin.create_programme(CreateProgrammeRequest) -> CreateProgrammeResponse under request_id;
        admin.list_programmes(ListProgrammesRequest) -> ListProgrammesResponse;
        privacy.export_registration(ExportRegistrationRequest) -> ExportRegistrationResponse;
        privacy.erase_registration(EraseRegistrationRequest) -> EraseRegistrationResponse under request_id;
        privacy.restrict_registration(RestrictRegistrationRequest) -> RestrictRegistrationResponse under request_id;
        privacy.lift_registration_restriction(LiftRegistrationRestrictionRequest)
            -> LiftRegistrationRestrictionResponse under request_id;
        privacy.set_registration_consents(SetRegistrationConsentsRequest)
            -> SetRegistrationConsentsResponse under request_id;
        privacy.find_registrations(FindRegistrationsRequest) -> FindRegistrationsResponse;
        privacy.list_due_erasures(ListDueErasuresRequest) -> ListDueErasuresResponse;
        privacy.erase_due(EraseDueRequest) -> EraseDueResponse under request_id;
        reports.get_demand(GetDemandRequest) -> GetDemandResponse;
        reports.get_imbalance(GetImbalanceRequest) -> GetImbalanceResponse;
        reports.get_participation(GetParticipationRequest) -> GetParticipationResponse;
        reports.get_waitlist_funnel(GetWaitlistFunnelRequest) -> GetWaitlistFunnelResponse;
        reports.get_attendance_summary(GetAttendanceSummaryRequest) -> GetAttendanceSummaryResponse;
        door.get_roster(GetRosterRequest) -> GetRosterResponse;
    }

    /// The event of that name.
    pub async fn event(&self, name: &str) -> Result<proto::Event, Failure> {
        let ask = proto::GetEventRequest { name: name.to_owned() };
        let answer = self.again(|| async { self.events.clone().get_event(self.timed(ask.clone())).await }).await?;
        answer.event.ok_or_else(|| Failure::Other(format!("the service answered {name} without an event")))
    }

    /// Opens a stream of changes, once.
    pub async fn watch_changes(
        &self,
        ask: proto::WatchChangesRequest,
    ) -> Result<Streaming<proto::WatchChangesResponse>, Status> {
        Ok(self.feed.clone().watch_changes(self.shown(ask)).await?.into_inner())
    }

    async fn again<A>(&self, call: impl AsyncFn() -> Result<Response<A>, Status>) -> Result<A, Failure> {
        let until = Instant::now() + self.patience;
        let mut pauses = Pauses::default();
        loop {
            let status = match call().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            let pause = pauses.next(&status);
            if !worth_another_try(&status) || Instant::now() + pause > until {
                return Err(status.into());
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// Where calls go, in plain text or over TLS.
fn endpoint(reach: &Reach) -> Result<Endpoint, Failure> {
    let server = &reach.server;
    let is_tls = server.starts_with("https://");
    if !is_tls && !server.starts_with("http://") {
        return Err(Failure::usage(format!("--server {server}: give https://NAME:PORT, or http://ADDRESS:PORT")));
    }
    let endpoint = Endpoint::from_shared(server.clone());
    let endpoint = endpoint.map_err(|_| Failure::usage(format!("--server {server} is no URL")))?;
    if !is_tls {
        // Whoever names these files means to be safe.
        return match reach.ca.as_ref().or(reach.client_certificate.as_ref()) {
            Some(_) => Err(Failure::usage(format!("--server {server} speaks no TLS: give https://NAME:PORT"))),
            None => Ok(endpoint),
        };
    }
    let read =
        |path: &Path| std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())));
    let mut config = ClientTlsConfig::new();
    config = match &reach.ca {
        Some(ca) => config.ca_certificate(Certificate::from_pem(read(ca)?)),
        None => config.with_native_roots(),
    };
    if let (Some(certificate), Some(key)) = (&reach.client_certificate, &reach.client_key) {
        config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    endpoint.tls_config(config).map_err(|e| Failure::usage(format!("the files for TLS do not serve: {}", root_of(&e))))
}

fn root_of(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root_of)
}

/// Never shown in a message, whatever is wrong with it.
fn authorization(secret: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", secret.trim())
        .parse()
        .map_err(|_| Failure::usage("--key (or EILE_KEY) is not the secret of an access key".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

pub fn worth_another_try(status: &Status) -> bool {
    status.code() == Code::Unavailable || lost(status)
}

/// Longer and longer, or as long as the service asks for.
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_millis(100))
    }
}

impl Pauses {
    pub fn next(&mut self, status: &Status) -> Duration {
        let asked = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
        let own = self.0;
        self.0 = (self.0 * 2).min(Duration::from_secs(2));
        asked.map_or(own, |asked| asked.clamp(own, Duration::from_secs(30)))
    }
}
