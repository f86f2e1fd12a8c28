//! The behaviour on PostgreSQL: one primary, several instances of the service, a few connections that write.

mod access_log;
mod backup;
mod digests;
mod documents;
mod errors;
mod events;
mod feed;
mod held;
mod journal;
mod load;
mod open;
mod parties;
mod requests;
mod secrets;
mod sign_ups;
mod tokens;
mod transact;
mod wall;
mod write;

pub(super) use backup::backup;
pub(super) use open::migrate;

use super::codec::{DocumentRow, people_id};
use super::kept::{Digest, DigestQuery, DigestRow, Everything};
use super::retry::until_settled;
use super::{
    Decide, EventQuery, EventRow, FeedPage, FeedQuery, Lock, OpenRequest, PartyRow, Store, StoreError, Stored, Whole,
};
use crate::admission::{Entry, SeatCounts};
use crate::model::access::{AccessKey, Reach};
use crate::model::access_log::{AccessEntry, AccessQuery};
use crate::model::centre::{Centre, Programme};
use crate::model::contact::ContactKeys;
use crate::model::event::Event;
use crate::model::id::{CentreId, EventId, Number, ProgrammeId, RegistrationId};
use crate::model::person::PeopleEntry;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use async_trait::async_trait;
use documents::{ACCESS_KEYS, CENTRES, PEOPLE, PROGRAMMES, REPORTS};
use held::Connections;
use std::sync::Arc;
use uuid::Uuid;

/// A PostgreSQL database.
pub(super) struct PostgresStore {
    writer: transact::Writer,
    readers: Connections,
    wall: wall::Wall,
    layer: Arc<feed::Layer>,
}

impl PostgresStore {
    /// Reads, as often as it takes.
    async fn read<T, F>(&self, mut operation: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        until_settled(|| self.readers.in_time(operation())).await
    }

    /// Reads what stands behind the wall, in a task of its own.
    async fn read_behind<T: Send + 'static, F>(
        &self,
        operation: impl Fn(wall::Wall) -> F + Send + Sync + 'static,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let wall = self.wall.clone();
        apart(async move { until_settled(|| wall.readers().in_time(operation(wall.clone()))).await }).await
    }
}

/// Runs a future in a task of its own, so that a caller who goes away never drops an open transaction.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work).await.unwrap_or_else(|e| Err(StoreError::Failed(format!("a storage operation broke off: {e}"))))
}

#[async_trait]
impl Store for PostgresStore {
    async fn transact(&self, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
        apart(transact::transact(self.writer.clone(), locks, decide)).await
    }

    async fn create_event(&self, event: &Event, entry: &Entry, request: &OpenRequest) -> Result<Stored, StoreError> {
        let (writer, event, entry, request) = (self.writer.clone(), event.clone(), entry.clone(), request.clone());
        apart(async move { until_settled(|| events::create_event(&writer, &event, &entry, &request)).await }).await
    }

    async fn journal_numbers(&self, events: &[EventId]) -> Result<Vec<(EventId, u64)>, StoreError> {
        self.read(|| events::journal_numbers(&self.readers, events)).await
    }

    async fn list_events(&self, query: &EventQuery) -> Result<Vec<EventRow>, StoreError> {
        self.read(|| events::list_events(&self.readers, query)).await
    }

    async fn due_events(&self, now: Timestamp, limit: u32) -> Result<Vec<EventId>, StoreError> {
        self.read(|| events::due_events(&self.readers, now, limit)).await
    }

    async fn journal(&self, event: EventId, from: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.read(|| journal::journal(&self.readers, event, from, limit)).await
    }

    async fn journal_counts(
        &self,
        event: EventId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<(u64, SeatCounts)>, StoreError> {
        self.read(|| journal::journal_counts(&self.readers, event, from, limit)).await
    }

    async fn journal_entries(&self, event: EventId, numbers: &[u64]) -> Result<Vec<Entry>, StoreError> {
        self.read(|| journal::journal_entries(&self.readers, event, numbers)).await
    }

    async fn feed_end(&self) -> Result<u64, StoreError> {
        let layer = Arc::clone(&self.layer);
        apart(async move { until_settled(|| layer.end()).await }).await
    }

    async fn feed(&self, query: &FeedQuery) -> Result<FeedPage, StoreError> {
        self.read(|| feed::feed(&self.readers, query)).await
    }

    async fn feed_before(&self, at: Timestamp, until: u64) -> Result<u64, StoreError> {
        self.read(|| feed::before(&self.readers, at, until)).await
    }

    async fn document(&self, event: EventId) -> Result<Option<Event>, StoreError> {
        self.read(|| events::document(&self.readers, event)).await
    }

    async fn whole(&self, event: EventId) -> Result<Option<Whole>, StoreError> {
        self.read_behind(move |wall| load::whole(wall, event)).await
    }

    async fn everything(&self, reach: &Reach, event: EventId) -> Result<Option<Everything>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| load::everything(wall, reach.clone(), event)).await
    }

    async fn digests(&self, query: &DigestQuery) -> Result<Vec<DigestRow>, StoreError> {
        self.read(|| digests::digests(&self.readers, query)).await
    }

    async fn digest_facts(&self, events: &[EventId]) -> Result<Vec<(EventId, u64, Vec<u8>)>, StoreError> {
        self.read(|| digests::facts(&self.readers, events)).await
    }

    async fn stale_digests(&self, limit: u32) -> Result<Vec<(EventId, u64)>, StoreError> {
        self.read(|| digests::stale(&self.readers, limit)).await
    }

    async fn keep_digests(&self, digests: Vec<Digest>) -> Result<(), StoreError> {
        let writer = self.writer.clone();
        apart(async move { until_settled(|| digests::keep(&writer, &digests)).await }).await
    }

    async fn event_ids(
        &self,
        centre: Option<&CentreId>,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<EventId>, StoreError> {
        self.read(|| events::event_ids(&self.readers, centre, after, limit)).await
    }

    async fn parties(&self, reach: &Reach, event: EventId, numbers: &[Number]) -> Result<Vec<PartyRow>, StoreError> {
        let (reach, numbers) = (reach.clone(), numbers.to_vec());
        self.read_behind(move |wall| parties::parties(wall, reach.clone(), event, numbers.clone())).await
    }

    async fn parties_by_name(
        &self,
        reach: &Reach,
        event: EventId,
        after: Option<(String, Number)>,
        limit: u32,
    ) -> Result<Vec<PartyRow>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| parties::parties_by_name(wall, reach.clone(), event, after.clone(), limit)).await
    }

    async fn registrations_by_contact(
        &self,
        reach: &Reach,
        contact: ContactKeys,
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| parties::registrations_by_contact(wall, reach.clone(), contact)).await
    }

    async fn registrations_moved_to(
        &self,
        reach: &Reach,
        targets: &[RegistrationId],
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
        let (reach, targets) = (reach.clone(), targets.to_vec());
        self.read_behind(move |wall| parties::registrations_moved_to(wall, reach.clone(), targets.clone())).await
    }

    async fn reasons(&self, reach: &Reach, event: EventId, number: Number) -> Result<Vec<(u64, String)>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| parties::reasons(wall, reach.clone(), event, number)).await
    }

    /// Differs from sqlite because the server keeps what was overwritten until its vacuum and the end of its WAL, and lets
    /// no client take it out (docs/operations.md).
    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn token_hash(&self, event: EventId, number: Number) -> Result<Option<[u8; 32]>, StoreError> {
        self.read(|| parties::token_hash(&self.readers, event, number)).await
    }

    async fn event_answer(&self, event: EventId, request_key: u128) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|| requests::event_answer(&self.readers, event, request_key)).await
    }

    async fn open_answer(&self, request: &OpenRequest) -> Result<Option<Vec<u8>>, StoreError> {
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| requests::open_answer(&writer, &request)).await }).await
    }

    async fn create_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&centre.id.0, centre.version, centre)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &CENTRES, &row, &request)).await }).await
    }

    async fn update_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&centre.id.0, centre.version, centre)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &CENTRES, &row, &request)).await }).await
    }

    async fn centre(&self, id: &CentreId) -> Result<Option<Centre>, StoreError> {
        self.read(|| documents::read(&self.readers, &CENTRES, &id.0)).await
    }

    async fn list_centres(&self, after: Option<&CentreId>, limit: u32) -> Result<Vec<Centre>, StoreError> {
        self.read(|| documents::list(&self.readers, &CENTRES, after.map(|id| id.0.as_str()), limit)).await
    }

    async fn create_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&programme.id.0, programme.version, programme)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &PROGRAMMES, &row, &request)).await }).await
    }

    async fn update_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&programme.id.0, programme.version, programme)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &PROGRAMMES, &row, &request)).await }).await
    }

    async fn programme(&self, id: &ProgrammeId) -> Result<Option<Programme>, StoreError> {
        self.read(|| documents::read(&self.readers, &PROGRAMMES, &id.0)).await
    }

    async fn list_programmes(&self, after: Option<&ProgrammeId>, limit: u32) -> Result<Vec<Programme>, StoreError> {
        self.read(|| documents::list(&self.readers, &PROGRAMMES, after.map(|id| id.0.as_str()), limit)).await
    }

    async fn create_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&key.id, key.version, key)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &ACCESS_KEYS, &row, &request)).await }).await
    }

    async fn update_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&key.id, key.version, key)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &ACCESS_KEYS, &row, &request)).await }).await
    }

    async fn list_access_keys(&self, after: Option<&str>, limit: u32) -> Result<Vec<AccessKey>, StoreError> {
        self.read(|| documents::list(&self.readers, &ACCESS_KEYS, after, limit)).await
    }

    async fn add_access_entries(&self, entries: Vec<AccessEntry>) -> Result<(), StoreError> {
        let writer = self.writer.clone();
        apart(async move { until_settled(|| access_log::add(&writer, entries.clone())).await }).await
    }

    async fn access_entries(&self, reach: &Reach, query: &AccessQuery) -> Result<Vec<AccessEntry>, StoreError> {
        let (reach, query) = (reach.clone(), query.clone());
        self.read_behind(move |wall| access_log::list(wall, reach.clone(), query.clone())).await
    }

    async fn drop_access_entries(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let writer = self.writer.clone();
        apart(async move { until_settled(|| access_log::drop_before(&writer, before, limit)).await }).await
    }

    async fn note_key_uses(&self, mut uses: Vec<(String, Timestamp)>) -> Result<(), StoreError> {
        let writer = self.writer.clone();
        uses.sort();
        apart(async move { until_settled(|| access_log::note_uses(&writer, &uses)).await }).await
    }

    async fn key_uses(&self, after: Option<&str>, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.read(|| access_log::uses(&self.readers, after, limit)).await
    }

    async fn create_report(&self, report: &Report, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&report.id.to_string(), 1, report)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &REPORTS, &row, &request)).await }).await
    }

    async fn report(&self, reach: &Reach, id: Uuid) -> Result<Option<Report>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| documents::report(wall, reach.clone(), id)).await
    }

    async fn list_reports(&self, reach: &Reach, after: Option<Uuid>, limit: u32) -> Result<Vec<Report>, StoreError> {
        let reach = reach.clone();
        self.read_behind(move |wall| documents::list_reports(wall, reach.clone(), after, limit)).await
    }

    async fn add_people_entry(&self, entry: &PeopleEntry, request: &OpenRequest) -> Result<Stored, StoreError> {
        let row = DocumentRow::of(&people_id(entry.number), 1, entry)?;
        let (writer, request) = (self.writer.clone(), request.clone());
        apart(async move { until_settled(|| documents::save(&writer, &PEOPLE, &row, &request)).await }).await
    }

    async fn people_entries(&self, after: u64, limit: u32) -> Result<Vec<PeopleEntry>, StoreError> {
        let after = people_id(after);
        self.read(|| documents::list(&self.readers, &PEOPLE, Some(&after), limit)).await
    }

    async fn secret(&self) -> Result<[u8; 32], StoreError> {
        let writer = self.writer.clone();
        apart(async move { until_settled(|| secrets::secret(&writer)).await }).await
    }

    async fn engine(&self) -> Result<String, StoreError> {
        self.read(|| open::engine(&self.readers)).await
    }

    async fn count_events(&self) -> Result<u64, StoreError> {
        self.read(|| open::count_events(&self.readers)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|| open::ping(&self.writer, &self.readers)).await
    }

    async fn close(&self) {
        open::close(&self.writer, &self.readers).await;
    }
}
