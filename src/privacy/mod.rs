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
pub use words::left_behind;

use crate::admission::{Change, Command, Erased, Request, Roster, Standing, Verb};
use crate::desk::{Borne, Desk, DeskError, Done, Job, Papers, View};
use crate::model::access::Reach;
use crate::model::attendance::MemberNo;
use crate::model::event::EventState;
use crate::model::id::{EventId, RegistrationId};
use crate::model::registration::ActorKind;
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
    /// Where the party's token lets it in. Where it has to be looked at again, the answer is `Stale`.
    pub borne: Option<Borne>,
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
    /// again, it answers the same, and does what was not done yet.
    pub async fn erase(&self, event: EventId, id: RegistrationId, asking: Asking) -> Result<Erasure, PrivacyError> {
        let erasure = self.carry_out(event, id, asking, self.on_request()).await?;
        let erasure = erasure.ok_or(PrivacyError::NotFound)?;
        if !asking.validate_only {
            // Not before it is agreed to.
            self.erase_those_before(event, id, asking.actor).await?;
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

    /// What stands of the party where a transfer came from. Found by the link that a transfer leaves, whatever contact the
    /// party has had since.
    async fn erase_those_before(
        &self,
        event: EventId,
        id: RegistrationId,
        actor: ActorKind,
    ) -> Result<(), PrivacyError> {
        for (event, id) in self.moved_into(event, id).await? {
            let asking = Asking { actor, request: None, borne: None, validate_only: false };
            self.carry_out(event, id, asking, self.on_request()).await?;
        }
        Ok(())
    }

    /// Whoever took part where it came from has its names there: they are left alone like the rest, or not any more.
    pub async fn restrict_those_before(
        &self,
        event: EventId,
        id: RegistrationId,
        (restricted, actor): (bool, ActorKind),
    ) -> Result<(), PrivacyError> {
        for (event, id) in self.moved_into(event, id).await? {
            let verb = Verb::Restrict { number: id.number(), restricted };
            let command = Command { actor, request: None, verb };
            self.desk.submit(Job { event, command, papers: Papers::None, borne: None }).await?;
        }
        Ok(())
    }

    /// Registrations that were transferred into this one, those that were transferred into them, and so on.
    async fn moved_into(
        &self,
        event: EventId,
        id: RegistrationId,
    ) -> Result<Vec<(EventId, RegistrationId)>, PrivacyError> {
        let (mut all, mut targets) = (vec![(event, id)], vec![id]);
        while !targets.is_empty() {
            let sources = self.desk.store().registrations_moved_to(&Reach::Service, &targets).await?;
            let new: Vec<_> = sources.into_iter().filter(|one| !all.contains(one)).collect();
            targets = new.iter().map(|(_, id)| *id).collect();
            all.extend(new);
        }
        Ok(all.split_off(1))
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
            if asking.borne.is_some_and(|borne| seen.standing.steps.last() != Some(&borne.seen_step)) {
                return Err(DeskError::Stale.into());
            }
            let Some(extent) = extent(seen.facts) else { return Ok(None) };
            let kept = extent == Extent::Part;
            let job = self.job(event, &seen, kept, asking).await?;
            if asking.validate_only {
                self.desk.try_out(job, |_, _| ()).await?;
                let erased = Erased { at: self.desk.clock().now(), kept };
                return Ok(Some(self.told(event, id, erased, 0, seen.facts)));
            }
            let is_new = !seen.standing.is_erased(kept);
            match self.hand_in(job, is_new.then_some(Noted::Erasure { event, registration: id, kept })).await {
                Err(PrivacyError::Desk(DeskError::Stale)) => {}
                Err(error) => return Err(error),
                Ok(()) => return self.done(event, id).await.map(Some),
            }
        }
        Err(DeskError::Overloaded.into())
    }

    /// Notes first, so that what is done is never missing in the ledger; and takes the note back where nothing was done, so
    /// that nothing is done again that never was. Where nobody knows, the note stays.
    async fn hand_in(&self, job: Job, noted: Option<Noted>) -> Result<(), PrivacyError> {
        let (Some(ledger), Some(noted)) = (&self.ledger, noted) else {
            return Ok(self.desk.submit(job).await.map(drop)?);
        };
        // Most that is refused is refused here, and leaves no line. What the service asks of itself is refused to nobody.
        if job.command.request.is_some() {
            self.desk.try_out(job.clone(), |_, _| ()).await?;
        }
        ledger.note(&noted).await.map_err(PrivacyError::Ledger)?;
        let answer = self.desk.submit(job).await;
        if was_not_done(&answer, &noted) {
            self.take_back(&noted).await;
        }
        Ok(answer.map(drop)?)
    }

    /// Takes back what was noted and not done. Where that cannot be written, the note acts as if nobody knew.
    pub(super) async fn take_back(&self, noted: &Noted) {
        let Some(ledger) = &self.ledger else { return };
        if let Err(error) = ledger.take_back(noted).await {
            tracing::error!(%error, ?noted, "the ledger cannot be written: at the next start this is done, though it was refused");
        }
    }

    async fn job(&self, event: EventId, seen: &Seen, kept: bool, asking: Asking) -> Result<Job, PrivacyError> {
        let number = seen.standing.number;
        let rows = self.desk.store().parties(&Reach::Service, event, &[number]).await?;
        let row = rows.first().ok_or(PrivacyError::NotFound)?;
        let words = words::without(row, kept, seen, self.desk.keys()).ok_or(PrivacyError::Unreadable(number))?;
        let seen_step = seen.standing.steps.last().copied().unwrap_or_default();
        let (seen_marked, seen_part) = (seen.marked, Some(seen.facts.took_part));
        let papers = Papers::Party { words: Box::new(words), seen_step, seen_marked, seen_part, token_key: None };
        let verb = Verb::Erase { number, kept };
        let command = Command { actor: asking.actor, request: asking.request, verb };
        Ok(Job { event, command, papers, borne: asking.borne })
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

/// Whether it is certain that what was noted was not done.
fn was_not_done(answer: &Result<Done, DeskError>, noted: &Noted) -> bool {
    match (answer, noted) {
        (Err(DeskError::OutcomeUnknown | DeskError::Internal), _) => false,
        (Err(_), _) => true,
        // Asked again under the same request id: what was done then may be less than what was noted now.
        (Ok(done), Noted::Erasure { kept, .. }) => !done.standing.as_ref().is_some_and(|s| s.is_erased(*kept)),
        (Ok(_), Noted::Revocation { .. }) => false,
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
