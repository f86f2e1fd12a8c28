//! Seat pools. A pool that stays keeps its number; a new one gets the next, never that of one taken out.

use super::text::Alphabet;
use super::{Fields, Path};
use crate::api::proto;
use crate::model::event::{Pool, Session, Terms};
use crate::model::id::PoolNo;

impl Fields {
    /// 1 to 200 pools. `old` are the terms that the event has.
    pub(super) fn pools(
        &mut self,
        at: Path<'_>,
        given: Vec<proto::SeatPool>,
        sessions: &[Session],
        old: Option<&Terms>,
    ) -> Vec<Pool> {
        let given = self.list(at, given, 1, 200);
        let mut last = old.map_or(0, last_given);
        let old = old.map_or(&[][..], |terms| &terms.pools);
        let mut pools = Vec::with_capacity(given.len());
        for (i, pool) in given.into_iter().enumerate() {
            let at = at.item(i);
            let mut pool = self.pool(at, pool);
            if !pool.session_id.is_empty() && !sessions.iter().any(|s| s.id == pool.session_id) {
                self.refuse(at.field("session_id"), "is not a session of this event");
            }
            pool.no = match old.iter().find(|p| p.id == pool.id) {
                Some(same) => same.no,
                None => {
                    last = last.saturating_add(1);
                    last
                }
            };
            pools.push(pool);
        }
        self.unique(at, "pool_id", pools.iter().map(|p| p.id.as_str()));
        pools
    }

    fn pool(&mut self, at: Path<'_>, given: proto::SeatPool) -> Pool {
        let proto::SeatPool { pool_id, capacity, classes, release_time, session_id, released: _, counts: _ } = given;
        let classes = self.codes(at.field("classes"), classes, 16, Alphabet::Word, 32);
        if release_time.is_some() && classes.is_empty() {
            self.refuse(at.field("release_time"), "is only for a pool that is kept for classes");
        }
        Pool {
            no: 0,
            id: self.required_code(at.field("pool_id"), pool_id, Alphabet::Slug, 32),
            capacity: capacity.map(|n| self.number(at.field("capacity"), n, 1, 1_000_000)),
            classes,
            release_at: self.instant(at.field("release_time"), release_time),
            session_id: self.code(at.field("session_id"), session_id, Alphabet::Slug, 32),
        }
    }
}

/// The highest number that a pool of the event has or had.
fn last_given(terms: &Terms) -> PoolNo {
    terms.pools.iter().map(|p| p.no).fold(terms.last_retired, PoolNo::max)
}

/// The highest number of a pool that is taken out, now or before.
pub(super) fn last_retired(old: Option<&Terms>, pools: &[Pool]) -> PoolNo {
    let Some(old) = old else { return 0 };
    let gone = old.pools.iter().map(|p| p.no).filter(|no| pools.iter().all(|p| p.no != *no));
    gone.fold(old.last_retired, PoolNo::max)
}

/// The words of all pools that were taken out, now or before.
pub(super) fn retired(old: Option<&Terms>, pools: &[Pool]) -> Vec<(PoolNo, String)> {
    let Some(old) = old else { return Vec::new() };
    let gone = old.pools.iter().filter(|p| pools.iter().all(|kept| kept.no != p.no)).map(|p| (p.no, p.id.clone()));
    old.retired.iter().cloned().chain(gone).collect()
}
