//! An event with its live counts.

use super::admin::attendance_rule;
use super::{etag, int32, int64, names, policy, texts, time, words};
use crate::admission::{Counts, Header, Held, Roster, Tally};
use crate::api::access_keys::role_word;
use crate::api::proto;
use crate::model::event::{Event, EventState, Pool, Question, Sensitivity, Session, Terms, Venue};

/// An event and its roster, at one journal number.
pub fn event(event: &Event, roster: &Roster) -> proto::Event {
    let live = Live {
        state: roster.state,
        version: roster.version,
        journal_number: roster.journal_number,
        pools: roster.pools().map(|(p, h)| (*h, pool_counts(p, h))).collect(),
        counts: event_counts(roster),
    };
    render(event, &roster.terms, live)
}

/// An event of one pool, from what its row keeps: no roster is needed, since the pool holds all. `None`
/// where there are several pools.
pub fn from_row(event: &Event, header: &Header) -> Option<proto::Event> {
    let [pool] = event.terms.pools.as_slice() else { return None };
    let Counts { confirmed, offered, .. } = header.counts;
    let held = Held { confirmed, offered, released: header.released.contains(&pool.no) };
    let counts = counts(&header.counts, &[(pool, &held)]);
    let live = Live {
        state: header.state,
        version: header.version,
        journal_number: header.journal_number,
        pools: vec![(held, pool_counts(pool, &held))],
        counts,
    };
    Some(render(event, &event.terms, live))
}

/// What moves with sign-ups.
struct Live {
    state: EventState,
    version: u64,
    journal_number: u64,
    /// Beside the pools of the terms.
    pools: Vec<(Held, proto::PoolCounts)>,
    counts: proto::EventCounts,
}

fn render(event: &Event, terms: &Terms, live: Live) -> proto::Event {
    let d = &event.details;
    proto::Event {
        name: names::event(event.id),
        centre: names::centre(&event.centre),
        programme: event.programme.as_ref().map(names::programme).unwrap_or_default(),
        project_code: d.project_code.clone(),
        titles: texts(&d.titles),
        descriptions: texts(&d.descriptions),
        kind: words::event_kind(d.kind).into(),
        state: words::event_state(live.state).into(),
        venue: (d.venue != Venue::default()).then(|| venue(&d.venue)),
        municipality_code: d.municipality_code.clone(),
        time_zone: terms.zone.name().to_owned(),
        sessions: d.sessions.iter().map(|s| session(s, terms)).collect(),
        registration_window: window(terms),
        seat_pools: terms.pools.iter().zip(live.pools).map(|(p, (held, counts))| seat_pool(p, &held, counts)).collect(),
        waitlist_policy: Some(policy::policy(&terms.policy)),
        party_limits: Some(proto::PartyLimits { min_size: int32(terms.party_min), max_size: int32(terms.party_max) }),
        approval_required: terms.approval_required,
        join_midway: terms.join_midway,
        minimum_to_start: int32(d.minimum_to_start),
        services_offered: (d.childcare_places > 0 || d.rides > 0)
            .then(|| proto::ServicesOffered { childcare_places: int32(d.childcare_places), rides: int32(d.rides) }),
        questions: d.questions.iter().map(question).collect(),
        languages: d.languages.clone(),
        counts: Some(live.counts),
        journal_number: int64(live.journal_number),
        etag: etag(live.version),
        create_time: Some(time::instant(event.created_at)),
        update_time: Some(time::instant(event.updated_at)),
        cancel_reason: event.cancel_reason.clone(),
        attendance_rule: d.attendance_rule.map(attendance_rule),
        sensitivity: d.sensitivity.as_ref().map(sensitivity),
    }
}

fn sensitivity(sensitivity: &Sensitivity) -> proto::Sensitivity {
    let Sensitivity { named_roles, neutral_titles, unlisted } = sensitivity;
    proto::Sensitivity {
        named_roles: named_roles.iter().map(|role| role_word(*role).into()).collect(),
        neutral_titles: texts(neutral_titles),
        unlisted: *unlisted,
    }
}

fn venue(venue: &Venue) -> proto::Venue {
    let Venue { name, address, link } = venue;
    proto::Venue { display_name: name.clone(), address: address.clone(), link: link.clone() }
}

fn session(session: &Session, terms: &Terms) -> proto::Session {
    let Session { id, start_local, end_local, starts_at, ends_at, venue: place, note, cancel_reason } = session;
    proto::Session {
        session_id: id.clone(),
        start_local: start_local.clone(),
        end_local: end_local.clone(),
        start_time: Some(time::instant(*starts_at)),
        end_time: Some(time::instant(*ends_at)),
        venue: place.as_ref().map(venue),
        note: note.clone(),
        cancelled: terms.session(id).is_some_and(|slot| slot.cancelled),
        cancel_reason: cancel_reason.clone(),
    }
}

fn window(terms: &Terms) -> Option<proto::RegistrationWindow> {
    let Terms { opens_at, closes_at, .. } = terms;
    (opens_at.is_some() || closes_at.is_some()).then(|| proto::RegistrationWindow {
        open_time: opens_at.map(time::instant),
        close_time: closes_at.map(time::instant),
    })
}

fn seat_pool(pool: &Pool, held: &Held, counts: proto::PoolCounts) -> proto::SeatPool {
    let Pool { no: _, id, capacity, classes, release_at, session_id } = pool;
    proto::SeatPool {
        pool_id: id.clone(),
        capacity: capacity.map(int32),
        classes: classes.clone(),
        release_time: release_at.map(time::instant),
        session_id: session_id.clone(),
        released: held.released && !classes.is_empty(),
        counts: Some(counts),
    }
}

fn question(question: &Question) -> proto::Question {
    let Question { id, texts: words, required, max_length } = question;
    proto::Question {
        question_id: id.clone(),
        texts: texts(words),
        required: *required,
        max_length: int32(*max_length),
    }
}

/// The live counts of one pool.
pub fn pool_counts(pool: &Pool, held: &Held) -> proto::PoolCounts {
    proto::PoolCounts {
        pool_id: pool.id.clone(),
        confirmed_persons: int32(held.confirmed.persons),
        confirmed_parties: int32(held.confirmed.parties),
        offered_persons: int32(held.offered.persons),
        offered_parties: int32(held.offered.parties),
        free: pool.capacity.map(|_| int32(Roster::free(pool, held))),
        over_capacity: int32(over(pool, held)),
    }
}

/// The live counts of an event.
pub fn event_counts(roster: &Roster) -> proto::EventCounts {
    counts(&roster.counts, &roster.pools().collect::<Vec<_>>())
}

fn counts(counts: &Counts, pools: &[(&Pool, &Held)]) -> proto::EventCounts {
    let total = |part: fn(&Pool, &Held) -> u32| {
        pools.iter().try_fold(0u32, |sum, (p, h)| p.capacity.map(|_| sum.saturating_add(part(p, h))))
    };
    let parties = |tally: Tally| int32(tally.parties);
    let persons = |tally: Tally| int32(tally.persons);
    proto::EventCounts {
        capacity: total(|p, _| p.capacity.unwrap_or_default()).map(int32),
        confirmed_persons: persons(counts.confirmed),
        confirmed_parties: parties(counts.confirmed),
        offered_persons: persons(counts.offered),
        offered_parties: parties(counts.offered),
        waiting_persons: persons(counts.waiting),
        waiting_parties: parties(counts.waiting),
        in_review_parties: parties(counts.in_review),
        in_review_persons: persons(counts.in_review),
        free: total(Roster::free).map(int32),
        over_capacity: int32(pools.iter().map(|(p, h)| over(p, h)).fold(0, u32::saturating_add)),
        applied_parties: parties(counts.applied()),
        applied_persons: persons(counts.applied()),
        cancelled_parties: parties(counts.cancelled),
        declined_parties: parties(counts.declined),
        expired_parties: parties(counts.expired),
        rejected_parties: parties(counts.rejected),
        transferred_parties: parties(counts.transferred),
        event_cancelled_parties: parties(counts.event_cancelled),
        offers_made: int32(counts.offers_made),
        offers_accepted: int32(counts.offers_accepted),
        offers_declined: int32(counts.offers_declined),
        offers_missed: int32(counts.offers_missed),
    }
}

/// Persons beyond the capacity, after staff cut it.
fn over(pool: &Pool, held: &Held) -> u32 {
    pool.capacity.map_or(0, |capacity| held.total().saturating_sub(capacity))
}
