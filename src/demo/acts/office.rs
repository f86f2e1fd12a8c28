//! What the office does: pulls reports on their days, corrects a name after a marriage, and makes one person of somebody
//! who stands there twice.

use super::super::agenda::{Act, Agenda};
use super::super::data::{OtherRequest, SecondEntry, instant};
use super::super::people::Source;
use super::super::report::reports::{Pulled, Reports};
use super::super::run::{EventRun, Stage};
use super::super::terms::{self, stamp};
use crate::api::proto::report_query::Query;
use crate::api::proto::{self, GetDemandRequest, GetImbalanceRequest, ReportScope};
use crate::model::time::Timestamp;

/// Puts the office's days on the agenda; they are nobody's event.
pub fn put(stage: &Stage, agenda: &mut Agenda) -> anyhow::Result<()> {
    if stage.year.events.is_empty() {
        return Ok(());
    }
    for (i, run) in stage.year.report_runs.iter().enumerate() {
        agenda.put(instant(&stage.zone, &run.run_local)?, 0, Act::Report(i));
    }
    for (i, request) in stage.year.other_requests.iter().enumerate() {
        if matches!(request.kind.as_str(), "rectification" | "merge_duplicates") {
            agenda.put(instant(&stage.zone, &request.at_local)?, 0, Act::Office(i));
        }
    }
    Ok(())
}

/// Pulls the n-th report of the file and lets the service store it.
pub async fn report(stage: &Stage, runs: &mut [EventRun], _at: Timestamp, n: usize) {
    let (Some(wanted), Some(run)) = (stage.year.report_runs.get(n), runs.first_mut()) else { return };
    let Some(scope) = scope(stage, &wanted.period) else { return };
    let query = match wanted.of.as_str() {
        "KOPA" => Query::Participation(proto::GetParticipationRequest {
            scope: Some(ReportScope { project_code: stage.year.project_code("KOPA"), ..scope }),
            ..Default::default()
        }),
        of if of.contains("EQUASS") => {
            Query::WaitlistFunnel(proto::GetWaitlistFunnelRequest { scope: Some(scope), ..Default::default() })
        }
        _ => Query::Demand(GetDemandRequest { scope: Some(scope), with_returning: true }),
    };
    let report = proto::Report {
        title: format!("{}, {}", wanted.of, wanted.period),
        query: Some(proto::ReportQuery { query: Some(query) }),
        ..Default::default()
    };
    let request_id = run.request_id();
    match stage.calls.create_report(proto::CreateReportRequest { report: Some(report), request_id }).await {
        Ok(answer) => run.notes.reports.extend(answer.report.map(|report| report.name)),
        Err(no) => run.odd(stage, "report", &no),
    }
}

/// The instants of "2025" or "2025-Q1" on the wall clock.
fn scope(stage: &Stage, period: &str) -> Option<ReportScope> {
    let (year, quarter) = period.split_once("-Q").map_or((period, None), |(year, q)| (year, q.parse::<u32>().ok()));
    let next: u32 = year.parse::<u32>().ok()? + 1;
    let (from, before) = match quarter {
        None => (format!("{year}-01-01T00:00"), format!("{next}-01-01T00:00")),
        Some(4) => (format!("{year}-10-01T00:00"), format!("{next}-01-01T00:00")),
        Some(q) => (format!("{year}-{:02}-01T00:00", 3 * q - 2), format!("{year}-{:02}-01T00:00", 3 * q + 1)),
    };
    let at = |local: &str| instant(&stage.zone, local).ok().map(stamp);
    Some(ReportScope { start_time: at(&from), end_time: at(&before), ..Default::default() })
}

/// Answers the n-th other request.
pub async fn request(stage: &Stage, runs: &mut [EventRun], at: Timestamp, n: usize) {
    let Some(request) = stage.year.other_requests.get(n) else { return };
    let household = stage.year.households.iter().position(|h| Some(&h.id) == request.household.as_ref());
    let Some(household) = household else { return };
    match &request.second_entry {
        Some(second) => twice(stage, runs, at, (request, household), second).await,
        None => married(stage, runs, at, household).await,
    }
}

/// Where the household is signed up, in an event that ends after this moment: the event and its guest.
fn signed_up(runs: &[EventRun], household: usize, after: Timestamp) -> Option<(usize, usize)> {
    runs.iter().enumerate().filter(|(_, run)| run.ends > after).find_map(|(index, run)| {
        let is_it = |g: &super::super::run::Guest| g.plan.source == Source::Household(household) && !g.name.is_empty();
        run.guests.iter().position(is_it).map(|guest| (index, guest))
    })
}

/// A surname after a marriage: the same person for every count.
async fn married(stage: &Stage, runs: &mut [EventRun], at: Timestamp, household: usize) {
    let Some((index, guest)) = signed_up(runs, household, at) else {
        if let Some(run) = runs.first_mut() {
            run.skip(
                "surname after a marriage: this year's draw has signed her up for nothing that is still to come",
                1,
            );
        }
        return;
    };
    let run = &mut runs[index];
    let name = run.guests[guest].name.clone();
    let look = || proto::GetRegistrationRequest {
        name: name.clone(),
        view: proto::RegistrationView::Full.into(),
        ..Default::default()
    };
    let Some(before) = stage.calls.get_registration(look()).await.ok().and_then(|r| r.registration) else { return };
    let mut members = before.members.clone();
    let Some(first) = members.first_mut() else { return };
    first.display_name.push_str("-Naujienė");
    first.person.clear();
    let ask = proto::UpdateRegistrationRequest {
        registration: Some(proto::Registration { name: name.clone(), members, ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["members".into()] }),
        request_id: run.request_id(),
        ..Default::default()
    };
    if let Err(no) = stage.calls.update_registration(ask).await {
        let outcome = format!("refused: {}", no.reason);
        run.say(stage, at, "a surname after a marriage", outcome);
        return;
    }
    let after = stage.calls.get_registration(look()).await.ok().and_then(|r| r.registration).unwrap_or_default();
    let same = after.members.first().map(|m| &m.person) == before.members.first().map(|m| &m.person);
    run.say(
        stage,
        at,
        "a surname after a marriage",
        if same { "corrected, and the same person" } else { "ANOTHER PERSON" },
    );
}

/// Somebody who signed up on the web telephones, and is typed in without Lithuanian letters. Staff find the two, and
/// make them one.
async fn twice(
    stage: &Stage,
    runs: &mut [EventRun],
    at: Timestamp,
    (request, household): (&OtherRequest, usize),
    second: &SecondEntry,
) {
    let Some((first, _)) = signed_up(runs, household, Timestamp(i64::MIN)) else {
        if let Some(run) = runs.first_mut() {
            run.skip("merge of a person who stands there twice: this year's draw has not signed her up before", 1);
        }
        return;
    };
    let centre = stage.year.events[first].centre.clone();
    let open = |(index, run): &(usize, &EventRun)| {
        let event = run.event(stage);
        *index != first
            && event.centre == centre
            && event.registration.join_midway
            && run.opens <= at
            && at < run.closes
    };
    let Some(other) = runs.iter().enumerate().find(open).map(|(index, _)| index) else {
        runs[first].skip("merge of a person who stands there twice: no other group of the centre is open", 1);
        return;
    };
    let run = &mut runs[other];
    let birth_year = stage.year.households[household].members.first().map(|m| m.birth_year);
    let name = format!("{} {}", second.first, second.last);
    let party = proto::Registration {
        contact: Some(proto::Contact { display_name: name.clone(), phone: second.phone.clone(), ..Default::default() }),
        channel: proto::Channel::Phone.into(),
        members: vec![proto::Member { display_name: name, birth_year, ..Default::default() }],
        ..Default::default()
    };
    let ask = proto::CreateRegistrationRequest {
        parent: run.name.clone(),
        registration: Some(party),
        request_id: run.request_id(),
        validate_only: false,
        consents: Vec::new(),
    };
    let typed = match stage.calls.create_registration(ask, true).await {
        Ok(answer) => answer.registration.unwrap_or_default().name,
        Err(no) => return run.odd(stage, "typed in by telephone", &no),
    };
    run.notes.typed_twice += 1;
    let centre = format!("centres/{}", terms::short_id(&centre));
    let outcome = merge(stage, run, &centre, &typed).await;
    let what = format!("{}: once by web, once by telephone", request.kind.replace('_', " "));
    run.say(stage, at, what, outcome);
}

/// Finds the pair among the possible duplicates of the centre, and merges it.
async fn merge(stage: &Stage, run: &mut EventRun, centre: &str, typed: &str) -> String {
    let ask = proto::ListPossibleDuplicatesRequest { centre: centre.to_owned(), start_time: None };
    let pairs = match stage.calls.list_possible_duplicates(ask).await {
        Ok(answer) => answer.pairs,
        Err(no) => return format!("refused: {}", no.reason),
    };
    let of = |seen: &Option<proto::PersonSeen>| seen.clone().unwrap_or_default();
    let pair = pairs.iter().find(|p| of(&p.second).registration == typed || of(&p.first).registration == typed);
    let Some(pair) = pair else { return format!("not found among {} possible duplicates", pairs.len()) };
    let signs: Vec<String> =
        pair.signs().map(|s| s.as_str_name().trim_start_matches("DUPLICATE_SIGN_").to_lowercase()).collect();
    let (person, into) = (of(&pair.second).person, of(&pair.first).person);
    let ask = proto::MergePersonsRequest { person, into, request_id: run.request_id() };
    match stage.calls.merge_persons(ask).await {
        Ok(_) => format!("found by {}, and merged", signs.join(", ").replace('_', " ")),
        Err(no) => format!("refused: {}", no.reason),
    }
}

/// The stored reports with what changed since, and the year's demand and imbalance.
pub async fn reports(stage: &Stage, runs: &mut [EventRun]) -> Reports {
    let mut reports = Reports::default();
    let names: Vec<String> = runs.iter().flat_map(|run| run.notes.reports.clone()).collect();
    for name in names {
        let stored = stage.calls.get_report(proto::GetReportRequest { name: name.clone() }).await;
        let changed = stage.calls.list_corrections(proto::ListCorrectionsRequest { report: name }).await;
        if let (Ok(stored), Ok(changed)) = (stored, changed) {
            reports.pulled.push(Pulled { report: stored.report.unwrap_or_default(), changed });
        }
    }
    let year = scope(stage, "2025");
    let ask = GetImbalanceRequest { scope: year.clone() };
    reports.imbalance = stage.calls.get_imbalance(ask).await.unwrap_or_default();
    let ask = GetDemandRequest { scope: year, with_returning: false };
    reports.demand = stage.calls.get_demand(ask).await.unwrap_or_default();
    reports
}
