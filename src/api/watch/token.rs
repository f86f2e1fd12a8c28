//! A family watches its registration as long as its token is the registration's: it may get another one meanwhile, and
//! whoever holds the old one hears no more. Looked at only when the registration itself has taken a step, so that ten
//! thousand who wait cost nothing.

use super::Messages;
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::from_proto::names::RegistrationName;
use crate::api::proto::{Registration, WatchRegistrationResponse};
use crate::api::to_proto::int64;
use futures_util::stream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// A message about a registration, and the last step that it had taken by then.
#[derive(Clone)]
pub(super) struct Stepped {
    pub message: WatchRegistrationResponse,
    pub step: u64,
}

impl Stepped {
    pub fn heartbeat(&self, at: u64) -> Self {
        let message = WatchRegistrationResponse { registration: None, journal_number: int64(at), heartbeat: true };
        Self { message, step: self.step }
    }

    /// A registration shows what changed of it, not that others changed.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.step == other.step && self.shown() == other.shown()
    }

    fn shown(&self) -> Option<Registration> {
        self.message.registration.clone().map(|registration| Registration { journal_number: 0, ..registration })
    }
}

/// How far a stream is.
struct At {
    messages: Messages<Stepped>,
    last: Option<Stepped>,
}

impl Api {
    /// The messages, until the token is not the registration's any more.
    pub(super) fn while_it_bears_the_token(
        &self,
        caller: Caller,
        name: RegistrationName,
        token: String,
        messages: Messages<Stepped>,
    ) -> impl Stream<Item = Result<WatchRegistrationResponse, Status>> + Send + use<> {
        let bearer = (self.clone(), token);
        stream::unfold((bearer, Some(At { messages, last: None })), move |((api, token), at)| async move {
            let mut at = at?;
            // Ends by return: with a message, a no, or the end.
            loop {
                let next = match at.messages.next().await? {
                    Ok(next) => next,
                    Err(no) => return Some((Err(no), ((api, token), None))),
                };
                let has_stepped = at.last.as_ref().is_none_or(|last| last.step != next.step);
                if has_stepped && let Err(no) = api.acting(caller, name, name.id.number(), &token).await {
                    return Some((Err(no), ((api, token), None)));
                }
                if next.message.heartbeat {
                    return Some((Ok(next.message), ((api, token), Some(at))));
                }
                let is_news = at.last.as_ref().is_none_or(|last| last.shown() != next.shown());
                let mut message = next.message.clone();
                if caller.is_staff()
                    && let Err(no) = api.unlink(caller, &mut message.registration).await
                {
                    return Some((Err(no), ((api, token), None)));
                }
                at.last = Some(next);
                if is_news {
                    return Some((Ok(message), ((api, token), Some(at))));
                }
            }
        })
    }
}
