//! What all changes share: a request id, the fingerprint of what is asked under it, and perhaps the wish to
//! try it out only.

use super::caller::Caller;
use super::from_proto::Fields;
use super::proto;
use super::status::About;
use crate::admission::Request;
use crate::keys::Keys;
use crate::model::id::{EventId, RegistrationId};
use crate::storage::OpenRequest;
use uuid::Uuid;

/// A message that changes something.
pub trait Change: prost::Message {
    const METHOD: &'static str;
    /// Takes the request id out of the message.
    fn take_request_id(&mut self) -> String;
    /// Takes the wish to change nothing out of the message.
    fn take_validate_only(&mut self) -> bool;
}

/// A change as it was asked for.
#[derive(Clone, Copy)]
pub struct Asked {
    pub method: &'static str,
    pub request_id: Uuid,
    pub validate_only: bool,
    fingerprint: u64,
}

impl Asked {
    /// Reads what all changes share. The fingerprint is of everything else in the message, whether it is
    /// tried out or meant.
    pub fn of<C: Change>(message: &mut C, keys: &Keys, fields: &mut Fields) -> Self {
        let request_id = fields.request_id(&message.take_request_id());
        let validate_only = message.take_validate_only();
        let fingerprint = keys.fingerprint(C::METHOD, request_id, &message.encode_to_vec());
        Self { method: C::METHOD, request_id, validate_only, fingerprint }
    }

    /// The request, counted within an event.
    pub fn within(&self, event: EventId, keys: &Keys) -> Request {
        let key = keys.request_key(&scope(event), self.request_id);
        Request { key, fingerprint: self.fingerprint }
    }

    /// The request, counted within a caller and method.
    /// With what is answered if it is done now.
    pub fn open(&self, caller: Caller, keys: &Keys, answer: &impl prost::Message) -> OpenRequest {
        let scope = format!("{}/{}", caller.scope(), self.method);
        let key = keys.request_key(&scope, self.request_id);
        OpenRequest { key, fingerprint: self.fingerprint, answer: answer.encode_to_vec() }
    }

    /// What a no to this request is about.
    pub fn about(&self, event: EventId) -> About<'static> {
        About { request_id: self.request_id, ..About::event(self.method, event) }
    }

    pub fn about_registration(&self, event: EventId, id: RegistrationId) -> About<'static> {
        About { registration: Some(id), ..self.about(event) }
    }
}

/// The scope of the request ids of one event.
pub fn scope(event: EventId) -> String {
    event.0.as_hyphenated().to_string()
}

/// Names the messages that change something; those after the bar can be tried out.
macro_rules! changes {
    ($($always:ident $always_method:literal),* ; $($tried:ident $tried_method:literal),*) => {
        $(impl Change for proto::$always {
            const METHOD: &'static str = $always_method;
            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }
            fn take_validate_only(&mut self) -> bool {
                false
            }
        })*
        $(impl Change for proto::$tried {
            const METHOD: &'static str = $tried_method;
            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }
            fn take_validate_only(&mut self) -> bool {
                std::mem::take(&mut self.validate_only)
            }
        })*
    };
}

changes! {
    CheckInRequest "CheckIn",
    CreateAccessKeyRequest "CreateAccessKey",
    RotateAccessKeyRequest "RotateAccessKey",
    RevokeAccessKeyRequest "RevokeAccessKey",
    CreateReportRequest "CreateReport",
    EraseDueRequest "EraseDue",
    MergePersonsRequest "MergePersons",
    UndoMergeRequest "UndoMerge",
    LinkFamilyRequest "LinkFamily",
    RecordFormRequest "RecordForm",
    CompleteEventRequest "CompleteEvent",
    CopyEventRequest "CopyEvent",
    CancelRegistrationRequest "CancelRegistration",
    AcceptOfferRequest "AcceptOffer",
    DeclineOfferRequest "DeclineOffer",
    ApproveRegistrationRequest "ApproveRegistration",
    RejectRegistrationRequest "RejectRegistration";
    CreateCentreRequest "CreateCentre",
    UpdateCentreRequest "UpdateCentre",
    CreateProgrammeRequest "CreateProgramme",
    UpdateProgrammeRequest "UpdateProgramme",
    CreateEventRequest "CreateEvent",
    UpdateEventRequest "UpdateEvent",
    PublishEventRequest "PublishEvent",
    CancelEventRequest "CancelEvent",
    MoveSessionRequest "MoveSession",
    CancelSessionRequest "CancelSession",
    CreateRegistrationRequest "CreateRegistration",
    UpdateRegistrationRequest "UpdateRegistration",
    EraseRegistrationRequest "EraseRegistration",
    RestrictRegistrationRequest "RestrictRegistration",
    LiftRegistrationRestrictionRequest "LiftRegistrationRestriction",
    SetRegistrationConsentsRequest "SetRegistrationConsents",
    SetRegistrationClassRequest "SetRegistrationClass",
    PromoteRegistrationRequest "PromoteRegistration",
    TransferRegistrationRequest "TransferRegistration",
    RecordAttendanceRequest "RecordAttendance",
    RecordHeadCountRequest "RecordHeadCount",
    AddWalkInRequest "AddWalkIn"
}
