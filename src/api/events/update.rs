//! UpdateEvent: the stored event with the named fields laid over it is read anew as a whole, and becomes one
//! command of the desk, guarded by the version it was made from.

use super::sessions::{MeetingEdit, keep_reasons};
use crate::admission::{Command, Refusal, Verb};
use crate::api::caller::Caller;
use crate::api::from_proto::event::{Defaults, EVENT_FIELDS, EventParts, overlay_event};
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{self, UpdateEventRequest};
use crate::api::repeat::event_answer;
use crate::api::request::{Asked, Change};
use crate::api::status::About;
use crate::api::to_proto;
use crate::api::{Api, status};
use crate::desk::{DeskError, EventPapers, Job, Papers};
use crate::model::event::{Event, EventState, Sensitivity, Terms};
use crate::model::id::{CentreId, EventId};
use std::sync::Arc;
use tonic::Status;

/// How often an update without an etag is laid over what others wrote in between.
const TRIES: u32 = 5;

/// An update, read.
pub(super) struct Update {
    pub asked: Asked,
    pub id: EventId,
    pub edit: Edit,
    pub etag: Option<u64>,
}

/// What is laid over the stored event.
pub(super) enum Edit {
    Fields { given: Box<proto::Event>, mask: Vec<&'static str> },
    Meeting(MeetingEdit),
}

/// The stored event that an update is laid over.
struct Stored {
    event: proto::Event,
    centre: CentreId,
    terms: Arc<Terms>,
    version: u64,
    /// Of an event that people may have signed up for.
    promised: Option<Sensitivity>,
}

impl Api {
    pub(super) async fn change_event(&self, caller: Caller, mut r: UpdateEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(UpdateEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let mask = fields.mask(r.update_mask, EVENT_FIELDS);
        let given = fields.message(Path::Top("event"), r.event);
        let id = fields.event_name(Path::Top("event.name"), &given.name);
        let etag = fields.etag(Path::Top("event.etag"), &given.etag);
        let id = fields.finish(id.unwrap_or_default()).map_err(status::fields)?;
        let edit = Edit::Fields { given: Box::new(given), mask };
        self.updated(caller, Update { asked, id, edit, etag }).await
    }

    pub(super) async fn updated(&self, caller: Caller, update: Update) -> Result<proto::Event, Status> {
        let answer = self.lay_over(caller, &update).await;
        self.unless_event_answered(&update.asked, update.id, answer).await
    }

    async fn lay_over(&self, caller: Caller, update: &Update) -> Result<proto::Event, Status> {
        for _ in 0..TRIES {
            let stored = self.stored_event(update.id).await?;
            let job = self.update_job(caller, update, stored).await?;
            match self.decide_event(&update.asked, job).await {
                Err(DeskError::Refused(refusal, _))
                    if update.etag.is_none() && matches!(*refusal, Refusal::EtagMismatch { .. }) => {}
                Err(error) => {
                    let about = About { session_id: update.session_id(), ..update.asked.about(update.id) };
                    return Err(self.no(error, &about).await);
                }
                Ok(event) => return Ok(event),
            }
        }
        Err(status::overloaded())
    }

    async fn stored_event(&self, id: EventId) -> Result<Stored, Status> {
        self.look(id, |view| Stored {
            event: to_proto::event::event(view.event, view.roster),
            centre: view.event.centre.clone(),
            terms: Arc::clone(&view.roster.terms),
            version: view.roster.version,
            promised: view.event.details.sensitivity.clone().filter(|_| view.roster.state != EventState::Draft),
        })
        .await
    }

    /// The command that makes the event what the update says.
    async fn update_job(&self, caller: Caller, update: &Update, stored: Stored) -> Result<Job, Status> {
        let mut whole = stored.event;
        let meeting = match &update.edit {
            Edit::Fields { given, mask } => {
                overlay_event(&mut whole, given, mask);
                None
            }
            Edit::Meeting(edit) => {
                edit.lay(&update.asked.about(update.id), &mut whole, &stored.terms)?;
                Some(edit.clone())
            }
        };
        let centre = self.known_centre(Some(&stored.centre)).await?;
        let mut fields = Fields::default();
        let defaults = Defaults {
            zone: centre.as_ref().map_or_else(|| stored.terms.zone.clone(), |c| c.time_zone.clone()),
            municipality_code: centre.as_ref().map(|c| c.municipality_code.clone()).unwrap_or_default(),
            languages: centre.map(|c| c.languages).unwrap_or_default(),
            kind: None,
            project_code: String::new(),
            attendance_rule: None,
        };
        let parts = fields.event(whole, &defaults, Some(&stored.terms));
        let parts = fields.finish(parts).map_err(status::fields)?;
        if let Edit::Fields { given, mask } = &update.edit
            && mask.contains(&"programme")
            && parts.programme.is_some()
            && self.known_programme(&given.programme).await?.is_none()
        {
            return Err(status::programme_not_found(&given.programme));
        }
        let EventParts { programme, details, mut terms } = parts;
        if let Some(promised) = &stored.promised
            && !details.sensitivity.as_ref().is_some_and(|now| now.keeps(promised))
        {
            return Err(status::sensitivity_kept(update.id));
        }
        if let Some(edit) = &meeting {
            edit.call_off(&mut terms);
        }
        let terms = (terms != *stored.terms).then(|| Arc::new(terms));
        let edit = move |event: &mut Event| {
            let before = std::mem::take(&mut event.details.sessions);
            event.programme = programme.clone();
            event.details = details.clone();
            keep_reasons(&mut event.details.sessions, &before, meeting.as_ref());
        };
        let if_version = Some(update.etag.unwrap_or(stored.version));
        let request = Some(update.asked.within(update.id, self.desk.keys()));
        Ok(Job {
            event: update.id,
            command: Command { actor: caller.actor(), request, verb: Verb::UpdateEvent { terms, if_version } },
            papers: Papers::Event(EventPapers {
                edit: Some(Arc::new(edit)),
                answer: Some(event_answer()),
                if_version: None,
            }),
            borne: None,
        })
    }

    /// Hands a change of an event in, or tries it out, and answers the event as it is right after it.
    pub(super) async fn decide_event(&self, asked: &Asked, job: Job) -> Result<proto::Event, DeskError> {
        let id = job.event;
        if asked.validate_only {
            return self.desk.try_out(job, |_, view| to_proto::event::event(view.event, view.roster)).await;
        }
        let done = self.desk.submit(job).await?;
        self.rules.forget(id);
        self.event_as_first_answered(asked, id, done).await
    }
}

impl Update {
    fn session_id(&self) -> &str {
        match &self.edit {
            Edit::Fields { .. } => "",
            Edit::Meeting(edit) => edit.session_id(),
        }
    }
}
