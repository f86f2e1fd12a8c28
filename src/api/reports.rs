//! ReportService: parse, let the report room work it out, render. `public` has what anybody may see, `scope` what all
//! reports are asked by, `stored` the reports that are kept, `corrections` what changed since; the others a report each.

mod corrections;
mod demand;
mod flat;
mod funnel;
mod imbalance;
mod participation;
mod public;
mod scope;
mod stored;
mod summary;

use super::caller::Caller;
use super::proto::*;
use super::to_proto::int64;
use super::{Api, status};
use crate::report::cells::Shown;
use crate::report::{self, Tally as Counted};
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// How the caller sees figures. A public portal sees none.
fn shown<T>(request: &Request<T>, method: &str, small_cell: u64) -> Result<Shown, Status> {
    Caller::of(request.metadata()).staff_only(method)?;
    Ok(Caller::shown(request.metadata(), small_cell))
}

/// Lets staff through, and no reporting job.
fn staff_only<T>(request: &Request<T>, method: &str) -> Result<Caller, Status> {
    let caller = Caller::of(request.metadata());
    caller.staff_only(method)?;
    if Caller::shown(request.metadata(), 5).is_exact() { Ok(caller) } else { Err(status::staff_only(method)) }
}

#[tonic::async_trait]
impl super::proto::report_service_server::ReportService for Api {
    async fn get_event_counts(&self, request: Request<GetEventCountsRequest>) -> Answer<GetEventCountsResponse> {
        let caller = Caller::of(request.metadata());
        self.event_counts(caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_event_counts(&self, request: Request<ListEventCountsRequest>) -> Answer<ListEventCountsResponse> {
        let caller = Caller::of(request.metadata());
        self.events_counts(caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_demand(&self, request: Request<GetDemandRequest>) -> Answer<GetDemandResponse> {
        let shown = shown(&request, "GetDemand", self.small_cell)?;
        let (answer, _) = self.demand(shown, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn get_waitlist_funnel(
        &self,
        request: Request<GetWaitlistFunnelRequest>,
    ) -> Answer<GetWaitlistFunnelResponse> {
        let shown = shown(&request, "GetWaitlistFunnel", self.small_cell)?;
        let (answer, _) = self.funnel(shown, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn get_imbalance(&self, request: Request<GetImbalanceRequest>) -> Answer<GetImbalanceResponse> {
        let shown = shown(&request, "GetImbalance", self.small_cell)?;
        let (answer, _) = self.imbalance(shown, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn get_participation(&self, request: Request<GetParticipationRequest>) -> Answer<GetParticipationResponse> {
        let shown = shown(&request, "GetParticipation", self.small_cell)?;
        let (answer, _) = self.participation(shown, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn get_attendance_summary(
        &self,
        request: Request<GetAttendanceSummaryRequest>,
    ) -> Answer<GetAttendanceSummaryResponse> {
        staff_only(&request, "GetAttendanceSummary")?;
        self.attendance_summary(request.into_inner()).await.map(Response::new)
    }

    async fn create_report(&self, request: Request<CreateReportRequest>) -> Answer<CreateReportResponse> {
        let caller = staff_only(&request, "CreateReport")?;
        let report = self.store_report(caller, request.into_inner()).await?;
        Ok(Response::new(CreateReportResponse { report: Some(report) }))
    }

    async fn get_report(&self, request: Request<GetReportRequest>) -> Answer<GetReportResponse> {
        staff_only(&request, "GetReport")?;
        let stored = self.stored_report("name", &request.get_ref().name).await?;
        Ok(Response::new(GetReportResponse { report: Some(stored::render(&stored, true)?) }))
    }

    async fn list_reports(&self, request: Request<ListReportsRequest>) -> Answer<ListReportsResponse> {
        staff_only(&request, "ListReports")?;
        self.stored_reports(request.into_inner()).await.map(Response::new)
    }

    async fn list_corrections(&self, request: Request<ListCorrectionsRequest>) -> Answer<ListCorrectionsResponse> {
        staff_only(&request, "ListCorrections")?;
        self.list_of_corrections(request.into_inner()).await.map(Response::new)
    }
}

/// What a report rests on, as it is answered.
fn basis(basis: &report::Basis) -> Basis {
    let sum = basis.events.iter().map(|(_, number)| *number).sum();
    Basis {
        events: int64(basis.events.len() as u64),
        journal_sum: int64(sum),
        people_number: int64(basis.people_number),
    }
}

fn tally(counted: &Counted, shown: Shown) -> Tally {
    let count = |n| int64(shown.count(n));
    Tally { parties: count(counted.parties), persons: count(counted.persons), families: count(counted.families) }
}

fn key(dimension: &str, value: &str) -> Key {
    Key { dimension: dimension.to_owned(), value: value.to_owned() }
}

/// "programmes/{id}", or nothing.
fn programme_name(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("programmes/{id}") }
}
