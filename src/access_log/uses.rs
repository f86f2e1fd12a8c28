//! When keys were used last, written once a minute at most.

use crate::model::time::{Span, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Written no sooner after it was written last.
const EVERY: Span = Span::seconds(60);

/// By key. There are a thousand live keys at most.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<String, Use>>);

struct Use {
    last: Timestamp,
    written: Option<Timestamp>,
}

impl Use {
    fn is_due(&self) -> bool {
        self.written.is_none_or(|written| self.last >= written.plus(EVERY))
    }
}

impl Uses {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to write.
    pub fn note(&self, key: &str, now: Timestamp) -> bool {
        let mut all = self.all();
        if let Some(known) = all.get_mut(key) {
            known.last = known.last.max(now);
            return known.is_due();
        }
        all.insert(key.to_owned(), Use { last: now, written: None });
        true
    }

    pub fn due(&self) -> Vec<(String, Timestamp)> {
        self.all().iter().filter(|(_, known)| known.is_due()).map(|(key, known)| (key.clone(), known.last)).collect()
    }

    pub fn written(&self, uses: &[(String, Timestamp)]) {
        let mut all = self.all();
        for (key, at) in uses {
            if let Some(known) = all.get_mut(key) {
                known.written = Some(*at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_at_once_and_then_once_a_minute() {
        let uses = Uses::default();
        let at = |seconds: i64| Timestamp(0).plus(Span::seconds(seconds));
        assert!(uses.note("a", at(5)));
        assert_eq!(uses.due(), [("a".to_owned(), at(5))]);
        uses.written(&uses.due());
        assert!(!uses.note("a", at(64)) && uses.due().is_empty());
        assert!(uses.note("a", at(65)));
        assert_eq!(uses.due(), [("a".to_owned(), at(65))]);
        // What is not written stays due.
        assert!(uses.note("a", at(66)));
    }
}
