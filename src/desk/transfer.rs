//! A transfer: one party, two events, one decision. Both halves stand in one batch, so both are written or neither.

use super::batch::{AtTable, Batch};
use super::job::{DeskError, Done, Papers, SignUp, TransferJob, Transferred};
use crate::admission::{Command, NewParty, Refusal, Verb};
use crate::model::registration::TransferTarget;
use crate::model::time::Timestamp;

impl Batch {
    /// Both halves or neither: the target takes the party in first, and only then the source lets it go,
    /// which cannot be refused any more.
    pub(super) fn transfer(&mut self, job: &TransferJob, now: Timestamp) -> Result<Transferred, DeskError> {
        if job.from == job.to {
            return Err(DeskError::refused(Refusal::SameEvent, None));
        }
        let source = self.event(job.from).ok_or(DeskError::Internal)?;
        if let Some(replay) = source.transferred_before(job)? {
            let target = self.event(job.to).ok_or(DeskError::Internal)?;
            let recorded = target.guard.as_ref().and_then(|l| l.roster.recorded(job.target_request.key));
            let outcome = recorded.map(|r| r.outcome).ok_or(DeskError::Internal)?;
            return Ok(Transferred { source: replay, target: target.done(outcome, true)? });
        }
        let (party, took_part) = source.leaving(job, now)?;
        let target = self.event(job.to).ok_or(DeskError::Internal)?;
        let entered = target.enter(job, party, now)?;
        let to = entered.standing.as_ref().map(|s| s.id).ok_or(DeskError::Internal)?;
        let source = self.event(job.from).ok_or(DeskError::Internal)?;
        let to = TransferTarget { event: job.to, registration: to };
        let verb = Verb::TransferAway { number: job.number, to };
        let command = Command { actor: job.actor, request: Some(job.request), verb };
        let left = source.handle(&command, &Papers::None, None, now)?;
        // The words go with the party: a copy would be out of reach of whoever corrects, restricts or erases them there.
        let words = if took_part { &job.left.part } else { &job.left.nothing };
        source.parties.insert(job.number, words.clone());
        Ok(Transferred { source: left, target: entered })
    }
}

impl AtTable {
    fn transferred_before(&self, job: &TransferJob) -> Result<Option<Done>, DeskError> {
        let loaded = self.guard.as_ref().ok_or(DeskError::EventNotFound)?;
        let Some(recorded) = loaded.roster.recorded(job.request.key) else { return Ok(None) };
        if recorded.fingerprint != job.request.fingerprint {
            return Err(DeskError::refused(Refusal::RequestIdReused, None));
        }
        self.done(recorded.outcome, true).map(Some)
    }

    /// Whether the party may leave, after what is due is done; what the target needs to know of it, and whether it took part
    /// in what it leaves.
    fn leaving(&mut self, job: &TransferJob, now: Timestamp) -> Result<(NewParty, bool), DeskError> {
        let loaded = self.guard.as_mut().ok_or(DeskError::EventNotFound)?;
        if loaded.has_stepped(job.borne.as_ref()) {
            return Err(DeskError::Stale);
        }
        let now = now.max(loaded.roster.last_at);
        loaded.roster.do_due(now, &mut self.entries);
        let refused = |refusal| DeskError::refused(refusal, Some(&loaded.roster.terms));
        let s = loaded.roster.may_leave(job.number).map_err(refused)?;
        if s.steps.last() != Some(&job.seen_step) {
            return Err(DeskError::Stale);
        }
        let (wishes, choices) = (Vec::new(), s.said().clone());
        let took_part = loaded.roster.took_part(job.number, now);
        Ok((NewParty { size: s.size, wishes, contact: s.contact, vouched: job.vouched, choices }, took_part))
    }

    fn enter(&mut self, job: &TransferJob, mut party: NewParty, now: Timestamp) -> Result<Done, DeskError> {
        let loaded = self.guard.as_ref().ok_or(DeskError::EventNotFound)?;
        // A word that names no pool becomes a number that no pool has: refused in its place on the ladder.
        let no = |id: &String| loaded.roster.terms.pools.iter().find(|p| p.id == *id).map_or(0, |p| p.no);
        party.wishes = job.wishes.iter().map(no).collect();
        let verb = Verb::Register(party);
        let command = Command { actor: job.actor, request: Some(job.target_request), verb };
        let papers = Papers::SignUp(Box::new(SignUp {
            party: job.papers.clone(),
            id_secret: job.id_secret,
            token_key: job.token_key,
        }));
        self.handle(&command, &papers, None, now)
    }
}
