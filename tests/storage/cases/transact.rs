//! What is decided is what is stored, and what is read back.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{asked, contact, sign_up};
use eile::admission::{Answer, Verb};
use eile::model::registration::CancelReason;

pub async fn a_roster_read_back_is_the_roster_that_was_written(place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(5)).await;
    let many = (0..700).map(|n| sign_up(1 + n as u32 % 3, contact(n))).collect();
    let answers = clerk.hand_in(many).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Answer::Done(_))));
    clerk.check().await;
    clerk
        .hand_in(vec![
            asked(Verb::Cancel { number: 1, reason: CancelReason::CannotCome }),
            asked(Verb::SetClass { number: 9, class: Some("referral".into()) }),
        ])
        .await
        .unwrap();
    clerk.check().await;
    let stranger = Clerk::at(&place.store, clerk.event);
    stranger.check().await;
    assert_eq!(stranger.remembered().event, clerk.remembered().event);
}
