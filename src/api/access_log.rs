//! AdminService's access log: who read personal data and who decided. What leaves a row is `row`'s.

mod row;

pub(super) use row::note_registration;

use super::admin::page_of;
use super::caller::Caller;
use super::from_proto::{Fields, Path};
use super::page_token::Pages;
use super::proto::{self, ListAccessEntriesRequest, ListAccessEntriesResponse};
use super::rights::Rights;
use super::to_proto::{names, time};
use super::{Api, access_keys, status};
use crate::desk::{DeskError, View};
use crate::model::access_log::{AccessEntry, AccessKind, AccessQuery};
use crate::model::id::{EventId, RegistrationId};
use crate::model::time::Timestamp;
use crate::oidc::is_user;
use std::collections::{BTreeSet, HashSet};
use tonic::Status;
use uuid::Uuid;

const METHOD: &str = ListAccessEntriesRequest::METHOD;

impl Api {
    pub(super) async fn list_access(
        &self,
        caller: Caller,
        mut r: ListAccessEntriesRequest,
    ) -> Result<ListAccessEntriesResponse, Status> {
        caller.staff_only(METHOD)?;
        // An event that is reached is of a centre that is.
        if !r.centre.is_empty() || (r.event.is_empty() && r.registration.is_empty()) {
            self.narrow(caller, METHOD, &mut r.centre)?;
        }
        let mut fields = Fields::default();
        let size = fields.page_size(r.page_size);
        let mut query = fields.access_query(&r);
        fields.finish(()).map_err(status::fields)?;
        let bounds = [query.from, query.before].map(|at| at.map_or(String::new(), |at| at.0.to_string()));
        let asked = [&r.centre, &r.event, &r.registration, &r.access_key, &bounds[0], &bounds[1]];
        let pages = Pages::of(self.desk.keys(), METHOD, &asked.map(String::as_str));
        query.after = pages.cursor(&r.page_token)?.and_then(|bytes| read_cursor(&bytes));
        query.limit = size + 1;
        let mut found =
            self.desk.store().access_entries(&self.reach(caller)?, &query).await.map_err(status::storage)?;
        self.of_their_events(&mut found).await?;
        let (entries, last) = page_of(&found, size, render);
        let next_page_token = last.map(|entry| pages.token(&cursor(entry))).unwrap_or_default();
        Ok(ListAccessEntriesResponse { entries, next_page_token })
    }

    /// Leaves out registrations that are not of the event under which somebody named them: they may be of another centre.
    /// Not when the row is written, which must not wait for the event.
    async fn of_their_events(&self, found: &mut [AccessEntry]) -> Result<(), Status> {
        let events: BTreeSet<EventId> = found.iter().filter_map(|e| e.registration.and(e.event)).collect();
        for event in events {
            let named: Vec<_> =
                found.iter().filter(|e| e.event == Some(event)).filter_map(|e| e.registration).collect();
            let are_there = |view: &View<'_>| -> HashSet<RegistrationId> {
                let is_there = |id: &RegistrationId| view.roster.standing(id.number()).is_some_and(|s| s.id == *id);
                named.iter().copied().filter(is_there).collect()
            };
            let there = match self.desk.read(event, are_there).await {
                Err(DeskError::EventNotFound) => HashSet::new(),
                there => there.map_err(|error| status::desk(error, &status::About::event(METHOD, event)))?,
            };
            for entry in found.iter_mut().filter(|e| e.event == Some(event)) {
                entry.registration = entry.registration.filter(|id| there.contains(id));
            }
        }
        Ok(())
    }
}

impl Fields {
    fn access_query(&mut self, r: &ListAccessEntriesRequest) -> AccessQuery {
        let given = |name: &str| !name.is_empty();
        let registration = given(&r.registration)
            .then(|| self.registration_name(Path::Top("registration"), &r.registration))
            .flatten();
        let event = given(&r.event).then(|| self.event_name(Path::Top("event"), &r.event)).flatten();
        if registration.is_some_and(|name| event.is_some_and(|event| event != name.event)) {
            self.refuse(Path::Top("registration"), "must be one of the event");
        }
        AccessQuery {
            centre: given(&r.centre).then(|| self.centre_name(Path::Top("centre"), &r.centre)).flatten(),
            event: event.or(registration.map(|name| name.event)),
            registration: registration.map(|name| name.id),
            key: given(&r.access_key).then(|| self.actor_name(Path::Top("access_key"), &r.access_key)).flatten(),
            from: self.instant(Path::Top("start_time"), r.start_time),
            before: self.instant(Path::Top("end_time"), r.end_time),
            after: None,
            limit: 0,
        }
    }

    /// Who called: a key, or a user who signed in.
    fn actor_name(&mut self, at: Path<'_>, given: &str) -> Option<String> {
        match given.strip_prefix(USERS).filter(|id| is_user(id)) {
            Some(id) => Some(id.to_owned()),
            None => self.access_key_name(at, given),
        }
    }
}

const USERS: &str = "users/";

fn actor(id: &str) -> String {
    if is_user(id) { format!("{USERS}{id}") } else { access_keys::name(id) }
}

fn cursor(entry: &AccessEntry) -> Vec<u8> {
    [&entry.at.0.to_be_bytes()[..], entry.id.as_bytes()].concat()
}

fn read_cursor(bytes: &[u8]) -> Option<(Timestamp, Uuid)> {
    let (at, id) = bytes.split_at_checked(8)?;
    Some((Timestamp(i64::from_be_bytes(at.try_into().ok()?)), Uuid::from_slice(id).ok()?))
}

fn render(entry: &AccessEntry) -> proto::AccessEntry {
    let event = entry.event;
    let registration = event.zip(entry.registration).map(|(event, id)| names::registration(event, id));
    proto::AccessEntry {
        time: Some(time::instant(entry.at)),
        access_key: if entry.key.is_empty() { String::new() } else { actor(&entry.key) },
        role: entry.role.map_or(proto::Role::Unspecified, access_keys::role_word).into(),
        person: entry.person.map(|id| id.to_string()).unwrap_or_default(),
        method: entry.method.clone(),
        kind: match entry.kind {
            AccessKind::Read => proto::AccessKind::Read,
            AccessKind::Decision => proto::AccessKind::Decision,
        }
        .into(),
        centre: entry.centre.as_ref().map(names::centre).unwrap_or_default(),
        event: event.map(names::event).unwrap_or_default(),
        registration: registration.unwrap_or_default(),
        rows_max: entry.rows_max.map_or(0, |n| i32::try_from(n).unwrap_or(i32::MAX)),
        request_id: entry.request_id.map(|id| id.to_string()).unwrap_or_default(),
        reason: entry.reason.clone(),
        outcome: status::code_word(entry.outcome).to_owned(),
        left_out: i32::try_from(entry.left_out).unwrap_or(i32::MAX),
    }
}
