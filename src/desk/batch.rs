//! One batch: every command that waited, decided in the order of arrival inside one transaction, with the
//! event rows locked. Nothing in this file waits.

use super::job::{Borne, DeskError, Done, EventPapers, Job, NEW_TOKEN, Papers, PartyPapers, TransferJob, Transferred};
use super::loaded::Loaded;
use crate::admission::{Answer, Change, Command, Entry, MarkKey, Marked, Outcome, Refusal, Request, Roster, Verb};
use crate::keys;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::time::Timestamp;
use crate::storage::{ChangedRegistration, EventWrite, Fresh, NewRegistration, PartyWrite, Reason, RequestWrite};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::{OwnedRwLockWriteGuard, oneshot};

/// Something handed in, with the way back to whoever waits for it.
pub(super) enum Ticket {
    One(Box<Job>, oneshot::Sender<Result<Done, DeskError>>),
    Transfer(Box<TransferJob>, oneshot::Sender<Result<Transferred, DeskError>>),
    /// Nothing to decide: the roster shall be in memory and up to date.
    Load(EventId, oneshot::Sender<Result<(), DeskError>>),
}

impl Ticket {
    pub fn events(&self) -> impl Iterator<Item = EventId> {
        match self {
            Ticket::One(job, _) => [Some(job.event), None],
            Ticket::Transfer(job, _) => [Some(job.from), Some(job.to)],
            Ticket::Load(event, _) => [Some(*event), None],
        }
        .into_iter()
        .flatten()
    }

    /// Tells whoever waits that it did not work.
    pub fn fail(self, error: impl Fn() -> DeskError) {
        match self {
            Ticket::One(_, reply) => drop(reply.send(Err(error()))),
            Ticket::Transfer(_, reply) => drop(reply.send(Err(error()))),
            Ticket::Load(_, reply) => drop(reply.send(Err(error()))),
        }
    }
}

/// An answer that waits for the commit.
pub(super) enum Verdict {
    One(Box<Result<Done, DeskError>>),
    Transfer(Box<Result<Transferred, DeskError>>),
    Load(Result<(), DeskError>),
}

/// One event of a batch.
pub(super) struct AtTable {
    pub id: EventId,
    pub guard: OwnedRwLockWriteGuard<Option<Loaded>>,
    from: u64,
    version: u64,
    pub(super) entries: Vec<Entry>,
    new: Vec<Filed>,
    pub(super) parties: BTreeMap<Number, PartyPapers>,
    requests: Vec<RequestWrite>,
    reasons: Vec<Reason>,
    erased: Vec<Number>,
    /// Hashes of management tokens that take the place of others.
    tokens: BTreeMap<Number, [u8; 32]>,
}

/// A sign-up that was taken in.
struct Filed {
    number: Number,
    request: Request,
    outcome: Outcome,
    token_hash: [u8; 32],
    papers: PartyPapers,
}

pub(super) struct Batch {
    pub events: Vec<AtTable>,
    index: HashMap<EventId, usize>,
    pub tickets: Vec<Ticket>,
    /// Beside `tickets`, after deciding.
    pub verdicts: Vec<Verdict>,
    /// A roster could not be brought up to date: load everything anew and decide again.
    pub again: bool,
}

impl AtTable {
    pub fn new(id: EventId, guard: OwnedRwLockWriteGuard<Option<Loaded>>) -> Self {
        Self {
            id,
            guard,
            from: 0,
            version: 0,
            entries: Vec::new(),
            new: Vec::new(),
            parties: BTreeMap::new(),
            requests: Vec::new(),
            reasons: Vec::new(),
            erased: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }

    /// Whether something was decided.
    pub fn has_moved(&self) -> bool {
        self.guard.as_ref().is_some_and(|loaded| loaded.roster.journal_number > self.from)
    }

    /// Brings the roster up to what the locked row says. False where that cannot be done from here.
    fn refresh(&mut self, fresh: Fresh) -> bool {
        match fresh {
            Fresh::Missing => *self.guard = None,
            Fresh::Current => {}
            Fresh::Whole(whole) => *self.guard = Some(Loaded::of(*whole)),
            Fresh::Behind(behind) => {
                let caught_up = self.guard.as_mut().is_some_and(|loaded| loaded.catch_up(*behind));
                if !caught_up {
                    return false;
                }
            }
        }
        if let Some(loaded) = self.guard.as_ref() {
            self.from = loaded.roster.journal_number;
            self.version = loaded.roster.version;
        }
        true
    }

    /// The rows that the decided entries lead to; `None` where nothing changed.
    fn write(&mut self) -> Option<EventWrite> {
        let entries = std::mem::take(&mut self.entries);
        let loaded = self.guard.as_ref()?;
        if entries.is_empty() {
            return None;
        }
        let staff_changed = loaded.roster.version != self.version;
        let roster = &loaded.roster;
        let mut touched: BTreeSet<Number> = entries.iter().flat_map(Entry::touches).collect();
        let mut parties = std::mem::take(&mut self.parties);
        let mut tokens = std::mem::take(&mut self.tokens);
        let new = std::mem::take(&mut self.new)
            .into_iter()
            .filter_map(|filed| {
                touched.remove(&filed.number);
                let papers = parties.remove(&filed.number).unwrap_or(filed.papers);
                Some(NewRegistration {
                    standing: roster.standing(filed.number)?.clone(),
                    guard: roster.guard(filed.number),
                    request: filed.request,
                    outcome: filed.outcome,
                    token_hash: tokens.remove(&filed.number).unwrap_or(filed.token_hash),
                    party: party_write(filed.number, papers),
                })
            })
            .collect();
        let changed = touched
            .into_iter()
            .filter_map(|n| {
                let standing = roster.standing(n)?.clone();
                Some(ChangedRegistration { standing, guard: roster.guard(n) })
            })
            .collect();
        let marks = marks(roster, &entries);
        Some(EventWrite {
            event: self.id,
            from: self.from,
            header: roster.header(),
            next_due: roster.next_due(),
            free_seats: roster.free_in_all(),
            document: staff_changed.then(|| loaded.event.clone()),
            entries,
            new,
            changed,
            parties: parties.into_iter().map(|(n, p)| party_write(n, p)).collect(),
            requests: std::mem::take(&mut self.requests),
            reasons: std::mem::take(&mut self.reasons),
            erased: std::mem::take(&mut self.erased),
            tokens: tokens.into_iter().collect(),
            marks,
        })
    }

    pub(super) fn done(&self, outcome: Outcome, replayed: bool) -> Result<Done, DeskError> {
        let loaded = self.guard.as_ref().ok_or(DeskError::EventNotFound)?;
        Ok(Done {
            outcome,
            standing: loaded.roster.standing(outcome.number).cloned(),
            terms: std::sync::Arc::clone(&loaded.roster.terms),
            answer: None,
            replayed,
            entry: None,
        })
    }

    /// Handles one command and files its papers.
    pub(super) fn handle(
        &mut self,
        command: &Command,
        papers: &Papers,
        borne: Option<&Borne>,
        now: Timestamp,
    ) -> Result<Done, DeskError> {
        let Some(loaded) = self.guard.as_mut() else { return Err(DeskError::EventNotFound) };
        let is_new = command.request.is_none_or(|r| loaded.roster.recorded(r.key).is_none());
        if is_new && (loaded.has_stepped(borne) || loaded.is_stale(papers, &command.verb, now)) {
            return Err(DeskError::Stale);
        }
        if let Papers::Event(EventPapers { if_version: Some(expected), .. }) = papers
            && *expected != loaded.roster.version
            && is_new
        {
            let refusal = Refusal::EtagMismatch { current: loaded.roster.version };
            return Err(DeskError::refused(refusal, Some(&loaded.roster.terms)));
        }
        let before = self.entries.len();
        let contact = loaded.contact_before(&command.verb);
        let outcome = match loaded.roster.handle(command, now, &mut self.entries) {
            Answer::Done(outcome) => outcome,
            Answer::Replayed(outcome) => return self.done(outcome, true),
            Answer::Refused(refusal) => {
                return Err(DeskError::refused(refusal, Some(&loaded.roster.terms)));
            }
        };
        let own = self.entries[before..].iter().find(|e| e.actor == command.actor);
        let journal_number = own.map_or(loaded.roster.journal_number, |e| e.number);
        let entry = own.filter(|_| command.verb.is_attendance()).cloned();
        // What changed nothing needs no reason.
        let papers = if own.is_none() && matches!(papers, Papers::Reason(_)) { &Papers::None } else { papers };
        let answer = self.file(command, papers, (outcome, contact), journal_number);
        Ok(Done { answer, entry, ..self.done(outcome, false)? })
    }

    /// Files what goes with a command; and renders the answer where it is about the event.
    fn file(
        &mut self,
        command: &Command,
        papers: &Papers,
        (outcome, contact_before): (Outcome, Option<ContactKeys>),
        journal_number: u64,
    ) -> Option<Vec<u8>> {
        let loaded = self.guard.as_mut()?;
        loaded.stamp();
        let mut answer = None;
        match (papers, &command.verb) {
            (Papers::SignUp(sign_up), Verb::Register(_) | Verb::WalkIn(_)) => {
                let id = RegistrationId::new(outcome.number, sign_up.id_secret);
                let contact = command.verb.new_party().map(|party| party.contact).unwrap_or_default();
                loaded.roster.attach(outcome.number, id, contact);
                let request = command.request?;
                self.new.push(Filed {
                    number: outcome.number,
                    request,
                    outcome,
                    token_hash: keys::token_hash(&sign_up.token_key.token(id)),
                    papers: sign_up.party.clone(),
                });
                return None;
            }
            (Papers::Party { words, token_key, .. }, Verb::Amend { number, contact, .. }) => {
                if let (Some(contact), Some(s)) = (contact, loaded.roster.standing(*number)) {
                    let id = s.id;
                    loaded.roster.attach(*number, id, *contact);
                    // Whoever reads under the old contact has no business with the registration any more.
                    if let Some(token_key) = token_key.filter(|_| contact_before != Some(*contact)) {
                        self.tokens.insert(*number, keys::token_hash(&token_key.token(id)));
                        answer = Some(NEW_TOKEN.to_vec());
                    }
                }
                self.parties.insert(*number, (**words).clone());
            }
            (Papers::Party { words, .. }, Verb::Erase { number, .. }) => {
                self.parties.insert(*number, (**words).clone());
                self.erased.push(*number);
            }
            (Papers::Event(papers), _) => answer = loaded.edit(papers),
            (Papers::Reason(text), _) if !text.is_empty() => {
                self.reasons.push(Reason { journal_number, number: outcome.number, text: text.clone() });
            }
            _ => {}
        }
        if let Some(request) = command.request {
            self.requests.push(RequestWrite { request, outcome, answer: answer.clone() });
        }
        answer
    }
}

impl Batch {
    pub fn new(tickets: Vec<Ticket>, events: Vec<AtTable>) -> Self {
        let index = events.iter().enumerate().map(|(i, e)| (e.id, i)).collect();
        Self { events, index, tickets, verdicts: Vec::new(), again: false }
    }

    /// Decides everything, in the order of arrival. `fresh` is beside `events`.
    pub fn decide(&mut self, fresh: Vec<Fresh>, now: Timestamp) -> Vec<EventWrite> {
        for (event, fresh) in self.events.iter_mut().zip(fresh) {
            if !event.refresh(fresh) {
                self.again = true;
            }
        }
        if self.again {
            return Vec::new();
        }
        let tickets = std::mem::take(&mut self.tickets);
        self.verdicts = tickets.iter().map(|ticket| self.verdict(ticket, now)).collect();
        self.tickets = tickets;
        self.events.iter_mut().filter_map(AtTable::write).collect()
    }

    fn verdict(&mut self, ticket: &Ticket, now: Timestamp) -> Verdict {
        match ticket {
            Ticket::One(job, _) => Verdict::One(Box::new(match self.event(job.event) {
                Some(event) => event.handle(&job.command, &job.papers, job.borne.as_ref(), now),
                None => Err(DeskError::Internal),
            })),
            Ticket::Transfer(job, _) => Verdict::Transfer(Box::new(self.transfer(job, now))),
            Ticket::Load(id, _) => Verdict::Load(match self.event(*id) {
                Some(event) if event.guard.is_some() => Ok(()),
                _ => Err(DeskError::EventNotFound),
            }),
        }
    }

    pub(super) fn event(&mut self, id: EventId) -> Option<&mut AtTable> {
        self.index.get(&id).and_then(|i| self.events.get_mut(*i))
    }
}

fn party_write(number: Number, papers: PartyPapers) -> PartyWrite {
    PartyWrite { number, document: papers.document, search: papers.search }
}

/// The marks that these entries set, each once, as they stand after all of them.
fn marks(roster: &Roster, entries: &[Entry]) -> Vec<(MarkKey, Marked)> {
    let set = entries.iter().filter_map(|entry| match &entry.change {
        Change::AttendanceRecorded { session, marks, .. } | Change::CheckedIn { session, marks, .. } => {
            Some(marks.iter().map(|m| MarkKey { session: *session, number: m.number, member: m.member }))
        }
        _ => None,
    });
    let keys: BTreeSet<MarkKey> = set.flatten().collect();
    let stands = |key: MarkKey| Some((key, *roster.marked(key.session, key.number, key.member)?));
    keys.into_iter().filter_map(stands).collect()
}
