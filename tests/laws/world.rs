//! Two events and whatever can be asked of them: operations that proptest makes up, turned into commands
//! and handled; each step is kept with all that the laws want to look at.

use eile::admission::{
    Answer, AtDoor, Change, Command, Entry, GivenMark, HeadCount, MarkList, NewParty, Outcome, Recorded, Request,
    Roster, Standing, Verb, WalkIn, WhichRegistration, WhichSession,
};
use eile::model::attendance::{Heads, Mark, Slot, Source};
use eile::model::consent::{Choice, Choices, Purpose};
use eile::model::contact::ContactKeys;
use eile::model::event::{EventState, Pool, Terms};
use eile::model::id::{EventId, Number, RegistrationId};
use eile::model::party::Channel;
use eile::model::policy::{MissedOffer, PartyFit, Policy, Promotion};
use eile::model::registration::{ActorKind, CancelReason, RejectReason, State, TransferTarget};
use eile::model::time::{Span, Timestamp, Zone};
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// 1 February 2025, 12:00 in Vilnius.
pub const NOON: Timestamp = Timestamp(1_738_404_000_000_000);

#[derive(Clone, Debug)]
pub enum Op {
    Register {
        size: u32,
        contact: u8,
        phone: Option<u8>,
        vouched: bool,
        wishes: u8,
    },
    Cancel(u8),
    /// Its data are to be left alone, or not any more.
    Restrict(u8, bool),
    /// It consents to something under the version of a text, or takes it back.
    Consent(u8, u8, Option<u8>),
    Erase {
        who: u8,
        kept: bool,
    },
    Amend {
        who: u8,
        size: Option<u32>,
        contact: Option<u8>,
        by: ActorKind,
    },
    Accept(u8),
    Decline(u8),
    Approve(u8),
    Reject(u8),
    SetClass {
        who: u8,
        class: u8,
    },
    Promote {
        who: u8,
        pool: Option<u16>,
        has_reason: bool,
    },
    Terms(Shape),
    Details,
    Complete,
    CancelEvent,
    Sweep,
    Pass {
        minutes: u16,
    },
    Transfer(u8),
    /// A list of two lines.
    List {
        session: u8,
        who: [u8; 2],
        member: u16,
        mark: u8,
        minutes: Option<u16>,
    },
    CheckIn {
        who: u8,
        named: Option<u8>,
        member: Option<u16>,
    },
    WalkIn {
        session: u8,
        size: u32,
        contact: u8,
    },
    Heads {
        session: u8,
        adults: u32,
    },
    /// Sends an earlier request again, as it was or with another body.
    Again {
        which: u8,
        same: bool,
    },
}

/// What terms look like; small numbers so that everything meets.
#[derive(Clone, Debug)]
pub struct Shape {
    pub pools: Vec<(Option<u32>, u8, Option<u16>)>,
    pub promotion: Promotion,
    pub fit: PartyFit,
    pub missed: MissedOffer,
    pub class_order: u8,
    pub waitlist_limit: Option<u32>,
    pub per_contact: u32,
    pub approval: bool,
    pub midway: bool,
    pub starts_in_hours: Option<u16>,
}

pub const CLASSES: [&str; 3] = ["guardian", "referral", "any"];

pub fn shape() -> impl Strategy<Value = Shape> {
    let capacity = prop_oneof![2 => Just(Some(1)), 14 => (2u32..7).prop_map(Some), 1 => Just(Some(0)), 1 => Just(None)];
    let release = prop::option::of(0u16..20_000);
    let pool = (capacity, prop_oneof![5 => Just(0u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)], release);
    let fit =
        prop_oneof![Just(PartyFit::Hold), (0u16..4).prop_map(|max_passed_over| PartyFit::Skip { max_passed_over })];
    let promotion =
        prop_oneof![4 => Just(Promotion::Automatic), 4 => Just(Promotion::Offer), 1 => Just(Promotion::Manual)];
    let missed = prop_oneof![Just(MissedOffer::KeepPlace), Just(MissedOffer::ToEnd), Just(MissedOffer::Leave)];
    let flags =
        (0u8..5, prop::option::weighted(0.1, 0u32..5), prop_oneof![6 => Just(1u32), 1 => Just(2), 1 => Just(0)]);
    let rest = (prop::bool::weighted(0.15), prop::bool::weighted(0.2), prop::option::weighted(0.8, 20u16..900));
    let pools = prop_oneof![3 => prop::collection::vec(pool.clone(), 1), 2 => prop::collection::vec(pool, 2..4)];
    (pools, promotion, fit, missed, flags, rest).prop_map(
        |(pools, promotion, fit, missed, (class_order, waitlist_limit, per_contact), (approval, midway, starts))| {
            Shape {
                pools,
                promotion,
                fit,
                missed,
                class_order,
                waitlist_limit,
                per_contact,
                approval,
                midway,
                starts_in_hours: starts,
            }
        },
    )
}

fn sign_up() -> impl Strategy<Value = Op> {
    let register = (
        prop_oneof![4 => Just(1u32), 3 => Just(2), 1 => 3u32..5],
        prop_oneof![Just(0u8), 1u8..9],
        prop::option::weighted(0.1, 0u8..5),
    );
    let register = (register, any::<bool>(), prop_oneof![5 => Just(0u8), 1 => 1u8..16]);
    register.prop_map(|((size, contact, phone), vouched, wishes)| Op::Register {
        size,
        contact,
        phone,
        vouched,
        wishes,
    })
}

pub fn op() -> impl Strategy<Value = Op> {
    let by = prop_oneof![Just(ActorKind::Staff), Just(ActorKind::Party)];
    prop_oneof![
        20 => sign_up(),
        8 => any::<u8>().prop_map(Op::Cancel),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(who, kept)| Op::Erase { who, kept }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(who, restricted)| Op::Restrict(who, restricted)),
        2 => (any::<u8>(), 0u8..4, prop::option::of(0u8..3)).prop_map(|(who, to, text)| Op::Consent(who, to, text)),
        3 => (any::<u8>(), prop::option::of(1u32..6), prop::option::weighted(0.4, 0u8..7), by)
            .prop_map(|(who, size, contact, by)| Op::Amend { who, size, contact, by }),
        3 => any::<u8>().prop_map(Op::Accept),
        2 => any::<u8>().prop_map(Op::Decline),
        2 => any::<u8>().prop_map(Op::Approve),
        1 => any::<u8>().prop_map(Op::Reject),
        2 => (any::<u8>(), 0u8..4).prop_map(|(who, class)| Op::SetClass { who, class }),
        2 => (any::<u8>(), prop::option::of(1u16..5), any::<bool>())
            .prop_map(|(who, pool, has_reason)| Op::Promote { who, pool, has_reason }),
        2 => shape().prop_map(Op::Terms),
        1 => Just(Op::Details),
        1 => prop_oneof![20 => Just(Op::Sweep), 1 => Just(Op::Complete), 1 => Just(Op::CancelEvent)],
        2 => Just(Op::Sweep),
        5 => prop_oneof![2 => 1u16..60, 2 => 60u16..1500, 3 => 1500u16..6000].prop_map(|minutes| Op::Pass { minutes }),
        1 => any::<u8>().prop_map(Op::Transfer),
        5 => (0u8..4, any::<[u8; 2]>(), 1u16..3, 1u8..5, prop::option::weighted(0.2, 0u16..130))
            .prop_map(|(session, who, member, mark, minutes)| Op::List { session, who, member, mark, minutes }),
        3 => (any::<u8>(), prop::option::of(0u8..4), prop::option::of(1u16..3))
            .prop_map(|(who, named, member)| Op::CheckIn { who, named, member }),
        2 => (0u8..4, 1u32..4, 0u8..9).prop_map(|(session, size, contact)| Op::WalkIn { session, size, contact }),
        1 => (0u8..4, 0u32..200).prop_map(|(session, adults)| Op::Heads { session, adults }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(which, same)| Op::Again { which, same }),
    ]
}

/// Terms of the shape. A pool that is gone may not be in use, so pools are only ever added.
pub fn terms(shape: &Shape, version: u32, least_pools: usize) -> Terms {
    let at = |minutes: u16| NOON.plus(Span::seconds(i64::from(minutes) * 60));
    let classes = |which: u8| -> Vec<String> {
        CLASSES[..2].iter().enumerate().filter(|(i, _)| which >> i & 1 == 1).map(|(_, c)| (*c).to_owned()).collect()
    };
    let mut pools: Vec<Pool> = Vec::new();
    for i in 0..shape.pools.len().max(least_pools) {
        let (capacity, kept, release) = shape.pools[i % shape.pools.len()];
        let classes = classes(kept);
        let release_at = release.filter(|_| !classes.is_empty()).map(at);
        pools.push(Pool {
            no: i as u16 + 1,
            id: format!("p{i}"),
            capacity,
            classes,
            release_at,
            session_id: String::new(),
        });
    }
    let starts_at = shape.starts_in_hours.map(|h| at(0).plus(Span::hours(i64::from(h))));
    let orders: [&[&str]; 5] =
        [&[], &["guardian"], &["guardian", "referral"], &["referral", "any", "guardian"], &["any", "guardian"]];
    Terms {
        zone: Zone::named("Europe/Vilnius").unwrap(),
        opens_at: None,
        closes_at: None,
        starts_at,
        ends_at: starts_at.map(|s| s.plus(Span::hours(24 * 7))),
        pools,
        policy: Policy {
            version,
            promotion: shape.promotion,
            party_fit: shape.fit,
            missed_offer: shape.missed,
            class_order: orders[usize::from(shape.class_order)].iter().map(|c| (*c).to_owned()).collect(),
            waitlist_limit: shape.waitlist_limit,
            registrations_per_contact: shape.per_contact,
            ..Policy::usual()
        },
        party_min: 1,
        party_max: 5,
        approval_required: shape.approval,
        join_midway: shape.midway,
        last_retired: 0,
        retired: Vec::new(),
        sessions: (1..=3).map(slot).collect(),
        last_retired_session: 0,
    }
}

/// The first now, the others some days later: two hours each.
fn slot(no: u16) -> Slot {
    let starts_at = NOON.plus(Span::hours(96 * i64::from(no - 1)));
    Slot { no, id: format!("s{no}"), starts_at, ends_at: starts_at.plus(Span::hours(2)), cancelled: false }
}

/// One command handled, with what there was before it and after it.
pub struct Step {
    pub event: usize,
    pub command: Command,
    pub now: Timestamp,
    pub before: Roster,
    pub after: Roster,
    pub answer: Answer,
    pub entries: Vec<Entry>,
}

pub struct World {
    pub now: Timestamp,
    pub rosters: Vec<Roster>,
    pub journals: Vec<Vec<Entry>>,
    pub sent: Vec<(usize, Command, Option<Outcome>)>,
    /// Those whose contact is not bound by the limit: they were there when it was lowered.
    pub excused: HashSet<(usize, Number)>,
    /// Between commands, whether to load rosters anew from their rows.
    pub reload: Option<u64>,
    turn: u32,
}

impl World {
    pub fn new(shapes: &[Shape]) -> Self {
        let mut world = World {
            now: NOON,
            rosters: Vec::new(),
            journals: Vec::new(),
            sent: Vec::new(),
            excused: HashSet::new(),
            reload: None,
            turn: 0,
        };
        for (i, shape) in shapes.iter().enumerate() {
            let terms = Arc::new(terms(shape, 1, 1));
            let entry = Entry {
                number: 1,
                at: NOON,
                actor: ActorKind::Staff,
                policy: 1,
                seats: 0,
                change: Change::EventCreated { terms: Arc::clone(&terms) },
                cleared: Vec::new(),
            };
            world.rosters.push(Roster::new(EventId(Uuid::from_u128(i as u128 + 1)), terms, NOON));
            world.journals.push(vec![entry]);
            world.handle(i, ActorKind::Staff, Verb::Publish);
        }
        world
    }

    /// Handles a command under a new request id; attaches what the desk attaches.
    pub fn handle(&mut self, event: usize, actor: ActorKind, verb: Verb) -> Step {
        let request = (verb != Verb::Sweep).then(|| {
            let key = self.sent.len() as u128 + 1;
            Request { key, fingerprint: key as u64 * 31 }
        });
        let command = Command { actor, request, verb };
        let step = self.handle_command(event, command);
        let outcome = match &step.answer {
            Answer::Done(outcome) => Some(*outcome),
            _ => None,
        };
        if step.command.request.is_some() {
            self.sent.push((event, step.command.clone(), outcome));
        }
        step
    }

    pub fn handle_command(&mut self, event: usize, command: Command) -> Step {
        self.turn += 1;
        if self.reload.is_some_and(|mask| mask >> (self.turn % 64) & 1 == 1) {
            self.reload_from_rows(event);
        }
        let before = self.rosters[event].clone();
        let roster = &mut self.rosters[event];
        let from = self.journals[event].len();
        let answer = roster.handle(&command, self.now, &mut self.journals[event]);
        if let Answer::Done(outcome) = &answer {
            let number = outcome.number;
            match &command.verb {
                Verb::Register(_) | Verb::WalkIn(_) => {
                    let party = command.verb.new_party().unwrap();
                    roster.attach(number, RegistrationId::new(number, [number as u8; 12]), party.contact);
                }
                Verb::Amend { contact: Some(contact), .. } => {
                    let id = roster.standing(number).unwrap().id;
                    roster.attach(number, id, *contact);
                }
                Verb::UpdateEvent { terms: Some(_), .. } => {
                    let live = self.rosters[event].standings().filter(|s| s.state.is_live() && s.twin_of.is_none());
                    self.excused.extend(live.map(|s| (event, s.number)));
                }
                _ => {}
            }
        }
        let entries = self.journals[event][from..].to_vec();
        let after = self.rosters[event].clone();
        Step { event, command, now: self.now, before, after, answer, entries }
    }

    /// What a restart does: the roster from its rows.
    pub fn reload_from_rows(&mut self, event: usize) {
        let old = &self.rosters[event];
        let mut rows: Vec<Standing> = old.standings().cloned().collect();
        rows.reverse();
        let mut new = Roster::from_rows(old.event, Arc::clone(&old.terms), &old.header(), rows);
        for (key, marked) in old.marks() {
            new.place_mark(key, *marked);
        }
        for (key, recorded) in self.sent.iter().filter(|(e, ..)| *e == event).filter_map(|(_, c, o)| {
            let request = c.request?;
            Some((request.key, Recorded { fingerprint: request.fingerprint, outcome: (*o)? }))
        }) {
            new.record(key, recorded);
        }
        self.rosters[event] = new;
    }

    /// Somebody for whom the operation makes sense, or anybody.
    fn pick(&self, event: usize, which: u8, fits: impl Fn(&State) -> bool) -> Number {
        let all: Vec<Number> = self.rosters[event].standings().filter(|s| fits(&s.state)).map(|s| s.number).collect();
        match (all.len(), which) {
            (0, _) | (_, 245..) => Number::from(which % 16) + 1,
            (n, _) => all[usize::from(which) % n],
        }
    }

    /// Does one operation; a transfer makes two steps.
    pub fn step(&mut self, event: usize, op: &Op) -> Vec<Step> {
        let (staff, party) = (ActorKind::Staff, ActorKind::Party);
        let live = State::is_live;
        let offered = |s: &State| matches!(s, State::Offered { .. });
        let reason = CancelReason::CannotCome;
        let (actor, verb) = match op {
            Op::Register { size, contact, phone, vouched, wishes } => {
                let pools = self.rosters[event].terms.pools.len() as u8;
                let mut list: Vec<u16> = (0..4u8)
                    .filter(|i| wishes >> i & 1 == 1 && *i < pools + u8::from(wishes % 7 == 6))
                    .map(|i| u16::from(i) + 1)
                    .collect();
                if wishes % 3 == 0 {
                    list.reverse();
                }
                let actor = if *vouched { staff } else { ActorKind::Portal };
                (
                    actor,
                    Verb::Register(NewParty {
                        size: *size,
                        wishes: list,
                        contact: keys(*contact, *phone),
                        vouched: *vouched,
                        choices: Choices::default(),
                    }),
                )
            }
            Op::Erase { who, kept } => (party, Verb::Erase { number: self.pick(event, *who, |_| true), kept: *kept }),
            Op::Restrict(who, restricted) => {
                (party, Verb::Restrict { number: self.pick(event, *who, |_| true), restricted: *restricted })
            }
            Op::Consent(who, to, text) => {
                let (purpose, text) = (Purpose::ALL[usize::from(*to)], text.map(|version| version.to_string()));
                let choices = vec![Choice { purpose, text, channel: Channel::Web }];
                (party, Verb::Consent { number: self.pick(event, *who, |_| true), choices })
            }
            Op::Cancel(who) => (party, Verb::Cancel { number: self.pick(event, *who, live), reason }),
            Op::Amend { who, size, contact, by } => {
                let number = self.pick(event, *who, live);
                (*by, Verb::Amend { number, size: *size, contact: contact.map(|c| keys(c, None)) })
            }
            Op::Accept(who) => (party, Verb::Accept { number: self.pick(event, *who, offered) }),
            Op::Decline(who) => (party, Verb::Decline { number: self.pick(event, *who, offered), reason }),
            Op::Approve(who) => (staff, Verb::Approve { number: self.pick(event, *who, |s| *s == State::InReview) }),
            Op::Reject(who) => {
                let number = self.pick(event, *who, |s| *s == State::InReview);
                (staff, Verb::Reject { number, reason: RejectReason::NotEligible })
            }
            Op::SetClass { who, class } => {
                let class = CLASSES.get(usize::from(*class)).map(|c| (*c).to_owned());
                (staff, Verb::SetClass { number: self.pick(event, *who, live), class })
            }
            Op::Promote { who, pool, has_reason } => {
                let number = self.pick(event, *who, |s| *s == State::Waitlisted);
                (staff, Verb::Promote { number, pool: *pool, has_reason: *has_reason })
            }
            Op::Terms(shape) => {
                let old = &self.rosters[event].terms;
                let terms = terms(shape, old.policy.version + 1, old.pools.len());
                (staff, Verb::UpdateEvent { terms: Some(Arc::new(terms)), if_version: None })
            }
            Op::Details => (staff, Verb::UpdateEvent { terms: None, if_version: None }),
            Op::Complete => (staff, Verb::CompleteEvent),
            Op::CancelEvent => (staff, Verb::CancelEvent),
            Op::Sweep => (ActorKind::System, Verb::Sweep),
            Op::Pass { minutes } => {
                self.now = self.now.plus(Span::seconds(i64::from(*minutes) * 60));
                return Vec::new();
            }
            Op::List { session, who, member, mark, minutes } => {
                let mark = Mark::from_code(*mark).unwrap();
                let lines = who.map(|which| GivenMark {
                    who: self.who(event, which),
                    member: *member,
                    mark,
                    minutes: minutes.filter(|_| mark == Mark::Present),
                });
                (staff, Verb::RecordAttendance(Box::new(MarkList::on_paper(&format!("s{session}"), lines.to_vec()))))
            }
            Op::CheckIn { who, named, member } => {
                let session = named.map_or(WhichSession::AtThatTime, |no| WhichSession::Named(format!("s{no}")));
                let (who, members) = (self.who(event, *who), member.iter().copied().collect());
                (staff, Verb::CheckIn(Box::new(AtDoor { who, session, members, happened_at: self.now })))
            }
            Op::WalkIn { session, size, contact } => {
                let party = NewParty {
                    size: *size,
                    wishes: Vec::new(),
                    contact: keys(*contact, None),
                    vouched: true,
                    choices: Choices::default(),
                };
                let session = format!("s{session}");
                (staff, Verb::WalkIn(Box::new(WalkIn { party, session, source: Source::Door, happened_at: None })))
            }
            Op::Heads { session, adults } => {
                let heads = Heads { adults: *adults, children: 1, estimated: adults % 2 == 0 };
                (staff, Verb::CountHeads(HeadCount { session: format!("s{session}"), happened_at: None, heads }))
            }
            Op::Transfer(who) => return self.transfer(event, *who),
            Op::Again { which, same } => {
                if self.sent.is_empty() {
                    return Vec::new();
                }
                let which = usize::from(*which) % self.sent.len();
                let (event, mut command, _) = self.sent[which].clone();
                if let (Some(request), false) = (&mut command.request, same) {
                    request.fingerprint += 1;
                }
                let step = self.handle_command(event, command);
                // What was refused at first may be done now; then this is what the request id stands for.
                if let Answer::Done(outcome) = step.answer {
                    self.sent[which] = (event, step.command.clone(), Some(outcome));
                }
                return vec![step];
            }
        };
        vec![self.handle(event, actor, verb)]
    }

    /// Mostly somebody with a seat, named by number alone or by the whole id.
    fn who(&self, event: usize, which: u8) -> WhichRegistration {
        let number = self
            .pick(event, which, |s| which.is_multiple_of(5) || matches!(s, State::Confirmed { .. } | State::Ended(_)));
        let id = self.rosters[event].standing(number).map(|s| s.id);
        WhichRegistration { number, id: id.filter(|_| which.is_multiple_of(2)) }
    }

    /// As the desk does it: may it leave, does the target take it, then it leaves.
    fn transfer(&mut self, from: usize, who: u8) -> Vec<Step> {
        let mut steps = vec![self.handle(from, ActorKind::System, Verb::Sweep)];
        let to = 1 - from;
        let number = self.pick(from, who, State::is_live);
        let Ok(s) = self.rosters[from].may_leave(number).cloned() else { return steps };
        let party = NewParty {
            size: s.size,
            wishes: Vec::new(),
            contact: s.contact,
            vouched: true,
            choices: Choices::default(),
        };
        steps.push(self.handle(to, ActorKind::Staff, Verb::Register(party)));
        let Some(Answer::Done(entered)) = steps.last().map(|s| s.answer.clone()) else { return steps };
        let event = self.rosters[to].event;
        let registration = self.rosters[to].standing(entered.number).unwrap().id;
        let to = TransferTarget { event, registration };
        let left = self.handle(from, ActorKind::Staff, Verb::TransferAway { number, to });
        assert!(matches!(left.answer, Answer::Done(_)), "half a transfer: {:?}", left.answer);
        steps.push(left);
        steps
    }
}

fn keys(contact: u8, phone: Option<u8>) -> ContactKeys {
    // Contact 0 is nobody's: a party without one is never a duplicate.
    ContactKeys { email: (contact > 0).then_some(100 + u64::from(contact)), phone: phone.map(|p| 200 + u64::from(p)) }
}

/// Runs operations and shows each step to a law.
pub fn uphold(shapes: &[Shape], ops: &[(bool, Op)], law: impl Fn(&World, &Step)) {
    let mut world = World::new(shapes);
    for (second, op) in ops {
        let event = usize::from(*second && shapes.len() > 1);
        for step in world.step(event, op) {
            law(&world, &step);
        }
    }
}

pub fn published(roster: &Roster) -> bool {
    roster.state == EventState::Published
}

pub fn script() -> impl Strategy<Value = (Vec<Shape>, Vec<(bool, Op)>)> {
    let start = prop::collection::vec((Just(false), sign_up()), 0..12);
    let rest = prop::collection::vec((prop::bool::weighted(0.15), op()), 1..60);
    // A line to begin with, or most of what can happen finds nobody to happen to.
    let ops = (start, rest).prop_map(|(mut ops, rest)| {
        ops.extend(rest);
        ops
    });
    (prop::collection::vec(shape(), 2), ops)
}
