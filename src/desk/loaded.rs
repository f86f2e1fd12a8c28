//! An event in memory: read whole, brought up to what others wrote, and kept beside what was just decided.

use super::View;
use super::job::{Borne, EventPapers, Papers};
use crate::admission::{Roster, Standing, Verb};
use crate::model::contact::ContactKeys;
use crate::model::event::Event;
use crate::model::time::Timestamp;
use crate::storage::{Behind, Whole};
use std::sync::Arc;

/// An event in memory: its document and its roster, both as of the roster's journal number.
pub(super) struct Loaded {
    pub event: Event,
    pub roster: Roster,
}

impl Loaded {
    pub fn of(whole: Whole) -> Self {
        let terms = Arc::clone(&whole.event.terms);
        let mut roster = Roster::from_rows(whole.event.id, terms, &whole.header, whole.standings);
        for (key, recorded) in whole.requests {
            roster.record(key, recorded);
        }
        for (key, marked) in whole.marks {
            roster.place_mark(key, marked);
        }
        Self { event: whole.event, roster }
    }

    /// Applies what others wrote. False where the entries do not follow on what is in memory.
    pub fn catch_up(&mut self, behind: Behind) -> bool {
        for entry in &behind.entries {
            if entry.number != self.roster.journal_number + 1 {
                return false;
            }
            self.roster.apply(entry);
        }
        for (number, id, contact) in behind.attachments {
            self.roster.attach(number, id, contact);
        }
        for (key, recorded) in behind.requests {
            self.roster.record(key, recorded);
        }
        self.event = behind.event;
        true
    }

    pub fn view(&self) -> View<'_> {
        View { event: &self.event, roster: &self.roster }
    }

    /// The contact that a correction takes the place of.
    pub fn contact_before(&self, verb: &Verb) -> Option<ContactKeys> {
        let Verb::Amend { number, contact: Some(_), .. } = verb else { return None };
        self.roster.standing(*number).map(|s| s.contact)
    }

    /// Whether the papers were made from what is no more.
    pub fn is_stale(&self, papers: &Papers, verb: &Verb, now: Timestamp) -> bool {
        match (papers, verb) {
            (Papers::Repeat, _) => true,
            (
                Papers::Party { seen_step, seen_marked, seen_part, .. },
                Verb::Amend { number, .. } | Verb::Erase { number, .. },
            ) => {
                let moved = |s: &Standing| s.steps.last() != Some(seen_step);
                self.roster.standing(*number).is_some_and(moved)
                    || self.roster.last_member_marked(*number) != *seen_marked
                    || seen_part.is_some_and(|seen| seen != self.roster.took_part(*number, now))
            }
            _ => false,
        }
    }

    /// Whether the registration of this token has stepped since the token was good.
    pub fn has_stepped(&self, borne: Option<&Borne>) -> bool {
        borne.is_some_and(|borne| {
            self.roster.standing(borne.number).is_some_and(|s| s.steps.last() != Some(&borne.seen_step))
        })
    }

    /// Brings the event's document up to what was just decided, where staff changed the event.
    pub fn stamp(&mut self) {
        if self.event.version != self.roster.version {
            self.event.version = self.roster.version;
            self.event.updated_at = self.roster.last_at;
            self.event.terms = Arc::clone(&self.roster.terms);
        }
    }

    /// Makes the event's new document, and renders what is answered.
    pub fn edit(&mut self, papers: &EventPapers) -> Option<Vec<u8>> {
        if let Some(edit) = &papers.edit {
            edit(&mut self.event);
        }
        papers.answer.as_ref().map(|answer| answer(&self.view()))
    }
}
