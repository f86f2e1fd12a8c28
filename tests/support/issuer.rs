//! An issuer of OpenID Connect on loopback: its page, its keys, and tokens that it signs. It counts how often it is asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub struct Signer {
    kid: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { kid: kid.to_owned(), pair }
    }

    pub fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": b64(&point[1..33]), "y": b64(&point[33..])})
    }

    pub fn token(&self, claims: &Value) -> String {
        let head = json!({"alg": "ES256", "typ": "JWT", "kid": self.kid});
        let message = format!("{}.{}", b64(head.to_string()), b64(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }
}

/// What it answers.
#[derive(Default)]
struct Desk {
    page: Mutex<Vec<u8>>,
    keys: Mutex<Vec<u8>>,
    asked: AtomicUsize,
}

pub struct Issuer {
    pub url: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn ok(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Issuer {
    pub async fn open(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let serving = tokio::spawn(serve(listener, Arc::clone(&desk)));
        let issuer = Self { url, desk, serving };
        issuer.has_page(&json!({"issuer": issuer.url, "jwks_uri": format!("{}/keys", issuer.url)}));
        issuer.has(signers);
        issuer
    }

    /// From now on these are its keys.
    pub fn has(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        self.answers_keys(ok(&json!({"keys": keys})));
    }

    pub fn has_page(&self, page: &Value) {
        *self.desk.page.lock().unwrap() = ok(page);
    }

    /// From now on it answers these bytes to who asks for its keys; none, and it hangs up.
    pub fn answers_keys(&self, bytes: Vec<u8>) {
        *self.desk.keys.lock().unwrap() = bytes;
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.desk.asked.load(Ordering::SeqCst)
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let mut head = vec![0; 2_048];
            let read = socket.read(&mut head).await.unwrap_or(0);
            let answer = if head[..read].starts_with(b"GET /.well-known/openid-configuration ") {
                desk.page.lock().unwrap().clone()
            } else {
                desk.asked.fetch_add(1, Ordering::SeqCst);
                desk.keys.lock().unwrap().clone()
            };
            let _ = socket.write_all(&answer).await;
        });
    }
}
