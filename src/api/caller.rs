//! Who calls. By an access key, or by signing in, as what its role says; by a management token, as the party; and before the first key
//! was ever made, everybody on loopback is staff that vouches for the people it signs up, and lowers itself by metadata.

use super::from_proto::names::RegistrationName;
use super::rights::Roles;
use super::to_proto::names;
use super::{Api, status};
use crate::keys::token_hash;
use crate::model::access::{AccessKey, Role, SecretHash, same};
use crate::model::id::Number;
use crate::model::registration::ActorKind;
use crate::report::cells::Shown;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// The metadata by which a caller says whether it vouches: `no` for a public portal.
const VOUCHES: &str = "eile-vouches";

/// The metadata by which a caller says that it is a reporting job: `reporting`.
const ROLE: &str = "eile-role";

/// A caller as the api room sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    kind: Kind,
    vouches: bool,
    /// Sees figures as they are; others see none that is small.
    exact: bool,
    /// The key that it shows.
    pub(super) key: Option<ShownKey>,
    /// Of that key.
    role: Option<Role>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Staff,
    /// May do only what anyone may.
    Portal,
    /// Shows no key: at most the party whose token it bears.
    Bearer,
}

/// The id of an access key, 16 hexadecimal digits, or of a user, and the hash of the secret or token that was shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ShownKey {
    id: [u8; 16],
    pub(super) secret: SecretHash,
}

impl ShownKey {
    fn of(id: &str, secret: SecretHash) -> Self {
        let mut bytes = [b'0'; 16];
        bytes.iter_mut().zip(id.bytes()).for_each(|(to, from)| *to = from);
        Self { id: bytes, secret }
    }

    pub(super) fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }
}

impl std::fmt::Debug for ShownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// As whom a caller acts on one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    Staff,
    Party,
}

/// Whether the caller leaves a metadata out or says this word alone. A misspelt lowering must not raise anybody, nor may a
/// second value beside one that lowers.
fn says_only(metadata: &MetadataMap, name: &str, word: &str) -> bool {
    metadata.get_all(name).iter().all(|v| v.as_bytes() == word.as_bytes())
}

impl Caller {
    /// Whoever calls where no key was ever made.
    pub(super) fn trusted(metadata: &MetadataMap) -> Caller {
        let vouches = says_only(metadata, VOUCHES, "yes");
        let kind = if vouches { Kind::Staff } else { Kind::Portal };
        Caller { kind, vouches, exact: says_only(metadata, ROLE, "staff"), key: None, role: None }
    }

    /// Whoever shows this key. It may lower itself, as everybody may.
    pub(super) fn by_key(key: &AccessKey, secret: SecretHash, metadata: &MetadataMap) -> Caller {
        let trusted = Caller::trusted(metadata);
        let (kind, vouches, exact) = match key.role {
            Role::Portal => (Kind::Portal, key.vouching && trusted.vouches, false),
            Role::Reporting | Role::National | Role::Operator => (Kind::Staff, false, false),
            Role::Leader | Role::Psychologist | Role::Coordinator | Role::Head | Role::Administrator => {
                (trusted.kind, trusted.vouches, trusted.exact)
            }
        };
        Caller { kind, vouches, exact, key: Some(ShownKey::of(&key.id, secret)), role: Some(key.role) }
    }

    /// Whoever shows nothing, and may bear a token.
    pub(super) fn bearer() -> Caller {
        Caller { kind: Kind::Bearer, vouches: false, exact: false, key: None, role: None }
    }

    /// How figures are shown: exact to staff, protected to a reporting job.
    pub fn shown(self, small_cell: u64) -> Shown {
        if self.exact { Shown::Exact } else { Shown::Protected { k: small_cell } }
    }

    pub fn is_staff(self) -> bool {
        self.kind == Kind::Staff
    }

    /// Whether it shows no key: at most the party whose token it bears.
    pub fn is_bearer(self) -> bool {
        self.kind == Kind::Bearer
    }

    pub fn has_key(self) -> bool {
        self.key.is_some()
    }

    /// Whether it must prove by a token that a registration is its own. It then hears the same of one that is not there.
    pub fn needs_token(self) -> bool {
        !self.is_staff() && (self.key.is_some() || self.kind == Kind::Bearer)
    }

    /// Whether its role is one of these. Whoever needs no key may do everything that its kind may.
    pub(super) fn is_among(self, roles: Roles) -> bool {
        self.role.is_none_or(|role| roles.has(role))
    }

    /// Whether it is staff that sees who the people of an event are of which these roles alone do (`Details::named_roles`).
    pub(super) fn sees_people_of(self, named_roles: Option<&[Role]>) -> bool {
        self.is_staff() && self.role.is_none_or(|role| named_roles.is_none_or(|named| named.contains(&role)))
    }

    /// Whether it knows for certain who signs up.
    pub fn vouches(self) -> bool {
        self.vouches
    }

    pub fn actor(self) -> ActorKind {
        match self.kind {
            Kind::Staff => ActorKind::Staff,
            Kind::Portal => ActorKind::Portal,
            Kind::Bearer => ActorKind::Party,
        }
    }

    /// The word that stands for this caller in the scope of its request ids.
    pub fn scope(self) -> String {
        match (self.key, self.kind) {
            (Some(key), _) => key.id().to_owned(),
            (None, Kind::Staff) => "staff".to_owned(),
            (None, Kind::Portal) => "portal".to_owned(),
            (None, Kind::Bearer) => "bearer".to_owned(),
        }
    }

    /// Refuses everybody but staff.
    pub fn staff_only(self, method: &str) -> Result<(), Status> {
        if self.is_staff() { Ok(()) } else { Err(status::staff_only(method)) }
    }

    /// Refuses everybody but staff that sees figures as they are.
    pub fn exact_only(self, method: &str) -> Result<(), Status> {
        if self.is_staff() && self.exact { Ok(()) } else { Err(status::staff_only(method)) }
    }
}

impl Acting {
    pub fn is_staff(self) -> bool {
        self == Acting::Staff
    }

    pub fn actor(self) -> ActorKind {
        match self {
            Acting::Staff => ActorKind::Staff,
            Acting::Party => ActorKind::Party,
        }
    }
}

impl Api {
    /// As whom the caller acts on a registration that exists: the party where it bears the token, else
    /// staff where it is staff.
    pub(super) async fn acting(
        &self,
        caller: Caller,
        name: RegistrationName,
        number: Number,
        token: &str,
    ) -> Result<Acting, Status> {
        if token.is_empty() && caller.is_staff() {
            return Ok(Acting::Staff);
        }
        let refused = || status::token_invalid(&names::registration(name.event, name.id));
        if token.is_empty() || token.len() > 100 {
            return Err(refused());
        }
        self.still_opens(name, number, &token_hash(token)).await?;
        Ok(Acting::Party)
    }

    /// Refuses a token of another hash than the registration's.
    pub(super) async fn still_opens(
        &self,
        name: RegistrationName,
        number: Number,
        hash: &[u8; 32],
    ) -> Result<(), Status> {
        match self.desk.store().token_hash(name.event, number).await.map_err(status::storage)? {
            Some(stored) if same(&stored, hash) => Ok(()),
            _ => Err(status::token_invalid(&names::registration(name.event, name.id))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_and_yes_vouch() {
        let caller = |values: &[&'static str]| {
            let mut metadata = MetadataMap::new();
            for value in values {
                metadata.append(VOUCHES, tonic::metadata::MetadataValue::from_static(value));
            }
            Caller::trusted(&metadata)
        };
        assert!(caller(&[]).is_staff() && caller(&["yes"]).is_staff() && caller(&[]).vouches());
        for lowered in ["no", "NO", "maybe", "", "yes, no"] {
            assert!(!caller(&[lowered]).is_staff() && !caller(&[lowered]).vouches(), "{lowered}");
        }
        for twice in [["yes", "no"], ["no", "yes"], ["no", "no"]] {
            assert!(!caller(&twice).is_staff(), "{twice:?}");
        }
    }

    #[test]
    fn a_second_role_beside_one_that_lowers_shows_no_more() {
        for (roles, shown) in [
            (&[][..], Shown::Exact),
            (&["staff"], Shown::Exact),
            (&["reporting"], Shown::Protected { k: 3 }),
            (&["staff", "reporting"], Shown::Protected { k: 3 }),
            (&["reporting", "staff"], Shown::Protected { k: 3 }),
        ] {
            let mut metadata = MetadataMap::new();
            for role in roles {
                metadata.append(ROLE, tonic::metadata::MetadataValue::from_static(role));
            }
            assert_eq!(Caller::trusted(&metadata).shown(3), shown, "{roles:?}");
        }
    }
}
