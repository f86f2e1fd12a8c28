//! What is measured, over the same port as all calls and for whoever has the right: Prometheus itself reads it on loopback
//! (`telemetry::Operators`), which has no password.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::{Arc, OnceLock};

/// The meters, once all of them are registered. A clone is the same.
#[derive(Clone, Default)]
pub struct Metrics(Arc<OnceLock<Arc<Registry>>>);

impl Metrics {
    /// To be told once, when everything that measures is there.
    pub fn set(&self, registry: Arc<Registry>) {
        let _ = self.0.set(registry);
    }

    /// As OpenMetrics text; empty before they are set.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        if let Some(registry) = self.0.get() {
            encode(&mut text, registry)?;
        }
        Ok(text)
    }
}
