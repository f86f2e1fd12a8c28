//! AddWalkIn: a sign-up at the door.

use crate::admission::{Command, NewParty, Verb, WalkIn};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{AddWalkInRequest, AddWalkInResponse, Channel};
use crate::api::registrations::{papers, this_year};
use crate::api::request::{Asked, Change, scope};
use crate::api::rights::GETS_TOKENS;
use crate::api::status::About;
use crate::api::{Api, status, to_proto};
use crate::desk::{Done, Job, Papers, SignUp};
use crate::model::attendance::Source;
use crate::model::consent::Choices;
use crate::model::id::EventId;
use crate::model::party::Party;
use tonic::Status;

impl Api {
    pub(super) async fn let_in(&self, caller: Caller, mut r: AddWalkInRequest) -> Result<AddWalkInResponse, Status> {
        caller.staff_only(AddWalkInRequest::METHOD)?;
        let now = self.desk.clock().now();
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let session = fields.session_id(Path::Top("session_id"), r.session_id);
        let source = if r.source == 0 { Source::Door } else { fields.source(Path::Top("source"), r.source) };
        let happened_at = fields.past(Path::Top("happen_time"), r.happen_time, now);
        let mut given = fields.message(Path::Top("registration"), r.registration);
        given.channel = Channel::InPerson.into();
        let (party, wishes) = fields.walk_in_party(given, this_year(now));
        if fields.is_sound() {
            self.sees_people_or_no(caller, event, AddWalkInRequest::METHOD).await?;
        }
        let rules = self.walk_in_rules(&mut fields, event, &party).await?;
        let party = match fields.finish(party) {
            Ok(party) => party,
            Err(no) => return self.unless_walked_in(caller, &asked, event, status::fields(no)).await,
        };
        let wished = rules.map(|rules| rules.pools(&wishes)).unwrap_or_default();
        let new = NewParty {
            size: party.size(),
            wishes: wished,
            contact: self.desk.keys().contact(&party.contact),
            vouched: true,
            choices: Choices::default(),
        };
        let about =
            About { pools: &wishes, party_size: party.size(), session_id: &session.clone(), ..asked.about(event) };
        let verb = Verb::WalkIn(Box::new(WalkIn { party: new, session, source, happened_at }));
        let keys = self.desk.keys();
        let sign_up = SignUp {
            party: papers(&party)?,
            id_secret: keys.id_secret(&scope(event), asked.request_id),
            token_key: keys.token_key(asked.request_id),
        };
        let command = Command { actor: caller.actor(), request: Some(asked.within(event, keys)), verb };
        let job = Job { event, command, papers: Papers::SignUp(Box::new(sign_up)), borne: None };
        self.walked_in(caller, &asked, event, job, &about).await
    }

    /// The event's rules, where it is there. Answers are looked at; that some are missing does not matter.
    async fn walk_in_rules(
        &self,
        fields: &mut Fields,
        event: EventId,
        party: &Party,
    ) -> Result<Option<std::sync::Arc<crate::api::rules::EventRules>>, Status> {
        match self.fresh_event_rules(event).await {
            Ok(rules) => {
                fields.given_answers_fit(&party.answers, &rules.questions);
                Ok(Some(rules))
            }
            // Violated fields are told before an event that is not there.
            Err(_) if !fields.is_sound() => Ok(None),
            Err(status) => Err(status),
        }
    }

    async fn walked_in(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        job: Job,
        about: &About<'_>,
    ) -> Result<AddWalkInResponse, Status> {
        if asked.validate_only {
            let render = |done: &Done| to_proto::registration::answered(event, done, true);
            return match self.desk.try_out(job, |done, _| render(done)).await {
                Ok(mut registration) => {
                    registration.name.clear();
                    Ok(AddWalkInResponse { registration: Some(registration), ..AddWalkInResponse::default() })
                }
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
        Ok(self.let_in_as(caller, asked, event, &done))
    }

    /// Says a no only to what was never answered: the event may ask other questions by now.
    async fn unless_walked_in(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        no: Status,
    ) -> Result<AddWalkInResponse, Status> {
        let Some(done) = self.answered_before(asked, event).await else { return Err(no) };
        let done = self.as_first_answered(event, done).await.map_err(|_| no)?;
        Ok(self.let_in_as(caller, asked, event, &done))
    }

    /// A token acts as the party: only whoever may sign people up hands it on to them.
    fn let_in_as(&self, caller: Caller, asked: &Asked, event: EventId, done: &Done) -> AddWalkInResponse {
        let keys = self.desk.keys();
        let gets_it = caller.is_among(GETS_TOKENS);
        let told = done.standing.as_ref().filter(|_| gets_it);
        AddWalkInResponse {
            management_token: told.map(|s| keys.token_key(asked.request_id).token(s.id)).unwrap_or_default(),
            check_in_code: keys.check_in_code(event, done.outcome.number),
            registration: Some(to_proto::registration::answered(event, done, true)),
        }
    }
}
