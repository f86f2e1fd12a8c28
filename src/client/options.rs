//! What several verbs are told on the command line, and how names and times are read there.

use super::failure::Failure;
use super::wire::Wire;
use super::words;
use crate::api::proto;
use crate::model::time::{Timestamp, Zone};
use clap::{Args, ValueEnum};
use jiff::civil::DateTime;
use std::path::PathBuf;
use std::str::FromStr;
use uuid::Uuid;

/// Which service is called.
#[derive(Args)]
#[command(next_help_heading = "Service")]
pub struct Reach {
    /// The service's address; https:// where it speaks TLS.
    #[arg(long, value_name = "URL", env = "EILE_SERVER", default_value = "http://127.0.0.1:7443")]
    pub server: String,
    /// Who vouches for the service's certificate, in PEM [default: whom this machine trusts].
    #[arg(long, value_name = "FILE", env = "EILE_CA", hide_env_values = true)]
    pub ca: Option<PathBuf>,
    /// The certificate that is shown, in PEM, where an access key names it; then no secret is needed.
    #[arg(long, value_name = "FILE", env = "EILE_CLIENT_CERTIFICATE", hide_env_values = true, requires = "client_key")]
    pub client_certificate: Option<PathBuf>,
    /// The private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", env = "EILE_CLIENT_KEY", hide_env_values = true, requires = "client_certificate")]
    pub client_key: Option<PathBuf>,
    /// The secret of an access key; better given by the environment, where no list of processes shows it.
    #[arg(long, value_name = "SECRET", env = "EILE_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// How long to try again while the service cannot be reached or says "send again"; 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub patience: u64,
}

/// Whose wall clock shows times that belong to no event.
#[derive(Args)]
pub struct Clock {
    /// Zone of the times, given and shown.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Vilnius", value_parser = zone)]
    pub time_zone: Zone,
}

impl Clock {
    /// What stands above such times.
    pub fn heading(&self, what: &str) -> String {
        format!("{what} (times of {})", self.time_zone.name())
    }
}

/// A change of one registration.
#[derive(Args)]
pub struct OfOne {
    /// The registration: events/{uuid}/registrations/{uuid}.
    #[arg(value_name = "REGISTRATION", value_parser = registration_name)]
    pub registration: String,
    #[command(flatten)]
    pub call: Call,
}

impl OfOne {
    /// Times are those of the place of its event. Asked for before anything is changed: a change is answered whole.
    pub async fn zone(&self, wire: &Wire) -> Result<Zone, Failure> {
        let event = self.registration.split_once("/registrations/").map_or("", |(event, _)| event);
        Ok(words::zone_of(&wire.event(event).await?))
    }
}

/// Sorts of events, as they are typed.
pub const KINDS: [&str; 6] = ["course", "open_group", "open_event", "single_session", "appointments", "contest"];

/// The kind of that name, as the service knows it.
pub fn kind(word: &str) -> proto::EventKind {
    proto::EventKind::from_str_name(&format!("EVENT_KIND_{}", word.to_uppercase())).unwrap_or_default()
}

/// How the answer is shown.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct Show {
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write into this file instead of standard output; it takes its name when it is whole.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What parts the cells of CSV; Excel in Lithuanian expects semicolon.
    #[arg(long, value_enum, default_value_t = Separator::Comma)]
    pub separator: Separator,
    /// Language of titles, where they are there in it.
    #[arg(long, value_name = "CODE", default_value = "lt")]
    pub language: String,
}

/// How a change is asked for, of whom, and how what came of it is shown.
#[derive(Args)]
pub struct Call {
    #[command(flatten)]
    pub once: Once,
    #[command(flatten)]
    pub reach: Reach,
    #[command(flatten)]
    pub show: Show,
}

/// How a family said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Channel {
    Web,
    Phone,
    Message,
    InPerson,
    Referral,
}

impl Channel {
    pub fn wire(self) -> proto::Channel {
        match self {
            Self::Web => proto::Channel::Web,
            Self::Phone => proto::Channel::Phone,
            Self::Message => proto::Channel::Message,
            Self::InPerson => proto::Channel::InPerson,
            Self::Referral => proto::Channel::Referral,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// An array of objects; the changes feed: one object per line.
    Json,
    /// UTF-8 with a byte order mark, so that Excel knows it.
    Csv,
    /// Excel.
    Xlsx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Separator {
    Comma,
    Semicolon,
    Tab,
}

impl Separator {
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// How a change is asked for.
#[derive(Args)]
#[command(next_help_heading = "Change")]
pub struct Once {
    /// The id of this request, to repeat one whose outcome is not known [default: a new one].
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<Uuid>,
    /// Decide and answer, but change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl Once {
    pub fn id(&self) -> String {
        self.request_id.unwrap_or_else(Uuid::new_v4).to_string()
    }
}

/// `events/{uuid}`, from it or from the uuid alone.
pub fn event_name(text: &str) -> Result<String, String> {
    let id = text.strip_prefix("events/").unwrap_or(text);
    let id = Uuid::parse_str(id).map_err(|_| "give events/{uuid}, or the uuid alone".to_owned())?;
    Ok(format!("events/{id}"))
}

/// `events/{uuid}/registrations/{uuid}`.
pub fn registration_name(text: &str) -> Result<String, String> {
    let wrong = || "give events/{uuid}/registrations/{uuid}".to_owned();
    let (event, id) = text.split_once("/registrations/").ok_or_else(wrong)?;
    let id = Uuid::parse_str(id).map_err(|_| wrong())?;
    Ok(format!("{}/registrations/{id}", event_name(event).map_err(|_| wrong())?))
}

/// A registration as it is typed: its whole name, or its last part where the event is known anyway.
#[derive(Clone, Debug)]
pub struct RegistrationId {
    event: Option<String>,
    id: Uuid,
}

impl FromStr for RegistrationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give events/{uuid}/registrations/{uuid}, or the last uuid alone".to_owned();
        let (event, id) = match text.split_once("/registrations/") {
            Some((event, id)) => (Some(event_name(event).map_err(|_| wrong())?), id),
            None => (None, text),
        };
        Ok(Self { event, id: Uuid::parse_str(id).map_err(|_| wrong())? })
    }
}

impl RegistrationId {
    /// Its name, in this event.
    pub fn of(&self, event: &str) -> Result<String, Failure> {
        match &self.event {
            Some(other) if other != event => {
                Err(Failure::usage(format!("{other}/registrations/{} is none of {event}", self.id)))
            }
            _ => Ok(format!("{event}/registrations/{}", self.id)),
        }
    }
}

/// The id after `collection/`, or alone.
pub fn short<'a>(text: &'a str, collection: &str) -> &'a str {
    text.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text)
}

/// A point in time as it is typed: an instant, or a time on the wall of the place that it is about.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Instant(Timestamp),
    Local(DateTime),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::Instant(Timestamp(instant.as_microsecond())));
        }
        let local = text.parse().map_err(|_| "give YYYY-MM-DD, YYYY-MM-DDTHH:MM, or an instant with its offset")?;
        Ok(Self::Local(local))
    }
}

impl When {
    pub fn wire(self, zone: &Zone) -> Result<prost_types::Timestamp, Failure> {
        Ok(words::wire_time(self.instant(zone)?))
    }

    pub fn instant(self, zone: &Zone) -> Result<Timestamp, Failure> {
        match self {
            Self::Instant(at) => Ok(at),
            Self::Local(local) => {
                let skipped = |_| Failure::usage(format!("the clocks of {} skip {local}", zone.name()));
                zone.instant(local).map_err(skipped)
            }
        }
    }
}

/// An IANA time zone.
pub fn zone(text: &str) -> Result<Zone, String> {
    Zone::named(text).ok_or_else(|| "there is no such time zone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_can_be_asked_for() {
        let known: Vec<proto::EventKind> = KINDS.iter().map(|word| kind(word)).collect();
        let all: Vec<proto::EventKind> = (1..).map_while(|n| proto::EventKind::try_from(n).ok()).collect();
        assert_eq!(known, all);
    }
}
