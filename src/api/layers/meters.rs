//! What is counted of calls, under the names that dashboards for gRPC servers know:
//! `grpc_server_started_total`, `grpc_server_handled_total` and `grpc_server_handling_seconds`.
//!
//! The methods are known beforehand, so that a call costs no label lookup and nobody can make up labels.

use super::refuse::{Ending, GONE, code_name};
use super::trace::TraceContext;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use prost::Message;
use prost_types::method_options::IdempotencyLevel;
use prost_types::{FileDescriptorSet, MethodDescriptorProto, MethodOptions};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    grpc_service: String,
    grpc_method: String,
    grpc_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    grpc_service: String,
    grpc_method: String,
    grpc_type: &'static str,
    grpc_code: &'static str,
}

type Handled = Family<CodeLabels, Counter>;

/// The counters of every method, by path.
pub struct Meters {
    methods: HashMap<String, Arc<Method>>,
    /// Health, reflection, and what does not exist.
    other: Arc<Method>,
}

struct Method {
    labels: MethodLabels,
    /// It changes nothing, as its description says.
    reads: bool,
    started: Counter,
    seconds: Histogram,
    handled: Handled,
    /// By code, taken from `handled` when first needed.
    codes: [OnceLock<Counter>; 17],
}

impl Meters {
    /// Registers the counters of all services in an encoded descriptor set.
    pub fn new(registry: &mut Registry, descriptors: &[u8]) -> Self {
        let started = Family::<MethodLabels, Counter>::default();
        let handled = Handled::default();
        // From 100 microseconds to 26 seconds.
        let seconds = Family::<MethodLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.0001, 4.0, 10))
        });
        registry.register("grpc_server_started", "Calls begun", started.clone());
        registry.register("grpc_server_handled", "Calls ended, by code", handled.clone());
        registry.register("grpc_server_handling_seconds", "Time from call to answer", seconds.clone());
        let method = |labels: MethodLabels, reads: bool| {
            Arc::new(Method {
                reads,
                started: started.get_or_create_owned(&labels),
                seconds: seconds.get_or_create_owned(&labels),
                handled: handled.clone(),
                labels,
                codes: Default::default(),
            })
        };
        let methods = methods_of(descriptors)
            .into_iter()
            .map(|(labels, reads)| (format!("/{}/{}", labels.grpc_service, labels.grpc_method), method(labels, reads)))
            .collect();
        let other = MethodLabels { grpc_service: "other".into(), grpc_method: "other".into(), grpc_type: "unary" };
        Self { methods, other: method(other, false) }
    }

    /// Counts a call as begun. Whatever becomes of what is given back, the call is counted as ended.
    pub fn begin(&self, path: &str, trace: TraceContext) -> Seen {
        let method = Arc::clone(self.methods.get(path).unwrap_or(&self.other));
        method.started.inc();
        Seen { method, trace, since: Instant::now(), counted: false }
    }
}

fn methods_of(descriptors: &[u8]) -> Vec<(MethodLabels, bool)> {
    let files = FileDescriptorSet::decode(descriptors).unwrap_or_default().file;
    let kind = |method: &MethodDescriptorProto| match (method.client_streaming(), method.server_streaming()) {
        (false, false) => "unary",
        (false, true) => "server_stream",
        (true, false) => "client_stream",
        (true, true) => "bidi_stream",
    };
    let mut all = Vec::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let labels = MethodLabels {
                    grpc_service: format!("{}.{}", file.package(), service.name()),
                    grpc_method: method.name().to_owned(),
                    grpc_type: kind(method),
                };
                let level = method.options.as_ref().map(MethodOptions::idempotency_level);
                all.push((labels, level == Some(IdempotencyLevel::NoSideEffects)));
            }
        }
    }
    all
}

/// A call that has begun. Dropped without an end, its caller went away.
pub struct Seen {
    method: Arc<Method>,
    trace: TraceContext,
    since: Instant,
    counted: bool,
}

impl Seen {
    /// Whether its answer is a stream.
    pub fn is_stream(&self) -> bool {
        self.method.labels.grpc_type != "unary"
    }

    /// Whether it changes nothing and answers once, so that its answer can still be refused.
    pub fn only_reads(&self) -> bool {
        self.method.reads && !self.is_stream()
    }

    pub fn finish(mut self, code: Ending) {
        self.count(code);
    }

    fn count(&mut self, code: Ending) {
        if std::mem::replace(&mut self.counted, true) {
            return;
        }
        let took = self.since.elapsed();
        self.method.seconds.observe(took.as_secs_f64());
        self.method.counter(code).inc();
        tracing::debug!(
            method = self.method.labels.grpc_method,
            code = code_name(code),
            trace_id = %self.trace.trace_id(),
            duration_ms = took.as_secs_f64() * 1_000.0,
            "call answered"
        );
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.count(GONE);
    }
}

impl Method {
    fn counter(&self, code: Ending) -> &Counter {
        self.codes[code as usize % 17].get_or_init(|| {
            self.handled.get_or_create_owned(&CodeLabels {
                grpc_service: self.labels.grpc_service.clone(),
                grpc_method: self.labels.grpc_method.clone(),
                grpc_type: self.labels.grpc_type,
                grpc_code: code_name(code),
            })
        })
    }
}
