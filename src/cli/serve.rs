//! `eile serve`: says what it uses, serves until it is told to stop, and leaves in order.

use super::{Flags, Service, say};
use crate::api::server::Drained;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::telemetry;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub async fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let config = flags.load()?;
    telemetry::start_log(&config.log).map_err(anyhow::Error::msg)?;
    warn_of_few_files(config.limits.connections_max);
    let mut signals = Signals::listen()?;
    let service = tokio::select! {
        started = Service::start(&config, Arc::new(SystemClock)) => started?,
        // Nothing was promised to anybody yet.
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    say_what_is_used(&config, &service);
    let fatal = service.desk().fatal().clone();
    let failed = tokio::select! {
        () = signals.next() => false,
        () = fatal.cancelled() => true,
    };
    say(format_args!("stopping: calls in work may end within {} s", config.limits.drain_timeout_seconds));
    let drained = tokio::select! {
        drained = service.drain() => drained,
        () = signals.next() => {
            say("stopped at once");
            // Whatever is still in work must not hold the process.
            std::process::exit(1);
        }
    };
    match drained {
        Drained::Whole => say("stopped"),
        Drained::Cut => say("stopped; calls that were still in work were cut"),
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One line each, never a secret.
fn say_what_is_used(config: &Config, service: &Service) {
    say(format_args!("eile {}", env!("CARGO_PKG_VERSION")));
    let found = match service.events() {
        0 => "no events yet: a new database".to_owned(),
        1 => "an existing database of 1 event".to_owned(),
        n => format!("an existing database of {n} events"),
    };
    say(format_args!("database: {} ({}; {found})", config.database, service.engine()));
    match service.access_keys() {
        None if service.issuer().is_none() => say(format_args!(
            "calls: {} (NO ACCESS KEYS: whoever reaches it is trusted as staff; `eile keys create` makes the first)",
            service.address()
        )),
        live => say(format_args!("calls: {} (access keys that let in: {})", service.address(), live.unwrap_or(0))),
    }
    if let Some(issuer) = service.issuer() {
        say(format_args!("people sign in with: {issuer}"));
    }
    if let Some(tls) = service.tls() {
        let clients = if tls.asks_clients() { "; clients may show certificates" } else { "" };
        say(format_args!("TLS: the certificate expires at {}{clients}", tls.expires().to_jiff()));
    }
    if !config.web.cors_origins.is_empty() {
        say(format_args!("gRPC-Web for: {}", config.web.cors_origins.join(", ")));
    }
    if let Some(address) = service.operators() {
        say(format_args!("operators: http://{address}/metrics, /livez, /readyz"));
    }
    say("ready");
}

/// Files that are open beside connections: databases, listeners, the runtime's own.
const OTHER_FILES: usize = 100;

/// A process that may open fewer files than it takes connections turns callers away when it is busy.
fn warn_of_few_files(connections_max: usize) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(files) = open_files(&limits).filter(|files| *files < connections_max + OTHER_FILES) {
        let wanted = connections_max + OTHER_FILES;
        tracing::warn!(files, wanted, "this process may open too few files for limits.connections_max");
    }
}

/// How many files the process may open; `None` where there is no bound, or nobody says.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::open_files;

    #[test]
    fn the_bound_on_open_files_is_read_where_there_is_one() {
        let limits =
            |soft: &str| format!("Limit  Soft Limit  Hard Limit  Units\nMax open files  {soft}  4096  files\n");
        assert_eq!(open_files(&limits("1024")), Some(1024));
        assert_eq!(open_files(&limits("unlimited")), None);
        assert_eq!(open_files(""), None);
    }
}
