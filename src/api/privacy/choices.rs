//! RestrictRegistration, LiftRegistrationRestriction and SetRegistrationConsents: what a party says about its data. And who is
//! shown the words of one whose data are to be left alone.

use crate::admission::{Standing, Verb};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::text::Alphabet;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    ConsentChoice, ConsentPurpose, LiftRegistrationRestrictionRequest, Registration, RestrictRegistrationRequest,
    SetRegistrationConsentsRequest,
};
use crate::api::registrations::Named;
use crate::api::request::Asked;
use crate::api::to_proto::names;
use crate::api::{Api, status};
use crate::desk::{Papers, View};
use crate::model::access::Role;
use crate::model::consent::{Choice, Purpose};
use crate::model::id::Number;
use crate::model::party::{Channel, Party};
use tonic::Status;

/// Whether a caller is shown the words of parties whose data are to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Sight {
    sees_restricted: bool,
}

impl Sight {
    /// The party sees its own words.
    pub const OF_PARTY: Sight = Sight { sees_restricted: true };

    /// The party as this caller is shown it.
    pub fn of(self, s: &Standing, party: Party) -> Party {
        if self.hides(s) { party.hidden() } else { party }
    }

    pub fn sees_all(self) -> bool {
        self.sees_restricted
    }

    pub fn hides(self, s: &Standing) -> bool {
        !self.sees_restricted && s.restricted_at().is_some()
    }
}

impl Api {
    /// The party itself sees its own words; of staff, heads alone, who answer for what becomes of them.
    pub(in crate::api) fn sight(&self, caller: Caller, acting: Acting) -> Result<Sight, Status> {
        match acting {
            Acting::Party => Ok(Sight::OF_PARTY),
            Acting::Staff => {
                let sees_restricted = self.key_of(caller)?.is_none_or(|key| key.role == Role::Head);
                Ok(Sight { sees_restricted })
            }
        }
    }

    pub(super) async fn restrict(
        &self,
        caller: Caller,
        mut r: RestrictRegistrationRequest,
    ) -> Result<Registration, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let reason = fields.reason(named.acting, r.reason);
        self.set_restriction(fields, &asked, &named, (true, reason)).await
    }

    pub(super) async fn lift(
        &self,
        caller: Caller,
        mut r: LiftRegistrationRestrictionRequest,
    ) -> Result<Registration, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let reason = fields.reason(named.acting, r.reason);
        self.set_restriction(fields, &asked, &named, (false, reason)).await
    }

    async fn set_restriction(
        &self,
        fields: Fields,
        asked: &Asked,
        named: &Named,
        (restricted, reason): (bool, String),
    ) -> Result<Registration, Status> {
        let reason = fields.finish(reason).map_err(status::fields)?;
        let verb = Verb::Restrict { number: named.number, restricted };
        let (event, id) = (named.name.event, named.name.id);
        let registration = self.decide(asked, named, (verb, Papers::Reason(reason)), asked.about(event)).await?;
        if asked.validate_only {
            return Ok(registration);
        }
        // As it stands now, which a repeated request may have found changed since. A head lifts at its own centre; the party
        // came from there itself.
        let restricted = self.look(event, |view| is_restricted(view, named.number)).await?;
        if restricted || !named.acting.is_staff() {
            let followed = self.privacy.restrict_those_before(event, id, (restricted, named.acting.actor())).await;
            followed.map_err(|error| super::no(error, Some(names::registration(event, id))))?;
        }
        Ok(registration)
    }

    pub(super) async fn set_consents(
        &self,
        caller: Caller,
        mut r: SetRegistrationConsentsRequest,
    ) -> Result<Registration, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let channel = fields.channel(Path::Top("channel"), r.channel);
        if r.choices.is_empty() {
            fields.refuse(Path::Top("choices"), "is required");
        }
        let choices = fields.consent_choices(Path::Top("choices"), r.choices, channel);
        let choices = fields.finish(choices).map_err(status::fields)?;
        let verb = Verb::Consent { number: named.number, choices };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }
}

fn is_restricted(view: &View<'_>, number: Number) -> bool {
    view.roster.standing(number).is_some_and(|s| s.restricted_at().is_some())
}

impl Fields {
    /// Why staff do it; a party owes nobody a reason, and its words would stand where staff write.
    fn reason(&mut self, acting: Acting, given: String) -> String {
        let at = Path::Top("reason");
        match acting {
            Acting::Staff => self.required_paragraph(at, given, 500),
            Acting::Party => {
                if !given.is_empty() {
                    self.refuse(at, "is for staff");
                }
                String::new()
            }
        }
    }

    /// What a party says of purposes, each once.
    pub(in crate::api) fn consent_choices(
        &mut self,
        at: Path<'_>,
        given: Vec<ConsentChoice>,
        channel: Channel,
    ) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        for (i, choice) in self.list(at, given, 0, Purpose::ALL.len()).into_iter().enumerate() {
            let at = at.item(i);
            let purpose = self.purpose(at.field("purpose"), choice.purpose);
            let text = match choice.given {
                true => Some(self.required_code(at.field("text_version"), choice.text_version, Alphabet::Project, 40)),
                false => {
                    if !choice.text_version.is_empty() {
                        self.refuse(at.field("text_version"), "is of what is agreed to");
                    }
                    None
                }
            };
            match purpose {
                Some(purpose) if choices.iter().any(|c| c.purpose == purpose) => {
                    self.refuse(at.field("purpose"), "stands twice in the list");
                }
                Some(purpose) => choices.push(Choice { purpose, text, channel }),
                None => {}
            }
        }
        choices
    }

    fn purpose(&mut self, at: Path<'_>, given: i32) -> Option<Purpose> {
        if given == 0 {
            self.refuse(at, "is required");
        }
        match self.word(at, given)? {
            ConsentPurpose::Unspecified => None,
            ConsentPurpose::Photos => Some(Purpose::Photos),
            ConsentPurpose::News => Some(Purpose::News),
            ConsentPurpose::Sharing => Some(Purpose::Sharing),
            ConsentPurpose::NextSeason => Some(Purpose::NextSeason),
        }
    }
}
