//! CopyEvent: the settings of an event on other dates or at another centre, never its people.

use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path, slots};
use crate::api::proto::{self, CopyEventRequest};
use crate::api::request::{Asked, Change};
use crate::api::{Api, status};
use crate::model::event::{Event, Pool, Session, Terms};
use crate::model::id::{CentreId, EventId};
use crate::model::policy::Policy;
use crate::model::time::{Timestamp, Zone, format_local, parse_local};
use jiff::civil::{Date, DateTime};
use std::sync::Arc;
use tonic::Status;
use uuid::Uuid;

const DATE: Path<'static> = Path::Top("first_session_date");

impl Api {
    pub(super) async fn copy(&self, caller: Caller, mut r: CopyEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(CopyEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let answer = self.new_copy(caller, fields, &asked, r).await;
        self.unless_answered(&asked, asked.open(caller, self.desk.keys(), &()), answer).await
    }

    async fn new_copy(
        &self,
        caller: Caller,
        mut fields: Fields,
        asked: &Asked,
        r: CopyEventRequest,
    ) -> Result<proto::Event, Status> {
        let id = fields.event_name(Path::Top("name"), &r.name).unwrap_or_default();
        let to_centre = match r.centre.as_str() {
            "" => None,
            name => fields.centre_name(Path::Top("centre"), name),
        };
        let date = date(&mut fields, &r.first_session_date);
        fields.finish(()).map_err(status::fields)?;
        let source = self.look(id, |view| {
            let terms = Arc::clone(&view.roster.terms);
            Event { terms, ..view.event.clone() }
        });
        let source = source.await?;
        if let Some(centre) = &to_centre
            && self.known_centre(Some(centre)).await?.is_none()
        {
            return Err(status::centre_not_found(&r.centre));
        }
        let mut fields = Fields::default();
        let copy = copied(&mut fields, source, to_centre, date, self.desk.clock().now());
        let copy = fields.finish(copy).map_err(status::fields)?;
        self.store_event(caller, copy, asked).await
    }
}

/// The date of the first session, where one is given.
fn date(fields: &mut Fields, given: &str) -> Option<Date> {
    if given.is_empty() {
        return None;
    }
    let parsed: Option<Date> = given.parse().ok();
    let parsed = parsed.filter(|date| (1970..=9900).contains(&date.year()) && date.to_string() == given);
    if parsed.is_none() {
        fields.refuse(DATE, "must be a date YYYY-MM-DD");
    }
    parsed
}

fn copied(fields: &mut Fields, source: Event, centre: Option<CentreId>, date: Option<Date>, now: Timestamp) -> Event {
    let days = date.map_or(0, |date| days_to(&source, date));
    let mut details = source.details;
    details.sessions = details.sessions.into_iter().map(|s| moved(fields, s, &source.terms.zone, days)).collect();
    for session in &mut details.sessions {
        session.cancel_reason.clear();
    }
    let sessions = slots::slots(&details.sessions, None);
    let (starts_at, ends_at) = slots::bounds(&sessions);
    let terms = Terms {
        starts_at,
        ends_at,
        sessions,
        last_retired_session: 0,
        retired: Vec::new(),
        ..moved_terms(&source.terms, days)
    };
    Event {
        id: EventId(Uuid::now_v7()),
        centre: centre.unwrap_or(source.centre),
        programme: source.programme,
        details,
        terms: Arc::new(terms),
        version: 1,
        created_at: now,
        updated_at: now,
        cancel_reason: String::new(),
    }
}

/// Whole days from the first session to `date`.
fn days_to(source: &Event, date: Date) -> i32 {
    let first = source.details.sessions.first().and_then(|s| parse_local(&s.start_local));
    let days = first.and_then(|first| first.date().until(date).ok()).map(|span| span.get_days());
    days.unwrap_or_default()
}

/// A session on other dates, at the same local times.
fn moved(fields: &mut Fields, session: Session, zone: &Zone, days: i32) -> Session {
    let mut shift = |local: &str| -> (String, Timestamp) {
        let shifted = parse_local(local).and_then(|l| later(l, days));
        match shifted.map(|l| (format_local(l), zone.instant(l))) {
            Some((text, Ok(instant))) => (text, instant),
            _ => {
                fields.refuse(DATE, "moves a session to a local time that does not exist");
                (local.to_owned(), Timestamp::default())
            }
        }
    };
    let (start_local, starts_at) = shift(&session.start_local);
    let (end_local, ends_at) = shift(&session.end_local);
    Session { start_local, end_local, starts_at, ends_at, ..session }
}

fn later(local: DateTime, days: i32) -> Option<DateTime> {
    local.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Window and release times move as the sessions do. The policy begins its versions anew.
fn moved_terms(terms: &Terms, days: i32) -> Terms {
    let shift = |at: Timestamp| match later(terms.zone.local(at), days) {
        // Microseconds below the second are in the local time too.
        Some(local) if days != 0 => terms.zone.instant_lenient(local),
        _ => at,
    };
    let pools = terms.pools.iter().map(|p| Pool { release_at: p.release_at.map(shift), ..p.clone() });
    Terms {
        opens_at: terms.opens_at.map(shift),
        closes_at: terms.closes_at.map(shift),
        pools: pools.collect(),
        policy: Policy { version: 1, ..terms.policy.clone() },
        ..terms.clone()
    }
}
