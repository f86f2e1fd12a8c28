//! What is to happen, in the order of its time. Things of the same instant keep the order in which they
//! were put down.

use crate::model::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One thing that happens around an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Publish,
    /// A party of the plan signs up.
    SignUp(usize),
    /// The same request is sent again, because the page was slow.
    Resend(usize),
    /// The household signs up once more, as if anew.
    Again(usize),
    /// A sign-up that lacks something.
    Incomplete(usize),
    TooEarly(usize),
    /// Staff set the party's class.
    Classify(usize),
    /// Staff approve the party after a talk.
    Approve(usize),
    Smaller(u8),
    Larger(u8),
    ContactChanged(u8),
    /// Confirmed persons cancel; after so many tries in vain it is given up.
    Cancel {
        persons: i32,
        tries: u8,
    },
    /// Waiting persons leave.
    LeaveLine {
        persons: i32,
        tries: u8,
    },
    /// A party answers its offer.
    Answer {
        party: usize,
        yes: bool,
    },
    /// Something falls due at the service: an offer runs out, a kept pool opens.
    Due,
    /// Staff telephone down the line, because the start is near.
    CallList,
    /// The n-th scripted action of the event.
    Scripted(usize),
    /// Staff answer a complaint.
    Complaint,
    /// Somebody on no list comes to a session; the n-th of the event.
    WalkIn(usize),
    /// The list of a session is entered, right after it.
    Attend(u32),
    /// The n-th of the file's late paper entries is typed in.
    Paper(usize),
    /// A line that was misread on a paper list is put right.
    PutRight,
    /// The n-th report of the file is pulled.
    Report(usize),
    /// The n-th other request of the file is answered: a name after marriage, somebody who stands there twice.
    Office(usize),
    Complete,
}

impl Act {
    /// Whether it may free seats or alter who comes next.
    pub fn moves_the_line(&self) -> bool {
        !matches!(
            self,
            Act::Publish
                | Act::Resend(_)
                | Act::Incomplete(_)
                | Act::TooEarly(_)
                | Act::Complaint
                | Act::WalkIn(_)
                | Act::Attend(_)
                | Act::Paper(_)
                | Act::PutRight
                | Act::Report(_)
                | Act::Office(_)
                | Act::Complete
        )
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    at: Timestamp,
    order: u64,
    event: usize,
    act: Act,
}

/// Everything that happens at one instant.
pub struct Moment {
    pub at: Timestamp,
    /// The event's place in the year, and what happens there.
    pub acts: Vec<(usize, Act)>,
}

#[derive(Default)]
pub struct Agenda {
    items: BinaryHeap<Reverse<Item>>,
    put: u64,
}

impl Agenda {
    pub fn put(&mut self, at: Timestamp, event: usize, act: Act) {
        self.put += 1;
        self.items.push(Reverse(Item { at, order: self.put, event, act }));
    }

    /// Takes out the next instant.
    pub fn next(&mut self) -> Option<Moment> {
        let at = self.items.peek()?.0.at;
        let mut acts = Vec::new();
        while self.items.peek().is_some_and(|item| item.0.at == at) {
            let Some(Reverse(item)) = self.items.pop() else { break };
            acts.push((item.event, item.act));
        }
        Some(Moment { at, acts })
    }

    pub fn last(&self) -> Option<Timestamp> {
        self.items.iter().map(|item| item.0.at).max()
    }
}
