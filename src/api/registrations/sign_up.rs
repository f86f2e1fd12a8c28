//! CreateRegistration: the hot path. One pass over the message, one document written, and the rules of the
//! event from memory.

use crate::admission::{Command, NewParty, Verb};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{CreateRegistrationRequest, CreateRegistrationResponse};
use crate::api::request::{Asked, scope};
use crate::api::rules::EventRules;
use crate::api::status::About;
use crate::api::{Api, status, to_proto};
use crate::desk::{Done, Job, Papers, PartyPapers, SignUp};
use crate::model::id::EventId;
use crate::model::party::Party;
use crate::model::time::Timestamp;
use std::sync::Arc;
use tonic::Status;

impl Api {
    pub(super) async fn sign_up(
        &self,
        caller: Caller,
        mut r: CreateRegistrationRequest,
    ) -> Result<CreateRegistrationResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent);
        let given = fields.message(Path::Top("registration"), r.registration);
        let (party, wishes) = fields.party(given, this_year(self.desk.clock().now()));
        let (event, rules) = self.checked(&mut fields, event, &party, &wishes).await?;
        let (party, event, rules) = match (fields.finish(party), event, rules) {
            (Ok(party), Some(event), Some(rules)) => (party, event, rules),
            (Err(no), Some(event), _) => return self.unless_signed_up(caller, &asked, event, status::fields(no)).await,
            (Err(no), None, _) => return Err(status::fields(no)),
            _ => return Err(status::internal("a sign-up without an event was sound")),
        };
        let job = self.sign_up_job(caller, &asked, event, &party, rules.pools(&wishes))?;
        let about = About { pools: &wishes, party_size: party.size(), ..asked.about(event) };
        self.signed_up(caller, &asked, job, &about).await
    }

    /// Checks the answers against the event's questions, where the event is there. What old rules refuse is
    /// looked at again with fresh ones.
    async fn checked(
        &self,
        fields: &mut Fields,
        event: Option<EventId>,
        party: &Party,
        wishes: &[String],
    ) -> Result<(Option<EventId>, Option<Arc<EventRules>>), Status> {
        let Some(id) = event else { return Ok((None, None)) };
        let found = match self.event_rules(id).await {
            Ok(rules) if rules.know(wishes) && fits(party, &rules) => Ok(rules),
            Ok(_) => self.fresh_event_rules(id).await,
            Err(status) => Err(status),
        };
        match found {
            Ok(rules) => {
                fields.answers_fit(&party.answers, &rules.questions);
                Ok((event, Some(rules)))
            }
            // Violated fields are told before an event that is not there.
            Err(_) if !fields.is_sound() => Ok((event, None)),
            Err(status) => Err(status),
        }
    }

    fn sign_up_job(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        party: &Party,
        wishes: Vec<u16>,
    ) -> Result<Job, Status> {
        let keys = self.desk.keys();
        let new =
            NewParty { size: party.size(), wishes, contact: keys.contact(&party.contact), vouched: caller.is_staff() };
        let papers = SignUp {
            party: papers(party)?,
            id_secret: keys.id_secret(&scope(event), asked.request_id),
            token_key: keys.token_key(asked.request_id),
        };
        let request = Some(asked.within(event, keys));
        Ok(Job {
            event,
            command: Command { actor: caller.actor(), request, verb: Verb::Register(new) },
            papers: Papers::SignUp(Box::new(papers)),
        })
    }

    async fn signed_up(
        &self,
        caller: Caller,
        asked: &Asked,
        job: Job,
        about: &About<'_>,
    ) -> Result<CreateRegistrationResponse, Status> {
        let event = job.event;
        let for_staff = caller.is_staff();
        if asked.validate_only {
            let tried =
                self.desk.try_out(job, |done, _| to_proto::registration::answered(event, done, for_staff)).await;
            return match tried {
                Ok(registration) => Ok(provisional(registration)),
                Err(error) => Err(self.no(error, about).await),
            };
        }
        let done = match self.desk.submit(job).await {
            Ok(done) => self.as_first_answered(event, done).await,
            Err(error) => Err(error),
        };
        let done = match done {
            Ok(done) => done,
            Err(error) => return Err(self.no(error, about).await),
        };
        Ok(self.taken_in(caller, asked, event, &done))
    }

    /// Whoever was taken in, with the token that a repetition gets again.
    pub(super) fn taken_in(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        done: &Done,
    ) -> CreateRegistrationResponse {
        let token_key = self.desk.keys().token_key(asked.request_id);
        CreateRegistrationResponse {
            management_token: done.standing.as_ref().map(|s| token_key.token(s.id)).unwrap_or_default(),
            check_in_code: self.desk.keys().check_in_code(event, done.outcome.number),
            registration: Some(to_proto::registration::answered(event, done, caller.is_staff())),
        }
    }
}

/// What was only tried out has no name and no token.
fn provisional(mut registration: crate::api::proto::Registration) -> CreateRegistrationResponse {
    registration.name.clear();
    CreateRegistrationResponse { registration: Some(registration), ..CreateRegistrationResponse::default() }
}

fn fits(party: &Party, rules: &EventRules) -> bool {
    let mut fields = Fields::default();
    fields.answers_fit(&party.answers, &rules.questions);
    fields.is_sound()
}

/// A party as it is stored.
pub(in crate::api) fn papers(party: &Party) -> Result<PartyPapers, Status> {
    let document = serde_json::to_string(party).map_err(status::internal)?;
    Ok(PartyPapers { document, search: party.search_text() })
}

/// The year in which nobody younger than it can be born.
pub(in crate::api) fn this_year(now: Timestamp) -> i16 {
    jiff::tz::TimeZone::UTC.to_datetime(now.to_jiff()).year()
}
