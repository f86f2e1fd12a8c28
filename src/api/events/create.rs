//! CreateEvent.

use crate::admission::{Change as Happened, Entry, Roster};
use crate::api::admin::not_stored;
use crate::api::caller::Caller;
use crate::api::from_proto::admin::home_zone;
use crate::api::from_proto::event::Defaults;
use crate::api::from_proto::{Fields, Path, names as parse};
use crate::api::proto::{self, CreateEventRequest};
use crate::api::repeat::again;
use crate::api::request::{Asked, Change};
use crate::api::to_proto::{self, names};
use crate::api::{Api, status};
use crate::model::centre::{Centre, Programme};
use crate::model::event::Event;
use crate::model::id::{CentreId, EventId};
use crate::model::registration::ActorKind;
use crate::storage::Stored;
use std::sync::Arc;
use tonic::Status;

impl Api {
    pub(super) async fn open_event(&self, caller: Caller, mut r: CreateEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(CreateEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let answer = self.new_event(caller, fields, &asked, r).await;
        self.unless_answered(&asked, asked.open(caller, self.desk.keys(), &()), answer).await
    }

    async fn new_event(
        &self,
        caller: Caller,
        mut fields: Fields,
        asked: &Asked,
        r: CreateEventRequest,
    ) -> Result<proto::Event, Status> {
        let id = fields.chosen_event_id(Path::Top("event_id"), &r.event_id);
        let given = fields.message(Path::Top("event"), r.event);
        let centre_id = fields.centre_name(Path::Top("event.centre"), &given.centre);
        let centre = self.known_centre(centre_id.as_ref()).await?;
        let programme = self.known_programme(&given.programme).await?;
        let names = (given.centre.clone(), given.programme.clone());
        let parts = fields.event(given, &at_creation(centre.as_ref(), programme.as_ref()), None);
        let (parts, centre_id) = fields.finish((parts, centre_id)).map_err(status::fields)?;
        let (Some(_), Some(centre_id)) = (centre, centre_id) else {
            return Err(status::centre_not_found(&names.0));
        };
        if programme.is_none() && parts.programme.is_some() {
            return Err(status::programme_not_found(&names.1));
        }
        let now = self.desk.clock().now();
        let event = Event {
            id,
            centre: centre_id,
            programme: parts.programme,
            details: parts.details,
            terms: Arc::new(parts.terms),
            version: 1,
            created_at: now,
            updated_at: now,
            cancel_reason: String::new(),
        };
        self.store_event(caller, event, asked).await
    }

    /// Stores a new event with the first entry of its journal, and answers it.
    pub(super) async fn store_event(
        &self,
        caller: Caller,
        event: Event,
        asked: &Asked,
    ) -> Result<proto::Event, Status> {
        let roster = Roster::new(event.id, Arc::clone(&event.terms), event.created_at);
        let mut answer = to_proto::event::event(&event, &roster);
        if asked.validate_only {
            if self.event_exists(event.id).await? {
                return Err(status::already_exists("event", &names::event(event.id)));
            }
            answer.name.clear();
            return Ok(answer);
        }
        let entry = Entry {
            number: 1,
            at: event.created_at,
            actor: ActorKind::Staff,
            policy: event.terms.policy.version,
            seats: 0,
            change: Happened::EventCreated { terms: Arc::clone(&event.terms) },
            cleared: Vec::new(),
        };
        let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
        let name = names::event(event.id);
        match self.write(async move { store.create_event(&event, &entry, &open).await }).await? {
            Stored::Created => Ok(answer),
            Stored::Replayed(first) => again(&first),
            other => Err(not_stored(other, "event", &name, asked)),
        }
    }

    async fn event_exists(&self, id: EventId) -> Result<bool, Status> {
        match self.desk.read(id, |_| ()).await {
            Ok(()) => Ok(true),
            Err(crate::desk::DeskError::EventNotFound) => Ok(false),
            Err(error) => Err(status::desk(error, &status::About::event("", id))),
        }
    }

    /// The centre, where there is one of that id.
    pub(super) async fn known_centre(&self, id: Option<&CentreId>) -> Result<Option<Centre>, Status> {
        match id {
            Some(id) => self.desk.store().centre(id).await.map_err(status::storage),
            None => Ok(None),
        }
    }

    /// The programme, where there is one of that name.
    pub(super) async fn known_programme(&self, name: &str) -> Result<Option<Programme>, Status> {
        match parse::programme(name) {
            Some(id) => self.desk.store().programme(&id).await.map_err(status::storage),
            None => Ok(None),
        }
    }
}

/// What stands for fields left out at creation: the centre's and the programme's.
fn at_creation(centre: Option<&Centre>, programme: Option<&Programme>) -> Defaults {
    Defaults {
        zone: centre.map_or_else(home_zone, |c| c.time_zone.clone()),
        municipality_code: centre.map(|c| c.municipality_code.clone()).unwrap_or_default(),
        languages: centre.map(|c| c.languages.clone()).unwrap_or_default(),
        kind: programme.map(|p| p.kind),
        project_code: programme.map(|p| p.project_code.clone()).unwrap_or_default(),
        attendance_rule: programme.and_then(|p| p.attendance_rule),
    }
}
