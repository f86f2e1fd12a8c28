//! Reads from memory. On one instance what is in memory is what is committed. Where other instances write
//! too, each read first asks the database for the journal number, together with everybody else who asks at
//! that moment: one query for all.

use super::Shared;
use super::job::DeskError;
use crate::model::id::EventId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// "What is this event's number?"; the answer is `None` where there is no such event.
pub(super) type Question = (EventId, oneshot::Sender<Result<Option<u64>, DeskError>>);

/// Most questions in one query.
const QUESTIONS_MAX: usize = 512;

/// Where several ask at once, for how long the others are waited for: a rush of reads would otherwise be some
/// thousand small queries per second, which is a quarter of what two cores can do. Who asks alone never waits.
const GATHER: Duration = Duration::from_millis(1);

async fn gather(questions: &mut Vec<Question>, waiting: &mut mpsc::Receiver<Question>) {
    tokio::time::sleep(GATHER).await;
    while questions.len() < QUESTIONS_MAX
        && let Ok(question) = waiting.try_recv()
    {
        questions.push(question);
    }
}

/// Answers questions, all that wait with one query.
pub(super) async fn run(shared: Arc<Shared>, mut waiting: mpsc::Receiver<Question>) {
    let mut questions = Vec::new();
    loop {
        tokio::select! {
            biased;
            n = waiting.recv_many(&mut questions, QUESTIONS_MAX) => if n == 0 { return },
            () = shared.closing.cancelled() => return,
        }
        if questions.len() > 1 {
            gather(&mut questions, &mut waiting).await;
        }
        let ids: HashSet<EventId> = questions.iter().map(|(id, _)| *id).collect();
        let ids: Vec<EventId> = ids.into_iter().collect();
        let numbers = shared.store.journal_numbers(&ids).await;
        match numbers {
            Ok(numbers) => {
                let numbers: HashMap<EventId, u64> = numbers.into_iter().collect();
                for (id, reply) in questions.drain(..) {
                    // Whoever asked may have gone.
                    drop(reply.send(Ok(numbers.get(&id).copied())));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "journal numbers could not be read");
                for (_, reply) in questions.drain(..) {
                    drop(reply.send(Err(DeskError::Unavailable)));
                }
            }
        }
    }
}
