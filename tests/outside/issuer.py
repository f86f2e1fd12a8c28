"""An issuer of OpenID Connect on loopback, made of PyJWT and cryptography alone: its page, its keys, its tokens."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "eile-test"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """A key with its kid; of RSA, or of the curve P-256."""

    def __init__(self, kid, alg="RS256"):
        self.kid, self.alg = kid, alg
        if alg.startswith("ES"):
            self.key, how = ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm
        else:
            self.key, how = rsa.generate_private_key(public_exponent=65537, key_size=2048), jwt.algorithms.RSAAlgorithm
        self.jwk = {**json.loads(how.to_jwk(self.key.public_key())), "kid": kid, "use": "sig", "alg": alg}

    def public_pem(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, claims, **head):
        head = {"kid": self.kid, **head}
        return jwt.encode(claims, self.key, algorithm=self.alg, headers={k: v for k, v in head.items() if v is not None})


def by_hand(head, claims, secret=None):
    """A token that no library would make: unsigned, or signed with a secret that is none."""
    message = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    signature = b"" if secret is None else hmac.new(secret, message.encode(), hashlib.sha256).digest()
    return f"{message}.{b64(signature)}"


class Issuer:
    """Serves its page and its keys until it is closed; opened again, it has the same address."""

    def __init__(self, *signers):
        self.signers, self.asked, self.port, self.server = list(signers), 0, 0, None
        self.open()
        self.url = f"http://127.0.0.1:{self.port}/realms/centres"

    def open(self):
        issuer = self

        class Desk(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = issuer.answer(self.path)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Desk)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        if path == "/realms/centres/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/certs"}
        if path == "/realms/centres/certs":
            self.asked += 1
            return {"keys": [signer.jwk for signer in self.signers]}
        return None

    def claims(self, *roles, **others):
        """As Keycloak makes them; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": [AUDIENCE, "account"], "sub": "8d5c2f4e", "typ": "Bearer", "iat": now, "exp": now + 300,
            "realm_access": {"roles": ["offline_access", *roles]}, **others}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *roles, **others):
        return self.signers[0].sign(self.claims(*roles, **others))
