//! A repeated request is answered as it was first. State, position and pool stand in its recorded outcome; what
//! else a later change may have touched (the party's size, its class, the mark of a possible duplicate) is taken
//! back to that moment by the journal. Only repeated requests about a registration that has moved on pay for it.

use super::change::Told;
use crate::admission::{Change, Entry, Erased, Standing};
use crate::api::caller::Caller;
use crate::api::proto::{CreateRegistrationResponse, UpdateRegistrationResponse};
use crate::api::request::Asked;
use crate::api::{Api, to_proto};
use crate::desk::{DeskError, Done, NEW_TOKEN};
use crate::model::consent::Choices;
use crate::model::id::EventId;
use crate::model::registration::End;
use tonic::Status;

impl Api {
    /// What a correction was answered when it was asked first: what is asked again may be refused by rules that came later.
    /// `None` where it is new.
    pub(super) async fn amended_before(
        &self,
        asked: &Asked,
        event: EventId,
        told: Told,
    ) -> Option<UpdateRegistrationResponse> {
        let done = self.answered_before(asked, event).await?;
        self.amended(asked, event, told, done).await.ok()
    }

    /// The registration as a correction left it, and its new token where the contact became another one: the same again
    /// where the request is repeated, also after another took its place.
    pub(super) async fn amended(
        &self,
        asked: &Asked,
        event: EventId,
        told: Told,
        done: Done,
    ) -> Result<UpdateRegistrationResponse, DeskError> {
        let keys = self.desk.keys();
        // As it is now: a token shows what is to be left alone since then.
        let tells_token = done.standing.as_ref().is_some_and(|s| told.tells_token_of(s));
        let done = self.as_first_answered(event, done).await?;
        let beside = match &done.answer {
            None if done.replayed => {
                let first = self.desk.store().event_answer(event, asked.within(event, keys).key).await;
                first.map_err(|_| DeskError::Unavailable)?
            }
            beside => beside.clone(),
        };
        let renewed = done.standing.as_ref().filter(|_| tells_token && beside.as_deref() == Some(NEW_TOKEN));
        Ok(UpdateRegistrationResponse {
            management_token: renewed.map(|s| keys.token_key(asked.request_id).token(s.id)).unwrap_or_default(),
            registration: Some(to_proto::registration::answered(event, &done, told.for_staff)),
        })
    }

    /// Says a no to a sign-up only where it was never answered: its answers may be to questions that the event asks no more.
    pub(super) async fn unless_signed_up(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        no: Status,
    ) -> Result<CreateRegistrationResponse, Status> {
        let Some(done) = self.answered_before(asked, event).await else { return Err(no) };
        let done = self.as_first_answered(event, done).await.map_err(|_| no)?;
        let for_staff = self.sees_people(caller, event).await?;
        Ok(self.taken_in(for_staff, asked, event, &done))
    }

    /// What was done, with the registration as it stood right after it.
    pub(in crate::api) async fn as_first_answered(&self, event: EventId, mut done: Done) -> Result<Done, DeskError> {
        let answered_at = done.outcome.journal_number;
        let Some(standing) = done.standing.as_mut().filter(|s| done.replayed && moved_since(s, answered_at)) else {
            return Ok(done);
        };
        let until_then: Vec<u64> = standing.steps.iter().copied().filter(|step| *step <= answered_at).collect();
        let entries = self.desk.store().journal_entries(event, &until_then).await;
        take_back(standing, &entries.map_err(|_| DeskError::Unavailable)?);
        Ok(done)
    }
}

fn moved_since(standing: &Standing, journal_number: u64) -> bool {
    standing.steps.last().is_some_and(|step| *step > journal_number)
}

/// Sets what a repeated answer shows to what the registration's first steps, these entries, made of it.
fn take_back(standing: &mut Standing, entries: &[Entry]) {
    let own = standing.number;
    standing.erased = None;
    standing.set_choices(Choices::default());
    for entry in entries {
        match &entry.change {
            Change::Registered { number, size, twin_of, .. } if *number == own => {
                (standing.size, standing.twin_of, standing.class) = (*size, *twin_of, None);
            }
            Change::Resized { number, size, .. } if *number == own => standing.size = *size,
            Change::ClassSet { number, class } if *number == own => {
                standing.class = class.as_deref().map(Into::into);
            }
            Change::Amended { number, twin_of: Some(twin_of), .. } if *number == own => {
                standing.twin_of = Some(*twin_of);
            }
            Change::Erased { number, kept } if *number == own => {
                standing.erased = Some(Erased { at: entry.at, kept: *kept });
                standing.forget_choices(*kept, entry.at);
            }
            Change::Ended { number, end: End::Transferred { .. } } if *number == own => {
                standing.forget_choices(true, entry.at);
            }
            Change::Restricted { number, restricted } if *number == own => {
                standing.restrict(restricted.then_some(entry.at));
            }
            Change::ConsentsSet { number, consents } if *number == own => standing.set_consents(consents),
            _ => {}
        }
        if entry.cleared.contains(&own) {
            standing.twin_of = None;
        }
    }
}
