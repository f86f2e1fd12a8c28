//! `eile checkin`: a party at the door.

use super::failure::{Failure, Verdict};
use super::options::{Once, Reach, RegistrationId, Show, When, event_name};
use super::sheet::{Column, Output, Shape, Sheet, Tone, Value};
use super::wire::Wire;
use super::words;
use crate::api::proto;
use proto::DoorVerdict as Door;

const EXAMPLES: &str = "\
Examples:
  eile checkin EVENT 00JX5D90QK --session s1
  eile checkin EVENT 00JX-5D90-QK                     the session whose door is open now
  eile checkin EVENT --registration R --member 2      without the code, one of the party
  eile checkin EVENT 00JX5D90QK --scanned 2025-02-18T17:25

Exit code 0: let in now, or in already; 3: not let in, and the verdict says why.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// The check-in code, with or without the "EILE:" of its QR code.
    #[arg(value_name = "CODE", required_unless_present = "registration", conflicts_with = "registration")]
    code: Option<String>,
    /// The registration, instead of a code: its name, or the last part of it.
    #[arg(long, value_name = "REGISTRATION")]
    registration: Option<RegistrationId>,
    /// The session [default: the one whose door is open].
    #[arg(long, value_name = "SESSION", default_value = "")]
    session: String,
    /// Who of the party is here, by number from 1; may be given several times [default: all].
    #[arg(long, value_name = "N")]
    member: Vec<i32>,
    /// When the scan was made [default: now].
    #[arg(long, value_name = "TIME")]
    scanned: Option<When>,
    /// The id of this scan, to repeat one whose outcome is not known [default: a new one].
    #[arg(long, value_name = "UUID", help_heading = "Change")]
    request_id: Option<uuid::Uuid>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let registration = arguments.registration.as_ref().map(|id| id.of(&arguments.event)).transpose()?;
    let wire = Wire::to(&arguments.reach)?;
    let event = wire.event(&arguments.event).await?;
    let zone = words::zone_of(&event);
    let ask = proto::CheckInRequest {
        parent: arguments.event.clone(),
        session_id: arguments.session.clone(),
        check_in_code: arguments.code.clone().unwrap_or_default(),
        registration: registration.unwrap_or_default(),
        members: arguments.member.clone(),
        scan_time: arguments.scanned.map(|when| when.wire(&zone)).transpose()?,
        request_id: Once { request_id: arguments.request_id, dry_run: false }.id(),
    };
    let answer = wire.check_in(ask).await?;
    let mut output = Output::open(&arguments.show, Shape::One)?;
    output.begin(&Sheet::card("checkin", words::text(&event.titles, &arguments.show.language), COLUMNS))?;
    let missing: Vec<_> = answer.missing.iter().map(who).collect();
    output.row(vec![
        verdict(answer.verdict()),
        words::some(meaning(answer.verdict())),
        words::some(&answer.session_id),
        words::registration_state(answer.state()),
        Value::number(answer.party_size),
        Value::number(answer.present),
        words::some(&missing.join(", ")),
        words::time(answer.scan_time.as_ref(), &zone),
        words::name(&answer.registration),
    ])?;
    output.close()?;
    let let_in = matches!(answer.verdict(), Door::Welcome | Door::AlreadyIn);
    Ok(if let_in { Verdict::Done } else { Verdict::SaidNo })
}

const COLUMNS: &[Column] = &[
    Column::new("verdict", "Verdict"),
    Column::screen("meaning", ""),
    Column::new("session", "Session"),
    Column::new("state", "State"),
    Column::new("party_size", "Persons"),
    Column::new("present", "In"),
    Column::new("missing", "Not yet"),
    Column::new("scanned", "Scanned"),
    Column::new("registration", "Registration"),
];

fn verdict(door: Door) -> Value {
    let tone = match door {
        Door::Welcome => Tone::Good,
        Door::AlreadyIn => Tone::Heed,
        _ => Tone::Bad,
    };
    Value::Word(words::word(door.as_str_name(), "DOOR_VERDICT_"), tone)
}

fn meaning(door: Door) -> &'static str {
    match door {
        Door::Welcome => "let them in",
        Door::AlreadyIn => "they are in already",
        Door::OtherSession => "their seat is one at another session",
        Door::Waiting => "they have no seat: they wait",
        Door::Cancelled => "their registration has ended",
        Door::NotForThisEvent => "the code is none of this event",
        Door::Misread => "the code was misread or mistyped: try again",
        Door::Unspecified => "",
    }
}

fn who(member: &proto::MemberAtDoor) -> String {
    if member.display_name.is_empty() { format!("no. {}", member.member) } else { member.display_name.clone() }
}
