//! What anybody may see of an event's seats: from memory for one, from its row for many.

use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    self, EventCounts, GetEventCountsRequest, GetEventCountsResponse, ListEventCountsRequest, ListEventCountsResponse,
    PublicCounts,
};
use crate::api::to_proto::{self, names};
use crate::api::{Api, status};
use crate::model::event::EventState;
use crate::model::id::EventId;
use tonic::Status;

impl Api {
    pub(super) async fn event_counts(
        &self,
        caller: Caller,
        r: GetEventCountsRequest,
    ) -> Result<GetEventCountsResponse, Status> {
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("event"), &r.event).unwrap_or_default();
        fields.finish(()).map_err(status::fields)?;
        let look = |view: &crate::desk::View<'_>| {
            let counts = to_proto::event::event_counts(view.roster);
            (public(event, &counts, view.roster.state, view.roster.journal_number), view.roster.state)
        };
        let (counts, state) = self.look(event, look).await?;
        // A draft is nobody's business but that of staff.
        if state == EventState::Draft && !caller.is_staff() {
            return Err(status::event_not_found(&r.event));
        }
        Ok(GetEventCountsResponse { counts: Some(counts) })
    }

    pub(super) async fn events_counts(
        &self,
        caller: Caller,
        r: ListEventCountsRequest,
    ) -> Result<ListEventCountsResponse, Status> {
        let ListEventCountsRequest { page_size, page_token, filter } = r;
        let listed = self.events(caller, proto::ListEventsRequest { page_size, page_token, filter }).await?;
        let told = |event: proto::Event| {
            let counts = event.counts.unwrap_or_default();
            PublicCounts { event: event.name, state: event.state, ..told(&counts, event.journal_number) }
        };
        let counts = listed.events.into_iter().map(told).collect();
        Ok(ListEventCountsResponse { counts, next_page_token: listed.next_page_token })
    }
}

fn public(event: EventId, counts: &EventCounts, state: EventState, journal_number: u64) -> PublicCounts {
    PublicCounts {
        event: names::event(event),
        state: to_proto::words::event_state(state).into(),
        ..told(counts, to_proto::int64(journal_number))
    }
}

fn told(counts: &EventCounts, journal_number: i64) -> PublicCounts {
    PublicCounts {
        event: String::new(),
        capacity: counts.capacity,
        free: counts.free,
        full: counts.free == Some(0),
        waiting_parties: counts.waiting_parties,
        waiting_persons: counts.waiting_persons,
        confirmed_persons: counts.confirmed_persons,
        state: 0,
        journal_number,
    }
}
