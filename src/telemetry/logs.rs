//! The log, on standard error: for people, or JSON with one object a line. Standard output stays free for
//! what a command answers.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts the log of this process. Libraries below us speak up only where something is wrong.
pub fn start_log(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(with_quiet_libraries(&log.level))
        .map_err(|why| format!("log.level {}: {why}", log.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Human => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).try_init(),
    };
    started.map_err(|why| why.to_string())
}

/// A bare level is meant for the service itself; a filter with rooms in it is taken as it is.
fn with_quiet_libraries(level: &str) -> String {
    if level.contains(['=', ',']) {
        return level.to_owned();
    }
    match level {
        "off" | "error" => level.to_owned(),
        _ => format!("warn,eile={level}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_for_the_service_and_a_filter_is_taken_as_it_is() {
        assert_eq!(with_quiet_libraries("debug"), "warn,eile=debug");
        assert_eq!(with_quiet_libraries("error"), "error");
        assert_eq!(with_quiet_libraries("info,eile::api=trace"), "info,eile::api=trace");
    }

    #[test]
    fn a_level_that_does_not_exist_is_refused() {
        let log = Log { format: LogFormat::Human, level: "loud=very".to_owned() };
        assert!(start_log(&log).is_err_and(|why| why.contains("loud")));
    }
}
