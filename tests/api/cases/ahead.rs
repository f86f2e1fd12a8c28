//! Figures are worked out ahead of being asked for.

use crate::house::House;
use eile::report::{Ahead, Reports};
use std::sync::Arc;

pub async fn an_event_that_rests_is_worked_out_ahead_and_one_that_moves_is_not(mut h: House) {
    let event = h.open_with(5, |_| ()).await;
    let store = Arc::clone(h.desk.store());
    let mut ahead = Ahead::new(Reports::new(Arc::clone(&store), h.desk.keys().clone()));
    let stale = || async { store.stale_digests(10).await.unwrap().len() };
    ahead.look().await.unwrap();
    h.joins(&event, 1).await;
    ahead.look().await.unwrap();
    assert_eq!(stale().await, 1, "it has moved between two looks");
    ahead.look().await.unwrap();
    assert_eq!(stale().await, 0, "it rested");
    h.joins(&event, 1).await;
    assert_eq!(stale().await, 1);
}
