//! ListCorrections: what a stored report says, what it would say now, and what was entered in between.

use super::flat::flat;
use super::stored::{figures_of, query_of};
use crate::admission::Entry;
use crate::api::caller::Caller;
use crate::api::proto::{
    self, FigureChange, ListCorrectionsRequest, ListCorrectionsResponse, PeopleChange, ReportFigures,
};
use crate::api::{Api, people, status, to_proto};
use crate::feed::Batch;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::report;
use crate::storage::{FeedRow, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tonic::Status;

/// Changes that are told.
const CHANGES_MAX: usize = 5_000;
/// Entries about persons that are told.
const PEOPLE_MAX: u32 = 1_000;

impl Api {
    pub(super) async fn list_of_corrections(
        &self,
        caller: Caller,
        r: ListCorrectionsRequest,
    ) -> Result<ListCorrectionsResponse, Status> {
        let stored = self.stored_report(caller, "report", &r.report).await?;
        let (now, rests_on) = self.figures(query_of(&stored)?).await?;
        let (changes, more_changes) = self.entered_since(&stored, &rests_on.events).await?;
        // Entries about persons are of all centres: whoever reaches only some sees what they did to the figures.
        let people_max = if self.key_of(caller)?.is_none_or(|key| key.all_centres) { PEOPLE_MAX } else { 0 };
        let entries = self.desk.store().people_entries(stored.people_number, people_max).await;
        let people = entries.map_err(status::storage)?.iter().map(people_change).collect();
        let figures = differences(&figures_of(&stored)?, &now)?;
        Ok(ListCorrectionsResponse { figures, changes, more_changes, people, now: Some(now) })
    }

    /// The changes of the events that have moved since, and whether there are more.
    async fn entered_since(
        &self,
        stored: &report::Report,
        now: &[(EventId, u64)],
    ) -> Result<(Vec<proto::Change>, bool), Status> {
        let then: HashMap<EventId, u64> = stored.rests_on.iter().copied().collect();
        // An event that the period has lost is told too.
        let mut events: BTreeSet<EventId> = now.iter().map(|(event, _)| *event).collect();
        events.extend(then.keys());
        let mut changes = Vec::new();
        for event in events {
            let from = then.get(&event).map_or(1, |number| number + 1);
            let room = CHANGES_MAX + 1 - changes.len();
            let limit = u32::try_from(room).unwrap_or(u32::MAX);
            let entries = self.desk.store().journal(event, from, limit).await.map_err(status::storage)?;
            changes.extend(self.told(event, entries).await?);
            if changes.len() > CHANGES_MAX {
                changes.truncate(CHANGES_MAX);
                return Ok((changes, true));
            }
        }
        Ok((changes, false))
    }

    /// Entries as the change feed tells them: batch by batch, from the beginning of one.
    async fn told(&self, event: EventId, mut entries: Vec<Entry>) -> Result<Vec<proto::Change>, Status> {
        let Some(first) = entries.first() else { return Ok(Vec::new()) };
        let limit = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let counts = self.desk.store().journal_counts(event, first.number, limit).await.map_err(status::storage)?;
        let names = self.feed.ids(event, &entries).await.map_err(status::storage)?;
        let numbers: BTreeSet<Number> = entries.iter().filter_map(|entry| entry.change.about()).collect();
        let look = |view: &crate::desk::View<'_>| {
            let id = |number: Number| view.roster.standing(number).map(|s| (number, s.id));
            let ids: Vec<(Number, RegistrationId)> = numbers.into_iter().filter_map(id).collect();
            (ids, view.event.centre.clone(), view.event.programme.clone())
        };
        let (ids, centre, programme) = self.look(event, look).await?;
        let mut told = Vec::with_capacity(entries.len());
        for (last, counts) in counts {
            let of_it = entries.iter().position(|entry| entry.number > last).unwrap_or(entries.len());
            let behind = entries.split_off(of_it);
            let (centre, programme, ids) = (centre.clone(), programme.clone(), ids.clone());
            let row = FeedRow { position: 0, event, centre, programme, entries, counts, ids };
            let batch = Batch { row, ids: Arc::clone(&names) };
            told.extend(batch.row.entries.iter().map(|entry| to_proto::change::change(&batch, entry)));
            entries = behind;
        }
        match entries.is_empty() {
            true => Ok(told),
            false => {
                Err(status::storage(StoreError::Failed(format!("the journal of {event:?} has entries in no batch"))))
            }
        }
    }
}

fn people_change(entry: &crate::model::person::PeopleEntry) -> PeopleChange {
    let proto::PeopleEntry { number, time, kind, persons, .. } = people::entry(entry);
    PeopleChange { number, time, kind, persons }
}

/// Every figure that is not what it was.
fn differences(then: &ReportFigures, now: &ReportFigures) -> Result<Vec<FigureChange>, Status> {
    let (then, now) = (flat(then)?, flat(now)?);
    let known: HashMap<&str, &str> = then.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    let new: HashMap<&str, &str> = now.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    let gone = then.iter().filter(|(path, _)| !new.contains_key(path.as_str()));
    let moved = now.iter().filter(|(path, value)| known.get(path.as_str()) != Some(&value.as_str()));
    let change = |path: &String| FigureChange {
        path: path.clone(),
        before: known.get(path.as_str()).copied().unwrap_or_default().to_owned(),
        after: new.get(path.as_str()).copied().unwrap_or_default().to_owned(),
    };
    Ok(moved.chain(gone).map(|(path, _)| change(path)).collect())
}
