//! RegistrationService: sign-ups and the waiting line. Each handful of rpcs stands in a file of its own under
//! `registrations/`; the streams in `watch`.

mod amend;
mod change;
mod decisions;
mod list;
mod look;
mod persons;
mod replay;
mod sign_up;
mod transfer;

pub(super) use amend::read_party;
pub(super) use sign_up::{papers, this_year};

use super::Api;
use super::caller::Caller;
use super::proto::*;
use super::watch::Messages;
use std::pin::Pin;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// The answers that are a registration and nothing else.
macro_rules! with_registration {
    ($answer:ident, $registration:expr) => {
        Ok(Response::new($answer { registration: Some($registration) }))
    };
}

#[tonic::async_trait]
impl super::proto::registration_service_server::RegistrationService for Api {
    type WatchRegistrationStream = Messages<WatchRegistrationResponse>;
    type WatchEventStream = Messages<WatchEventResponse>;

    /// As the others, written out: the message is read before there is a future, which stays small.
    fn create_registration<'a, 'f>(
        &'a self,
        request: Request<CreateRegistrationRequest>,
    ) -> Pin<Box<dyn Future<Output = Answer<CreateRegistrationResponse>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        let caller = Caller::of(request.metadata());
        let read = self.read_sign_up(caller, request.into_inner());
        Box::pin(async move { self.sign_up(read).await.map(Response::new) })
    }

    async fn get_registration(&self, request: Request<GetRegistrationRequest>) -> Answer<GetRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(GetRegistrationResponse, self.registration(caller, request.into_inner()).await?)
    }

    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> Answer<ListRegistrationsResponse> {
        let caller = Caller::of(request.metadata());
        self.registrations(caller, request.into_inner()).await.map(Response::new)
    }

    async fn update_registration(
        &self,
        request: Request<UpdateRegistrationRequest>,
    ) -> Answer<UpdateRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(UpdateRegistrationResponse, self.amend(caller, request.into_inner()).await?)
    }

    async fn cancel_registration(
        &self,
        request: Request<CancelRegistrationRequest>,
    ) -> Answer<CancelRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(CancelRegistrationResponse, self.cancel(caller, request.into_inner()).await?)
    }

    async fn accept_offer(&self, request: Request<AcceptOfferRequest>) -> Answer<AcceptOfferResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(AcceptOfferResponse, self.accept(caller, request.into_inner()).await?)
    }

    async fn decline_offer(&self, request: Request<DeclineOfferRequest>) -> Answer<DeclineOfferResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(DeclineOfferResponse, self.decline(caller, request.into_inner()).await?)
    }

    async fn approve_registration(
        &self,
        request: Request<ApproveRegistrationRequest>,
    ) -> Answer<ApproveRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(ApproveRegistrationResponse, self.approve(caller, request.into_inner()).await?)
    }

    async fn reject_registration(
        &self,
        request: Request<RejectRegistrationRequest>,
    ) -> Answer<RejectRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(RejectRegistrationResponse, self.reject(caller, request.into_inner()).await?)
    }

    async fn set_registration_class(
        &self,
        request: Request<SetRegistrationClassRequest>,
    ) -> Answer<SetRegistrationClassResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(SetRegistrationClassResponse, self.set_class(caller, request.into_inner()).await?)
    }

    async fn promote_registration(
        &self,
        request: Request<PromoteRegistrationRequest>,
    ) -> Answer<PromoteRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        with_registration!(PromoteRegistrationResponse, self.promote(caller, request.into_inner()).await?)
    }

    async fn transfer_registration(
        &self,
        request: Request<TransferRegistrationRequest>,
    ) -> Answer<TransferRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        self.transfer(caller, request.into_inner()).await.map(Response::new)
    }

    async fn explain_registration(
        &self,
        request: Request<ExplainRegistrationRequest>,
    ) -> Answer<ExplainRegistrationResponse> {
        let caller = Caller::of(request.metadata());
        self.explain(caller, request.into_inner()).await.map(Response::new)
    }

    async fn watch_registration(
        &self,
        request: Request<WatchRegistrationRequest>,
    ) -> Answer<Self::WatchRegistrationStream> {
        let caller = Caller::of(request.metadata());
        self.follow_registration(caller, request.into_inner()).await.map(Response::new)
    }

    async fn watch_event(&self, request: Request<WatchEventRequest>) -> Answer<Self::WatchEventStream> {
        let caller = Caller::of(request.metadata());
        self.follow_event(caller, request.into_inner()).await.map(Response::new)
    }
}
