//! A repeated request is answered as it was first. State, position and pool stand in its recorded outcome; what
//! else a later change may have touched (the party's size, its class, the mark of a possible duplicate) is taken
//! back to that moment by the journal. Only repeated requests about a registration that has moved on pay for it.

use crate::admission::{Change, Entry, Standing};
use crate::api::Api;
use crate::desk::{DeskError, Done};
use crate::model::id::EventId;

impl Api {
    /// What was done, with the registration as it stood right after it.
    pub(super) async fn as_first_answered(&self, event: EventId, mut done: Done) -> Result<Done, DeskError> {
        let answered_at = done.outcome.journal_number;
        let Some(standing) = done.standing.as_mut().filter(|s| done.replayed && moved_since(s, answered_at)) else {
            return Ok(done);
        };
        let until_then: Vec<u64> = standing.steps.iter().copied().filter(|step| *step <= answered_at).collect();
        let entries = self.desk.store().journal_entries(event, &until_then).await;
        take_back(standing, &entries.map_err(|_| DeskError::Unavailable)?);
        Ok(done)
    }
}

fn moved_since(standing: &Standing, journal_number: u64) -> bool {
    standing.steps.last().is_some_and(|step| *step > journal_number)
}

/// Sets what a repeated answer shows to what the registration's first steps, these entries, made of it.
fn take_back(standing: &mut Standing, entries: &[Entry]) {
    let own = standing.number;
    for entry in entries {
        match &entry.change {
            Change::Registered { number, size, twin_of, .. } if *number == own => {
                (standing.size, standing.twin_of, standing.class) = (*size, *twin_of, None);
            }
            Change::Resized { number, size } if *number == own => standing.size = *size,
            Change::ClassSet { number, class } if *number == own => {
                standing.class = class.as_deref().map(Into::into);
            }
            Change::TwinCleared { number } if *number == own => standing.twin_of = None,
            _ => {}
        }
    }
}
