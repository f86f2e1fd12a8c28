//! ListAttendance: marks from memory; what they were before, from the journal.

use crate::admission::{Change, Entry, MarkKey, MarkWas, Marked};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::page_token::Pages;
use crate::api::proto::{Attendance, ListAttendanceRequest, ListAttendanceResponse, MarkBefore, SessionAttendance};
use crate::api::status::About;
use crate::api::to_proto::{self, attendance};
use crate::api::{Api, status};
use crate::desk::View;
use crate::model::attendance::{MemberNo, SessionNo};
use crate::model::id::{EventId, Number, RegistrationId};
use std::collections::HashMap;
use tonic::Status;

const METHOD: &str = "ListAttendance";
/// Corrections of one mark that are told.
const CORRECTIONS_MAX: usize = 20;

/// One page of marks out of memory.
struct Page {
    marks: Vec<(MarkKey, Marked, RegistrationId, String)>,
    sessions: Vec<SessionAttendance>,
    is_last: bool,
}

impl Api {
    pub(super) async fn marks(
        &self,
        caller: Caller,
        r: ListAttendanceRequest,
    ) -> Result<ListAttendanceResponse, Status> {
        caller.staff_only(METHOD)?;
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let session_id = fields.session_id_or_none(Path::Top("session_id"), r.session_id.clone());
        let only = match r.registration.as_str() {
            "" => None,
            name => fields.registration_of(Path::Top("registration"), name, event),
        };
        let size = fields.page_size(r.page_size) as usize;
        fields.finish(()).map_err(status::fields)?;
        let with = if r.with_corrections { "corrections" } else { "" };
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.parent, &r.session_id, &r.registration, with]);
        let after = pages.cursor(&r.page_token)?.as_deref().and_then(cursor);
        let found = self.look(event, |view| page(view, &session_id, only, after, size)).await?;
        let Some(page) = found else {
            let about = About { session_id: &session_id, ..About::event(METHOD, event) };
            return Err(status::refused(
                &crate::admission::Refusal::SessionNotFound,
                &about,
                None,
                &status::Facts::default(),
            ));
        };
        let last = page.marks.last().map(|(key, ..)| pages.token(&bytes(*key)));
        let mut attendances: Vec<Attendance> = page
            .marks
            .iter()
            .map(|(key, marked, id, session)| attendance::mark(event, *id, *key, session, marked))
            .collect();
        if r.with_corrections {
            let marks: Vec<(MarkKey, u64)> = page.marks.iter().map(|(key, marked, ..)| (*key, marked.step)).collect();
            let before = self.corrections(event, &marks).await?;
            for (attendance, before) in attendances.iter_mut().zip(before) {
                attendance.corrections = before;
            }
        }
        let next_page_token = last.filter(|_| !page.is_last).unwrap_or_default();
        Ok(ListAttendanceResponse { attendances, sessions: page.sessions, next_page_token })
    }

    /// Every mark of one registration, with what was corrected: for whom it is about.
    pub(in crate::api) async fn marks_of_registration(
        &self,
        event: EventId,
        id: RegistrationId,
    ) -> Result<Vec<Attendance>, Status> {
        let found = self.look(event, |view| page(view, "", Some(id), None, usize::MAX - 1)).await?;
        let marks = found.map(|page| page.marks).unwrap_or_default();
        let steps: Vec<(MarkKey, u64)> = marks.iter().map(|(key, marked, ..)| (*key, marked.step)).collect();
        let before = self.corrections(event, &steps).await?;
        let told = marks.iter().zip(before).map(|((key, marked, id, session), corrections)| Attendance {
            corrections,
            ..attendance::mark(event, *id, *key, session, marked)
        });
        Ok(told.collect())
    }

    /// What each mark was before: each entry names the one that it corrects. All marks of a page go back together.
    async fn corrections(&self, event: EventId, marks: &[(MarkKey, u64)]) -> Result<Vec<Vec<MarkBefore>>, Status> {
        let mut told: Vec<Vec<MarkBefore>> = marks.iter().map(|_| Vec::new()).collect();
        let mut at: Vec<Option<u64>> = marks.iter().map(|(_, step)| Some(*step)).collect();
        // The first turn reads what stands, which tells what it corrects.
        for turn in 0..=CORRECTIONS_MAX {
            let mut steps: Vec<u64> = at.iter().flatten().copied().collect();
            steps.sort_unstable();
            steps.dedup();
            if steps.is_empty() {
                break;
            }
            let entries = self.desk.store().journal_entries(event, &steps).await.map_err(status::storage)?;
            let entries: HashMap<u64, Entry> = entries.into_iter().map(|e| (e.number, e)).collect();
            for (n, (key, _)) in marks.iter().enumerate() {
                let Some(entry) = at[n].and_then(|step| entries.get(&step)) else { continue };
                if turn > 0 {
                    told[n].extend(attendance::before(entry, *key));
                }
                at[n] = was(entry, *key).map(|was| was.step);
            }
        }
        Ok(told)
    }
}

/// What an entry corrected of one mark.
fn was(entry: &Entry, key: MarkKey) -> Option<MarkWas> {
    let (Change::AttendanceRecorded { marks, .. } | Change::CheckedIn { marks, .. }) = &entry.change else {
        return None;
    };
    marks.iter().find(|m| m.number == key.number && m.member == key.member)?.was
}

/// `None` where there is no such session.
fn page(
    view: &View<'_>,
    session_id: &str,
    only: Option<RegistrationId>,
    after: Option<MarkKey>,
    size: usize,
) -> Option<Page> {
    let roster = view.roster;
    let session = match session_id {
        "" => None,
        id => Some(roster.terms.session(id)?.no),
    };
    let from = after.unwrap_or(MarkKey { session: session.unwrap_or(0), number: 0, member: 0 });
    let id_of = |no: SessionNo| roster.terms.session_no(no).map(|s| s.id.clone()).unwrap_or_default();
    let wanted = roster
        .marks_from(from)
        .filter(|(key, _)| after.is_none_or(|after| *key > after))
        .take_while(|(key, _)| session.is_none_or(|no| key.session == no))
        .filter(|(key, _)| only.is_none_or(|id| key.number == id.number()));
    let with_id = |(key, marked): (MarkKey, &Marked)| {
        let id = roster.standing(key.number)?.id;
        only.is_none_or(|only| only == id).then(|| (key, *marked, id, id_of(key.session)))
    };
    let mut marks: Vec<_> = wanted.filter_map(with_id).take(size + 1).collect();
    let is_last = marks.len() <= size;
    marks.truncate(size);
    let counted = roster.session_counts().filter(|c| session.is_none_or(|no| c.session == no));
    let mut sessions: Vec<SessionAttendance> =
        counted.map(|counts| to_proto::attendance::counts(&id_of(counts.session), &counts)).collect();
    if let (Some(no), true) = (session, sessions.is_empty()) {
        sessions.push(to_proto::attendance::counts(session_id, &roster.counts_of_session(no)));
    }
    Some(Page { marks, sessions, is_last })
}

fn bytes(key: MarkKey) -> Vec<u8> {
    [&key.session.to_be_bytes()[..], &key.number.to_be_bytes(), &key.member.to_be_bytes()].concat()
}

fn cursor(bytes: &[u8]) -> Option<MarkKey> {
    let (session, rest) = bytes.split_at_checked(2)?;
    let (number, member) = rest.split_at_checked(4)?;
    Some(MarkKey {
        session: SessionNo::from_be_bytes(session.try_into().ok()?),
        number: Number::from_be_bytes(number.try_into().ok()?),
        member: MemberNo::from_be_bytes(member.try_into().ok()?),
    })
}
