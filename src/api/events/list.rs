//! ListEvents: what the store can pick, it picks; the rest is looked at here, a bounded number of rows a call.

use crate::api::caller::Caller;
use crate::api::filter::{self, Op, Term};
use crate::api::from_proto::admin::event_kind;
use crate::api::from_proto::{Fields, names as parse};
use crate::api::page_token::{Pages, Room};
use crate::api::proto::{self, ListEventsRequest, ListEventsResponse};
use crate::api::sight::outside;
use crate::api::to_proto::{self, words};
use crate::api::{Api, status};
use crate::model::access::Within;
use crate::model::event::{Event, EventKind, EventState};
use crate::model::id::{CentreId, EventId, ProgrammeId};
use crate::model::time::Timestamp;
use crate::storage::{EventQuery, EventRow, NO_START};
use tonic::Status;
use uuid::Uuid;

const METHOD: &str = "ListEvents";
/// Rows that one call looks at.
const SCAN_MAX: u32 = 5_000;
/// Rows read at once.
const CHUNK: u32 = 500;

/// A condition on an event.
enum Wanted {
    Centre(CentreId),
    Programme(ProgrammeId),
    /// The same as people outside of the centre see it: of none, where they are to read neutral words.
    ShownProgramme(ProgrammeId),
    /// Not one that portals find by its id alone.
    Listed,
    Municipality(String),
    Kind(EventKind),
    State(EventState),
    Starts(Op, Timestamp),
    FreeSeats(bool),
    Not(Box<Wanted>),
}

impl Api {
    pub(in crate::api) async fn events(
        &self,
        caller: Caller,
        r: ListEventsRequest,
    ) -> Result<ListEventsResponse, Status> {
        let mut fields = Fields::default();
        let size = fields.page_size(r.page_size) as usize;
        fields.finish(()).map_err(status::fields)?;
        let mut wanted = Vec::new();
        for term in filter::parse(&r.filter, filter::EVENTS)? {
            wanted.push(wanted_by(&term)?);
        }
        if !caller.is_staff() {
            wanted.push(Wanted::Listed);
            wanted = wanted.into_iter().map(Wanted::seen_outside).collect();
        }
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.filter, &caller.scope()]);
        let mut query = EventQuery { no_drafts: !caller.is_staff(), ..picked(&wanted) };
        narrow(&mut query, self.reach(caller)?.within());
        query.after = pages.cursor(&r.page_token)?.as_deref().and_then(cursor);
        let (mut events, mut room) = (Vec::new(), Room::default());
        let mut scanned = 0;
        // Ends by return: at a full page, at the last row, or when enough rows were looked at.
        loop {
            query.limit = CHUNK.min(SCAN_MAX - scanned);
            let rows = self.desk.store().list_events(&query).await.map_err(status::storage)?;
            let is_last = (rows.len() as u32) < query.limit;
            scanned += rows.len() as u32;
            for row in rows {
                if events.len() == size {
                    return Ok(page(events, Some(token(&pages, query.after))));
                }
                let here = place(&row.event);
                if wanted.iter().all(|w| w.holds(&row)) {
                    let event = self.listed(row).await?;
                    let event = if caller.is_staff() { event } else { outside(event) };
                    if !room.takes(&event) {
                        return Ok(page(events, Some(token(&pages, query.after))));
                    }
                    events.push(event);
                }
                query.after = Some(here);
            }
            if is_last {
                return Ok(page(events, None));
            }
            if scanned >= SCAN_MAX {
                return Ok(page(events, Some(token(&pages, query.after))));
            }
        }
    }

    /// An event as lists show it: from its row where that says all, else from its roster.
    async fn listed(&self, row: EventRow) -> Result<proto::Event, Status> {
        if let Some(event) = to_proto::event::from_row(&row.event, &row.header) {
            return Ok(event);
        }
        self.look(row.event.id, |view| to_proto::event::event(view.event, view.roster)).await
    }
}

fn page(events: Vec<proto::Event>, next: Option<String>) -> ListEventsResponse {
    ListEventsResponse { events, next_page_token: next.unwrap_or_default() }
}

/// Where an event stands in the order of the list.
fn place(event: &Event) -> (Timestamp, EventId) {
    (event.terms.starts_at.unwrap_or(NO_START), event.id)
}

fn token(pages: &Pages<'_>, after: Option<(Timestamp, EventId)>) -> String {
    let Some((start, id)) = after else { return String::new() };
    pages.token(&[&start.0.to_be_bytes()[..], id.0.as_bytes()].concat())
}

fn cursor(bytes: &[u8]) -> Option<(Timestamp, EventId)> {
    let (start, id) = bytes.split_at_checked(8)?;
    let start = i64::from_be_bytes(start.try_into().ok()?);
    Some((Timestamp(start), EventId(Uuid::from_slice(id).ok()?)))
}

/// What the store itself picks; the rest holds on to `Wanted::holds`.
fn picked(wanted: &[Wanted]) -> EventQuery {
    let mut query = EventQuery::default();
    for w in wanted {
        match w {
            Wanted::Centre(id) => query.centre = Some(id.clone()),
            Wanted::Programme(id) | Wanted::ShownProgramme(id) => query.programme = Some(id.clone()),
            Wanted::Municipality(code) => query.municipality = Some(code.clone()),
            Wanted::Kind(kind) => query.kind = Some(*kind),
            Wanted::State(state) => query.state = Some(*state),
            Wanted::FreeSeats(free) => query.has_free_seats = Some(*free),
            Wanted::Starts(Op::Greater | Op::GreaterOrEqual, at) => {
                query.starts_from = Some(query.starts_from.map_or(*at, |known| known.max(*at)));
            }
            Wanted::Starts(Op::Less, at) => {
                query.starts_before = Some(query.starts_before.map_or(*at, |known| known.min(*at)));
            }
            Wanted::Starts(..) | Wanted::Not(_) | Wanted::Listed => {}
        }
    }
    query
}

/// Narrows a query to what its caller reaches; by the index of the centre where that is one.
fn narrow(query: &mut EventQuery, within: Within) {
    if let (None, Some([only])) = (&query.centre, within.centres.as_deref()) {
        query.centre = Some(only.clone());
    }
    query.within = within;
}

impl Wanted {
    fn seen_outside(self) -> Self {
        match self {
            Wanted::Programme(id) => Wanted::ShownProgramme(id),
            Wanted::Not(other) => Wanted::Not(Box::new(other.seen_outside())),
            other => other,
        }
    }

    fn holds(&self, row: &EventRow) -> bool {
        let event = &row.event;
        match self {
            Wanted::Centre(id) => event.centre == *id,
            Wanted::Programme(id) => event.programme.as_ref() == Some(id),
            Wanted::ShownProgramme(id) => event.programme.as_ref() == Some(id) && !event.details.is_neutral_outside(),
            Wanted::Listed => event.details.sensitivity.as_ref().is_none_or(|s| !s.unlisted),
            Wanted::Municipality(code) => event.details.municipality_code == *code,
            Wanted::Kind(kind) => event.details.kind == *kind,
            Wanted::State(state) => row.header.state == *state,
            Wanted::Starts(op, at) => event.terms.starts_at.is_some_and(|start| match op {
                Op::Less => start < *at,
                Op::LessOrEqual => start <= *at,
                Op::Greater => start > *at,
                Op::GreaterOrEqual => start >= *at,
                Op::Equal | Op::NotEqual | Op::Has => false,
            }),
            // The store knows free seats of every pool; what it picked is right.
            Wanted::FreeSeats(_) => true,
            Wanted::Not(other) => !other.holds(row),
        }
    }
}

fn wanted_by(term: &Term) -> Result<Wanted, Status> {
    let value = term.value.as_str();
    let parsed = match term.field {
        "centre" => parse::centre(value).map(Wanted::Centre).ok_or("centres/{id}"),
        "programme" => parse::programme(value).map(Wanted::Programme).ok_or("programmes/{id}"),
        "municipality" => Ok(Wanted::Municipality(value.to_owned())),
        "kind" => kind(value).map(Wanted::Kind).ok_or("an EventKind"),
        "state" => state(value).map(Wanted::State).ok_or("an EventState"),
        "start_time" => instant(value).map(|at| Wanted::Starts(term.op, at)).ok_or("an RFC 3339 time"),
        "has_free_seats" => value.parse().map(Wanted::FreeSeats).map_err(|_| "true or false"),
        _ => Err("field"),
    };
    let wanted = parsed.map_err(|expected| status::filter(term.at, expected))?;
    Ok(if term.op == Op::NotEqual { Wanted::Not(Box::new(wanted)) } else { wanted })
}

fn kind(word: &str) -> Option<EventKind> {
    proto::EventKind::from_str_name(&format!("EVENT_KIND_{word}")).and_then(event_kind)
}

fn state(word: &str) -> Option<EventState> {
    [EventState::Draft, EventState::Published, EventState::Cancelled, EventState::Completed]
        .into_iter()
        .find(|s| words::unprefixed(words::event_state(*s).as_str_name(), "EVENT_STATE_") == word)
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_microsecond()))
}
