//! `eile event create` and `eile event publish`: the ordinary event, with its sessions and one pool of seats. Whatever else
//! an event can have is UpdateEvent's.

use super::event::tell;
use super::failure::{Failure, Verdict};
use super::options::{Call, KINDS, When, event_name, kind, short};
use super::wire::Wire;
use super::words;
use crate::api::proto;
use crate::model::time::Zone;
use jiff::civil::{DateTime, Time};

const EXAMPLES: &str = "\
Examples:
  eile event create --centre elektrenai --title 'Pozityvi tėvystė' --kind course --seats 12 \\
      --session 2031-02-04T17:30/19:30 --session 2031-02-11T17:30/19:30
  eile event create --centre elektrenai --title 'Šeimų šventė' --kind open_event --session 2031-06-01T11:00/16:00
  eile event create --centre elektrenai --title 'Paskaita' --kind single_session --seats 30 \\
      --session 2031-03-04T18:00/20:00 --opens 2031-02-01T09:00 --venue 'Biblioteka, Draugystės g. 2'
  eile event publish EVENT                        from then on families sign up

It takes the key of a coordinator or a head of the centre. Times are those of the centre's place.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// The centre that holds it: its id.
    #[arg(long, value_name = "ID")]
    centre: String,
    /// Its title in Lithuanian.
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// What it is about, in Lithuanian.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The programme that it offers: its id.
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
    /// What sort of event it is [default: the programme's].
    #[arg(long, value_name = "KIND", value_parser = KINDS, required_unless_present = "programme")]
    kind: Option<String>,
    /// A meeting, with its local start and end; may be given several times.
    #[arg(long = "session", value_name = "START/END", value_parser = session, required = true)]
    sessions: Vec<proto::Session>,
    /// How many persons have a seat [default: no bound].
    #[arg(long, value_name = "N")]
    seats: Option<i32>,
    /// When sign-ups begin [default: when it is published].
    #[arg(long, value_name = "TIME")]
    opens: Option<When>,
    /// When sign-ups end [default: when the first session starts].
    #[arg(long, value_name = "TIME")]
    closes: Option<When>,
    /// Where it takes place.
    #[arg(long, value_name = "TEXT")]
    venue: Option<String>,
    #[command(flatten)]
    call: Call,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Publish {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    #[command(flatten)]
    call: Call,
}

pub async fn create(arguments: Create) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.call.reach)?;
    let centre = format!("centres/{}", short(&arguments.centre, "centres"));
    let zone = zone_of(&wire, &centre).await?;
    let at = |when: Option<When>| when.map(|when| when.wire(&zone)).transpose();
    let (open_time, close_time) = (at(arguments.opens)?, at(arguments.closes)?);
    let window = open_time.is_some() || close_time.is_some();
    let named = |id: &String| format!("programmes/{}", short(id, "programmes"));
    let venue = |name: String| proto::Venue { display_name: name, ..proto::Venue::default() };
    let event = proto::Event {
        centre,
        titles: words::lithuanian(&arguments.title),
        descriptions: arguments.description.as_deref().map(words::lithuanian).unwrap_or_default(),
        programme: arguments.programme.as_ref().map(named).unwrap_or_default(),
        kind: arguments.kind.as_deref().map(kind).unwrap_or_default().into(),
        sessions: arguments.sessions,
        seat_pools: vec![proto::SeatPool {
            pool_id: "main".to_owned(),
            capacity: arguments.seats,
            ..proto::SeatPool::default()
        }],
        registration_window: window.then_some(proto::RegistrationWindow { open_time, close_time }),
        venue: arguments.venue.map(venue),
        ..proto::Event::default()
    };
    let ask = proto::CreateEventRequest {
        event: Some(event),
        event_id: String::new(),
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
    };
    tell(&wire.create_event(ask).await?.event.unwrap_or_default(), &arguments.call.show, None)
}

/// The zone in which the event's local times will be read.
async fn zone_of(wire: &Wire, centre: &str) -> Result<Zone, Failure> {
    let ask = proto::GetCentreRequest { name: centre.to_owned() };
    let centre = wire.get_centre(ask).await?.centre.unwrap_or_default();
    Ok(Zone::named(&centre.time_zone).unwrap_or_else(Zone::utc))
}

pub async fn publish(arguments: Publish) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.call.reach)?;
    let ask = proto::PublishEventRequest {
        name: arguments.event,
        etag: String::new(),
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
    };
    tell(&wire.publish_event(ask).await?.event.unwrap_or_default(), &arguments.call.show, None)
}

/// `2031-02-04T17:30/19:30`, or with a whole end, for what goes on over midnight.
fn session(text: &str) -> Result<proto::Session, String> {
    let wrong = || "give START/END, such as 2031-02-04T17:30/19:30".to_owned();
    let (start, end) = text.split_once('/').ok_or_else(wrong)?;
    let start: DateTime = start.parse().map_err(|_| wrong())?;
    let same_day = || end.parse::<Time>().ok().map(|time| start.date().to_datetime(time));
    let whole = || end.parse::<DateTime>().ok().filter(|_| end.contains('-'));
    let end = whole().or_else(same_day).ok_or_else(wrong)?;
    let local = |at: DateTime| at.strftime("%Y-%m-%dT%H:%M").to_string();
    Ok(proto::Session { start_local: local(start), end_local: local(end), ..proto::Session::default() })
}

#[cfg(test)]
mod tests {
    use super::session;

    #[test]
    fn a_session_is_a_local_start_and_an_end_of_the_same_day_or_another() {
        let read = |text: &str| session(text).map(|s| (s.start_local, s.end_local)).map_err(|_| ());
        let told = |start: &str, end: &str| Ok((start.to_owned(), end.to_owned()));
        assert_eq!(read("2031-02-04T17:30/19:30"), told("2031-02-04T17:30", "2031-02-04T19:30"));
        assert_eq!(read("2031-02-04T22:00/2031-02-05T01:00"), told("2031-02-04T22:00", "2031-02-05T01:00"));
        for wrong in ["2031-02-04T17:30", "2031-02-30T17:30/19:30", "17:30/19:30", "2031-02-04T17:30/late"] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
    }
}
