//! For how long keys count, and which of them count at all.

use super::*;

#[tokio::test]
async fn a_user_is_let_in_as_long_as_the_token_lasts_and_its_signer_is_a_key() {
    let (first, second) = (Signer::new("a"), Signer::new("b"));
    let pause = Duration::from_millis(50);
    let pace = Pace { refresh: pause * 4, keep: pause * 40, pause };
    let house = House::of(pace, &[first.jwk()]).await;
    let (old, new) = (first.token(&claims()), second.token(&claims()));
    let hash = token_hash(&old);
    assert!(house.user(&old).await.is_ok() && house.users.still(&hash, now()).await == Ok(true));
    assert!(house.refuses(&new).await);
    let later = now().plus(Span::seconds(360));
    assert_eq!(house.users.still(&hash, later).await, Ok(false), "the token ends");
    assert!(house.users.shown(&old, later).await.is_err());

    write(&house.folder, &[second.jwk()]);
    tokio::time::sleep(pause).await;
    assert!(house.user(&new).await.is_ok(), "a key that is not known is looked for at once");
    assert_eq!(house.users.still(&hash, now()).await, Ok(false), "the signer has left the set");
    assert!(house.refuses(&old).await);
    assert!(house.users.shown_at_once(&old, now()).is_none_or(|shown| shown.is_err()));

    write(&house.folder, &[first.jwk()]);
    tokio::time::sleep(pace.refresh).await;
    assert!(house.user(&old).await.is_ok(), "and may come back");
    assert!(house.refuses(&new).await);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_believed_for_a_while_and_then_nobody_knows() {
    let signer = Signer::new("a");
    let pause = Duration::from_millis(20);
    let pace = Pace { refresh: pause * 2, keep: pause * 20, pause };
    let house = House::of(pace, &[signer.jwk()]).await;
    let token = signer.token(&claims());
    assert!(house.user(&token).await.is_ok());
    std::fs::remove_file(house.folder.path().join("keys.json")).unwrap();
    tokio::time::sleep(pace.refresh).await;
    assert!(house.user(&token).await.is_ok(), "what was known goes on");
    tokio::time::sleep(pace.keep).await;
    assert_eq!(house.user(&token).await, Err(No::Unavailable));
    assert_eq!(house.users.still(&token_hash(&token), now()).await, Err(No::Unavailable));
    assert!(house.refuses("a.b.c").await, "what is no token is none, whoever answers");
    write(&house.folder, &[signer.jwk()]);
    tokio::time::sleep(pause).await;
    assert!(house.user(&token).await.is_ok());
}

#[tokio::test]
async fn keys_that_sign_nothing_that_is_taken_are_left_out() {
    let signer = Signer::new("a");
    let changed = |name: &str, value: Value| {
        let mut key = signer.jwk();
        key[name] = value;
        key
    };
    for useless in [
        changed("use", json!("enc")),
        changed("key_ops", json!(["sign"])),
        changed("alg", json!("ES384")),
        changed("alg", json!("RSA-OAEP")),
        changed("crv", json!("P-384")),
        changed("crv", json!("secp256k1")),
        changed("kty", json!("new")),
        json!({"kty": "oct", "kid": "a", "k": b64("secret"), "alg": "HS256"}),
        json!("nonsense"),
    ] {
        let house = House::calm(std::slice::from_ref(&useless)).await;
        assert!(house.refuses(&signer.token(&claims())).await, "{useless}");
        let beside = House::calm(&[useless.clone(), changed("use", json!("sig"))]).await;
        assert!(beside.user(&signer.token(&claims())).await.is_ok(), "{useless}");
    }
}

#[tokio::test]
async fn a_file_without_keys_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    for text in [None, Some("nonsense".to_owned()), Some(" ".repeat((256 << 10) + 1))] {
        let file = folder.path().join("keys.json");
        if let Some(text) = &text {
            std::fs::write(&file, text).unwrap();
        }
        let hour = Duration::from_secs(3_600);
        let options = Options {
            issuer: ISSUER.into(),
            audience: "eile".into(),
            source: Source::File(file),
            algorithms: vec![Algorithm::ES256],
            skew: Span::seconds(0),
            pace: Pace { refresh: hour, keep: hour, pause: hour },
            mapping: mapping(),
        };
        assert!(Users::open(options, Keys::new([7; 32])).await.is_err(), "{text:?}");
    }
}
