//! From an event's demand to an agenda: who comes when, who changes what, who leaves. Chance is drawn here
//! once, so that the order in which calls are answered cannot change the plan.

use super::agenda::{Act, Agenda};
use super::data::{Event, instant, span};
use super::people::{self, Source};
use super::rng::Rng;
use super::run::{EventRun, Stage, WalkIn};
use super::terms;
use crate::api::proto::{Channel, EventKind};
use crate::model::time::{Span, Timestamp, Zone};
use std::collections::HashSet;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How long after a session its list is entered.
pub const AFTER: Span = Span::seconds(20 * MINUTE);

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.plus(Span::seconds(seconds))
}

/// Until when anybody can ask: until the registration closes, or the event is cancelled.
pub fn last_call(zone: &Zone, event: &Event) -> anyhow::Result<Timestamp> {
    let closes = terms::closes_at(zone, event)?;
    let cancelled = event.scripted_actions.iter().find(|a| a.action == "cancel_event");
    Ok(match cancelled {
        Some(action) => instant(zone, &action.at_local)?.min(closes),
        None => closes,
    })
}

/// When each party comes: in its interval after the opening, and before the close.
pub fn arrivals(
    event: &Event,
    opens: Timestamp,
    closes: Timestamp,
    parties: usize,
    rng: &mut Rng,
) -> anyhow::Result<Vec<Timestamp>> {
    let mut times = Vec::with_capacity(parties);
    for (interval, count) in &event.demand.arrivals_after_opening {
        let (from, to) = interval.split_once('/').unwrap_or(("PT0S", "close"));
        let last = later(closes, -1);
        let mut from = opens.plus(span(from)?).min(last);
        let to = if to == "close" { last } else { opens.plus(span(to)?).min(last) };
        if from >= to {
            // The registration is shorter than the interval's start: its last day then.
            from = later(closes, -DAY).max(opens);
        }
        let rush = interval == "PT0S/PT1M";
        let length = (to.0 - from.0).max(1) as f64;
        for _ in 0..*count {
            // At nine o'clock people press; the crowd is thickest in the first seconds.
            let share = if rush { rng.unit() * rng.unit() } else { rng.unit() };
            let millis = ((length * share) as i64).div_euclid(1_000);
            let step = if rush { 1 } else { 1_000 };
            times.push(Timestamp(from.0 + millis.div_euclid(step) * step * 1_000));
        }
    }
    rng.shuffle(&mut times);
    while times.len() < parties {
        // Groups write within the first days; the bus on the second.
        let day = 1 + times.len() as i64 % 5;
        times.push(later(opens, day * DAY + 2 * HOUR + rng.below(3 * 3600) as i64));
    }
    Ok(times)
}

/// Puts a whole event's year on the agenda.
pub fn put(stage: &Stage, run: &mut EventRun, agenda: &mut Agenda, first: Timestamp) -> anyhow::Result<()> {
    let event = run.event(stage);
    let index = run.index;
    agenda.put(later(run.opens, -7 * DAY).max(first), index, Act::Publish);
    sign_ups(stage, run, agenda)?;
    doubles(stage, run, agenda);
    changes(run, event, agenda);
    leaving(run, event, agenda)?;
    if let Some(before) = terms::release(&stage.year, event)? {
        agenda.put(Timestamp(run.starts.0 - before.0), index, Act::Due);
    }
    if run.offers {
        agenda.put(call_time(stage, run.starts), index, Act::CallList);
    }
    for (i, action) in event.scripted_actions.iter().enumerate() {
        agenda.put(instant(&stage.zone, &action.at_local)?, index, Act::Scripted(i));
    }
    let complaints = stage.year.other_requests.iter().filter(|r| r.kind == "complaint");
    for complaint in complaints.filter(|r| r.event.as_deref() == Some(&event.id)) {
        agenda.put(instant(&stage.zone, &complaint.at_local)?, index, Act::Complaint);
    }
    let entered = attendance(stage, run, agenda)?;
    // A complaint may come after the last session, while the event is not yet closed.
    agenda.put(later(run.ends.max(entered), HOUR), index, Act::Complete);
    Ok(())
}

/// Who comes on no list, five minutes after the start; each list, twenty minutes after the end; and lists kept
/// on paper, when they are typed in. Answers when the last of them is entered. A contest has entries and nobody
/// who comes.
fn attendance(stage: &Stage, run: &mut EventRun, agenda: &mut Agenda) -> anyhow::Result<Timestamp> {
    let event = run.event(stage);
    if terms::kind(&event.kind) == EventKind::Contest {
        return Ok(run.ends);
    }
    let mut last = run.ends;
    for session in &event.sessions {
        let late = stage.year.paper_entries.iter().position(|p| p.event == event.id && p.session == session.n);
        if let Some(i) = late {
            let entered = instant(&stage.zone, &stage.year.paper_entries[i].entered_local)?;
            last = last.max(entered);
            agenda.put(entered, run.index, Act::Paper(i));
        }
        // Of heads that are counted on paper there is a guess at once; of names there is none.
        if late.is_none() || !event.counting.named_participants {
            let at = instant(&stage.zone, &session.ends.local)?.plus(AFTER);
            last = last.max(at);
            agenda.put(at, run.index, Act::Attend(session.n));
        }
    }
    if event.counting.named_participants {
        walk_ins(stage, run, agenda)?;
    }
    Ok(last)
}

fn walk_ins(stage: &Stage, run: &mut EventRun, agenda: &mut Agenda) -> anyhow::Result<()> {
    let event = run.event(stage);
    let listed: HashSet<Source> = run.guests.iter().map(|g| g.plan.source).collect();
    for i in 0..event.demand.walk_ins_persons as usize {
        let session = &event.sessions[run.door.below(event.sessions.len())];
        let Some(words) = people::walk_in(&stage.year, event, &listed, i) else { break };
        let at = later(instant(&stage.zone, &session.starts.local)?, 5 * MINUTE);
        agenda.put(at, run.index, Act::WalkIn(run.walk_ins.len()));
        run.walk_ins.push(WalkIn { session: session.n, words });
    }
    Ok(())
}

fn sign_ups(stage: &Stage, run: &mut EventRun, agenda: &mut Agenda) -> anyhow::Result<()> {
    let event = run.event(stage);
    let order = terms::class_order(&stage.year, event)?;
    let home = &stage.year.centre(&event.centre)?.municipality;
    for i in 0..run.guests.len() {
        let arrives = run.guests[i].arrives;
        agenda.put(arrives, run.index, Act::SignUp(i));
        let plan = &mut run.guests[i].plan;
        if plan.class.is_empty() && plan.municipality != *home && order.iter().any(|c| c == "neighbour") {
            plan.class = "neighbour".to_owned();
        }
        let (class, referred) = (plan.class.clone(), plan.channel == Channel::Referral);
        if order.contains(&class) {
            let wait = if referred { 5 * MINUTE } else { 30 * MINUTE + run.rng.below(36 * 3600) as i64 };
            let at = later(arrives, wait).min(later(run.starts, -HOUR)).max(later(arrives, 1));
            agenda.put(at, run.index, Act::Classify(i));
        }
        if event.registration.approval != "none" {
            let talk = DAY + run.rng.below(4 * 24 * 3600) as i64;
            let at = later(arrives, talk).min(later(run.starts, -6 * HOUR)).max(later(arrives, MINUTE));
            agenda.put(at, run.index, Act::Approve(i));
        }
    }
    for i in 0..event.demand.incomplete_or_ineligible {
        let at = run.between(run.opens, later(run.opens, DAY).min(run.closes));
        agenda.put(at, run.index, Act::Incomplete(i));
    }
    if event.scripted_actions.iter().any(|a| a.action == "registration_opens") {
        agenda.put(later(run.opens, -2), run.index, Act::TooEarly(0));
    }
    Ok(())
}

/// Every other double is the same request once more; the others are new requests of the same household. A
/// contest takes several entries of one entrant, so there a new request would be a new entry.
fn doubles(stage: &Stage, run: &mut EventRun, agenda: &mut Agenda) {
    let event = run.event(stage);
    let contest = event.kind == "contest";
    let groups = event.demand.group_parties.len();
    let mut who: Vec<usize> = (0..run.guests.len()).collect();
    run.rng.shuffle(&mut who);
    who.retain(|i| groups == 0 || run.guests[*i].plan.size < 10);
    who.sort_by_key(|i| run.guests[*i].plan.channel != Channel::Web);
    // The last of those who telephone among them, so that both answers to a second sign-up are heard.
    if let Some(at) = who.iter().position(|i| run.guests[*i].plan.channel == Channel::Phone).filter(|at| *at > 1) {
        who.swap(1, at);
    }
    for (n, i) in who.into_iter().take(event.demand.double_submissions).enumerate() {
        let arrives = run.guests[i].arrives;
        run.guests[i].keen = true;
        let (act, wait) = match n % 2 == 0 || contest {
            true => (Act::Resend(i), 2 + run.rng.below(40) as i64),
            false => (Act::Again(i), MINUTE + run.rng.below(20 * 60) as i64),
        };
        let at = later(arrives, wait).min(later(run.closes, -1)).max(arrives);
        if matches!(act, Act::Again(_)) {
            // A possible duplicate is dropped after a day.
            agenda.put(later(at, DAY), run.index, Act::Due);
        }
        agenda.put(at, run.index, act);
    }
}

fn changes(run: &mut EventRun, event: &Event, agenda: &mut Agenda) {
    let changes = &event.demand.changes_before_start;
    let (from, to) = (later(run.opens, 2 * HOUR), later(run.starts, -2 * HOUR));
    let kinds = [
        (changes.party_smaller_by_one, Act::Smaller(0)),
        (changes.party_larger_by_one, Act::Larger(0)),
        (changes.contact_changed, Act::ContactChanged(0)),
    ];
    for act in kinds.into_iter().flat_map(|(count, act)| std::iter::repeat_n(act, count)) {
        let at = run.between(from, to);
        agenda.put(at, run.index, act);
    }
}

/// Cancellations by the time left to the start, and people who leave the line.
fn leaving(run: &mut EventRun, event: &Event, agenda: &mut Agenda) -> anyhow::Result<()> {
    let evening_before = event.scripted_actions.iter().any(|a| a.action == "participant_cancels");
    for (interval, persons) in &event.demand.cancelled_confirmed_persons {
        if evening_before && interval == "PT24H/PT0S" {
            continue; // Scripted to the minute.
        }
        let (from, to) = interval.split_once('/').unwrap_or(("P60D", "PT0S"));
        let from = Timestamp(run.starts.0 - span(from)?.0).max(later(run.opens, HOUR));
        let to = Timestamp(run.starts.0 - span(to)?.0);
        let to = if to <= from { later(run.starts, -DAY).max(from) } else { to };
        let mut left = *persons;
        while left > 0 {
            let chunk = left.min(1 + run.rng.below(4) as i32);
            let at = run.between(from, to);
            agenda.put(at, run.index, Act::Cancel { persons: chunk, tries: 0 });
            left -= chunk;
        }
    }
    let mut left = event.demand.left_waitlist_persons;
    while left > 0 {
        let chunk = left.min(1 + run.rng.below(2) as i32);
        let at = run.between(later(run.opens, 3 * HOUR), run.starts);
        agenda.put(at, run.index, Act::LeaveLine { persons: chunk, tries: 0 });
        left -= chunk;
    }
    Ok(())
}

/// When staff telephone: half past nine or so on the day of the start, when no offers go out any more.
fn call_time(stage: &Stage, starts: Timestamp) -> Timestamp {
    let eight_hours_before = later(starts, -8 * HOUR);
    let local = stage.zone.local(eight_hours_before);
    let early = (8 * 60 + 15) - (i64::from(local.hour()) * 60 + i64::from(local.minute()));
    let at = later(eight_hours_before, early.max(0) * MINUTE);
    at.min(later(starts, -30 * MINUTE))
}
