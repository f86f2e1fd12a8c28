//! Reports that are kept as they were.

use crate::api::admin::cut;
use crate::api::caller::Caller;
use crate::api::from_proto::names::centre;
use crate::api::from_proto::{Fields, Path};
use crate::api::page_token::Pages;
use crate::api::proto::report_figures::Figures;
use crate::api::proto::report_query::Query;
use crate::api::proto::{
    CreateReportRequest, ListReportsRequest, ListReportsResponse, Report, ReportFigures, ReportQuery, ReportScope,
};
use crate::api::repeat::again;
use crate::api::request::Asked;
use crate::api::to_proto::{names, time};
use crate::api::{Api, status};
use crate::model::report;
use crate::report::Basis;
use crate::report::cells::Shown;
use crate::storage::Stored;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use std::sync::Arc;
use tonic::Status;
use uuid::Uuid;

const METHOD: &str = "ListReports";
/// Reports a page.
const PAGE_MAX: u32 = 100;

impl Api {
    pub(super) async fn store_report(&self, caller: Caller, mut r: CreateReportRequest) -> Result<Report, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let given = fields.message(Path::Top("report"), r.report);
        let title = fields.required_line(Path::Top("report.title"), given.title, 200);
        let mut query = given.query.and_then(|query| query.query);
        if query.is_none() {
            fields.refuse(Path::Top("report.query"), "is required");
        }
        fields.finish(()).map_err(status::fields)?;
        if let Some(query) = &mut query {
            // Also where an event is named: one of another centre is then none of this report.
            self.figures_for(caller, asked.method, scope_of(query), false)?;
        }
        let query = ReportQuery { query };
        let answer = self.worked_out(&asked, caller, title, query).await;
        self.unless_answered(&asked, asked.open(caller, self.desk.keys(), &()), answer).await
    }

    async fn worked_out(
        &self,
        asked: &Asked,
        caller: Caller,
        title: String,
        query: ReportQuery,
    ) -> Result<Report, Status> {
        let (figures, rests_on) = self.figures(query.clone()).await?;
        let stored = report::Report {
            id: Uuid::now_v7(),
            title,
            centre: query.query.clone().and_then(|mut query| centre(&scope_of(&mut query).take()?.centre)),
            created_at: self.desk.clock().now(),
            query: STANDARD.encode(query.encode_to_vec()),
            figures: STANDARD.encode(figures.encode_to_vec()),
            rests_on: rests_on.events,
            people_number: rests_on.people_number,
        };
        let answer = render(&stored, true)?;
        let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
        match self.write(async move { store.create_report(&stored, &open).await }).await? {
            Stored::Created => Ok(answer),
            Stored::Replayed(first) => again(&first),
            Stored::RequestIdReused => Err(status::request_id_reused(asked.request_id)),
            Stored::Taken | Stored::VersionMismatch(_) | Stored::Missing => {
                Err(status::internal("a new id of a report is taken"))
            }
        }
    }

    /// The exact figures of a query, and what they rest on. They are kept for whoever reads them later, and so name nobody
    /// whom some of them are not shown.
    pub(super) async fn figures(&self, query: ReportQuery) -> Result<(ReportFigures, Basis), Status> {
        let (figures, basis) = match query.query {
            Some(Query::Demand(r)) => {
                let (figures, basis) = self.demand(Shown::Exact, r).await?;
                (Figures::Demand(figures), basis)
            }
            Some(Query::WaitlistFunnel(r)) => {
                let (figures, basis) = self.funnel(Shown::Exact, r).await?;
                (Figures::WaitlistFunnel(figures), basis)
            }
            Some(Query::Imbalance(r)) => {
                let (figures, basis) = self.imbalance(Shown::Exact, r).await?;
                (Figures::Imbalance(figures), basis)
            }
            Some(Query::Participation(r)) => {
                let (figures, basis) = self.participation(None, Shown::Exact, r).await?;
                (Figures::Participation(figures), basis)
            }
            None => return Err(status::report_corrupt("it asks for nothing")),
        };
        Ok((ReportFigures { figures: Some(figures) }, basis))
    }

    /// A stored report that the caller reaches.
    pub(super) async fn stored_report(
        &self,
        caller: Caller,
        at: &'static str,
        name: &str,
    ) -> Result<report::Report, Status> {
        let mut fields = Fields::default();
        let id = fields.report_name(Path::Top(at), name);
        fields.finish(()).map_err(status::fields)?;
        let stored = self.desk.store().report(&self.reach(caller)?, id).await.map_err(status::storage)?;
        stored.ok_or_else(|| status::report_not_found(name))
    }

    pub(super) async fn stored_reports(
        &self,
        caller: Caller,
        r: ListReportsRequest,
    ) -> Result<ListReportsResponse, Status> {
        let mut fields = Fields::default();
        let size = fields.page_size(r.page_size).min(PAGE_MAX);
        fields.finish(()).map_err(status::fields)?;
        let pages = Pages::of(self.desk.keys(), METHOD, &[]);
        let after = pages.cursor(&r.page_token)?.and_then(|bytes| Uuid::from_slice(&bytes).ok());
        let found = self.desk.store().list_reports(&self.reach(caller)?, after, size + 1).await;
        let mut found = found.map_err(status::storage)?;
        let last = cut(&mut found, size).map(|stored| pages.token(stored.id.as_bytes()));
        let reports = found.iter().map(|stored| render(stored, false)).collect::<Result<_, _>>()?;
        Ok(ListReportsResponse { reports, next_page_token: last.unwrap_or_default() })
    }
}

/// What a question is about.
fn scope_of(query: &mut Query) -> &mut Option<ReportScope> {
    match query {
        Query::Demand(r) => &mut r.scope,
        Query::WaitlistFunnel(r) => &mut r.scope,
        Query::Imbalance(r) => &mut r.scope,
        Query::Participation(r) => &mut r.scope,
    }
}

/// What was asked of a stored report.
pub(super) fn query_of(stored: &report::Report) -> Result<ReportQuery, Status> {
    decoded(&stored.query)
}

/// What it said.
pub(super) fn figures_of(stored: &report::Report) -> Result<ReportFigures, Status> {
    decoded(&stored.figures)
}

fn decoded<M: Message + Default>(text: &str) -> Result<M, Status> {
    let bytes = STANDARD.decode(text).map_err(status::report_corrupt)?;
    M::decode(bytes.as_slice()).map_err(status::report_corrupt)
}

pub(super) fn render(stored: &report::Report, with_figures: bool) -> Result<Report, Status> {
    Ok(Report {
        name: names::report(stored.id),
        title: stored.title.clone(),
        query: Some(query_of(stored)?),
        figures: if with_figures { Some(figures_of(stored)?) } else { None },
        create_time: Some(time::instant(stored.created_at)),
    })
}
