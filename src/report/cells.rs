//! The protection of small counts. A row with a count from 1 to k - 1 is not shown at all, every other count is rounded
//! to a multiple of five, and totals are rounded on their own from the true sums. Where somebody who adds up what is shown
//! would be left with fewer than three values for a small count, the total is not shown either. Whether a row is shown
//! follows from the row alone, so that no other filter shows it. 0 stays 0: where nobody is, there is nobody to hide.

/// What counts are rounded to.
const STEP: u64 = 5;

/// Values that must stay possible for every small count that is hidden.
const OPEN: u64 = 3;

/// How figures are shown to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As they are.
    Exact,
    /// With counts below `k` hidden and all others rounded.
    Protected { k: u64 },
}

impl Shown {
    /// Whether a row with these counts must not be shown.
    pub fn hides(self, counts: &[u64]) -> bool {
        match self {
            Shown::Exact => false,
            // What is rounded to nothing or from nothing would tell more than it should below half a step.
            Shown::Protected { k } => counts.iter().any(|n| (1..k.max(STEP)).contains(n)),
        }
    }

    /// A count of a row that is shown.
    pub fn count(self, n: u64) -> u64 {
        match self {
            Shown::Exact => n,
            Shown::Protected { .. } => (n + STEP / 2) / STEP * STEP,
        }
    }

    /// Whether the total of a table must not be shown: it is small itself, or it gives a hidden row away.
    pub fn hides_total<'a>(self, rows: impl IntoIterator<Item = &'a [u64]>, total: &[u64]) -> bool {
        let Shown::Protected { k } = self else { return false };
        let rows: Vec<&[u64]> = rows.into_iter().collect();
        let (hidden, seen): (Vec<&[u64]>, Vec<&[u64]>) = rows.into_iter().partition(|row| self.hides(row));
        let gives_away = |(column, total): (usize, &u64)| {
            let small = |row: &&[u64]| row.get(column).is_some_and(|n| (1..k).contains(n));
            hidden.iter().any(small) && self.open_values(&seen, hidden.len(), column, *total) < OPEN
        };
        self.hides(total) || total.iter().enumerate().any(gives_away)
    }

    /// How many values stay possible for a hidden count of a column, to somebody who adds up what is shown.
    fn open_values(self, seen: &[&[u64]], hidden: usize, column: usize, total: u64) -> u64 {
        let shown = seen.iter().filter_map(|row| row.get(column)).map(|n| self.count(*n));
        let (mut least, mut most) = (0, 0);
        for n in shown {
            let (low, high) = possible(n);
            (least, most) = (least + low, most + high);
        }
        let (low, high) = possible(self.count(total));
        let (low, high) = (low.saturating_sub(most), high.saturating_sub(least));
        // One hidden row has any value in between; of several, each has any value from 0 to the most.
        if hidden == 1 { high - low + 1 } else { high + 1 }
    }

    pub fn is_exact(self) -> bool {
        self == Shown::Exact
    }
}

/// The true values that a rounded count may have. What is shown as 0 is 0: smaller counts are hidden.
fn possible(shown: u64) -> (u64, u64) {
    if shown == 0 { (0, 0) } else { (shown - STEP / 2, shown + STEP / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHOWN: Shown = Shown::Protected { k: 5 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]
        /// Whoever knows the rules and the total looks for all small tables that would be shown like this one.
        #[test]
        fn of_every_hidden_count_that_is_small_at_least_three_values_stay_possible(
            rows in proptest::collection::vec([0u64..14, 0u64..14], 1..4),
        ) {
            let sum = |at: usize| rows.iter().map(|row| row[at]).sum::<u64>();
            let total = [sum(0), sum(1)];
            if SHOWN.hides_total(rows.iter().map(|row| &row[..]), &total) {
                return Ok(());
            }
            for (at, row) in rows.iter().enumerate().filter(|(_, row)| SHOWN.hides(&row[..])) {
                for column in (0..2).filter(|column| (1..5).contains(&row[*column])) {
                    let values = values_of(&rows, total[column], at, column);
                    prop_assert!(values.len() >= 3, "{rows:?}: row {at}, column {column} is one of {values:?}");
                }
            }
        }
    }

    /// The values that the count of a hidden row may have, found by trying all: seen counts round as they are shown, and
    /// the sum rounds as the total is shown.
    fn values_of(rows: &[[u64; 2]], total: u64, at: usize, column: usize) -> std::collections::BTreeSet<u64> {
        let mut sums: Vec<(u64, u64)> = vec![(0, 0)];
        for (i, row) in rows.iter().enumerate() {
            let hidden = SHOWN.hides(&row[..]);
            let values: Vec<u64> = (0..=24).filter(|n| hidden || SHOWN.count(*n) == SHOWN.count(row[column])).collect();
            // What is shown as 0 is 0.
            let values: Vec<u64> = values.into_iter().filter(|n| hidden || row[column] != 0 || *n == 0).collect();
            sums = sums
                .iter()
                .flat_map(|(sum, own)| values.iter().map(move |n| (sum + n, if i == at { *n } else { *own })))
                .collect::<std::collections::HashSet<_>>()
                .into_iter()
                .collect();
        }
        let fits = |sum: &u64| SHOWN.count(*sum) == SHOWN.count(total);
        sums.into_iter().filter(|(sum, _)| fits(sum)).map(|(_, own)| own).collect()
    }

    #[test]
    fn rows_with_a_small_count_are_hidden_whole_and_zero_is_no_small_count() {
        assert!(SHOWN.hides(&[100, 4]));
        assert!(SHOWN.hides(&[1]));
        assert!(!SHOWN.hides(&[0, 5, 100]));
        assert!(!Shown::Exact.hides(&[1]));
        assert_eq!([5, 7, 8, 12, 13].map(|n| SHOWN.count(n)), [5, 5, 10, 10, 15]);
        assert!(Shown::Protected { k: 8 }.hides(&[7]));
    }
}
