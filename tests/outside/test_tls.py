"""TLS from outside: with it alone, renewed while it runs, and with certificates of clients as keys."""

import http.client
import pathlib
import re
import socket
import ssl
import struct
import time
import urllib.request

import grpc
import house
import pytest
from authority import Authority
from client import METHODS, Api, Refused, build, message_class
from test_keys import HELD_WITHIN, is_let_in, seconds_until
from test_watch import Reader
from words import CONFIRMED, World, access_key, party

# The files are looked at every two seconds, and what is broken is told when it is found twice.
NOTICED_WITHIN = 8


class Secure:
    """A service over TLS, in a folder with its files."""

    def __init__(self, binary, database, folder):
        self.folder, self.authority, self.clients = pathlib.Path(folder), Authority(), Authority("of clients")
        self.authority.server().write(self.folder)
        (self.folder / "clients.pem").write_bytes(self.clients.pem)
        (self.folder / "ca.pem").write_bytes(self.authority.pem)
        self.operators = f"127.0.0.1:{house.free_port()}"
        settings = {
            "tls.certificate_file": "certificate.pem", "tls.key_file": "key.pem", "tls.client_ca_file": "clients.pem"}
        settings = [f"{name}={self.folder / file}" for name, file in settings.items()]
        settings += [f"metrics.listen={self.operators}", "web.cors_origins=https://sign-up.example.org"]
        self.server = house.Server(binary, database, *settings, credentials=self.credentials())
        self.address = self.server.address

    def credentials(self, authority=None, pair=None):
        shown = (pair.key, pair.certificate) if pair else (None, None)
        return grpc.ssl_channel_credentials((authority or self.authority).pem, *shown)

    def api(self, pair=None, authority=None, **fields):
        return Api(self.address, credentials=self.credentials(authority, pair), **fields)

    def world(self):
        return World(self.address, credentials=self.credentials())

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.operators}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

    def reached(self, **fields):
        """Whether a new connection comes about, and a call on it is answered."""
        api = self.api(timeout=5, **fields)
        try:
            api.ListCentres(page_size=1)
            return True
        except Refused as refused:
            assert refused.code is grpc.StatusCode.UNAVAILABLE and not refused.is_own(), refused
            return False
        finally:
            api.close()


@pytest.fixture
def secure(binary, new_database, tmp_path):
    secure = Secure(binary, new_database(), tmp_path)
    secure.server.start()
    yield secure
    try:
        assert secure.server.stop() == 0, secure.server.log_tail()
    finally:
        secure.server.remove()


def test_families_sign_up_over_tls_and_nobody_in_plain_text(secure):
    world = secure.world()
    event = world.open(seats=1)
    assert world.sign_up(event).state == CONFIRMED
    plain = Api(secure.address, timeout=3).refused("ListCentres", page_size=1)
    assert plain.code is grpc.StatusCode.UNAVAILABLE and not plain.is_own()
    assert not secure.reached(authority=Authority()), "another authority does not vouch for it"
    days = (secure.metric("eile_tls_certificate_expires_seconds") - time.time()) / 86_400
    assert 89 < days < 91
    assert "expires at" in secure.server.log_text()


def test_a_browser_calls_over_tls_by_either_version_of_http(secure):
    """gRPC-Web over HTTP/1; that of HTTP/2 is agreed on where both are offered."""
    event = secure.world().open()
    trust = ssl.create_default_context(cadata=secure.authority.pem.decode())
    browser = http.client.HTTPSConnection(secure.address, context=trust, timeout=10)
    body = build("GetEvent", name=event).SerializeToString()
    headers = {
        "content-type": "application/grpc-web+proto", "x-grpc-web": "1", "origin": "https://sign-up.example.org"}
    browser.request("POST", METHODS["GetEvent"][0], struct.pack(">BI", 0, len(body)) + body, headers)
    answer = browser.getresponse()
    kind, length = struct.unpack(">BI", answer.read(5))
    found = message_class("GetEvent", "output_type").FromString(answer.read(length))
    assert (answer.status, kind, found.event.name) == (200, 0, event)
    trust.set_alpn_protocols(["h2", "http/1.1"])
    host, port = secure.address.split(":")
    tcp = socket.create_connection((host, int(port)))
    with trust.wrap_socket(tcp, server_hostname=host) as agreed:
        assert agreed.selected_alpn_protocol() == "h2" and agreed.version() == "TLSv1.3"


def test_a_certificate_is_renewed_while_a_family_watches(secure):
    world = secure.world()
    event = world.open(seats=1)
    reader = Reader(world.api.watch("WatchEvent", name=event, seconds=60))
    reader.until(lambda m: True)
    new = Authority("another")
    new.server(days=10).write(secure.folder)
    seconds_until(lambda: secure.reached(authority=new), NOTICED_WITHIN)
    assert not secure.reached(), "the old one is not spoken with any more"
    secure.server.credentials = secure.credentials(new)
    heard = len(reader.messages)
    secure.api(authority=new).CreateRegistration(parent=event, registration=party())
    reader.until(lambda m: len(reader.messages) > heard)
    assert not reader.ended.is_set()
    assert "expires in less than 14 days" in secure.server.log_text()


def test_files_that_do_not_serve_are_told_and_change_nothing(secure):
    good = secure.authority.server()
    good.write(secure.folder)
    for broken in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Authority().pem):
        (secure.folder / "certificate.pem").write_bytes(broken)
        seconds_until(lambda: secure.metric("eile_tls_files_broken") == 1, NOTICED_WITHIN)
        assert secure.reached()
        good.write(secure.folder)
        seconds_until(lambda: secure.metric("eile_tls_files_broken") == 0, NOTICED_WITHIN)
    assert "the files for TLS do not serve" in secure.server.log_text()
    assert "PRIVATE KEY" not in secure.server.log_text()


def test_a_service_does_not_start_with_files_that_do_not_serve(secure):
    assert secure.server.stop() == 0
    (secure.folder / "key.pem").write_bytes(secure.authority.server().key)
    with pytest.raises(AssertionError, match="do not serve together"):
        secure.server.start()
    secure.authority.server().write(secure.folder)
    secure.server.start()


def test_a_certificate_is_the_key_that_names_it(secure):
    """Revocation holds within five seconds, on open connections and streams too; families come without any."""
    world = secure.world()
    event = world.open(seats=5)
    made = world.create(event, party())
    secret = world.api.CreateAccessKey(access_key=access_key("administrator")).secret
    administrator = secure.api(key=secret)
    pair, other = secure.clients.client(), secure.clients.client()
    job, stranger = secure.api(pair), secure.api(other)
    assert not is_let_in(job) and not is_let_in(stranger)
    key = access_key("coordinator", world.centre, certificate_sha256=pair.sha256.upper())
    key = administrator.CreateAccessKey(access_key=key).access_key
    assert key.certificate_sha256 == pair.sha256
    seconds_until(lambda: is_let_in(job), 2)
    assert not is_let_in(stranger), "no key names it"
    assert is_let_in(secure.api(other, key=secret)), "and it says nothing against a secret"
    assert not is_let_in(secure.api(pair, key=secret)), "but one that a key names does, against that of another key"
    assert job.ListRegistrations(parent=event).registrations
    assert job.refused("ListAccessKeys").reason == "ROLE_NOT_ALLOWED"
    family = dict(name=made.registration.name, management_token=made.management_token)
    assert secure.api().GetRegistration(**family).registration.state == CONFIRMED

    reader = Reader(job.watch("WatchEvent", name=event, seconds=30))
    reader.until(lambda m: True)
    administrator.RevokeAccessKey(name=key.name)
    begun = time.monotonic()
    seconds_until(lambda: not is_let_in(job), HELD_WITHIN)
    assert reader.ended.wait(max(0.0, begun + HELD_WITHIN - time.monotonic())), "a stream goes on"
    assert Refused("WatchEvent", reader.error).audit().reason == "KEY_REQUIRED"
    for _ in range(20):
        assert not is_let_in(secure.api(pair))


def test_what_names_no_certificate_and_what_is_named_already_are_refused(secure):
    world = secure.world()
    administrator = secure.api(key=world.api.CreateAccessKey(access_key=access_key("administrator")).secret)
    sha256 = secure.clients.client().sha256
    keys = lambda named: access_key("coordinator", world.centre, certificate_sha256=named)
    for wrong in (sha256[1:], sha256 + "00", "g" * 64, "-"):
        refused = administrator.refused("CreateAccessKey", access_key=keys(wrong))
        assert refused.fields() == ["access_key.certificate_sha256"]
    first = administrator.CreateAccessKey(access_key=keys(sha256)).access_key.name
    refused = administrator.refused("CreateAccessKey", access_key=keys(sha256))
    assert refused.fields() == ["access_key.certificate_sha256"]
    administrator.RevokeAccessKey(name=first)
    assert administrator.CreateAccessKey(access_key=keys(sha256)).access_key.certificate_sha256 == sha256


def test_a_clients_certificate_that_does_not_count_is_refused_with_the_handshake(secure):
    assert secure.reached(), "nobody has to show one"
    assert secure.reached(pair=secure.clients.client())
    failed = secure.metric("eile_tls_handshakes_failed_total")
    assert not secure.reached(pair=secure.clients.client(days=-1)), "it has expired"
    assert not secure.reached(pair=Authority().client()), "its authority is not known"
    assert not secure.reached(pair=secure.clients.server()), "it is for servers"
    assert secure.metric("eile_tls_handshakes_failed_total") > failed
