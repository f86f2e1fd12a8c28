//! Compares an event as it is stored with the roster that its journal leads to, and with what its own rows
//! add up to.

use super::replay::Replayed;
use super::{About, Difference, Replay};
use crate::admission::{Counts, Header, MarkKey, Recorded, Roster, Standing};
use crate::model::contact::ContactKeys;
use crate::model::event::Event;
use crate::model::id::{Number, RegistrationId};
use crate::model::registration::State;
use crate::storage::Whole;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;

/// Everything that does not agree.
pub fn compare(whole: Whole, replay: Replay) -> Vec<Difference> {
    let Replayed { roster, per_contact, found } = replay.finish();
    let mut notes = Notes(found);
    let Whole { event, header, next_due, free_seats, standings, requests, marks } = whole;
    check_requests(&mut notes, &requests, &header, &standings);
    let Some(told) = roster else {
        notes.add(About::Journal, "there is none, or it cannot be read from its beginning".to_owned());
        return notes.0;
    };
    check_ids(&mut notes, &standings);
    let mut rows = Roster::from_rows(event.id, event.terms.clone(), &header, standings);
    for (key, marked) in marks {
        rows.place_mark(key, marked);
    }
    compare_headers(&mut notes, &header, &told.header());
    notes.same(About::Header, "what is due next", &next_due, JOURNAL, &told.next_due());
    notes.same(About::Header, "free seats", &free_seats, JOURNAL, &told.free_in_all());
    compare_documents(&mut notes, &event, &header, &told);
    compare_counts(&mut notes, "the journal gives", &header.counts, &told.counts);
    compare_counts(&mut notes, "the rows give", &header.counts, &rows.counts);
    compare_standings(&mut notes, &rows, &told);
    compare_lines(&mut notes, &rows, &told);
    compare_attendance(&mut notes, &rows, &told);
    if let Some(most) = per_contact {
        check_contacts(&mut notes, &rows, most as usize);
    }
    notes.0
}

struct Notes(Vec<Difference>);

impl Notes {
    fn add(&mut self, about: About, text: String) {
        self.0.push(Difference { about, text });
    }

    /// Notes where two values that ought to be the same are not.
    fn same<T: PartialEq + Debug>(&mut self, about: About, what: &str, stored: &T, says: &str, other: &T) {
        if stored != other {
            self.add(about, format!("{what} is stored as {stored:?}, {says} {other:?}"));
        }
    }
}

const JOURNAL: &str = "the journal gives";

fn compare_headers(notes: &mut Notes, stored: &Header, told: &Header) {
    let Header { state, version, journal_number, last_at, next_number, counts: _, released, attendance } = stored;
    notes.same(About::Header, "state", state, JOURNAL, &told.state);
    notes.same(About::Header, "version", version, JOURNAL, &told.version);
    notes.same(About::Header, "journal number", journal_number, JOURNAL, &told.journal_number);
    notes.same(About::Header, "time of the last change", &last_at.0, JOURNAL, &told.last_at.0);
    notes.same(About::Header, "next number", next_number, JOURNAL, &told.next_number);
    notes.same(About::Header, "released pools", released, JOURNAL, &told.released);
    notes.same(About::Attendance, "the counts of sessions", attendance, JOURNAL, &told.attendance);
}

/// Free seats over all pools; `None` where one has no bound.
fn compare_documents(notes: &mut Notes, event: &Event, header: &Header, told: &Roster) {
    let says = "the event row has";
    notes.same(About::Header, "version of the document", &event.version, says, &header.version);
    if event.terms != told.terms {
        notes.add(About::Header, "the stored terms are not those of the journal".to_owned());
    }
}

fn compare_counts(notes: &mut Notes, says: &str, stored: &Counts, other: &Counts) {
    let tallies = |c: &Counts| {
        [
            ("in review", c.in_review),
            ("waiting", c.waiting),
            ("offered", c.offered),
            ("confirmed", c.confirmed),
            ("cancelled", c.cancelled),
            ("declined", c.declined),
            ("expired", c.expired),
            ("rejected", c.rejected),
            ("event cancelled", c.event_cancelled),
            ("transferred", c.transferred),
            ("dropped", c.dropped),
        ]
    };
    for ((what, stored), (_, other)) in tallies(stored).into_iter().zip(tallies(other)) {
        if stored != other {
            let text = format!(
                "{what} is stored as {} parties of {} persons, {says} {} of {}",
                stored.parties, stored.persons, other.parties, other.persons
            );
            notes.add(About::Counts, text);
        }
    }
    notes.same(About::Counts, "offers made", &stored.offers_made, says, &other.offers_made);
    notes.same(About::Counts, "offers accepted", &stored.offers_accepted, says, &other.offers_accepted);
    notes.same(About::Counts, "offers declined", &stored.offers_declined, says, &other.offers_declined);
    notes.same(About::Counts, "offers missed", &stored.offers_missed, says, &other.offers_missed);
}

/// A registration's id carries its number, and no two rows have the same.
fn check_ids(notes: &mut Notes, standings: &[Standing]) {
    let mut seen = HashSet::with_capacity(standings.len());
    for s in standings {
        if s.id.number() != s.number {
            notes.add(About::Registration, format!("{} has an id that says {}", s.number, s.id.number()));
        }
        if !seen.insert(s.number) {
            notes.add(About::Registration, format!("{} is stored twice", s.number));
        }
    }
}

fn compare_standings(notes: &mut Notes, rows: &Roster, told: &Roster) {
    for s in rows.standings() {
        match told.standing(s.number) {
            None => notes.add(About::Registration, format!("{} is stored, and not in the journal", s.number)),
            Some(other) => compare_standing(notes, s, other),
        }
    }
    for other in told.standings() {
        if rows.standing(other.number).is_none() {
            notes.add(About::Registration, format!("{} is in the journal, and not stored", other.number));
        }
    }
}

fn compare_standing(notes: &mut Notes, stored: &Standing, told: &Standing) {
    // What the journal does not hold cannot differ.
    let (id, contact) = (RegistrationId::new(0, [0; 12]), ContactKeys::default());
    if (Standing { id, contact, ..stored.clone() }) == (Standing { id, contact, ..told.clone() }) {
        return;
    }
    let n = stored.number;
    let before = notes.0.len();
    let mut same = |what: &str, a: &dyn Debug, b: &dyn Debug| {
        let (a, b) = (format!("{a:?}"), format!("{b:?}"));
        notes.same(About::Registration, &format!("{what} of {n}"), &a, JOURNAL, &b);
    };
    same("state", &stored.state, &told.state);
    same("size", &stored.size, &told.size);
    same("class", &stored.class, &told.class);
    same("place", &stored.place, &told.place);
    same("wishes", &stored.wishes, &told.wishes);
    same("times passed over", &stored.passed_over, &told.passed_over);
    same("missed offers", &stored.missed_offers, &told.missed_offers);
    same("ever seated", &stored.seated, &told.seated);
    same("twin", &stored.twin_of, &told.twin_of);
    same("time to drop", &stored.drop_at, &told.drop_at);
    same("time of acceptance", &stored.accepted_at, &told.accepted_at);
    same("time of change", &stored.changed_at, &told.changed_at);
    same("erasure", &stored.erased, &told.erased);
    same("restriction and consents", &stored.choices, &told.choices);
    same("steps", &stored.steps, &told.steps);
    if notes.0.len() == before {
        notes.add(About::Registration, format!("{n} differs from the journal"));
    }
}

/// Every mark as stored and as the journal leaves it; and the counts of each session, counted from the rows.
fn compare_attendance(notes: &mut Notes, rows: &Roster, told: &Roster) {
    let (stored, journal): (HashMap<_, _>, HashMap<_, _>) = (rows.marks().collect(), told.marks().collect());
    let mut keys: Vec<MarkKey> = stored.keys().chain(journal.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let what = format!("the mark of {}.{} at session {}", key.number, key.member, key.session);
        notes.same(About::Attendance, &what, &stored.get(&key), JOURNAL, &journal.get(&key));
    }
    for counts in told.session_counts() {
        let what = format!("the count of session {} by its rows", counts.session);
        notes.same(About::Attendance, &what, &rows.counts_of_session(counts.session), JOURNAL, &counts);
    }
}

/// The line three times: from the rows, from the journal, and by plain sorting.
fn compare_lines(notes: &mut Notes, rows: &Roster, told: &Roster) {
    let mut sorted: Vec<(u8, Number, Number)> =
        rows.standings().filter(|s| s.state == State::Waitlisted).map(|s| (rows.rank(s), s.place, s.number)).collect();
    sorted.sort_unstable();
    notes.same(About::Line, "its length", &rows.line_len(), JOURNAL, &told.line_len());
    for (position, (_, _, number)) in (1u32..).zip(&sorted) {
        for (whose, roster) in [("the rows", rows), ("the journal", told)] {
            let other = roster.position(*number);
            if other != position {
                let text = format!("{number} sorts at {position}, and stands at {other} by {whose}");
                notes.add(About::Line, text);
            }
        }
    }
    for pair in sorted.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1 {
            notes.add(About::Line, format!("{} and {} stand at the same place", pair[0].2, pair[1].2));
        }
    }
}

/// One contact, no more live registrations than the event ever allowed, possible duplicates aside.
fn check_contacts(notes: &mut Notes, rows: &Roster, most: usize) {
    let mut holders: HashMap<u64, Vec<Number>> = HashMap::new();
    for s in rows.standings() {
        if s.state.is_live() && s.twin_of.is_none() {
            for key in s.contact.iter() {
                holders.entry(key).or_default().push(s.number);
            }
        }
    }
    let mut crowded: Vec<Vec<Number>> = holders.into_values().filter(|h| h.len() > most).collect();
    crowded.sort_unstable();
    crowded.dedup();
    for numbers in crowded {
        notes.add(About::Contact, format!("{numbers:?} live under one contact, which may have {most}"));
    }
}

fn check_requests(notes: &mut Notes, requests: &[(u128, Recorded)], header: &Header, standings: &[Standing]) {
    let known: HashSet<Number> = standings.iter().map(|s| s.number).collect();
    for (_, recorded) in requests {
        let outcome = recorded.outcome;
        if outcome.number != 0 && !known.contains(&outcome.number) {
            notes.add(About::Request, format!("an answer names {}, which is not stored", outcome.number));
        }
        if outcome.journal_number > header.journal_number {
            let text = format!(
                "an answer names journal number {}, and the event is at {}",
                outcome.journal_number, header.journal_number
            );
            notes.add(About::Request, text);
        }
    }
}
