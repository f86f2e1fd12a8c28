//! `eile check`: a thin wrapper around `audit`.

use super::{Flags, say, service};
use crate::audit::{self, Checked, Summary};
use crate::model::id::EventId;
use crate::storage::Store;
use anyhow::{Context, bail};
use std::process::ExitCode;
use uuid::Uuid;

/// A SQLite database must be at rest: stop the service first. On PostgreSQL it may run.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Only this event: events/{id}, or its id.
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut config = arguments.flags.load()?;
    // A check looks; it changes nothing.
    config.migrate = false;
    let event = arguments.event.as_deref().map(event_id).transpose()?;
    let store = service::open_store(&config).await?;
    let summary = check(&*store, event).await;
    store.close().await;
    let summary = summary?;
    say(summary);
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn check(store: &dyn Store, event: Option<EventId>) -> anyhow::Result<Summary> {
    let Some(event) = event else { return Ok(audit::check_all(store, tell).await?) };
    let Some(checked) = audit::check_event(store, event).await? else {
        bail!("there is no event events/{}", event.0);
    };
    tell(&checked);
    Ok(Summary::of(&checked))
}

/// Events where everything agrees are not told one by one.
fn tell(checked: &Checked) {
    if !checked.differences.is_empty() {
        say(checked);
    }
}

fn event_id(name: &str) -> anyhow::Result<EventId> {
    let id = name.strip_prefix("events/").unwrap_or(name);
    let id: Uuid = id.parse().with_context(|| format!("{name} is no event: give events/{{id}}"))?;
    Ok(EventId(id))
}
