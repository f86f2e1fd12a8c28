//! What is refused at start: settings that would be unsafe, or that cannot work. One line each.

use super::{Config, ConfigError};
use std::net::SocketAddr;

impl Config {
    /// Refuses unsafe and impossible settings; the first one found is told.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.refusal().map_or(Ok(()), |line| Err(ConfigError::Refused(line)))
    }

    fn refusal(&self) -> Option<String> {
        self.tls_refusal()
            .or_else(|| self.listen_refusal())
            .or_else(|| self.metrics_refusal())
            .or_else(|| self.bounds_refusal())
            .or_else(|| self.oidc.options().err())
            .or_else(|| self.web.cors_origins.iter().find_map(|origin| origin_refusal(origin)))
    }

    fn listen_refusal(&self) -> Option<String> {
        let is_safe = self.listen.ip().is_loopback() || self.behind_proxy || self.tls.files().is_some();
        (!is_safe).then(|| {
            format!(
                "listen {} is not a loopback address, and there plain text is read by others: set tls.certificate_file and \
                 tls.key_file, or put a proxy in front of it that does TLS and set behind_proxy",
                self.listen
            )
        })
    }

    fn tls_refusal(&self) -> Option<String> {
        let tls = &self.tls;
        match (tls.certificate_file.is_empty(), tls.key_file.is_empty(), tls.client_ca_file.is_empty()) {
            (true, true, true) | (false, false, _) => None,
            (false, true, _) => Some("tls.certificate_file is set without tls.key_file".to_owned()),
            (true, false, _) => Some("tls.key_file is set without tls.certificate_file".to_owned()),
            (true, true, false) => Some(
                "tls.client_ca_file needs tls.certificate_file and tls.key_file: clients show certificates over TLS"
                    .to_owned(),
            ),
        }
    }

    fn metrics_refusal(&self) -> Option<String> {
        let text = self.metrics.listen.as_str();
        if text.is_empty() {
            return None;
        }
        match text.parse::<SocketAddr>() {
            Err(_) => Some(format!("metrics.listen {text} is not an address such as 127.0.0.1:9464")),
            Ok(at) if !at.ip().is_loopback() => {
                Some(format!("metrics.listen {at} is not a loopback address: it has no password"))
            }
            Ok(at) if at == self.listen && at.port() != 0 => Some(format!("metrics.listen {at} is the same as listen")),
            Ok(_) => None,
        }
    }

    fn bounds_refusal(&self) -> Option<String> {
        let (limits, desk) = (&self.limits, &self.desk);
        let at_least_one = [
            ("limits.deadline_max_ms", limits.deadline_max_ms),
            ("limits.concurrency_max", limits.concurrency_max as u64),
            ("limits.connections_max", limits.connections_max as u64),
            ("limits.connections_per_address_max", limits.connections_per_address_max as u64),
            ("limits.streams_per_connection_max", u64::from(limits.streams_per_connection_max)),
            ("limits.calls_per_address_max", limits.calls_per_address_max as u64),
            ("limits.streams_max", limits.streams_max as u64),
            ("limits.arriving_mib_max", limits.arriving_mib_max as u64),
            ("limits.idle_seconds", limits.idle_seconds),
            ("limits.drain_timeout_seconds", limits.drain_timeout_seconds),
            ("desk.lines", desk.lines as u64),
            ("desk.batch_max", desk.batch_max as u64),
            ("desk.queue_max", desk.queue_max as u64),
            ("desk.cache_max", desk.cache_max as u64),
            ("desk.sweep_every_ms", desk.sweep_every_ms),
            ("feed.keep_days", u64::from(self.feed.keep_days)),
            ("access_log.keep_days", u64::from(self.access_log.keep_days)),
            ("pool.readers", u64::from(self.pool.readers)),
            ("pool.patience_seconds", self.pool.patience_seconds),
        ];
        let at_most = [
            ("limits.deadline_max_ms", limits.deadline_max_ms, 3_600_000),
            ("limits.calls_per_second", u64::from(limits.calls_per_second), 1_000_000),
            ("limits.arriving_mib_max", limits.arriving_mib_max as u64, 65_536),
            ("limits.idle_seconds", limits.idle_seconds, 86_400),
            ("limits.drain_timeout_seconds", limits.drain_timeout_seconds, 3_600),
            ("limits.drain_notice_seconds", limits.drain_notice_seconds, 3_600),
            ("desk.lines", desk.lines as u64, 64),
            ("desk.batch_max", desk.batch_max as u64, 65_536),
            ("desk.sweep_every_ms", desk.sweep_every_ms, 3_600_000),
            ("feed.keep_days", u64::from(self.feed.keep_days), 36_500),
            ("access_log.keep_days", u64::from(self.access_log.keep_days), 36_500),
            ("pool.readers", u64::from(self.pool.readers), 1_000),
            ("pool.patience_seconds", self.pool.patience_seconds, 600),
            ("reports.small_cell", self.reports.small_cell, 1_000),
            ("retention.unseated_days", u64::from(self.retention.unseated_days), 36_500),
            ("retention.contact_days", u64::from(self.retention.contact_days), 36_500),
            ("retention.participant_days", u64::from(self.retention.participant_days), 36_500),
            ("retention.project_days", u64::from(self.retention.project_days), 36_500),
        ];
        let zero = at_least_one.iter().find(|(_, value)| *value == 0);
        let too_large = at_most.iter().find(|(_, value, most)| value > most);
        let cell = (self.reports.small_cell < 5).then(|| "reports.small_cell must be at least 5".to_owned());
        zero.map(|(name, _)| format!("{name} must be at least 1"))
            .or(cell)
            .or_else(|| too_large.map(|(name, _, most)| format!("{name} must be at most {most}")))
    }
}

/// An origin is a scheme, a host and perhaps a port; a star would let every site in.
fn origin_refusal(origin: &str) -> Option<String> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let sound = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
    });
    (!sound).then(|| format!("web.cors_origins: {origin} is not an origin such as https://sign-up.example.org"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        config.refusal()
    }

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    fn unsafe_and_impossible_settings_are_refused_with_one_clear_line() {
        let table: Vec<(Option<String>, &str)> = vec![
            (refusal(|c| c.listen = ([0, 0, 0, 0], 7443).into()), "listen 0.0.0.0:7443 is not a loopback"),
            (refusal(|c| c.listen = ([192, 0, 2, 1], 7443).into()), "listen 192.0.2.1:7443 is not a loopback"),
            (refusal(|c| c.tls.certificate_file = "a.pem".into()), "tls.certificate_file is set without tls.key_file"),
            (refusal(|c| c.tls.key_file = "a.pem".into()), "tls.key_file is set without tls.certificate_file"),
            (refusal(|c| c.tls.client_ca_file = "a.pem".into()), "tls.client_ca_file needs tls.certificate_file"),
            (refusal(|c| c.metrics.listen = "9464".into()), "metrics.listen 9464 is not an address"),
            (refusal(|c| c.metrics.listen = "0.0.0.0:9464".into()), "metrics.listen 0.0.0.0:9464 is not a loop"),
            (refusal(|c| c.metrics.listen = "127.0.0.1:7443".into()), "metrics.listen 127.0.0.1:7443 is the same"),
            (refusal(|c| c.limits.deadline_max_ms = 0), "limits.deadline_max_ms must be at least 1"),
            (refusal(|c| c.limits.deadline_max_ms = u64::MAX), "limits.deadline_max_ms must be at most"),
            (refusal(|c| c.limits.concurrency_max = 0), "limits.concurrency_max must be at least 1"),
            (refusal(|c| c.limits.connections_max = 0), "limits.connections_max must be at least 1"),
            (
                refusal(|c| c.limits.connections_per_address_max = 0),
                "limits.connections_per_address_max must be at least 1",
            ),
            (refusal(|c| c.limits.calls_per_address_max = 0), "limits.calls_per_address_max must be at least 1"),
            (refusal(|c| c.limits.streams_max = 0), "limits.streams_max must be at least 1"),
            (refusal(|c| c.limits.arriving_mib_max = 0), "limits.arriving_mib_max must be at least 1"),
            (refusal(|c| c.limits.idle_seconds = 0), "limits.idle_seconds must be at least 1"),
            (refusal(|c| c.limits.idle_seconds = 86_401), "limits.idle_seconds must be at most 86400"),
            (refusal(|c| c.desk.lines = 0), "desk.lines must be at least 1"),
            (refusal(|c| c.desk.batch_max = 0), "desk.batch_max must be at least 1"),
            (refusal(|c| c.feed.keep_days = 0), "feed.keep_days must be at least 1"),
            (refusal(|c| c.access_log.keep_days = 0), "access_log.keep_days must be at least 1"),
            (refusal(|c| c.pool.readers = 0), "pool.readers must be at least 1"),
            (refusal(|c| c.pool.patience_seconds = 601), "pool.patience_seconds must be at most 600"),
            (refusal(|c| c.web.cors_origins = vec!["*".into()]), "web.cors_origins: * is not an origin"),
            (refusal(|c| c.web.cors_origins = vec!["https://a.example/x".into()]), "web.cors_origins: https"),
            (refusal(|c| c.web.cors_origins = vec!["a.example".into()]), "web.cors_origins: a.example"),
        ];
        for (line, expected) in table {
            let line = line.unwrap();
            assert!(line.starts_with(expected), "{line}");
            assert_eq!(line.lines().count(), 1);
        }
        assert_eq!(refusal(|c| c.listen = ([127, 0, 0, 2], 0).into()), None);
        assert_eq!(refusal(|c| c.web.cors_origins = vec!["http://localhost:5173".into()]), None);
        let elsewhere = |change: fn(&mut Config)| {
            refusal(|c| {
                c.listen = ([192, 0, 2, 1], 7443).into();
                change(c);
            })
        };
        assert_eq!(elsewhere(|c| c.behind_proxy = true), None);
        let pair = |c: &mut Config| (c.tls.certificate_file, c.tls.key_file) = ("a.pem".into(), "b.pem".into());
        assert_eq!(elsewhere(pair), None);
    }
}
