//! The middle and the tail of some lengths of time.

use crate::model::time::{Span, Timestamp};

/// Lengths, in whole seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lengths(Vec<i64>);

/// How many, the lower median, and the 90th percentile by nearest rank; in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    pub count: u64,
    pub median: i64,
    pub p90: i64,
}

impl Lengths {
    /// The time from one moment to a later one; one that is earlier counts as 0.
    pub fn add(&mut self, from: Timestamp, to: Timestamp) {
        let Span(length) = to.since(from);
        self.0.push((length / 1_000_000).max(0));
    }

    pub fn join(&mut self, other: &Lengths) {
        self.0.extend_from_slice(&other.0);
    }

    pub fn spread(&self) -> Spread {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        // Nearest rank: the smallest length that at least this share of them does not exceed.
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Spread { count: sorted.len() as u64, median: rank(50).unwrap_or(0), p90: rank(90).unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_lower_of_two_and_the_tail_is_by_nearest_rank() {
        let mut lengths = Lengths::default();
        for n in [4, 1, 3, 2] {
            lengths.add(Timestamp(0), Timestamp(n * 1_000_000));
        }
        assert_eq!(lengths.spread(), Spread { count: 4, median: 2, p90: 4 });
        assert_eq!(Lengths::default().spread(), Spread::default());
    }
}
