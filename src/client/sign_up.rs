//! `eile signup`: staff sign a party up.

use super::failure::{Failure, Verdict};
use super::options::{Call, Channel, event_name};
use super::sheet::{self, Column, Sheet, Value};
use super::wire::Wire;
use super::words;
use crate::api::proto;

const EXAMPLES: &str = "\
Examples:
  eile signup EVENT --name 'Ona Vardenė' --phone '+370 000 00001'
  eile signup EVENT --name 'Ona Vardenė' --email ona@example.org \\
      --member 'Ona Vardenė:1988:parent' --member 'Jonas Vardenis:2019:child'
  eile signup EVENT --name 'Seniūnijos moterys' --phone '+370 000 00002' --adults 25
  eile signup EVENT --name 'Ona Vardenė' --phone '+370 000 00001' --dry-run

Without --member, --adults and --children it is for the contact alone. A full event is no error: the answer is a place
in line.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// Name of the contact.
    #[arg(long)]
    name: String,
    /// Telephone number of the contact.
    #[arg(long, required_unless_present = "email")]
    phone: Option<String>,
    /// E-mail address of the contact.
    #[arg(long)]
    email: Option<String>,
    /// Who takes part, the contact too if taking part: NAME, NAME:YEAR or NAME:YEAR:ROLE; may be given several times.
    #[arg(long, value_name = "NAME[:YEAR[:ROLE]]", value_parser = member, conflicts_with_all = ["adults", "children"])]
    member: Vec<proto::Member>,
    /// How many adults take part, for a group without names.
    #[arg(long, value_name = "N")]
    adults: Option<i32>,
    /// How many children take part, for a group without names.
    #[arg(long, value_name = "N")]
    children: Option<i32>,
    /// A pool of seats that suits, the best first; may be given several times [default: all].
    #[arg(long, value_name = "POOL")]
    pool: Vec<String>,
    /// How the sign-up came.
    #[arg(long, value_enum, default_value_t = Channel::Phone)]
    channel: Channel,
    /// The language to write to the party in.
    #[arg(long, value_name = "CODE", default_value = "lt")]
    write_in: String,
    /// Municipality where the party lives: its code.
    #[arg(long, value_name = "CODE", default_value = "")]
    municipality: String,
    /// Eldership where the party lives: its code.
    #[arg(long, value_name = "CODE", default_value = "")]
    eldership: String,
    /// Another municipality is fine too.
    #[arg(long)]
    willing_elsewhere: bool,
    /// The answer to one of the event's questions; may be given several times.
    #[arg(long, value_name = "QUESTION=TEXT", value_parser = answer)]
    answer: Vec<proto::Answer>,
    /// Children to look after meanwhile.
    #[arg(long, value_name = "N", default_value_t = 0)]
    childcare: i32,
    /// Places in the bus or car.
    #[arg(long, value_name = "N", default_value_t = 0)]
    rides: i32,
    #[command(flatten)]
    call: Call,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.call.reach)?;
    let event = wire.event(&arguments.event).await?;
    let ask = proto::CreateRegistrationRequest {
        parent: arguments.event.clone(),
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
        registration: Some(party(&arguments)),
        consents: Vec::new(),
    };
    let answer = wire.create_registration(ask).await?;
    let title = words::text(&event.titles, &arguments.call.show.language);
    sheet::card(&arguments.call.show, &Sheet::card("registration", title, COLUMNS), row(answer, &event))
}

fn party(arguments: &Arguments) -> proto::Registration {
    let counted = arguments.adults.is_some() || arguments.children.is_some();
    let head_count = proto::HeadCount {
        adults: arguments.adults.unwrap_or_default(),
        children: arguments.children.unwrap_or_default(),
    };
    let alone = proto::Member { display_name: arguments.name.clone(), ..Default::default() };
    let members = if arguments.member.is_empty() { vec![alone] } else { arguments.member.clone() };
    let wishes = proto::ServiceWishes { childcare_children: arguments.childcare, rides: arguments.rides };
    proto::Registration {
        contact: Some(proto::Contact {
            display_name: arguments.name.clone(),
            email: arguments.email.clone().unwrap_or_default(),
            phone: arguments.phone.clone().unwrap_or_default(),
        }),
        language: arguments.write_in.clone(),
        channel: arguments.channel.wire().into(),
        members: if counted { Vec::new() } else { members },
        head_count: counted.then_some(head_count),
        acceptable_pools: arguments.pool.clone(),
        willing_elsewhere: arguments.willing_elsewhere,
        municipality_code: arguments.municipality.clone(),
        eldership_code: arguments.eldership.clone(),
        services: (arguments.childcare != 0 || arguments.rides != 0).then_some(wishes),
        answers: arguments.answer.clone(),
        ..Default::default()
    }
}

fn member(text: &str) -> Result<proto::Member, String> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let display_name = parts.next().unwrap_or_default().to_owned();
    let year = parts.next().filter(|year| !year.is_empty()).map(str::parse).transpose();
    let birth_year =
        year.map_err(|_| "give NAME:YEAR:ROLE with the year of birth, such as 'Jonas Vardenis:2019:child'")?;
    let role = parts.next().unwrap_or_default().to_owned();
    Ok(proto::Member { display_name, birth_year, role, ..Default::default() })
}

fn answer(text: &str) -> Result<proto::Answer, String> {
    let (question, text) = text.split_once('=').ok_or("give QUESTION=TEXT")?;
    Ok(proto::Answer { question_id: question.to_owned(), text: text.to_owned() })
}

const COLUMNS: &[Column] = &[
    Column::new("state", "State"),
    Column::new("position", "Position in line"),
    Column::new("accepted_number", "Number"),
    Column::new("persons", "Persons"),
    Column::new("pool", "Pool"),
    Column::new("offer_until", "Offer until"),
    Column::new("registration", "Registration"),
    Column::new("check_in_code", "Check-in code"),
    Column::new("management_token", "Management token"),
];

fn row(answer: proto::CreateRegistrationResponse, event: &proto::Event) -> Vec<Value> {
    let registration = answer.registration.unwrap_or_default();
    vec![
        words::registration_state(registration.state()),
        Value::maybe(Some(registration.position).filter(|position| *position > 0)),
        Value::Number(registration.accepted_number),
        Value::number(registration.party_size),
        words::some(&registration.pool_id),
        words::time(registration.offer_expire_time.as_ref(), &words::zone_of(event)),
        words::name(&registration.name),
        words::some(&answer.check_in_code),
        words::some(&answer.management_token),
    ]
}
