//! A server over a canned service, on a free port.

use eile::api::FILE_DESCRIPTOR_SET;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::registration_service_server::{RegistrationService, RegistrationServiceServer};
use eile::api::proto::*;
use eile::api::server::{self, Listening, MESSAGE_BYTES_MAX, Running, ServerOptions};
use eile::clock::SystemClock;
use eile::tls::{Files, Tls};
use prometheus_client::registry::Registry;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

/// Answers by the name that is asked for: `slow` after a long time, `panic` by one, `held` when it is let
/// go; anything else at once.
#[derive(Clone, Default)]
pub struct Canned {
    pub let_go: Arc<Notify>,
    pub arrived: Arc<Notify>,
}

pub struct TestServer {
    pub running: Running,
    pub canned: Canned,
    pub registry: Registry,
}

pub fn options() -> ServerOptions {
    ServerOptions {
        deadline_max: Duration::from_secs(20),
        concurrency_max: 64,
        connections_max: 64,
        streams_per_connection_max: 64,
        cors_origins: vec!["https://sign-up.example.org".to_owned()],
        ..ServerOptions::default()
    }
}

pub async fn start(options: ServerOptions) -> TestServer {
    start_over(options, None).await
}

/// The same, over TLS with these files.
pub async fn start_over(options: ServerOptions, files: Option<Files>) -> TestServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let canned = Canned::default();
    let service = RegistrationServiceServer::new(canned.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let mut registry = Registry::default();
    let tls = files.map(|files| Tls::open(files, Arc::new(SystemClock), &mut registry).unwrap());
    let listener = Listening { tcp: listener, tls };
    let drain = CancellationToken::new();
    let routes = Routes::new(service);
    let running = server::start(listener, routes, FILE_DESCRIPTOR_SET, &options, &mut registry, drain).await.unwrap();
    TestServer { running, canned, registry }
}

impl TestServer {
    pub async fn channel(&self) -> Channel {
        let url = format!("http://{}", self.running.address());
        Channel::from_shared(url).unwrap().connect().await.unwrap()
    }

    pub async fn client(&self) -> RegistrationServiceClient<Channel> {
        RegistrationServiceClient::new(self.channel().await)
    }

    /// The metrics as Prometheus reads them.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }
}

pub fn get(name: &str) -> Request<GetRegistrationRequest> {
    Request::new(GetRegistrationRequest { name: name.to_owned(), ..Default::default() })
}

pub fn watch() -> Request<WatchEventRequest> {
    Request::new(WatchEventRequest { name: "events/any".to_owned() })
}

/// The reason in a no, and its metadata.
pub fn reason(status: &Status) -> (String, std::collections::HashMap<String, String>) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "eile.v1");
    (info.reason.clone(), info.metadata.clone())
}

type Watching<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

macro_rules! not_canned {
    ($($name:ident: $request:ident -> $response:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl RegistrationService for Canned {
            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Ok(Response::new($response::default()))
            })*

            async fn get_registration(
                &self,
                request: Request<GetRegistrationRequest>,
            ) -> Result<Response<GetRegistrationResponse>, Status> {
                match request.into_inner().name.as_str() {
                    "slow" => tokio::time::sleep(Duration::from_secs(60)).await,
                    "panic" => panic!("a secret of the inside"),
                    "held" => {
                        self.arrived.notify_one();
                        self.let_go.notified().await;
                    }
                    _ => {}
                }
                Ok(Response::new(GetRegistrationResponse::default()))
            }

            type WatchRegistrationStream = Watching<WatchRegistrationResponse>;
            async fn watch_registration(
                &self,
                _: Request<WatchRegistrationRequest>,
            ) -> Result<Response<Self::WatchRegistrationStream>, Status> {
                Ok(Response::new(Box::pin(tokio_stream::pending())))
            }

            /// Says one thing, and then nothing ever.
            type WatchEventStream = Watching<WatchEventResponse>;
            async fn watch_event(
                &self,
                _: Request<WatchEventRequest>,
            ) -> Result<Response<Self::WatchEventStream>, Status> {
                let first = tokio_stream::once(Ok(WatchEventResponse::default()));
                Ok(Response::new(Box::pin(first.chain(tokio_stream::pending()))))
            }
        }
    };
}

not_canned! {
    create_registration: CreateRegistrationRequest -> CreateRegistrationResponse,
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
