//! Exports stream: however many rows, the client holds a page of them. Behind the wire stands a service that has as
//! many changes as are asked for, so that only the client is measured.

use crate::house::command;
use eile::api::proto::change_service_server::{ChangeService, ChangeServiceServer};
use eile::api::proto::event_service_server::{EventService, EventServiceServer};
use eile::api::proto::*;
use std::process::Stdio;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// Rows of the smaller export; the larger has eight times as many. More are asked for by EILE_TEST_EXPORT_ROWS.
const ROWS: i64 = 5_000;
const MIB: u64 = 1024;

struct Canned {
    rows: i64,
}

#[tonic::async_trait]
impl ChangeService for Canned {
    async fn list_changes(
        &self,
        request: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        let request = request.into_inner();
        let from: i64 = request.start.unwrap_or_default().cursor.parse().unwrap_or(0);
        let to = (from + i64::from(request.page_size)).min(self.rows);
        let changes = (from..to).map(|n| Change {
            event: "events/0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11".into(),
            registration: format!(
                "events/0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11/registrations/{}",
                uuid::Uuid::from_u128(n as u128)
            ),
            journal_number: n + 1,
            because: "first_in_line".into(),
            ..Default::default()
        });
        let answer = ListChangesResponse { changes: changes.collect(), cursor: to.to_string(), more: to < self.rows };
        Ok(Response::new(answer))
    }

    type WatchChangesStream = tokio_stream::Pending<Result<WatchChangesResponse, Status>>;
    async fn watch_changes(
        &self,
        _: Request<WatchChangesRequest>,
    ) -> Result<Response<Self::WatchChangesStream>, Status> {
        Ok(Response::new(tokio_stream::pending()))
    }
}

macro_rules! not_canned {
    ($($name:ident: $request:ident -> $response:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl EventService for Canned {
            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented("not canned"))
            })*

            async fn get_event(&self, _: Request<GetEventRequest>) -> Result<Response<GetEventResponse>, Status> {
                let event = Event { time_zone: "Europe/Vilnius".into(), ..Default::default() };
                Ok(Response::new(GetEventResponse { event: Some(event) }))
            }
        }
    };
}

not_canned! {
    create_event: CreateEventRequest -> CreateEventResponse,
    list_events: ListEventsRequest -> ListEventsResponse,
    update_event: UpdateEventRequest -> UpdateEventResponse,
    publish_event: PublishEventRequest -> PublishEventResponse,
    cancel_event: CancelEventRequest -> CancelEventResponse,
    complete_event: CompleteEventRequest -> CompleteEventResponse,
    move_session: MoveSessionRequest -> MoveSessionResponse,
    cancel_session: CancelSessionRequest -> CancelSessionResponse,
    copy_event: CopyEventRequest -> CopyEventResponse,
}

/// The most memory that an export of so many rows ever had, in KiB, and the bytes that it wrote.
async fn peak(rows: i64, format: &str) -> (u64, u64) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let services = tonic::transport::Server::builder()
        .add_service(ChangeServiceServer::new(Canned { rows }))
        .add_service(EventServiceServer::new(Canned { rows }));
    let serving = tokio::spawn(services.serve_with_incoming(incoming));
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["changes", "--server", &server, "--format", format, "--output", "changes.out"];
    let mut child = command(folder.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let mut most = 0;
    let code = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        if let Ok(ended) = tokio::time::timeout(Duration::from_millis(20), child.wait()).await {
            break ended.unwrap().code();
        }
    };
    serving.abort();
    assert_eq!(code, Some(0));
    (most, std::fs::metadata(folder.path().join("changes.out")).unwrap().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_a_page_of_rows_however_many_there_are() {
    let rows = std::env::var("EILE_TEST_EXPORT_ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROWS);
    for format in ["csv", "json", "table", "xlsx"] {
        let (few, small) = peak(rows, format).await;
        let (many, large) = peak(8 * rows, format).await;
        println!("{format}: {few} KiB for {rows} rows, {many} KiB for eight times as many");
        assert!(large > 6 * small, "{format}: {small} and {large} bytes");
        assert!(few > 0 && many < 64 * MIB, "{format}: {many} KiB");
        assert!(many < few + 16 * MIB, "{format}: {few} KiB for {rows} rows, {many} for eight times as many");
    }
}
