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

use super::Api;
use super::proto::*;
use super::to_proto::int64;
use crate::report::cells::{Shown, Told};
use crate::report::{self, Tally as Counted};
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl super::proto::report_service_server::ReportService for Api {
    async fn get_event_counts(&self, request: Request<GetEventCountsRequest>) -> Answer<GetEventCountsResponse> {
        let (caller, r) = self.admit(request).await?;
        self.event_counts(caller, r).await.map(Response::new)
    }

    async fn list_event_counts(&self, request: Request<ListEventCountsRequest>) -> Answer<ListEventCountsResponse> {
        let (caller, r) = self.admit(request).await?;
        self.events_counts(caller, r).await.map(Response::new)
    }

    async fn get_demand(&self, request: Request<GetDemandRequest>) -> Answer<GetDemandResponse> {
        let (caller, mut r) = self.admit(request).await?;
        let shown = self.figures_for(caller, "GetDemand", &mut r.scope, false)?;
        let (answer, _) = self.demand(shown, r).await?;
        Ok(Response::new(answer))
    }

    async fn get_waitlist_funnel(
        &self,
        request: Request<GetWaitlistFunnelRequest>,
    ) -> Answer<GetWaitlistFunnelResponse> {
        let (caller, mut r) = self.admit(request).await?;
        let shown = self.figures_for(caller, "GetWaitlistFunnel", &mut r.scope, !r.event.is_empty())?;
        let (answer, _) = self.funnel(shown, r).await?;
        Ok(Response::new(answer))
    }

    async fn get_imbalance(&self, request: Request<GetImbalanceRequest>) -> Answer<GetImbalanceResponse> {
        let (caller, mut r) = self.admit(request).await?;
        let shown = self.figures_for(caller, "GetImbalance", &mut r.scope, false)?;
        let (answer, _) = self.imbalance(shown, r).await?;
        Ok(Response::new(answer))
    }

    async fn get_participation(&self, request: Request<GetParticipationRequest>) -> Answer<GetParticipationResponse> {
        let (caller, mut r) = self.admit(request).await?;
        let shown = self.figures_for(caller, "GetParticipation", &mut r.scope, false)?;
        let (answer, _) = self.participation(Some(caller), shown, r).await?;
        Ok(Response::new(answer))
    }

    async fn get_attendance_summary(
        &self,
        request: Request<GetAttendanceSummaryRequest>,
    ) -> Answer<GetAttendanceSummaryResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.exact_only("GetAttendanceSummary")?;
        self.attendance_summary(caller, r).await.map(Response::new)
    }

    async fn create_report(&self, request: Request<CreateReportRequest>) -> Answer<CreateReportResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.exact_only("CreateReport")?;
        let report = self.store_report(caller, r).await?;
        Ok(Response::new(CreateReportResponse { report: Some(report) }))
    }

    async fn get_report(&self, request: Request<GetReportRequest>) -> Answer<GetReportResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.exact_only("GetReport")?;
        let stored = self.stored_report(caller, "name", &r.name).await?;
        Ok(Response::new(GetReportResponse { report: Some(stored::render(&stored, true)?) }))
    }

    async fn list_reports(&self, request: Request<ListReportsRequest>) -> Answer<ListReportsResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.exact_only("ListReports")?;
        self.stored_reports(caller, r).await.map(Response::new)
    }

    async fn list_corrections(&self, request: Request<ListCorrectionsRequest>) -> Answer<ListCorrectionsResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.exact_only("ListCorrections")?;
        self.list_of_corrections(caller, r).await.map(Response::new)
    }
}

/// What a report rests on, as it is answered. Entries are about as many as sign-ups, and those about persons as many as forms:
/// their number is as small as what it would give away.
fn basis(basis: &report::Basis, shown: Shown) -> Basis {
    let sum = basis.events.iter().map(|(_, number)| *number).sum();
    Basis {
        events: int64(basis.events.len() as u64),
        journal_sum: if shown.is_exact() { int64(sum) } else { 0 },
        people_number: if shown.is_exact() { int64(basis.people_number) } else { 0 },
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
