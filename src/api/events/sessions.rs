//! MoveSession and CancelSession: updates of an event that change one of its sessions.

use super::update::{Edit, Update};
use crate::admission::Refusal;
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path, slots};
use crate::api::proto::{self, CancelSessionRequest, MoveSessionRequest};
use crate::api::request::{Asked, Change};
use crate::api::status::{self, About, Facts};
use crate::model::event::{Session, Terms};
use tonic::Status;

/// What staff do with one session.
#[derive(Clone)]
pub(super) enum MeetingEdit {
    Move { session_id: String, start_local: String, end_local: String },
    CallOff { session_id: String, reason: String },
}

impl Api {
    pub(super) async fn move_meeting(&self, caller: Caller, mut r: MoveSessionRequest) -> Result<proto::Event, Status> {
        caller.staff_only(MoveSessionRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = fields.event_name(Path::Top("name"), &r.name).unwrap_or_default();
        let etag = fields.etag(Path::Top("etag"), &r.etag);
        let session_id = fields.session_id(Path::Top("session_id"), r.session_id);
        for (name, local) in [("start_local", &r.start_local), ("end_local", &r.end_local)] {
            // Which hours there are depends on the event's zone; how they are written does not.
            fields.local(Path::Top(name), local, &crate::model::time::Zone::utc());
        }
        fields.finish(()).map_err(status::fields)?;
        let edit = MeetingEdit::Move { session_id, start_local: r.start_local, end_local: r.end_local };
        self.updated(caller, Update { asked, id, edit: Edit::Meeting(edit), etag }).await
    }

    pub(super) async fn call_meeting_off(
        &self,
        caller: Caller,
        mut r: CancelSessionRequest,
    ) -> Result<proto::Event, Status> {
        caller.staff_only(CancelSessionRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = fields.event_name(Path::Top("name"), &r.name).unwrap_or_default();
        let etag = fields.etag(Path::Top("etag"), &r.etag);
        let session_id = fields.session_id(Path::Top("session_id"), r.session_id);
        let reason = fields.required_paragraph(Path::Top("reason"), r.reason, 500);
        fields.finish(()).map_err(status::fields)?;
        let edit = MeetingEdit::CallOff { session_id, reason };
        self.updated(caller, Update { asked, id, edit: Edit::Meeting(edit), etag }).await
    }
}

impl MeetingEdit {
    pub fn session_id(&self) -> &str {
        match self {
            MeetingEdit::Move { session_id, .. } | MeetingEdit::CallOff { session_id, .. } => session_id,
        }
    }

    /// Lays it over the event as it is stored. Sessions stay in order of their start.
    pub fn lay(&self, about: &About<'_>, event: &mut proto::Event, terms: &Terms) -> Result<(), Status> {
        let id = self.session_id();
        let about = About { session_id: id, ..About::event(about.method, about.event) };
        let refused = |refusal| status::refused(&refusal, &about, Some(terms), &Facts::default());
        let slot = terms.session(id).ok_or_else(|| refused(Refusal::SessionNotFound))?;
        if slot.cancelled {
            return Err(refused(Refusal::SessionCancelled));
        }
        let MeetingEdit::Move { start_local, end_local, .. } = self else { return Ok(()) };
        let mut fields = Fields::default();
        let start = fields.local(Path::Top("start_local"), start_local, &terms.zone);
        let end = fields.local(Path::Top("end_local"), end_local, &terms.zone);
        if start.zip(end).is_some_and(|((_, start), (_, end))| end <= start) {
            fields.refuse(Path::Top("end_local"), "must be after the start");
        }
        fields.finish(()).map_err(status::fields)?;
        for session in event.sessions.iter_mut().filter(|s| s.session_id == id) {
            session.start_local.clone_from(start_local);
            session.end_local.clone_from(end_local);
        }
        event.sessions.sort_by(|a, b| a.start_local.cmp(&b.start_local));
        Ok(())
    }

    /// Takes the session off the terms, where it is called off.
    pub fn call_off(&self, terms: &mut Terms) {
        let MeetingEdit::CallOff { session_id, .. } = self else { return };
        for slot in terms.sessions.iter_mut().filter(|slot| slot.id == *session_id) {
            slot.cancelled = true;
        }
        (terms.starts_at, terms.ends_at) = slots::bounds(&terms.sessions);
    }
}

/// What staff wrote of a session that they called off stays, whatever else changes.
pub(super) fn keep_reasons(sessions: &mut [Session], before: &[Session], edit: Option<&MeetingEdit>) {
    for session in sessions {
        if let Some(old) = before.iter().find(|old| old.id == session.id) {
            session.cancel_reason.clone_from(&old.cancel_reason);
        }
        if let Some(MeetingEdit::CallOff { session_id, reason }) = edit
            && *session_id == session.id
        {
            session.cancel_reason.clone_from(reason);
        }
    }
}
