//! Protected figures: what reporting jobs are told gives nothing away of what they are not told.

use crate::house::{House, as_reporting, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Timestamp;

/// Three groups of one centre, each with one session of two hours in February, and how many came.
const GROUPS: [(&str, usize); 3] = [("pa", 3), ("pb", 12), ("pc", 7)];

fn february() -> ReportScope {
    ReportScope {
        start_time: at("2031-01-31T22:00:00Z"),
        end_time: at("2031-02-28T22:00:00Z"),
        ..ReportScope::default()
    }
}

fn asked() -> GetParticipationRequest {
    GetParticipationRequest { scope: Some(february()), ..Default::default() }
}

fn of(programme: &str) -> GetParticipationRequest {
    let scope = ReportScope { programme: format!("programmes/{programme}"), ..february() };
    GetParticipationRequest { scope: Some(scope), ..Default::default() }
}

/// It is March.
async fn world(mut h: House) -> House {
    let centre = h.centre().await;
    let mut sheets = Vec::new();
    for (programme_id, persons) in GROUPS {
        let programme_id = programme_id.to_owned();
        let ask = CreateProgrammeRequest {
            programme_id: programme_id.clone(),
            programme: Some(programme()),
            request_id: id(),
            ..Default::default()
        };
        h.admin.create_programme(ask).await.unwrap();
        let group = Event {
            programme: format!("programmes/{programme_id}"),
            sessions: vec![session("2031-02-20T17:00", "2031-02-20T19:00")],
            ..event(&centre, 20)
        };
        let event = h.open(group).await;
        let mut marks = Vec::new();
        for n in 0..persons {
            let born = Some(1980 + i32::try_from(n).unwrap());
            let member = Member { birth_year: born, sex: Sex::Female.into(), ..Default::default() };
            let made = h.sign_up(&event, Registration { members: vec![member], ..party(1) }).await;
            marks.push(MarkEntry {
                registration: made.registration.unwrap().name,
                member: 1,
                mark: AttendanceMark::Present.into(),
                minutes: None,
            });
        }
        sheets.push(RecordAttendanceRequest {
            parent: event,
            session_id: "s1".into(),
            marks,
            request_id: id(),
            ..Default::default()
        });
    }
    h.clock.move_to(moment("2031-02-20T17:30:00Z"));
    for sheet in sheets {
        h.attendance.record_attendance(sheet).await.unwrap();
    }
    h.clock.move_to(moment("2031-03-05T08:00:00Z"));
    h
}

fn moment(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn by_programme<'a>(told: &'a GetParticipationResponse, programme: &str) -> &'a AttendanceRow {
    let of = |row: &&AttendanceRow| row.key.as_ref().is_some_and(|key| key.value == format!("programmes/{programme}"));
    told.attendance.iter().find(of).unwrap()
}

pub async fn minutes_tell_no_count_that_is_rounded_or_hidden(h: House) {
    let mut h = world(h).await;
    let exact = h.reports.get_participation(asked()).await.unwrap().into_inner();
    assert_eq!(exact.total.as_ref().unwrap().minutes, Some(2_640));
    assert_eq!(by_programme(&exact, "pa").minutes, Some(360));
    let told = h.reports.get_participation(as_reporting(asked())).await.unwrap().into_inner();
    let total = told.total.as_ref().unwrap();
    assert_eq!((total.attendances, total.minutes), (Some(20), Some(2_400)));
    let rows = ["pa", "pb", "pc"].map(|programme| by_programme(&told, programme));
    let minutes = rows.map(|row| (row.attendances, row.minutes, row.suppressed));
    assert_eq!(minutes, [(None, None, true), (Some(10), Some(1_200), false), (Some(5), Some(600), false)]);
    assert_eq!(told.basis.unwrap().people_number, 0);
}

pub async fn of_a_few_no_line_tells_who_they_are(h: House) {
    let mut h = world(h).await;
    let year = |n: i32| AgeBand { from_age: n, to_age: Some(n) };
    let narrow = GetParticipationRequest { age_bands: (40..60).map(year).collect(), ..of("pa") };
    let exact = h.reports.get_participation(narrow.clone()).await.unwrap().into_inner();
    assert_eq!(exact.rows.len(), 3, "staff may ask for any");
    let refused = no(h.reports.get_participation(as_reporting(narrow)).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_FIELDS", vec!["age_bands".to_owned()]));
    let told = h.reports.get_participation(as_reporting(of("pa"))).await.unwrap().into_inner();
    assert_eq!((told.unique_participants, told.rows.len(), told.attendance.len()), (None, 0, 0));
    let demand = GetDemandRequest { scope: of("pa").scope, with_returning: false };
    let told = h.reports.get_demand(as_reporting(demand)).await.unwrap().into_inner();
    assert!(told.breakdowns.is_empty() && told.rows.iter().all(|row| row.suppressed), "{told:?}");
    let bands = [(0, Some(17)), (18, Some(29)), (30, Some(54)), (55, None)];
    let usual = bands.map(|(from_age, to_age)| AgeBand { from_age, to_age }).to_vec();
    let many = GetParticipationRequest { age_bands: usual, ..of("pb") };
    let told = h.reports.get_participation(as_reporting(many)).await.unwrap().into_inner();
    assert_eq!((told.unique_participants, told.rows.len()), (Some(10), 1));
}

pub async fn months_are_those_of_one_zone(h: House) {
    let mut h = world(h).await;
    let tokyo = ReportScope {
        start_time: at("2031-01-31T15:00:00Z"),
        end_time: at("2031-02-28T15:00:00Z"),
        time_zone: "Asia/Tokyo".into(),
        ..ReportScope::default()
    };
    let vilnius = ReportScope { time_zone: "Europe/Vilnius".into(), ..february() };
    let ask = |scope: &ReportScope| GetImbalanceRequest { scope: Some(scope.clone()) };
    assert!(h.reports.get_imbalance(ask(&tokyo)).await.is_ok(), "staff may ask for any");
    let refused = no(h.reports.get_imbalance(as_reporting(ask(&tokyo))).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_FIELDS", vec!["scope.time_zone".to_owned()]));
    assert!(h.reports.get_imbalance(as_reporting(ask(&vilnius))).await.is_ok());
}
