//! Who came, in a run: lists, scans, people on no list and heads at an open group whose sessions are held while the run
//! goes on, and sessions that are moved or called off. What was heard is held against the rules' entries.

use super::driver::Dice;
use super::history::{Ask, Call, Heard, History, Log, number, registration_id};
use crate::support::client::{Answer, Client};
use crate::support::words::*;
use eile::admission::{AtDoor, Change, Entry, GivenMark, HeadCount, MarkKey, MarkList, MarkSet, NewParty};
use eile::admission::{Roster, Verb, WalkIn, WhichRegistration, WhichSession};
use eile::api::proto as pb;
use eile::model::attendance::{Heads, Mark, Source};
use eile::model::consent::Choices;
use eile::model::event::Terms;
use eile::model::time::{Span, Timestamp, Zone, format_local, parse_local};
use std::collections::BTreeMap;

/// The event's place among those of a run.
pub const OPEN_GROUP: usize = 5;
/// One is over when the run begins; a run goes on for some days, and at any hour of the day some door is open.
const SESSIONS: [&str; 9] = [
    "2025-01-13T06:30",
    "2025-01-13T11:00",
    "2025-01-14T12:00",
    "2025-01-15T12:00",
    "2025-01-16T12:00",
    "2025-01-17T12:00",
    "2025-01-27T17:30",
    "2025-02-17T17:30",
    "2025-02-24T17:30",
];

pub fn open_group() -> pb::Event {
    pb::Event {
        kind: pb::EventKind::OpenGroup as i32,
        join_midway: true,
        seat_pools: vec![pool("main", 200)],
        party_limits: Some(pb::PartyLimits { min_size: 1, max_size: 4 }),
        ..course("Atvira grupė", &SESSIONS)
    }
}

/// Mostly one that has begun; never one of the last two, which are kept for the end.
fn session(dice: &mut Dice) -> String {
    let begun = dice.below(4) > 0;
    format!("s{}", 1 + if begun { dice.below(3) } else { dice.below(7) })
}

/// Something that is asked around a session; `listed` are the group's registrations.
pub fn ask(
    dice: &mut Dice,
    roll: u64,
    listed: &[pb::Registration],
    party: pb::Registration,
    now: Timestamp,
) -> Option<(Option<String>, Ask)> {
    let session = session(dice);
    Some(match roll {
        0..=9 => (None, Ask::List { session, marks: marks(dice, listed)? }),
        10..=15 => {
            let members = if dice.below(4) == 0 { vec![1 + dice.below(3) as i32] } else { Vec::new() };
            let session = if dice.below(3) == 0 { String::new() } else { session };
            let who = listed.get(dice.below(listed.len().max(1) as u64) as usize)?;
            // Every third was made some hours ago, where the telephone had no net.
            let ago = Span::hours(if dice.below(3) == 0 { dice.below(9) as i64 } else { 0 });
            (Some(who.name.clone()), Ask::Scan { session, members, at: Timestamp(now.0 - ago.0) })
        }
        16..=19 => (None, Ask::WalkIn { session, party: Box::new(party) }),
        20..=21 => (None, Ask::Heads { session, adults: dice.below(30) as i32, children: dice.below(9) as i32 }),
        22..=23 => {
            // One that nobody comes to before it was moved.
            let session = format!("s{}", 6 + dice.below(2));
            let start = format!("2025-02-{:02}T{:02}:15", 18 + dice.below(9), 8 + dice.below(10));
            (None, Ask::Move { session, start_local: start.clone(), end_local: two_hours_later(&start) })
        }
        // People came to some of them.
        _ => (None, Ask::CallOff { session: format!("s{}", 3 + dice.below(5)) }),
    })
}

fn two_hours_later(start: &str) -> String {
    let start = parse_local(start).unwrap();
    format_local(start.checked_add(jiff::Span::new().hours(2)).unwrap())
}

/// Some lines, each member once; now and then of somebody without a seat, or of a member too many.
fn marks(dice: &mut Dice, listed: &[pb::Registration]) -> Option<Vec<pb::MarkEntry>> {
    let confirmed = pb::RegistrationState::Confirmed as i32;
    let any = dice.below(8) == 0;
    let mut of: Vec<_> = listed.iter().filter(|r| any || r.state == confirmed).collect();
    let mut marks = Vec::new();
    for _ in 0..1 + dice.below(4) {
        if of.is_empty() {
            break;
        }
        let r = of.swap_remove(dice.below(of.len() as u64) as usize);
        let last = r.party_size + i32::from(dice.below(40) == 0);
        marks.extend((1..=last).map(|member| {
            let mark = 1 + dice.below(4) as i32;
            let minutes = (mark == pb::AttendanceMark::Present as i32 && dice.below(3) == 0).then_some(45);
            pb::MarkEntry { registration: r.name.clone(), member, mark, minutes }
        }));
    }
    (!marks.is_empty()).then_some(marks)
}

/// What dice alone might leave out: somebody walks in, is scanned at another session by a telephone that had no net, and
/// was not there after all; heads are counted again; a session to come is moved, and another is called off.
pub fn at_the_end(walked_in: &str) -> Vec<(Option<String>, Ask)> {
    let (start_local, end_local) = ("2025-02-28T10:00".to_owned(), "2025-02-28T12:00".to_owned());
    let absent = pb::AttendanceMark::Absent as i32;
    let line = pb::MarkEntry { registration: walked_in.into(), member: 1, mark: absent, minutes: None };
    let heads = |adults| (None, Ask::Heads { session: "s1".into(), adults, children: 3 });
    let at = vilnius("2025-01-13T12:00");
    vec![
        (Some(walked_in.into()), Ask::Scan { session: "s2".into(), members: Vec::new(), at }),
        (None, Ask::List { session: "s1".into(), marks: vec![line] }),
        heads(40),
        heads(41),
        (None, Ask::Move { session: "s9".into(), start_local, end_local }),
        (None, Ask::CallOff { session: "s8".into() }),
    ]
}

pub async fn perform(client: &Client, event: &str, about: &str, ask: &Ask, request_id: &str) -> Answer<Heard> {
    let request_id = request_id.to_owned();
    Ok(match ask.clone() {
        Ask::List { session, marks } => Heard::Listed(client.record_as(event, &session, marks, &request_id).await?),
        Ask::Scan { session, members, at } => {
            let scan = pb::CheckInRequest {
                parent: event.into(),
                session_id: session,
                registration: about.into(),
                members,
                scan_time: Some(to_wire(at)),
                request_id,
                ..Default::default()
            };
            let mut seen = client.check_in(scan).await?;
            // Names are told as they are written now.
            seen.missing.iter_mut().for_each(|m| m.display_name.clear());
            Heard::Scanned(Box::new(seen))
        }
        Ask::WalkIn { session, party } => {
            Heard::SignedUp(client.walk_in_as(event, &session, *party, &request_id).await?)
        }
        Ask::Heads { session, adults, children } => {
            let (parent, session_id) = (event.into(), session);
            let heads =
                pb::RecordHeadCountRequest { parent, session_id, adults, children, request_id, ..Default::default() };
            Heard::Counted(Box::new(client.count_heads(heads).await?))
        }
        Ask::Move { session, start_local, end_local } => {
            let times = (start_local.as_str(), end_local.as_str());
            Heard::Event(Box::new(client.move_session(event, &session, times, &request_id).await?))
        }
        Ask::CallOff { session } => {
            Heard::Event(Box::new(client.cancel_session(event, &session, "Lektorė serga", &request_id).await?))
        }
        other => unreachable!("{other:?} is asked elsewhere"),
    })
}

/// The command behind what was asked around a session; `None` for what changes the terms.
pub fn verb(history: &History, call: &Call) -> Option<Verb> {
    let which = |name: &str| WhichRegistration { number: number(name), id: Some(registration_id(name)) };
    Some(match &call.ask {
        Ask::List { session, marks } => {
            let marks = marks.iter().map(|line| GivenMark {
                who: which(&line.registration),
                member: line.member as u16,
                mark: Mark::from_code(line.mark as u8).unwrap(),
                minutes: line.minutes.map(|m| m as u16),
            });
            Verb::RecordAttendance(Box::new(MarkList::on_paper(session, marks.collect())))
        }
        Ask::Scan { session, members, at } => Verb::CheckIn(Box::new(AtDoor {
            who: which(call.about.as_deref().unwrap()),
            session: match session.as_str() {
                "" => WhichSession::AtThatTime,
                id => WhichSession::Named(id.to_owned()),
            },
            members: members.iter().map(|m| *m as u16).collect(),
            happened_at: *at,
        })),
        Ask::WalkIn { session, party } => Verb::WalkIn(Box::new(WalkIn {
            party: NewParty {
                size: party.members.len() as u32,
                wishes: Vec::new(),
                contact: history.contact(party.contact.as_ref().unwrap()),
                vouched: true,
                choices: Choices::default(),
            },
            session: session.clone(),
            source: Source::Door,
            happened_at: None,
        })),
        Ask::Heads { session, adults, children } => Verb::CountHeads(HeadCount {
            session: session.clone(),
            happened_at: None,
            heads: Heads { adults: *adults as u32, children: *children as u32, estimated: false },
        }),
        _ => return None,
    })
}

/// Whether these terms are what was asked for.
pub fn is_set(ask: &Ask, terms: &Terms) -> bool {
    match ask {
        Ask::Seats { pool, seats, .. } => {
            terms.pools.iter().any(|p| p.id == *pool && p.capacity == Some(*seats as u32))
        }
        Ask::Move { session, start_local, .. } => {
            let zone = Zone::named("Europe/Vilnius").unwrap();
            let start = zone.instant(parse_local(start_local).unwrap()).unwrap();
            terms.session(session).is_some_and(|s| s.starts_at == start && !s.cancelled)
        }
        Ask::CallOff { session } => terms.session(session).is_some_and(|s| s.cancelled),
        _ => false,
    }
}

/// Whether a refusal to move a session or to call it off could be right of this roster.
pub fn refusal_suits(ask: &Ask, reason: &str, roster: &Roster) -> bool {
    let (Ask::Move { session, .. } | Ask::CallOff { session }) = ask else { return false };
    let slot = roster.terms.session(session).unwrap();
    match reason {
        "SESSION_CANCELLED" => slot.cancelled,
        "SESSION_IN_USE" => roster.session_counts().any(|counts| counts.session == slot.no),
        _ => false,
    }
}

/// Where what was heard around a session is not what the entry says.
pub fn heard_otherwise(call: &Call, entry: &Entry) -> Option<String> {
    let right = match (&call.heard, &entry.change) {
        (Heard::Listed(heard), Change::AttendanceRecorded { marks, .. }) => {
            let corrected = marks.iter().filter(|m| m.was.is_some()).count() as i32;
            let Ask::List { marks: given, .. } = &call.ask else { return None };
            let (set, given) = (marks.len() as i32, given.len() as i32);
            heard.journal_number == entry.number as i64
                && (heard.new_marks, heard.corrected_marks, heard.unchanged_marks)
                    == (set - corrected, corrected, given - set)
        }
        (Heard::Scanned(heard), Change::CheckedIn { number: who, size, missing, marks, .. }) => {
            let told: Vec<i32> = heard.missing.iter().map(|m| m.member).collect();
            let welcome = heard.verdict() == pb::DoorVerdict::Welcome;
            heard.journal_number == entry.number as i64
                && number(&heard.registration) == *who
                && (heard.party_size, heard.present) == (*size as i32, *size as i32 - missing.len() as i32)
                && told == missing.iter().map(|m| i32::from(*m)).collect::<Vec<_>>()
                && welcome != marks.is_empty()
        }
        (Heard::Counted(heard), Change::HeadsCounted { heads, was, .. }) => {
            let told = heard.heads.as_ref().unwrap();
            let before = heard.before.as_ref().map(|b| (b.adults, b.children, b.journal_number));
            told.journal_number == entry.number as i64
                && (told.adults, told.children) == (heads.adults as i32, heads.children as i32)
                && before == was.map(|w| (w.heads.adults as i32, w.heads.children as i32, w.step as i64))
        }
        (Heard::Listed(_) | Heard::Scanned(_) | Heard::Counted(_), _) => false,
        _ => true,
    };
    (!right).then(|| format!("heard {:?}, written down {entry:?}", call.heard))
}

/// The journal number that an answer around a session names.
pub fn journal_number(heard: &Heard) -> Option<u64> {
    let number = match heard {
        Heard::Listed(heard) => heard.journal_number,
        Heard::Scanned(heard) => heard.journal_number,
        Heard::Counted(heard) => heard.heads.as_ref()?.journal_number,
        _ => return None,
    };
    Some(number as u64)
}

/// The mark of a member as it was set again and again, the first first.
fn settings(entries: &[Entry]) -> BTreeMap<MarkKey, Vec<(u64, MarkSet)>> {
    let mut all: BTreeMap<MarkKey, Vec<(u64, MarkSet)>> = BTreeMap::new();
    for entry in entries {
        let (Change::AttendanceRecorded { session, marks, .. } | Change::CheckedIn { session, marks, .. }) =
            &entry.change
        else {
            continue;
        };
        for set in marks {
            let key = MarkKey { session: *session, number: set.number, member: set.member };
            all.entry(key).or_default().push((entry.number, *set));
        }
    }
    all
}

/// What is shown of who came is the journal read back, with every value that was corrected, and so are the rows.
pub fn shown_is_what_was_written_down(log: &Log) {
    let settings = settings(&log.entries);
    let session = |id: &str| log.whole.event.terms.session(id).unwrap().no;
    let mut shown = BTreeMap::new();
    for a in &log.attendance.attendances {
        let key = MarkKey { session: session(&a.session_id), number: number(&a.registration), member: a.member as u16 };
        let before: Vec<_> = a.corrections.iter().map(|b| (b.journal_number, b.mark, b.minutes)).collect();
        let told: Vec<_> = std::iter::once((a.journal_number, a.mark, a.minutes)).chain(before).collect();
        shown.insert(key, told);
    }
    let written = |all: &Vec<(u64, MarkSet)>| {
        let told = all.iter().rev().map(|(step, set)| (*step as i64, set.mark as i32, i32::from(set.minutes)));
        told.take(21).collect::<Vec<_>>()
    };
    let expected: BTreeMap<_, _> = settings.iter().map(|(key, all)| (*key, written(all))).collect();
    assert_eq!(shown, expected, "{}", log.name);
    assert_eq!(log.attendance.next_page_token, "", "one page");
    let rows: BTreeMap<_, _> = log.whole.marks.iter().map(|(key, m)| (*key, (m.mark, m.minutes, m.step))).collect();
    let last = |all: &Vec<(u64, MarkSet)>| all.last().map(|(step, set)| (set.mark, set.minutes, *step)).unwrap();
    assert_eq!(rows, settings.iter().map(|(key, all)| (*key, last(all))).collect(), "{}", log.name);
    for counts in &log.attendance.sessions {
        let of = |mark: Mark| {
            rows.iter().filter(|(key, m)| key.session == session(&counts.session_id) && m.0 == mark).count() as i32
        };
        let told = (counts.present, counts.absent, counts.excused, counts.made_up);
        assert_eq!(told, (of(Mark::Present), of(Mark::Absent), of(Mark::Excused), of(Mark::MadeUp)), "{}", log.name);
    }
}
