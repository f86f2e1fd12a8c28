//! A store that breaks at will: before the commit, or after it with the answer lost.

use async_trait::async_trait;
use eile::admission::{Entry, SeatCounts};
use eile::model::access::{AccessKey, Reach};
use eile::model::access_log::{AccessEntry, AccessQuery};
use eile::model::centre::{Centre, Programme};
use eile::model::contact::ContactKeys;
use eile::model::event::Event;
use eile::model::id::{CentreId, EventId, Number, ProgrammeId, RegistrationId};
use eile::model::person::PeopleEntry;
use eile::model::report::Report;
use eile::model::time::Timestamp;
use eile::storage::{
    Decide, Digest, DigestQuery, DigestRow, EventQuery, EventRow, Everything, FeedPage, FeedQuery, Lock, OpenRequest,
    PartyRow, Store, StoreError, Stored, Whole,
};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// What the next transactions do; each fault is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Decided, then nothing is written.
    FailBeforeCommit,
    GiveWay,
    /// Written, but the answer of the commit is lost.
    LoseAnswer,
}

pub struct Faulty {
    inner: Arc<dyn Store>,
    faults: Mutex<Vec<Fault>>,
    pub transactions: AtomicUsize,
    /// A transaction needs a permit before its commit: tests hold commits back with it.
    pub gate: Semaphore,
    /// Reading the words of parties needs one too.
    pub words: Semaphore,
}

impl Faulty {
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            faults: Mutex::default(),
            transactions: AtomicUsize::new(0),
            gate: Semaphore::new(1_000_000),
            words: Semaphore::new(1_000_000),
        })
    }

    pub fn next(&self, faults: &[Fault]) {
        *self.faults.lock().unwrap() = faults.to_vec();
    }

    fn fault(&self) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        (!faults.is_empty()).then(|| faults.remove(0))
    }
}

#[async_trait]
impl Store for Faulty {
    async fn transact(&self, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        // The gate stands inside the commit: what is decided is not told before it opens.
        let permit = self.gate.acquire().await.unwrap();
        permit.forget();
        let result = match self.fault() {
            None => self.inner.transact(locks, decide).await,
            Some(Fault::LoseAnswer) => {
                self.inner.transact(locks, decide).await?;
                Err(StoreError::Unknown("the answer was lost".into()))
            }
            Some(fault) => {
                // Decided against the real rows, and then not written.
                let forget: Decide = Box::new(move |fresh| {
                    decide(fresh);
                    Vec::new()
                });
                self.inner.transact(locks, forget).await?;
                Err(match fault {
                    Fault::GiveWay => StoreError::GaveWay("deadlock".into()),
                    _ => StoreError::Unavailable("no answer".into()),
                })
            }
        };
        self.gate.add_permits(1);
        result
    }

    async fn create_event(&self, event: &Event, entry: &Entry, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.create_event(event, entry, request).await
    }
    async fn journal_numbers(&self, events: &[EventId]) -> Result<Vec<(EventId, u64)>, StoreError> {
        self.inner.journal_numbers(events).await
    }
    async fn list_events(&self, query: &EventQuery) -> Result<Vec<EventRow>, StoreError> {
        self.inner.list_events(query).await
    }
    async fn due_events(&self, now: Timestamp, limit: u32) -> Result<Vec<EventId>, StoreError> {
        self.inner.due_events(now, limit).await
    }
    async fn journal(&self, event: EventId, from: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.inner.journal(event, from, limit).await
    }
    async fn journal_counts(
        &self,
        event: EventId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<(u64, SeatCounts)>, StoreError> {
        self.inner.journal_counts(event, from, limit).await
    }
    async fn journal_entries(&self, event: EventId, numbers: &[u64]) -> Result<Vec<Entry>, StoreError> {
        self.inner.journal_entries(event, numbers).await
    }
    async fn feed_end(&self) -> Result<u64, StoreError> {
        self.inner.feed_end().await
    }
    async fn feed(&self, query: &FeedQuery) -> Result<FeedPage, StoreError> {
        self.inner.feed(query).await
    }
    async fn feed_before(&self, at: Timestamp, until: u64) -> Result<u64, StoreError> {
        self.inner.feed_before(at, until).await
    }
    async fn document(&self, event: EventId) -> Result<Option<Event>, StoreError> {
        self.inner.document(event).await
    }
    async fn whole(&self, event: EventId) -> Result<Option<Whole>, StoreError> {
        self.inner.whole(event).await
    }
    async fn everything(&self, reach: &Reach, event: EventId) -> Result<Option<Everything>, StoreError> {
        self.inner.everything(reach, event).await
    }
    async fn digests(&self, query: &DigestQuery) -> Result<Vec<DigestRow>, StoreError> {
        self.inner.digests(query).await
    }
    async fn digest_facts(&self, events: &[EventId]) -> Result<Vec<(EventId, u64, Vec<u8>)>, StoreError> {
        self.inner.digest_facts(events).await
    }
    async fn stale_digests(&self, limit: u32) -> Result<Vec<(EventId, u64)>, StoreError> {
        self.inner.stale_digests(limit).await
    }
    async fn keep_digests(&self, digests: Vec<Digest>) -> Result<(), StoreError> {
        self.inner.keep_digests(digests).await
    }
    async fn create_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.create_access_key(key, request).await
    }
    async fn update_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.update_access_key(key, request).await
    }
    async fn list_access_keys(&self, after: Option<&str>, limit: u32) -> Result<Vec<AccessKey>, StoreError> {
        self.inner.list_access_keys(after, limit).await
    }
    async fn add_access_entries(&self, entries: Vec<AccessEntry>) -> Result<(), StoreError> {
        self.inner.add_access_entries(entries).await
    }
    async fn access_entries(&self, reach: &Reach, query: &AccessQuery) -> Result<Vec<AccessEntry>, StoreError> {
        self.inner.access_entries(reach, query).await
    }
    async fn drop_access_entries(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.drop_access_entries(before, limit).await
    }
    async fn note_key_uses(&self, uses: Vec<(String, Timestamp)>) -> Result<(), StoreError> {
        self.inner.note_key_uses(uses).await
    }
    async fn key_uses(&self, after: Option<&str>, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.inner.key_uses(after, limit).await
    }
    async fn create_report(&self, report: &Report, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.create_report(report, request).await
    }
    async fn report(&self, reach: &Reach, id: uuid::Uuid) -> Result<Option<Report>, StoreError> {
        self.inner.report(reach, id).await
    }
    async fn list_reports(
        &self,
        reach: &Reach,
        after: Option<uuid::Uuid>,
        limit: u32,
    ) -> Result<Vec<Report>, StoreError> {
        self.inner.list_reports(reach, after, limit).await
    }
    async fn add_people_entry(&self, entry: &PeopleEntry, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.add_people_entry(entry, request).await
    }
    async fn people_entries(&self, after: u64, limit: u32) -> Result<Vec<PeopleEntry>, StoreError> {
        self.inner.people_entries(after, limit).await
    }
    async fn event_ids(
        &self,
        centre: Option<&CentreId>,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<EventId>, StoreError> {
        self.inner.event_ids(centre, after, limit).await
    }
    async fn parties(&self, reach: &Reach, event: EventId, numbers: &[Number]) -> Result<Vec<PartyRow>, StoreError> {
        let _permit = self.words.acquire().await.unwrap();
        self.inner.parties(reach, event, numbers).await
    }
    async fn parties_by_name(
        &self,
        reach: &Reach,
        event: EventId,
        after: Option<(String, Number)>,
        limit: u32,
    ) -> Result<Vec<PartyRow>, StoreError> {
        self.inner.parties_by_name(reach, event, after, limit).await
    }
    async fn registrations_by_contact(
        &self,
        reach: &Reach,
        contact: ContactKeys,
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
        self.inner.registrations_by_contact(reach, contact).await
    }
    async fn registrations_moved_to(
        &self,
        reach: &Reach,
        targets: &[RegistrationId],
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
        self.inner.registrations_moved_to(reach, targets).await
    }
    async fn reasons(&self, reach: &Reach, event: EventId, number: Number) -> Result<Vec<(u64, String)>, StoreError> {
        self.inner.reasons(reach, event, number).await
    }
    async fn scrub(&self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }
    async fn token_hash(&self, event: EventId, number: Number) -> Result<Option<[u8; 32]>, StoreError> {
        self.inner.token_hash(event, number).await
    }
    async fn event_answer(&self, event: EventId, request_key: u128) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.event_answer(event, request_key).await
    }
    async fn open_answer(&self, request: &OpenRequest) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.open_answer(request).await
    }
    async fn create_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.create_centre(centre, request).await
    }
    async fn update_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.update_centre(centre, request).await
    }
    async fn centre(&self, id: &CentreId) -> Result<Option<Centre>, StoreError> {
        self.inner.centre(id).await
    }
    async fn list_centres(&self, after: Option<&CentreId>, limit: u32) -> Result<Vec<Centre>, StoreError> {
        self.inner.list_centres(after, limit).await
    }
    async fn create_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.create_programme(programme, request).await
    }
    async fn update_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError> {
        self.inner.update_programme(programme, request).await
    }
    async fn programme(&self, id: &ProgrammeId) -> Result<Option<Programme>, StoreError> {
        self.inner.programme(id).await
    }
    async fn list_programmes(&self, after: Option<&ProgrammeId>, limit: u32) -> Result<Vec<Programme>, StoreError> {
        self.inner.list_programmes(after, limit).await
    }
    async fn secret(&self) -> Result<[u8; 32], StoreError> {
        self.inner.secret().await
    }
    async fn engine(&self) -> Result<String, StoreError> {
        self.inner.engine().await
    }
    async fn count_events(&self) -> Result<u64, StoreError> {
        self.inner.count_events().await
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
    async fn close(&self) {
        self.inner.close().await
    }
}
