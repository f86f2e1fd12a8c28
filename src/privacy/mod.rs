//! Personal data that go: on request, or because their time is over; and never come back from a backup.
//!
//! An erasure is a command of the event like any other: the line closes up, the journal says that it happened and when,
//! and counts stay (docs/decisions/0022). What is erased is noted first in a file outside the database (`ledger`), which is
//! replayed before anybody is served: a restored backup forgets again what it had forgotten.

mod ledger;
mod restore;
mod retention;
mod words;

pub use ledger::{Ledger, Noted};
pub use retention::{Due, keep_rules};

use crate::admission::{Change, Command, Erased, Request, Roster, Standing, Verb};
use crate::desk::{Desk, DeskError, Job, Papers, View};
use crate::model::access::Reach;
use crate::model::attendance::MemberNo;
use crate::model::contact::ContactKeys;
use crate::model::event::EventState;
use crate::model::id::{EventId, RegistrationId};
use crate::model::registration::{ActorKind, End, State};
use crate::model::retention::{Extent, Facts, Kept, Rules};
use crate::model::time::Timestamp;
use crate::storage::StoreError;
use std::sync::Arc;
use std::time::Duration;

/// How often a party that changes while it is read is read again.
const TRIES: u32 = 32;
/// How often and how long after each other overwritten pages are asked out of the database's files.
const SCRUBS: u32 = 20;
const SCRUB_PAUSE: Duration = Duration::from_millis(100);

/// Erases personal data, and says what is due. A clone is the same.
#[derive(Clone)]
pub struct Privacy {
    desk: Desk,
    rules: Rules,
    ledger: Option<Arc<Ledger>>,
}

/// What became of a registration's personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub event: EventId,
    pub registration: RegistrationId,
    pub erased: Erased,
    /// The change in the event's journal; 0 where it was tried out.
    pub journal_number: u64,
    /// Until when the rest is kept.
    pub kept_until: Option<Timestamp>,
    pub in_project: bool,
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    #[error("no such registration")]
    NotFound,
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Noting comes first: what cannot be noted is not erased.
    #[error("the ledger cannot be written: {0}")]
    Ledger(std::io::Error),
    #[error("the party of registration {0} cannot be read or written")]
    Unreadable(u32),
}

/// Who asks for an erasure, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    pub actor: ActorKind,
    /// Absent: the service asks of itself.
    pub request: Option<Request>,
    pub validate_only: bool,
}

/// A registration as it stood when it was read.
struct Seen {
    standing: Standing,
    marked: MemberNo,
    facts: Facts,
}

impl Privacy {
    pub fn new(desk: Desk, rules: Rules) -> Self {
        Self { desk, rules, ledger: None }
    }

    pub fn with_ledger(self, ledger: Arc<Ledger>) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// Erases what may be erased of a registration at its party's wish, and of those that were transferred into it. Asked
    /// again, it answers the same and does nothing.
    pub async fn erase(&self, event: EventId, id: RegistrationId, asking: Asking) -> Result<Erasure, PrivacyError> {
        let seen = self.seen(event, id).await?;
        if !asking.validate_only {
            self.erase_those_before(event, id, seen.standing.contact, asking.actor).await?;
        }
        let erasure = self.carry_out(event, id, asking, self.on_request()).await?;
        let erasure = erasure.ok_or(PrivacyError::NotFound)?;
        if !asking.validate_only {
            self.scrub().await;
        }
        Ok(erasure)
    }

    /// How long what is kept of a registration, and what was erased.
    pub async fn kept(&self, event: EventId, id: RegistrationId) -> Result<(Kept, Option<Erasure>), PrivacyError> {
        let seen = self.seen(event, id).await?;
        let erased = if seen.standing.erased.is_some() { Some(self.done(event, id).await?) } else { None };
        Ok((self.rules.of(seen.facts), erased))
    }

    /// A transfer leaves the party's words where it came from.
    async fn erase_those_before(
        &self,
        event: EventId,
        id: RegistrationId,
        contact: ContactKeys,
        actor: ActorKind,
    ) -> Result<(), PrivacyError> {
        let (mut led_to, mut at) = (vec![(event, id)], 0);
        if contact == ContactKeys::default() {
            return Ok(());
        }
        let same = self.desk.store().registrations_by_contact(&Reach::Service, contact).await?;
        while let Some(target) = led_to.get(at).copied() {
            at += 1;
            for (event, id) in same.iter().copied().filter(|one| !led_to.contains(one)).collect::<Vec<_>>() {
                let seen = self.seen(event, id).await?;
                let State::Ended(End::Transferred { to }) = &seen.standing.state else { continue };
                if (to.event, to.registration) == target {
                    led_to.push((event, id));
                }
            }
        }
        for (event, id) in led_to.into_iter().skip(1) {
            let asking = Asking { actor, request: None, validate_only: false };
            self.carry_out(event, id, asking, self.on_request()).await?;
        }
        Ok(())
    }

    fn on_request(&self) -> impl Fn(Facts) -> Option<Extent> {
        move |facts| Some(self.rules.on_request(facts, self.desk.clock().now()))
    }

    /// Reads, notes, and hands the command in; anew where the party moved meanwhile. `None` where nothing is to go.
    async fn carry_out(
        &self,
        event: EventId,
        id: RegistrationId,
        asking: Asking,
        extent: impl Fn(Facts) -> Option<Extent>,
    ) -> Result<Option<Erasure>, PrivacyError> {
        for _ in 0..TRIES {
            let seen = self.seen(event, id).await?;
            let Some(extent) = extent(seen.facts) else { return Ok(None) };
            let kept = extent == Extent::Part;
            let job = self.job(event, &seen, kept, asking).await?;
            if asking.validate_only {
                self.desk.try_out(job, |_, _| ()).await?;
                let erased = Erased { at: self.desk.clock().now(), kept };
                return Ok(Some(self.told(event, id, erased, 0, seen.facts)));
            }
            if let (Some(ledger), false) = (&self.ledger, seen.standing.is_erased(kept)) {
                let noted = Noted::Erasure { event, registration: id, kept };
                ledger.note(&noted).await.map_err(PrivacyError::Ledger)?;
            }
            match self.desk.submit(job).await {
                Err(DeskError::Stale) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return self.done(event, id).await.map(Some),
            }
        }
        Err(DeskError::Overloaded.into())
    }

    async fn job(&self, event: EventId, seen: &Seen, kept: bool, asking: Asking) -> Result<Job, PrivacyError> {
        let number = seen.standing.number;
        let rows = self.desk.store().parties(&Reach::Service, event, &[number]).await?;
        let row = rows.first().ok_or(PrivacyError::NotFound)?;
        let words = words::without(row, kept, seen, self.desk.keys()).ok_or(PrivacyError::Unreadable(number))?;
        let seen_step = seen.standing.steps.last().copied().unwrap_or_default();
        let papers = Papers::Party { words: Box::new(words), seen_step, seen_marked: seen.marked, token_key: None };
        let verb = Verb::Erase { number, kept };
        let command = Command { actor: asking.actor, request: asking.request, verb };
        Ok(Job { event, command, papers })
    }

    async fn seen(&self, event: EventId, id: RegistrationId) -> Result<Seen, PrivacyError> {
        let now = self.desk.clock().now();
        let found = self.desk.read(event, move |view| {
            let standing = view.roster.standing(id.number()).filter(|s| s.id == id)?.clone();
            let marked = view.roster.last_member_marked(standing.number);
            Some(Seen { facts: facts(view, &standing, now), standing, marked })
        });
        found.await?.ok_or(PrivacyError::NotFound)
    }

    /// What was done, from the journal: the same whenever it is asked.
    async fn done(&self, event: EventId, id: RegistrationId) -> Result<Erasure, PrivacyError> {
        let Seen { standing, facts, .. } = self.seen(event, id).await?;
        let erased = standing.erased.ok_or(PrivacyError::NotFound)?;
        let entries = self.desk.store().journal_entries(event, &standing.steps).await?;
        let is_it = |change: &Change| matches!(change, Change::Erased { number, .. } if *number == standing.number);
        let last = entries.iter().filter(|entry| is_it(&entry.change)).map(|entry| entry.number).max();
        Ok(self.told(event, id, erased, last.unwrap_or_default(), facts))
    }

    fn told(&self, event: EventId, registration: RegistrationId, erased: Erased, n: u64, facts: Facts) -> Erasure {
        let kept_until = if erased.kept { self.rules.of(facts).names_until } else { None };
        Erasure { event, registration, erased, journal_number: n, kept_until, in_project: facts.in_project }
    }

    /// What was overwritten goes from the files too. Readers can hold that up for a moment; what they hold up for longer
    /// goes with the next erasure, or when the database is closed.
    async fn scrub(&self) {
        for _ in 0..SCRUBS {
            match self.desk.store().scrub().await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "the files cannot be scrubbed yet"),
            }
            tokio::time::sleep(SCRUB_PAUSE).await;
        }
        tracing::warn!("what was erased may stand in the write-ahead log until it is written back");
    }
}

/// What the rules must know of a registration.
fn facts(view: &View<'_>, standing: &Standing, now: Timestamp) -> Facts {
    Facts {
        ended_at: ended_at(view.roster),
        took_part: view.roster.took_part(standing.number, now),
        in_project: !view.event.details.project_code.is_empty(),
        restricted: standing.restricted_at().is_some(),
    }
}

/// When an event ended, or will: its last session; without sessions, when it was closed or called off.
fn ended_at(roster: &Roster) -> Option<Timestamp> {
    let closed = matches!(roster.state, EventState::Cancelled | EventState::Completed);
    roster.terms.ends_at.or_else(|| closed.then_some(roster.last_at))
}
