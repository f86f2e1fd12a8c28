//! What a sign-up is checked against before it reaches the desk: the event's questions, and which pools its
//! words name. Kept for a moment, so that a rush does not ask the desk for them once per sign-up.
//!
//! Kept rules may be a moment old. That is safe: whatever they would refuse is looked at again with fresh
//! ones, a pool's number never comes to mean another pool, and all that gives seats is decided by the desk.
//! Only a question that another instance made required within that moment may stay unanswered.

use super::to_proto::names;
use super::{Api, status};
use crate::model::access::Role;
use crate::model::event::{EventState, Question};
use crate::model::id::{EventId, PoolNo};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tonic::Status;

/// How long rules are kept.
const KEPT: Duration = Duration::from_secs(1);
/// Most events whose rules are kept.
const EVENTS_MAX: usize = 4096;

/// The rules of one event.
pub struct EventRules {
    pub questions: Vec<Question>,
    pools: Vec<(String, PoolNo)>,
    named_roles: Option<Vec<Role>>,
    is_draft: bool,
}

impl EventRules {
    /// The pools that these words name; a word that names none becomes number 0, which no pool has, so that
    /// the desk refuses it in its place on the ladder.
    pub fn pools(&self, words: &[String]) -> Vec<PoolNo> {
        let no = |word: &String| self.pools.iter().find(|(id, _)| id == word).map_or(0, |(_, no)| *no);
        words.iter().map(no).collect()
    }

    /// As `Details::named_roles`.
    pub fn named_roles(&self) -> Option<&[Role]> {
        self.named_roles.as_deref()
    }

    /// Whether every word names a pool.
    pub fn know(&self, words: &[String]) -> bool {
        words.iter().all(|word| self.pools.iter().any(|(id, _)| id == word))
    }
}

/// The rules that are kept.
#[derive(Default)]
pub struct Rules {
    kept: Mutex<HashMap<EventId, (Instant, Arc<EventRules>)>>,
}

impl Rules {
    /// What is kept of an event, perhaps a moment old.
    pub fn kept(&self, event: EventId) -> Option<Arc<EventRules>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&event).filter(|(at, _)| at.elapsed() < KEPT).map(|(_, rules)| Arc::clone(rules))
    }

    fn keep(&self, event: EventId, rules: &Arc<EventRules>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= EVENTS_MAX {
            kept.clear();
        }
        kept.insert(event, (Instant::now(), Arc::clone(rules)));
    }

    /// Forgets the rules of an event that staff changed here.
    pub fn forget(&self, event: EventId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&event);
    }
}

impl Api {
    /// The rules of an event as they are now.
    pub(super) async fn fresh_event_rules(&self, event: EventId) -> Result<Arc<EventRules>, Status> {
        let rules = self
            .look(event, |view| EventRules {
                questions: view.event.details.questions.clone(),
                named_roles: view.event.details.named_roles().map(<[Role]>::to_vec),
                pools: view.roster.terms.pools.iter().map(|p| (p.id.clone(), p.no)).collect(),
                is_draft: view.roster.state == EventState::Draft,
            })
            .await?;
        let rules = Arc::new(rules);
        // Of a draft none are at hand: whoever asks for them is looked at first.
        if !rules.is_draft {
            self.rules.keep(event, &rules);
        }
        Ok(rules)
    }

    /// The same for whoever wants in: to all but staff a draft is not there.
    pub(super) async fn rules_for(&self, event: EventId, is_staff: bool) -> Result<Arc<EventRules>, Status> {
        let rules = self.fresh_event_rules(event).await?;
        if rules.is_draft && !is_staff {
            return Err(status::event_not_found(&names::event(event)));
        }
        Ok(rules)
    }
}
