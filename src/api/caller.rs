//! Who calls. Until callers are told apart by keys, everybody on loopback is staff that vouches for the
//! people it signs up; a portal lowers itself by metadata, and a management token makes its bearer the party.

use super::from_proto::names::RegistrationName;
use super::to_proto::names;
use super::{Api, status};
use crate::keys::token_hash;
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
pub enum Caller {
    Staff,
    /// Cannot vouch for contacts and may do only what anyone may.
    Portal,
}

/// As whom a caller acts on one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    Staff,
    Party,
}

impl Caller {
    /// Anything but `yes` lowers the caller: a misspelt lowering must not raise anybody, nor may a second value
    /// beside one that lowers.
    pub fn of(metadata: &MetadataMap) -> Caller {
        match metadata.get_all(VOUCHES).iter().all(|v| v.as_bytes() == b"yes") {
            true => Caller::Staff,
            false => Caller::Portal,
        }
    }

    /// How figures are shown to a caller: exact to staff, protected to a reporting job. Anything but `staff` is taken for
    /// a reporting job: a misspelt lowering must not raise anybody.
    pub fn shown(metadata: &MetadataMap, small_cell: u64) -> Shown {
        match metadata.get_all(ROLE).iter().all(|v| v.as_bytes() == b"staff") {
            true => Shown::Exact,
            false => Shown::Protected { k: small_cell },
        }
    }

    pub fn is_staff(self) -> bool {
        self == Caller::Staff
    }

    pub fn actor(self) -> ActorKind {
        match self {
            Caller::Staff => ActorKind::Staff,
            Caller::Portal => ActorKind::Portal,
        }
    }

    /// The word that stands for this kind of caller in the scope of its request ids.
    pub fn scope(self) -> &'static str {
        match self {
            Caller::Staff => "staff",
            Caller::Portal => "portal",
        }
    }

    /// Refuses everybody but staff.
    pub fn staff_only(self, method: &str) -> Result<(), Status> {
        if self.is_staff() { Ok(()) } else { Err(status::staff_only(method)) }
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
        let stored = self.desk.store().token_hash(name.event, number).await.map_err(status::storage)?;
        match stored {
            Some(stored) if equal(&stored, &token_hash(token)) => Ok(Acting::Party),
            _ => Err(refused()),
        }
    }
}

/// Compares without telling by time where the first difference is.
fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    difference == 0
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
            Caller::of(&metadata)
        };
        assert_eq!(caller(&[]), Caller::Staff);
        assert_eq!(caller(&["yes"]), Caller::Staff);
        for lowered in ["no", "NO", "maybe", "", "yes, no"] {
            assert_eq!(caller(&[lowered]), Caller::Portal, "{lowered}");
        }
        for twice in [["yes", "no"], ["no", "yes"], ["no", "no"]] {
            assert_eq!(caller(&twice), Caller::Portal, "{twice:?}");
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
            assert_eq!(Caller::shown(&metadata, 3), shown, "{roles:?}");
        }
    }

    #[test]
    fn hashes_are_equal_only_as_a_whole() {
        let mut other = [7; 32];
        assert!(equal(&[7; 32], &other));
        other[31] = 8;
        assert!(!equal(&[7; 32], &other));
    }
}
