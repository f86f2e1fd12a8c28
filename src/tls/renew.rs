//! Renewal: the files are read every few seconds, and what is new in them is spoken from the next connection on. What does
//! not serve is told loudly, and what was there before goes on.

use super::files::{Contents, Files, Loaded, TlsError};
use crate::clock::Clock;
use crate::model::time::{Span, Timestamp};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;

/// How often the files are read.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Fewer left, and it is told.
const SOON: Span = Span::hours(24 * 14);
/// How often what must not be missed is told again.
const AGAIN: Span = Span::hours(6);

/// What operators see of it.
pub struct Meters {
    expires: Gauge,
    broken: Gauge,
}

impl Meters {
    pub fn new(registry: &mut Registry) -> Self {
        let meters = Self { expires: Gauge::default(), broken: Gauge::default() };
        let help = "When the certificate that is spoken with expires, in seconds since 1970";
        registry.register("eile_tls_certificate_expires_seconds", help, meters.expires.clone());
        let help = "1 while the files hold something that does not serve, and what was there before goes on";
        registry.register("eile_tls_files_broken", help, meters.broken.clone());
        meters
    }
}

/// Who looks at the files.
pub struct Keeper {
    files: Files,
    /// What is spoken with.
    current: Contents,
    expires: Timestamp,
    /// What did not serve, as it was told of last.
    trouble: Option<String>,
    told_trouble: Option<Timestamp>,
    told_end: Option<Timestamp>,
    clock: Arc<dyn Clock>,
    meters: Meters,
}

impl Keeper {
    pub fn new(files: Files, current: Contents, expires: Timestamp, clock: Arc<dyn Clock>, meters: Meters) -> Self {
        Self { files, current, expires, trouble: None, told_trouble: None, told_end: None, clock, meters }
    }

    /// Looks until nobody speaks TLS any more.
    pub async fn keep(mut self, sender: watch::Sender<Arc<ServerConfig>>) {
        self.tell_end("the certificate for TLS");
        loop {
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.look() {
                Ok(None) => self.well(),
                Ok(Some(config)) => {
                    sender.send_replace(config);
                    self.well();
                    self.tell_end("a new certificate for TLS from now on");
                }
                Err(error) => self.tell_trouble(&error),
            }
            self.warn_of_end();
        }
    }

    /// What is to be spoken from now on, if that is something new.
    fn look(&mut self) -> Result<Option<Arc<ServerConfig>>, TlsError> {
        let contents = self.files.read()?;
        if contents == self.current {
            return Ok(None);
        }
        let Loaded { config, expires } = self.files.load(&contents)?;
        if expires <= self.clock.now() {
            return Err(TlsError::Expired(self.files.certificate.clone()));
        }
        (self.current, self.expires) = (contents, expires);
        Ok(Some(config))
    }

    fn well(&mut self) {
        if self.told_trouble.is_some() {
            tracing::info!("the files for TLS serve again");
        }
        (self.trouble, self.told_trouble) = (None, None);
        self.meters.broken.set(0);
    }

    /// Only what is found twice: certificate and key are seldom written in one moment.
    fn tell_trouble(&mut self, error: &TlsError) {
        let text = error.to_string();
        let now = self.clock.now();
        if self.trouble.as_ref() != Some(&text) {
            (self.trouble, self.told_trouble) = (Some(text), None);
            return;
        }
        self.meters.broken.set(1);
        if self.told_trouble.is_none_or(|told| now >= told.plus(AGAIN)) {
            tracing::error!(%error, "the files for TLS do not serve: what was there before goes on");
            self.told_trouble = Some(now);
        }
    }

    fn tell_end(&mut self, what: &str) {
        self.meters.expires.set(self.expires.0.div_euclid(1_000_000));
        tracing::info!(expires = %self.expires.to_jiff(), "{what}");
        self.told_end = None;
        self.warn_of_end();
    }

    fn warn_of_end(&mut self) {
        let now = self.clock.now();
        let is_told = self.told_end.is_some_and(|told| now < told.plus(AGAIN));
        if is_told || self.expires.since(now) >= SOON {
            return;
        }
        self.told_end = Some(now);
        let expires = self.expires.to_jiff();
        match self.expires <= now {
            true => tracing::error!(%expires, "the certificate for TLS has expired: nobody trusts this service"),
            false => tracing::warn!(%expires, "the certificate for TLS expires in less than 14 days"),
        }
    }
}
