//! Does what is due although nobody asks: offers to expire, kept pools to release, duplicates to drop. It
//! only finds the events; what is done is decided at the desk like everything else, so several instances
//! may sweep at once and each thing happens exactly once. After downtime it catches up.

use super::job::{Job, Papers};
use super::{Desk, DeskError};
use crate::admission::{Command, Verb};
use crate::model::registration::ActorKind;

/// Most events that are swept together.
const SWEEP_MAX: u32 = 256;

pub(super) async fn run(desk: Desk) {
    let shared = &desk.shared;
    let mut ticks = tokio::time::interval(shared.options.sweep_every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.closing.cancelled() => return,
            _ = ticks.tick() => {}
        }
        sweep(&desk).await;
        look_for_others(&desk).await;
    }
}

/// Sweeps until nothing is due.
pub(super) async fn sweep(desk: &Desk) {
    loop {
        let now = desk.clock().now();
        let due = match desk.store().due_events(now, SWEEP_MAX).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "what is due could not be read");
                return;
            }
        };
        let full = due.len() as u32 == SWEEP_MAX;
        let all = due.into_iter().map(|event| {
            let command = Command { actor: ActorKind::System, request: None, verb: Verb::Sweep };
            desk.submit(Job { event, command, papers: Papers::None, borne: None })
        });
        let answers = futures_util::future::join_all(all).await;
        let stuck = answers.iter().any(|a| matches!(a, Err(e) if !matches!(e, DeskError::Refused(..))));
        if !full || stuck {
            return;
        }
    }
}

/// Wakes the watchers of events that other instances moved.
async fn look_for_others(desk: &Desk) {
    let shared = &desk.shared;
    if !shared.options.shared {
        return;
    }
    let watched = shared.watches.events();
    if watched.is_empty() {
        return;
    }
    if let Ok(numbers) = shared.store.journal_numbers(&watched).await {
        for (event, number) in numbers {
            shared.watches.moved(event, number);
        }
    }
}
