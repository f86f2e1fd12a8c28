//! Access keys: what a portal, a tool or a job shows to be let in, and what it reaches with it.

use super::id::{CentreId, EventId, Number};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What the bearer of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Portal,
    Leader,
    Psychologist,
    Coordinator,
    Head,
    Reporting,
    National,
    Administrator,
    Operator,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Portal,
        Role::Leader,
        Role::Psychologist,
        Role::Coordinator,
        Role::Head,
        Role::Reporting,
        Role::National,
        Role::Administrator,
        Role::Operator,
    ];

    /// Whether a key of this role names no centre: what it may do is about all of them, or about none.
    pub const fn is_of_all(self) -> bool {
        matches!(self, Role::National | Role::Administrator | Role::Operator)
    }
}

/// The hash of a secret; the secret itself is nowhere.
pub type SecretHash = [u8; 32];

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// 16 hexadecimal digits.
    pub id: String,
    pub display_name: String,
    pub role: Role,
    /// The centres that it reaches, unless it reaches all.
    pub centres: Vec<CentreId>,
    pub all_centres: bool,
    /// The only events that it reaches; none named: all of its centres.
    pub events: Vec<EventId>,
    /// Its bearer knows for certain who signs up.
    pub vouching: bool,
    pub secret: SecretHash,
    /// The secret before the last rotation, and until when it goes on.
    pub old_secret: Option<(SecretHash, Timestamp)>,
    /// SHA-256 of a client certificate that may be shown in place of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SecretHash>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// 1 when created, one more with each change.
    pub version: u64,
}

impl AccessKey {
    /// Whether it lets anybody in at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Whether one of its secrets that count at this time, or its certificate, has this hash. No secret has the hash of a
    /// certificate.
    pub fn is_opened_by(&self, hash: &SecretHash, now: Timestamp) -> bool {
        let old = self.old_secret.as_ref().filter(|(_, until)| now < *until);
        same(&self.secret, hash) | old.is_some_and(|(old, _)| same(old, hash)) | self.is_named_by(hash)
    }

    /// Whether this is the certificate that it names.
    pub fn is_named_by(&self, certificate: &SecretHash) -> bool {
        self.certificate.as_ref().is_some_and(|own| same(own, certificate))
    }

    pub fn reaches_centre(&self, centre: &CentreId) -> bool {
        self.all_centres || self.centres.contains(centre)
    }

    pub fn reaches_event(&self, event: EventId, centre: &CentreId) -> bool {
        self.reaches_centre(centre) && (self.events.is_empty() || self.events.contains(&event))
    }
}

/// On whose behalf something is read, and what it reaches: whoever asks the store for what belongs to centres or people
/// says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The service's own work: batches, checks, reports, retention.
    Service,
    /// A caller who reaches all.
    All,
    /// A caller who reaches some.
    Within(Within),
    /// Whoever bears the token of this registration.
    Registration(EventId, Number),
}

/// Centres and events that are reached; nothing named of a kind: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    pub centres: Option<Vec<CentreId>>,
    pub events: Option<Vec<EventId>>,
}

impl Reach {
    /// What whoever shows this key reaches.
    pub fn of(key: &AccessKey) -> Reach {
        let centres = (!key.all_centres).then(|| key.centres.clone());
        let events = (!key.events.is_empty()).then(|| key.events.clone());
        match (&centres, &events) {
            (None, None) => Reach::All,
            _ => Reach::Within(Within { centres, events }),
        }
    }

    /// Nothing at all.
    pub fn nothing() -> Reach {
        Reach::Within(Within { centres: Some(Vec::new()), events: None })
    }

    /// The centres and events to which a query is to be narrowed.
    pub fn within(&self) -> Within {
        match self {
            Reach::Service | Reach::All => Within::default(),
            Reach::Within(within) => within.clone(),
            Reach::Registration(event, _) => Within { centres: None, events: Some(vec![*event]) },
        }
    }
}

/// Compares without telling by time where the first difference is.
pub fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AccessKey {
        AccessKey {
            id: "0f1e2d3c4b5a6978".into(),
            display_name: "portal".into(),
            role: Role::Portal,
            centres: vec![CentreId("elektrenai".into())],
            all_centres: false,
            events: Vec::new(),
            vouching: false,
            secret: [1; 32],
            old_secret: Some(([2; 32], Timestamp(100))),
            certificate: Some([4; 32]),
            created_at: Timestamp(0),
            expires_at: Some(Timestamp(200)),
            revoked_at: None,
            version: 1,
        }
    }

    #[test]
    fn a_key_lets_in_until_it_expires_or_is_revoked() {
        assert!(key().is_live(Timestamp(199)) && !key().is_live(Timestamp(200)));
        assert!(!AccessKey { revoked_at: Some(Timestamp(5)), ..key() }.is_live(Timestamp(6)));
    }

    #[test]
    fn the_old_secret_goes_on_until_its_time_and_no_other_ever_does() {
        let opens = |byte, now| key().is_opened_by(&[byte; 32], Timestamp(now));
        assert!(opens(1, 99) && opens(1, 150) && opens(2, 99) && !opens(2, 100) && !opens(3, 1));
        assert!(opens(4, 99) && opens(4, 150), "a certificate is not rotated with the secret");
        let mut last = [1; 32];
        last[31] = 0;
        assert!(!key().is_opened_by(&last, Timestamp(1)));
    }

    #[test]
    fn what_is_read_for_a_key_is_what_it_reaches() {
        let one = EventId(uuid::Uuid::from_u128(1));
        let own = Some(vec![CentreId("elektrenai".into())]);
        assert_eq!(Reach::of(&key()), Reach::Within(Within { centres: own.clone(), events: None }));
        let leader = AccessKey { events: vec![one], ..key() };
        assert_eq!(Reach::of(&leader).within(), Within { centres: own, events: Some(vec![one]) });
        let all = AccessKey { all_centres: true, centres: Vec::new(), ..key() };
        assert_eq!(Reach::of(&all), Reach::All);
        let of_events = Reach::of(&AccessKey { events: vec![one], ..all });
        assert_eq!(of_events, Reach::Within(Within { centres: None, events: Some(vec![one]) }));
        assert_eq!(Reach::nothing().within().centres, Some(Vec::new()), "no centre is not every centre");
    }

    #[test]
    fn a_key_reaches_its_centres_and_if_events_are_named_those_alone() {
        let (own, other) = (CentreId("elektrenai".into()), CentreId("vilnius".into()));
        let (one, two) = (EventId(uuid::Uuid::from_u128(1)), EventId(uuid::Uuid::from_u128(2)));
        assert!(key().reaches_event(one, &own) && !key().reaches_event(one, &other));
        let leader = AccessKey { events: vec![one], ..key() };
        assert!(leader.reaches_event(one, &own) && !leader.reaches_event(two, &own));
        assert!(!leader.reaches_event(one, &other), "an event that went to another centre is not reached any more");
        assert!(AccessKey { all_centres: true, centres: Vec::new(), ..key() }.reaches_centre(&other));
    }
}
