//! ExportRegistration: what stands elsewhere, put together for whom it is about.

use super::text;
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    ExplainRegistrationRequest, ExportRegistrationRequest, ExportRegistrationResponse, GetRegistrationRequest,
    RegistrationView, StaffNote,
};
use crate::api::registrations::Named;
use crate::api::rights::READS_REASONS;
use crate::api::to_proto::{int64, time};
use crate::api::{Api, status};
use crate::model::time::Zone;
use tonic::Status;

impl Api {
    pub(super) async fn export(
        &self,
        caller: Caller,
        r: ExportRegistrationRequest,
    ) -> Result<ExportRegistrationResponse, Status> {
        let mut fields = Fields::default();
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        if named.is_hidden() {
            return Err(status::people_not_shown("ExportRegistration", named.name.event));
        }
        let language =
            if r.language.is_empty() { r.language } else { fields.language(Path::Top("language"), r.language) };
        let language = fields.finish(language).map_err(status::fields)?;
        let (event, id) = (named.name.event, named.name.id);
        let (name, management_token) = (r.name, r.management_token);
        let get = GetRegistrationRequest {
            name: name.clone(),
            management_token: management_token.clone(),
            view: RegistrationView::Full.into(),
        };
        let registration = self.registration(caller, get).await?;
        let explain = ExplainRegistrationRequest { name, management_token };
        let steps = self.explain(caller, explain).await?.steps;
        let attendances = self.marks_of_registration(event, id).await?;
        // What staff wrote of a party that is left alone is for those who see its words.
        let sight = named.sight;
        let hides = registration.restrict_time.is_some() && !sight.sees_all();
        let reads_reasons = named.acting.is_staff() && caller.is_among(READS_REASONS);
        let notes = if reads_reasons { self.notes(&named).await? } else { Vec::new() };
        let notes = if hides { Vec::new() } else { notes };
        let (kept, erased) = self.privacy.kept(event, id).await.map_err(|e| super::no(e, None))?;
        let language = text::known(if language.is_empty() { &registration.language } else { &language });
        let mut export = ExportRegistrationResponse {
            steps,
            attendances,
            notes,
            erasure: erased.map(|erased| super::told(&erased)),
            contact_kept_until: kept.contact_until.map(time::instant),
            names_kept_until: kept.names_until.map(time::instant),
            language: language.to_owned(),
            registration: Some(registration),
            text: String::new(),
        };
        let (title, zone) = self.title_and_zone(event, language).await?;
        export.text = text::of(&export, language, &title, &zone);
        Ok(export)
    }

    async fn notes(&self, named: &Named) -> Result<Vec<StaffNote>, Status> {
        let (event, number) = (named.name.event, named.number);
        let reasons = self.desk.store().reasons(&named.reach, event, number).await.map_err(status::storage)?;
        Ok(reasons.into_iter().map(|(step, text)| StaffNote { journal_number: int64(step), text }).collect())
    }

    /// The event's title in this language, or in Lithuanian, or in whatever it has.
    async fn title_and_zone(&self, event: crate::model::id::EventId, language: &str) -> Result<(String, Zone), Status> {
        self.look(event, |view| {
            let titles = &view.event.details.titles;
            let in_language = |code: &str| titles.iter().find(|text| text.language == code);
            let title = in_language(language).or_else(|| in_language("lt")).or_else(|| titles.first());
            (title.map(|text| text.text.clone()).unwrap_or_default(), view.roster.terms.zone.clone())
        })
        .await
    }
}
