//! The waiting line: who is first, who is first that fits, and who stands at which position, each without
//! counting rows.
//!
//! Parties that are alike to a seat (same rank, size, wishes and class, and both marked as possible duplicates or
//! neither) share a lane, so the first that fits is found by looking at the head of each lane; lanes are few. Positions come from one Fenwick tree
//! per rank over the place numbers.

use crate::model::id::{Number, PoolNo};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What makes two parties alike to a seat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub rank: u8,
    pub size: u32,
    pub wishes: Arc<[PoolNo]>,
    pub class: Option<Arc<str>>,
    /// A possible duplicate: it stands in line like everybody, and is given nothing.
    pub twin: bool,
}

/// A party at the head of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub rank: u8,
    pub place: Number,
    pub number: Number,
    pub size: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    lanes: BTreeMap<Lane, BTreeSet<Number>>,
    ranks: Vec<Fenwick>,
    /// The few whose place is not their accepted number.
    moved: HashMap<Number, Number>,
}

impl Line {
    pub fn insert(&mut self, lane: Lane, place: Number, number: Number) {
        let rank = usize::from(lane.rank);
        if self.ranks.len() <= rank {
            self.ranks.resize_with(rank + 1, Fenwick::default);
        }
        self.ranks[rank].add(place, 1);
        if place != number {
            self.moved.insert(place, number);
        }
        self.lanes.entry(lane).or_default().insert(place);
    }

    pub fn remove(&mut self, lane: &Lane, place: Number) {
        let Some(places) = self.lanes.get_mut(lane) else { return };
        if !places.remove(&place) {
            return;
        }
        if places.is_empty() {
            self.lanes.remove(lane);
        }
        self.moved.remove(&place);
        if let Some(tree) = self.ranks.get_mut(usize::from(lane.rank)) {
            tree.add(place, -1);
        }
    }

    /// The first in line among the lanes that `may` names, without those who rest.
    pub fn first(&self, may: impl Fn(&Lane) -> bool, rests: impl Fn(Number) -> bool) -> Option<Waiting> {
        let mut best: Option<Waiting> = None;
        for (lane, places) in &self.lanes {
            // Lanes are ordered by rank: a later rank cannot beat an earlier one.
            if best.is_some_and(|b| b.rank < lane.rank) {
                break;
            }
            if !may(lane) {
                continue;
            }
            let head = places.iter().find(|p| !rests(self.number_at(**p)));
            let Some(&place) = head else { continue };
            let here = Waiting { rank: lane.rank, place, number: self.number_at(place), size: lane.size };
            if best.is_none_or(|b| here < b) {
                best = Some(here);
            }
        }
        best
    }

    /// How many stand before this place, and one more: the position that somebody there has or would have.
    pub fn position(&self, rank: u8, place: Number) -> u32 {
        let rank = usize::from(rank);
        let better: u32 = self.ranks.iter().take(rank).map(Fenwick::total).sum();
        let same = self.ranks.get(rank).map_or(0, |t| t.before(place));
        better + same + 1
    }

    /// The persons of everybody before this place. Counts places: for explanations, not for decisions.
    pub fn persons_before(&self, rank: u8, place: Number) -> u32 {
        let lanes = self.lanes.iter().take_while(|(lane, _)| lane.rank <= rank);
        lanes
            .map(|(lane, places)| {
                let parties = if lane.rank < rank { places.len() } else { places.range(..place).count() };
                lane.size.saturating_mul(parties as u32)
            })
            .fold(0, u32::saturating_add)
    }

    /// The accepted number of whoever stands at this position (1 is next).
    pub fn at(&self, position: u32) -> Option<Number> {
        let mut left = position.checked_sub(1)?;
        for tree in &self.ranks {
            if left < tree.total() {
                return tree.find(left).map(|place| self.number_at(place));
            }
            left -= tree.total();
        }
        None
    }

    pub fn len(&self) -> u32 {
        self.ranks.iter().map(Fenwick::total).sum()
    }

    fn number_at(&self, place: Number) -> Number {
        self.moved.get(&place).copied().unwrap_or(place)
    }
}

/// Counts over place numbers: add, count before, find the k-th, each in logarithmic time. The length is a
/// power of two, so that doubling it only has to carry the total over.
#[derive(Clone, Debug, Default)]
struct Fenwick {
    tree: Vec<u32>,
    total: u32,
}

impl Fenwick {
    fn add(&mut self, place: Number, delta: i32) {
        let mut i = place as usize;
        while self.tree.len() <= i {
            let grown = (self.tree.len().max(33) - 1) * 2;
            self.tree.resize(grown + 1, 0);
            self.tree[grown] = self.total;
        }
        self.total = self.total.saturating_add_signed(delta);
        while i < self.tree.len() {
            self.tree[i] = self.tree[i].saturating_add_signed(delta);
            i += i & i.wrapping_neg();
        }
    }

    fn before(&self, place: Number) -> u32 {
        let mut i = (place as usize).saturating_sub(1);
        if i >= self.tree.len() {
            return self.total;
        }
        let mut sum = 0;
        while i > 0 {
            sum += self.tree[i];
            i &= i - 1;
        }
        sum
    }

    fn total(&self) -> u32 {
        self.total
    }

    /// The place of the one with `k` others before it.
    fn find(&self, mut k: u32) -> Option<Number> {
        if k >= self.total {
            return None;
        }
        let mut at = 0usize;
        let mut step = self.tree.len() - 1;
        while step > 0 {
            if at + step < self.tree.len() && self.tree[at + step] <= k {
                at += step;
                k -= self.tree[at];
            }
            step /= 2;
        }
        Some(at as Number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_counts_as_a_plain_list_does_while_it_grows() {
        let mut tree = Fenwick::default();
        let mut list: BTreeSet<Number> = BTreeSet::new();
        let mut seed = 7u32;
        for _ in 0..3000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = seed % 700 + 1;
            if list.insert(place) {
                tree.add(place, 1);
            } else if seed & 4096 == 0 && list.remove(&place) {
                tree.add(place, -1);
            }
            assert_eq!(tree.before(place) as usize, list.range(..place).count());
            assert_eq!(tree.total() as usize, list.len());
            for (k, place) in list.iter().enumerate().step_by(17) {
                assert_eq!(tree.find(k as u32), Some(*place));
            }
        }
        assert_eq!(tree.find(tree.total()), None);
    }
}
