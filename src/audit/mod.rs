//! `eile check`: does what is stored agree with what happened?
//!
//! For each event everything is recomputed twice, from the journal (`replay`) and from the rows, and
//! compared with each other and with what the event row keeps (`compare`). Both are pure; the walk over the
//! database is here. One event is in memory at a time, its journal a page at a time.

mod compare;
mod replay;

pub use compare::compare;
pub use replay::Replay;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;

use crate::model::id::EventId;
use crate::storage::{Store, StoreError};
use std::fmt;

/// Journal entries per page.
const PAGE: u32 = 4_096;
/// Event ids per page.
const EVENTS: u32 = 500;
/// Differences of one event that are told; of more, only how many.
const TOLD_MAX: usize = 20;

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub about: About,
    pub text: String,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// Numbers of the journal are not 1, 2, 3 ..., or its times go back.
    Journal,
    /// A seat was given that the pool did not have.
    Capacity,
    /// What the event row keeps: state, version, numbers, terms.
    Header,
    Counts,
    /// One registration.
    Registration,
    /// The order of the line.
    Line,
    /// More live registrations under one contact than the event allows.
    Contact,
    /// What was recorded under a request id.
    Request,
    /// Who came.
    Attendance,
    /// A row that cannot be read.
    Row,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = match self.about {
            About::Journal => "journal",
            About::Capacity => "capacity",
            About::Header => "event",
            About::Counts => "counts",
            About::Registration => "registration",
            About::Line => "line",
            About::Contact => "contact",
            About::Request => "request",
            About::Attendance => "attendance",
            About::Row => "row",
        };
        write!(f, "{about}: {}", self.text)
    }
}

/// What was found of one event.
#[derive(Debug)]
pub struct Checked {
    pub event: EventId,
    pub registrations: u64,
    pub entries: u64,
    pub differences: Vec<Difference>,
    /// Differences beyond those that are told.
    pub untold: usize,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "events/{}", self.event.0)?;
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        match self.untold {
            0 => Ok(()),
            n => write!(f, "\n  and {n} more"),
        }
    }
}

/// What was looked at in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub events: u64,
    pub registrations: u64,
    pub entries: u64,
    pub differences: u64,
}

impl Summary {
    pub fn is_clean(&self) -> bool {
        self.differences == 0
    }

    /// Of one event.
    pub fn of(checked: &Checked) -> Self {
        let mut summary = Self::default();
        summary.add(checked);
        summary
    }

    fn add(&mut self, checked: &Checked) {
        self.events += 1;
        self.registrations += checked.registrations;
        self.entries += checked.entries;
        self.differences += (checked.differences.len() + checked.untold) as u64;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, registrations, entries, differences } = self;
        let count = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let (events, entries) =
            (count(*events, "event", "events"), count(*entries, "journal entry", "journal entries"));
        let registrations = count(*registrations, "registration", "registrations");
        write!(f, "{events}, {registrations}, {entries}: ")?;
        match differences {
            0 => f.write_str("everything agrees"),
            1 => f.write_str("1 difference"),
            n => write!(f, "{n} differences"),
        }
    }
}

/// Checks every event, one after the other, and tells `tell` of each.
pub async fn check_all(store: &dyn Store, mut tell: impl FnMut(&Checked)) -> Result<Summary, StoreError> {
    let mut summary = Summary::default();
    let mut after = None;
    loop {
        let page = store.event_ids(None, after, EVENTS).await?;
        let Some(last) = page.last().copied() else { return Ok(summary) };
        for event in page {
            if let Some(checked) = check_event(store, event).await? {
                summary.add(&checked);
                tell(&checked);
            }
        }
        after = Some(last);
    }
}

/// Checks one event; `None` where there is no such event. A row that cannot be read is a difference like any other: the
/// next events are looked at all the same.
pub async fn check_event(store: &dyn Store, event: EventId) -> Result<Option<Checked>, StoreError> {
    match look_at(store, event).await {
        Err(StoreError::Corrupt { table, column, id }) => {
            let text = format!("{table}.{column} of {id} cannot be read; nothing else of the event was compared");
            let differences = vec![Difference { about: About::Row, text }];
            Ok(Some(Checked { event, registrations: 0, entries: 0, differences, untold: 0 }))
        }
        looked => looked,
    }
}

async fn look_at(store: &dyn Store, event: EventId) -> Result<Option<Checked>, StoreError> {
    let Some(whole) = store.whole(event).await? else { return Ok(None) };
    // The service may be running: what it wrote after the snapshot is left for the next check.
    let until = whole.header.journal_number;
    let mut replay = Replay::new(event);
    let mut from = 1;
    while from <= until {
        let mut page = store.journal(event, from, PAGE).await?;
        page.retain(|entry| entry.number <= until);
        let Some(last) = page.last() else { break };
        // Whatever number the last one bears, the next page is further on.
        from = last.number.max(from) + 1;
        replay.expect(store.journal_counts(event, page.first().map_or(from, |e| e.number), PAGE).await?);
        replay.take(&page);
    }
    let (registrations, entries) = (whole.standings.len() as u64, replay.entries());
    let mut differences = compare(whole, replay);
    let untold = differences.len().saturating_sub(TOLD_MAX);
    differences.truncate(TOLD_MAX);
    Ok(Some(Checked { event, registrations, entries, differences, untold }))
}
