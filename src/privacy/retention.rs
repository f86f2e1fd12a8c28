//! Retention: what runs out is erased. Once a day by the service itself, where the settings say so; and on demand.

use super::{Asking, Privacy, PrivacyError};
use crate::model::id::{CentreId, EventId, RegistrationId};
use crate::model::registration::ActorKind;
use crate::model::retention::{Extent, Facts};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Events whose ids are read at a time.
const EVENTS_AT_ONCE: u32 = 500;
/// Registrations that one round of the service erases before it looks at the clock of others again.
const ROUND: usize = 1_000;

/// What has run out in one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub event: EventId,
    /// To be erased whole.
    pub whole: Vec<RegistrationId>,
    /// To be erased but for the names of those who took part.
    pub part: Vec<RegistrationId>,
}

impl Due {
    fn len(&self) -> usize {
        self.whole.len() + self.part.len()
    }
}

impl Privacy {
    /// What has run out, event by event in the order of their ids, from behind `after`: until there are `limit`
    /// registrations, then to the end of that event. And the last event looked at; nothing where all were.
    pub async fn due(
        &self,
        centre: Option<&CentreId>,
        after: Option<EventId>,
        limit: usize,
    ) -> Result<(Vec<Due>, Option<EventId>), PrivacyError> {
        let (mut found, mut count, mut last) = (Vec::new(), 0, after);
        loop {
            let ids = self.desk.store().event_ids(centre, last, EVENTS_AT_ONCE).await?;
            for event in &ids {
                last = Some(*event);
                let Some(due) = self.due_in(*event).await? else { continue };
                count += due.len();
                found.push(due);
                if count >= limit {
                    return Ok((found, last));
                }
            }
            if ids.len() < EVENTS_AT_ONCE as usize {
                return Ok((found, None));
            }
        }
    }

    async fn due_in(&self, event: EventId) -> Result<Option<Due>, PrivacyError> {
        let now = self.desk.clock().now();
        // The document is small, the roster may be large: it is looked at only where anything can have run out.
        let Some(document) = self.desk.store().document(event).await? else { return Ok(None) };
        if document.terms.ends_at.is_some_and(|at| now < at.plus(self.rules.shortest())) {
            return Ok(None);
        }
        let rules = self.rules;
        let read = self.desk.read(event, move |view| {
            let (mut whole, mut part) = (Vec::new(), Vec::new());
            for s in view.roster.standings() {
                match rules.due(super::facts(view, s, now), now) {
                    Some(Extent::Whole) if !s.is_erased(false) => whole.push(s.id),
                    Some(Extent::Part) if !s.is_erased(true) => part.push(s.id),
                    _ => {}
                }
            }
            Due { event, whole, part }
        });
        Ok(Some(read.await?).filter(|due| due.len() > 0))
    }

    /// Erases what has run out, as `due` lists it; how many were erased whole and in part.
    pub async fn apply(
        &self,
        centre: Option<&CentreId>,
        after: Option<EventId>,
        limit: usize,
    ) -> Result<(Vec<Due>, Option<EventId>), PrivacyError> {
        let (due, last) = self.due(centre, after, limit).await?;
        let asking = Asking { actor: ActorKind::System, request: None, borne: None, validate_only: false };
        for one in &due {
            for id in one.whole.iter().chain(&one.part) {
                let now = self.desk.clock().now();
                // Decided anew: somebody may have become a participant since, by a mark that was entered late.
                let extent = |facts: Facts| self.rules.due(facts, now);
                self.carry_out(one.event, *id, asking, extent).await?;
            }
        }
        if !due.is_empty() {
            self.scrub().await;
        }
        Ok((due, last))
    }
}

/// Keeps the rules until the service stops: at start and then once in `every`.
pub async fn keep_rules(privacy: Privacy, every: Duration, stop: CancellationToken) {
    loop {
        let mut after = None;
        loop {
            match privacy.apply(None, after, ROUND).await {
                Ok((due, last)) => {
                    let registrations: usize = due.iter().map(Due::len).sum();
                    if registrations > 0 {
                        tracing::info!(registrations, "personal data were erased because their time is over");
                    }
                    after = last;
                }
                Err(error) => {
                    tracing::warn!(%error, "retention waits for the next round");
                    after = None;
                }
            }
            if after.is_none() || stop.is_cancelled() {
                break;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return,
        }
    }
}
