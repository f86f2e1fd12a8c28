//! GetCompletion: who reached what the event asks for, from memory, with names from the database.

use crate::admission::{Completion, Progress, Roster, Standing};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::{Fields, Path};
use crate::api::page_token::Pages;
use crate::api::privacy::Sight;
use crate::api::proto::{CompletionProgress, GetCompletionRequest, GetCompletionResponse, MemberCompletion};
use crate::api::registrations::read_party;
use crate::api::to_proto::{admin::attendance_rule, int32, names, words};
use crate::api::{Api, status};
use crate::desk::View;
use crate::model::access::Reach;
use crate::model::attendance::MemberNo;
use crate::model::event::AttendanceRule;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::party::{Party, Who};
use crate::model::registration::StateKind;
use crate::model::time::Timestamp;
use crate::storage::PartyRow;
use std::collections::HashMap;
use tonic::Status;

const METHOD: &str = "GetCompletion";

type Key = (Number, MemberNo);
type Member = (Key, RegistrationId, StateKind, Completion);

/// One page out of memory, and the sums over everybody.
struct Page {
    rule: AttendanceRule,
    members: Vec<Member>,
    is_last: bool,
    reached: u32,
    one_makeup_short: u32,
    certificates_due: u32,
}

impl Api {
    pub(super) async fn completion(
        &self,
        caller: Caller,
        r: GetCompletionRequest,
    ) -> Result<GetCompletionResponse, Status> {
        caller.staff_only(METHOD)?;
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let only: Option<CompletionProgress> = fields.word(Path::Top("progress"), r.progress);
        let size = fields.page_size(r.page_size) as usize;
        fields.finish(()).map_err(status::fields)?;
        let wanted = only.map_or("", |p| p.as_str_name());
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.parent, wanted]);
        let after = pages.cursor(&r.page_token)?.as_deref().and_then(cursor);
        let now = self.desk.clock().now();
        let look = |view: &View<'_>| {
            (page(view, only, after, size, now), caller.sees_people_of(view.event.details.named_roles()))
        };
        let (page, shown) = self.look(event, look).await?;
        let last = page.members.last().map(|(key, ..)| pages.token(&bytes(*key)));
        let (reach, sight) = (self.reach(caller)?, self.sight(caller, Acting::Staff)?);
        let parties = match shown {
            true => self.parties_of(&reach, event, &page.members, sight).await?,
            false => HashMap::new(),
        };
        let told = |m: &Member| member(event, m, parties.get(&m.0.0));
        Ok(GetCompletionResponse {
            members: page.members.iter().map(told).collect(),
            rule: Some(attendance_rule(page.rule)),
            reached_members: int32(page.reached),
            one_makeup_short_members: int32(page.one_makeup_short),
            certificates_due: int32(page.certificates_due),
            people_hidden: !shown,
            next_page_token: last.filter(|_| !page.is_last).unwrap_or_default(),
        })
    }

    /// The words of parties, as this caller is shown them.
    async fn parties_of(
        &self,
        reach: &Reach,
        event: EventId,
        members: &[Member],
        sight: Sight,
    ) -> Result<HashMap<Number, Party>, Status> {
        let mut numbers: Vec<Number> = members.iter().map(|m| m.0.0).collect();
        numbers.dedup();
        let rows = self.desk.store().parties(reach, event, &numbers).await.map_err(status::storage)?;
        let hidden = |view: &View<'_>, number| view.roster.standing(number).is_some_and(|s| sight.hides(s));
        // Looked at after they were read: who restricts meanwhile is not shown.
        let shown = self.look(event, |view| rows.iter().map(|row| !hidden(view, row.number)).collect::<Vec<_>>());
        let shown = shown.await?;
        let read = |(row, shown): (&PartyRow, bool)| {
            let party = read_party(row)?;
            Ok((row.number, if shown { party } else { party.hidden() }))
        };
        rows.iter().zip(shown).map(read).collect()
    }
}

/// Without a rule, whoever came at all has attended.
fn rule_of(view: &View<'_>) -> AttendanceRule {
    view.event.details.attendance_rule.unwrap_or(AttendanceRule { min_percent: 0, makeup_sessions: 0 })
}

fn page(view: &View<'_>, only: Option<CompletionProgress>, after: Option<Key>, size: usize, now: Timestamp) -> Page {
    let (roster, rule) = (view.roster, rule_of(view));
    let mut page =
        Page { rule, members: Vec::new(), is_last: true, reached: 0, one_makeup_short: 0, certificates_due: 0 };
    for s in roster.standings().filter(|s| takes_part(roster, s)) {
        for member in 1..=MemberNo::try_from(s.size).unwrap_or(MemberNo::MAX) {
            let completion = roster.completion(s, member, rule, now);
            page.reached += u32::from(completion.progress == Progress::Reached);
            page.one_makeup_short += u32::from(completion.progress == Progress::OneMakeupShort);
            page.certificates_due += u32::from(is_due(&completion));
            let key = (s.number, member);
            let wanted = only.is_none_or(|only| only == progress_word(completion.progress));
            if !wanted || after.is_some_and(|after| key <= after) {
                continue;
            }
            if page.members.len() < size {
                page.members.push((key, s.id, s.state.kind(), completion));
            } else {
                page.is_last = false;
            }
        }
    }
    page
}

/// Everybody with a seat; and of those who left, whoever has a mark.
fn takes_part(roster: &Roster, s: &Standing) -> bool {
    s.seated && (s.state.is_live() || roster.last_member_marked(s.number) > 0)
}

fn is_due(completion: &Completion) -> bool {
    completion.is_over && completion.progress == Progress::Reached
}

fn progress_word(progress: Progress) -> CompletionProgress {
    match progress {
        Progress::Reached => CompletionProgress::Reached,
        Progress::OneMakeupShort => CompletionProgress::OneMakeupShort,
        Progress::Possible => CompletionProgress::Possible,
        Progress::OutOfReach => CompletionProgress::OutOfReach,
    }
}

fn member(event: EventId, (key, id, state, c): &Member, party: Option<&Party>) -> MemberCompletion {
    let name = match party.map(|p| &p.who) {
        Some(Who::Members(members)) => members.get(usize::from(key.1) - 1).map(|m| m.name.clone()),
        _ => None,
    };
    MemberCompletion {
        registration: names::registration(event, *id),
        member: i32::from(key.1),
        display_name: name.unwrap_or_default(),
        state: words::registration_state(*state).into(),
        progress: progress_word(c.progress).into(),
        sessions_present: int32(c.sessions_present),
        sessions_made_up: int32(c.sessions_made_up),
        sessions_absent: int32(c.sessions_absent),
        minutes_present: int32(c.minutes_present),
        minutes_in_all: int32(c.minutes_in_all),
        percent: int32(c.percent()),
        certificate_due: is_due(c),
    }
}

fn bytes((number, member): Key) -> Vec<u8> {
    [&number.to_be_bytes()[..], &member.to_be_bytes()].concat()
}

fn cursor(bytes: &[u8]) -> Option<Key> {
    let (number, member) = bytes.split_at_checked(4)?;
    Some((Number::from_be_bytes(number.try_into().ok()?), MemberNo::from_be_bytes(member.try_into().ok()?)))
}
