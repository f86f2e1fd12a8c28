//! What is asked around sessions: who came to them, and when they are.

use super::{Answer, Client, SignedUp, new_id};
use eile::api::proto as pb;

impl Client {
    /// Enters a list of who came to a session.
    pub async fn record(
        &self,
        event: &str,
        session_id: &str,
        marks: Vec<pb::MarkEntry>,
    ) -> Answer<pb::RecordAttendanceResponse> {
        self.record_as(event, session_id, marks, &new_id()).await
    }

    pub async fn record_as(
        &self,
        event: &str,
        session_id: &str,
        marks: Vec<pb::MarkEntry>,
        request_id: &str,
    ) -> Answer<pb::RecordAttendanceResponse> {
        let request = pb::RecordAttendanceRequest {
            parent: event.into(),
            session_id: session_id.into(),
            marks,
            request_id: request_id.into(),
            ..Default::default()
        };
        Ok(self.attendance.clone().record_attendance(request).await?.into_inner())
    }

    /// A scan at the door.
    pub async fn check_in(&self, scan: pb::CheckInRequest) -> Answer<pb::CheckInResponse> {
        Ok(self.attendance.clone().check_in(scan).await?.into_inner())
    }

    /// Takes in somebody who is on no list.
    pub async fn walk_in(&self, event: &str, session_id: &str, party: pb::Registration) -> Answer<SignedUp> {
        self.walk_in_as(event, session_id, party, &new_id()).await
    }

    pub async fn walk_in_as(
        &self,
        event: &str,
        session_id: &str,
        party: pb::Registration,
        request_id: &str,
    ) -> Answer<SignedUp> {
        let request = pb::AddWalkInRequest {
            parent: event.into(),
            session_id: session_id.into(),
            registration: Some(party),
            request_id: request_id.into(),
            ..Default::default()
        };
        let answer = self.attendance.clone().add_walk_in(request).await?.into_inner();
        let first = answer.registration.unwrap();
        Ok(SignedUp { name: first.name.clone(), token: answer.management_token, first })
    }

    /// Writes down how many came, without names.
    pub async fn count_heads(&self, heads: pb::RecordHeadCountRequest) -> Answer<pb::RecordHeadCountResponse> {
        Ok(self.attendance.clone().record_head_count(heads).await?.into_inner())
    }

    /// Everything that is written down of who came to an event, with what it was before each correction.
    pub async fn attendance(&self, event: &str) -> pb::ListAttendanceResponse {
        let request = pb::ListAttendanceRequest {
            parent: event.into(),
            with_corrections: true,
            page_size: 500,
            ..Default::default()
        };
        self.attendance.clone().list_attendance(request).await.unwrap().into_inner()
    }

    pub async fn move_session(
        &self,
        event: &str,
        session_id: &str,
        (start_local, end_local): (&str, &str),
        request_id: &str,
    ) -> Answer<pb::Event> {
        let request = pb::MoveSessionRequest {
            name: event.into(),
            session_id: session_id.into(),
            start_local: start_local.into(),
            end_local: end_local.into(),
            request_id: request_id.into(),
            ..Default::default()
        };
        Ok(self.events.clone().move_session(request).await?.into_inner().event.unwrap())
    }

    pub async fn cancel_session(
        &self,
        event: &str,
        session_id: &str,
        reason: &str,
        request_id: &str,
    ) -> Answer<pb::Event> {
        let request = pb::CancelSessionRequest {
            name: event.into(),
            session_id: session_id.into(),
            reason: reason.into(),
            request_id: request_id.into(),
            ..Default::default()
        };
        Ok(self.events.clone().cancel_session(request).await?.into_inner().event.unwrap())
    }
}
