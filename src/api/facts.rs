//! Facts that a refusal's metadata shows and the core's refusal does not carry. Looked up after a no, where
//! time does not matter.

use super::status::{self, About, Facts};
use super::{Api, to_proto};
use crate::admission::Refusal;
use crate::desk::{DeskError, View};
use crate::model::id::{Number, PoolNo};
use crate::model::registration::State;
use tonic::Status;

impl Api {
    /// The status of what the desk answered instead of a decision.
    pub(super) async fn no(&self, error: DeskError, about: &About<'_>) -> Status {
        let DeskError::Refused(refusal, terms) = error else { return status::desk(error, about) };
        let facts = self.facts(&refusal, about).await;
        status::refused(&refusal, about, terms.as_deref(), &facts)
    }

    async fn facts(&self, refusal: &Refusal, about: &About<'_>) -> Facts {
        if *refusal == Refusal::OfferExpired {
            return self.expired_offer(about).await;
        }
        let needed = matches!(
            refusal,
            Refusal::AlreadyRegistered { .. }
                | Refusal::WaitingPartyFirst { .. }
                | Refusal::ReasonRequired
                | Refusal::PoolInUse { .. }
        );
        if !needed {
            return Facts::default();
        }
        self.look(about.event, |view| gathered(refusal, about, view)).await.unwrap_or_default()
    }

    async fn expired_offer(&self, about: &About<'_>) -> Facts {
        let Some(number) = about.registration.map(|id| id.number()) else { return Facts::default() };
        let steps = self.look(about.event, |view| steps(view, number)).await.unwrap_or_default();
        let entries = self.desk.store().journal_entries(about.event, &steps).await.unwrap_or_default();
        Facts { offer_expired_at: to_proto::explain::last_offer_deadline(&entries, number), ..Facts::default() }
    }
}

/// The journal numbers of a registration's steps.
pub fn steps(view: &View<'_>, number: Number) -> Vec<u64> {
    view.roster.standing(number).map(|s| s.steps.clone()).unwrap_or_default()
}

fn gathered(refusal: &Refusal, about: &About<'_>, view: &View<'_>) -> Facts {
    let mine = about.registration.and_then(|id| view.roster.standing(id.number()));
    let none = Facts::default();
    match refusal {
        Refusal::AlreadyRegistered { number } => {
            // Where somebody is left alone nobody is named: the one that is not would be told by trying contacts.
            let some_restricted = view.roster.standings().any(|s| s.restricted_at().is_some());
            let other = view.roster.standing(*number).filter(|_| !some_restricted);
            Facts { other: other.map(|s| s.id), ..none }
        }
        Refusal::WaitingPartyFirst { .. } => Facts {
            seats_needed: about.party_size.saturating_sub(mine.map_or(0, |s| s.size)),
            waiting_parties: view.roster.counts.waiting.parties,
            ..none
        },
        Refusal::ReasonRequired => Facts { position: mine.map_or(0, |s| view.roster.position(s.number)), ..none },
        Refusal::PoolInUse { pool } => {
            let pool_id = to_proto::registration::pool_id(&view.roster.terms, Some(*pool));
            Facts { pool_id, parties: users(view, *pool), ..none }
        }
        _ => none,
    }
}

/// How many live parties sit in a pool or wish for it.
fn users(view: &View<'_>, pool: PoolNo) -> u32 {
    let live = view.roster.standings().filter(|s| !matches!(s.state, State::Ended(_)));
    let users = live.filter(|s| s.state.holds() == Some(pool) || s.wishes.contains(&pool)).count();
    u32::try_from(users).unwrap_or(u32::MAX)
}
