#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::model::access::Role;
use crate::model::id::CentreId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::time::Duration;

mod pace;

const ISSUER: &str = "https://login.example.org/realms/centres";
/// The seconds of the clock here.
const NOW: i64 = 2_000_000_000;

fn now() -> Timestamp {
    Timestamp(NOW * 1_000_000)
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Signer {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { kid, pair }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": b64(&point[1..33]), "y": b64(&point[33..])})
    }

    fn sign(&self, head: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(head.to_string()), b64(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&self.head(), claims)
    }

    fn head(&self) -> Value {
        json!({"alg": "ES256", "typ": "JWT", "kid": self.kid})
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ["other", "eile"], "sub": "5f0c", "exp": NOW + 300, "nbf": NOW - 5, "iat": NOW - 5,
        "typ": "Bearer", "realm_access": {"roles": ["offline", "desk", "boss"]}, "centres": ["E", "unknown"],
        "name": "Vardenė", "email": "vardene@example.org",
    })
}

/// The claims with one of them changed; null takes it out.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn mapping() -> Mapping {
    let role = |value: &str, role| (value.to_owned(), role);
    let centre = |value: &str, id: &str| (value.to_owned(), Some(CentreId(id.to_owned())));
    Mapping {
        role_claim: "/realm_access/roles".into(),
        roles: vec![
            role("boss", Role::Head),
            role("desk", Role::Coordinator),
            role("group", Role::Leader),
            role("root", Role::Administrator),
        ],
        centre_claim: "centres".into(),
        centres: vec![
            centre("E", "elektrenai"),
            centre("K", "kaisiadorys"),
            centre("both", "elektrenai"),
            centre("both", "kaisiadorys"),
            ("all".into(), None),
        ],
        event_claim: "https://example.org/events".into(),
    }
}

/// The users of an issuer whose keys stand in a file.
struct House {
    folder: tempfile::TempDir,
    users: Users,
}

impl House {
    async fn of(pace: Pace, keys: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        write(&folder, keys);
        let options = Options {
            issuer: ISSUER.into(),
            audience: "eile".into(),
            source: Source::File(file),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256],
            skew: Span::seconds(60),
            pace,
            mapping: mapping(),
        };
        let users = Users::open(options, Keys::new([7; 32])).await.unwrap();
        Self { folder, users }
    }

    async fn calm(keys: &[Value]) -> Self {
        let hour = Duration::from_secs(3_600);
        Self::of(Pace { refresh: hour, keep: hour, pause: hour }, keys).await
    }

    async fn user(&self, token: &str) -> Result<Arc<AccessKey>, No> {
        self.users.shown(token, now()).await.map(|(user, _)| user)
    }

    async fn refuses(&self, token: &str) -> bool {
        self.user(token).await == Err(No::Refused)
    }
}

fn write(folder: &tempfile::TempDir, keys: &[Value]) {
    std::fs::write(folder.path().join("keys.json"), json!({"keys": keys}).to_string()).unwrap();
}

#[tokio::test]
async fn a_sound_token_gives_what_the_mapping_says_and_nothing_of_who_it_is() {
    let signer = Signer::new("a");
    let house = House::calm(&[signer.jwk()]).await;
    let user = house.user(&signer.token(&claims())).await.unwrap();
    assert_eq!(user.role, Role::Head, "the first row of the table counts, not the first word of the token");
    assert_eq!((user.centres.as_slice(), user.all_centres), (&[CentreId("elektrenai".into())][..], false));
    assert_eq!(user.expires_at, Some(now().plus(Span::seconds(360))));
    assert!(is_user(&user.id) && user.id.len() == 16 && user.display_name.is_empty());
    let again = house.user(&signer.token(&with("exp", json!(NOW + 400)))).await.unwrap();
    assert_eq!(again.id, user.id);
    let other = house.user(&signer.token(&with("sub", json!("5f0d")))).await.unwrap();
    assert_ne!(other.id, user.id);
}

#[tokio::test]
async fn a_claim_that_is_wrong_or_missing_lets_nobody_in() {
    let signer = Signer::new("a");
    let house = House::calm(&[signer.jwk()]).await;
    for (name, value) in [
        ("iss", json!("https://login.example.org/realms/other")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!([])),
        ("aud", json!(7)),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!(NOW - 60)),
        ("exp", json!("never")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!(NOW + 61)),
        ("nbf", json!("now")),
        ("iat", json!(NOW + 61)),
        ("iat", json!([])),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("typ", json!("Refresh")),
        ("typ", json!("ID")),
        ("typ", json!(1)),
        ("cnf", json!({"jkt": "x"})),
    ] {
        assert!(house.refuses(&signer.token(&with(name, value.clone()))).await, "{name}: {value}");
    }
    for (name, value) in [
        ("aud", json!("eile")),
        ("exp", json!(NOW - 59)),
        ("exp", json!(NOW as f64 + 0.5)),
        ("nbf", json!(NOW + 60)),
        ("iat", json!(NOW + 60)),
        ("nbf", Value::Null),
        ("iat", Value::Null),
        ("typ", Value::Null),
    ] {
        assert!(house.user(&signer.token(&with(name, value.clone()))).await.is_ok(), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_header_that_is_wrong_lets_nobody_in() {
    let (signer, stranger, second) = (Signer::new("a"), Signer::new("a"), Signer::new("b"));
    let house = House::calm(&[signer.jwk(), second.jwk()]).await;
    let head = |name: &str, value: Value| {
        let mut head = signer.head();
        match value {
            Value::Null => drop(head.as_object_mut().unwrap().remove(name)),
            value => head[name] = value,
        }
        head
    };
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES384")),
        ("alg", json!("RS256")),
        ("alg", Value::Null),
        ("kid", json!("b")),
        ("kid", json!("c")),
        ("kid", Value::Null),
        ("kid", json!(1)),
        ("typ", json!("logout+jwt")),
        ("crit", json!(["b64"])),
    ] {
        assert!(house.refuses(&signer.sign(&head(name, value.clone()), &claims())).await, "{name}: {value}");
    }
    for (name, value) in [("typ", json!("at+JWT")), ("typ", Value::Null), ("jku", json!("https://evil.example.org"))] {
        assert!(house.user(&signer.sign(&head(name, value.clone()), &claims())).await.is_ok(), "{name}: {value}");
    }
    assert!(house.refuses(&stranger.token(&claims())).await, "another key under the same kid");
    let brought = head("jwk", stranger.jwk());
    assert!(house.refuses(&stranger.sign(&brought, &claims())).await, "a key that the token brings along");
    let alone = House::calm(&[signer.jwk()]).await;
    assert!(alone.user(&signer.sign(&head("kid", Value::Null), &claims())).await.is_ok(), "there is but one key");
}

#[tokio::test]
async fn a_token_that_is_none_or_was_touched_lets_nobody_in() {
    let signer = Signer::new("a");
    let house = House::calm(&[signer.jwk()]).await;
    let token = signer.token(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = message.split_once('.').unwrap();
    let raised = b64(with("centres", json!(["all"])).to_string());
    let unsigned = b64(json!({"alg": "none"}).to_string());
    let mut wrong = vec![
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{message}."),
        format!("{message}.{}", &signature[2..]),
        format!("{message}.{signature}="),
        format!("{head}.{raised}.{signature}"),
        format!("{unsigned}.{}.", b64(claims().to_string())),
        format!(" {token}"),
        signer.token(&json!([])),
        signer.token(&json!("x")),
        signer.token(&with("pad", json!("x".repeat(TOKEN_BYTES_MAX)))),
    ];
    // What checks a signature of RSA or of a curve must never be taken for a shared secret.
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, signer.pair.public_key().as_ref());
    let forged = format!("{}.{}", b64(json!({"alg": "HS256", "kid": "a"}).to_string()), b64(claims().to_string()));
    wrong.push(format!("{forged}.{}", b64(ring::hmac::sign(&secret, forged.as_bytes()))));
    for token in wrong {
        assert!(house.refuses(&token).await, "{token}");
    }
    assert!(house.user(&token).await.is_ok());
}

#[tokio::test]
async fn an_algorithm_that_is_not_pinned_is_refused_though_the_key_could() {
    let signer = Signer::new("a");
    let mut house = House::calm(&[signer.jwk()]).await;
    let token = signer.token(&claims());
    assert!(house.user(&token).await.is_ok());
    house.users.rules.algorithms = vec![Algorithm::RS256];
    assert!(house.refuses(&token).await);
}

#[tokio::test]
async fn what_is_not_mapped_is_nothing() {
    let signer = Signer::new("a");
    let house = House::calm(&[signer.jwk()]).await;
    let roles = |list: Value| with("realm_access", json!({"roles": list}));
    for nobody in [
        roles(json!([])),
        roles(json!(["administrator", "ROLE_ADMINISTRATOR", "head", "Boss", "boss "])),
        roles(json!({"boss": true})),
        roles(json!([["boss"]])),
        with("realm_access", Value::Null),
        with("roles", json!(["boss"]))
            .as_object()
            .map(|o| {
                let mut o = o.clone();
                o.remove("realm_access");
                Value::Object(o)
            })
            .unwrap(),
        with("centres", json!([])),
        with("centres", json!(["*", "elektrenai", "e"])),
        with("centres", Value::Null),
        roles(json!(["group"])),
    ] {
        assert!(house.refuses(&signer.token(&nobody)).await, "{nobody}");
    }
    let user = async |claims: Value| house.user(&signer.token(&claims)).await.unwrap();
    assert_eq!(user(roles(json!("desk"))).await.role, Role::Coordinator);
    assert!(user(with("centres", json!("all"))).await.all_centres);
    assert_eq!(user(with("centres", json!(["both", "K"]))).await.centres.len(), 2);
    assert!(user(roles(json!(["root"]))).await.all_centres);
}

#[tokio::test]
async fn leaders_reach_the_events_that_are_named_and_never_all() {
    let signer = Signer::new("a");
    let house = House::calm(&[signer.jwk()]).await;
    let of = |events: Value| {
        let mut claims = with("https://example.org/events", events);
        claims["realm_access"] = json!({"roles": ["group"]});
        signer.token(&claims)
    };
    let (one, two) = ("0198c2f4-7a6b-7c3d-8e9f-0a1b2c3d4e5f", "events/0198c2f4-7a6b-7c3d-8e9f-0a1b2c3d4e60");
    assert_eq!(house.user(&of(json!([one, two, "x"]))).await.unwrap().events.len(), 2);
    for none in [json!([]), json!("*"), json!(["x"]), json!(vec![one; 201])] {
        assert!(house.refuses(&of(none.clone())).await, "{none}");
    }
}
