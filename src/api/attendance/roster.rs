//! GetRoster: what a group leader needs in the room. Names come from the database in their own order; who has a seat,
//! and the marks, from memory.

use crate::admission::{Refusal, Roster, Standing};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::{Fields, Path};
use crate::api::page_token::{Pages, Room};
use crate::api::privacy::Sight;
use crate::api::proto::{
    AgeGroup, GetRosterRequest, GetRosterResponse, HeadCount, RosterEntry, RosterMember, ServiceWishes,
};
use crate::api::registrations::{read_party, this_year};
use crate::api::status::About;
use crate::api::to_proto::{self, attendance, int32, names, words};
use crate::api::{Api, status};
use crate::desk::View;
use crate::model::access::Reach;
use crate::model::attendance::{Mark, MemberNo, Slot};
use crate::model::consent::Purpose;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::party::{Member, Party, Services, Who};
use crate::storage::PartyRow;
use tonic::Status;

const METHOD: &str = "GetRoster";
/// Parties that one call looks at.
const SCAN_MAX: usize = 5_000;
/// Parties read at once.
const CHUNK: u32 = 500;

/// What memory knows of a party with a seat at the session.
struct Seated {
    id: RegistrationId,
    restricted: bool,
    /// Whether this caller is shown nothing of its words.
    hidden: bool,
    consents: Vec<Purpose>,
    marks: Vec<(MemberNo, Mark, u16)>,
}

impl Api {
    pub(super) async fn roster(&self, caller: Caller, r: GetRosterRequest) -> Result<GetRosterResponse, Status> {
        caller.staff_only(METHOD)?;
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let session_id = fields.session_id(Path::Top("session_id"), r.session_id.clone());
        let size = fields.page_size(r.page_size) as usize;
        fields.finish(()).map_err(status::fields)?;
        let slot = self.slot(event, &session_id).await?;
        let look = |view: &View<'_>| {
            let counts = to_proto::attendance::counts(&session_id, &view.roster.counts_of_session(slot.no));
            (counts, caller.sees_people_of(view.event.details.named_roles()))
        };
        let (counts, shown) = self.look(event, look).await?;
        let order = if shown { "name" } else { "number" };
        let pages = Pages::of(self.desk.keys(), METHOD, &[&r.parent, &r.session_id, order]);
        let cursor = pages.cursor(&r.page_token)?;
        let mut after = cursor.and_then(|bytes| Some(Number::from_be_bytes(bytes.try_into().ok()?)));
        let sight = self.sight(caller, Acting::Staff)?;
        let reach = self.reach(caller)?;
        let mut answer =
            GetRosterResponse { session: Some(counts), people_hidden: !shown, ..GetRosterResponse::default() };
        if !shown {
            self.taken(&mut answer, (event, &slot, sight), after, size, &pages).await?;
            return Ok(answer);
        }
        let (mut scanned, mut room) = (0, Room::default());
        // Ends by return: at a full page, at the last one, or when enough were looked at.
        loop {
            let rows = self.parties_after(&reach, event, after).await?;
            scanned += rows.len();
            let is_last = rows.len() < CHUNK as usize;
            let numbers: Vec<Number> = rows.iter().map(|row| row.number).collect();
            let seated = self.look(event, |view| seated(view.roster, &slot, &numbers, sight)).await?;
            for (row, seated) in rows.iter().zip(seated) {
                let is_full = answer.entries.len() == size;
                let entry = match seated.filter(|_| !is_full) {
                    Some(seated) => Some(entry(event, &slot, &seated, read_party(row)?)),
                    None => None,
                };
                if is_full || entry.as_ref().is_some_and(|entry| !room.takes(entry)) {
                    answer.next_page_token = after.map(|n| pages.token(&n.to_be_bytes())).unwrap_or_default();
                    return Ok(answer);
                }
                after = Some(row.number);
                answer.entries.extend(entry);
            }
            if is_last || scanned >= SCAN_MAX {
                answer.next_page_token =
                    after.filter(|_| !is_last).map(|n| pages.token(&n.to_be_bytes())).unwrap_or_default();
                return Ok(answer);
            }
        }
    }

    /// Fills a page with those who have a seat, by number and without a word of who they are.
    async fn taken(
        &self,
        answer: &mut GetRosterResponse,
        (event, slot, sight): (EventId, &Slot, Sight),
        after: Option<Number>,
        size: usize,
        pages: &Pages<'_>,
    ) -> Result<(), Status> {
        let look = |view: &View<'_>| {
            let from = after.map_or(1, |number| number.saturating_add(1));
            let parties = (from..view.roster.next_number).filter_map(|number| view.roster.standing(number));
            let seat = |s: &Standing| Some((s.number, s.size, seated(view.roster, slot, &[s.number], sight).pop()??));
            parties.filter_map(seat).take(size + 1).collect::<Vec<_>>()
        };
        let (mut last, mut room) = (None, Room::default());
        for (number, persons, seated) in self.look(event, look).await? {
            let entry = entry_without_people(event, &seated, persons);
            if answer.entries.len() == size || !room.takes(&entry) {
                answer.next_page_token = last.map(|n: Number| pages.token(&n.to_be_bytes())).unwrap_or_default();
                break;
            }
            last = Some(number);
            answer.entries.push(entry);
        }
        Ok(())
    }

    /// A session of an event that exists.
    async fn slot(&self, event: EventId, session_id: &str) -> Result<Slot, Status> {
        let slot = self.look(event, |view| view.roster.terms.session(session_id).cloned()).await?;
        slot.ok_or_else(|| {
            let about = About { session_id, ..About::event(METHOD, event) };
            status::refused(&Refusal::SessionNotFound, &about, None, &status::Facts::default())
        })
    }

    /// The next parties by name. The token holds no name: it is looked up again.
    async fn parties_after(
        &self,
        reach: &Reach,
        event: EventId,
        after: Option<Number>,
    ) -> Result<Vec<PartyRow>, Status> {
        let store = self.desk.store();
        let after = match after {
            None => None,
            Some(number) => {
                let rows = store.parties(reach, event, &[number]).await.map_err(status::storage)?;
                let row = rows.into_iter().next().ok_or_else(status::page_token)?;
                Some((row.search, number))
            }
        };
        store.parties_by_name(reach, event, after, CHUNK).await.map_err(status::storage)
    }
}

/// Beside `numbers`: those who have a seat at the session, or had one and have a mark there.
fn seated(roster: &Roster, slot: &Slot, numbers: &[Number], sight: Sight) -> Vec<Option<Seated>> {
    let look = |number: &Number| {
        let s = roster.standing(*number)?;
        let marks: Vec<(MemberNo, Mark, u16)> = roster
            .marks_from(crate::admission::MarkKey { session: slot.no, number: *number, member: 0 })
            .take_while(|(key, _)| key.session == slot.no && key.number == *number)
            .map(|(key, m)| (key.member, m.mark, m.minutes))
            .collect();
        let expected = roster.has_seat_at(s, slot);
        let restricted = s.restricted_at().is_some();
        let consents = s.said().consents.iter().filter(|c| c.holds() && !restricted).map(|c| c.purpose).collect();
        let is_here = expected || !marks.is_empty();
        is_here.then(|| Seated { id: s.id, restricted, hidden: sight.hides(s), consents, marks })
    };
    numbers.iter().map(look).collect()
}

fn entry_without_people(event: EventId, seated: &Seated, persons: u32) -> RosterEntry {
    let nobody = |no: MemberNo| {
        let marked = seated.marks.iter().find(|(of, ..)| *of == no);
        RosterMember {
            member: i32::from(no),
            mark: marked.map(|(_, mark, _)| attendance::mark_word(*mark).into()).unwrap_or_default(),
            minutes: marked.map_or(0, |(.., minutes)| i32::from(*minutes)),
            ..RosterMember::default()
        }
    };
    RosterEntry {
        registration: names::registration(event, seated.id),
        members: (1..=MemberNo::try_from(persons).unwrap_or(MemberNo::MAX)).map(nobody).collect(),
        present: present(seated),
        ..RosterEntry::default()
    }
}

fn present(seated: &Seated) -> i32 {
    let present = seated.marks.iter().filter(|(_, mark, _)| *mark == Mark::Present).count();
    int32(u32::try_from(present).unwrap_or(u32::MAX))
}

fn entry(event: EventId, slot: &Slot, seated: &Seated, party: Party) -> RosterEntry {
    let party = if seated.hidden { party.hidden() } else { party };
    let Services { childcare_children, rides } = party.services;
    let wished = childcare_children > 0 || rides > 0;
    let year = this_year(slot.starts_at);
    let (display_name, members, head_count) = match party.who {
        Who::Members(members) => {
            let members = (1..).zip(members).map(|(no, m)| member(no, m, &seated.marks, year)).collect();
            (String::new(), members, None)
        }
        Who::Heads { adults, children } => {
            let heads = HeadCount { adults: int32(adults), children: int32(children) };
            (party.contact.name, Vec::new(), Some(heads))
        }
    };
    RosterEntry {
        registration: names::registration(event, seated.id),
        display_name,
        members,
        head_count,
        present: present(seated),
        services: wished.then(|| ServiceWishes { childcare_children: int32(childcare_children), rides: int32(rides) }),
        restricted: seated.restricted,
        consents: seated.consents.iter().map(|purpose| words::consent_purpose(*purpose).into()).collect(),
    }
}

fn member(no: MemberNo, member: Member, marks: &[(MemberNo, Mark, u16)], year: i16) -> RosterMember {
    let marked = marks.iter().find(|(of, ..)| *of == no);
    let age_group = match member.birth_year.map(|born| i32::from(year) - i32::from(born)) {
        None => AgeGroup::Unspecified,
        Some(age) if age < 18 => AgeGroup::Child,
        Some(_) => AgeGroup::Adult,
    };
    RosterMember {
        member: i32::from(no),
        display_name: member.name,
        age_group: age_group.into(),
        mark: marked.map(|(_, mark, _)| attendance::mark_word(*mark).into()).unwrap_or_default(),
        minutes: marked.map_or(0, |(.., minutes)| i32::from(*minutes)),
    }
}
