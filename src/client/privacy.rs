//! `eile personal` and `eile retention`: what is kept of a person, its erasure, and what has run out.

use super::choices::{self, Consent, Restriction};
use super::failure::{Failure, Verdict};
use super::options::{OfOne, Reach, Show, registration_name};
use super::sheet::{Column, Output, Shape, Sheet, Value};
use super::wire::Wire;
use super::words;
use crate::api::proto::{self, ErasureExtent};
use clap::Subcommand;

pub(super) const EXAMPLES: &str = "\
Examples:
  eile personal find --email vardene@example.org                who asks for everything of theirs
  eile personal export REGISTRATION --text-language lt          all that is kept, to read or to hand out
  eile personal erase REGISTRATION --dry-run                    what would go, and what must stay until when
  eile personal erase REGISTRATION
  eile personal restrict REGISTRATION --reason REASON   kept, and shown to heads alone, until it is lifted
  eile personal consent REGISTRATION --given photos=2031-1 --withdrawn news
  eile retention due --centre elektrenai                        whose time is over
  eile retention apply --centre elektrenai";

#[derive(Subcommand)]
pub enum Verb {
    /// Finds the registrations under an e-mail address or a telephone number.
    Find(Find),
    /// Writes everything that is kept of a registration, as a text for the person.
    Export(Export),
    /// Erases the personal data of a registration.
    Erase(Erase),
    /// Leaves the personal data of a registration alone: they are kept, and shown to heads alone.
    Restrict(Restriction),
    /// Lets the personal data of a registration be used again.
    Lift(Restriction),
    /// Writes down what a family consents to, or takes back.
    Consent(Consent),
}

#[derive(Subcommand)]
pub enum Retention {
    /// Lists the registrations whose personal data have run out.
    Due(OfCentre),
    /// Erases what has run out.
    Apply(OfCentre),
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Find {
    /// E-mail address.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "phone")]
    email: Option<String>,
    /// Telephone number.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// The registration: events/{uuid}/registrations/{uuid}.
    #[arg(value_name = "REGISTRATION", value_parser = registration_name)]
    registration: String,
    /// Language of the text: lt, en, pl, ru or uk [default: that of the party].
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    text_language: String,
    #[command(flatten)]
    reach: Reach,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Erase {
    #[command(flatten)]
    of: OfOne,
}

#[derive(clap::Args)]
pub struct OfCentre {
    /// The centre; a key that reaches one centre may leave it out.
    #[arg(long, value_name = "CENTRE")]
    centre: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

pub async fn run(verb: Verb) -> Result<Verdict, Failure> {
    match verb {
        Verb::Find(arguments) => find(arguments).await,
        Verb::Export(arguments) => export(arguments).await,
        Verb::Erase(arguments) => erase(arguments).await,
        Verb::Restrict(arguments) => choices::restrict(arguments).await,
        Verb::Lift(arguments) => choices::lift(arguments).await,
        Verb::Consent(arguments) => choices::consent(arguments).await,
    }
}

pub async fn retention(verb: Retention) -> Result<Verdict, Failure> {
    match verb {
        Retention::Due(arguments) => due(arguments).await,
        Retention::Apply(arguments) => apply(arguments).await,
    }
}

async fn find(arguments: Find) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let (email, phone) = (arguments.email.unwrap_or_default(), arguments.phone.unwrap_or_default());
    let found = wire.find_registrations(proto::FindRegistrationsRequest { email, phone }).await?;
    let mut output = Output::open(&arguments.show, Shape::One)?;
    output.begin(&Sheet::rows("registrations", "Registrations", &[Column::new("registration", "Registration")]))?;
    for name in found.registrations {
        output.row(vec![Value::Whole(name)])?;
    }
    output.close()?;
    if found.more {
        eprintln!("there are more than these");
    }
    Ok(Verdict::Done)
}

async fn export(arguments: Export) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let ask = proto::ExportRegistrationRequest {
        name: arguments.registration,
        language: arguments.text_language,
        ..proto::ExportRegistrationRequest::default()
    };
    let export = wire.export_registration(ask).await?;
    print!("{}", super::printable(&export.text));
    for note in &export.notes {
        eprintln!("staff wrote at {}: {}", note.journal_number, super::printable(&note.text));
    }
    Ok(Verdict::Done)
}

const ERASURE: &[Column] = &[
    Column::new("registration", "Registration"),
    Column::new("erased", "Erased"),
    Column::new("time", "When"),
    Column::new("journal_number", "Journal number"),
    Column::new("kept_until", "Names kept until"),
    Column::new("kept_because", "Because"),
];

async fn erase(arguments: Erase) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.of.call.reach)?;
    let zone = arguments.of.zone(&wire).await?;
    let ask = proto::EraseRegistrationRequest {
        name: arguments.of.registration,
        request_id: arguments.of.call.once.id(),
        validate_only: arguments.of.call.once.dry_run,
        ..proto::EraseRegistrationRequest::default()
    };
    let erasure = wire.erase_registration(ask).await?.erasure.unwrap_or_default();
    let mut output = Output::open(&arguments.of.call.show, Shape::One)?;
    output.begin(&Sheet::card("erasure", "Erasure", ERASURE))?;
    output.row(vec![
        Value::Name(erasure.registration.clone()),
        Value::Text(extent(erasure.extent()).to_owned()),
        words::time(erasure.erase_time.as_ref(), &zone),
        Value::number(erasure.journal_number),
        words::time(erasure.kept_until.as_ref(), &zone),
        Value::Text(because(erasure.kept_because()).to_owned()),
    ])?;
    output.close()?;
    Ok(Verdict::Done)
}

fn extent(extent: ErasureExtent) -> &'static str {
    match extent {
        ErasureExtent::Unspecified => "",
        ErasureExtent::Part => "all but names",
        ErasureExtent::Whole => "everything",
    }
}

fn because(because: proto::KeptBecause) -> &'static str {
    match because {
        proto::KeptBecause::Unspecified => "",
        proto::KeptBecause::TookPart => "they took part",
        proto::KeptBecause::ProjectEvidence => "they took part in a project",
    }
}

const DUE: &[Column] = &[Column::new("registration", "Registration"), Column::new("goes", "Goes")];

fn tell(output: &mut Output, due: &[proto::DueErasures]) -> Result<(), Failure> {
    for one in due {
        let whole = one.whole.iter().map(|name| (name, ErasureExtent::Whole));
        for (name, how) in whole.chain(one.part.iter().map(|name| (name, ErasureExtent::Part))) {
            output.row(vec![Value::Whole(name.clone()), Value::Text(extent(how).to_owned())])?;
        }
    }
    Ok(())
}

fn centre(given: Option<String>) -> String {
    match given {
        Some(id) if !id.starts_with("centres/") => format!("centres/{id}"),
        given => given.unwrap_or_default(),
    }
}

async fn due(arguments: OfCentre) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let centre = centre(arguments.centre);
    let mut output = Output::open(&arguments.show, Shape::One)?;
    output.begin(&Sheet::rows("due", "Run out", DUE))?;
    let mut page_token = String::new();
    loop {
        let ask = proto::ListDueErasuresRequest { centre: centre.clone(), page_token };
        let page = wire.list_due_erasures(ask).await?;
        tell(&mut output, &page.due)?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            output.close()?;
            return Ok(Verdict::Done);
        }
    }
}

async fn apply(arguments: OfCentre) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let centre = centre(arguments.centre);
    let mut output = Output::open(&arguments.show, Shape::One)?;
    output.begin(&Sheet::rows("erased", "Erased", DUE))?;
    loop {
        let request_id = uuid::Uuid::new_v4().to_string();
        let done = wire.erase_due(proto::EraseDueRequest { centre: centre.clone(), request_id }).await?;
        tell(&mut output, &done.erased)?;
        if !done.more {
            output.close()?;
            return Ok(Verdict::Done);
        }
    }
}
