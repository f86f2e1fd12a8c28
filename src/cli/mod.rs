//! The command line: what can be asked of the binary. It wires the rooms together and decides nothing.

mod admin_key;
mod backup;
mod check;
mod flags;
mod migrate;
mod serve;
mod service;

pub use flags::Flags;
pub use service::Service;

use crate::client;
use clap::{CommandFactory, Parser, Subcommand};
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Event registration and waiting lines that everyone can check.
#[derive(Parser)]
#[command(name = "eile", version, arg_required_else_help = true, after_help = client::EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Takes calls until it is told to stop (SIGTERM or Ctrl-C; a second one stops at once).
    Serve(Flags),
    /// Plays a year of real centres' events into a service of its own, shows what came of it, and serves on.
    ///
    /// Exit code 0: everything agrees; 1: something does not, or the service failed at a call.
    Demo(crate::demo::DemoArgs),
    /// Brings the tables of the database up to date, and ends.
    Migrate(Flags),
    /// Makes an administrator's access key beside the service and shows its secret: the first one, or when all are lost.
    ///
    /// From then on the service lets in only who shows a key. On SQLite the service must be stopped.
    AdminKey(Flags),
    /// Recomputes seats, lines, positions and counts from the journal and the rows, and tells what differs.
    ///
    /// Exit code 0: nothing differs; 1: something does; 2: it could not be checked.
    Check(check::Arguments),
    /// Copies the embedded database to a file, also while the service runs.
    ///
    /// PostgreSQL has its own tools for that. The copy holds all that the database does: names, contacts, and the
    /// installation's secret.
    Backup(backup::Arguments),
    #[command(flatten)]
    Client(client::Verb),
}

/// Does what was asked; what went wrong is one line on standard error.
pub async fn run(arguments: Arguments) -> ExitCode {
    let (done, failure) = match arguments.command {
        Command::Serve(flags) => (serve::run(&flags).await, 1),
        Command::Demo(arguments) => (crate::demo::run(arguments).await, 1),
        Command::Migrate(flags) => (migrate::run(&flags).await, 1),
        Command::AdminKey(flags) => (admin_key::run(&flags).await, 1),
        Command::Check(arguments) => (check::run(&arguments).await, 2),
        Command::Backup(arguments) => (backup::run(&arguments).await, 1),
        Command::Client(verb) => return client::run(verb, Arguments::command()).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("eile: {error:#}");
        ExitCode::from(failure)
    })
}

/// Says a line on standard output. Who closed it does not want to hear it, and that is no reason to end.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
