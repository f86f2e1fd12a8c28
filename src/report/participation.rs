//! Participation: persons once per project from their first presence, attendances, hours, families.

use super::demand::channel_word;
use super::digest::Digested;
use super::facts::{Fact, MemberFact};
use super::people::People;
use crate::model::access::Role;
use crate::model::attendance::Mark;
use crate::model::event::{EventKind, EventState};
use crate::model::party::Sex;
use crate::model::person::PersonId;
use crate::model::time::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What is asked for.
pub struct Wanted<'a> {
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
    pub people: &'a People,
    /// The day of a moment in the zone of the report, and its year.
    pub day: &'a (dyn Fn(Timestamp) -> (String, i16) + Sync),
    /// Its day of the week there: "mon" to "sun".
    pub weekday: &'a (dyn Fn(Timestamp) -> &'static str + Sync),
    /// Whether whoever reads it is shown the people of an event of which these roles alone see them.
    pub shows: &'a (dyn Fn(Option<&[Role]>) -> bool + Sync),
}

/// Ages that are counted together, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Band {
    pub from: u16,
    pub to: Option<u16>,
}

/// Attendances of an event, a programme, a month ...
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attendances {
    /// Person x event.
    pub participants: u64,
    /// Person x session.
    pub attendances: u64,
    pub minutes: u64,
    pub absences: u64,
    pub excused: u64,
    pub sessions: u64,
    /// How long these sessions were planned to be, together.
    pub planned_minutes: u64,
}

impl Attendances {
    /// Every count of persons in it, for the protection of small ones.
    pub fn counts(&self) -> [u64; 4] {
        [self.participants, self.attendances, self.absences, self.excused]
    }
}

/// The first presence of a person, and what was known of it then or, where that was nothing, first.
#[derive(Clone, Copy, Debug)]
struct First {
    at: Timestamp,
    /// The first at an event whose people are shown.
    shown_at: Option<Timestamp>,
    sex: Option<(Timestamp, Sex)>,
    birth_year: Option<(Timestamp, u16)>,
}

/// Who took part.
#[derive(Default)]
pub struct Participation {
    first: HashMap<PersonId, First>,
    pub total: Attendances,
    /// By dimension and value.
    pub by: BTreeMap<(&'static str, String), Attendances>,
    pub consultations: u64,
    pub heads_adults: u64,
    pub heads_children: u64,
    pub heads_estimated: bool,
    /// Something of the period was at events whose people are not shown.
    pub people_hidden: bool,
    families: Families,
    /// Families that came as a head-count.
    unnamed_families: u64,
}

impl Participation {
    /// Takes an event in. Open events give their heads and nothing else.
    pub fn add(&mut self, wanted: &Wanted<'_>, digested: &Digested, facts: &[Fact]) {
        match (digested.head.kind, digested.head.state) {
            (_, EventState::Draft) => {}
            (EventKind::OpenEvent, _) => self.add_heads(wanted, digested),
            _ => self.add_named(wanted, digested, facts),
        }
    }

    fn add_heads(&mut self, wanted: &Wanted<'_>, digested: &Digested) {
        for session in digested.head.sessions.iter().filter(|s| wanted.holds(s.starts_at)) {
            if let Some((adults, children, estimated)) = session.heads {
                self.heads_adults += u64::from(adults);
                self.heads_children += u64::from(children);
                self.heads_estimated |= estimated;
            }
        }
    }

    fn add_named(&mut self, wanted: &Wanted<'_>, digested: &Digested, facts: &[Fact]) {
        let starts: HashMap<u16, Timestamp> = digested.head.sessions.iter().map(|s| (s.no, s.starts_at)).collect();
        let shown = (wanted.shows)(digested.head.named_roles.as_deref());
        let place = Place { wanted, digested, starts: &starts, shown };
        // By what the event has planned, and never by who came: that it was empty is no business of whoever is not named.
        self.people_hidden |= !shown && digested.head.sessions.iter().any(|s| wanted.holds(s.starts_at));
        for session in digested.head.sessions.iter().filter(|s| s.held && !s.cancelled) {
            if wanted.holds(session.starts_at) {
                let month = wanted.month(session.starts_at);
                self.total.held(session.minutes);
                for key in place.keys(session.starts_at, &month) {
                    self.by.entry(key).or_default().held(session.minutes);
                }
            }
        }
        // A person may stand in several parties of one event: it is one participant.
        let mut seen = HashSet::new();
        for fact in facts {
            let mut present = Vec::new();
            for member in &fact.members {
                if self.add_member(&place, fact, member, &mut seen) {
                    present.push(wanted.people.one(member.person));
                }
            }
            if !fact.group {
                self.families.party(&present);
            }
            self.add_unnamed(&place, fact);
        }
    }

    /// Whether the member was present in the period.
    fn add_member(
        &mut self,
        place: &Place<'_>,
        fact: &Fact,
        member: &MemberFact,
        seen: &mut HashSet<(PersonId, String)>,
    ) -> bool {
        let person = place.wanted.people.one(member.person);
        let mut was_present = false;
        for (session, mark, minutes) in &member.marks {
            let Some(at) = place.starts.get(session).copied() else { continue };
            if *mark == Mark::Present {
                self.meet(person, at, place.shown, member);
            }
            if !place.wanted.holds(at) {
                continue;
            }
            let month = place.wanted.month(at);
            let is_new = *mark == Mark::Present && seen.insert((person, String::new()));
            let is_new_in_month = *mark == Mark::Present && seen.insert((person, month.clone()));
            was_present |= *mark == Mark::Present;
            let mut keys = place.keys(at, &month);
            keys.push(("eldership", fact.eldership_of(member).to_owned()));
            keys.push(("language", fact.language.clone()));
            keys.push(("channel", channel_word(fact.channel).to_owned()));
            if *mark == Mark::Present && place.digested.head.kind == EventKind::Appointments {
                self.consultations += 1;
            }
            self.total.mark(*mark, *minutes, is_new);
            for key in keys {
                let is_new = if key.0 == "month" { is_new_in_month } else { is_new };
                self.by.entry(key).or_default().mark(*mark, *minutes, is_new);
            }
        }
        was_present
    }

    /// A party without names: attendances and minutes, and a family, but nobody who could be known again.
    fn add_unnamed(&mut self, place: &Place<'_>, fact: &Fact) {
        let mut came = false;
        for (session, minutes) in &fact.unnamed {
            let Some(at) = place.starts.get(session).copied().filter(|at| place.wanted.holds(*at)) else { continue };
            came = true;
            self.total.mark(Mark::Present, *minutes, false);
            for key in place.keys(at, &place.wanted.month(at)) {
                self.by.entry(key).or_default().mark(Mark::Present, *minutes, false);
            }
        }
        self.unnamed_families += u64::from(came && !fact.group);
    }

    /// Remembers the earliest presence, and the earliest that is known of sex and year of birth.
    fn meet(&mut self, person: PersonId, at: Timestamp, shown: bool, member: &MemberFact) {
        let sex = Some((at, member.sex)).filter(|(_, sex)| *sex != Sex::NotGiven);
        let birth_year = member.birth_year.map(|year| (at, year));
        let first = self.first.entry(person).or_insert(First { at, shown_at: None, sex, birth_year });
        first.at = first.at.min(at);
        first.shown_at = earlier(first.shown_at, Some(at).filter(|_| shown), |at| at);
        first.sex = earlier(first.sex, sex, |(at, sex)| (at, sex as u8));
        first.birth_year = earlier(first.birth_year, birth_year, |known| known);
    }

    /// Persons who began in the period, by sex and band; a year of birth that is not known has no band.
    pub fn began(&self, wanted: &Wanted<'_>, bands: &[Band]) -> BTreeMap<(u8, Option<Band>), u64> {
        let mut rows = BTreeMap::new();
        for first in self.first.values().filter(|first| wanted.holds(first.at)) {
            let sex = first.sex.map_or(Sex::NotGiven, |(_, sex)| sex);
            let (_, year) = (wanted.day)(first.at);
            let age = first.birth_year.map(|(_, born)| u16::try_from(year).unwrap_or(0).saturating_sub(born));
            let band = age.and_then(|age| bands.iter().find(|b| b.from <= age && b.to.is_none_or(|to| age <= to)));
            *rows.entry((sex as u8, band.copied())).or_default() += 1;
        }
        rows
    }

    /// How many persons began in the period.
    pub fn beginners(&self, wanted: &Wanted<'_>) -> u64 {
        self.first.values().filter(|first| wanted.holds(first.at)).count() as u64
    }

    /// Who began in the period by the events whose people are shown, as if there were no others: whoever is named here, or is
    /// missing, tells nothing of those. In order of their ids.
    pub fn shown_beginners(&self, wanted: &Wanted<'_>) -> Vec<PersonId> {
        let began = self.first.iter().filter(|(_, first)| first.shown_at.is_some_and(|at| wanted.holds(at)));
        let mut ids: Vec<PersonId> = began.map(|(person, _)| *person).collect();
        ids.sort_unstable();
        ids
    }

    /// Persons who had begun by the end of the period.
    pub fn cumulative(&self, wanted: &Wanted<'_>) -> u64 {
        let until = |first: &&First| wanted.before.is_none_or(|before| first.at < before);
        self.first.values().filter(until).count() as u64
    }

    /// Each day on which somebody began, up to the end of the period, with all who had begun by its end.
    pub fn days(&self, wanted: &Wanted<'_>) -> Vec<(String, u64)> {
        let mut per_day: BTreeMap<String, u64> = BTreeMap::new();
        for first in self.first.values().filter(|f| wanted.before.is_none_or(|before| f.at < before)) {
            *per_day.entry((wanted.day)(first.at).0).or_default() += 1;
        }
        let mut sum = 0;
        per_day
            .into_iter()
            .map(|(day, n)| {
                sum += n;
                (day, sum)
            })
            .collect()
    }

    /// Families of whom somebody was present in the period.
    pub fn families(&mut self, people: &People) -> u64 {
        self.families.count(people) + self.unnamed_families
    }
}

impl Attendances {
    fn held(&mut self, minutes: u16) {
        self.sessions += 1;
        self.planned_minutes += u64::from(minutes);
    }

    fn mark(&mut self, mark: Mark, minutes: u16, is_new: bool) {
        match mark {
            Mark::Present => {
                self.attendances += 1;
                self.minutes += u64::from(minutes);
                self.participants += u64::from(is_new);
            }
            Mark::Absent => self.absences += 1,
            Mark::Excused => self.excused += 1,
            Mark::MadeUp => {}
        }
    }
}

fn earlier<T: Copy, K: Ord>(a: Option<T>, b: Option<T>, key: impl Fn(T) -> K) -> Option<T> {
    [a, b].into_iter().flatten().min_by_key(|known| key(*known))
}

impl Wanted<'_> {
    fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.before.is_none_or(|before| at < before)
    }

    /// "YYYY-MM".
    fn month(&self, at: Timestamp) -> String {
        let mut day = (self.day)(at).0;
        day.truncate(7);
        day
    }
}

/// An event while its members are counted.
struct Place<'a> {
    wanted: &'a Wanted<'a>,
    digested: &'a Digested,
    starts: &'a HashMap<u16, Timestamp>,
    /// Its people are shown to whoever reads it.
    shown: bool,
}

impl Place<'_> {
    /// The lines that a session of this month counts in.
    fn keys(&self, at: Timestamp, month: &str) -> Vec<(&'static str, String)> {
        let weekday = (self.wanted.weekday)(at).to_owned();
        let head = &self.digested.head;
        vec![
            ("event", self.digested.event.0.to_string()),
            ("programme", head.programme.as_ref().map_or(String::new(), |p| p.0.clone())),
            ("municipality", head.municipality.clone()),
            ("month", month.to_owned()),
            ("weekday", weekday),
        ]
    }
}

/// Persons who came together, and what becomes of them when some of them come with others.
#[derive(Default)]
struct Families {
    /// Each person's neighbour towards the family's root; a root is its own.
    towards: HashMap<PersonId, PersonId>,
}

impl Families {
    fn root(&mut self, person: PersonId) -> PersonId {
        let mut root = person;
        while let Some(next) = self.towards.get(&root).copied().filter(|next| *next != root) {
            root = next;
        }
        self.towards.insert(person, root);
        root
    }

    fn join(&mut self, a: PersonId, b: PersonId) {
        let (a, b) = (self.root(a), self.root(b));
        self.towards.insert(a, b);
    }

    fn party(&mut self, present: &[PersonId]) {
        for person in present {
            self.join(*person, present[0]);
        }
    }

    /// How many there are, with those linked whom staff linked.
    fn count(&mut self, people: &People) -> u64 {
        for family in people.families() {
            let known: Vec<PersonId> =
                family.iter().map(|p| people.one(*p)).filter(|p| self.towards.contains_key(p)).collect();
            self.party(&known);
        }
        let persons: Vec<PersonId> = self.towards.keys().copied().collect();
        let roots: HashSet<PersonId> = persons.into_iter().map(|person| self.root(person)).collect();
        roots.len() as u64
    }
}
