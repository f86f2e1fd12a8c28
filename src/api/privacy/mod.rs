//! PrivacyService: what is kept of a registration in `export`, as a text in `text`; erasures here.

mod choices;
mod export;
mod text;

pub(super) use choices::Sight;

use super::caller::{Acting, Caller};
use super::from_proto::{Fields, Path};
use super::page_token::Pages;
use super::proto::*;
use super::request::Asked;
use super::to_proto::{int64, names, time};
use super::{Api, status};
use crate::desk::DeskError;
use crate::model::contact::ContactKeys;
use crate::model::id::{CentreId, EventId, RegistrationId};
use crate::model::party;
use crate::privacy::{Asking, Due, Erasure as Erased, PrivacyError};
use tonic::{Request, Response, Status};
use uuid::Uuid;

type Answer<T> = Result<Response<T>, Status>;

/// Registrations that are found at most.
const FOUND_MAX: usize = 1_000;
/// How often a party that steps while it is erased is looked at again.
const TRIES: u32 = 32;
/// Registrations that have run out, about, on a page or in a call.
const DUE_AT_ONCE: usize = 1_000;

#[tonic::async_trait]
impl super::proto::privacy_service_server::PrivacyService for Api {
    async fn export_registration(
        &self,
        request: Request<ExportRegistrationRequest>,
    ) -> Answer<ExportRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        self.export(caller, r).await.map(Response::new)
    }

    async fn erase_registration(
        &self,
        request: Request<EraseRegistrationRequest>,
    ) -> Answer<EraseRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        let erasure = Some(self.erase(caller, r).await?);
        Ok(Response::new(EraseRegistrationResponse { erasure }))
    }

    async fn restrict_registration(
        &self,
        request: Request<RestrictRegistrationRequest>,
    ) -> Answer<RestrictRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        let registration = Some(self.restrict(caller, r).await?);
        Ok(Response::new(RestrictRegistrationResponse { registration }))
    }

    async fn lift_registration_restriction(
        &self,
        request: Request<LiftRegistrationRestrictionRequest>,
    ) -> Answer<LiftRegistrationRestrictionResponse> {
        let (caller, r) = self.admit(request).await?;
        let registration = Some(self.lift(caller, r).await?);
        Ok(Response::new(LiftRegistrationRestrictionResponse { registration }))
    }

    async fn set_registration_consents(
        &self,
        request: Request<SetRegistrationConsentsRequest>,
    ) -> Answer<SetRegistrationConsentsResponse> {
        let (caller, r) = self.admit(request).await?;
        let registration = Some(self.set_consents(caller, r).await?);
        Ok(Response::new(SetRegistrationConsentsResponse { registration }))
    }

    async fn find_registrations(
        &self,
        request: Request<FindRegistrationsRequest>,
    ) -> Answer<FindRegistrationsResponse> {
        let (caller, r, rows) = self.admit_noted(request).await?;
        let found = self.found(caller, r).await?;
        self.note_centres(&rows, &found.registrations).await?;
        Ok(Response::new(found))
    }

    async fn list_due_erasures(&self, request: Request<ListDueErasuresRequest>) -> Answer<ListDueErasuresResponse> {
        const METHOD: &str = "ListDueErasures";
        let (caller, mut r, rows) = self.admit_noted(request).await?;
        let centre = self.narrowed_centre(caller, METHOD, &mut r.centre)?;
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.centre]);
        let after = pages.cursor(&r.page_token)?.and_then(|bytes| Uuid::from_slice(&bytes).ok()).map(EventId);
        let (due, last) = self.privacy.due(centre.as_ref(), after, DUE_AT_ONCE).await.map_err(|e| no(e, None))?;
        self.note_centres(&rows, &events_of(&due)).await?;
        let next_page_token = last.map(|event| pages.token(event.0.as_bytes())).unwrap_or_default();
        Ok(Response::new(ListDueErasuresResponse { due: due.iter().map(told_due).collect(), next_page_token }))
    }

    async fn erase_due(&self, request: Request<EraseDueRequest>) -> Answer<EraseDueResponse> {
        let (caller, mut r, rows) = self.admit_noted(request).await?;
        let mut fields = Fields::default();
        Asked::of(&mut r, self.desk.keys(), &mut fields);
        fields.finish(()).map_err(status::fields)?;
        let centre = self.narrowed_centre(caller, "EraseDue", &mut r.centre)?;
        let privacy = self.privacy.clone();
        // In a task of its own: what was begun is not left half done because the caller went away.
        let done = tokio::spawn(async move { privacy.apply(centre.as_ref(), None, DUE_AT_ONCE).await });
        let (due, last) = done.await.map_err(status::internal)?.map_err(|e| no(e, None))?;
        self.note_centres(&rows, &events_of(&due)).await?;
        Ok(Response::new(EraseDueResponse { erased: due.iter().map(told_due).collect(), more: last.is_some() }))
    }
}

impl Api {
    /// The centre that is asked about; all of them only for whoever reaches all.
    fn narrowed_centre(
        &self,
        caller: Caller,
        method: &'static str,
        centre: &mut String,
    ) -> Result<Option<CentreId>, Status> {
        caller.staff_only(method)?;
        self.narrow(caller, method, centre)?;
        let mut fields = Fields::default();
        let id = if centre.is_empty() { None } else { fields.centre_name(Path::Top("centre"), centre) };
        fields.finish(id).map_err(status::fields)
    }

    async fn erase(&self, caller: Caller, mut r: EraseRegistrationRequest) -> Result<Erasure, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        fields.finish(()).map_err(status::fields)?;
        let (event, id) = (named.name.event, named.name.id);
        let request = Some(asked.within(event, self.desk.keys()));
        let mut asking =
            Asking { actor: named.acting.actor(), request, borne: named.borne(), validate_only: asked.validate_only };
        for _ in 0..TRIES {
            let privacy = self.privacy.clone();
            let done = tokio::spawn(async move { privacy.erase(event, id, asking).await });
            match done.await.map_err(status::internal)? {
                Ok(erased) => return Ok(told(&erased)),
                Err(PrivacyError::Desk(DeskError::Stale)) => asking.borne = self.named_again(&named).await?.borne(),
                Err(PrivacyError::Desk(error)) => {
                    return Err(self.no(error, &asked.about_registration(event, id)).await);
                }
                Err(error) => return Err(no(error, Some(names::registration(event, id)))),
            }
        }
        Err(status::overloaded())
    }

    async fn found(&self, caller: Caller, r: FindRegistrationsRequest) -> Result<FindRegistrationsResponse, Status> {
        caller.staff_only("FindRegistrations")?;
        let mut fields = Fields::default();
        let contact = party::Contact { name: String::new(), email: r.email, phone: r.phone };
        let keys = self.desk.keys().contact(&contact);
        if keys.email.is_none() && keys.phone.is_none() {
            fields.refuse(Path::Top("email"), "or phone is required, as an address or a number");
        }
        fields.finish(()).map_err(status::fields)?;
        let found = self.with_what_led_there(caller, keys).await?;
        let mut registrations: Vec<_> = found.into_iter().map(|(event, id)| names::registration(event, id)).collect();
        registrations.sort_unstable();
        let more = registrations.len() > FOUND_MAX;
        registrations.truncate(FOUND_MAX);
        Ok(FindRegistrationsResponse { registrations, more })
    }
}

impl Api {
    /// What has this contact, and what was transferred into that: a party that moved leaves no contact behind, and is
    /// told of all of its history. What is not shown leads to nothing: else its contact could be tried there.
    async fn with_what_led_there(
        &self,
        caller: Caller,
        keys: ContactKeys,
    ) -> Result<Vec<(EventId, RegistrationId)>, Status> {
        let (store, reach) = (self.desk.store(), self.reach(caller)?);
        let found = store.registrations_by_contact(&reach, keys).await.map_err(status::storage)?;
        let mut level = self.shown_of(caller, found).await?;
        let mut all = Vec::new();
        while !level.is_empty() {
            let targets: Vec<_> = level.iter().map(|(_, id)| *id).collect();
            all.append(&mut level);
            let sources = store.registrations_moved_to(&reach, &targets).await.map_err(status::storage)?;
            let new = sources.into_iter().filter(|one| !all.contains(one)).collect();
            level = self.shown_of(caller, new).await?;
        }
        Ok(all)
    }

    async fn shown_of(
        &self,
        caller: Caller,
        found: Vec<(EventId, RegistrationId)>,
    ) -> Result<Vec<(EventId, RegistrationId)>, Status> {
        let sight = self.sight(caller, Acting::Staff)?;
        let mut shown = Vec::new();
        for (event, id) in found {
            if self.sees_people(caller, event).await? && !self.is_hidden(sight, event, id).await? {
                shown.push((event, id));
            }
        }
        Ok(shown)
    }

    /// Whose words are not shown is not found by them either.
    async fn is_hidden(&self, sight: Sight, event: EventId, id: RegistrationId) -> Result<bool, Status> {
        self.look(event, |view| view.roster.standing(id.number()).is_some_and(|s| sight.hides(s))).await
    }
}

fn told(erased: &Erased) -> Erasure {
    let extent = if erased.erased.kept { ErasureExtent::Part } else { ErasureExtent::Whole };
    let because = match (erased.erased.kept, erased.in_project) {
        (false, _) => KeptBecause::Unspecified,
        (true, false) => KeptBecause::TookPart,
        (true, true) => KeptBecause::ProjectEvidence,
    };
    Erasure {
        registration: names::registration(erased.event, erased.registration),
        extent: extent.into(),
        erase_time: Some(time::instant(erased.erased.at)),
        journal_number: int64(erased.journal_number),
        kept_until: erased.kept_until.map(time::instant),
        kept_because: because.into(),
    }
}

fn events_of(due: &[Due]) -> Vec<String> {
    due.iter().map(|due| names::event(due.event)).collect()
}

fn told_due(due: &Due) -> DueErasures {
    let names =
        |ids: &[crate::model::id::RegistrationId]| ids.iter().map(|id| names::registration(due.event, *id)).collect();
    DueErasures { event: names::event(due.event), whole: names(&due.whole), part: names(&due.part) }
}

/// A no that is not the core's.
fn no(error: PrivacyError, registration: Option<String>) -> Status {
    match (error, registration) {
        (PrivacyError::NotFound, Some(name)) => status::registration_not_found(&name),
        (PrivacyError::Store(error), _) => status::storage(error),
        (PrivacyError::Desk(error), _) => status::desk(error, &status::About::event("", EventId::default())),
        (error, _) => status::internal(error),
    }
}
