"""People who sign in with an issuer of OpenID Connect: who is let in, to what, for how long, and who never is."""

import json
import pathlib
import time
import uuid

import grpc
import house
import pytest
from client import Api, Refused, build
from grpc_health.v1 import health_pb2
from issuer import AUDIENCE, Issuer, Signer, b64, by_hand
from test_watch import Reader
from words import World, access_key, centre, party, programme

HERE, THERE = "here", "there"
SETTINGS = (
    f"oidc.audience={AUDIENCE}", "oidc.role_claim=/realm_access/roles",
    "oidc.roles=centre-head=head, centre-desk = coordinator, group = leader, root = administrator",
    "oidc.centre_claim=groups", f"oidc.centres=/centres/{HERE} = {HERE}, /centres/{THERE} = {THERE}",
    "oidc.administrators=true", "oidc.clock_skew_seconds=0")


class Town:
    """A service whose people sign in, with two centres, made by an administrator who signs in too."""

    def __init__(self, issuer, server):
        self.issuer, self.server = issuer, server
        for name in (HERE, THERE):
            self.api(issuer.token("root")).CreateCentre(centre=centre(), centre_id=name)
        self.worlds = [self.world(issuer.token("centre-desk", groups=[f"/centres/{name}"]), name) for name in (HERE, THERE)]
        self.event, self.beside = (world.open() for world in self.worlds)

    def api(self, token, **fields):
        return Api(self.server.address, key=token, **fields)

    def world(self, token, name):
        world = World(self.server.address, own_centre=False, key=token)
        world.centre = f"centres/{name}"
        return world

    def token(self, *roles, groups=(f"/centres/{HERE}",), **others):
        return self.issuer.token(*(roles or ("centre-desk",)), groups=list(groups), **others)

    def outcome(self, token):
        api = self.api(token)
        try:
            return api.attempt("GetEvent", build("GetEvent", name=self.event))
        finally:
            api.close()  # one address keeps no more than so many connections


def settings(issuer, *others):
    return (f"oidc.issuer={issuer.url}", *SETTINGS, *others)


@pytest.fixture(scope="module")
def town(binary, new_database):
    """The service for the tests that leave the issuer in peace."""
    issuer = Issuer(Signer("first"), Signer("second", "ES256"))
    server = house.Server(binary, new_database(), *settings(issuer)).start()
    yield Town(issuer, server)
    server.remove()
    issuer.close()


@pytest.fixture
def new_town(new_server):
    """A service and an issuer of a test's own."""
    issuers = []

    def make(*others):
        issuers.append(Issuer(Signer("first")))
        return Town(issuers[-1], new_server(None, *settings(issuers[-1], *others)))

    yield make
    for issuer in issuers:
        issuer.close()


def is_let_in(town, token):
    outcome = town.outcome(token)
    assert outcome.reason in ("", "KEY_REQUIRED"), outcome
    return outcome.code is grpc.StatusCode.OK


def seconds_until(condition, at_most):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < at_most, f"not within {at_most} s"
        time.sleep(0.2)
    return time.monotonic() - begun


def test_who_signs_in_signs_up_and_lists_within_its_centre_alone(town):
    for signer in town.issuer.signers:
        world = town.world(signer.sign(town.issuer.claims("centre-desk", groups=f"/centres/{HERE}")), HERE)
        made = world.sign_up(town.event)
        assert world.get(made.name).name == made.name
        listed = world.list_all("ListEvents", "events")
        assert town.event in {e.name for e in listed} and {e.centre for e in listed} == {f"centres/{HERE}"}
        for method, fields in (
                ("GetEvent", {"name": town.beside}), ("ListRegistrations", {"parent": town.beside}),
                ("CreateRegistration", {"parent": town.beside, "registration": party()})):
            assert world.api.refused(method, **fields).reason == "EVENT_NOT_FOUND"
        assert world.api.refused("CreateEvent", event=world.event(centre=f"centres/{THERE}")).reason == "CENTRE_NOT_FOUND"


def test_who_signs_in_again_with_another_token_is_the_same_caller(town):
    request = build("CreateRegistration", parent=town.event, registration=party())
    first = town.api(town.token()).call("CreateRegistration", request)
    assert town.api(town.token(jti="x")).call("CreateRegistration", request) == first
    create = build("CreateProgramme", programme=programme())
    made = town.api(town.issuer.token("root")).call("CreateProgramme", create)
    assert town.api(town.issuer.token("root", jti="x")).call("CreateProgramme", create) == made
    other = town.api(town.issuer.token("root", sub="another")).call("CreateProgramme", create)
    assert other.programme.name != made.programme.name, "request ids are one's own"


def bad_tokens(town):
    """Every way of not being a good token, by name."""
    issuer, now = town.issuer, int(time.time())
    signer, curve = issuer.signers
    claims = lambda **others: issuer.claims("centre-desk", **{"groups": [f"/centres/{HERE}"], **others})
    good = signer.sign(claims())
    head, payload, signature = good.split(".")
    hmac_head = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    raised = b64(json.dumps(claims(groups=[f"/centres/{THERE}"])).encode())
    stranger = Signer("first")
    yield "aud of somebody else", signer.sign(claims(aud="account"))
    yield "no aud", signer.sign(claims(aud=None))
    yield "another iss", signer.sign(claims(iss="https://login.example.org"))
    yield "iss with a slash more", signer.sign(claims(iss=issuer.url + "/"))
    yield "no iss", signer.sign(claims(iss=None))
    yield "expired", signer.sign(claims(exp=now - 1))
    yield "no exp", signer.sign(claims(exp=None))
    yield "exp that is no number", by_key(signer, claims(exp="never"))
    yield "not before tomorrow", signer.sign(claims(nbf=now + 86_400))
    yield "made tomorrow", signer.sign(claims(iat=now + 86_400))
    yield "no sub", signer.sign(claims(sub=None))
    yield "a refresh token", signer.sign(claims(typ="Refresh"))
    yield "bound to a key", signer.sign(claims(cnf={"jkt": "x"}))
    yield "alg none", by_hand({"alg": "none", "typ": "JWT", "kid": "first"}, claims())
    yield "alg None, signed", f"{b64(json.dumps({'alg': 'None', 'kid': 'first'}).encode())}.{payload}.{signature}"
    yield "no alg", by_hand({"kid": "first"}, claims())
    for name, secret in (
            ("PEM", signer.public_pem()), ("stripped PEM", signer.public_pem().strip()),
            ("n", signer.jwk["n"].encode()), ("JWK", json.dumps(signer.jwk).encode()), ("nothing", b"")):
        yield f"HS256 with {name} as the secret", by_hand(hmac_head, claims(), secret)
    yield "another key under the same kid", stranger.sign(claims())
    yield "a key that it brings along", stranger.sign(claims(), jwk=stranger.jwk)
    yield "a key to be fetched elsewhere", stranger.sign(claims(), jku=f"{issuer.url}/certs", x5u=f"{issuer.url}/certs")
    yield "an unknown kid", signer.sign(claims(), kid="x" * 40)
    yield "the kid of another key", signer.sign(claims(), kid=curve.kid)
    yield "no kid", signer.sign(claims(), kid=None)
    yield "a kid like a path", signer.sign(claims(), kid="../../etc/passwd")
    yield "typ of a farewell", signer.sign(claims(), typ="logout+jwt")
    yield "an extension", signer.sign(claims(), crit=["x"], x=1)
    yield "another payload", f"{head}.{raised}.{signature}"
    yield "no signature", f"{head}.{payload}."
    yield "half a signature", good[:-20]
    yield "padding", good + "="
    yield "four parts", good + ".x"
    yield "two parts", f"{head}.{payload}"
    yield "nothing between the dots", ".."
    yield "words", "a.b.c"
    yield "no JSON", f"{b64(b'alg')}.{payload}.{signature}"
    yield "too long", signer.sign(claims(pad="x" * 9_000))
    yield "no role", signer.sign(issuer.claims(groups=[f"/centres/{HERE}"]))
    yield "no centre", signer.sign(issuer.claims("centre-desk"))
    yield "a leader without events", signer.sign(issuer.claims("group", groups=[f"/centres/{HERE}"]))
    yield "roles elsewhere", signer.sign({**issuer.claims(groups=[f"/centres/{HERE}"]), "roles": ["centre-head"]})
    for claimed in ("administrator", "ROLE_ADMINISTRATOR", "head", "national", "*", "Root", "root "):
        yield f"the role {claimed!r}, which nobody has mapped", signer.sign(
            issuer.claims(claimed, groups=[f"/centres/{HERE}", "*"]))


def by_key(signer, claims):
    """PyJWT looks at what it signs; this does not."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    head = {"alg": signer.alg, "kid": signer.kid}
    message = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{message}.{b64(signer.key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def test_bad_tokens_are_all_refused_in_the_same_words(town):
    assert is_let_in(town, town.token())
    assert is_let_in(town, by_key(town.issuer.signers[0], town.issuer.claims("centre-desk", groups=f"/centres/{HERE}")))
    expected = town.outcome("eile_0000000000000000_" + "A" * 43)
    assert expected.reason == "KEY_REQUIRED"
    let_in, differ = [], []
    for name, token in bad_tokens(town):
        outcome = town.outcome(token)
        let_in += [name] if outcome.code is grpc.StatusCode.OK else []
        differ += [f"{name}: {outcome}"] if outcome.bytes() != expected.bytes() else []
    assert not let_in and not differ


def test_a_token_beyond_all_measure_harms_nobody(town):
    refused = town.outcome("x." + "x" * 200_000 + ".x")
    assert refused.code is not grpc.StatusCode.OK
    assert is_let_in(town, town.token())


def test_garbage_in_place_of_a_token_never_lets_in(town):
    import random
    rng, good = random.Random(4), town.token()
    for _ in range(300):
        at = rng.randrange(len(good))
        # The last character of a part holds bits that are not read.
        if good[at + 1:at + 2] in ("", ".") or good[at] == ".":
            continue
        other = rng.choice([c for c in "Aa0_-." if c != good[at]])
        outcome = town.outcome(good[:at] + other + good[at + 1:])
        assert outcome.reason == "KEY_REQUIRED", (at, other)


def test_no_role_is_more_than_its_row(town):
    desk = town.api(town.token())
    assert desk.refused("CreateAccessKey", access_key=access_key("administrator")).reason == "ROLE_NOT_ALLOWED"
    root = town.api(town.issuer.token("root"))
    assert root.refused("GetEvent", name=town.event).reason == "ROLE_NOT_ALLOWED", "an administrator sees no people"
    leader = town.api(town.token("group", events=[town.event]))
    assert leader.GetEvent(name=town.event).event.name == town.event
    beside = town.worlds[0].open()
    assert leader.refused("GetEvent", name=beside).reason == "EVENT_NOT_FOUND"
    both = town.api(town.token("group", "centre-head", groups=[f"/centres/{HERE}", f"/centres/{THERE}"], events=[town.event]))
    assert {e.centre for e in both.ListEvents(page_size=100).events} == {f"centres/{HERE}", f"centres/{THERE}"}


def test_nobody_is_trusted_who_shows_nothing_though_no_key_was_ever_made(new_town):
    town = new_town()
    for api in (Api(town.server.address), town.api("x")):
        assert api.refused("ListCentres").reason == "KEY_REQUIRED"
        assert api.refused("CreateAccessKey", access_key=access_key("administrator")).reason == "KEY_REQUIRED"
    secret = town.api(town.issuer.token("root")).CreateAccessKey(access_key=access_key("administrator")).secret
    assert town.api(secret).ListCentres(page_size=1) and is_let_in(town, town.token())


def test_a_stream_ends_with_its_token(new_town):
    town = new_town()
    lasting, ending = town.token(), town.token(exp=int(time.time()) + 4)
    readers = [Reader(town.api(token).watch("WatchEvent", name=town.event, seconds=30)) for token in (lasting, ending)]
    for reader in readers:
        reader.until(lambda m: True)
    assert readers[1].ended.wait(4 + 5), "the stream goes on"
    assert Refused("WatchEvent", readers[1].error).audit().reason == "KEY_REQUIRED"
    assert not is_let_in(town, ending)
    assert not readers[0].ended.is_set()
    readers[0].stream.cancel()


def test_keys_are_rotated_while_the_service_runs(new_town):
    refresh = 20
    town = new_town(f"oidc.refresh_seconds={refresh}")
    issuer, second = town.issuer, Signer("second", "ES256")
    old, claims = town.token(), issuer.claims("centre-desk", groups=[f"/centres/{HERE}"])
    new = second.sign(claims)
    assert is_let_in(town, old)
    time.sleep(10.5)  # so long the issuer is left in peace
    asked = issuer.asked
    assert not is_let_in(town, new)
    issuer.signers.append(second)
    time.sleep(10.5)
    assert is_let_in(town, new), "a key that shows up is asked for at once"
    assert is_let_in(town, old)
    for _ in range(50):
        assert not is_let_in(town, Signer(uuid.uuid4().hex, "ES256").sign(claims))
    assert issuer.asked - asked <= 4, "the issuer is asked again and again"
    reader = Reader(town.api(old).watch("WatchEvent", name=town.event, seconds=60))
    reader.until(lambda m: True)
    del issuer.signers[0]
    seconds_until(lambda: not is_let_in(town, old), refresh + 1)
    assert is_let_in(town, new)
    assert reader.ended.wait(5), "a stream goes on by a key that is withdrawn"
    assert Refused("WatchEvent", reader.error).audit().reason == "KEY_REQUIRED"


def test_an_issuer_that_is_down_is_told_as_such_and_ends_nothing_else(new_town):
    town = new_town("oidc.refresh_seconds=10", "oidc.keep_seconds=15")
    secret = town.api(town.issuer.token("root")).CreateAccessKey(access_key=access_key("administrator")).secret
    token = town.token()
    town.issuer.close()
    begun = time.monotonic()
    while time.monotonic() - begun < 8:
        assert is_let_in(town, token), "what was known goes on for a while"
        time.sleep(0.5)
    seconds_until(lambda: town.outcome(token).code is not grpc.StatusCode.OK, 12)
    refused = town.outcome(token)
    assert (refused.reason, refused.code) == ("ISSUER_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)
    assert town.api(secret).ListCentres(page_size=1), "access keys go on"
    assert town.server.health() == health_pb2.HealthCheckResponse.SERVING
    assert town.outcome("a.b.c").reason == "KEY_REQUIRED", "what is no token is none"
    town.server.stop()
    town.server.start()
    assert town.outcome(token).reason == "ISSUER_UNAVAILABLE", "it starts without its issuer"
    town.issuer.open()
    seconds_until(lambda: town.outcome(token).code is grpc.StatusCode.OK, 12)


def test_nobodys_name_is_kept_or_logged(new_town, kind, request):
    town = new_town("log.level=trace")
    canaries = {name: f"zqx{uuid.uuid4().hex}" for name in ("sub", "name", "email", "preferred_username", "jti")}
    token = town.token(**canaries)
    world = town.world(token, HERE)
    made = world.sign_up(town.event)
    town.outcome(token + "x")
    if kind == "sqlite":
        database = pathlib.Path(town.server.database)
        files = [p for p in database.parent.iterdir() if p.name.startswith(database.name)]
    else:
        data = pathlib.Path(request.getfixturevalue("cluster").folder) / "data"
        files = [p for folder in ("base", "pg_wal") for p in (data / folder).rglob("*") if p.is_file()]
    found, number = False, made.name.split("/")[-1]
    for path, content in house.read_all([*files, pathlib.Path(f"{town.server.folder}/log")]):
        found = found or bytes.fromhex(number.replace("-", "")) in content
        assert not any(word.encode() in content for word in canaries.values()), path
        assert token.encode() not in content and token.split(".")[2].encode() not in content, path
    assert found, "these are not the files of the database"


def test_keys_may_come_from_a_file(new_server, tmp_path):
    signer, path = Signer("first"), tmp_path / "keys.json"
    issuer = Issuer(signer)
    issuer.close()
    path.write_text(json.dumps({"keys": [signer.jwk]}))
    town = Town(issuer, new_server(None, *settings(issuer, f"oidc.jwks_file={path}")))
    assert is_let_in(town, town.token())
    assert not is_let_in(town, Signer("first").sign(issuer.claims("centre-desk", groups=f"/centres/{HERE}")))
    assert issuer.asked == 0


@pytest.mark.parametrize("wrong, told", [
    ("oidc.administrators=false", "oidc.administrators"),
    ("oidc.algorithms=none", "oidc.algorithms"),
    ("oidc.algorithms=RS256,HS256", "oidc.algorithms"),
    ("oidc.audience=", "oidc.audience"),
    ("oidc.issuer=", "oidc.issuer"),
    ("oidc.issuer=http://login.example.org", "oidc.issuer"),
    ("oidc.roles=x = king", "oidc.roles"),
    ("oidc.jwks_file=/nowhere/keys.json", "keys.json"),
])
def test_settings_that_cannot_be_meant_are_refused_at_start(binary, new_database, wrong, told):
    issuer = Issuer(Signer("first"))
    server = house.Server(binary, new_database(), *settings(issuer, wrong))
    try:
        with pytest.raises(AssertionError, match="the server ended with 1"):
            server.start()
        assert told in server.log_text()
    finally:
        server.remove()
        issuer.close()
