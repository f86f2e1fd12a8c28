//! The service is asked again where it says so, and never for two things: a change goes under one request id, however
//! often it is sent.

use crate::house::{command, run};
use eile::api::proto::attendance_service_server::{AttendanceService, AttendanceServiceServer};
use eile::api::proto::event_service_server::{EventService, EventServiceServer};
use eile::api::proto::*;
use std::sync::{Arc, Mutex};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Says "send again" to the first two marks, and keeps the request ids of all of them.
#[derive(Clone, Default)]
struct Busy {
    heard: Arc<Mutex<Vec<String>>>,
}

macro_rules! canned {
    ($service:ident, $($name:ident: $request:ident -> $response:ident),* ; $($own:item)*) => {
        #[tonic::async_trait]
        impl $service for Busy {
            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented("not canned"))
            })*
            $($own)*
        }
    };
}

canned! {
    AttendanceService,
    list_attendance: ListAttendanceRequest -> ListAttendanceResponse,
    check_in: CheckInRequest -> CheckInResponse,
    add_walk_in: AddWalkInRequest -> AddWalkInResponse,
    record_head_count: RecordHeadCountRequest -> RecordHeadCountResponse,
    get_roster: GetRosterRequest -> GetRosterResponse,
    get_completion: GetCompletionRequest -> GetCompletionResponse;

    async fn record_attendance(
        &self,
        request: Request<RecordAttendanceRequest>,
    ) -> Result<Response<RecordAttendanceResponse>, Status> {
        let mut heard = self.heard.lock().unwrap();
        heard.push(request.into_inner().request_id);
        if heard.len() > 2 {
            return Ok(Response::new(RecordAttendanceResponse { new_marks: 1, ..Default::default() }));
        }
        let mut details = ErrorDetails::new();
        details.set_error_info("OUTCOME_UNKNOWN", "eile.v1", []);
        details.set_retry_info(Some(std::time::Duration::from_millis(300)));
        Err(Status::with_error_details(Code::Unavailable, "the outcome is not known yet", details))
    }
}

canned! {
    EventService,
    create_event: CreateEventRequest -> CreateEventResponse,
    list_events: ListEventsRequest -> ListEventsResponse,
    update_event: UpdateEventRequest -> UpdateEventResponse,
    publish_event: PublishEventRequest -> PublishEventResponse,
    cancel_event: CancelEventRequest -> CancelEventResponse,
    complete_event: CompleteEventRequest -> CompleteEventResponse,
    move_session: MoveSessionRequest -> MoveSessionResponse,
    cancel_session: CancelSessionRequest -> CancelSessionResponse,
    copy_event: CopyEventRequest -> CopyEventResponse;

    async fn get_event(&self, _: Request<GetEventRequest>) -> Result<Response<GetEventResponse>, Status> {
        Ok(Response::new(GetEventResponse { event: Some(Event::default()) }))
    }
}

async fn busy() -> (Busy, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let busy = Busy::default();
    let services = tonic::transport::Server::builder()
        .add_service(AttendanceServiceServer::new(busy.clone()))
        .add_service(EventServiceServer::new(busy.clone()));
    tokio::spawn(services.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
    (busy, server)
}

const ID: &str = "0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11";
const MARK: [&str; 11] =
    ["attendance", "mark", ID, "--session", "s1", "--registration", ID, "--member", "1", "--mark", "present"];

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_sent_again_under_the_same_id_until_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (busy, server) = busy().await;
    let begun = std::time::Instant::now();
    let arguments = [&MARK[..], &["--server", &server, "--format", "json"]].concat();
    let said = run(command(folder.path(), &arguments)).await.well().json();
    assert_eq!(said["new_marks"], 1);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(600), "as late as the service asked for");
    let heard = busy.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|id| *id == heard[0] && uuid::Uuid::parse_str(id).is_ok()), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_patience_ends_the_id_is_told_to_ask_again_under() {
    let folder = tempfile::tempdir().unwrap();
    let (busy, server) = busy().await;
    let arguments = [&MARK[..], &["--server", &server, "--patience", "0"]].concat();
    let said = run(command(folder.path(), &arguments)).await.ended(5, "[OUTCOME_UNKNOWN]");
    let id = busy.heard.lock().unwrap()[0].clone();
    assert!(said.error.contains(&format!("--request-id {id}")), "{}", said.error);
}
