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
pub(super) use change::Named;
pub(super) use sign_up::{papers, this_year};

use super::Api;
use super::access_log::note_registration;
use super::proto::*;
use super::watch::LetIn;
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
    type WatchRegistrationStream = LetIn<WatchRegistrationResponse>;
    type WatchEventStream = LetIn<WatchEventResponse>;

    /// As the others, written out: the message is read before there is a future, which stays small.
    fn create_registration<'a, 'f>(
        &'a self,
        request: Request<CreateRegistrationRequest>,
    ) -> Pin<Box<dyn Future<Output = Answer<CreateRegistrationResponse>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        match self.admit_at_once(request) {
            Ok(admitted) => {
                let read = admitted.map(|(caller, r)| self.read_sign_up(caller, r));
                Box::pin(async move { self.sign_up(read?).await.map(Response::new) })
            }
            Err(request) => Box::pin(async move {
                let (caller, r, rows) = self.admit_noted(*request).await?;
                let answer = self.sign_up(self.read_sign_up(caller, r)).await?;
                note_registration(&rows, answer.registration.as_ref().map_or("", |made| &made.name));
                Ok(Response::new(answer))
            }),
        }
    }

    async fn get_registration(&self, request: Request<GetRegistrationRequest>) -> Answer<GetRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(GetRegistrationResponse, self.registration(caller, r).await?)
    }

    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> Answer<ListRegistrationsResponse> {
        let (caller, r) = self.admit(request).await?;
        self.registrations(caller, r).await.map(Response::new)
    }

    async fn update_registration(
        &self,
        request: Request<UpdateRegistrationRequest>,
    ) -> Answer<UpdateRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        self.amend(caller, r).await.map(Response::new)
    }

    async fn cancel_registration(
        &self,
        request: Request<CancelRegistrationRequest>,
    ) -> Answer<CancelRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(CancelRegistrationResponse, self.cancel(caller, r).await?)
    }

    async fn accept_offer(&self, request: Request<AcceptOfferRequest>) -> Answer<AcceptOfferResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(AcceptOfferResponse, self.accept(caller, r).await?)
    }

    async fn decline_offer(&self, request: Request<DeclineOfferRequest>) -> Answer<DeclineOfferResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(DeclineOfferResponse, self.decline(caller, r).await?)
    }

    async fn approve_registration(
        &self,
        request: Request<ApproveRegistrationRequest>,
    ) -> Answer<ApproveRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(ApproveRegistrationResponse, self.approve(caller, r).await?)
    }

    async fn reject_registration(
        &self,
        request: Request<RejectRegistrationRequest>,
    ) -> Answer<RejectRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(RejectRegistrationResponse, self.reject(caller, r).await?)
    }

    async fn set_registration_class(
        &self,
        request: Request<SetRegistrationClassRequest>,
    ) -> Answer<SetRegistrationClassResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(SetRegistrationClassResponse, self.set_class(caller, r).await?)
    }

    async fn promote_registration(
        &self,
        request: Request<PromoteRegistrationRequest>,
    ) -> Answer<PromoteRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        with_registration!(PromoteRegistrationResponse, self.promote(caller, r).await?)
    }

    async fn transfer_registration(
        &self,
        request: Request<TransferRegistrationRequest>,
    ) -> Answer<TransferRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        self.transfer(caller, r).await.map(Response::new)
    }

    async fn explain_registration(
        &self,
        request: Request<ExplainRegistrationRequest>,
    ) -> Answer<ExplainRegistrationResponse> {
        let (caller, r) = self.admit(request).await?;
        self.explain(caller, r).await.map(Response::new)
    }

    async fn watch_registration(
        &self,
        request: Request<WatchRegistrationRequest>,
    ) -> Answer<Self::WatchRegistrationStream> {
        let (caller, r) = self.admit(request).await?;
        let messages = self.follow_registration(caller, r).await?;
        Ok(Response::new(self.while_let_in(caller, messages)))
    }

    async fn watch_event(&self, request: Request<WatchEventRequest>) -> Answer<Self::WatchEventStream> {
        let (caller, r) = self.admit(request).await?;
        let messages = self.follow_event(caller, r).await?;
        Ok(Response::new(self.while_let_in(caller, messages)))
    }
}
