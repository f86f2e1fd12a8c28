//! Who came: the list of each session, entered after it; people on no list; heads where nobody is asked for a
//! name; and paper that comes days later. How many of those with a seat came is the file's percentage.

use super::super::agenda::Act;
use super::super::run::{EventRun, Stage};
use super::super::terms::{session_id, unstamp, wall};
use super::Follow;
use crate::api::proto::{self, AgeGroup, AttendanceMark, AttendanceSource};
use crate::model::time::{Span, Timestamp};

/// How many of those who stay away say so, in percent; the file does not tell.
const EXCUSED_PCT: usize = 40;

/// Somebody with a seat at a session, as the leader's sheet names them.
struct Person {
    registration: String,
    member: i32,
    child: bool,
    /// Came in at the door, on no list before.
    is_in: bool,
}

/// Somebody on no list comes; they are let in if a seat is free.
pub async fn walk_in(stage: &Stage, run: &mut EventRun, i: usize) {
    if run.cancelled {
        return;
    }
    let (session, words) = (run.walk_ins[i].session, run.walk_ins[i].words.clone());
    let ask = proto::AddWalkInRequest {
        parent: run.name.clone(),
        session_id: session_id(session),
        registration: Some(words),
        request_id: run.door.uuid().to_string(),
        ..Default::default()
    };
    match stage.calls.add_walk_in(ask).await {
        Ok(answer) => run.notes.walked_in.push((session, answer.registration.map_or(0, |r| r.party_size))),
        Err(no) if ["SEATS_NOT_FREE", "WAITING_PARTY_FIRST"].contains(&no.reason.as_str()) => {
            run.skip("walk-in: refused at the door, no seat is free that nobody waits for", 1);
        }
        Err(no) => run.odd(stage, "walk-in", &no),
    }
}

/// Right after a session: its list, or its heads. A session that was moved has its turn later.
pub async fn attend(stage: &Stage, run: &mut EventRun, at: Timestamp, session: u32) {
    let moved_on = run.moved.get(&session).is_some_and(|ends| *ends > at);
    if run.cancelled || moved_on {
        return;
    }
    if run.event(stage).counting.named_participants {
        enter_list(stage, run, session, false).await;
    } else {
        count_heads(stage, run, session).await;
    }
}

/// The sheet of a session, as its leader gets it.
async fn roster(stage: &Stage, run: &mut EventRun, session: u32) -> Vec<Person> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = proto::GetRosterRequest {
            parent: run.name.clone(),
            session_id: session_id(session),
            page_size: 500,
            page_token,
        };
        let page = match stage.calls.get_roster(ask).await {
            Ok(page) => page,
            Err(no) => {
                run.odd(stage, "roster", &no);
                return all;
            }
        };
        for wish in page.entries.iter().filter(|_| session == 1).filter_map(|e| e.services) {
            let sum = &mut run.notes.wishes_seated;
            *sum = (sum.0 + wish.childcare_children, sum.1 + wish.rides);
        }
        all.extend(page.entries.into_iter().flat_map(people));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// The people of one party. Of a party without names the grown-ups are counted first.
fn people(entry: proto::RosterEntry) -> Vec<Person> {
    let person = |member, child, is_in| Person { registration: entry.registration.clone(), member, child, is_in };
    if let Some(heads) = entry.head_count {
        return (1..=heads.adults + heads.children).map(|n| person(n, n > heads.adults, false)).collect();
    }
    let members = entry.members.iter();
    members
        .map(|m| person(m.member, m.age_group() == AgeGroup::Child, m.mark() != AttendanceMark::Unspecified))
        .collect()
}

/// How many of `expected` persons the file's percentage brings. What a session is rounded by is made up for
/// by the next, so that twenty slots of one person each come to the percentage together.
fn share(stage: &Stage, run: &mut EventRun, session: u32, expected: usize) -> usize {
    let by_session = &run.event(stage).demand.attendance_by_session_pct;
    let pct = by_session.get(session as usize - 1).copied().unwrap_or(100);
    let wanted = run.owed + pct * expected as i32;
    let came = ((wanted + 50).div_euclid(100)).clamp(0, expected as i32);
    run.owed = wanted - 100 * came;
    came as usize
}

/// Types a session's list in; misread: one line of it wrongly.
async fn enter_list(stage: &Stage, run: &mut EventRun, session: u32, misread: bool) {
    let mut expected = roster(stage, run, session).await;
    expected.retain(|p| !p.is_in);
    if expected.is_empty() {
        return;
    }
    run.door.shuffle(&mut expected);
    let came = share(stage, run, session, expected.len());
    let mut marks = Vec::with_capacity(expected.len());
    for (n, person) in expected.into_iter().enumerate() {
        let mark = match n < came {
            true => AttendanceMark::Present,
            false if run.door.below(100) < EXCUSED_PCT => AttendanceMark::Excused,
            false => AttendanceMark::Absent,
        };
        let (registration, member) = (person.registration, person.member);
        marks.push(proto::MarkEntry { registration, member, mark: mark.into(), minutes: None });
    }
    if let Some(first) = marks.first_mut().filter(|_| misread && came > 0) {
        run.misread = Some((session_id(session), first.clone()));
        first.set_mark(AttendanceMark::Absent);
    }
    record(stage, run, &session_id(session), marks).await;
}

async fn record(stage: &Stage, run: &mut EventRun, session_id: &str, marks: Vec<proto::MarkEntry>) {
    let online = run.event(stage).mode == "online";
    let source = if online { AttendanceSource::Online } else { AttendanceSource::PaperList };
    let ask = proto::RecordAttendanceRequest {
        parent: run.name.clone(),
        session_id: session_id.to_owned(),
        source: source.into(),
        marks,
        request_id: run.door.uuid().to_string(),
        ..Default::default()
    };
    if let Err(no) = stage.calls.record_attendance(ask).await {
        run.odd(stage, "attendance", &no);
    }
}

/// Where nobody is asked for a name: those of the registered who came, and who came beside them. Where a count
/// on paper is still to come, staff write down what they guess, in tens.
async fn count_heads(stage: &Stage, run: &mut EventRun, session: u32) {
    let mut expected = roster(stage, run, session).await;
    let all = expected.len();
    run.door.shuffle(&mut expected);
    let came = share(stage, run, session, all);
    let mut children = expected[..came].iter().filter(|p| p.child).count();
    let mut adults = came - children;
    let (walk_ins, of_children) = (run.event(stage).demand.walk_ins_persons, children);
    for _ in 0..walk_ins {
        // The file does not say who they are: as the others who came.
        let child = run.door.below(came) < of_children;
        *if child { &mut children } else { &mut adults } += 1;
    }
    run.notes.walked_in.push((session, walk_ins));
    let id = &run.event(stage).id;
    let estimated = stage.year.paper_entries.iter().any(|p| p.event == *id && p.adults.is_some());
    if estimated {
        (adults, children) = ((adults + 5) / 10 * 10, (children + 5) / 10 * 10);
    }
    heads(stage, run, session, (adults as i32, children as i32), estimated).await;
}

async fn heads(
    stage: &Stage,
    run: &mut EventRun,
    session: u32,
    (adults, children): (i32, i32),
    estimated: bool,
) -> Option<proto::RecordHeadCountResponse> {
    let ask = proto::RecordHeadCountRequest {
        parent: run.name.clone(),
        session_id: session_id(session),
        adults,
        children,
        estimated,
        request_id: run.door.uuid().to_string(),
        ..Default::default()
    };
    match stage.calls.record_head_count(ask).await {
        Ok(answer) => Some(answer),
        Err(no) => {
            run.odd(stage, "heads", &no);
            None
        }
    }
}

/// Paper that was kept for days is typed in. A coordinator who types another's list misreads a line; the
/// group's leader sees it within the hour.
pub async fn paper(stage: &Stage, run: &mut EventRun, at: Timestamp, i: usize) -> Follow {
    let entry = stage.year.paper_entries[i].clone();
    if let (Some(adults), Some(children)) = (entry.adults, entry.children) {
        let answer = heads(stage, run, entry.session, (adults, children), false).await;
        let Some((now, before)) = answer.and_then(|a| Some((a.heads?, a.before))) else { return Vec::new() };
        let before = before.map_or("nothing stood before".to_owned(), |b| format!("before {}", told(stage, &b)));
        run.say(stage, at, "heads counted on paper come days later", format!("{before}; now {}", told(stage, &now)));
        return Vec::new();
    }
    enter_list(stage, run, entry.session, entry.by_role == "koordinatorius").await;
    let what = format!("the paper list of session s{} comes days later", entry.session);
    run.say(stage, at, what, "written down with the day that it happened and the day that it was entered");
    match run.misread {
        Some(_) => vec![(at.plus(Span::hours(1)), Act::PutRight)],
        None => Vec::new(),
    }
}

fn told(stage: &Stage, heads: &proto::HeadsAtSession) -> String {
    let how = if heads.estimated { "estimated" } else { "counted" };
    let entered = heads.enter_time.as_ref().map(|t| wall(&stage.zone, unstamp(t))).unwrap_or_default();
    format!("{} adults and {} children ({how}, entered {entered})", heads.adults, heads.children)
}

/// The line that was misread is put right; the service keeps what stood before.
pub async fn put_right(stage: &Stage, run: &mut EventRun, at: Timestamp) {
    let Some((session_id, line)) = run.misread.take() else { return };
    record(stage, run, &session_id, vec![line.clone()]).await;
    let ask = proto::ListAttendanceRequest {
        parent: run.name.clone(),
        session_id,
        registration: line.registration.clone(),
        with_corrections: true,
        ..Default::default()
    };
    let listed = stage.calls.list_attendance(ask).await.map(|l| l.attendances).unwrap_or_default();
    let Some(mark) = listed.into_iter().find(|a| a.member == line.member) else { return };
    let when =
        |t: &Option<prost_types::Timestamp>| t.as_ref().map(|t| wall(&stage.zone, unstamp(t))).unwrap_or_default();
    let before =
        mark.corrections.iter().map(|b| format!("before {} (entered {})", word(b.mark()), when(&b.enter_time)));
    let before: Vec<String> = before.collect();
    let outcome = format!("{}; now {} (entered {})", before.join(", "), word(mark.mark()), when(&mark.enter_time));
    run.say(stage, at, "a line of it was misread and is put right", outcome);
}

fn word(mark: AttendanceMark) -> String {
    mark.as_str_name().trim_start_matches("ATTENDANCE_MARK_").to_lowercase()
}
