//! An event with a past, and then one thing wrong with it at a time.

use super::{About, Difference, Replay, compare};
use crate::admission::{Answer, Change, Command, Counts, Entry, NewParty, Outcome, Recorded, Request, Roster, Verb};
use crate::model::consent::Choices;
use crate::model::contact::ContactKeys;
use crate::model::event::{Details, Event, EventKind, Pool, Terms, Venue};
use crate::model::id::{CentreId, EventId, RegistrationId};
use crate::model::policy::{Policy, Promotion};
use crate::model::registration::{ActorKind, CancelReason, State};
use crate::model::time::{Timestamp, Zone};
use crate::storage::Whole;
use std::sync::Arc;
use uuid::Uuid;

struct Story {
    roster: Roster,
    journal: Vec<Entry>,
    now: i64,
}

fn terms(capacity: u32, promotion: Promotion) -> Arc<Terms> {
    let pool = |no, id: &str, capacity| Pool {
        no,
        id: id.into(),
        capacity: Some(capacity),
        classes: Vec::new(),
        release_at: None,
        session_id: String::new(),
    };
    Arc::new(Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at: Some(Timestamp(4_000_000_000_000_000)),
        ends_at: None,
        pools: vec![pool(1, "hall", capacity), pool(2, "balcony", 1)],
        policy: Policy { promotion, ..Policy::usual() },
        party_min: 1,
        party_max: 5,
        approval_required: false,
        join_midway: false,
        last_retired: 0,
        retired: Vec::new(),
        sessions: Vec::new(),
        last_retired_session: 0,
    })
}

impl Story {
    fn begin(terms: Arc<Terms>) -> Self {
        let event = EventId(Uuid::from_u128(7));
        let created = Entry {
            number: 1,
            at: Timestamp(1),
            actor: ActorKind::Staff,
            policy: terms.policy.version,
            seats: 0,
            change: Change::EventCreated { terms: terms.clone() },
            cleared: Vec::new(),
        };
        let roster = Roster::new(event, terms, Timestamp(1));
        let mut story = Self { roster, journal: vec![created], now: 1_000_000 };
        story.ask(Verb::Publish);
        story
    }

    fn ask(&mut self, verb: Verb) -> Answer {
        self.now += 1_000_000;
        let request = Request { key: u128::from(self.now.unsigned_abs()), fingerprint: 1 };
        let command = Command { actor: ActorKind::Staff, request: Some(request), verb };
        self.roster.handle(&command, Timestamp(self.now), &mut self.journal)
    }

    fn sign_up(&mut self, size: u32, contact: u64) -> u32 {
        let contact = ContactKeys { email: Some(contact), phone: None };
        let party = NewParty { size, wishes: vec![1], contact, vouched: true, choices: Choices::default() };
        let Answer::Done(outcome) = self.ask(Verb::Register(party)) else { panic!("refused") };
        let id = RegistrationId::new(outcome.number, [5; 12]);
        self.roster.attach(outcome.number, id, contact);
        outcome.number
    }

    /// Twelve parties on six seats, some of whom leave; offers; a cut and a raise.
    fn eventful() -> Self {
        let mut story = Self::begin(terms(6, Promotion::Automatic));
        for n in 0..12 {
            story.sign_up(1 + n % 3, u64::from(n) + 100);
        }
        story.ask(Verb::Cancel { number: 2, reason: CancelReason::CannotCome });
        story.change_terms(2, Promotion::Offer);
        story.ask(Verb::Cancel { number: 1, reason: CancelReason::CannotCome });
        story.change_terms(9, Promotion::Offer);
        story.ask(Verb::Amend { number: 9, size: Some(1), contact: None });
        story.ask(Verb::Accept { number: 5 });
        story
    }

    fn change_terms(&mut self, capacity: u32, promotion: Promotion) {
        let mut new = (*self.roster.terms).clone();
        new.pools[0].capacity = Some(capacity);
        if new.policy.promotion != promotion {
            new.policy.promotion = promotion;
            new.policy.version += 1;
        }
        self.ask(Verb::UpdateEvent { terms: Some(Arc::new(new)), if_version: None });
    }

    /// As it would be stored.
    fn whole(&self) -> Whole {
        let details = Details {
            project_code: String::new(),
            titles: Vec::new(),
            descriptions: Vec::new(),
            kind: EventKind::Course,
            venue: Venue::default(),
            municipality_code: String::new(),
            languages: Vec::new(),
            sessions: Vec::new(),
            minimum_to_start: 0,
            childcare_places: 0,
            rides: 0,
            questions: Vec::new(),
            attendance_rule: None,
            sensitivity: None,
        };
        let event = Event {
            id: self.roster.event,
            centre: CentreId("elk".into()),
            programme: None,
            details,
            terms: self.roster.terms.clone(),
            version: self.roster.version,
            created_at: Timestamp(1),
            updated_at: Timestamp(1),
            cancel_reason: String::new(),
        };
        let standings = self.roster.standings().cloned().collect();
        Whole {
            event,
            header: self.roster.header(),
            next_due: self.roster.next_due(),
            free_seats: self.roster.free_in_all(),
            standings,
            marks: self.roster.marks().map(|(key, marked)| (key, *marked)).collect(),
            requests: Vec::new(),
        }
    }

    fn differences(&self, whole: Whole) -> Vec<Difference> {
        let mut replay = Replay::new(self.roster.event);
        for page in self.journal.chunks(5) {
            replay.take(page);
        }
        compare(whole, replay)
    }

    /// What is told when something is changed in the rows.
    fn told(&self, spoil: impl FnOnce(&mut Whole)) -> Vec<Difference> {
        let mut whole = self.whole();
        spoil(&mut whole);
        self.differences(whole)
    }

    /// What is told when something is changed in the journal.
    fn told_of_journal(mut self, spoil: impl FnOnce(&mut Vec<Entry>)) -> Vec<Difference> {
        let whole = self.whole();
        spoil(&mut self.journal);
        self.differences(whole)
    }
}

fn assert_told(differences: &[Difference], about: About, words: &str) {
    let found = differences.iter().any(|d| d.about == about && d.text.contains(words));
    assert!(found, "no {about:?} with `{words}` in {differences:#?}");
}

fn standing(whole: &mut Whole, number: u32) -> &mut crate::admission::Standing {
    whole.standings.iter_mut().find(|s| s.number == number).unwrap()
}

#[test]
fn an_eventful_event_that_is_stored_as_it_happened_has_no_differences() {
    let story = Story::eventful();
    assert_eq!(story.told(|_| {}), []);
    let held: Counts = story.roster.counts;
    assert!(held.offers_accepted > 0 && held.waiting.parties > 2 && held.cancelled.parties == 2, "{held:?}");
}

#[test]
fn an_empty_event_has_no_differences() {
    assert_eq!(Story::begin(terms(3, Promotion::Automatic)).told(|_| {}), []);
}

#[test]
fn a_state_that_nobody_decided_is_told_three_times() {
    let told = Story::eventful().told(|w| standing(w, 11).state = State::Confirmed { pool: 1 });
    assert_told(&told, About::Registration, "state of 11 is stored as");
    assert_told(&told, About::Counts, "confirmed is stored as");
    assert_told(&told, About::Line, "its length");
}

#[test]
fn a_wrong_count_is_told_against_the_journal_and_against_the_rows() {
    let told = Story::eventful().told(|w| w.header.counts.waiting.persons += 1);
    assert_told(&told, About::Counts, "the journal gives");
    assert_told(&told, About::Counts, "the rows give");
    let told = Story::eventful().told(|w| w.header.counts.offers_made += 1);
    assert_told(&told, About::Counts, "offers made");
}

#[test]
fn counts_that_the_feed_tells_and_the_journal_does_not_give_are_told() {
    let story = Story::eventful();
    let told = |seats: u32| {
        let mut replay = Replay::new(story.roster.event);
        let mut counts = story.roster.seat_counts();
        counts.confirmed.persons += seats;
        replay.expect([(story.roster.journal_number, counts)]);
        replay.take(&story.journal);
        compare(story.whole(), replay)
    };
    assert_eq!(told(0), []);
    assert_told(&told(1), About::Counts, "the feed tells");
}

#[test]
fn two_parties_that_changed_places_are_told() {
    let told = Story::eventful().told(|w| {
        let (a, b) = (standing(w, 10).place, standing(w, 11).place);
        standing(w, 10).place = b;
        standing(w, 11).place = a;
    });
    assert_told(&told, About::Registration, "place of 10");
    assert_told(&told, About::Line, "by the journal");
}

#[test]
fn a_row_that_is_lost_or_made_up_is_told() {
    let told = Story::eventful().told(|w| w.standings.retain(|s| s.number != 12));
    assert_told(&told, About::Registration, "12 is in the journal, and not stored");
    let told = Story::eventful().told(|w| {
        let mut more = standing(w, 12).clone();
        more.number = 40;
        more.place = 40;
        w.standings.push(more);
    });
    assert_told(&told, About::Registration, "40 is stored, and not in the journal");
    assert_told(&told, About::Registration, "40 has an id that says 12");
}

#[test]
fn what_the_event_row_keeps_is_compared_word_by_word() {
    type Spoil = fn(&mut Whole);
    let wrong: [(Spoil, &str); 8] = [
        (|w| w.header.version += 1, "version is stored as"),
        (|w| w.header.next_number += 1, "next number"),
        (|w| w.header.last_at = Timestamp(9), "time of the last change"),
        (|w| w.header.released.push(2), "released pools"),
        (|w| w.next_due = Some(Timestamp(3)), "what is due next"),
        (|w| w.free_seats = None, "free seats"),
        (|w| w.event.version += 1, "version of the document"),
        (|w| Arc::make_mut(&mut w.event.terms).pools[1].capacity = Some(50), "terms are not those"),
    ];
    for (spoil, words) in wrong {
        assert_told(&Story::eventful().told(spoil), About::Header, words);
    }
}

#[test]
fn a_journal_with_a_gap_or_out_of_time_or_miscounted_is_told() {
    let gap = Story::eventful().told_of_journal(|j| drop(j.remove(6)));
    assert_told(&gap, About::Journal, "entry 8 follows 6");
    let late = Story::eventful().told_of_journal(|j| j[6].at = Timestamp(2));
    assert_told(&late, About::Journal, "entry 7 is earlier");
    let seats = Story::eventful().told_of_journal(|j| j[3].seats += 1);
    assert_told(&seats, About::Journal, "entry 4 says");
    let policy = Story::eventful().told_of_journal(|j| j[5].policy = 9);
    assert_told(&policy, About::Journal, "names policy 9");
    let short = Story::eventful().told_of_journal(|j| drop(j.pop()));
    assert_told(&short, About::Header, "journal number");
    let none = Story::eventful().told_of_journal(Vec::clear);
    assert_told(&none, About::Journal, "there is none");
    let headless = Story::eventful().told_of_journal(|j| drop(j.remove(0)));
    assert_told(&headless, About::Journal, "does not create the event");
}

#[test]
fn after_a_cut_a_full_pool_is_no_difference_and_a_seat_given_in_it_is() {
    let mut story = Story::begin(terms(4, Promotion::Automatic));
    for n in 0..6 {
        story.sign_up(1, n);
    }
    story.change_terms(2, Promotion::Automatic);
    assert_eq!(story.told(|_| {}), []);

    // Somebody lets the fifth in although the pool holds four of two.
    let number = story.roster.journal_number + 1;
    let change =
        Change::Confirmed { number: 5, pool: 1, because: crate::admission::Because::FirstInLine, passed_over: None };
    let (at, policy) = (Timestamp(story.now), story.roster.terms.policy.version);
    let entry = Entry { number, at, actor: ActorKind::Staff, policy, seats: 1, change, cleared: Vec::new() };
    story.roster.apply(&entry);
    story.journal.push(entry);
    let told = story.told(|_| {});
    assert_told(&told, About::Capacity, "gives a seat in pool hall, which then holds 5 of 2");
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[test]
fn two_live_registrations_under_one_contact_are_told_unless_the_event_allows_it() {
    let spoil = |w: &mut Whole| standing(w, 11).contact = standing(w, 10).contact;
    assert_told(&Story::eventful().told(spoil), About::Contact, "[10, 11] live under one contact");

    let mut two = (*terms(6, Promotion::Automatic)).clone();
    two.policy.registrations_per_contact = 2;
    let mut story = Story::begin(Arc::new(two));
    story.sign_up(1, 3);
    story.sign_up(1, 3);
    assert_eq!(story.told(|_| {}), []);

    // A corrected contact is no excuse.
    let mut story = Story::eventful();
    story.ask(Verb::Amend { number: 11, size: None, contact: Some(ContactKeys { email: Some(999), phone: None }) });
    assert_told(&story.told(spoil), About::Contact, "[10, 11] live under one contact");
}

#[test]
fn an_answer_that_names_what_is_not_there_is_told() {
    let outcome = Outcome { number: 77, state: None, position: 0, pool: None, expires_at: None, journal_number: 500 };
    let told = Story::eventful().told(|w| w.requests.push((1, Recorded { fingerprint: 1, outcome })));
    assert_told(&told, About::Request, "names 77");
    assert_told(&told, About::Request, "journal number 500");
}
