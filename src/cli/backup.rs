//! `eile backup`: a copy of the embedded database, made beside the service.

use super::{Flags, say, service};
use crate::storage;
use anyhow::Context;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Where the copy goes; a file that is not there yet.
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.flags.load()?;
    let to = &arguments.to;
    let copied = storage::backup(&service::url(&config.database), to).await;
    copied.with_context(|| format!("no backup of {}", config.database))?;
    let bytes = std::fs::metadata(to).map(|data| data.len()).unwrap_or_default();
    say(format_args!("{}: the database {} as it was a moment ago, {bytes} bytes", to.display(), config.database));
    Ok(ExitCode::SUCCESS)
}
