//! Arguments in, exit code out.

use clap::Parser;
use eile::cli::{Arguments, run};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await
}
