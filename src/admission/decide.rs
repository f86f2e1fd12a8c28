//! The ladder: command + roster + now -> changes, or a refusal. One refusal per line, in the documented
//! order. What free seats lead to afterwards is not here but in `settle`.

use super::change::{Because, Change, Entering};
use super::command::{NewParty, Verb};
use super::refusal::Refusal;
use super::roster::{Roster, Standing};
use crate::model::consent::Choices;
use crate::model::contact::ContactKeys;
use crate::model::event::{EventState, Pool, Terms};
use crate::model::id::{Number, PoolNo};
use crate::model::policy::CLASS_ANY;
use crate::model::registration::{ActorKind, End, State};
use crate::model::time::Timestamp;

pub(super) type Decision = Result<Vec<Change>, Refusal>;

impl Roster {
    /// Decides one command against the roster as it stands. Changes nothing.
    pub fn decide(&self, verb: &Verb, actor: ActorKind, now: Timestamp) -> Decision {
        match verb {
            Verb::Register(party) => self.register(party, now),
            Verb::Amend { number, size, contact } => self.amend(*number, *size, *contact, (actor, now)),
            Verb::Cancel { number, reason } => {
                self.may_be_cancelled(*number)?;
                let end = End::Cancelled { by: actor, reason: *reason };
                Ok(vec![Change::Ended { number: *number, end }])
            }
            Verb::Erase { number, kept } => self.erase(*number, *kept, actor, now),
            Verb::Restrict { number, restricted } => self.restrict(*number, *restricted),
            Verb::Consent { number, choices } => self.consent(*number, choices, now),
            Verb::Accept { number } => self.accept(*number, now),
            Verb::Decline { number, reason } => {
                self.offered(*number)?;
                Ok(vec![Change::Ended { number: *number, end: End::Declined { reason: *reason } }])
            }
            Verb::Approve { number } => self.approve(*number, now),
            Verb::Reject { number, reason } => {
                self.in_review(*number)?;
                Ok(vec![Change::Ended { number: *number, end: End::Rejected { reason: *reason } }])
            }
            Verb::SetClass { number, class } => self.set_class(*number, class.as_deref()),
            Verb::Promote { number, pool, has_reason } => self.promote(*number, *pool, *has_reason),
            Verb::TransferAway { number, to } => {
                let s = self.standing(*number).ok_or(Refusal::RegistrationNotFound)?;
                if !s.state.is_live() {
                    return Err(Refusal::IllegalState { state: s.state.kind() });
                }
                Ok(vec![Change::Ended { number: *number, end: End::Transferred { to: Box::new(*to) } }])
            }
            Verb::Publish => self.event_in(&[EventState::Draft]).map(|()| vec![Change::Published]),
            Verb::CancelEvent => self.cancel_event(),
            Verb::CompleteEvent => self.complete_event(now),
            Verb::UpdateEvent { terms, if_version } => self.update_event(terms.as_ref(), *if_version, now),
            Verb::RecordAttendance(list) => self.record_attendance(list, now),
            Verb::CheckIn(at) => self.check_in(at),
            Verb::WalkIn(walk_in) => self.walk_in(walk_in, now),
            Verb::CountHeads(count) => self.heads_counted(count, now),
            Verb::Sweep => Ok(Vec::new()),
        }
    }

    fn register(&self, party: &NewParty, now: Timestamp) -> Decision {
        self.published()?;
        self.window_open(now)?;
        self.size_allowed(party.size)?;
        self.pools_known(&party.wishes)?;
        self.some_pool_takes(&party.wishes, now)?;
        self.fits_some_pool(party)?;
        let twin_of = self.twin_of(party)?;
        // A possible duplicate comes in as any newcomer does: to a seat, into the line, or not at all.
        let to = self.entering(party, now);
        self.line_has_room(&to)?;
        let registered = Change::Registered {
            number: self.next_number,
            size: party.size,
            wishes: party.wishes.clone(),
            to,
            twin_of,
            drop_at: twin_of.map(|_| now.plus(self.terms.policy.duplicate_hold)),
        };
        Ok(std::iter::once(registered).chain(super::choices::brought(self.next_number, &party.choices)).collect())
    }

    pub(super) fn published(&self) -> Result<(), Refusal> {
        match self.state {
            EventState::Published => Ok(()),
            EventState::Draft => Err(Refusal::EventNotPublished),
            EventState::Cancelled => Err(Refusal::EventCancelled),
            EventState::Completed => Err(Refusal::EventCompleted),
        }
    }

    fn window_open(&self, now: Timestamp) -> Result<(), Refusal> {
        if let Some(opens_at) = self.terms.opens_at.filter(|at| now < *at) {
            return Err(Refusal::RegistrationNotOpen { opens_at });
        }
        match self.terms.closes().filter(|at| *at <= now) {
            Some(closed_at) => Err(Refusal::RegistrationClosed { closed_at }),
            None => Ok(()),
        }
    }

    pub(super) fn size_allowed(&self, size: u32) -> Result<(), Refusal> {
        let (min, max) = (self.terms.party_min.max(1), self.terms.party_max);
        match size {
            n if n < min => Err(Refusal::PartyTooSmall { size, min }),
            n if n > max => Err(Refusal::PartyTooLarge { size, max }),
            _ => Ok(()),
        }
    }

    pub(super) fn pools_known(&self, wishes: &[PoolNo]) -> Result<(), Refusal> {
        match wishes.iter().find(|no| self.terms.pool(**no).is_none()) {
            Some(pool) => Err(Refusal::PoolNotFound { pool: *pool }),
            None => Ok(()),
        }
    }

    pub(super) fn fits_some_pool(&self, party: &NewParty) -> Result<(), Refusal> {
        let acceptable = |no: PoolNo| party.wishes.is_empty() || party.wishes.contains(&no);
        let pools = || self.terms.pools.iter().filter(|p| acceptable(p.no));
        let is_enough = |p: &Pool| p.capacity.is_none_or(|c| party.size <= c) && self.terms.called_off(p).is_none();
        if pools().any(is_enough) {
            return Ok(());
        }
        let held = pools().filter(|p| self.terms.called_off(p).is_none());
        let largest = held.map(|p| p.capacity.unwrap_or(u32::MAX)).max().unwrap_or(0);
        Err(Refusal::PartyLargerThanPool { size: party.size, largest })
    }

    /// The live registration that this may be a duplicate of, where the caller could not vouch.
    fn twin_of(&self, party: &NewParty) -> Result<Option<Number>, Refusal> {
        match self.contact_taken(party.contact, self.next_number) {
            Some(number) if party.vouched => Err(Refusal::AlreadyRegistered { number }),
            taken => Ok(taken),
        }
    }

    fn entering(&self, party: &NewParty, now: Timestamp) -> Entering {
        if self.terms.approval_required {
            return Entering::InReview;
        }
        let shut = |pool: &Pool| self.terms.is_shut(pool, now);
        match self.seat_at_once((self.next_number, party.size), None, &party.wishes, shut, self.aside(now)) {
            Some((pool, passed_over)) => Entering::Seat { pool, passed_over },
            None => Entering::Line,
        }
    }

    fn line_has_room(&self, to: &Entering) -> Result<(), Refusal> {
        match self.terms.policy.waitlist_limit {
            Some(limit) if *to == Entering::Line && self.counts.waiting.parties >= limit => {
                Err(Refusal::WaitlistFull { limit })
            }
            _ => Ok(()),
        }
    }

    /// A registration of an event that is running.
    fn running(&self, number: Number) -> Result<&Standing, Refusal> {
        let s = self.standing(number).ok_or(Refusal::RegistrationNotFound)?;
        self.published()?;
        Ok(s)
    }

    pub(super) fn live(&self, number: Number) -> Result<&Standing, Refusal> {
        let s = self.running(number)?;
        if s.state.is_live() { Ok(s) } else { Err(Refusal::IllegalState { state: s.state.kind() }) }
    }

    /// Whether a registration may go to another event: to be asked before the other event takes it in, after
    /// which `Verb::TransferAway` is not refused.
    pub fn may_leave(&self, number: Number) -> Result<&Standing, Refusal> {
        self.live(number)
    }

    fn in_review(&self, number: Number) -> Result<&Standing, Refusal> {
        let s = self.live(number)?;
        if s.state == State::InReview { Ok(s) } else { Err(Refusal::IllegalState { state: s.state.kind() }) }
    }

    /// A registration with a live offer. Deadlines that have passed were dealt with before.
    fn offered(&self, number: Number) -> Result<&Standing, Refusal> {
        let s = self.running(number)?;
        match s.state {
            State::Offered { .. } => Ok(s),
            State::Waitlisted | State::Ended(End::Expired) if s.missed_offers > 0 => Err(Refusal::OfferExpired),
            _ => Err(Refusal::NoLiveOffer { state: s.state.kind() }),
        }
    }

    /// Into the line at its accepted number; as for a newcomer, a seat that it reaches at once is its own in
    /// every mode, and marked as a possible duplicate or not.
    fn approve(&self, number: Number, now: Timestamp) -> Decision {
        let s = self.in_review(number)?;
        let mut changes = vec![Change::Approved { number }];
        let shut = |pool: &Pool| self.terms.is_shut(pool, now);
        match self.seat_at_once((s.place, s.size), s.class.as_deref(), &s.wishes, shut, self.aside(now)) {
            None => self.line_has_room(&Entering::Line)?,
            Some((pool, passed_over)) => {
                let because = if passed_over.is_some() { Because::FirstThatFits } else { Because::FirstInLine };
                changes.push(Change::Confirmed { number, pool, because, passed_over });
            }
        }
        Ok(changes)
    }

    fn accept(&self, number: Number, now: Timestamp) -> Decision {
        self.offered(number)?;
        // Deadlines are kept before the last entry; this holds whatever was stored.
        if self.terms.last_entry().is_some_and(|at| at <= now) {
            return Err(Refusal::OfferExpired);
        }
        Ok(vec![Change::OfferAccepted { number }])
    }

    fn amend(
        &self,
        number: Number,
        size: Option<u32>,
        contact: Option<ContactKeys>,
        (actor, now): (ActorKind, Timestamp),
    ) -> Decision {
        let s = self.live(number)?;
        if s.erased.is_some() {
            // What was erased is not filled in again.
            return Err(Refusal::IllegalState { state: s.state.kind() });
        }
        let mut changes = Vec::new();
        if let Some(size) = size.filter(|n| *n != s.size) {
            self.size_allowed(size)?;
            let passed_over = self.may_grow(s, size, now)?;
            let member = self.last_member_marked(number);
            if size < u32::from(member) {
                return Err(Refusal::MemberAttended { member });
            }
            changes.push(Change::Resized { number, size, passed_over });
        }
        let twin_of = match contact {
            Some(keys) => self.new_twin_of(s, keys, actor)?,
            None => None,
        };
        if changes.is_empty() || contact.is_some() {
            // Correcting once more does not put the drop off.
            let drop_at = twin_of.map(|_| s.drop_at.unwrap_or_else(|| now.plus(self.terms.policy.duplicate_hold)));
            changes.insert(0, Change::Amended { number, twin_of, drop_at });
        }
        Ok(changes)
    }

    /// Who lives under a contact that is corrected to. Staff are told; others must not learn of it, and their
    /// registration becomes a possible duplicate, as a newcomer's does. One that is a possible duplicate
    /// already stays one.
    fn new_twin_of(&self, s: &Standing, keys: ContactKeys, actor: ActorKind) -> Result<Option<Number>, Refusal> {
        if keys == s.contact {
            return Ok(None);
        }
        match self.contact_taken(keys, s.number) {
            Some(number) if actor == ActorKind::Staff && s.twin_of.is_none() => {
                Err(Refusal::AlreadyRegistered { number })
            }
            taken => Ok(taken),
        }
    }

    /// More seats than before: only free ones, and only where nobody who waits has a right to them. Who is passed
    /// over by that, as by a newcomer.
    fn may_grow(&self, s: &Standing, size: u32, now: Timestamp) -> Result<Option<Number>, Refusal> {
        let (wishes, contact) = (s.wishes.to_vec(), ContactKeys::default());
        let party = NewParty { size, wishes, contact, vouched: true, choices: Choices::default() };
        let (Some(extra), Some(no)) = (size.checked_sub(s.size), s.state.holds()) else {
            return if size > s.size { self.fits_some_pool(&party).map(|()| None) } else { Ok(None) };
        };
        if matches!(s.state, State::Offered { .. }) {
            return Err(Refusal::IllegalState { state: s.state.kind() });
        }
        let Some((pool, held)) = self.pool(no) else { return Err(Refusal::PoolNotFound { pool: no }) };
        if self.terms.called_off(pool).is_some() {
            return Err(self.seats_called_off(Some(pool)));
        }
        let free = Self::free(pool, held);
        if extra > free {
            return Err(Refusal::SeatsNotFree { asked: extra, free });
        }
        self.passed_over_by_growth(pool, held.released, free, self.aside(now))
            .map_err(|number| Refusal::WaitingPartyFirst { number })
    }

    fn set_class(&self, number: Number, class: Option<&str>) -> Decision {
        self.live(number)?;
        if let Some(class) = class {
            let in_order = self.terms.policy.class_order.iter().any(|c| c == class);
            let in_pool = self.terms.pools.iter().any(|p| p.classes.iter().any(|c| c == class));
            // "any" stands for everybody without a class of the order: nobody has it.
            if class == CLASS_ANY || (!in_order && !in_pool) {
                return Err(Refusal::ClassUnknown { class: class.to_owned() });
            }
        }
        Ok(vec![Change::ClassSet { number, class: class.map(str::to_owned) }])
    }

    fn promote(&self, number: Number, pool: Option<PoolNo>, has_reason: bool) -> Decision {
        let s = self.live(number)?;
        if s.state != State::Waitlisted {
            return Err(Refusal::IllegalState { state: s.state.kind() });
        }
        if let Some(twin_of) = s.twin_of {
            return Err(Refusal::PossibleDuplicate { twin_of });
        }
        let no = self.pool_for_promotion(s, pool)?;
        let Some((pool, held)) = self.pool(no) else { return Err(Refusal::PoolNotFound { pool: no }) };
        let in_order = self.is_in_order(s, pool, held);
        if !in_order && !has_reason {
            return Err(Refusal::ReasonRequired);
        }
        let because = if in_order { Because::StaffInOrder } else { Because::StaffOutOfOrder };
        Ok(vec![Change::Confirmed { number, pool: no, because, passed_over: None }])
    }

    /// The pool that staff named, or the one that the party likes best; its free seats must be enough.
    fn pool_for_promotion(&self, s: &Standing, named: Option<PoolNo>) -> Result<PoolNo, Refusal> {
        let candidates = match named {
            Some(no) => vec![no],
            None => {
                let mut all = self.pools_in_order(s.class.as_deref(), &s.wishes);
                all.retain(|no| self.terms.pool(*no).is_some_and(|p| self.terms.called_off(p).is_none()));
                all
            }
        };
        let mut most_free = 0;
        for no in candidates {
            let Some((pool, held)) = self.pool(no) else { return Err(Refusal::PoolNotFound { pool: no }) };
            if self.terms.called_off(pool).is_some() {
                return Err(self.seats_called_off(Some(pool)));
            }
            let free = Self::free(pool, held);
            if free >= s.size {
                return Ok(no);
            }
            most_free = most_free.max(free);
        }
        Err(Refusal::SeatsNotFree { asked: s.size, free: most_free })
    }

    pub(super) fn event_in(&self, states: &[EventState]) -> Result<(), Refusal> {
        match self.state {
            state if states.contains(&state) => Ok(()),
            EventState::Cancelled => Err(Refusal::EventCancelled),
            EventState::Completed => Err(Refusal::EventCompleted),
            EventState::Draft => Err(Refusal::EventNotPublished),
            state @ EventState::Published => Err(Refusal::IllegalEventState { state }),
        }
    }

    fn update_event(&self, terms: Option<&std::sync::Arc<Terms>>, if_version: Option<u64>, now: Timestamp) -> Decision {
        self.event_in(&[EventState::Draft, EventState::Published])?;
        if if_version.is_some_and(|v| v != self.version) {
            return Err(Refusal::EtagMismatch { current: self.version });
        }
        let Some(terms) = terms else { return Ok(vec![Change::DetailsChanged]) };
        if let Some(pool) = self.pool_in_use(terms) {
            return Err(Refusal::PoolInUse { pool });
        }
        if let Some(session) = self.session_in_use(terms, now) {
            return Err(Refusal::SessionInUse { session });
        }
        let changed = Change::TermsChanged { terms: std::sync::Arc::clone(terms) };
        let told = self.sessions_changed(terms, now).into_iter().chain(self.offers_cut(terms, now));
        Ok(std::iter::once(changed).chain(told).collect())
    }

    /// A pool that the new terms leave out though somebody sits in it or wishes for it.
    fn pool_in_use(&self, terms: &Terms) -> Option<PoolNo> {
        let gone = self.terms.pools.iter().map(|p| p.no).filter(|no| terms.pool(*no).is_none());
        let mut gone = gone.collect::<Vec<_>>();
        gone.retain(|no| {
            let live = self.standings().filter(|s| s.state.is_live());
            live.into_iter().any(|s| s.state.holds() == Some(*no) || s.wishes.contains(no))
        });
        gone.first().copied()
    }
}
