//! AdminService's access keys. What is stored of a key is its hash; the secret is made again for whoever repeats the
//! request that made it, and for nobody else.

use super::admin::not_stored;
use super::caller::Caller;
use super::from_proto::names as parse;
use super::from_proto::{Fields, Path};
use super::identity::Known;
use super::proto::{
    self, AccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, ListAccessKeysRequest, ListAccessKeysResponse,
    RevokeAccessKeyRequest, RevokeAccessKeyResponse, RotateAccessKeyRequest, RotateAccessKeyResponse,
};
use super::repeat::again;
use super::request::Asked;
use super::to_proto::{names, time};
use super::{Api, status};
use crate::model::access::{self, Role, SecretHash};
use crate::model::id::{CentreId, EventId};
use crate::model::time::{Span, Timestamp};
use crate::storage::Stored;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::Status;

/// Keys that are neither revoked nor expired.
const LIVE_MAX: usize = 1_000;
const CENTRES_MAX: usize = 100;
const EVENTS_MAX: usize = 200;
/// How long the secret before a rotation goes on.
const OLD_SECRET: Span = Span::hours(24);
const OLD_SECRET_MAX: Span = Span::hours(24 * 30);
/// How often a change is laid over what somebody else wrote in between.
const TRIES: u32 = 5;

impl Api {
    pub(super) async fn make_key(
        &self,
        caller: Caller,
        mut r: CreateAccessKeyRequest,
    ) -> Result<CreateAccessKeyResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let given = fields.message(Path::Top("access_key"), r.access_key);
        let now = self.desk.clock().now();
        let mut key = fields.access_key(given, now);
        fields.finish(()).map_err(status::fields)?;
        key.id = self.desk.keys().access_key_id(asked.request_id);
        let secret = self.desk.keys().access_secret(&key.id, asked.request_id);
        key.secret = secret.hash;
        let answer = render(&key);
        let open = asked.open(caller, self.desk.keys(), &answer);
        if let Some(first) = self.desk.store().open_answer(&open).await.map_err(status::storage)? {
            return Ok(CreateAccessKeyResponse { access_key: Some(again(&first)?), secret: secret.text });
        }
        self.may_be_made(caller, &key, now).await?;
        let store = Arc::clone(self.desk.store());
        let stored = self.write(async move { store.create_access_key(&key, &open).await }).await?;
        let access_key = match stored {
            Stored::Created => answer,
            Stored::Replayed(first) => again(&first)?,
            other => return Err(not_stored(other, "access_key", &answer.name, &asked)),
        };
        self.identities.read().await.map_err(status::storage)?;
        Ok(CreateAccessKeyResponse { access_key: Some(access_key), secret: secret.text })
    }

    /// What only the installation as a whole can tell of a new key.
    async fn may_be_made(&self, caller: Caller, key: &access::AccessKey, now: Timestamp) -> Result<(), Status> {
        let known = self.identities.read().await.map_err(status::storage)?;
        still_open(caller, &known)?;
        if known.is_empty() && (key.role != Role::Administrator || key.expires_at.is_some()) {
            return Err(status::first_key_administrator());
        }
        if known.values().filter(|key| key.is_live(now)).count() >= LIVE_MAX {
            return Err(status::access_keys_full(LIVE_MAX));
        }
        if key.certificate.is_some_and(|shown| known.values().any(|key| key.is_live(now) && key.is_named_by(&shown))) {
            let mut fields = Fields::default();
            let why = "is named by another key, which is neither revoked nor expired";
            fields.refuse(Path::Top("access_key").field("certificate_sha256"), why);
            return fields.finish(()).map_err(status::fields);
        }
        for centre in &key.centres {
            self.centre(Some(centre.clone())).await?;
        }
        for event in &key.events {
            let found = self.desk.store().document(*event).await.map_err(status::storage)?;
            found.ok_or_else(|| status::event_not_found(&names::event(*event)))?;
        }
        Ok(())
    }

    pub(super) async fn list_keys(&self, r: ListAccessKeysRequest) -> Result<ListAccessKeysResponse, Status> {
        let (size, after) = self.slug_page("ListAccessKeys", r.page_size, &r.page_token)?;
        let found = self.desk.store().list_access_keys(after.as_deref(), size + 1).await.map_err(status::storage)?;
        // There are no more uses up to the last key of the page than there are keys on it.
        let uses = self.desk.store().key_uses(after.as_deref(), size + 1).await.map_err(status::storage)?;
        let uses: HashMap<String, Timestamp> = uses.into_iter().collect();
        let render = |key: &access::AccessKey| AccessKey {
            last_used_time: uses.get(&key.id).map(|at| time::instant(*at)),
            ..render(key)
        };
        let (access_keys, last) = super::admin::page_of(&found, size, render);
        let next_page_token = self.slug_token("ListAccessKeys", last.map(|key| key.id.as_str()));
        Ok(ListAccessKeysResponse { access_keys, next_page_token })
    }

    pub(super) async fn rotate_key(
        &self,
        caller: Caller,
        mut r: RotateAccessKeyRequest,
    ) -> Result<RotateAccessKeyResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = fields.access_key_name(Path::Top("name"), &r.name);
        let goes_on = fields.span(Path::Top("old_secret_ttl"), r.old_secret_ttl, Span::seconds(0), OLD_SECRET_MAX);
        let id = fields.finish(id).map_err(status::fields)?.unwrap_or_default();
        let secret = self.desk.keys().rotated_secret(&id, asked.request_id);
        let (now, hash) = (self.desk.clock().now(), secret.hash);
        let until = now.plus(goes_on.unwrap_or(OLD_SECRET));
        let changed = self.change_key(caller, &asked, &id, |key| {
            if key.revoked_at.is_some() {
                return Err(status::access_key_revoked(&name(&key.id)));
            }
            if key.secret == hash {
                // Somebody else sent the same: what went on before goes on.
                return Ok(key.clone());
            }
            let old = Some((key.secret, until)).filter(|_| until > now);
            Ok(access::AccessKey { secret: hash, old_secret: old, ..key.clone() })
        });
        Ok(RotateAccessKeyResponse { access_key: Some(changed.await?), secret: secret.text })
    }

    pub(super) async fn revoke_key(
        &self,
        caller: Caller,
        mut r: RevokeAccessKeyRequest,
    ) -> Result<RevokeAccessKeyResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = fields.access_key_name(Path::Top("name"), &r.name);
        let id = fields.finish(id).map_err(status::fields)?.unwrap_or_default();
        let now = self.desk.clock().now();
        let changed = self.change_key(caller, &asked, &id, |key| {
            let revoked_at = key.revoked_at.or(Some(now));
            Ok(access::AccessKey { revoked_at, old_secret: None, ..key.clone() })
        });
        Ok(RevokeAccessKeyResponse { access_key: Some(changed.await?) })
    }

    /// Lays a change over a key, and makes it known here at once; other instances know it within seconds.
    async fn change_key(
        &self,
        caller: Caller,
        asked: &Asked,
        id: &str,
        change: impl Fn(&access::AccessKey) -> Result<access::AccessKey, Status>,
    ) -> Result<AccessKey, Status> {
        let empty = asked.open(caller, self.desk.keys(), &());
        if let Some(first) = self.desk.store().open_answer(&empty).await.map_err(status::storage)? {
            return again(&first);
        }
        for _ in 0..TRIES {
            let known = self.identities.read().await.map_err(status::storage)?;
            still_open(caller, &known)?;
            let key = known.get(id).ok_or_else(|| status::access_key_not_found(&name(id)))?;
            let changed = access::AccessKey { version: key.version + 1, ..change(key)? };
            let noted = match (key.revoked_at, changed.revoked_at) {
                (None, Some(at)) => self.privacy.note_revocation(id, at).await,
                _ => None,
            };
            let answer = render(&changed);
            let open = asked.open(caller, self.desk.keys(), &answer);
            let store = Arc::clone(self.desk.store());
            // Without an answer nobody knows, and the note stays.
            let stored = self.write(async move { store.update_access_key(&changed, &open).await }).await?;
            if !matches!(stored, Stored::Created | Stored::Replayed(_)) {
                self.privacy.revocation_refused(noted).await;
            }
            match stored {
                Stored::Created => {
                    self.identities.read().await.map_err(status::storage)?;
                    return Ok(answer);
                }
                Stored::Replayed(first) => return again(&first),
                Stored::VersionMismatch(_) => {}
                other => return Err(not_stored(other, "access_key", &name(id), asked)),
            }
        }
        Err(status::overloaded())
    }
}

/// Whoever was let in without a key, because this instance knew of none yet, makes none beside the first.
fn still_open(caller: Caller, known: &Known) -> Result<(), Status> {
    if known.is_empty() || caller.has_key() { Ok(()) } else { Err(status::key_required()) }
}

impl Fields {
    /// A key as it is asked for, without id and secret.
    fn access_key(&mut self, given: AccessKey, now: Timestamp) -> access::AccessKey {
        let at = Path::Top("access_key");
        if given.role == 0 {
            self.refuse(at.field("role"), "is required");
        }
        let role = self.word(at.field("role"), given.role).and_then(role_of).unwrap_or(Role::Portal);
        let of_all = role.is_of_all();
        let of_events = matches!(role, Role::Leader | Role::Psychologist);
        let (names_none, names_no_event) = (given.centres.is_empty(), given.events.is_empty());
        let centres =
            self.names(at.field("centres"), given.centres, CENTRES_MAX, "must be centres/{id}", parse::centre);
        let events = self.names(at.field("events"), given.events, EVENTS_MAX, "must be events/{uuid}", parse::event);
        if (of_all || given.all_centres) && !names_none {
            self.refuse(at.field("centres"), "must be empty for a key that reaches all centres");
        }
        if !of_all && !given.all_centres && names_none {
            self.refuse(at.field("centres"), "must name at least one centre, unless all_centres is set");
        }
        if of_events && names_no_event {
            self.refuse(at.field("events"), "must name at least one event for this role");
        }
        if !of_events && !names_no_event {
            self.refuse(at.field("events"), "is only for ROLE_LEADER and ROLE_PSYCHOLOGIST");
        }
        if given.vouching && role != Role::Portal {
            self.refuse(at.field("vouching"), "is only for ROLE_PORTAL");
        }
        let expires_at = self.instant(at.field("expire_time"), given.expire_time);
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            self.refuse(at.field("expire_time"), "must be in the future");
        }
        access::AccessKey {
            id: String::new(),
            display_name: self.required_line(at.field("display_name"), given.display_name, 200),
            role,
            centres,
            all_centres: of_all || given.all_centres,
            events,
            vouching: given.vouching,
            secret: [0; 32],
            old_secret: None,
            certificate: self.fingerprint(at.field("certificate_sha256"), &given.certificate_sha256),
            created_at: now,
            expires_at,
            revoked_at: None,
            version: 1,
        }
    }

    /// As `openssl` shows it, or without colons; nothing where none is given.
    fn fingerprint(&mut self, at: Path<'_>, given: &str) -> Option<SecretHash> {
        if given.is_empty() {
            return None;
        }
        let read = fingerprint(given);
        if read.is_none() {
            self.refuse(at, "must be 64 hexadecimal digits");
        }
        read
    }

    fn names<T: PartialEq>(
        &mut self,
        at: Path<'_>,
        given: Vec<String>,
        most: usize,
        why: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut names = Vec::new();
        for (i, name) in self.list(at, given, 0, most).iter().enumerate() {
            match parse(name) {
                Some(id) if names.contains(&id) => self.refuse(at.item(i), "stands twice in the list"),
                Some(id) => names.push(id),
                None => self.refuse(at.item(i), why),
            }
        }
        names
    }

    pub(super) fn access_key_name(&mut self, at: Path<'_>, given: &str) -> Option<String> {
        let is_id = |id: &&str| id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let id = given.strip_prefix("accessKeys/").filter(is_id).map(str::to_owned);
        if id.is_none() {
            self.refuse(at, "must be accessKeys/{id}");
        }
        id
    }
}

pub(super) fn role_word(role: Role) -> proto::Role {
    match role {
        Role::Portal => proto::Role::Portal,
        Role::Leader => proto::Role::Leader,
        Role::Psychologist => proto::Role::Psychologist,
        Role::Coordinator => proto::Role::Coordinator,
        Role::Head => proto::Role::Head,
        Role::Reporting => proto::Role::Reporting,
        Role::National => proto::Role::National,
        Role::Administrator => proto::Role::Administrator,
        Role::Operator => proto::Role::Operator,
    }
}

pub(super) fn role_of(word: proto::Role) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role_word(*role) == word)
}

fn fingerprint(text: &str) -> Option<SecretHash> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|b| *b != b':')
        .map(|b| char::from(b).to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit)).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 64)
}

fn hex(hash: &SecretHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn name(id: &str) -> String {
    format!("accessKeys/{id}")
}

fn render(key: &access::AccessKey) -> AccessKey {
    let of_all = key.role.is_of_all();
    AccessKey {
        name: name(&key.id),
        display_name: key.display_name.clone(),
        role: role_word(key.role).into(),
        centres: key.centres.iter().map(|id: &CentreId| names::centre(id)).collect(),
        all_centres: key.all_centres && !of_all,
        events: key.events.iter().map(|id: &EventId| names::event(*id)).collect(),
        vouching: key.vouching,
        expire_time: key.expires_at.map(time::instant),
        create_time: Some(time::instant(key.created_at)),
        revoke_time: key.revoked_at.map(time::instant),
        old_secret_expire_time: key.old_secret.map(|(_, until)| time::instant(until)),
        last_used_time: None,
        certificate_sha256: key.certificate.as_ref().map(hex).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_shows_it() {
        let bytes: SecretHash = std::array::from_fn(|i| u8::try_from(i * 8 + 3).unwrap_or_default());
        let plain = hex(&bytes);
        let pairs: Vec<&str> = (0..32).map(|i| &plain[2 * i..2 * i + 2]).collect();
        for shown in [plain.clone(), pairs.join(":").to_uppercase()] {
            assert_eq!(fingerprint(&shown), Some(bytes), "{shown}");
        }
        for wrong in
            [&plain[1..], &plain[2..], "", &format!("{plain}00"), &plain.replace('3', "g"), &plain.replace('3', "+")]
        {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
