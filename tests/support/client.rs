//! A client of the whole service: the generated one over a real connection, with answers in the tests'
//! words. A refusal is a value: its code, its reason and the facts beside it.

mod sessions;

use super::words::Request;
use eile::api::proto as pb;
use pb::admin_service_client::AdminServiceClient;
use pb::attendance_service_client::AttendanceServiceClient;
use pb::change_service_client::ChangeServiceClient;
use pb::event_service_client::EventServiceClient;
use pb::registration_service_client::RegistrationServiceClient;
use std::collections::BTreeMap;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use uuid::Uuid;

/// A call's way to the service.
pub type Wire = InterceptedService<Channel, Vouching>;

/// Whether the caller answers for the contacts that it hands in: staff do, a public portal does not.
#[derive(Clone, Copy)]
pub struct Vouching(bool);

impl Interceptor for Vouching {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        if !self.0 {
            request.metadata_mut().insert("eile-vouches", tonic::metadata::MetadataValue::from_static("no"));
        }
        Ok(request)
    }
}

/// A no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: tonic::Code,
    pub reason: String,
    pub facts: BTreeMap<String, String>,
}

impl From<tonic::Status> for Refused {
    fn from(status: tonic::Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        Self {
            code: status.code(),
            reason: info.map(|i| i.reason.clone()).unwrap_or_else(|| format!("no reason: {status}")),
            facts: info.map(|i| i.metadata.clone().into_iter().collect()).unwrap_or_default(),
        }
    }
}

pub type Answer<T> = Result<T, Refused>;

/// A party that was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedUp {
    pub name: String,
    pub token: String,
    pub first: pb::Registration,
}

/// One connection to one instance.
#[derive(Clone)]
pub struct Client {
    admin: AdminServiceClient<Wire>,
    events: EventServiceClient<Wire>,
    registrations: RegistrationServiceClient<Wire>,
    attendance: AttendanceServiceClient<Wire>,
    changes: ChangeServiceClient<Wire>,
    channel: Channel,
}

impl Client {
    pub async fn connect(address: std::net::SocketAddr) -> Self {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self::over(endpoint.tcp_nodelay(true).connect().await.unwrap(), true)
    }

    fn over(channel: Channel, vouches: bool) -> Self {
        let wire = Vouching(vouches);
        Self {
            admin: AdminServiceClient::with_interceptor(channel.clone(), wire),
            events: EventServiceClient::with_interceptor(channel.clone(), wire),
            registrations: RegistrationServiceClient::with_interceptor(channel.clone(), wire),
            attendance: AttendanceServiceClient::with_interceptor(channel.clone(), wire),
            changes: ChangeServiceClient::with_interceptor(channel.clone(), wire),
            channel,
        }
    }

    /// The same connection in the hands of a public portal, which cannot vouch for its callers.
    pub fn portal(&self) -> Self {
        Self::over(self.channel.clone(), false)
    }

    pub async fn open_centre(&self, id: &str, name: &str, municipality: &str) -> Answer<pb::Centre> {
        let centre = pb::Centre {
            display_names: super::words::lithuanian(name),
            municipality_code: municipality.into(),
            ..Default::default()
        };
        let request = pb::CreateCentreRequest {
            centre: Some(centre),
            centre_id: id.into(),
            request_id: new_id(),
            validate_only: false,
        };
        Ok(self.admin.clone().create_centre(request).await?.into_inner().centre.unwrap())
    }

    /// Creates an event and leaves it a draft.
    pub async fn draft(&self, event: pb::Event) -> Answer<pb::Event> {
        let request = pb::CreateEventRequest {
            event: Some(event),
            event_id: String::new(),
            request_id: new_id(),
            validate_only: false,
        };
        Ok(self.events.clone().create_event(request).await?.into_inner().event.unwrap())
    }

    /// Creates an event and publishes it.
    pub async fn publish(&self, event: pb::Event) -> pb::Event {
        let draft = self.draft(event).await.unwrap();
        self.publish_draft(&draft.name).await.unwrap()
    }

    pub async fn publish_draft(&self, name: &str) -> Answer<pb::Event> {
        let request = pb::PublishEventRequest { name: name.into(), request_id: new_id(), ..Default::default() };
        Ok(self.events.clone().publish_event(request).await?.into_inner().event.unwrap())
    }

    pub async fn event(&self, name: &str) -> pb::Event {
        let request = pb::GetEventRequest { name: name.into() };
        self.events.clone().get_event(request).await.unwrap().into_inner().event.unwrap()
    }

    pub async fn counts(&self, name: &str) -> pb::EventCounts {
        self.event(name).await.counts.unwrap()
    }

    /// Replaces the named fields of an event.
    pub async fn update_event(&self, event: pb::Event, fields: &[&str]) -> Answer<pb::Event> {
        self.update_event_as(event, fields, &new_id()).await
    }

    pub async fn update_event_as(&self, event: pb::Event, fields: &[&str], request_id: &str) -> Answer<pb::Event> {
        let request = pb::UpdateEventRequest {
            event: Some(event),
            update_mask: Some(super::words::mask(fields)),
            request_id: request_id.into(),
            validate_only: false,
        };
        Ok(self.events.clone().update_event(request).await?.into_inner().event.unwrap())
    }

    /// Sets the seats of the event's pool of that name.
    pub async fn set_capacity(&self, event: &str, pool: &str, seats: i32, request_id: &str) -> Answer<pb::Event> {
        let mut event = self.event(event).await;
        event.etag.clear();
        event.seat_pools.iter_mut().find(|p| p.pool_id == pool).unwrap().capacity = Some(seats);
        self.update_event_as(event, &["seat_pools"], request_id).await
    }

    pub async fn cancel_event(&self, name: &str, reason: &str) -> Answer<pb::Event> {
        let request = pb::CancelEventRequest {
            name: name.into(),
            reason: reason.into(),
            request_id: new_id(),
            ..Default::default()
        };
        Ok(self.events.clone().cancel_event(request).await?.into_inner().event.unwrap())
    }

    /// Copies an event to another first day.
    pub async fn copy_event(&self, name: &str, first_session_date: &str) -> Answer<pb::Event> {
        let request = pb::CopyEventRequest {
            name: name.into(),
            first_session_date: first_session_date.into(),
            request_id: new_id(),
            ..Default::default()
        };
        Ok(self.events.clone().copy_event(request).await?.into_inner().event.unwrap())
    }

    /// Signs a party up under a new request id.
    pub async fn sign_up(&self, event: &str, party: pb::Registration) -> Answer<SignedUp> {
        self.sign_up_as(event, party, &new_id()).await
    }

    /// Signs a party up under this request id.
    pub async fn sign_up_as(&self, event: &str, party: pb::Registration, request_id: &str) -> Answer<SignedUp> {
        let request = pb::CreateRegistrationRequest {
            parent: event.into(),
            registration: Some(party),
            request_id: request_id.into(),
            ..Default::default()
        };
        let answer = self.registrations.clone().create_registration(request).await?.into_inner();
        let first = answer.registration.unwrap();
        Ok(SignedUp { name: first.name.clone(), token: answer.management_token, first })
    }

    pub async fn get(&self, name: &str) -> Answer<pb::Registration> {
        self.look(name, pb::RegistrationView::Basic, "").await
    }

    pub async fn get_in_full(&self, name: &str) -> Answer<pb::Registration> {
        self.look(name, pb::RegistrationView::Full, "").await
    }

    /// What the party sees with its own token.
    pub async fn get_as_party(&self, party: &SignedUp) -> Answer<pb::Registration> {
        self.look(&party.name, pb::RegistrationView::Basic, &party.token).await
    }

    async fn look(&self, name: &str, view: pb::RegistrationView, token: &str) -> Answer<pb::Registration> {
        let request =
            pb::GetRegistrationRequest { name: name.into(), view: view as i32, management_token: token.into() };
        Ok(self.registrations.clone().get_registration(request).await?.into_inner().registration.unwrap())
    }

    /// All registrations of an event, page by page.
    pub async fn list(&self, event: &str, filter: &str, order_by: &str) -> Vec<pb::Registration> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListRegistrationsRequest {
                parent: event.into(),
                page_size: 40,
                page_token,
                filter: filter.into(),
                order_by: order_by.into(),
                view: pb::RegistrationView::Full as i32,
            };
            let page = self.registrations.clone().list_registrations(request).await.unwrap().into_inner();
            all.extend(page.registrations);
            if page.next_page_token.is_empty() {
                return all;
            }
            page_token = page.next_page_token;
        }
    }

    /// Replaces the named fields of a registration.
    pub async fn amend(
        &self,
        registration: pb::Registration,
        fields: &[&str],
        ask: &Request,
    ) -> Answer<pb::Registration> {
        let request = pb::UpdateRegistrationRequest {
            registration: Some(registration),
            update_mask: Some(super::words::mask(fields)),
            request_id: ask.id.clone(),
            validate_only: false,
            management_token: ask.token.clone(),
        };
        Ok(self.registrations.clone().update_registration(request).await?.into_inner().registration.unwrap())
    }

    pub async fn cancel(&self, name: &str, ask: &Request) -> Answer<pb::Registration> {
        let request = pb::CancelRegistrationRequest {
            name: name.into(),
            reason: pb::CancelReason::CannotCome as i32,
            request_id: ask.id.clone(),
            management_token: ask.token.clone(),
        };
        Ok(self.registrations.clone().cancel_registration(request).await?.into_inner().registration.unwrap())
    }

    pub async fn accept(&self, name: &str, ask: &Request) -> Answer<pb::Registration> {
        let request = pb::AcceptOfferRequest {
            name: name.into(),
            request_id: ask.id.clone(),
            management_token: ask.token.clone(),
        };
        Ok(self.registrations.clone().accept_offer(request).await?.into_inner().registration.unwrap())
    }

    pub async fn decline(&self, name: &str, ask: &Request) -> Answer<pb::Registration> {
        let request = pb::DeclineOfferRequest {
            name: name.into(),
            reason: pb::CancelReason::CannotCome as i32,
            request_id: ask.id.clone(),
            management_token: ask.token.clone(),
        };
        Ok(self.registrations.clone().decline_offer(request).await?.into_inner().registration.unwrap())
    }

    pub async fn set_class(&self, name: &str, class: &str, reason: &str, ask: &Request) -> Answer<pb::Registration> {
        let request = pb::SetRegistrationClassRequest {
            name: name.into(),
            class: class.into(),
            reason: reason.into(),
            request_id: ask.id.clone(),
            validate_only: false,
        };
        Ok(self.registrations.clone().set_registration_class(request).await?.into_inner().registration.unwrap())
    }

    pub async fn promote(&self, name: &str, reason: &str, ask: &Request) -> Answer<pb::Registration> {
        let request = pb::PromoteRegistrationRequest {
            name: name.into(),
            pool_id: String::new(),
            reason: reason.into(),
            request_id: ask.id.clone(),
            validate_only: false,
        };
        Ok(self.registrations.clone().promote_registration(request).await?.into_inner().registration.unwrap())
    }

    /// Moves a registration to another event: the new one, the old one and the new one's token.
    pub async fn transfer(&self, name: &str, to: &str, ask: &Request) -> Answer<(SignedUp, pb::Registration)> {
        let request = pb::TransferRegistrationRequest {
            name: name.into(),
            target_event: to.into(),
            request_id: ask.id.clone(),
            management_token: ask.token.clone(),
            ..Default::default()
        };
        let answer = self.registrations.clone().transfer_registration(request).await?.into_inner();
        let first = answer.registration.unwrap();
        let new = SignedUp { name: first.name.clone(), token: answer.management_token, first };
        Ok((new, answer.source.unwrap()))
    }

    pub async fn explain(&self, name: &str, token: &str) -> Answer<pb::ExplainRegistrationResponse> {
        let request = pb::ExplainRegistrationRequest { name: name.into(), management_token: token.into() };
        Ok(self.registrations.clone().explain_registration(request).await?.into_inner())
    }

    pub async fn watch_event(&self, name: &str) -> tonic::Streaming<pb::WatchEventResponse> {
        let request = pb::WatchEventRequest { name: name.into() };
        self.registrations.clone().watch_event(request).await.unwrap().into_inner()
    }

    /// Follows the change feed from a cursor on; empty: from the beginning.
    pub async fn follow(&self, cursor: &str) -> Answer<tonic::Streaming<pb::WatchChangesResponse>> {
        let start = Some(pb::ChangeStart { cursor: cursor.into(), ..Default::default() });
        let request = pb::WatchChangesRequest { start, filter: None };
        Ok(self.changes.clone().watch_changes(request).await?.into_inner())
    }

    /// One page of the change feed behind a cursor.
    pub async fn changes(&self, cursor: &str, size: i32) -> Answer<pb::ListChangesResponse> {
        let start = Some(pb::ChangeStart { cursor: cursor.into(), ..Default::default() });
        let request = pb::ListChangesRequest { start, page_size: size, filter: None };
        Ok(self.changes.clone().list_changes(request).await?.into_inner())
    }

    pub async fn watch(&self, party: &SignedUp) -> tonic::Streaming<pb::WatchRegistrationResponse> {
        let request = pb::WatchRegistrationRequest { name: party.name.clone(), management_token: party.token.clone() };
        self.registrations.clone().watch_registration(request).await.unwrap().into_inner()
    }
}

pub fn new_id() -> String {
    Uuid::new_v4().to_string()
}
