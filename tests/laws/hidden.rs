//! Whether an address is taken shows nowhere: two events in which everything is the same, but that in one of them the others
//! have the very addresses that a public portal signs up. Entry by entry and answer by answer they tell the same, until what
//! P3 itself says: until one that is marked would be given a seat that became free, or is dropped.

use crate::bench::{Bench, party, terms, vilnius};
use crate::world::{NOON, Shape, shape, terms as shaped};
use eile::admission::{
    Answer, Change, Command, Entry, Explanation, Needed, NewParty, NoticeKind, Outcome, Refusal, Request, Roster, Verb,
    notices,
};
use eile::model::contact::ContactKeys;
use eile::model::id::{EventId, Number, RegistrationId};
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::{ActorKind, CancelReason, End, RejectReason, State};
use eile::model::time::{Span, Timestamp};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const MORNING: &str = "2025-01-13T09:00";

/// What can be asked; `who` is anybody who lives.
#[derive(Clone, Debug)]
enum Op {
    /// The portal signs up, under an address that is taken in one of the two.
    SignUp {
        size: u32,
        contact: u64,
        wishes: u8,
    },
    /// A family that nobody else has the address of, by telephone.
    Other {
        size: u32,
    },
    Correct {
        who: u8,
        contact: u64,
    },
    Resize {
        who: u8,
        size: u32,
    },
    Leave(u8),
    Erase(u8),
    Answer {
        who: u8,
        yes: bool,
    },
    Review {
        who: u8,
        yes: bool,
    },
    SetClass {
        who: u8,
        class: bool,
    },
    /// Staff see the mark: they promote whom it is not on.
    Promote(u8),
    Terms(Shape),
    Pass {
        minutes: u16,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let size = || prop_oneof![4 => Just(1u32), 3 => Just(2), 1 => 3u32..5];
    let contact = || 0u64..12;
    prop_oneof![
        20 => (size(), contact(), prop_oneof![5 => Just(0u8), 1 => 1u8..8])
            .prop_map(|(size, contact, wishes)| Op::SignUp { size, contact, wishes }),
        5 => size().prop_map(|size| Op::Other { size }),
        4 => (any::<u8>(), contact()).prop_map(|(who, contact)| Op::Correct { who, contact }),
        3 => (any::<u8>(), 1u32..5).prop_map(|(who, size)| Op::Resize { who, size }),
        8 => any::<u8>().prop_map(Op::Leave),
        1 => any::<u8>().prop_map(Op::Erase),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(who, yes)| Op::Answer { who, yes }),
        4 => (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(who, yes)| Op::Review { who, yes }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(who, class)| Op::SetClass { who, class }),
        3 => any::<u8>().prop_map(Op::Promote),
        2 => shape().prop_map(Op::Terms),
        2 => (1u16..200).prop_map(|minutes| Op::Pass { minutes }),
    ]
}

fn email(key: u64) -> ContactKeys {
    ContactKeys { email: Some(key), phone: None }
}

/// One of the two.
struct Side {
    roster: Roster,
    /// The addresses of the others begin here; the portal's do at 100.
    others: u64,
}

/// What one command led to.
struct Told {
    answer: Result<Outcome, Refusal>,
    entries: Vec<Entry>,
    before: Roster,
    after: Roster,
}

impl Side {
    fn new(shape: &Shape, others: u64) -> Self {
        let roster = Roster::new(EventId(Uuid::nil()), Arc::new(shaped(shape, 1, 1)), NOON);
        Self { roster, others }
    }

    fn ask(&mut self, request: u128, actor: ActorKind, verb: Verb, now: Timestamp) -> Told {
        let contact = verb.new_party().map(|party| party.contact);
        let command = Command { actor, request: Some(Request { key: request, fingerprint: 0 }), verb };
        let (before, mut entries) = (self.roster.clone(), Vec::new());
        let answer = match self.roster.handle(&command, now, &mut entries) {
            Answer::Refused(refusal) => Err(refusal),
            Answer::Done(outcome) | Answer::Replayed(outcome) => Ok(outcome),
        };
        if let (Ok(outcome), Some(contact)) = (&answer, contact) {
            self.roster.attach(outcome.number, RegistrationId::new(outcome.number, [7; 12]), contact);
        }
        let after = self.roster.clone();
        Told { answer, entries, before, after }
    }

    fn is_marked(&self, number: Number) -> bool {
        self.roster.standing(number).is_some_and(|s| s.twin_of.is_some())
    }
}

/// An entry without the mark, which nobody but staff is told of.
fn public(entry: &Entry) -> Entry {
    let change = match entry.change.clone() {
        Change::Registered { number, size, wishes, to, .. } => {
            Change::Registered { number, size, wishes, to, twin_of: None, drop_at: None }
        }
        Change::Amended { number, .. } => Change::Amended { number, twin_of: None, drop_at: None },
        other => other,
    };
    Entry { change, cleared: Vec::new(), ..entry.clone() }
}

/// Where two part, P3 must say why: in one of them a seat goes to whom the other has marked, or there the mark is dropped.
/// What they tell after that is not the same any more.
fn part(taken: &Told, free: &Told) -> bool {
    let entries = |told: &Told| told.entries.iter().map(public).collect::<Vec<_>>();
    if entries(taken) == entries(free) {
        return false;
    }
    let said = p3_says(taken, free) || p3_says(free, taken);
    assert!(said, "they differ:\n{:#?}\n{:#?}", taken.entries, free.entries);
    true
}

fn p3_says(one: &Told, other: &Told) -> bool {
    let is_marked = |roster: &Roster, n: Number| roster.standing(n).is_some_and(|s| s.twin_of.is_some());
    one.entries.iter().any(|e| match &e.change {
        Change::Confirmed { number, .. } | Change::Offered { number, .. } => {
            is_marked(&other.before, *number) || is_marked(&other.after, *number)
        }
        Change::Ended { number, end: End::DuplicateDropped } => !is_marked(&other.before, *number),
        _ => false,
    })
}

/// All that anybody but staff is shown.
fn same_to_see(taken: &Roster, free: &Roster) {
    assert_eq!(
        (taken.journal_number, taken.counts, taken.seat_counts()),
        (free.journal_number, free.counts, free.seat_counts())
    );
    assert_eq!(taken.pools().collect::<Vec<_>>(), free.pools().collect::<Vec<_>>());
    for (a, b) in taken.standings().zip(free.standings()) {
        let shown = |s: &eile::admission::Standing| (s.number, s.size, s.state.clone(), s.accepted_at, s.changed_at);
        assert_eq!(shown(a), shown(b));
        assert_eq!(taken.position(a.number), free.position(b.number));
        // Why a marked one waits is put in other words for its party by the API.
        let told = |roster: &Roster| roster.explain(a.number).map(|e| Explanation { needed: Needed::Ended, ..e });
        assert_eq!(told(taken), told(free));
    }
}

struct Pair {
    taken: Side,
    free: Side,
    now: Timestamp,
    requests: u128,
}

impl Pair {
    fn new(shape: &Shape, others: &[u32]) -> Self {
        let mut pair = Pair { taken: Side::new(shape, 100), free: Side::new(shape, 500), now: NOON, requests: 0 };
        assert!(!pair.ask(ActorKind::Staff, |_| Verb::Publish));
        for (n, size) in others.iter().enumerate() {
            let new = |side: &Side| NewParty { contact: email(side.others + n as u64), ..party(*size, 0) };
            assert!(!pair.ask(ActorKind::Staff, |side| Verb::Register(new(side))));
        }
        pair
    }

    /// Asks both; true where they part.
    fn ask(&mut self, actor: ActorKind, verb: impl Fn(&Side) -> Verb) -> bool {
        self.requests += 1;
        let (verb_taken, verb_free) = (verb(&self.taken), verb(&self.free));
        let taken = self.taken.ask(self.requests, actor, verb_taken, self.now);
        let free = self.free.ask(self.requests, actor, verb_free, self.now);
        if part(&taken, &free) {
            return true;
        }
        assert_eq!(taken.answer, free.answer);
        same_to_see(&self.taken.roster, &self.free.roster);
        false
    }

    /// Somebody for whom it makes sense, or nobody.
    fn pick(&self, which: u8, fits: impl Fn(&State) -> bool) -> Number {
        let all: Vec<Number> = self.free.roster.standings().filter(|s| fits(&s.state)).map(|s| s.number).collect();
        all.get(usize::from(which) % all.len().max(1)).copied().unwrap_or(9_999)
    }

    /// Does one operation; true where they part.
    fn step(&mut self, op: &Op) -> bool {
        let (party, staff) = (ActorKind::Party, ActorKind::Staff);
        let live = State::is_live;
        match op {
            Op::SignUp { size, contact, wishes } => {
                let wishes: Vec<u16> = (0..3u16).filter(|i| wishes >> i & 1 == 1).map(|i| i + 1).collect();
                let new =
                    NewParty { wishes, contact: email(100 + contact), vouched: false, ..crate::bench::party(*size, 0) };
                self.ask(ActorKind::Portal, |_| Verb::Register(new.clone()))
            }
            Op::Other { size } => {
                let contact = 1_000 + self.requests as u64;
                self.ask(staff, |_| Verb::Register(crate::bench::party(*size, contact)))
            }
            Op::Correct { who, contact } => {
                let (number, contact) = (self.pick(*who, live), Some(email(100 + contact)));
                self.ask(party, |_| Verb::Amend { number, size: None, contact })
            }
            Op::Resize { who, size } => {
                let number = self.pick(*who, live);
                self.ask(party, |_| Verb::Amend { number, size: Some(*size), contact: None })
            }
            Op::Leave(who) => {
                let number = self.pick(*who, live);
                self.ask(party, |_| Verb::Cancel { number, reason: CancelReason::CannotCome })
            }
            Op::Erase(who) => {
                let number = self.pick(*who, |_| true);
                self.ask(party, |_| Verb::Erase { number, kept: false })
            }
            Op::Answer { who, yes } => {
                let number = self.pick(*who, |s| matches!(s, State::Offered { .. }));
                let reason = CancelReason::CannotCome;
                self.ask(party, |_| if *yes { Verb::Accept { number } } else { Verb::Decline { number, reason } })
            }
            Op::Review { who, yes } => {
                let number = self.pick(*who, |s| *s == State::InReview);
                let reason = RejectReason::NotEligible;
                self.ask(staff, |_| if *yes { Verb::Approve { number } } else { Verb::Reject { number, reason } })
            }
            Op::SetClass { who, class } => {
                let (number, class) = (self.pick(*who, live), class.then(|| "guardian".to_owned()));
                self.ask(staff, |_| Verb::SetClass { number, class: class.clone() })
            }
            Op::Promote(who) => {
                let number = self.pick(*who, |s| *s == State::Waitlisted);
                if self.taken.is_marked(number) || self.free.is_marked(number) {
                    return false;
                }
                self.ask(staff, |_| Verb::Promote { number, pool: None, has_reason: false })
            }
            Op::Terms(shape) => {
                let old = &self.free.roster.terms;
                let terms = Arc::new(shaped(shape, old.policy.version + 1, old.pools.len()));
                self.ask(staff, |_| Verb::UpdateEvent { terms: Some(Arc::clone(&terms)), if_version: None })
            }
            Op::Pass { minutes } => {
                self.now = self.now.plus(Span::seconds(i64::from(*minutes) * 60));
                self.ask(ActorKind::System, |_| Verb::Sweep)
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p10_whether_an_address_is_taken_shows_nowhere_until_p3_keeps_a_seat_from_it(
        shape in shape(),
        others in prop::collection::vec(1u32..3, 0..8),
        ops in prop::collection::vec(op(), 1..40),
    ) {
        let mut pair = Pair::new(&shape, &others);
        for op in &ops {
            if pair.step(op) {
                break;
            }
        }
    }
}

fn again(size: u32, contact: u64) -> Verb {
    Verb::Register(NewParty { vouched: false, ..party(size, contact) })
}

#[test]
fn a_possible_duplicate_gets_a_free_seat_like_any_newcomer_and_is_dropped_in_time() {
    let mut bench = Bench::open(terms(2), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let outcome = bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap();
    assert!(bench.is_confirmed(outcome.number) && bench.roster.standing(2).unwrap().twin_of == Some(1));
    let waits = bench.join(1);
    bench.sweep_at(bench.now.plus(Span::hours(24)));
    assert_eq!(bench.state(2), State::Ended(End::DuplicateDropped));
    assert!(bench.is_confirmed(waits), "its seat moved on at once");
}

#[test]
fn a_possible_duplicate_stands_in_line_and_is_passed_by_the_seat_that_it_would_get() {
    let mut bench = Bench::open(terms(2), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let seated = bench.join(1);
    let marked = bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap().number;
    let next = bench.join(1);
    assert_eq!((bench.roster.position(marked), bench.roster.position(next)), (1, 2));
    assert_eq!(bench.roster.counts.waiting.parties, 2);
    bench.cancel(seated);
    assert!(bench.is_confirmed(next), "it blocks no promotion that the seats suffice for");
    // Alone in line, it keeps no newcomer from a seat, and the journal says why the seat stayed free.
    bench.cancel(next);
    let because = eile::admission::Idle::OnlyDuplicates { number: marked };
    assert_eq!(bench.journal.last().unwrap().change, Change::SeatsFree { pool: 1, seats: 1, because });
    let newcomer = bench.join(1);
    assert!(bench.is_confirmed(newcomer));
}

#[test]
fn seats_that_are_too_few_for_a_possible_duplicate_are_held_as_for_anybody_until_it_is_dropped() {
    for (fit, state) in [(PartyFit::Hold, None), (PartyFit::Skip { max_passed_over: 3 }, Some(1))] {
        let mut filled = terms(2);
        filled.policy.party_fit = fit;
        let mut bench = Bench::open(filled, vilnius(MORNING));
        bench.ask(Verb::Register(party(1, 7))).unwrap();
        let marked = bench.ask_as(ActorKind::Portal, again(2, 7)).unwrap().number;
        let newcomer = bench.join(1);
        assert_eq!(bench.state(newcomer).holds(), state, "{fit:?}");
        assert_eq!(bench.roster.standing(marked).unwrap().passed_over, u16::from(state.is_some()));
        bench.sweep_at(bench.now.plus(Span::hours(24)));
        assert!(bench.is_confirmed(newcomer), "{fit:?}");
    }
}

#[test]
fn where_staff_choose_a_possible_duplicate_stands_before_newcomers_and_in_nobodys_way_when_they_choose() {
    let mut chosen = terms(2);
    chosen.policy.promotion = Promotion::Manual;
    let mut bench = Bench::open(chosen, vilnius(MORNING));
    let (_, seated) = (bench.ask(Verb::Register(party(1, 7))).unwrap(), bench.join(1));
    bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap();
    bench.cancel(seated);
    let newcomer = bench.join(1);
    assert_eq!(bench.roster.position(newcomer), 2);
    bench.ask(Verb::Promote { number: newcomer, pool: None, has_reason: false }).unwrap();
}

#[test]
fn an_approved_possible_duplicate_gets_a_seat_as_anybody_who_is_approved_does() {
    let mut reviewed = terms(2);
    reviewed.approval_required = true;
    let mut bench = Bench::open(reviewed, vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let marked = bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap().number;
    assert_eq!(bench.roster.counts.in_review.parties, 2);
    bench.ask(Verb::Approve { number: marked }).unwrap();
    assert!(bench.is_confirmed(marked));
}

#[test]
fn a_mark_goes_within_the_entry_that_it_goes_by_and_its_party_sees_no_change() {
    let mut bench = Bench::open(terms(2), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap();
    bench.now = bench.now.plus(Span::hours(1));
    let before = bench.roster.clone();
    bench.cancel(1);
    let ended = bench.journal.iter().find(|e| matches!(e.change, Change::Ended { .. })).unwrap();
    assert_eq!((ended.number, &ended.cleared), (before.journal_number + 1, &vec![2]));
    let (was, is) = (before.standing(2).unwrap(), bench.roster.standing(2).unwrap());
    assert_eq!((is.twin_of, is.drop_at, is.changed_at), (None, None, was.changed_at));
    assert_eq!(is.steps.last(), Some(&ended.number));
    assert!(bench.journal.iter().all(|e| notices(e).iter().all(|n| n.number != 2) || e.number < ended.number));
}

#[test]
fn whoever_has_a_contact_hears_that_somebody_gave_it_too() {
    let mut bench = Bench::open(terms(1), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let told = |bench: &Bench| -> Vec<_> {
        notices(bench.journal.last().unwrap()).into_iter().map(|n| (n.number, n.kind)).collect()
    };
    bench.ask_as(ActorKind::Portal, again(1, 7)).unwrap();
    assert_eq!(told(&bench), [(2, NoticeKind::Waiting), (1, NoticeKind::ContactGivenAgain)]);
    let number = bench.join(1);
    bench.ask_as(ActorKind::Party, Verb::Amend { number, size: None, contact: Some(email(7)) }).unwrap();
    assert_eq!(told(&bench), [(1, NoticeKind::ContactGivenAgain)]);
}
