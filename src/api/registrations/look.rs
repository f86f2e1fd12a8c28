//! GetRegistration and ExplainRegistration.

use super::amend::read_party;
use super::change::Named;
use crate::admission::Standing;
use crate::api::caller::Caller;
use crate::api::facts::steps;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    self, ExplainRegistrationRequest, ExplainRegistrationResponse, GetRegistrationRequest, RegistrationView,
};
use crate::api::to_proto::{self, names};
use crate::api::{Api, status};
use crate::desk::View;
use crate::model::event::Terms;
use crate::model::id::Number;
use std::sync::Arc;
use tonic::Status;

/// Steps that an explanation tells at most.
const STEPS_MAX: usize = 200;

/// One registration out of a roster: as rendered, and what FULL needs beside.
pub(super) type Looked = (proto::Registration, Standing, Arc<Terms>);

impl Api {
    pub(in crate::api) async fn registration(
        &self,
        caller: Caller,
        r: GetRegistrationRequest,
    ) -> Result<proto::Registration, Status> {
        let mut fields = Fields::default();
        let full = full(&mut fields, r.view);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let full = fields.finish(full).map_err(status::fields)?;
        let mut shown = self.shown(&named, full).await?;
        if named.acting.is_staff() {
            self.unlink(caller, [&mut shown]).await?;
        }
        Ok(shown)
    }

    async fn shown(&self, named: &Named, full: bool) -> Result<proto::Registration, Status> {
        let event = named.name.event;
        let looked = self.look(event, |view| looked(view, named.number, named.for_staff)).await?;
        let Some((basic, standing, terms)) = looked else {
            return Err(status::registration_not_found(&names::registration(event, named.name.id)));
        };
        if named.is_hidden() {
            return Ok(to_proto::registration::taken(basic));
        }
        if !full {
            return Ok(basic);
        }
        let rows = self.desk.store().parties(&named.reach, event, &[named.number]).await.map_err(status::storage)?;
        match rows.first() {
            Some(row) => {
                let party = named.sight.of(&standing, read_party(row)?);
                Ok(to_proto::registration::with_party(basic, &terms, &standing, party, self.desk.keys()))
            }
            None => Ok(basic),
        }
    }

    pub(in crate::api) async fn explain(
        &self,
        caller: Caller,
        r: ExplainRegistrationRequest,
    ) -> Result<ExplainRegistrationResponse, Status> {
        let mut fields = Fields::default();
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let (event, number) = (named.name.event, named.number);
        let for_staff = named.for_staff;
        let now = self.desk.clock().now();
        let seen = self.look(event, |view| {
            let steps = steps(view, number);
            let explained = to_proto::explain::explanation(view.roster, number, now, for_staff);
            explained.map(|e| (e, steps, Arc::clone(&view.roster.terms)))
        });
        let Some((mut answer, mut steps, terms)) = seen.await? else {
            return Err(status::registration_not_found(&names::registration(event, named.name.id)));
        };
        steps.drain(..steps.len().saturating_sub(STEPS_MAX));
        let entries = self.desk.store().journal_entries(event, &steps).await.map_err(status::storage)?;
        answer.steps = to_proto::explain::steps(&entries, number, &terms, for_staff);
        // A sign-up is one entry and two steps.
        let too_many = answer.steps.len().saturating_sub(STEPS_MAX);
        answer.steps.drain(..too_many);
        Ok(answer)
    }
}

/// Whether everything is asked for.
pub(super) fn full(fields: &mut Fields, view: i32) -> bool {
    match fields.word(Path::Top("view"), view) {
        Some(RegistrationView::Full) => true,
        None | Some(RegistrationView::Unspecified | RegistrationView::Basic) => false,
    }
}

pub(super) fn looked(view: &View<'_>, number: Number, for_staff: bool) -> Option<Looked> {
    let s = view.roster.standing(number)?;
    let basic = to_proto::registration::basic(view.roster, s, for_staff);
    Some((basic, s.clone(), Arc::clone(&view.roster.terms)))
}
