//! `eile personal restrict`, `lift` and `consent`: what a family says about its data, entered by staff.

use super::failure::{Failure, Verdict};
use super::options::{Channel, OfOne, Show};
use super::privacy::EXAMPLES;
use super::sheet::{Column, Output, Shape, Sheet, Value};
use super::wire::Wire;
use super::words;
use crate::api::proto::{self, ConsentPurpose};
use crate::model::time::Zone;
use clap::ValueEnum;

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Restriction {
    #[command(flatten)]
    of: OfOne,
    /// Why; stands apart, for staff.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Consent {
    #[command(flatten)]
    of: OfOne,
    /// Agreed to: photos, news, sharing or next-season, and the version of the text, such as photos=2031-1.
    #[arg(long, value_name = "PURPOSE=VERSION", value_parser = given, required_unless_present = "withdrawn")]
    given: Vec<(Purpose, String)>,
    /// Not agreed to, or not any more.
    #[arg(long, value_name = "PURPOSE")]
    withdrawn: Vec<Purpose>,
    /// How the family said so.
    #[arg(long, value_name = "CHANNEL", default_value = "in-person")]
    channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Purpose {
    Photos,
    News,
    Sharing,
    NextSeason,
}

fn given(text: &str) -> Result<(Purpose, String), String> {
    let (purpose, version) = text.split_once('=').ok_or("give PURPOSE=VERSION, such as photos=2031-1")?;
    Ok((Purpose::from_str(purpose, false)?, version.to_owned()))
}

impl Purpose {
    fn wire(self) -> ConsentPurpose {
        match self {
            Self::Photos => ConsentPurpose::Photos,
            Self::News => ConsentPurpose::News,
            Self::Sharing => ConsentPurpose::Sharing,
            Self::NextSeason => ConsentPurpose::NextSeason,
        }
    }
}

/// The word of a purpose, for people.
pub(super) fn purpose(purpose: ConsentPurpose) -> String {
    words::word(purpose.as_str_name(), "CONSENT_PURPOSE_").to_lowercase()
}

pub(super) async fn restrict(arguments: Restriction) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.of.call.reach)?;
    let zone = arguments.of.zone(&wire).await?;
    let ask = proto::RestrictRegistrationRequest {
        name: arguments.of.registration,
        reason: arguments.reason,
        request_id: arguments.of.call.once.id(),
        validate_only: arguments.of.call.once.dry_run,
        management_token: String::new(),
    };
    told("Restriction", &arguments.of.call.show, &zone, wire.restrict_registration(ask).await?.registration)
}

pub(super) async fn lift(arguments: Restriction) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.of.call.reach)?;
    let zone = arguments.of.zone(&wire).await?;
    let ask = proto::LiftRegistrationRestrictionRequest {
        name: arguments.of.registration,
        reason: arguments.reason,
        request_id: arguments.of.call.once.id(),
        validate_only: arguments.of.call.once.dry_run,
        management_token: String::new(),
    };
    told("Restriction", &arguments.of.call.show, &zone, wire.lift_registration_restriction(ask).await?.registration)
}

pub(super) async fn consent(arguments: Consent) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.of.call.reach)?;
    let zone = arguments.of.zone(&wire).await?;
    let agreed = arguments.given.into_iter().map(|(purpose, text_version)| (purpose, true, text_version));
    let withdrawn = arguments.withdrawn.into_iter().map(|purpose| (purpose, false, String::new()));
    let choices = agreed.chain(withdrawn).map(|(purpose, given, text_version)| proto::ConsentChoice {
        purpose: purpose.wire().into(),
        given,
        text_version,
    });
    let ask = proto::SetRegistrationConsentsRequest {
        name: arguments.of.registration,
        choices: choices.collect(),
        channel: arguments.channel.wire().into(),
        request_id: arguments.of.call.once.id(),
        validate_only: arguments.of.call.once.dry_run,
        management_token: String::new(),
    };
    told("Consents", &arguments.of.call.show, &zone, wire.set_registration_consents(ask).await?.registration)
}

const SAID: &[Column] = &[
    Column::new("registration", "Registration"),
    Column::new("restricted_since", "Restricted since"),
    Column::new("consents", "Consents to"),
    Column::new("withdrawn", "Withdrew"),
];

fn told(
    heading: &str,
    show: &Show,
    zone: &Zone,
    registration: Option<proto::Registration>,
) -> Result<Verdict, Failure> {
    let r = registration.unwrap_or_default();
    let of = |holds: bool| {
        let those = r.consents.iter().filter(|c| c.withdraw_time.is_none() == holds);
        those.map(|c| format!("{} {}", purpose(c.purpose()), c.text_version)).collect::<Vec<_>>().join(", ")
    };
    let (holds, withdrawn) = (of(true), of(false));
    let mut output = Output::open(show, Shape::One)?;
    output.begin(&Sheet::card("choices", heading, SAID))?;
    output.row(vec![
        Value::Name(r.name.clone()),
        words::time(r.restrict_time.as_ref(), zone),
        words::some(&holds),
        words::some(&withdrawn),
    ])?;
    output.close()?;
    Ok(Verdict::Done)
}
