//! CheckIn: a scan, or a name on the door's list. Who has no seat is told so by a verdict; nothing of it is an error.

use super::another_entry;
use crate::admission::{AtDoor, Change as Happened, Command, Entry, Refusal, Verb, WhichRegistration, WhichSession};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::{Fields, Path};
use crate::api::privacy::Sight;
use crate::api::proto::{CheckInRequest, CheckInResponse, DoorVerdict, MemberAtDoor};
use crate::api::registrations::read_party;
use crate::api::request::{Asked, Change};
use crate::api::status::About;
use crate::api::to_proto::{int32, int64, names, time, words};
use crate::api::{Api, status};
use crate::desk::{DeskError, Done, Job, Papers};
use crate::keys::Misread;
use crate::model::access::Reach;
use crate::model::attendance::MemberNo;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::party::Who;
use crate::model::registration::StateKind;
use tonic::Status;

/// Missing members that an answer names.
const MISSING_MAX: usize = 50;

/// A scan, read.
struct Scan {
    asked: Asked,
    event: EventId,
    at: AtDoor,
    by_code: bool,
    session_id: String,
}

impl Api {
    pub(super) async fn at_the_door(&self, caller: Caller, mut r: CheckInRequest) -> Result<CheckInResponse, Status> {
        caller.staff_only(CheckInRequest::METHOD)?;
        let now = self.desk.clock().now();
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let who = fields.who_is_there(event, &r.check_in_code, &r.registration);
        let session_id = fields.session_id_or_none(Path::Top("session_id"), r.session_id);
        let members = fields.member_numbers(Path::Top("members"), r.members);
        let happened_at = fields.past(Path::Top("scan_time"), r.scan_time, now).unwrap_or(now);
        let (who, members) = fields.finish((who, members)).map_err(status::fields)?;
        let who = match who {
            Some(id) => WhichRegistration { number: id.number(), id: Some(id) },
            None => match self.desk.keys().read_check_in_code(event, &r.check_in_code) {
                Ok(number) => WhichRegistration { number, id: None },
                Err(why) => return self.no_such_code(event, why).await,
            },
        };
        let session = match session_id.as_str() {
            "" => WhichSession::AtThatTime,
            id => WhichSession::Named(id.to_owned()),
        };
        let by_code = who.id.is_none();
        let at = AtDoor { who, session, members, happened_at };
        self.scanned(caller, Scan { asked, event, at, by_code, session_id }).await
    }

    async fn scanned(&self, caller: Caller, scan: Scan) -> Result<CheckInResponse, Status> {
        let Scan { asked, event, at, by_code, session_id } = scan;
        let (id, members) = (at.who.id, at.members.clone());
        let request = Some(asked.within(event, self.desk.keys()));
        let command = Command { actor: caller.actor(), request, verb: Verb::CheckIn(Box::new(at)) };
        let done = match self.desk.submit(Job { event, command, papers: Papers::None, borne: None }).await {
            Ok(done) => done,
            Err(DeskError::Refused(refusal, _)) if by_code && *refusal == Refusal::RegistrationNotFound => {
                return self.no_such_code(event, Misread::Foreign).await;
            }
            Err(error) => {
                let about = About { session_id: &session_id, registration: id, ..asked.about(event) };
                return Err(self.no(error, &about).await);
            }
        };
        let entry = match self.entry_of(event, &done).await {
            Ok(entry) => entry,
            Err(error) => return Err(self.no(error, &asked.about(event)).await),
        };
        let shown = self.sees_people(caller, event).await?;
        let (reach, sight) = (self.reach(caller)?, Some(self.sight(caller, Acting::Staff)?).filter(|_| shown));
        self.seen(&reach, event, (&done, &entry), (&members, sight)).await
    }

    /// What staff see: from the entry alone, and the names beside it.
    async fn seen(
        &self,
        reach: &Reach,
        event: EventId,
        (done, entry): (&Done, &Entry),
        (asked_for, sight): (&[MemberNo], Option<Sight>),
    ) -> Result<CheckInResponse, Status> {
        let Happened::CheckedIn { session, number, happened_at, size, missing, marks } = &entry.change else {
            return Err(another_entry(entry));
        };
        let state = done.outcome.state.unwrap_or(StateKind::Confirmed);
        let asked_for_missing = missing.iter().any(|m| asked_for.is_empty() || asked_for.contains(m));
        let verdict = verdict(state, asked_for_missing, !marks.is_empty());
        let hidden = done.standing.as_ref().zip(sight).is_none_or(|(s, sight)| sight.hides(s));
        let id = done.standing.as_ref().map_or(RegistrationId::new(*number, [0; 12]), |s| s.id);
        Ok(CheckInResponse {
            verdict: verdict.into(),
            registration: names::registration(event, id),
            session_id: done.terms.session_no(*session).map(|s| s.id.clone()).unwrap_or_default(),
            state: words::registration_state(state).into(),
            party_size: int32(*size),
            present: int32(size.saturating_sub(u32::try_from(missing.len()).unwrap_or(u32::MAX))),
            missing: self.with_names(reach, event, *number, missing, hidden).await?,
            scan_time: Some(time::instant(*happened_at)),
            journal_number: int64(entry.number),
        })
    }

    /// The names of members who are not in; nobody is looked up where nobody is missing.
    async fn with_names(
        &self,
        reach: &Reach,
        event: EventId,
        number: Number,
        missing: &[MemberNo],
        hidden: bool,
    ) -> Result<Vec<MemberAtDoor>, Status> {
        let Some(missing) = missing.get(..missing.len().min(MISSING_MAX)).filter(|m| !m.is_empty()) else {
            return Ok(Vec::new());
        };
        let rows = match hidden {
            true => Vec::new(),
            false => self.desk.store().parties(reach, event, &[number]).await.map_err(status::storage)?,
        };
        let party = rows.first().map(read_party).transpose()?;
        let members = match party.as_ref().map(|p| &p.who) {
            Some(Who::Members(members)) => members.as_slice(),
            _ => &[],
        };
        let name = |no: MemberNo| members.get(usize::from(no).saturating_sub(1)).map(|m| m.name.clone());
        let at_door =
            |no: &MemberNo| MemberAtDoor { member: i32::from(*no), display_name: name(*no).unwrap_or_default() };
        Ok(missing.iter().map(at_door).collect())
    }

    /// The verdict on a code that names nobody here. It changes nothing, and would be the same at any time.
    async fn no_such_code(&self, event: EventId, why: Misread) -> Result<CheckInResponse, Status> {
        self.look(event, |_| ()).await?;
        let verdict = match why {
            Misread::Mistyped => DoorVerdict::Misread,
            Misread::Foreign => DoorVerdict::NotForThisEvent,
        };
        Ok(CheckInResponse { verdict: verdict.into(), ..CheckInResponse::default() })
    }
}

fn verdict(state: StateKind, asked_for_missing: bool, let_in: bool) -> DoorVerdict {
    match state {
        StateKind::Confirmed if asked_for_missing => DoorVerdict::OtherSession,
        StateKind::Confirmed if let_in => DoorVerdict::Welcome,
        StateKind::Confirmed => DoorVerdict::AlreadyIn,
        StateKind::InReview | StateKind::Waitlisted | StateKind::Offered => DoorVerdict::Waiting,
        StateKind::Cancelled
        | StateKind::Declined
        | StateKind::Expired
        | StateKind::Rejected
        | StateKind::EventCancelled
        | StateKind::Transferred => DoorVerdict::Cancelled,
    }
}
