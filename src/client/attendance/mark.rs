//! `eile attendance mark`: one party's members at one session.

use super::{COLUMNS, Mark, Source, row};
use crate::api::proto;
use crate::client::failure::{Failure, Verdict};
use crate::client::options::{Call, RegistrationId, When, event_name};
use crate::client::sheet::{self, Sheet};
use crate::client::wire::Wire;
use crate::client::words;

const EXAMPLES: &str = "\
Examples:
  eile attendance mark EVENT --session s1 --registration R --member 1 --mark present
  eile attendance mark EVENT --session s1 --registration R --member 1 --member 2 --mark present --minutes 60
  eile attendance mark EVENT --session s2 --registration R --member 1 --mark excused --source door";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// The session, such as s1.
    #[arg(long, value_name = "SESSION")]
    session: String,
    /// The registration: its name, or the last part of it.
    #[arg(long, value_name = "REGISTRATION")]
    registration: RegistrationId,
    /// Who of the party, by number from 1; may be given several times.
    #[arg(long, value_name = "N", required = true)]
    member: Vec<i32>,
    /// What to write down.
    #[arg(long, value_enum)]
    mark: Mark,
    /// How long somebody present was there [default: all of the session].
    #[arg(long, value_name = "N")]
    minutes: Option<i32>,
    /// How it is known.
    #[arg(long, value_enum, default_value_t = Source::PaperList)]
    source: Source,
    /// When it happened [default: the start of the session].
    #[arg(long, value_name = "TIME")]
    happened: Option<When>,
    #[command(flatten)]
    call: Call,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let registration = arguments.registration.of(&arguments.event)?;
    let wire = Wire::to(&arguments.call.reach)?;
    let event = wire.event(&arguments.event).await?;
    let happen_time = arguments.happened.map(|when| when.wire(&words::zone_of(&event))).transpose()?;
    let mark = |member: &i32| proto::MarkEntry {
        registration: registration.clone(),
        member: *member,
        mark: arguments.mark.wire().into(),
        minutes: arguments.minutes,
    };
    let ask = proto::RecordAttendanceRequest {
        parent: arguments.event.clone(),
        session_id: arguments.session.clone(),
        source: arguments.source.wire().into(),
        happen_time,
        marks: arguments.member.iter().map(mark).collect(),
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
    };
    let answer = wire.record_attendance(ask).await?;
    let show = &arguments.call.show;
    let attendance = Sheet::card("attendance", words::text(&event.titles, &show.language), COLUMNS);
    sheet::card(show, &attendance, row(&answer))
}
