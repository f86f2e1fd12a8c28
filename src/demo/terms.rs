//! The file's events, centres and programmes in the words of the API: its priority policies become pools,
//! class orders and waitlist policies.

use super::data::{Centre, Event, Programme, Year, instant, span};
use crate::api::proto;
use crate::model::time::{Span, Timestamp, Zone, format_local};
use std::collections::BTreeMap;

/// The question that a party may answer.
pub const NEEDS: &str = "needs";
/// The pool of an event whose seats are not kept for anybody.
pub const MAIN: &str = "main";

/// The id that a centre or programme has in the service: `C-ELK` is `elk`, `P01` is `p01`.
pub fn short_id(id: &str) -> String {
    id.trim_start_matches("C-").to_lowercase()
}

pub fn centre(year: &Year, centre: &Centre) -> proto::Centre {
    let home = year.municipalities.iter().find(|m| m.code == centre.municipality);
    let elderships = home.into_iter().flat_map(|m| &m.elderships);
    proto::Centre {
        display_names: vec![text("lt", &centre.name_lt)],
        municipality_code: centre.municipality.clone(),
        elderships: elderships
            .map(|e| proto::Eldership { code: e.id.clone(), display_name: e.name_lt.clone() })
            .collect(),
        time_zone: year.meta.timezone.clone(),
        languages: centre.languages.clone(),
        ..Default::default()
    }
}

pub fn programme(year: &Year, programme: &Programme) -> proto::Programme {
    let (min, max) = programme.group_size.unwrap_or((0, 0));
    proto::Programme {
        titles: vec![text("lt", &programme.name_lt), text("en", &programme.name_en)],
        kind: kind(&programme.kind).into(),
        usual_session_count: programme.sessions.unwrap_or(0),
        usual_session_duration: programme.hours_per_session.map(|h| duration(Span::hours(h))),
        group_size_min: min,
        group_size_max: max,
        attendance_rule: programme
            .certificate_min_attendance_pct
            .map(|min_percent| proto::AttendanceRule { min_percent, makeup_sessions: programme.makeup_sessions }),
        project_code: year.project_code(&programme.project),
        ..Default::default()
    }
}

pub fn event(year: &Year, zone: &Zone, event: &Event) -> anyhow::Result<proto::Event> {
    let venue = year.venues.iter().find(|v| v.id == event.venue);
    let starts = starts_at(zone, event)?;
    Ok(proto::Event {
        centre: format!("centres/{}", short_id(&event.centre)),
        programme: format!("programmes/{}", short_id(&event.programme)),
        project_code: year.project_code(&event.project),
        titles: texts(&event.title),
        kind: kind(&event.kind).into(),
        venue: venue.map(|v| proto::Venue { display_name: v.name_lt.clone(), ..Default::default() }),
        municipality_code: venue.and_then(|v| v.municipality.clone()).unwrap_or_default(),
        time_zone: year.meta.timezone.clone(),
        sessions: sessions(zone, event)?,
        registration_window: Some(proto::RegistrationWindow {
            open_time: Some(stamp(instant(zone, &event.registration.opens.local)?)),
            close_time: Some(stamp(closes_at(zone, event)?)),
        }),
        seat_pools: pools(year, event, starts)?,
        waitlist_policy: Some(policy(year, event)?),
        approval_required: event.registration.approval != "none",
        join_midway: event.registration.join_midway,
        minimum_to_start: event.capacity.min_to_start.unwrap_or(0),
        services_offered: Some(proto::ServicesOffered {
            childcare_places: event.services_offered.childcare_places,
            rides: event.services_offered.transport_places,
        }),
        questions: vec![needs()],
        languages: event.languages_of_event.clone(),
        attendance_rule: event.attendance_rule.min_pct.map(|min_percent| proto::AttendanceRule {
            min_percent,
            makeup_sessions: event.attendance_rule.makeup_sessions,
        }),
        ..Default::default()
    })
}

fn needs() -> proto::Question {
    let texts =
        vec![text("lt", "Ko reikia, kad galėtumėte dalyvauti?"), text("en", "What do you need in order to take part?")];
    proto::Question { question_id: NEEDS.to_owned(), texts, required: false, max_length: 200 }
}

pub fn kind(word: &str) -> proto::EventKind {
    match word {
        "open_group" => proto::EventKind::OpenGroup,
        "open_event" => proto::EventKind::OpenEvent,
        "single_session" => proto::EventKind::SingleSession,
        "appointment_block" => proto::EventKind::Appointments,
        "contest" => proto::EventKind::Contest,
        _ => proto::EventKind::Course,
    }
}

/// A contest runs for weeks; what it has of a session is the day of its deadline.
fn sessions(zone: &Zone, event: &Event) -> anyhow::Result<Vec<proto::Session>> {
    if kind(&event.kind) == proto::EventKind::Contest {
        let deadline = &event.registration.closes.local;
        let start_local = format!("{}T00:00", deadline.split('T').next().unwrap_or_default());
        let note = "Paskutinė darbų pateikimo diena".to_owned();
        return Ok(vec![proto::Session {
            session_id: "s1".to_owned(),
            start_local,
            end_local: deadline.clone(),
            note,
            ..Default::default()
        }]);
    }
    let session = |s: &super::data::Session| proto::Session {
        session_id: session_id(s.n),
        start_local: s.starts.local.clone(),
        end_local: s.ends.local.clone(),
        ..Default::default()
    };
    // The service would refuse a time that the clock change leaves out; so does the demo, earlier.
    event.sessions.iter().try_for_each(|s| instant(zone, &s.starts.local).map(drop))?;
    Ok(event.sessions.iter().map(session).collect())
}

/// The start of the first session.
pub fn starts_at(zone: &Zone, event: &Event) -> anyhow::Result<Timestamp> {
    let first = sessions(zone, event)?.into_iter().next();
    instant(zone, first.as_ref().map_or("", |s| &s.start_local))
}

/// The end of the last session.
pub fn ends_at(zone: &Zone, event: &Event) -> anyhow::Result<Timestamp> {
    let last = sessions(zone, event)?.into_iter().next_back();
    instant(zone, last.as_ref().map_or("", |s| &s.end_local))
}

/// "Until 23:59" takes the sign-up of 23:59 in.
pub fn closes_at(zone: &Zone, event: &Event) -> anyhow::Result<Timestamp> {
    let local = &event.registration.closes.local;
    let edge = if local.ends_with(":59") { Span::seconds(60) } else { Span(0) };
    Ok(instant(zone, local)?.plus(edge))
}

/// How long before the start the kept seats are open to all.
pub fn release(year: &Year, event: &Event) -> anyhow::Result<Option<Span>> {
    let policy = year.policy(&event.registration.policy)?;
    let by_person = matches!(kind(&event.kind), proto::EventKind::Course);
    let text = policy.release_reserved_before_start.as_deref();
    text.filter(|_| by_person && !policy.reserved.is_empty()).map(span).transpose()
}

fn pools(year: &Year, event: &Event, starts: Timestamp) -> anyhow::Result<Vec<proto::SeatPool>> {
    let pool = |id: &str, capacity| proto::SeatPool { pool_id: id.to_owned(), capacity, ..Default::default() };
    if kind(&event.kind) == proto::EventKind::Appointments {
        let slot =
            |s: &super::data::Session| proto::SeatPool { session_id: session_id(s.n), ..pool(&slot_id(s.n), Some(1)) };
        return Ok(event.sessions.iter().map(slot).collect());
    }
    let Some(before) = release(year, event)? else { return Ok(vec![pool(MAIN, event.capacity.value)]) };
    let reserved = &year.policy(&event.registration.policy)?.reserved;
    let kept: i32 = reserved.values().sum();
    let mut pools = vec![pool(MAIN, event.capacity.value.map(|seats| seats - kept))];
    for (class, seats) in reserved {
        pools.push(proto::SeatPool {
            classes: vec![class.clone()],
            release_time: Some(stamp(Timestamp(starts.0 - before.0))),
            ..pool(&format!("kept-{class}"), Some(*seats))
        });
    }
    Ok(pools)
}

/// The id of a session of the file.
pub fn session_id(n: u32) -> String {
    format!("s{n}")
}

pub fn slot_id(n: u32) -> String {
    format!("slot-{n:02}")
}

/// Whether freed seats are offered, not given.
pub fn offers(event: &Event) -> bool {
    !matches!(event.kind.as_str(), "open_event" | "open_group" | "contest")
}

fn policy(year: &Year, event: &Event) -> anyhow::Result<proto::WaitlistPolicy> {
    let (promotion, party_fit, missed_offer) = match (offers(event), event.registration.policy.as_str()) {
        (false, _) => (proto::Promotion::Automatic, proto::PartyFit::Skip, proto::MissedOffer::Leave),
        (true, "POL-KOPA") => (proto::Promotion::Offer, proto::PartyFit::Skip, proto::MissedOffer::ToEnd),
        // A couple of future carers, or siblings, wait until both seats are free.
        (true, "POL-GLOBA") => (proto::Promotion::Offer, proto::PartyFit::Hold, proto::MissedOffer::Leave),
        (true, _) => (proto::Promotion::Offer, proto::PartyFit::Skip, proto::MissedOffer::Leave),
    };
    let contest = kind(&event.kind) == proto::EventKind::Contest;
    Ok(proto::WaitlistPolicy {
        promotion: promotion.into(),
        party_fit: party_fit.into(),
        missed_offer: missed_offer.into(),
        offer_rules: if offers(event) { offer_rules(year)? } else { Vec::new() },
        quiet_hours: Some(proto::QuietHours {
            start_local: year.quiet_hours.from.clone(),
            end_local: year.quiet_hours.to.clone(),
        }),
        class_order: class_order(year, event)?,
        registrations_per_contact: Some(i32::from(!contest)),
        walk_ins_taken: Some(event.demand.walk_ins_persons > 0),
        ..Default::default()
    })
}

/// The policy's order. Residents are everybody without a class; only who comes from next door is marked.
pub fn class_order(year: &Year, event: &Event) -> anyhow::Result<Vec<String>> {
    let order = year.policy(&event.registration.policy)?.order.iter();
    let word = |class: &String| if class == "resident" { "any".to_owned() } else { class.clone() };
    let order: Vec<String> = order.map(word).collect();
    Ok(if order == ["any"] || order == ["mandated_by_deadline"] { Vec::new() } else { order })
}

fn offer_rules(year: &Year) -> anyhow::Result<Vec<proto::OfferRule>> {
    let rule = |r: &super::data::OfferRule| {
        Ok(proto::OfferRule {
            min_time_to_start: Some(duration(span(&r.time_to_start_from)?)),
            answer_window: r.answer_window.as_deref().map(span).transpose()?.map(duration),
        })
    };
    year.offer_rules.iter().map(rule).collect()
}

fn text(language: &str, text: &str) -> proto::LocalizedText {
    proto::LocalizedText { language: language.to_owned(), text: text.to_owned() }
}

fn texts(by_language: &BTreeMap<String, String>) -> Vec<proto::LocalizedText> {
    by_language.iter().map(|(language, words)| text(language, words)).collect()
}

pub fn stamp(at: Timestamp) -> prost_types::Timestamp {
    let (seconds, micros) = (at.0.div_euclid(1_000_000), at.0.rem_euclid(1_000_000));
    prost_types::Timestamp { seconds, nanos: (micros * 1_000) as i32 }
}

pub fn unstamp(at: &prost_types::Timestamp) -> Timestamp {
    Timestamp(at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000)
}

fn duration(span: Span) -> prost_types::Duration {
    prost_types::Duration { seconds: span.0 / 1_000_000, nanos: 0 }
}

/// A wall-clock time for a line that people read.
pub fn wall(zone: &Zone, at: Timestamp) -> String {
    format_local(zone.local(at)).replace('T', " ")
}
