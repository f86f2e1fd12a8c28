//! What a call leaves in the access log: ids, codes and numbers that were parsed, and never a text as it came.

use crate::access_log::{NoSeat, Seat, Slot};
use crate::api::admit::event_in;
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path, names as parse};
use crate::api::identity::Shown as Who;
use crate::api::rights::{Rights, Target};
use crate::api::{Api, status};
use crate::model::access::{AccessKey, Role};
use crate::model::access_log::{AccessEntry, AccessKind};
use crate::model::id::CentreId;
use crate::model::time::Timestamp;
use crate::oidc::is_user;
use crate::storage::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};
use uuid::Uuid;

/// The metadata by which a tool says who sits before it.
const PERSON: &str = "eile-person";

/// Whose key a row is written under; nothing where no key is asked for.
type Key = Option<Arc<AccessKey>>;

/// What is written down of a call.
pub enum Writes {
    Nothing,
    /// Portals act for the party; that they tried what they may not is another matter.
    Refusals(Key),
    Everything(Key),
}

impl Writes {
    /// Under which key, where something is.
    pub fn of(&self, refused: bool) -> Option<&Key> {
        match self {
            Self::Everything(key) => Some(key),
            Self::Refusals(key) if refused => Some(key),
            _ => None,
        }
    }
}

impl Api {
    /// What is written down of this call. Notes by the way that the key was used.
    pub(in crate::api) fn writes_down<T: Rights>(&self, who: &Who, request: &Request<T>) -> Writes {
        if let Who::Key(key, _) = who
            && !is_user(&key.id)
        {
            self.access_log.used(&key.id, self.desk.clock().now());
        }
        let (Some(_), Some(told)) = (T::KIND, request.get_ref().told()) else { return Writes::Nothing };
        match who {
            Who::Key(key, _) if key.role == Role::Portal => Writes::Refusals(Some(Arc::clone(key))),
            Who::Key(key, _) => Writes::Everything(Some(Arc::clone(key))),
            Who::Open if !told.by_key_only && Caller::trusted(request.metadata()).is_staff() => {
                Writes::Everything(None)
            }
            Who::Open | Who::Nobody => Writes::Nothing,
        }
    }

    /// The seat of its row. None for a refusal where there were too many of them.
    pub(in crate::api) async fn seat<T: Rights>(
        &self,
        key: &Key,
        refused: bool,
        request: &Request<T>,
    ) -> Result<Option<Seat>, Status> {
        let Some(kind) = T::KIND else { return Ok(None) };
        let mut entry = row(kind, key.as_deref(), request)?;
        if refused {
            let Some(left_out) = self.access_log.refusal(&entry.key) else { return Ok(None) };
            entry.left_out = left_out;
        }
        entry.centre = self.centre_of(key.as_deref(), request.get_ref()).await?;
        match self.access_log.seat(entry).await {
            Ok(seat) => Ok(Some(seat)),
            Err(NoSeat::Closed) => Err(status::draining()),
            Err(NoSeat::Failing) => {
                Err(status::storage(StoreError::Unavailable("the access log cannot be written".into())))
            }
        }
    }

    /// Adds the centres of what a call found to its rows: one row in each, so that their heads see it. Nothing where its centre
    /// stands there already.
    pub(in crate::api) async fn note_centres(&self, rows: &Slot, found: &[String]) -> Result<(), Status> {
        let Some(row) = rows.row().filter(|row| row.centre.is_none()) else { return Ok(()) };
        let found: Vec<Target<'_>> = found.iter().map(|name| Target::Event(name)).collect();
        self.learn_places(&found).await?;
        let event = |target: &Target<'_>| if let Target::Event(name) = target { event_in(name) } else { None };
        let centres: BTreeSet<CentreId> = found.iter().filter_map(event).filter_map(|e| self.places.of(e)).collect();
        let mut centres = centres.into_iter();
        let first = centres.next();
        rows.note(|row| row.centre = first.clone());
        for centre in centres {
            // Not waited for: whoever holds a seat and waits for another may wait for somebody who does the same.
            let more = self.access_log.seat_at_once(AccessEntry { centre: Some(centre), ..row.clone() });
            rows.leave(more.map_err(|_| status::overloaded())?);
        }
        Ok(())
    }

    /// The centre that a call is about: that of its event, or one that exists; where it names none, the only one of its key.
    /// A made-up name of one stands nowhere.
    async fn centre_of<T: Rights>(&self, key: Option<&AccessKey>, message: &T) -> Result<Option<CentreId>, Status> {
        let mut targets = message.targets();
        targets.extend(message.told().filter(|told| !told.centre.is_empty()).map(|told| Target::Centre(told.centre)));
        if targets.iter().all(|target| matches!(target, Target::All)) {
            return Ok(key.filter(|key| !key.all_centres && key.centres.len() == 1).map(|key| key.centres[0].clone()));
        }
        self.learn_places(&targets).await?;
        for target in &targets {
            match target {
                Target::Event(name) => {
                    if let Some(centre) = event_in(name).and_then(|event| self.places.of(event)) {
                        return Ok(Some(centre));
                    }
                }
                Target::Centre(name) => {
                    let Some(centre) = parse::centre(name) else { continue };
                    let is_own = key.is_some_and(|key| key.centres.contains(&centre));
                    if is_own || self.desk.store().centre(&centre).await.map_err(status::storage)?.is_some() {
                        return Ok(Some(centre));
                    }
                }
                Target::All => {}
            }
        }
        Ok(None)
    }
}

/// Adds the registration that a call made or found to its rows.
pub(in crate::api) fn note_registration(rows: &Slot, name: &str) {
    let Some(found) = parse::registration(name) else { return };
    rows.note(|row| row.registration = Some(found.id).filter(|_| row.event == Some(found.event)));
}

/// All of a row that the message tells.
fn row<T: Rights>(kind: AccessKind, key: Option<&AccessKey>, request: &Request<T>) -> Result<AccessEntry, Status> {
    let message = request.get_ref();
    let told = message.told().unwrap_or_default();
    let targets = message.targets();
    let named = targets.iter().find_map(|target| if let Target::Event(name) = target { Some(*name) } else { None });
    let named = named.unwrap_or_default();
    let event = event_in(named);
    // One that is named beside its event may be of another, whose people are none of this centre's.
    let beside = parse::registration(told.registration).filter(|name| Some(name.event) == event);
    let registration = beside.or_else(|| parse::registration(named));
    Ok(AccessEntry {
        id: Uuid::nil(),
        at: Timestamp(0),
        key: key.map(|key| key.id.clone()).unwrap_or_default(),
        role: key.map(|key| key.role),
        person: person(request.metadata())?,
        method: T::METHOD.to_owned(),
        kind,
        centre: None,
        event,
        registration: registration.map(|name| name.id),
        rows_max: told.page_size.map(parse::page_rows),
        request_id: parse::uuid(told.request_id),
        reason: told.reason.to_owned(),
        outcome: 0,
        left_out: 0,
    })
}

/// Who sits before the tool: one UUID, or nobody.
fn person(metadata: &MetadataMap) -> Result<Option<Uuid>, Status> {
    let mut all = metadata.get_all(PERSON).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let person = first.to_str().ok().filter(|_| all.next().is_none()).and_then(parse::uuid);
    if person.is_none() {
        let mut fields = Fields::default();
        fields.refuse(Path::Top(PERSON), "must be one UUID in lower case");
        fields.finish(()).map_err(status::fields)?;
    }
    Ok(person)
}
