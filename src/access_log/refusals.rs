//! Refusals leave rows too, but a key that is refused all the time must not fill the log.

use crate::model::time::{Span, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Rows of one key within a minute.
const ROWS_MAX: u32 = 60;
const MINUTE: Span = Span::seconds(60);
/// Those who are counted. There are a thousand live keys at most, but any number who sign in.
const COUNTS_MAX: usize = 10_000;

/// By key.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<String, Count>>);

struct Count {
    since: Timestamp,
    rows: u32,
    left_out: u32,
}

impl Refusals {
    /// Whether the next one has a row, and how many before it had none.
    pub fn next(&self, key: &str, now: Timestamp) -> Option<u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= COUNTS_MAX && !all.contains_key(key) {
            all.retain(|_, count| now < count.since.plus(MINUTE));
        }
        let count = all.entry(key.to_owned()).or_insert(Count { since: now, rows: 0, left_out: 0 });
        if now >= count.since.plus(MINUTE) {
            (count.since, count.rows) = (now, 0);
        }
        if count.rows == ROWS_MAX {
            count.left_out = count.left_out.saturating_add(1);
            return None;
        }
        count.rows += 1;
        Some(std::mem::take(&mut count.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_rows_and_the_next_one_tells_what_was_left_out() {
        let refusals = Refusals::default();
        let start = Timestamp(7);
        for _ in 0..ROWS_MAX {
            assert_eq!(refusals.next("a", start), Some(0));
        }
        assert_eq!((refusals.next("a", start), refusals.next("a", start)), (None, None));
        assert_eq!(refusals.next("b", start), Some(0));
        assert_eq!(refusals.next("a", start.plus(MINUTE)), Some(2));
        assert_eq!(refusals.next("a", start.plus(MINUTE)), Some(0));
    }
}
