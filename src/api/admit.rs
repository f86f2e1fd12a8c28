//! How a call is let in: whom its key names, whether that role has the row, and whether the key reaches what the message is
//! about (docs/decisions/0017). Handlers get their caller here and nowhere else.

use super::caller::Caller;
use super::certificate::certificate;
use super::from_proto::names as parse;
use super::identity::{FRESH, Shown as Who};
use super::layers::Turn;
use super::rights::{Rights, Target};
use super::to_proto::names;
use super::{Api, status};
use crate::access_log::Slot;
use crate::model::access::{AccessKey, Reach};
use crate::model::id::{CentreId, EventId, Number};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

/// The metadata that carries the secret of an access key, after `Bearer `.
const AUTHORIZATION: &str = "authorization";

/// The centres of events that were asked about. An event never goes to another centre, so what is known stays true.
#[derive(Default)]
pub(super) struct Places(RwLock<HashMap<EventId, CentreId>>);

impl Places {
    /// Most events that are remembered.
    const MAX: usize = 100_000;

    pub(super) fn of(&self, event: EventId) -> Option<CentreId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&event).cloned()
    }

    fn learn(&self, event: EventId, centre: CentreId) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(event, centre);
    }
}

fn secret(metadata: &MetadataMap) -> Result<Option<&str>, Status> {
    secret_of(metadata.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes()))
}

/// The secret that a call shows; two are none.
pub(super) fn secret_of<'a>(mut all: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a str>, Status> {
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.is_ascii().then(|| std::str::from_utf8(first).ok()).flatten().filter(|_| all.next().is_none());
    let secret = text.and_then(|text| text.split_once(' ')).filter(|(how, _)| how.eq_ignore_ascii_case("bearer"));
    secret.map(|(_, secret)| Some(secret)).ok_or_else(status::key_required)
}

/// The event in the name of an event or of something that belongs to one.
pub(super) fn event_in(name: &str) -> Option<EventId> {
    let event = name.match_indices('/').nth(1).map_or(name, |(end, _)| &name[..end]);
    parse::event(event)
}

/// The caller and its message, or why not.
pub(super) type Admitted<T> = Result<(Caller, T), Status>;

impl Api {
    /// The caller and its message, if the caller may ask this. Whoever may not hears it before anything else; what is out
    /// of reach is as if it were not there. What stands in the access log has its seat there before anything is done.
    pub(super) async fn admit<T: Rights>(&self, request: Request<T>) -> Admitted<T> {
        self.admit_noted(request).await.map(|(caller, message, _)| (caller, message))
    }

    /// The same, with the rows that the call leaves in the access log: what the message does not name is added to them
    /// when it is found.
    pub(super) async fn admit_noted<T: Rights>(&self, mut request: Request<T>) -> Result<(Caller, T, Slot), Status> {
        let slot = request.extensions_mut().remove::<Slot>().unwrap_or_default();
        let turn = request.extensions_mut().remove::<Turn>();
        let who = self.identities.shown_with(secret(request.metadata())?, certificate(&request)).await?;
        let writes = self.writes_down(&who, &request);
        let judged = self.judge(who, &request).await;
        if let Some(key) = writes.of(judged.is_err()) {
            let seat = self.seat(key, judged.is_err(), &request).await;
            match seat {
                Ok(Some(seat)) => slot.leave(seat),
                Err(no) if judged.is_ok() => return Err(no),
                _ => {}
            }
        }
        let caller = judged?;
        if let Some(turn) = turn.filter(|_| T::METHOD.starts_with("List")) {
            turn.take().await;
        }
        Ok((caller, request.into_inner(), slot))
    }

    async fn judge<T: Rights>(&self, who: Who, request: &Request<T>) -> Result<Caller, Status> {
        let has_key = matches!(who, Who::Key(..));
        let (caller, key) = match judged(who, request) {
            Err(no) if has_key => return self.as_party(request.get_ref(), no).await,
            judged => judged?,
        };
        let Some(key) = key else { return Ok(caller) };
        let targets = request.get_ref().targets();
        self.learn_places(&targets).await?;
        match self.reaches(&key, T::METHOD, &targets) {
            Ok(()) => Ok(caller),
            Err(no) => self.as_party(request.get_ref(), no).await,
        }
    }

    /// Whoever sends the token of the registration that it names is that party, whatever the key beside it may not do: a
    /// portal sends its key always. Any other token changes nothing of the no.
    async fn as_party<T: Rights>(&self, message: &T, no: Status) -> Result<Caller, Status> {
        let named = message.targets().into_iter().find_map(|target| match target {
            Target::Event(name) => parse::registration(name),
            Target::Centre(_) | Target::All => None,
        });
        let (Some(token), Some(name)) = (message.token().filter(|token| !token.is_empty()), named) else {
            return Err(no);
        };
        match self.opens(name, token).await {
            Ok(()) => Ok(Caller::bearer()),
            Err(failed) if status::is_unavailable(&failed) => Err(failed),
            Err(_) => Err(no),
        }
    }

    /// The same where all that it takes is at hand and nothing is written down; else the request comes back.
    pub(super) fn admit_at_once<T: Rights>(&self, request: Request<T>) -> Result<Admitted<T>, Box<Request<T>>> {
        let who = match secret(request.metadata()) {
            Ok(secret) => self.identities.shown_with_at_once(secret, certificate(&request)),
            Err(no) => return Ok(Err(no)),
        };
        let who = match who {
            None => return Err(Box::new(request)),
            Some(Err(no)) => return Ok(Err(no)),
            Some(Ok(who)) => who,
        };
        let writes = self.writes_down(&who, &request);
        let caller = self.judge_at_once(who, &request);
        match caller {
            Some(Ok(caller)) if writes.of(false).is_none() => Ok(Ok((caller, request.into_inner()))),
            Some(Err(no)) if writes.of(true).is_none() => Ok(Err(no)),
            _ => Err(Box::new(request)),
        }
    }

    fn judge_at_once<T: Rights>(&self, who: Who, request: &Request<T>) -> Option<Result<Caller, Status>> {
        let (caller, key) = match judged(who, request) {
            Ok(judged) => judged,
            Err(_) if bears_token(request.get_ref()) => return None,
            Err(no) => return Some(Err(no)),
        };
        let Some(key) = key else { return Some(Ok(caller)) };
        let targets = request.get_ref().targets();
        if targets.iter().any(|target| self.is_unknown(target)) {
            return None;
        }
        match self.reaches(&key, T::METHOD, &targets) {
            Err(_) if bears_token(request.get_ref()) => None,
            reached => Some(reached.map(|()| caller)),
        }
    }

    fn is_unknown(&self, target: &Target<'_>) -> bool {
        match target {
            Target::Event(name) => event_in(name).is_some_and(|event| self.places.of(event).is_none()),
            Target::Centre(_) | Target::All => false,
        }
    }

    pub(super) async fn learn_places(&self, targets: &[Target<'_>]) -> Result<(), Status> {
        for target in targets.iter().filter(|target| self.is_unknown(target)) {
            let Target::Event(name) = target else { continue };
            let Some(event) = event_in(name) else { continue };
            if let Some(found) = self.desk.store().document(event).await.map_err(status::storage)? {
                self.places.learn(event, found.centre);
            }
        }
        Ok(())
    }

    /// Whether the key reaches all that a call is about. A malformed name reaches nothing, and is told as such later.
    fn reaches(&self, key: &AccessKey, method: &str, targets: &[Target<'_>]) -> Result<(), Status> {
        for target in targets {
            match target {
                Target::Event(name) => {
                    let Some(event) = event_in(name) else { continue };
                    let centre = self.places.of(event);
                    if !centre.is_some_and(|centre| key.reaches_event(event, &centre)) {
                        return Err(status::event_not_found(&names::event(event)));
                    }
                }
                Target::Centre(name) => {
                    let Some(centre) = parse::centre(name) else { continue };
                    if !key.reaches_centre(&centre) {
                        return Err(status::centre_not_found(name));
                    }
                }
                Target::All => {
                    if !key.all_centres {
                        return Err(status::all_centres_required(method));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the caller's key, if it needs one, reaches all of these, whose places are known.
    pub(super) fn reaches_all(&self, caller: Caller, targets: &[Target<'_>]) -> Result<bool, Status> {
        Ok(self.key_of(caller)?.is_none_or(|key| self.reaches(&key, "", targets).is_ok()))
    }

    /// The key of a caller; nothing for whoever needs none.
    pub(super) fn key_of(&self, caller: Caller) -> Result<Option<Arc<AccessKey>>, Status> {
        let Some(key) = caller.key else { return Ok(None) };
        self.identities.key(key.id(), &key.secret).map(Some).ok_or_else(status::key_required)
    }

    /// What the store shows on behalf of the caller, whatever a handler asks it for: from its key, never from its message.
    pub(super) fn reach(&self, caller: Caller) -> Result<Reach, Status> {
        let nobodys = if caller.is_bearer() { Reach::nothing() } else { Reach::All };
        Ok(self.key_of(caller)?.map_or(nobodys, |key| Reach::of(&key)))
    }

    /// The same, for one registration: who bears its token reaches it and nothing else.
    pub(super) fn reach_of_one(&self, caller: Caller, event: EventId, number: Number) -> Result<Reach, Status> {
        if caller.is_bearer() { Ok(Reach::Registration(event, number)) } else { self.reach(caller) }
    }

    /// Narrows what is asked about to what the caller reaches: left out, it is the one centre of whoever has but one.
    pub(super) fn narrow(&self, caller: Caller, method: &str, centre: &mut String) -> Result<(), Status> {
        let Some(key) = self.key_of(caller)?.filter(|key| !key.all_centres) else { return Ok(()) };
        if centre.is_empty() {
            let [only] = key.centres.as_slice() else { return Err(status::centre_required(method)) };
            *centre = names::centre(only);
            return Ok(());
        }
        self.reaches(&key, method, &[Target::Centre(centre)])
    }

    /// Ends when the caller would not be let in any more, with the no that it would hear.
    pub(super) async fn barred(&self, caller: Caller) -> Status {
        let key = caller.key;
        if caller.is_bearer() {
            // Its token is looked at with each step that its registration takes (`watch::token`).
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(FRESH).await;
            match self.identities.still(key.as_ref().map(|key| (key.id(), &key.secret))).await {
                Ok(true) => {}
                Ok(false) => return status::key_required(),
                Err(no) => return no,
            }
        }
    }
}

/// What whoever it is may do with this message, and its key. Who shows nothing at all hears the same of everything.
fn judged<T: Rights>(who: Who, request: &Request<T>) -> Result<(Caller, Option<Arc<AccessKey>>), Status> {
    match who {
        Who::Open => Ok((Caller::trusted(request.metadata()), None)),
        Who::Nobody if bears_token(request.get_ref()) => Ok((Caller::bearer(), None)),
        Who::Nobody => Err(status::key_required()),
        Who::Key(key, secret) if T::ROLES.has(key.role) => {
            Ok((Caller::by_key(&key, secret, request.metadata()), Some(key)))
        }
        Who::Key(..) => Err(status::role_not_allowed(T::METHOD)),
    }
}

fn bears_token<T: Rights>(message: &T) -> bool {
    message.token().is_some_and(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_name_is_found_whatever_stands_behind_it() {
        let event = "events/0198c2f4-7a6b-7c3d-8e9f-0a1b2c3d4e5f";
        let expected = parse::event(event);
        assert!(expected.is_some());
        assert_eq!(event_in(event), expected);
        assert_eq!(event_in(&format!("{event}/registrations/0000002a-0000-8000-8000-000000000000")), expected);
        assert_eq!(event_in("centres/elektrenai"), None);
        assert_eq!(event_in(""), None);
    }

    #[test]
    fn one_secret_is_shown_or_none() {
        let shown = |values: &[&'static str]| {
            let mut metadata = MetadataMap::new();
            for value in values {
                metadata.append(AUTHORIZATION, tonic::metadata::MetadataValue::from_static(value));
            }
            secret(&metadata).map(|secret| secret.map(str::to_owned)).map_err(|no| no.message().to_owned())
        };
        assert_eq!(shown(&[]), Ok(None));
        assert_eq!(shown(&["Bearer eile_x"]), Ok(Some("eile_x".to_owned())));
        assert_eq!(shown(&["bearer eile_x"]), Ok(Some("eile_x".to_owned())));
        for wrong in [&["eile_x"][..], &["Basic eile_x"], &["Bearer a", "Bearer a"], &[""]] {
            assert_eq!(shown(wrong), Err(status::key_required().message().to_owned()), "{wrong:?}");
        }
    }
}
