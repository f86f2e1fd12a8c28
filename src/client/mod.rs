//! The command line for staff and jobs: a caller like any other, over gRPC alone.
//!
//! A verb reads its words (`options`), calls through the `wire`, and hands rows to an `Output` (`sheet`), which knows
//! tables, JSON, CSV and XLSX. It decides nothing and keeps nothing: a page is fetched, written and forgotten. What is
//! not here: the database, and every room that knows it.

mod access_log;
mod attendance;
mod bars;
mod centres;
mod changes;
mod check_in;
mod choices;
mod completions;
mod event;
mod events;
mod failure;
mod keys;
mod line;
mod metrics;
mod minutes;
mod new_event;
mod options;
mod privacy;
mod report;
mod roster;
mod sheet;
mod sign_up;
mod wire;
mod words;

pub use failure::printable;

use clap::Subcommand;
use failure::{Failure, Verdict};
use std::process::ExitCode;

/// What is said under the help of the whole command.
pub const EXIT_CODES: &str = "\
Exit codes of the verbs that call a service:
  0  it was done
  1  anything else went wrong
  2  the words on the command line are not right
  3  the service said no; the reason is told with its word in capitals, such as [REGISTRATION_CLOSED]
  4  what was named does not exist
  5  the service cannot be reached, or cannot answer now

Colours are for terminals, and not with NO_COLOR. Data goes to standard output, everything else to standard error.";

/// The verbs that call a service.
#[derive(Subcommand)]
pub enum Verb {
    /// Lists events: when, how full, how many wait.
    Events(events::Arguments),
    /// One event: shown, created, published.
    #[command(subcommand)]
    Event(event::Verb),
    /// Centres: the houses that hold events.
    #[command(subcommand)]
    Centres(centres::Verb),
    /// Programmes: trainings that several centres offer.
    #[command(subcommand)]
    Programmes(centres::Programmes),
    /// Signs a party up for an event, as staff.
    Signup(sign_up::Arguments),
    /// Shows who waits for an event, in the order in which they will be served.
    Line(line::Arguments),
    /// Shows who has a seat at a session, and who came: a group leader's sheet.
    Roster(roster::Arguments),
    /// Writes down who came.
    #[command(subcommand)]
    Attendance(attendance::Verb),
    /// Lets a party in at the door by its code.
    Checkin(check_in::Arguments),
    /// Tells what happened, and goes on telling: the change feed.
    Changes(changes::Arguments),
    /// Figures: who asked, who waits beside empty seats, who took part.
    #[command(subcommand)]
    Report(report::Verb),
    /// Access keys: who may call.
    #[command(subcommand)]
    Keys(keys::Verb),
    /// Tells who of the staff read personal data and who decided, newest first.
    AccessLog(access_log::Arguments),
    /// Prints what an instance has measured, for Prometheus; with a key for operators.
    Metrics(metrics::Arguments),
    /// Personal data of a registration: found, exported, erased, left alone; consents.
    #[command(subcommand)]
    Personal(privacy::Verb),
    /// Personal data whose time is over.
    #[command(subcommand)]
    Retention(privacy::Retention),
    /// Prints the completions for a shell.
    Completions(completions::Arguments),
}

/// Does what was asked; what went wrong is told on standard error.
pub async fn run(verb: Verb, command: clap::Command) -> ExitCode {
    let done = match verb {
        Verb::Events(arguments) => events::run(arguments).await,
        Verb::Event(verb) => event::run(verb).await,
        Verb::Centres(verb) => centres::run(verb).await,
        Verb::Programmes(verb) => centres::programmes(verb).await,
        Verb::Signup(arguments) => sign_up::run(arguments).await,
        Verb::Line(arguments) => line::run(arguments).await,
        Verb::Roster(arguments) => roster::run(arguments).await,
        Verb::Attendance(attendance::Verb::Mark(arguments)) => attendance::mark(arguments).await,
        Verb::Attendance(attendance::Verb::Import(arguments)) => attendance::import(arguments).await,
        Verb::Checkin(arguments) => check_in::run(arguments).await,
        Verb::Changes(arguments) => changes::run(arguments).await,
        Verb::Report(verb) => report::run(verb).await,
        Verb::Keys(verb) => keys::run(verb).await,
        Verb::AccessLog(arguments) => access_log::run(arguments).await,
        Verb::Metrics(arguments) => metrics::run(arguments).await,
        Verb::Personal(verb) => privacy::run(verb).await,
        Verb::Retention(verb) => privacy::retention(verb).await,
        Verb::Completions(arguments) => completions::run(&arguments, command),
    };
    ended(done)
}

fn ended(done: Result<Verdict, Failure>) -> ExitCode {
    match done {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::SaidNo) => ExitCode::from(failure::REFUSED),
        Err(failure) => {
            failure.tell();
            failure.code()
        }
    }
}
