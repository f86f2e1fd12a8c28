//! `eile admin-key`: an administrator's access key, made beside the service. For the first one, and for when all are lost.

use super::{Flags, say, service};
use crate::clock::{Clock, SystemClock};
use crate::keys::Keys;
use crate::model::access::{AccessKey, Role};
use crate::storage::{OpenRequest, Stored};
use std::process::ExitCode;
use uuid::Uuid;

pub async fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let config = flags.load()?;
    let store = service::open_store(&config).await?;
    let keys = Keys::new(store.secret().await?);
    let request_id = Uuid::new_v4();
    let id = keys.access_key_id(request_id);
    let secret = keys.access_secret(&id, request_id);
    let key = AccessKey {
        id,
        display_name: "made by eile admin-key".to_owned(),
        role: Role::Administrator,
        centres: Vec::new(),
        all_centres: true,
        events: Vec::new(),
        vouching: false,
        secret: secret.hash,
        old_secret: None,
        certificate: None,
        created_at: SystemClock.now(),
        expires_at: None,
        revoked_at: None,
        version: 1,
    };
    let request = OpenRequest { key: keys.request_key("admin-key", request_id), fingerprint: 0, answer: Vec::new() };
    let stored = store.create_access_key(&key, &request).await?;
    store.close().await;
    anyhow::ensure!(matches!(stored, Stored::Created), "the key could not be stored");
    // The secret alone goes to standard output, as with `eile keys create`: it is piped to where it is kept.
    eprintln!("accessKeys/{} made, an administrator's, without end; the secret is shown this once:", key.id);
    say(secret.text);
    Ok(ExitCode::SUCCESS)
}
