//! Machines that show a certificate in place of a secret (docs/decisions/0019). It was verified with the handshake; here it
//! is only asked which access key names it.

use super::identity::{FRESH, Identities, Known, LOOK, Shown};
use super::status;
use crate::model::access::AccessKey;
use crate::tls::ClientCertificate;
use std::sync::Arc;
use tonic::{Request, Status};

/// What the connection of this call has shown, if anything.
pub(super) fn certificate<T>(request: &Request<T>) -> Option<ClientCertificate> {
    request.extensions().get().copied()
}

impl Identities {
    /// Whom the secret of a call and the certificate of its connection name together.
    pub async fn shown_with(
        &self,
        secret: Option<&str>,
        certificate: Option<ClientCertificate>,
    ) -> Result<Shown, Status> {
        let shown = self.shown(secret).await?;
        let Some(certificate) = certificate else { return Ok(shown) };
        let is_known = is_named(&self.keys(FRESH).await?, &certificate);
        // A key that names it may have been made a moment ago.
        let age = if is_known || !matches!(shown, Shown::Nobody) { FRESH } else { LOOK };
        self.together(shown, &self.keys(age).await?, &certificate)
    }

    /// The same, where the keys are at hand and fresh.
    pub fn shown_with_at_once(
        &self,
        secret: Option<&str>,
        certificate: Option<ClientCertificate>,
    ) -> Option<Result<Shown, Status>> {
        let shown = self.shown_at_once(secret)?;
        let Some(certificate) = certificate else { return Some(shown) };
        let keys = self.fresh()?;
        match shown {
            Ok(Shown::Nobody) if !is_named(&keys, &certificate) => None,
            shown => Some(shown.and_then(|shown| self.together(shown, &keys, &certificate))),
        }
    }

    /// A certificate that no key names says nothing. One that a key names lets in as that key, and nobody else who shows a
    /// secret beside it.
    fn together(&self, shown: Shown, keys: &Known, certificate: &ClientCertificate) -> Result<Shown, Status> {
        let mut named = keys.values().filter(|key| key.is_named_by(&certificate.sha256)).peekable();
        if named.peek().is_none() {
            return Ok(shown);
        }
        match shown {
            Shown::Open => Ok(Shown::Open),
            Shown::Key(key, hash) if named.any(|named| named.id == key.id) => Ok(Shown::Key(key, hash)),
            Shown::Key(..) => Err(status::key_required()),
            Shown::Nobody => {
                let mut live = named.filter_map(|key: &Arc<AccessKey>| self.opened(key, certificate.sha256).ok());
                // Two can only have been made in one moment, on two instances: neither is meant for certain.
                live.next().filter(|_| live.next().is_none()).ok_or_else(status::key_required)
            }
        }
    }
}

fn is_named(keys: &Known, certificate: &ClientCertificate) -> bool {
    keys.values().any(|key| key.is_named_by(&certificate.sha256))
}
