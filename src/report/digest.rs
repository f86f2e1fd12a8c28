//! What reports keep of an event, and how it is kept right: under the journal number that it was worked out at. A number
//! that has moved means that it is worked out anew, from the whole event as one snapshot.

use super::demand::{Demand, demand_of};
use super::facts::{Fact, facts};
use super::{Basis, EVENTS_MAX, People, ReportError, Scope};
use crate::keys::Keys;
use crate::model::access::{Reach, Role};
use crate::model::attendance::{SessionNo, Slot};
use crate::model::event::{EventKind, EventState};
use crate::model::id::{CentreId, EventId, ProgrammeId};
use crate::model::time::Timestamp;
use crate::storage::{Digest, DigestQuery, DigestRow, Everything, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The form in which digests are kept. Another one is worked out anew.
const FORM: u8 = 2;
/// Events that are written, or whose facts are read, at a time.
const EVENTS_AT_ONCE: usize = 100;
/// How long a report rests after some events, beside how long they took it.
const PAUSE: u32 = 3;
/// And never longer than this, so that a report of a whole year ends within its deadline.
const PAUSE_MAX: Duration = Duration::from_millis(30);
/// Registrations whose facts are written at a time, about.
const FACTS_AT_ONCE: usize = 20_000;

/// An event as reports know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub centre: CentreId,
    pub programme: Option<ProgrammeId>,
    pub project: String,
    pub municipality: String,
    pub kind: EventKind,
    pub state: EventState,
    /// As `Details::named_roles`: who alone sees its people, where it is sensitive.
    pub named_roles: Option<Vec<Role>>,
    /// What puts it into a period: its start, or the opening of registration, or when it was made.
    pub begins_at: Timestamp,
    /// The start of the first session.
    pub starts_at: Option<Timestamp>,
    /// Seats over all bounded pools; none where it was cancelled.
    pub seats: u32,
    /// A pool has no bound.
    pub unlimited: bool,
    /// Persons who hold seats at the start, or now where that is to come.
    pub held: u32,
    pub minimum: u32,
    pub languages: Vec<String>,
    pub sessions: Vec<SessionHeld>,
    pub late_cancelled: u32,
    pub late_filled: u32,
    /// Parties that were admitted by a class while one that came before them was refused.
    pub ahead_by_class: u32,
}

/// A session as reports know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHeld {
    pub no: SessionNo,
    pub starts_at: Timestamp,
    pub minutes: u16,
    pub cancelled: bool,
    /// Somebody was written down, or heads were counted.
    pub held: bool,
    /// Adults, children, and whether they are estimated.
    pub heads: Option<(u32, u32, bool)>,
}

/// One event of a report.
#[derive(Clone, Debug)]
pub struct Digested {
    pub event: EventId,
    pub journal_number: u64,
    pub head: Head,
    pub demand: Demand,
}

/// Works out what is asked, from what is kept.
#[derive(Clone)]
pub struct Reports {
    store: Arc<dyn Store>,
    keys: Keys,
    /// One call works out what is not right any more; those that come meanwhile find it done.
    working: Arc<Mutex<()>>,
}

impl Reports {
    pub fn new(store: Arc<dyn Store>, keys: Keys) -> Self {
        Self { store, keys, working: Arc::default() }
    }

    /// What staff entered about persons.
    pub async fn people(&self) -> Result<People, StoreError> {
        People::read(&*self.store).await
    }

    /// The events that a report is about, in order of their beginning, and what that rests on.
    pub async fn events(&self, scope: &Scope) -> Result<(Vec<Digested>, Basis), ReportError> {
        let mut found = self.current(scope).await?;
        found.retain(|d| scope.holds(d.head.begins_at));
        Ok(in_order(found))
    }

    /// The events of which something may have taken place in the period: those that began before its end.
    pub async fn events_until(&self, scope: &Scope) -> Result<(Vec<Digested>, Basis), ReportError> {
        let mut found = self.current(&Scope { from: None, ..scope.clone() }).await?;
        found.retain(|d| scope.before.is_none_or(|before| d.head.begins_at < before));
        Ok(in_order(found))
    }

    /// Every event of the scope with a digest that is right, project and period aside.
    async fn current(&self, scope: &Scope) -> Result<Vec<Digested>, ReportError> {
        let (mut right, stale) = self.kept(scope).await?;
        if !stale.is_empty() {
            right = self.brought_up_to_date(scope).await?;
        }
        right.retain(|d| scope.project.is_empty() || d.head.project == scope.project);
        Ok(right)
    }

    /// In a task of its own: when whoever asked has gone away, the work is not lost, and who asks again finds it done.
    async fn brought_up_to_date(&self, scope: &Scope) -> Result<Vec<Digested>, ReportError> {
        let (reports, scope) = (self.clone(), scope.clone());
        let worked = tokio::spawn(async move {
            let _alone = reports.working.lock().await;
            let (mut right, stale) = reports.kept(&scope).await?;
            reports.work_out(&stale, &mut right).await?;
            Ok(right)
        });
        worked.await.map_err(broken)?
    }

    /// Works out some events ahead of being asked.
    pub(super) async fn ahead(&self, events: &[EventId]) -> Result<(), ReportError> {
        let _alone = self.working.lock().await;
        self.work_out(events, &mut Vec::new()).await
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What is kept and right, and the events of which nothing right is kept.
    async fn kept(&self, scope: &Scope) -> Result<(Vec<Digested>, Vec<EventId>), ReportError> {
        let rows = self.store.digests(&query(scope)).await?;
        if rows.len() > EVENTS_MAX as usize {
            return Err(ReportError::TooLarge);
        }
        let (mut right, mut stale) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let event = row.event;
            match read(row) {
                Some(digested) => right.push(digested),
                None => stale.push(event),
            }
        }
        Ok((right, stale))
    }

    async fn work_out(&self, stale: &[EventId], right: &mut Vec<Digested>) -> Result<(), ReportError> {
        let mut kept = Vec::new();
        let mut weight = 0;
        for event in stale {
            let Some(everything) = self.store.everything(&Reach::Service, *event).await? else { continue };
            weight += everything.whole.standings.len();
            let keys = self.keys.clone();
            let worked = tokio::task::spawn_blocking(move || digest(&everything, &keys)).await;
            let (digested, digest) = worked.map_err(broken)??;
            right.push(digested);
            kept.push(digest);
            if kept.len() >= EVENTS_AT_ONCE || weight >= FACTS_AT_ONCE {
                self.store.keep_digests(std::mem::take(&mut kept)).await?;
                weight = 0;
            }
        }
        if !kept.is_empty() {
            self.store.keep_digests(kept).await?;
        }
        Ok(())
    }

    /// Hands the facts of these events to `each`, some events at a time, in the order given. What was kept of an event
    /// at another number by now is handed over as it is then: facts are whole at every number.
    pub async fn each_fact(
        &self,
        events: &[Digested],
        mut each: impl FnMut(&Digested, Vec<Fact>) + Send,
    ) -> Result<(), ReportError> {
        for some in events.chunks(EVENTS_AT_ONCE) {
            let began = Instant::now();
            let ids: Vec<EventId> = some.iter().map(|d| d.event).collect();
            let mut kept: std::collections::HashMap<EventId, (u64, Vec<u8>)> = self
                .store
                .digest_facts(&ids)
                .await?
                .into_iter()
                .map(|(event, number, facts)| (event, (number, facts)))
                .collect();
            for digested in some {
                let facts = match kept.remove(&digested.event) {
                    Some((number, bytes)) if number == digested.journal_number => unpack(&bytes),
                    _ => None,
                };
                let facts = match facts {
                    Some(facts) => facts,
                    None => self.facts_now(digested.event).await?,
                };
                each(digested, facts);
            }
            // Whoever signs up goes first: a report takes a quarter of a processor, and so much longer.
            tokio::time::sleep((PAUSE * began.elapsed()).min(PAUSE_MAX)).await;
        }
        Ok(())
    }

    async fn facts_now(&self, event: EventId) -> Result<Vec<Fact>, ReportError> {
        let Some(everything) = self.store.everything(&Reach::Service, event).await? else { return Ok(Vec::new()) };
        facts(&everything, &self.keys).map(|(facts, _)| facts).map_err(|e| unreadable(event, &e))
    }
}

fn in_order(mut found: Vec<Digested>) -> (Vec<Digested>, Basis) {
    found.sort_by_key(|d| (d.head.begins_at, d.event));
    let events = found.iter().map(|d| (d.event, d.journal_number)).collect();
    (found, Basis { events, people_number: 0 })
}

fn query(scope: &Scope) -> DigestQuery {
    DigestQuery {
        event: scope.event,
        centre: scope.centre.clone(),
        programme: scope.programme.clone(),
        municipality: scope.municipality.clone(),
        starts_from: scope.from,
        starts_before: scope.before,
        limit: EVENTS_MAX + 1,
    }
}

fn broken(error: tokio::task::JoinError) -> ReportError {
    ReportError::Store(StoreError::Failed(format!("a report broke off: {error}")))
}

fn unreadable(event: EventId, error: &super::facts::Unreadable) -> ReportError {
    let id = format!("{}, {}", event.0, error.0);
    ReportError::Store(StoreError::Corrupt { table: "parties", column: "document", id })
}

/// The digest that a row holds, where it is right: of the present number, in the present form.
fn read(row: DigestRow) -> Option<Digested> {
    let kept = row.kept.filter(|kept| kept.journal_number == row.journal_number)?;
    let (head, demand) = unpack(&kept.summary)?;
    Some(Digested { event: row.event, journal_number: row.journal_number, head, demand })
}

/// Works out an event.
fn digest(everything: &Everything, keys: &Keys) -> Result<(Digested, Digest), ReportError> {
    let event = everything.whole.event.id;
    let (facts, traced) = facts(everything, keys).map_err(|e| unreadable(event, &e))?;
    let mut head = head(everything);
    (head.held, head.late_cancelled, head.late_filled) = (traced.held, traced.late_cancelled, traced.late_filled);
    head.ahead_by_class = ahead_by_class(&facts);
    let demand = demand_of(&facts);
    let journal_number = everything.whole.header.journal_number;
    let kept = Digest { event, journal_number, summary: pack(&(&head, &demand))?, facts: pack(&facts)? };
    Ok((Digested { event, journal_number, head, demand }, kept))
}

fn head(everything: &Everything) -> Head {
    let whole = &everything.whole;
    let (event, terms) = (&whole.event, &whole.event.terms);
    let is_off = whole.header.state == EventState::Cancelled;
    Head {
        centre: event.centre.clone(),
        programme: event.programme.clone(),
        project: event.details.project_code.clone(),
        municipality: event.details.municipality_code.clone(),
        kind: event.details.kind,
        state: whole.header.state,
        named_roles: event.details.named_roles().map(<[Role]>::to_vec),
        begins_at: terms.starts_at.or(terms.opens_at).unwrap_or(event.created_at),
        starts_at: terms.starts_at,
        seats: if is_off { 0 } else { terms.pools.iter().filter_map(|pool| pool.capacity).sum() },
        unlimited: terms.pools.iter().any(|pool| pool.capacity.is_none()),
        held: 0,
        minimum: event.details.minimum_to_start,
        languages: event.details.languages.clone(),
        sessions: terms.sessions.iter().map(|slot| session(everything, slot)).collect(),
        late_cancelled: 0,
        late_filled: 0,
        ahead_by_class: 0,
    }
}

fn session(everything: &Everything, slot: &Slot) -> SessionHeld {
    let counted = everything.whole.header.attendance.iter().find(|counts| counts.session == slot.no);
    let heads = counted.and_then(|counts| counts.heads).map(|h| (h.heads.adults, h.heads.children, h.heads.estimated));
    SessionHeld {
        no: slot.no,
        starts_at: slot.starts_at,
        minutes: slot.minutes(),
        cancelled: slot.cancelled,
        held: counted.is_some_and(|c| c.present + c.absent + c.excused + c.made_up > 0 || c.heads.is_some()),
        heads,
    }
}

/// Parties with a class that were admitted although one without came before them and was refused.
fn ahead_by_class(facts: &[Fact]) -> u32 {
    let first_refused = facts.iter().filter(|f| f.refused && !f.has_class).map(|f| f.number).min();
    let ahead = |f: &&Fact| f.admitted && f.has_class && first_refused.is_some_and(|first| first < f.number);
    u32::try_from(facts.iter().filter(ahead).count()).unwrap_or(u32::MAX)
}

/// A value in the form in which it is kept: the form's number, then the value.
fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, ReportError> {
    let failed = |e| ReportError::Store(StoreError::Failed(format!("a digest cannot be written: {e}")));
    postcard::to_extend(value, vec![FORM]).map_err(failed)
}

/// `None` where it is of another form, which means: work it out anew.
fn unpack<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    let (form, value) = bytes.split_first()?;
    if *form == FORM { postcard::from_bytes(value).ok() } else { None }
}
