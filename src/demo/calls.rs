//! The demo's telephone: every call of the year goes through here, over gRPC like anybody's, and is counted
//! by what was heard.

use crate::api::proto::{self, admin_service_client::AdminServiceClient, event_service_client::EventServiceClient};
use proto::attendance_service_client::AttendanceServiceClient;
use proto::people_service_client::PeopleServiceClient;
use proto::registration_service_client::RegistrationServiceClient;
use proto::report_service_client::ReportServiceClient;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

pub struct Calls {
    events: EventServiceClient<Channel>,
    people: RegistrationServiceClient<Channel>,
    door: AttendanceServiceClient<Channel>,
    admin: AdminServiceClient<Channel>,
    persons: PeopleServiceClient<Channel>,
    reports: ReportServiceClient<Channel>,
    tally: Mutex<Tally>,
}

/// What was heard over the year.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered calls per method.
    pub answered: BTreeMap<&'static str, u64>,
    /// Refusals per code and reason, as they were meant to be.
    pub refused: BTreeMap<(String, String), u64>,
    /// Answers that say the service failed: INTERNAL, UNKNOWN, DATA_LOSS, or no answer at all.
    pub failures: Vec<String>,
}

/// A no, and why.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    pub reason: String,
    pub message: String,
}

/// One forwarding method per rpc, so that callers name neither client nor metadata.
macro_rules! rpc {
    ($($client:ident . $name:ident ( $ask:ident ) -> $answer:ident;)*) => {$(
        pub async fn $name(&self, ask: proto::$ask) -> Result<proto::$answer, Refused> {
            self.heard(stringify!($name), self.$client.clone().$name(ask).await)
        }
    )*};
}

impl Calls {
    pub fn over(channel: Channel) -> Self {
        Self {
            events: EventServiceClient::new(channel.clone()),
            people: RegistrationServiceClient::new(channel.clone()),
            door: AttendanceServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel.clone()),
            persons: PeopleServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel),
            tally: Mutex::default(),
        }
    }

    rpc! {
        admin.create_centre(CreateCentreRequest) -> CreateCentreResponse;
        admin.create_programme(CreateProgrammeRequest) -> CreateProgrammeResponse;
        events.create_event(CreateEventRequest) -> CreateEventResponse;
        events.publish_event(PublishEventRequest) -> PublishEventResponse;
        events.get_event(GetEventRequest) -> GetEventResponse;
        events.list_events(ListEventsRequest) -> ListEventsResponse;
        events.update_event(UpdateEventRequest) -> UpdateEventResponse;
        events.cancel_event(CancelEventRequest) -> CancelEventResponse;
        events.complete_event(CompleteEventRequest) -> CompleteEventResponse;
        events.move_session(MoveSessionRequest) -> MoveSessionResponse;
        people.get_registration(GetRegistrationRequest) -> GetRegistrationResponse;
        people.list_registrations(ListRegistrationsRequest) -> ListRegistrationsResponse;
        people.update_registration(UpdateRegistrationRequest) -> UpdateRegistrationResponse;
        people.cancel_registration(CancelRegistrationRequest) -> CancelRegistrationResponse;
        people.accept_offer(AcceptOfferRequest) -> AcceptOfferResponse;
        people.decline_offer(DeclineOfferRequest) -> DeclineOfferResponse;
        people.approve_registration(ApproveRegistrationRequest) -> ApproveRegistrationResponse;
        people.set_registration_class(SetRegistrationClassRequest) -> SetRegistrationClassResponse;
        people.promote_registration(PromoteRegistrationRequest) -> PromoteRegistrationResponse;
        people.transfer_registration(TransferRegistrationRequest) -> TransferRegistrationResponse;
        people.explain_registration(ExplainRegistrationRequest) -> ExplainRegistrationResponse;
        door.get_roster(GetRosterRequest) -> GetRosterResponse;
        door.record_attendance(RecordAttendanceRequest) -> RecordAttendanceResponse;
        door.list_attendance(ListAttendanceRequest) -> ListAttendanceResponse;
        door.add_walk_in(AddWalkInRequest) -> AddWalkInResponse;
        door.record_head_count(RecordHeadCountRequest) -> RecordHeadCountResponse;
        door.get_completion(GetCompletionRequest) -> GetCompletionResponse;
        persons.list_possible_duplicates(ListPossibleDuplicatesRequest) -> ListPossibleDuplicatesResponse;
        persons.merge_persons(MergePersonsRequest) -> MergePersonsResponse;
        reports.create_report(CreateReportRequest) -> CreateReportResponse;
        reports.get_report(GetReportRequest) -> GetReportResponse;
        reports.list_corrections(ListCorrectionsRequest) -> ListCorrectionsResponse;
        reports.get_imbalance(GetImbalanceRequest) -> GetImbalanceResponse;
        reports.get_demand(GetDemandRequest) -> GetDemandResponse;
    }

    /// Signs a party up: through the public page, which cannot vouch for the contact, or through staff.
    pub async fn create_registration(
        &self,
        ask: proto::CreateRegistrationRequest,
        by_staff: bool,
    ) -> Result<proto::CreateRegistrationResponse, Refused> {
        let mut request = Request::new(ask);
        if !by_staff {
            request.metadata_mut().insert("eile-vouches", MetadataValue::from_static("no"));
        }
        self.heard("create_registration", self.people.clone().create_registration(request).await)
    }

    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard<A>(&self, method: &'static str, answer: Result<Response<A>, Status>) -> Result<A, Refused> {
        let status = match answer {
            Ok(answer) => {
                *self.lock().answered.entry(method).or_default() += 1;
                return Ok(answer.into_inner());
            }
            Err(status) => status,
        };
        let reason = status.get_error_details().error_info().map(|e| e.reason.clone()).unwrap_or_default();
        let meant = matches!(
            status.code(),
            Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted
        );
        let mut tally = self.lock();
        if meant {
            *tally.refused.entry((format!("{:?}", status.code()), reason.clone())).or_default() += 1;
        } else {
            tally.failures.push(format!("{method}: {:?} {reason} {}", status.code(), status.message()));
        }
        Err(Refused { reason, message: status.message().to_owned() })
    }
}
