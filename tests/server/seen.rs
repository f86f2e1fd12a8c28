//! What can be seen from outside: metrics, trace context, reflection.

use crate::support::{get, options, start, watch};
use std::time::Duration;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha;

fn line<'a>(metrics: &'a str, name: &str, method: &str, code: &str) -> Option<&'a str> {
    metrics.lines().find(|l| l.starts_with(name) && l.contains(method) && l.contains(code))
}

#[tokio::test]
async fn every_call_is_counted_by_method_and_code_also_where_its_caller_went_away() {
    let server = start(options()).await;
    let mut client = server.client().await;
    client.get_registration(get("any")).await.unwrap();
    client.get_registration(get("panic")).await.unwrap_err();
    let gone = tokio::time::timeout(Duration::from_millis(100), client.get_registration(get("slow"))).await;
    assert!(gone.is_err());
    let mut stream = client.watch_event(watch()).await.unwrap().into_inner();
    stream.message().await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(300)).await;

    let metrics = server.metrics();
    let handled = |method: &str, code: &str| {
        let line = line(&metrics, "grpc_server_handled_total", &format!("\"{method}\""), &format!("\"{code}\""));
        line.unwrap_or_else(|| panic!("{method} {code} in:\n{metrics}")).rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(handled("GetRegistration", "OK"), "1");
    assert_eq!(handled("GetRegistration", "Internal"), "1");
    assert_eq!(handled("GetRegistration", "Canceled"), "1");
    assert_eq!(handled("WatchEvent", "Canceled"), "1");
    let started = line(&metrics, "grpc_server_started_total", "GetRegistration", "eile.v1.RegistrationService");
    assert!(started.unwrap().ends_with(" 3"), "{started:?}");
    assert!(metrics.contains("grpc_server_handling_seconds_bucket"), "{metrics}");
    assert!(metrics.contains("eile_connections 1"), "{metrics}");
}

#[tokio::test]
async fn a_call_answers_under_the_trace_that_it_came_with() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = get("any");
    let given = format!("00-{trace}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", given.parse().unwrap());
    let response = client.get_registration(request).await.unwrap();
    let answer = response.metadata().get("traceparent").unwrap().to_str().unwrap().to_owned();
    assert!(answer.starts_with(&format!("00-{trace}-")) && answer != given, "{answer}");

    let fresh = client.get_registration(get("any")).await.unwrap();
    let fresh = fresh.metadata().get("traceparent").unwrap().to_str().unwrap();
    assert!(fresh.len() == 55 && !fresh.contains(trace), "{fresh}");
}

#[tokio::test]
async fn reflection_knows_the_services_and_the_details_of_a_no() {
    let server = start(options()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let ask = |what| ServerReflectionRequest { host: String::new(), message_request: Some(what) };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("eile.v1.RegistrationService".into())),
        ask(MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".into())),
    ]);
    let mut answers = client.server_reflection_info(questions).await.unwrap().into_inner();
    let mut next = async || -> ServerReflectionResponse { answers.message().await.unwrap().unwrap() };
    let Some(MessageResponse::ListServicesResponse(list)) = next().await.message_response else { panic!() };
    let names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
    for service in ["eile.v1.EventService", "eile.v1.AdminService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|n| n == service), "{names:?}");
    }
    for _ in 0..2 {
        let answer = next().await.message_response;
        assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
    }

    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel().await);
    let question = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut answers = old.server_reflection_info(tokio_stream::iter([question])).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
}
