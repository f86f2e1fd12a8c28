//! The access keys of the installation, as this instance knows them: read anew every two seconds while calls come in, so
//! that a key that is revoked anywhere lets nobody in after five. Where they cannot be read, nobody is let in either.
//! Beside them the users who sign in, where the settings name an issuer: what comes of a token is like a key.

use super::status;
use crate::clock::Clock;
use crate::keys::read_secret;
use crate::model::access::{AccessKey, SecretHash};
use crate::oidc::{self, Users, is_token, is_user};
use crate::storage::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tonic::Status;

/// Older, and the keys are read anew by whoever comes.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// Older, and nobody is let in by them.
const STALE: Duration = Duration::from_secs(4);
/// A key that is not known may have been made a moment ago: so often it is looked for.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// Keys read at once.
const CHUNK: u32 = 1_000;

/// All keys by their ids.
pub(super) type Known = Arc<HashMap<String, Arc<AccessKey>>>;

pub(super) struct Identities {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Whoever signs in, if anybody may.
    users: Option<Arc<Users>>,
    known: RwLock<Option<(Known, Instant)>>,
    reading: Mutex<()>,
}

/// Whom a secret names.
pub(super) enum Shown {
    /// No key was ever made, and nobody signs in: everybody who reaches the address is trusted.
    Open,
    /// No key, and keys are asked for.
    Nobody,
    Key(Arc<AccessKey>, SecretHash),
}

impl Identities {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, users: Option<Arc<Users>>) -> Self {
        Self { store, clock, users, known: RwLock::default(), reading: Mutex::default() }
    }

    /// Who shows this secret. One that opens nothing is refused, whatever the reason.
    pub async fn shown(&self, secret: Option<&str>) -> Result<Shown, Status> {
        let Some(secret) = secret else {
            return Ok(self.shown_nothing(&*self.keys(FRESH).await?));
        };
        if let Some(users) = self.users_of(secret) {
            return users.shown(secret, self.clock.now()).await.map(signed_in).map_err(refused);
        }
        let (id, hash) = read_secret(secret).ok_or_else(status::key_required)?;
        for age in [FRESH, LOOK] {
            if let Some(key) = self.keys(age).await?.get(id) {
                return self.opened(key, hash);
            }
        }
        Err(status::key_required())
    }

    /// The same, where the keys are at hand and fresh.
    pub fn shown_at_once(&self, secret: Option<&str>) -> Option<Result<Shown, Status>> {
        if let Some((users, token)) = secret.and_then(|secret| self.users_of(secret).zip(Some(secret))) {
            return users.shown_at_once(token, self.clock.now()).map(|shown| shown.map(signed_in).map_err(refused));
        }
        let keys = self.fresh()?;
        let Some(secret) = secret else { return Some(Ok(self.shown_nothing(&keys))) };
        let Some((id, hash)) = read_secret(secret) else { return Some(Err(status::key_required())) };
        let key = keys.get(id)?;
        Some(self.opened(key, hash))
    }

    fn shown_nothing(&self, keys: &HashMap<String, Arc<AccessKey>>) -> Shown {
        if keys.is_empty() && self.users.is_none() { Shown::Open } else { Shown::Nobody }
    }

    /// Those who sign in, where this is the token of one. No access key has its form.
    fn users_of(&self, secret: &str) -> Option<&Users> {
        self.users.as_deref().filter(|_| is_token(secret))
    }

    pub(super) fn opened(&self, key: &Arc<AccessKey>, hash: SecretHash) -> Result<Shown, Status> {
        let now = self.clock.now();
        let opens = key.is_opened_by(&hash, now) && key.is_live(now);
        if opens { Ok(Shown::Key(Arc::clone(key), hash)) } else { Err(status::key_required()) }
    }

    /// Whether whoever came in by this secret would still be let in; without one, whether none is asked for. A database
    /// that does not answer once ends nothing yet.
    pub async fn still(&self, came_by: Option<(&str, &SecretHash)>) -> Result<bool, Status> {
        if let Some((users, (_, hash))) = self.users.as_ref().zip(came_by.filter(|(id, _)| is_user(id))) {
            return users.still(hash, self.clock.now()).await.map_err(refused);
        }
        let keys = match self.keys(FRESH).await {
            Ok(keys) => keys,
            Err(no) => self.at_hand().filter(|(_, at)| at.elapsed() < STALE).map(|(keys, _)| keys).ok_or(no)?,
        };
        Ok(match came_by {
            None => matches!(self.shown_nothing(&keys), Shown::Open),
            Some((id, hash)) => keys.get(id).is_some_and(|key| self.opened(key, *hash).is_ok()),
        })
    }

    /// The key of that id as it was read last, or what came of that token.
    pub fn key(&self, id: &str, secret: &SecretHash) -> Option<Arc<AccessKey>> {
        if is_user(id) {
            return self.users.as_ref().and_then(|users| users.user_of(secret));
        }
        self.at_hand().and_then(|(keys, _)| keys.get(id).cloned())
    }

    /// The keys, where they are at hand and fresh.
    pub(super) fn fresh(&self) -> Option<Known> {
        self.at_hand().filter(|(_, at)| at.elapsed() < FRESH).map(|(keys, _)| keys)
    }

    fn at_hand(&self) -> Option<(Known, Instant)> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys, read not longer ago than `age` or, while somebody else reads them, than `STALE`.
    pub async fn keys(&self, age: Duration) -> Result<Known, Status> {
        let fits = |at: &Instant, age| at.elapsed() < age;
        let at_hand = self.at_hand();
        if let Some((keys, at)) = &at_hand
            && fits(at, age)
        {
            return Ok(Arc::clone(keys));
        }
        let reading = match (at_hand, self.reading.try_lock()) {
            (_, Ok(reading)) => reading,
            (Some((keys, at)), Err(_)) if age == FRESH && fits(&at, STALE) => return Ok(keys),
            (_, Err(_)) => self.reading.lock().await,
        };
        if let Some((keys, at)) = self.at_hand()
            && fits(&at, age)
        {
            return Ok(keys);
        }
        let begun = Instant::now();
        let keys = self.read().await.map_err(status::storage)?;
        drop(reading);
        if begun.elapsed() >= STALE {
            return Err(status::storage(StoreError::Unavailable("the access keys were read too slowly".into())));
        }
        Ok(keys)
    }

    /// Reads them now: whoever changed one sees it at once.
    pub async fn read(&self) -> Result<Known, StoreError> {
        let begun = Instant::now();
        let mut keys = HashMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.list_access_keys(after.as_deref(), CHUNK).await?;
            after = page.last().map(|key| key.id.clone());
            let is_last = page.len() < CHUNK as usize;
            keys.extend(page.into_iter().map(|key| (key.id.clone(), Arc::new(key))));
            if is_last {
                break;
            }
        }
        let keys = Arc::new(keys);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((newer, at)) = known.as_ref()
            && *at > begun
        {
            // Somebody who began later has seen more.
            return Ok(Arc::clone(newer));
        }
        *known = Some((Arc::clone(&keys), begun));
        Ok(keys)
    }
}

fn signed_in((user, hash): (Arc<AccessKey>, SecretHash)) -> Shown {
    Shown::Key(user, hash)
}

fn refused(no: oidc::No) -> Status {
    match no {
        oidc::No::Refused => status::key_required(),
        oidc::No::Unavailable => status::issuer_unavailable(),
    }
}
