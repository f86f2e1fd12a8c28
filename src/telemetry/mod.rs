//! What operators see: the log on standard error, the metrics, and the port that shows them.

mod logs;
mod operators;

pub use logs::start_log;
pub use operators::{Health, Operators};

use crate::desk::{Desk, Observer};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::Duration;

/// What is counted of the desk.
pub struct DeskMeters {
    batch_size: Histogram,
    commit_seconds: Histogram,
    commands: Counter,
    cached: Gauge,
}

impl DeskMeters {
    pub fn new(registry: &mut Registry) -> Self {
        let meters = Self {
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            // From 100 microseconds to 1.6 seconds.
            commit_seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 15)),
            commands: Counter::default(),
            cached: Gauge::default(),
        };
        registry.register("eile_desk_batch_size", "Commands in one transaction", meters.batch_size.clone());
        registry.register(
            "eile_desk_commit_seconds",
            "Time to decide and commit one batch",
            meters.commit_seconds.clone(),
        );
        registry.register("eile_desk_commands", "Commands decided and committed", meters.commands.clone());
        registry.register("eile_desk_cached_registrations", "Registrations in memory", meters.cached.clone());
        meters
    }
}

impl Observer for DeskMeters {
    fn batch(&self, size: usize, took: Duration, cached: usize) {
        self.batch_size.observe(size as f64);
        self.commit_seconds.observe(took.as_secs_f64());
        self.commands.inc_by(size as u64);
        self.cached.set(i64::try_from(cached).unwrap_or(i64::MAX));
    }
}

/// The lines of the desk, asked whenever somebody looks: a line that is stuck shows how many wait behind it.
struct Lines(Desk);

/// Shows how many wait in each line.
pub fn show_lines(desk: &Desk, registry: &mut Registry) {
    registry.register_collector(Box::new(Lines(desk.clone())));
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lines").field(&self.0.waiting()).finish()
    }
}

impl Collector for Lines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Commands that wait in a line, beside those in work";
        let mut metric = encoder.encode_descriptor("eile_desk_waiting", help, None, MetricType::Gauge)?;
        for (line, waiting) in self.0.waiting().into_iter().enumerate() {
            let label = [("line", line.to_string())];
            let gauge = ConstGauge::new(i64::try_from(waiting).unwrap_or(i64::MAX));
            gauge.encode(metric.encode_family(&label)?)?;
        }
        Ok(())
    }
}

/// A registry that says which version is running.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let build = prometheus_client::metrics::info::Info::new(version);
    registry.register("eile_build", "The version that is running", build);
    registry
}
