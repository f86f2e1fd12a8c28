//! After a restore: what the ledger says was done is done again, where the database does not know of it. To be done before
//! anybody is served.

use super::{Asking, Noted, Privacy, PrivacyError};
use crate::desk::DeskError;
use crate::model::access::AccessKey;
use crate::model::id::{EventId, RegistrationId};
use crate::model::registration::ActorKind;
use crate::model::retention::Extent;
use crate::model::time::Timestamp;
use crate::storage::{OpenRequest, StoreError, Stored};
use std::collections::HashMap;
use uuid::Uuid;

/// Keys read at once.
const CHUNK: u32 = 1_000;

/// How much was done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    pub erased: u64,
    pub revoked: u64,
}

impl Privacy {
    /// Does again what the ledger says was done.
    pub async fn replay(&self) -> Result<Again, PrivacyError> {
        let Some(ledger) = &self.ledger else { return Ok(Again::default()) };
        let (mut again, mut revoked) = (Again::default(), HashMap::new());
        for noted in ledger.noted() {
            match noted {
                Noted::Erasure { event, registration, kept } => {
                    again.erased += u64::from(self.erase_again(*event, *registration, *kept).await?);
                }
                Noted::Revocation { key, revoked_at } => {
                    revoked.entry(key.as_str()).or_insert(*revoked_at);
                }
            }
        }
        if !revoked.is_empty() {
            again.revoked = self.revoke_again(&revoked).await?;
        }
        if again.erased > 0 {
            self.scrub().await;
        }
        Ok(again)
    }

    /// Whether it had come back.
    async fn erase_again(&self, event: EventId, id: RegistrationId, kept: bool) -> Result<bool, PrivacyError> {
        let seen = match self.seen(event, id).await {
            Ok(seen) => seen,
            // Not in this backup at all.
            Err(PrivacyError::NotFound | PrivacyError::Desk(DeskError::EventNotFound)) => return Ok(false),
            Err(error) => return Err(error),
        };
        if seen.standing.is_erased(kept) {
            return Ok(false);
        }
        let asking = Asking { actor: ActorKind::System, request: None, borne: None, validate_only: false };
        let extent = |_| Some(if kept { Extent::Part } else { Extent::Whole });
        self.carry_out(event, id, asking, extent).await?;
        Ok(true)
    }

    /// Revokes those of these keys that live, and answers how many did.
    async fn revoke_again(&self, revoked: &HashMap<&str, Timestamp>) -> Result<u64, PrivacyError> {
        let (mut again, mut after) = (0, None::<String>);
        loop {
            let page = self.desk.store().list_access_keys(after.as_deref(), CHUNK).await?;
            for key in page.iter().filter(|key| key.revoked_at.is_none()) {
                let Some(at) = revoked.get(key.id.as_str()) else { continue };
                self.revoke(key.clone(), *at).await?;
                again += 1;
            }
            if page.len() < CHUNK as usize {
                return Ok(again);
            }
            after = page.last().map(|key| key.id.clone());
        }
    }

    async fn revoke(&self, key: AccessKey, at: Timestamp) -> Result<(), PrivacyError> {
        let key = AccessKey { version: key.version + 1, revoked_at: Some(at), old_secret: None, ..key };
        // Nobody asks for the answer: the id of this request is told to nobody.
        let request = self.desk.keys().request_key("after a restore", Uuid::new_v4());
        let open = OpenRequest { key: request, fingerprint: 0, answer: Vec::new() };
        match self.desk.store().update_access_key(&key, &open).await? {
            // Another instance that starts with us revoked it.
            Stored::Created | Stored::VersionMismatch(_) => Ok(()),
            other => Err(StoreError::Failed(format!("access key {} could not be revoked: {other:?}", key.id)).into()),
        }
    }

    /// Notes that an access key is about to be revoked. Where that cannot be noted it is revoked nonetheless: whoever
    /// holds it must not get in now. What is answered is the note, to be taken back if the revocation is refused.
    pub async fn note_revocation(&self, key: &str, revoked_at: Timestamp) -> Option<Noted> {
        let ledger = self.ledger.as_ref()?;
        let noted = Noted::Revocation { key: key.to_owned(), revoked_at };
        match ledger.note(&noted).await {
            Ok(()) => Some(noted),
            Err(error) => {
                tracing::error!(%error, key, "the ledger cannot be written: after a restore this access key would let in again");
                None
            }
        }
    }

    /// The revocation was refused: another took its place, or its request id was used for something else.
    pub async fn revocation_refused(&self, noted: Option<Noted>) {
        if let Some(noted) = noted {
            self.take_back(&noted).await;
        }
    }
}
