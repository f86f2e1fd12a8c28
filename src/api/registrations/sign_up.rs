//! CreateRegistration: the hot path. One pass over the message, one document written, and the rules of the
//! event from memory.

use crate::admission::{Command, NewParty, Verb};
use crate::api::caller::Caller;
use crate::api::from_proto::party::ANSWERS;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{CreateRegistrationRequest, CreateRegistrationResponse};
use crate::api::request::{Asked, scope};
use crate::api::rules::EventRules;
use crate::api::status::About;
use crate::api::{Api, status, to_proto};
use crate::desk::{Done, Job, Papers, PartyPapers, SignUp};
use crate::model::consent::{Choices, Consent};
use crate::model::contact::ContactKeys;
use crate::model::id::EventId;
use crate::model::party::Party;
use crate::model::time::Timestamp;
use std::sync::Arc;
use tonic::Status;

/// A sign-up as far as it can be read without asking anybody. Everything that is not awaited is done outside of
/// the future that waits for the commit: a thousand of those wait in a rush, and what they hold is moved and
/// allocated with each.
pub(super) struct Read {
    caller: Caller,
    asked: Asked,
    event: Option<EventId>,
    party: Party,
    wishes: Vec<String>,
    consents: Vec<Consent>,
    fields: Fields,
}

/// A sign-up that can be handed in.
struct Ready {
    /// As staff that sees who signs up.
    for_staff: bool,
    asked: Asked,
    wishes: Vec<String>,
    party_size: u32,
    job: Box<Job>,
}

impl Api {
    /// Reads the message; what is wrong with it is told by `sign_up`.
    pub(super) fn read_sign_up(&self, caller: Caller, mut r: CreateRegistrationRequest) -> Box<Read> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent);
        let given = fields.message(Path::Top("registration"), r.registration);
        let now = self.desk.clock().now();
        let (party, wishes) = fields.party(given, this_year(now));
        let choices = fields.consent_choices(Path::Top("consents"), r.consents, party.channel);
        let consents = Choices::default().changed_by(&choices, now);
        Box::new(Read { caller, asked, event, party, wishes, consents, fields })
    }

    pub(super) async fn sign_up(&self, read: Box<Read>) -> Result<CreateRegistrationResponse, Status> {
        match self.kept_rules_for(&read) {
            Some((event, rules)) => self.hand_in(self.ready(&read, event, &rules)?).await,
            None => Box::pin(self.check_and_hand_in(*read)).await,
        }
    }

    /// The rules that are at hand, where they find nothing wrong. What old rules refuse is looked at again with
    /// fresh ones.
    fn kept_rules_for(&self, read: &Read) -> Option<(EventId, Arc<EventRules>)> {
        let event = read.event.filter(|_| read.fields.is_sound())?;
        let rules = self.rules.kept(event)?;
        (rules.know(&read.wishes) && fits(&read.party, &rules)).then_some((event, rules))
    }

    async fn check_and_hand_in(&self, mut read: Read) -> Result<CreateRegistrationResponse, Status> {
        let rules = match read.event {
            Some(event) => Some(self.rules_for(event, read.caller.is_staff()).await),
            None => None,
        };
        if let Some(Ok(rules)) = &rules {
            read.fields.answers_fit(ANSWERS, &read.party.answers, &rules.questions);
        }
        // Violated fields are told before an event that is not there.
        if let Err(no) = std::mem::take(&mut read.fields).finish(()) {
            let no = status::fields(no);
            return match read.event {
                Some(event) => self.unless_signed_up(read.caller, &read.asked, event, no).await,
                None => Err(no),
            };
        }
        match (read.event, rules) {
            (Some(event), Some(Ok(rules))) => self.hand_in(self.ready(&read, event, &rules)?).await,
            (_, Some(Err(no))) => Err(no),
            _ => Err(status::internal("a sign-up without an event was sound")),
        }
    }

    fn ready(&self, read: &Read, event: EventId, rules: &EventRules) -> Result<Ready, Status> {
        let (keys, party, asked) = (self.desk.keys(), &read.party, &read.asked);
        let for_staff = read.caller.sees_people_of(rules.named_roles());
        let new = NewParty {
            size: party.size(),
            wishes: rules.pools(&read.wishes),
            contact: keys.contact(&party.contact),
            // To staff who are not to see the people of an event no refusal tells that somebody is there.
            vouched: read.caller.vouches() && (for_staff || !read.caller.is_staff()),
            choices: Choices { consents: read.consents.clone(), ..Choices::default() },
        };
        let papers = SignUp {
            party: papers(party)?,
            id_secret: keys.id_secret(&scope(event), asked.request_id),
            token_key: keys.token_key(asked.request_id),
        };
        let request = Some(asked.within(event, keys));
        let job = Box::new(Job {
            event,
            command: Command { actor: read.caller.actor(), request, verb: Verb::Register(new) },
            papers: Papers::SignUp(Box::new(papers)),
            borne: None,
        });
        let wishes = read.wishes.clone();
        Ok(Ready { for_staff, asked: *asked, wishes, party_size: party.size(), job })
    }

    async fn hand_in(&self, ready: Ready) -> Result<CreateRegistrationResponse, Status> {
        let Ready { for_staff, asked, wishes, party_size, job } = ready;
        let event = job.event;
        if asked.validate_only {
            return Box::pin(self.try_sign_up(for_staff, job, &sign_up_about(&asked, event, &wishes, party_size)))
                .await;
        }
        let done = match self.desk.submit(job).await {
            Ok(done) if done.replayed => Box::pin(self.as_first_answered(event, done)).await,
            answer => answer,
        };
        match done {
            Ok(done) => Ok(self.taken_in(for_staff, &asked, event, &done)),
            Err(error) => {
                let about = sign_up_about(&asked, event, &wishes, party_size);
                Err(Box::pin(self.no(error, &about)).await)
            }
        }
    }

    async fn try_sign_up(
        &self,
        for_staff: bool,
        mut job: Box<Job>,
        about: &About<'_>,
    ) -> Result<CreateRegistrationResponse, Status> {
        let event = job.event;
        if let Verb::Register(party) = &mut job.command.verb
            && !party.vouched
        {
            // Trying costs nothing and leaves no trace: it must not tell who is registered.
            party.contact = ContactKeys::default();
        }
        let tried = self.desk.try_out(*job, |done, _| to_proto::registration::answered(event, done, for_staff)).await;
        match tried {
            Ok(registration) => Ok(provisional(registration)),
            Err(error) => Err(self.no(error, about).await),
        }
    }

    /// Whoever was taken in, with the token that a repetition gets again.
    pub(super) fn taken_in(
        &self,
        for_staff: bool,
        asked: &Asked,
        event: EventId,
        done: &Done,
    ) -> CreateRegistrationResponse {
        let token_key = self.desk.keys().token_key(asked.request_id);
        CreateRegistrationResponse {
            management_token: done.standing.as_ref().map(|s| token_key.token(s.id)).unwrap_or_default(),
            check_in_code: self.desk.keys().check_in_code(event, done.outcome.number),
            registration: Some(to_proto::registration::answered(event, done, for_staff)),
        }
    }
}

/// What a no to a sign-up is about.
fn sign_up_about<'a>(asked: &Asked, event: EventId, wishes: &'a [String], party_size: u32) -> About<'a> {
    About { pools: wishes, party_size, ..asked.about(event) }
}

/// What was only tried out has no name and no token.
fn provisional(mut registration: crate::api::proto::Registration) -> CreateRegistrationResponse {
    registration.name.clear();
    CreateRegistrationResponse { registration: Some(registration), ..CreateRegistrationResponse::default() }
}

fn fits(party: &Party, rules: &EventRules) -> bool {
    let mut fields = Fields::default();
    fields.answers_fit(ANSWERS, &party.answers, &rules.questions);
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
