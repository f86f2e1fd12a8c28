//! The protection of small counts. A row with a count from 1 to k - 1 is not shown at all, every other count is rounded
//! to a multiple of five, and totals are rounded on their own from the true sums. Where somebody who adds up what is shown
//! would be left with fewer than three values for a small count, the total is not shown either, nor another table that adds up
//! to it. Whatever follows from counts, as minutes do, follows from those that are shown. 0 stays 0: where nobody is, there is
//! nobody to hide.

/// What counts are rounded to.
const STEP: u64 = 5;

/// Values that must stay possible for every small count that is hidden.
const OPEN: u64 = 3;

/// More than anything that is counted.
const MOST: u64 = u64::MAX >> 1;

/// A quarter of an hour in seconds.
const QUARTER: i64 = 900;

/// From the least to the most that something may be.
type Range = (u64, u64);

/// Whether a total, and each table of those that have it, may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub total: bool,
    pub tables: Vec<bool>,
}

/// A table, row by row.
struct Parted<'a> {
    hidden: Vec<&'a [u64]>,
    seen: Vec<&'a [u64]>,
}

impl Parted<'_> {
    /// Whether whoever adds its rows up has the total.
    fn adds_up(&self) -> bool {
        self.hidden.is_empty() && !self.seen.is_empty()
    }
}

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

    /// Present minutes of a row that is shown. Whoever knows how long sessions are would have the exact attendances from the
    /// exact minutes: so they are what the shown attendances make at the mean length of the sessions, which tells of nobody.
    pub fn minutes(self, minutes: u64, attendances: u64, planned: u64, sessions: u64) -> u64 {
        match self {
            Shown::Exact => minutes,
            Shown::Protected { .. } => self.count(attendances) * planned / sessions.max(1),
        }
    }

    /// The length of time in seconds that this share of some lengths does not exceed, of a row that is shown: to the quarter
    /// of an hour, and only where so many are at least as long and as short that it is nobody's own; else 0.
    pub fn length(self, seconds: i64, lengths: u64, percent: u64) -> i64 {
        let Shown::Protected { k } = self else { return seconds };
        let rank = (lengths * percent).div_ceil(100);
        let nobodys = rank >= k.max(STEP) && (lengths + 1).saturating_sub(rank) >= k.max(STEP);
        if nobodys { (seconds + QUARTER / 2) / QUARTER * QUARTER } else { 0 }
    }

    /// What may be shown of tables that count the same people, and of their one total. A table of which no row is hidden adds up to
    /// the total as well as the total itself does: what gives a hidden row of another table away is left out whole.
    pub fn told_together(self, tables: &[Vec<Vec<u64>>], total: &[u64]) -> Told {
        let mut told = Told { total: true, tables: vec![true; tables.len()] };
        if self.is_exact() {
            return told;
        }
        let parted: Vec<Parted<'_>> = tables.iter().map(|rows| self.parted(rows)).collect();
        let is_safe = |sums: &[Range]| !parted.iter().any(|table| self.gives_away(table, sums));
        let own: Vec<Range> = total.iter().map(|n| possible(self.count(*n))).collect();
        told.total = !self.hides(total) && is_safe(&own);
        let mut known = if told.total { own } else { vec![(0, MOST); total.len()] };
        for (is_told, table) in told.tables.iter_mut().zip(&parted).filter(|(_, table)| table.adds_up()) {
            let sums: Vec<Range> = (0..total.len()).map(|column| self.seen_sum(table, column)).collect();
            *is_told = is_safe(&sums);
            if *is_told {
                known.iter_mut().zip(sums).for_each(|(all, sum)| *all = (all.0.max(sum.0), all.1.min(sum.1)));
            }
        }
        // Each of them is safe, and what all of them leave open together need not be.
        if !is_safe(&known) {
            told.tables.iter_mut().zip(&parted).for_each(|(is_told, table)| *is_told &= !table.adds_up());
        }
        told
    }

    fn parted(self, rows: &[Vec<u64>]) -> Parted<'_> {
        let (hidden, seen) = rows.iter().map(Vec::as_slice).partition(|row| self.hides(row));
        Parted { hidden, seen }
    }

    /// Whether these sums leave fewer than three values open for a small count of a hidden row.
    fn gives_away(self, table: &Parted<'_>, sums: &[Range]) -> bool {
        let Shown::Protected { k } = self else { return false };
        sums.iter().enumerate().any(|(column, sum)| {
            let small = |row: &&[u64]| row.get(column).is_some_and(|n| (1..k).contains(n));
            table.hidden.iter().any(small) && self.open_values(table, column, *sum) < OPEN
        })
    }

    /// How many values stay possible for a hidden count of a column, to somebody who adds up what is shown.
    fn open_values(self, table: &Parted<'_>, column: usize, (low, high): Range) -> u64 {
        let (least, most) = self.seen_sum(table, column);
        let (low, high) = (low.saturating_sub(most), high.saturating_sub(least));
        // One hidden row has any value in between; of several, each has any value from 0 to the most.
        if table.hidden.len() == 1 { high.saturating_sub(low) + 1 } else { high + 1 }
    }

    /// What the rows of a table that are shown may come to.
    fn seen_sum(self, table: &Parted<'_>, column: usize) -> Range {
        let shown = table.seen.iter().filter_map(|row| row.get(column)).map(|n| possible(self.count(*n)));
        shown.fold((0, 0), |(least, most), (low, high)| (least + low, most + high))
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
        /// Whoever knows the rules, the total and another table of the same people looks for all small tables that would be
        /// shown like this one.
        #[test]
        fn of_every_hidden_count_that_is_small_at_least_three_values_stay_possible(
            rows in proptest::collection::vec([0u64..14, 0u64..14], 1..4),
            cuts in proptest::collection::vec(0u64..=100, 0..3),
        ) {
            let sum = |at: usize| rows.iter().map(|row| row[at]).sum::<u64>();
            let total = [sum(0), sum(1)];
            let other = otherwise(total, cuts);
            let table = |rows: &[[u64; 2]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
            let told = SHOWN.told_together(&[table(&rows), table(&other)], &total);
            for (at, row) in rows.iter().enumerate().filter(|(_, row)| SHOWN.hides(&row[..])) {
                for column in (0..2).filter(|column| (1..5).contains(&row[*column])) {
                    let values = values_of(&rows, at, column, known(&told, &total, &other, column));
                    prop_assert!(values.len() >= 3, "{rows:?}, {other:?}: row {at}, column {column} is one of {values:?}");
                }
            }
        }
    }

    /// The same people by something else.
    fn otherwise(total: [u64; 2], mut cuts: Vec<u64>) -> Vec<[u64; 2]> {
        cuts.sort_unstable();
        cuts.push(100);
        let until = |n: u64, percent: u64| n * percent / 100;
        let mut before = 0;
        let row = |cut: u64| {
            let row = total.map(|n| until(n, cut) - until(n, before));
            before = cut;
            row
        };
        cuts.into_iter().map(row).collect()
    }

    /// What the total may be, by what is shown of it and of the other table.
    fn known(told: &Told, total: &[u64; 2], other: &[[u64; 2]], column: usize) -> Range {
        let (mut least, mut most) = if told.total { possible(SHOWN.count(total[column])) } else { (0, MOST) };
        if told.tables[1] {
            let seen = other.iter().filter(|row| !SHOWN.hides(&row[..]));
            let (low, high) =
                seen.clone().map(|row| possible(SHOWN.count(row[column]))).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            least = least.max(low);
            if seen.count() == other.len() {
                most = most.min(high);
            }
        }
        (least, most)
    }

    /// The values that the count of a hidden row may have, found by trying all: seen counts round as they are shown, and
    /// the sum is one that is possible.
    fn values_of(rows: &[[u64; 2]], at: usize, column: usize, (least, most): Range) -> std::collections::BTreeSet<u64> {
        let mut sums: Vec<(u64, u64)> = vec![(0, 0)];
        for (i, row) in rows.iter().enumerate() {
            let hidden = SHOWN.hides(&row[..]);
            let values: Vec<u64> = (0..=44).filter(|n| hidden || SHOWN.count(*n) == SHOWN.count(row[column])).collect();
            // What is shown as 0 is 0.
            let values: Vec<u64> = values.into_iter().filter(|n| hidden || row[column] != 0 || *n == 0).collect();
            sums = sums
                .iter()
                .flat_map(|(sum, own)| values.iter().map(move |n| (sum + n, if i == at { *n } else { *own })))
                .collect::<std::collections::HashSet<_>>()
                .into_iter()
                .collect();
        }
        sums.into_iter().filter(|(sum, _)| (least..=most).contains(sum)).map(|(_, own)| own).collect()
    }

    #[test]
    fn a_table_that_adds_up_is_left_out_where_its_sum_gives_another_tables_row_away() {
        // 48, 58 and 1, shown as 50 and 60: beside a total of 105, the hidden one would be 0 or 1, however it is told.
        let by_programme = vec![vec![48], vec![58], vec![1]];
        let told = SHOWN.told_together(&[by_programme.clone(), vec![vec![107]]], &[107]);
        assert_eq!(told, Told { total: false, tables: vec![true, false] });
        let told = SHOWN.told_together(&[by_programme, vec![vec![53], vec![54]]], &[107]);
        assert_eq!(told, Told { total: false, tables: vec![true, true] });
    }

    #[test]
    fn minutes_and_lengths_tell_no_count_and_nobodys_own_time() {
        // Sessions of two hours: 22 present, shown as 20.
        assert_eq!(SHOWN.minutes(2_640, 22, 240, 2), 2_400);
        assert_eq!(Shown::Exact.minutes(2_645, 22, 240, 2), 2_645);
        assert_eq!([8, 9, 39, 40].map(|n| SHOWN.length(4_000, n, if n < 10 { 50 } else { 90 })), [0, 3_600, 0, 3_600]);
        assert_eq!(Shown::Exact.length(4_000, 1, 90), 4_000);
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
