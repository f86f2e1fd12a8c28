//! UpdateRegistration: the named fields are laid over the party that is stored. Where the contact becomes another, the
//! registration gets another management token, and the one that went to the old contact ends (docs/decisions/0025).

use super::change::{Named, Told};
use super::persons;
use super::sign_up::{papers, this_year};
use crate::admission::{Refusal, Verb};
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::from_proto::party::{ANSWERS, REGISTRATION_FIELDS};
use crate::api::from_proto::{Fields, Path, names as parse};
use crate::api::proto::{Registration, UpdateRegistrationRequest, UpdateRegistrationResponse};
use crate::api::request::{Asked, Change};
use crate::api::status::{self, About};
use crate::api::to_proto::names;
use crate::desk::{DeskError, Papers, View};
use crate::model::attendance::MemberNo;
use crate::model::party::Party;
use crate::storage::PartyRow;
use tonic::Status;

/// How often a party that changed while it was read is read again. Of those who meet, one wins each time.
const TRIES: u32 = 32;

/// A party as it was read.
pub(super) struct Seen {
    pub party: Party,
    pub seen_step: u64,
    pub seen_marked: MemberNo,
}

impl Api {
    pub(super) async fn amend(
        &self,
        caller: Caller,
        mut r: UpdateRegistrationRequest,
    ) -> Result<UpdateRegistrationResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let mask = fields.mask(r.update_mask, REGISTRATION_FIELDS);
        let given = fields.message(Path::Top("registration"), r.registration);
        let token = r.management_token;
        let named = match self.named(caller, &mut fields, "registration.name", &given.name, &token).await {
            Ok(named) => named,
            Err(no) => return self.unless_amended_with_it(&asked, &given.name, &token, no).await,
        };
        if named.is_hidden() {
            return Err(status::people_not_shown(UpdateRegistrationRequest::METHOD, named.name.event));
        }
        match self.lay_over_party(&fields, &asked, &named, (&given, &mask)).await {
            Ok(answer) => Ok(answer),
            Err(no) => self.amended_before(&asked, named.name.event, named.told()).await.ok_or(no),
        }
    }

    /// A token that has ended lets nobody in, but whoever ended it by this very request, body and token hears again which
    /// took its place: that answer may have been lost.
    async fn unless_amended_with_it(
        &self,
        asked: &Asked,
        name: &str,
        token: &str,
        no: Status,
    ) -> Result<UpdateRegistrationResponse, Status> {
        match parse::registration(name).filter(|_| !token.is_empty()) {
            Some(name) => self.amended_before(asked, name.event, Told::AS_PARTY).await.ok_or(no),
            None => Err(no),
        }
    }

    /// Others may correct other fields of the same party at the same moment: whoever comes second reads what the first
    /// has written, and lays over that.
    async fn lay_over_party(
        &self,
        fields: &Fields,
        asked: &Asked,
        named: &Named,
        (given, mask): (&Registration, &[&'static str]),
    ) -> Result<UpdateRegistrationResponse, Status> {
        let mut again: Option<Named> = None;
        for _ in 0..TRIES {
            let named = again.as_ref().unwrap_or(named);
            let Seen { mut party, seen_step, seen_marked } = self.stored_party(named).await?;
            let (verb, same) = self.corrected(fields.clone(), named, &mut party, (given.clone(), mask)).await?;
            let words = Box::new(papers(&party)?);
            let token_key = Some(self.desk.keys().token_key(asked.request_id));
            let job = (verb, Papers::Party { words, seen_step, seen_marked, seen_part: None, token_key });
            // A party that only becomes smaller is the core's to judge.
            let decided = if same < seen_marked && u32::from(same) < party.size() {
                self.not_another_person(asked, named, job, seen_marked).await
            } else {
                self.correct(asked, named, job).await
            };
            match decided {
                // Whoever changed the party meanwhile may have ended the token.
                Err(DeskError::Stale) => again = Some(self.named_again(named).await?),
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let about = asked.about_registration(named.name.event, named.name.id);
                    return Err(self.no(error, &About { party_size: party.size(), ..about }).await);
                }
            }
        }
        Err(status::overloaded())
    }

    /// Hands the correction in, or tries it out.
    async fn correct(
        &self,
        asked: &Asked,
        named: &Named,
        job: (Verb, Papers),
    ) -> Result<UpdateRegistrationResponse, DeskError> {
        if asked.validate_only {
            let registration = Some(self.decided(asked, named, job).await?);
            return Ok(UpdateRegistrationResponse { registration, ..UpdateRegistrationResponse::default() });
        }
        let done = self.desk.submit(self.job(asked, named, job)).await?;
        self.amended(asked, named.name.event, named.told(), done).await
    }

    /// Refuses to give a mark to somebody else, where nothing else stands in the way before that.
    async fn not_another_person(
        &self,
        asked: &Asked,
        named: &Named,
        job: (Verb, Papers),
        member: MemberNo,
    ) -> Result<UpdateRegistrationResponse, DeskError> {
        let mut tried = *asked;
        tried.validate_only = true;
        self.decided(&tried, named, job).await?;
        Err(DeskError::Refused(Box::new(Refusal::MemberAttended { member }), None))
    }

    /// Lays the named fields over the party; and how many of its first members are who they were.
    async fn corrected(
        &self,
        mut fields: Fields,
        named: &Named,
        party: &mut Party,
        (given, mask): (Registration, &[&'static str]),
    ) -> Result<(Verb, MemberNo), Status> {
        let before = party.who.clone();
        fields.amend(party, given, mask, this_year(self.desk.clock().now()));
        if mask.contains(&"answers") {
            fields.answers_fit(ANSWERS, &party.answers, &self.fresh_event_rules(named.name.event).await?.questions);
        }
        let same = persons::keep(&mut fields, self.desk.keys(), named.name.id, &before, &mut party.who);
        fields.finish(()).map_err(status::fields)?;
        let resized = mask.iter().any(|field| matches!(*field, "members" | "head_count"));
        let verb = Verb::Amend {
            number: named.number,
            size: resized.then(|| party.size()),
            contact: mask.contains(&"contact").then(|| self.desk.keys().contact(&party.contact)),
        };
        Ok((verb, same))
    }

    /// The party of a registration that is there, its last step and its last member with a mark: read before the party,
    /// so that whoever wrote in between is noticed.
    pub(super) async fn stored_party(&self, named: &Named) -> Result<Seen, Status> {
        let (event, number) = (named.name.event, named.number);
        let last = |view: &View<'_>| {
            let step = view.roster.standing(number).and_then(|s| s.steps.last().copied());
            (step.unwrap_or_default(), view.roster.last_member_marked(number))
        };
        let (seen_step, seen_marked) = self.look(event, last).await?;
        let rows = self.desk.store().parties(&named.reach, event, &[number]).await.map_err(status::storage)?;
        match rows.first() {
            Some(row) => Ok(Seen { party: read_party(row)?, seen_step, seen_marked }),
            None => Err(status::registration_not_found(&names::registration(event, named.name.id))),
        }
    }
}

/// The party in a row. What cannot be read is told to the log without its content.
pub(in crate::api) fn read_party(row: &PartyRow) -> Result<Party, Status> {
    serde_json::from_str(&row.document)
        .map_err(|error| status::internal(format!("party {} cannot be read: {:?}", row.number, error.classify())))
}
