"""The life of an access key: made, shown once, rotated, revoked, expired; and what portals and leaders do with it."""

import base64
import hashlib
import itertools
import pathlib
import re
import time

import house
import pytest
from client import Api, Refused, build
from test_watch import Reader
from words import (
    CONFIRMED, FULL, R, World, access_key, after, centre, mask, new_id, party, span)

SECRET = re.compile(r"eile_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
# So long a key that is revoked may still let in, wherever that is.
HELD_WITHIN = 5


class Closed:
    """A service that asks for keys, with a centre from before, and the administrator's key."""

    def __init__(self, server):
        self.server = server
        self.world = World(server.address)
        self.centre = self.world.centre
        self.event = self.world.open(seats=20)
        self.first = build("CreateAccessKey", access_key=access_key("administrator"))
        self.first_made = self.world.api.call("CreateAccessKey", self.first)
        self.secrets = [self.first_made.secret]
        self.administrator = Api(server.address, key=self.first_made.secret)

    def make(self, role, *centres, **fields):
        if role not in ("national", "administrator", "operator"):
            centres = centres or (self.centre,)
        made = self.administrator.CreateAccessKey(access_key=access_key(role, *centres, **fields))
        self.secrets.append(made.secret)
        return made

    def rotate(self, name, **fields):
        made = self.administrator.RotateAccessKey(name=name, **fields)
        self.secrets.append(made.secret)
        return made

    def revoke(self, name):
        return self.administrator.RevokeAccessKey(name=name).access_key

    def api(self, secret, **fields):
        return Api(self.server.address, key=secret, **fields)

    def of(self, role, *centres, **fields):
        return self.api(self.make(role, *centres, **fields).secret)


@pytest.fixture
def closed(new_server):
    return Closed(new_server())


@pytest.fixture(scope="module")
def portals(binary, new_database):
    """One service for the tests that revoke nothing."""
    server = house.Server(binary, new_database()).start()
    yield Closed(server)
    server.remove()


def is_let_in(api):
    try:
        api.ListCentres(page_size=1)
        return True
    except Refused as refused:
        assert refused.reason == "KEY_REQUIRED", refused
        return False


def seconds_until(condition, at_most):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < at_most, f"not within {at_most} s"
        time.sleep(0.05)
    return time.monotonic() - begun


def test_the_first_key_is_an_administrators_that_does_not_expire_and_closes_the_service(new_server):
    server = new_server()
    world = World(server.address)
    reader = Reader(world.api.watch("WatchEvent", name=world.open(), seconds=30))
    reader.until(lambda m: True)
    coordinator = access_key("coordinator", world.centre)
    for other in (coordinator, access_key("administrator", expire_time=after(hours=1)), access_key("national")):
        assert world.api.refused("CreateAccessKey", access_key=other).reason == "FIRST_KEY_ADMINISTRATOR"
    assert world.api.ListAccessKeys().access_keys == [] and is_let_in(world.api)
    secret = world.api.CreateAccessKey(access_key=access_key("administrator")).secret
    assert not is_let_in(world.api), "with the first key the service is closed at once"
    assert is_let_in(Api(server.address, key=secret))
    assert reader.ended.wait(HELD_WITHIN + 1), "a stream from before goes on"
    assert Refused("WatchEvent", reader.error).audit().reason == "KEY_REQUIRED"
    server.stop()
    server.start()
    assert not is_let_in(Api(server.address)) and is_let_in(Api(server.address, key=secret))


def test_a_key_is_shown_once_and_again_to_whoever_repeats_its_request(closed):
    request = build("CreateAccessKey", access_key=access_key("coordinator", closed.centre))
    made = closed.administrator.call("CreateAccessKey", request)
    assert SECRET.fullmatch(made.secret)[1] == made.access_key.name.removeprefix("accessKeys/")
    assert closed.administrator.call("CreateAccessKey", request) == made
    another = build("CreateAccessKey", request_id=request.request_id, access_key=access_key("head", closed.centre))
    assert closed.administrator.refused("CreateAccessKey", another).reason == "REQUEST_ID_REUSED"
    listed = {k.name: k for k in closed.administrator.ListAccessKeys().access_keys}
    assert list(listed) == sorted(listed) and listed[made.access_key.name] == made.access_key
    assert set(listed) == {made.access_key.name, closed.first_made.access_key.name}
    pages = closed.world
    pages.api = closed.administrator
    assert pages.list_all("ListAccessKeys", "access_keys", page_size=1) == list(listed.values())


def forms_of(secret):
    """A secret and its hash, in the forms in which they might be told or kept."""
    key = secret[-43:]
    raw = base64.urlsafe_b64decode(key + "=")
    hashes = [hashlib.sha256(text).digest() for text in (secret.encode(), key.encode(), raw)]
    yield from (key.encode(), raw, raw.hex().encode())
    for of_hash in hashes:
        yield from (of_hash, of_hash.hex().encode())
        yield from (base64.b64encode(of_hash)[:42], base64.urlsafe_b64encode(of_hash)[:42])


def test_no_list_tells_a_secret_or_its_hash(closed):
    made = closed.make("coordinator")
    closed.rotate(made.access_key.name)
    told = closed.administrator.ListAccessKeys(page_size=500).SerializeToString()
    assert all(form not in told for secret in closed.secrets for form in forms_of(secret))


def files_of(closed, kind, request):
    """Everything that the database keeps on disk."""
    if kind == "sqlite":
        database = pathlib.Path(closed.server.database)
        return [p for p in database.parent.iterdir() if p.name.startswith(database.name)]
    data = pathlib.Path(request.getfixturevalue("cluster").folder) / "data"
    return [p for folder in ("base", "pg_wal") for p in (data / folder).rglob("*") if p.is_file()]


def test_no_secret_is_on_disk_or_in_the_log(closed, kind, request):
    made = closed.make("coordinator")
    closed.secrets += [closed.rotate(made.access_key.name).secret, closed.make("portal", vouching=True).secret]
    for secret in closed.secrets:
        is_let_in(closed.api(secret))
    is_let_in(closed.api(closed.secrets[0] + "x"))
    kept = [form for secret in closed.secrets for form in itertools.islice(forms_of(secret), 3)]
    name, is_found = made.access_key.name.removeprefix("accessKeys/").encode(), False
    files = [*files_of(closed, kind, request), pathlib.Path(f"{closed.server.folder}/log")]
    for path, data in house.read_all(files):
        is_found = is_found or name in data
        assert not any(form in data for form in kept), path
    assert is_found, "these are not the files of the database"


def test_both_secrets_work_while_a_rotation_lasts_and_the_new_one_after(closed):
    made = closed.make("coordinator")
    request = build("RotateAccessKey", name=made.access_key.name, old_secret_ttl=span(seconds=2))
    begun = time.monotonic()
    rotated = closed.administrator.call("RotateAccessKey", request)
    old, new = closed.api(made.secret), closed.api(rotated.secret)
    assert rotated.secret != made.secret and SECRET.fullmatch(rotated.secret)
    assert rotated.access_key.name == made.access_key.name and rotated.access_key.HasField("old_secret_expire_time")
    assert is_let_in(old) and is_let_in(new) and time.monotonic() - begun < 2
    assert closed.administrator.call("RotateAccessKey", request) == rotated
    time.sleep(begun + 2.1 - time.monotonic())
    assert not is_let_in(old) and is_let_in(new)
    last = closed.rotate(made.access_key.name, old_secret_ttl=span(seconds=0))
    assert not last.access_key.HasField("old_secret_expire_time")
    assert not is_let_in(new) and not is_let_in(old) and is_let_in(closed.api(last.secret))
    third = closed.rotate(made.access_key.name)
    hours = (third.access_key.old_secret_expire_time.seconds - time.time()) / 3600
    assert 23.9 < hours < 24.1, "a day where nothing is said"
    refused = closed.administrator.refused("RotateAccessKey", name=made.access_key.name, old_secret_ttl=span(days=31))
    assert refused.fields() == ["old_secret_ttl"]


def test_a_revoked_key_lets_nobody_in_anywhere_and_ends_its_streams(closed, kind, new_server):
    servers = [closed.server] + ([new_server(closed.server.database)] if kind == "postgres" else [])
    made = closed.make("coordinator")
    closed.rotate(made.access_key.name)
    doors = [Api(server.address, key=made.secret) for server in servers]
    seconds_until(lambda: all(is_let_in(door) for door in doors), 2)
    readers = [Reader(door.watch(method, seconds=30, **fields)) for door in doors for method, fields in (
        ("WatchEvent", {"name": closed.event}), ("WatchChanges", {}))]
    for reader in readers:
        reader.until(lambda m: True)
    begun = time.monotonic()
    revoked = closed.revoke(made.access_key.name)
    assert revoked.HasField("revoke_time") and not is_let_in(doors[0]), "here it holds at once"
    for reader in readers:
        assert reader.ended.wait(max(0.0, begun + HELD_WITHIN - time.monotonic())), "a stream goes on"
        assert Refused("Watch", reader.error).audit().reason == "KEY_REQUIRED"
    seconds_until(lambda: not any(is_let_in(door) for door in doors), max(0.1, begun + HELD_WITHIN - time.monotonic()))
    again = closed.revoke(made.access_key.name)
    assert again == revoked, "it is answered as it is"
    refused = closed.administrator.refused("RotateAccessKey", name=made.access_key.name)
    assert refused.reason == "ACCESS_KEY_REVOKED"
    assert made.access_key.name in {k.name for k in closed.administrator.ListAccessKeys().access_keys}


def test_a_key_that_is_used_all_the_time_is_refused_by_every_instance_within_seconds(closed, kind, new_server):
    """The other instance is called without a pause, so that nothing there ever has to be read for the first time."""
    other = new_server(closed.server.database) if kind == "postgres" else closed.server
    made = closed.make("portal")
    door = Api(other.address, key=made.secret)
    seconds_until(lambda: is_let_in(door), 2)
    for _ in range(40):
        assert is_let_in(door)
    closed.revoke(made.access_key.name)
    seconds_until(lambda: not is_let_in(door), HELD_WITHIN)
    for _ in range(40):
        assert not is_let_in(door), "a revoked key was let in again"


def test_a_key_expires_by_itself_and_its_streams_end(closed):
    made = closed.make("coordinator", expire_time=after(seconds=1.5))
    api = closed.api(made.secret)
    reader = Reader(api.watch("WatchEvent", name=closed.event, seconds=30))
    reader.until(lambda m: True)
    assert is_let_in(api)
    time.sleep(1.6)
    assert not is_let_in(api)
    assert reader.ended.wait(HELD_WITHIN), "the stream goes on"
    assert Refused("WatchEvent", reader.error).audit().reason == "KEY_REQUIRED"


def test_what_no_key_can_be_is_refused_with_all_its_fields(portals):
    event, centre, others = portals.event, portals.centre, []
    for wrong, fields in [
        (access_key("portal"), ["access_key.centres"]),
        (access_key("coordinator", centre, display_name=""), ["access_key.display_name"]),
        (access_key("coordinator", centre, all_centres=True), ["access_key.centres"]),
        (access_key("coordinator", centre, events=[event]), ["access_key.events"]),
        (access_key("coordinator", centre, vouching=True), ["access_key.vouching"]),
        (access_key("coordinator", "Vilnius"), ["access_key.centres[0]"]),
        (access_key("coordinator", centre, centre), ["access_key.centres[1]"]),
        (access_key("coordinator", centre, expire_time=after(seconds=-1)), ["access_key.expire_time"]),
        (access_key("leader", centre), ["access_key.events"]),
        (access_key("psychologist", centre, events=["events/1"]), ["access_key.events[0]"]),
        (access_key("national", centre), ["access_key.centres"]),
        (access_key("unspecified", centre), ["access_key.role"]),
    ]:
        refused = portals.administrator.refused("CreateAccessKey", access_key=wrong)
        others += [] if refused.fields() == fields else [(fields, str(refused))]
    assert not others
    refuse = lambda key: portals.administrator.refused("CreateAccessKey", access_key=key).reason
    assert refuse(access_key("portal", "centres/nowhere")) == "CENTRE_NOT_FOUND"
    assert refuse(access_key("leader", centre, events=[f"events/{new_id()}"])) == "EVENT_NOT_FOUND"


def named(email):
    return R.Contact(display_name="Vardenė", email=email)


def reasons_of_a_second_sign_up(portals, api, known):
    """What a portal hears that signs up who is registered already: tried out, then in earnest."""
    heard = []
    for is_tried in (True, False):
        again = party(contact=named(known.upper()))
        request = build("CreateRegistration", parent=portals.event, registration=again, validate_only=is_tried)
        outcome = api.attempt("CreateRegistration", request)
        heard.append(outcome.reason or outcome.answers[0].registration.state)
    return heard


def registered(portals):
    email = f"zinoma.{new_id()[:8]}@example.org".translate(str.maketrans("0123456789", "ghijklmnop"))
    api = portals.of("coordinator")
    api.CreateRegistration(parent=portals.event, registration=party(contact=named(email)))
    return email


def test_a_portal_that_does_not_vouch_never_learns_who_is_registered(portals):
    public, forged = portals.of("portal"), portals.make("portal").secret
    for api in (public, portals.api(forged, metadata=[("eile-vouches", "yes")]),
                portals.api(portals.make("portal", vouching=True).secret, vouches=False)):
        heard = reasons_of_a_second_sign_up(portals, api, registered(portals))
        assert heard == [CONFIRMED, CONFIRMED], heard


def test_a_portal_that_vouches_is_told(portals):
    for api in (portals.of("portal", vouching=True), portals.of("coordinator")):
        heard = reasons_of_a_second_sign_up(portals, api, registered(portals))
        assert heard == ["ALREADY_REGISTERED"] * 2


def test_a_party_that_corrects_or_moves_itself_onto_a_registered_contact_is_not_told(portals):
    """By its token, through a portal that does not vouch and without any key; the flag is for staff alone."""
    for api in (portals.of("portal"), portals.of("portal", vouching=True), portals.api(None)):
        known = registered(portals)
        made = portals.of("coordinator").CreateRegistration(parent=portals.event, registration=party())
        corrected = R.Registration(name=made.registration.name, contact=named(known))
        answer = api.UpdateRegistration(
            registration=corrected, update_mask=mask("contact"), management_token=made.management_token)
        assert not answer.registration.possible_duplicate
        seen = api.GetRegistration(
            name=made.registration.name, management_token=answer.management_token, view=FULL).registration
        assert not seen.possible_duplicate


def test_a_public_portal_moves_a_party_without_learning_who_is_registered_there(portals):
    coordinator, public = portals.of("coordinator"), portals.of("portal")
    world = World.visiting(portals.server.address)
    world.api, world.centre = coordinator, portals.centre
    target, known = world.open(), registered(portals)
    coordinator.CreateRegistration(parent=target, registration=party(contact=named(known)))
    event = world.open()
    made = coordinator.CreateRegistration(parent=event, registration=party(contact=named(known)))
    move = dict(name=made.registration.name, target_event=target, management_token=made.management_token)
    for validate_only in (True, False):
        answer = public.TransferRegistration(validate_only=validate_only, **move)
        assert not answer.registration.possible_duplicate


def test_a_leader_reaches_its_event_and_no_other_of_its_centre(portals):
    coordinator = portals.of("coordinator")
    world = World.visiting(portals.server.address)
    world.api, world.centre = coordinator, portals.centre
    own, beside = world.open(), world.open()
    for role in ("leader", "psychologist"):
        api = portals.of(role, events=[own])
        absent = f"events/{new_id()}"
        for method, field, more in [
            ("GetEvent", "name", {}), ("ListRegistrations", "parent", {}), ("GetCompletion", "parent", {}),
            ("GetRoster", "parent", {"session_id": "s1"}), ("GetEventCounts", "event", {}),
            ("ListAttendance", "parent", {}), ("WatchEvent", "name", {}), ("GetAttendanceSummary", "event", {}),
        ]:
            of = lambda event: api.attempt(method, build(method, **{field: event}, **more))
            assert of(own).code.name == "OK", f"{role} {method}: {of(own)}"
            out_of_reach, nothing = of(beside), of(absent)
            assert out_of_reach.reason == "EVENT_NOT_FOUND", f"{role} {method}: {out_of_reach}"
            assert out_of_reach.bytes().replace(beside.encode(), absent.encode()) == nothing.bytes()


def test_a_leader_with_an_event_of_another_centre_does_not_reach_it(portals):
    """A key names its centres and its events; what is not in both is out of reach."""
    elsewhere = portals.administrator.CreateCentre(centre=centre()).centre.name
    leader = portals.of("leader", elsewhere, events=[portals.event])
    assert leader.refused("GetEvent", name=portals.event).reason == "EVENT_NOT_FOUND"


def test_people_of_a_sensitive_event_are_shown_to_whom_it_names(portals):
    """Names reach the head of the centre and no coordinator, however it is asked for them."""
    head, coordinator = portals.of("head"), portals.of("coordinator")
    fields = portals.world.event(seats=3)
    fields.sensitivity.CopyFrom(type(fields.sensitivity)(named_roles=["ROLE_HEAD"]))
    event = head.CreateEvent(event=fields).event.name
    head.PublishEvent(name=event)
    signed = portals.of("portal").CreateRegistration(
        parent=event, registration=party(contact=R.Contact(display_name="Kanarėlė", email="kanarele@example.org")))
    assert "Kanarėlė".encode() in head.ListRegistrations(parent=event, view=FULL).SerializeToString()
    taken = coordinator.ListRegistrations(parent=event, view=FULL)
    [row] = taken.registrations
    assert row.people_hidden and (row.name, row.state) == (signed.registration.name, CONFIRMED)
    assert b"anar" not in taken.SerializeToString()
    for search in ("search : kanarele", "search : nobody"):
        assert coordinator.refused("ListRegistrations", parent=event, filter=search).reason == "PEOPLE_NOT_SHOWN"
    more = build("UpdateEvent", event=type(fields)(name=event), update_mask=mask("sensitivity"))
    assert head.refused("UpdateEvent", more).reason == "SENSITIVITY_KEPT"


def test_an_operator_reads_metrics_and_nothing_else(portals):
    operator, administrator = portals.of("operator"), portals.of("administrator")
    text = operator.GetMetrics().text
    assert 'grpc_server_started_total{' in text and text.endswith("# EOF\n")
    assert portals.centre.split("/")[-1] not in text and "127.0.0.1" not in text
    assert administrator.refused("GetMetrics").reason == "ROLE_NOT_ALLOWED"
    for method in ("ListCentres", "ListEvents", "ListAccessKeys", "ListAccessEntries", "GetDemand"):
        assert operator.refused(method).reason == "ROLE_NOT_ALLOWED", method
