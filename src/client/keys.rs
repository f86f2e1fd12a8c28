//! `eile keys`: makes, lists, rotates and revokes access keys. A secret is shown once, on standard output, alone.

use super::failure::{Failure, Verdict};
use super::options::{Clock, Reach, Show};
use super::sheet::{self, Column, Sheet, Tone, Value};
use super::wire::{PAGE, Wire};
use super::words;
use crate::api::proto;
use crate::model::time::Zone;
use crate::tls;
use clap::Subcommand;
use uuid::Uuid;

const EXAMPLES: &str = "\
Examples:
  eile keys create --role administrator --name 'Office'        the first key; from then on a key is asked for
  export EILE_KEY=eile_...                                     the key that the verbs of this shell show
  eile keys create --role portal --centre elektrenai --name 'Web site'
  eile keys create --role coordinator --centre elektrenai --centre kaisiadorys --name 'Staff tool'
  eile keys create --role reporting --centre elektrenai --name 'Night job' --certificate job.pem
  eile keys list
  eile keys rotate 0f1e2d3c4b5a6978 --old-secret-hours 2
  eile keys revoke 0f1e2d3c4b5a6978";

#[derive(Subcommand)]
pub enum Verb {
    /// Makes a key and shows its secret, this once.
    Create(Create),
    /// Lists all keys, without their secrets.
    List(List),
    /// Gives a key another secret; the one before it goes on for a while.
    Rotate(Rotate),
    /// Lets a key in no more, within seconds and for good.
    Revoke(Revoke),
}

const ROLES: [&str; 9] =
    ["portal", "leader", "psychologist", "coordinator", "head", "reporting", "national", "administrator", "operator"];

/// The role of that name, as the service knows it.
fn role(word: &str) -> proto::Role {
    proto::Role::from_str_name(&format!("ROLE_{}", word.to_uppercase())).unwrap_or_default()
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// What its bearer may do.
    #[arg(long, value_parser = ROLES)]
    role: String,
    /// What the key is for; no personal data.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// A centre that it reaches; may be given several times.
    #[arg(long = "centre", value_name = "CENTRE")]
    centres: Vec<String>,
    /// It reaches every centre.
    #[arg(long, conflicts_with = "centres")]
    all_centres: bool,
    /// An event that a leader or a psychologist reaches; may be given several times.
    #[arg(long = "event", value_name = "EVENT", value_parser = super::options::event_name)]
    events: Vec<String>,
    /// The portal knows for certain who its users are.
    #[arg(long)]
    vouching: bool,
    /// From this instant on it lets nobody in: 2026-12-31T22:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    expires: Option<jiff::Timestamp>,
    /// A client certificate that may be shown in place of the secret: a file in PEM, or its SHA-256 fingerprint.
    #[arg(long, value_name = "FILE|SHA256")]
    certificate: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    clock: Clock,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

#[derive(clap::Args)]
pub struct Rotate {
    /// The key: accessKeys/{id}, or the id.
    #[arg(value_name = "KEY")]
    which: String,
    /// How long the secret before it goes on.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
    old_secret_hours: u32,
    #[command(flatten)]
    reach: Reach,
}

#[derive(clap::Args)]
pub struct Revoke {
    /// The key: accessKeys/{id}, or the id.
    #[arg(value_name = "KEY")]
    which: String,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(verb: Verb) -> Result<Verdict, Failure> {
    match verb {
        Verb::Create(arguments) => create(arguments).await,
        Verb::List(arguments) => list(arguments).await,
        Verb::Rotate(arguments) => rotate(arguments).await,
        Verb::Revoke(arguments) => revoke(arguments).await,
    }
}

async fn create(arguments: Create) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let expire_time =
        arguments.expires.map(|at| prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() });
    let certificate_sha256 = arguments.certificate.as_deref().map(fingerprint).transpose()?.unwrap_or_default();
    let access_key = proto::AccessKey {
        display_name: arguments.name,
        role: role(&arguments.role).into(),
        centres: arguments.centres.iter().map(|centre| in_collection("centres/", centre)).collect(),
        all_centres: arguments.all_centres,
        events: arguments.events,
        vouching: arguments.vouching,
        expire_time,
        certificate_sha256,
        ..proto::AccessKey::default()
    };
    let ask = proto::CreateAccessKeyRequest { request_id: Uuid::new_v4().to_string(), access_key: Some(access_key) };
    let made = wire.create_access_key(ask).await?;
    tell(&made.access_key.unwrap_or_default().name, "made", &made.secret);
    Ok(Verdict::Done)
}

/// The fingerprint as it is given, or of the first certificate in the file.
fn fingerprint(given: &str) -> Result<String, Failure> {
    let is_one = given.bytes().filter(u8::is_ascii_hexdigit).count() == 64
        && given.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    if is_one {
        return Ok(given.to_owned());
    }
    let pem = std::fs::read(given).map_err(|e| Failure::usage(format!("--certificate: cannot read {given}: {e}")))?;
    let hash = tls::fingerprint_of_pem(&pem);
    let hash = hash.ok_or_else(|| Failure::usage(format!("--certificate: {given} holds no certificate in PEM")))?;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn rotate(arguments: Rotate) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let seconds = i64::from(arguments.old_secret_hours) * 3600;
    let ask = proto::RotateAccessKeyRequest {
        request_id: Uuid::new_v4().to_string(),
        name: in_collection("accessKeys/", &arguments.which),
        old_secret_ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
    };
    let made = wire.rotate_access_key(ask).await?;
    tell(&made.access_key.unwrap_or_default().name, "has another secret", &made.secret);
    Ok(Verdict::Done)
}

async fn revoke(arguments: Revoke) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let name = in_collection("accessKeys/", &arguments.which);
    let ask = proto::RevokeAccessKeyRequest { request_id: Uuid::new_v4().to_string(), name };
    let revoked = wire.revoke_access_key(ask).await?.access_key.unwrap_or_default();
    eprintln!("{} is revoked", revoked.name);
    Ok(Verdict::Done)
}

/// The secret alone goes to standard output, so that it can be piped to where it is kept.
fn tell(name: &str, what: &str, secret: &str) {
    eprintln!("{name} {what}; the secret is shown this once:");
    println!("{secret}");
}

fn in_collection(collection: &str, given: &str) -> String {
    if given.starts_with(collection) { given.to_owned() } else { format!("{collection}{given}") }
}

const COLUMNS: &[Column] = &[
    Column::new("access_key", "Key"),
    Column::new("display_name", "For"),
    Column::new("role", "Role"),
    Column::new("reaches", "Reaches"),
    Column::new("state", "State"),
    Column::wide("created", "Made"),
    Column::new("expires", "Expires"),
    Column::new("last_used", "Last used"),
    Column::wide("old_secret_until", "Old secret until"),
    Column::wide("certificate_sha256", "Certificate"),
];

async fn list(arguments: List) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let page = async |page_token| {
        let page = wire.list_access_keys(proto::ListAccessKeysRequest { page_size: PAGE, page_token }).await?;
        let rows = page.access_keys.iter().map(|key| row(key, &arguments.clock.time_zone)).collect();
        Ok((rows, page.next_page_token))
    };
    let keys = Sheet::rows("keys", arguments.clock.heading("Access keys"), COLUMNS);
    sheet::list(&arguments.show, &keys, page).await
}

fn row(key: &proto::AccessKey, zone: &Zone) -> Vec<Value> {
    let time = |at: &Option<prost_types::Timestamp>| words::time(at.as_ref(), zone);
    let (state, tone) = match key.revoke_time {
        Some(_) => ("revoked", Tone::Bad),
        None => ("not revoked", Tone::Plain),
    };
    let role = role_word(key.role);
    let role = if key.vouching { format!("{role}, vouching") } else { role };
    let reaches: Vec<&str> = key.centres.iter().chain(&key.events).map(String::as_str).collect();
    let reaches = if reaches.is_empty() { "all centres".to_owned() } else { reaches.join(" ") };
    vec![
        Value::Name(key.name.clone()),
        Value::Text(key.display_name.clone()),
        Value::Text(role),
        Value::Text(reaches),
        Value::Word(state.to_owned(), tone),
        time(&key.create_time),
        time(&key.expire_time),
        time(&key.last_used_time),
        time(&key.old_secret_expire_time),
        Value::Text(key.certificate_sha256.clone()),
    ]
}

/// A role as it is typed.
pub fn role_word(role: i32) -> String {
    let name = proto::Role::try_from(role).unwrap_or_default().as_str_name();
    name.strip_prefix("ROLE_").unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_of_the_service_can_be_asked_for() {
        let known: Vec<proto::Role> = ROLES.iter().map(|word| role(word)).collect();
        let all: Vec<proto::Role> = (1..).map_while(|n| proto::Role::try_from(n).ok()).collect();
        assert_eq!(known, all);
    }
}
