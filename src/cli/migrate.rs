//! `eile migrate`: for operators who let `serve` start with `--no-migrate`.

use super::{Flags, say, service};
use crate::storage;
use std::process::ExitCode;

pub async fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let config = flags.load()?;
    service::make_folder(&config.database)?;
    storage::migrate(&service::url(&config.database)).await?;
    say(format_args!("database: {}", config.database));
    say("its tables are up to date");
    Ok(ExitCode::SUCCESS)
}
