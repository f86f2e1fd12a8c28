//! ListRegistrations: order and state from the roster, names and words from the database, a bounded number of
//! rows a call.

mod wanted;

use super::amend::read_party;
use super::look::{Looked, full, looked};
use crate::admission::{Roster, Standing};
use crate::api::caller::{Acting, Caller};
use crate::api::filter;
use crate::api::from_proto::{Fields, Path};
use crate::api::page_token::{Pages, Room};
use crate::api::privacy::Sight;
use crate::api::proto::{ListRegistrationsRequest, ListRegistrationsResponse, Registration, RegistrationView};
use crate::api::{Api, status, to_proto};
use crate::keys::Keys;
use crate::model::access::Reach;
use crate::model::id::{EventId, Number};
use crate::storage::PartyRow;
use std::collections::HashMap;
use tonic::Status;
use wanted::Wanted;

const METHOD: &str = "ListRegistrations";
/// Registrations that one call looks at.
const SCAN_MAX: usize = 5_000;
/// Registrations read at once.
const CHUNK: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Line,
    Name,
    Time,
}

/// Where a registration stands in an order: class rank and place in the order of the line, else zeros.
type Key = (u8, Number, Number);

/// What is asked for.
struct Query {
    reach: Reach,
    event: EventId,
    order: Order,
    wanted: Vec<Wanted>,
    full: bool,
    sight: Sight,
    /// Whether the caller sees who the people are.
    shown: bool,
}

/// A registration that may be on the page.
struct Candidate {
    key: Key,
    looked: Option<Looked>,
    row: Option<PartyRow>,
}

impl Api {
    pub(super) async fn registrations(
        &self,
        caller: Caller,
        r: ListRegistrationsRequest,
    ) -> Result<ListRegistrationsResponse, Status> {
        caller.staff_only(METHOD)?;
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let size = fields.page_size(r.page_size) as usize;
        let full = full(&mut fields, r.view);
        fields.finish(()).map_err(status::fields)?;
        let (reach, sight) = (self.reach(caller)?, self.sight(caller, Acting::Staff)?);
        let (order, wanted) = (order(&r.order_by)?, wanted(&r.filter)?);
        let shown = self.sees_people(caller, event).await?;
        if !shown && (order == Order::Name || wanted.iter().any(Wanted::tells_who)) {
            return Err(status::people_not_shown(METHOD, event));
        }
        let mut page =
            self.page_of(&r, size, Query { reach, event, order, wanted, full: full && shown, shown, sight }).await?;
        self.unlink(caller, &mut page.registrations).await?;
        Ok(page)
    }

    async fn page_of(
        &self,
        r: &ListRegistrationsRequest,
        size: usize,
        query: Query,
    ) -> Result<ListRegistrationsResponse, Status> {
        let view = if r.view == i32::from(RegistrationView::Full) { "full" } else { "basic" };
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.parent, &r.filter, &r.order_by, view]);
        let mut after = pages.cursor(&r.page_token)?.as_deref().and_then(cursor);
        let (mut registrations, mut scanned, mut room) = (Vec::new(), 0, Room::default());
        // Ends by return: at a full page, at the last one, or when enough were looked at.
        loop {
            let limit = if query.reads_parties() { CHUNK } else { size + 1 };
            let chunk = self.chunk(&query, after, limit).await?;
            let is_last = chunk.len() < limit;
            scanned += chunk.len();
            for candidate in chunk {
                let key = candidate.key;
                let is_full = registrations.len() == size;
                let rendered = if is_full { None } else { query.rendered(candidate, self.desk.keys())? };
                if is_full || rendered.as_ref().is_some_and(|r| !room.takes(r)) {
                    return Ok(page(registrations, after.map(|key| pages.token(&bytes(key)))));
                }
                after = Some(key);
                registrations.extend(rendered);
            }
            if is_last {
                return Ok(page(registrations, None));
            }
            if scanned >= SCAN_MAX {
                return Ok(page(registrations, after.map(|key| pages.token(&bytes(key)))));
            }
        }
    }

    /// The next registrations in the order, with their rows where the query reads them.
    async fn chunk(&self, query: &Query, after: Option<Key>, limit: usize) -> Result<Vec<Candidate>, Status> {
        if query.order == Order::Name {
            return self.chunk_by_name(query, after, limit).await;
        }
        let mut chunk = self
            .look(query.event, |view| {
                let keys = match query.order {
                    Order::Time => by_time(view.roster, query, after, limit),
                    Order::Line | Order::Name => by_line(view.roster, query, after, limit),
                };
                let candidate = |key: Key| Candidate { key, looked: looked(view, key.2, query.shown), row: None };
                keys.into_iter().map(candidate).collect::<Vec<_>>()
            })
            .await?;
        if query.reads_parties() {
            let numbers: Vec<Number> = chunk.iter().map(|c| c.key.2).collect();
            let rows = self.desk.store().parties(&query.reach, query.event, &numbers).await.map_err(status::storage)?;
            let mut rows: HashMap<Number, PartyRow> = rows.into_iter().map(|row| (row.number, row)).collect();
            for candidate in &mut chunk {
                candidate.row = rows.remove(&candidate.key.2);
            }
        }
        Ok(chunk)
    }

    async fn chunk_by_name(&self, query: &Query, after: Option<Key>, limit: usize) -> Result<Vec<Candidate>, Status> {
        let store = self.desk.store();
        // The token holds no name: it is looked up again.
        let after = match after {
            None => None,
            Some((_, _, number)) => {
                let rows = store.parties(&query.reach, query.event, &[number]).await.map_err(status::storage)?;
                let row = rows.into_iter().next().ok_or_else(status::page_token)?;
                Some((row.search, number))
            }
        };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let rows = store.parties_by_name(&query.reach, query.event, after, limit).await.map_err(status::storage)?;
        self.look(query.event, |view| {
            let candidate = |row: PartyRow| {
                let known = looked(view, row.number, query.shown);
                let holds = known.as_ref().is_some_and(|(_, s, _)| query.holds_for(s, view.roster));
                Candidate { key: (0, 0, row.number), looked: known.filter(|_| holds), row: Some(row) }
            };
            rows.into_iter().map(candidate).collect()
        })
        .await
    }
}

impl Query {
    /// Whether rows of parties are read for it.
    fn reads_parties(&self) -> bool {
        self.full || self.order == Order::Name || self.wanted.iter().any(Wanted::is_of_party)
    }

    fn holds_for(&self, s: &Standing, roster: &Roster) -> bool {
        self.wanted.iter().all(|w| w.holds_for(s, &roster.terms))
    }

    /// The registration as the page shows it, where it belongs on it.
    fn rendered(&self, candidate: Candidate, keys: &Keys) -> Result<Option<Registration>, Status> {
        let Candidate { looked: Some((basic, standing, terms)), row, .. } = candidate else {
            return Ok(None);
        };
        let party = match &row {
            Some(row) if self.full || self.wanted.iter().any(Wanted::is_of_party) => {
                // What is not shown is not found by its words either.
                Some(self.sight.of(&standing, read_party(row)?))
            }
            _ => None,
        };
        if !self.wanted.iter().all(|w| w.holds_in(party.as_ref())) {
            return Ok(None);
        }
        Ok(Some(match party.filter(|_| self.full) {
            Some(party) => to_proto::registration::with_party(basic, &terms, &standing, party, keys),
            None if self.shown => basic,
            None => to_proto::registration::taken(basic),
        }))
    }
}

/// The next keys in the order in which the event serves them.
fn by_line(roster: &Roster, query: &Query, after: Option<Key>, limit: usize) -> Vec<Key> {
    let key = |s: &Standing| (roster.rank(s), s.place, s.number);
    let wanted = roster.standings().filter(|s| query.holds_for(s, roster)).map(key);
    let mut keys: Vec<Key> = wanted.filter(|key| after.is_none_or(|after| *key > after)).collect();
    if keys.len() > limit {
        keys.select_nth_unstable(limit - 1);
        keys.truncate(limit);
    }
    keys.sort_unstable();
    keys
}

/// The next keys in the order of accepted numbers.
fn by_time(roster: &Roster, query: &Query, after: Option<Key>, limit: usize) -> Vec<Key> {
    let from = after.map_or(1, |(_, _, number)| number.saturating_add(1));
    let standings = (from..roster.next_number).filter_map(|number| roster.standing(number));
    standings.filter(|s| query.holds_for(s, roster)).map(|s| (0, 0, s.number)).take(limit).collect()
}

fn order(given: &str) -> Result<Order, Status> {
    match given {
        "" | "line" => Ok(Order::Line),
        "name" => Ok(Order::Name),
        "time" => Ok(Order::Time),
        _ => Err(status::filter(0, "line, name or time")),
    }
}

fn wanted(given: &str) -> Result<Vec<Wanted>, Status> {
    filter::parse(given, filter::REGISTRATIONS)?.iter().map(Wanted::by).collect()
}

fn page(registrations: Vec<Registration>, next: Option<String>) -> ListRegistrationsResponse {
    ListRegistrationsResponse { registrations, next_page_token: next.unwrap_or_default() }
}

fn bytes((rank, place, number): Key) -> Vec<u8> {
    [&[rank][..], &place.to_be_bytes(), &number.to_be_bytes()].concat()
}

fn cursor(bytes: &[u8]) -> Option<Key> {
    let (rank, rest) = bytes.split_first()?;
    let (place, number) = rest.split_at_checked(4)?;
    Some((*rank, Number::from_be_bytes(place.try_into().ok()?), Number::from_be_bytes(number.try_into().ok()?)))
}
