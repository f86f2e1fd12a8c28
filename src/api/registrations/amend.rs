//! UpdateRegistration: the named fields are laid over the party that is stored.

use super::change::Named;
use super::sign_up::{papers, this_year};
use crate::admission::Verb;
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::from_proto::party::REGISTRATION_FIELDS;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{Registration, UpdateRegistrationRequest};
use crate::api::request::Asked;
use crate::api::status::{self, About};
use crate::api::to_proto::names;
use crate::desk::Papers;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::party::Party;
use crate::storage::PartyRow;
use tonic::Status;

impl Api {
    pub(super) async fn amend(&self, caller: Caller, mut r: UpdateRegistrationRequest) -> Result<Registration, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let mask = fields.mask(r.update_mask, REGISTRATION_FIELDS);
        let given = fields.message(Path::Top("registration"), r.registration);
        let named = self.named(caller, &mut fields, "registration.name", &given.name, &r.management_token).await?;
        let answer = self.lay_over_party(fields, &asked, &named, given, &mask).await;
        self.unless_registration_answered(&asked, &named, answer).await
    }

    async fn lay_over_party(
        &self,
        mut fields: Fields,
        asked: &Asked,
        named: &Named,
        given: Registration,
        mask: &[&'static str],
    ) -> Result<Registration, Status> {
        let event = named.name.event;
        let mut party = self.stored_party(event, named.name.id, named.number).await?;
        fields.amend(&mut party, given, mask, this_year(self.desk.clock().now()));
        if mask.contains(&"answers") {
            fields.answers_fit(&party.answers, &self.fresh_event_rules(event).await?.questions);
        }
        let party = fields.finish(party).map_err(status::fields)?;
        let resized = mask.iter().any(|field| matches!(*field, "members" | "head_count"));
        let verb = Verb::Amend {
            number: named.number,
            size: resized.then(|| party.size()),
            contact: mask.contains(&"contact").then(|| self.desk.keys().contact(&party.contact)),
        };
        let about = About { party_size: party.size(), ..asked.about(event) };
        self.decide(asked, named, (verb, Papers::Party(Box::new(papers(&party)?))), about).await
    }

    /// The party of a registration that is there.
    pub(super) async fn stored_party(
        &self,
        event: EventId,
        id: RegistrationId,
        number: Number,
    ) -> Result<Party, Status> {
        let rows = self.desk.store().parties(event, &[number]).await.map_err(status::storage)?;
        match rows.first() {
            Some(row) => read_party(row),
            None => Err(status::registration_not_found(&names::registration(event, id))),
        }
    }
}

/// The party in a row. What cannot be read is told to the log without its content.
pub(super) fn read_party(row: &PartyRow) -> Result<Party, Status> {
    serde_json::from_str(&row.document)
        .map_err(|error| status::internal(format!("party {} cannot be read: {:?}", row.number, error.classify())))
}
