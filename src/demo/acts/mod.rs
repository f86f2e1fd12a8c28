//! What happens at an event, one act at a time. Each act is a call or a few, as a portal, a party or staff
//! would make them; what follows from the answer is put on the agenda.

mod attendance;
pub mod between;
mod changes;
mod offers;
pub mod office;
mod scripted;

mod sign_up;

pub use scripted::concerns_two;

use super::agenda::Act;
use super::run::{EventRun, Stage};
use crate::api::proto;
use crate::model::time::{Span, Timestamp};

/// What is to happen later at the same event.
pub type Follow = Vec<(Timestamp, Act)>;

pub async fn perform(stage: &Stage, run: &mut EventRun, at: Timestamp, acts: Vec<Act>) -> Follow {
    let mut follow = Vec::new();
    for act in acts {
        let look = run.offers && act.moves_the_line();
        follow.extend(one(stage, run, at, act).await);
        if look {
            follow.extend(offers::look(stage, run, at).await);
        }
    }
    follow
}

async fn one(stage: &Stage, run: &mut EventRun, at: Timestamp, act: Act) -> Follow {
    match act {
        Act::Publish => publish(stage, run).await,
        Act::SignUp(i) => sign_up::sign_up(stage, run, at, i).await,
        Act::Resend(i) => sign_up::resend(stage, run, i).await,
        Act::Again(i) => sign_up::again(stage, run, i).await,
        Act::Incomplete(i) => sign_up::incomplete(stage, run, i).await,
        Act::TooEarly(i) => sign_up::too_early(stage, run, at, i).await,
        Act::Classify(i) => sign_up::classify(stage, run, i).await,
        Act::Approve(i) => sign_up::approve(stage, run, i).await,
        Act::Smaller(tries) => return changes::smaller(stage, run, at, tries).await,
        Act::Larger(tries) => return changes::larger(stage, run, at, tries).await,
        Act::ContactChanged(tries) => return changes::contact(stage, run, at, tries).await,
        Act::Cancel { persons, tries } => return changes::cancel(stage, run, at, persons, tries).await,
        Act::LeaveLine { persons, tries } => return changes::leave(stage, run, at, persons, tries).await,
        Act::Answer { party, yes } => offers::answer(stage, run, party, yes).await,
        Act::Due => {}
        Act::CallList => return offers::call_list(stage, run, at).await,
        Act::Scripted(i) => return scripted::play(stage, run, at, i).await,
        Act::Complaint => between::complaint(stage, run, at).await,
        Act::WalkIn(i) => attendance::walk_in(stage, run, i).await,
        Act::Attend(session) => attendance::attend(stage, run, at, session).await,
        Act::Paper(i) => return attendance::paper(stage, run, at, i).await,
        Act::PutRight => attendance::put_right(stage, run, at).await,
        // These look at all events, and are played apart.
        Act::Report(_) | Act::Office(_) => {}
        Act::Complete => complete(stage, run).await,
    }
    Vec::new()
}

async fn publish(stage: &Stage, run: &mut EventRun) {
    let ask = proto::PublishEventRequest { name: run.name.clone(), request_id: run.request_id(), ..Default::default() };
    match stage.calls.publish_event(ask).await {
        Ok(answer) => {
            let counts = answer.event.and_then(|e| e.counts);
            run.notes.seats_at_opening = counts.and_then(|c| c.capacity);
        }
        Err(no) => run.odd(stage, "publish", &no),
    }
}

async fn complete(stage: &Stage, run: &mut EventRun) {
    if run.cancelled {
        return;
    }
    let ask =
        proto::CompleteEventRequest { name: run.name.clone(), request_id: run.request_id(), ..Default::default() };
    if let Err(no) = stage.calls.complete_event(ask).await {
        run.odd(stage, "complete", &no);
    }
}

/// The same once more, halfway to the start; `None` where it was tried often enough.
fn try_later(run: &EventRun, at: Timestamp, tries: u8) -> Option<Timestamp> {
    let left = run.starts.since(at).0;
    (tries < 4 && left > 2 * 3_600_000_000).then(|| at.plus(Span(left / 2)))
}
