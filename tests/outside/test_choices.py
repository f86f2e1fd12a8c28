"""A family has its data left alone, and consents to things: seen by heads and by itself, on the command line, and again
after kill -9."""

import json

import pytest
from client import Api, Refused
from eile.v1 import registrations_pb2
from test_privacy import EMAIL, NAME, PHONE, backed_up, canary, eile, holds, restored_from
from words import CONFIRMED, FULL, World, access_key, party

R = registrations_pb2
PHOTOS, NEWS = R.CONSENT_PURPOSE_PHOTOS, R.CONSENT_PURPOSE_NEWS
PIECES = [NAME, EMAIL, PHONE]


@pytest.fixture
def house(new_server):
    server = new_server()
    world = World(server.address)
    event = world.open(seats=2)
    agreed = [R.ConsentChoice(purpose=PHOTOS, given=True, text_version="2031-1")]
    made = world.api.CreateRegistration(parent=event, registration=canary(), consents=agreed)
    return server, world, event, made


def keys(server, centre):
    """Those who work in the centre, by their roles."""
    administrator = Api(server.address).CreateAccessKey(access_key=access_key("administrator")).secret
    api = Api(server.address, key=administrator)
    made = lambda role: api.CreateAccessKey(access_key=access_key(role, centre)).secret
    return {role: Api(server.address, key=made(role)) for role in ("coordinator", "head")}


def everything(api, event, name):
    """All that staff are told of the event and the registration."""
    return str([
        api.GetRegistration(name=name, view=FULL), api.ListRegistrations(parent=event, view=FULL),
        api.ListRegistrations(parent=event, view=FULL, order_by="name", filter="search : zaliaplunksn"),
        api.GetRoster(parent=event, session_id="s1"), api.GetCompletion(parent=event),
        api.ExportRegistration(name=name), api.ListChanges(page_size=500)])


def test_a_restriction_holds_after_kill_9_and_after_a_restore(house, kind, new_database, new_server, tmp_path, request):
    server, world, event, made = house
    name, token = made.registration.name, made.management_token
    staff = keys(server, world.centre)
    family = Api(server.address, vouches=False)
    assert holds(everything(staff["coordinator"], event, name), PIECES)
    done = family.RestrictRegistration(name=name, management_token=token).registration
    assert done.state == CONFIRMED and done.HasField("restrict_time")
    server.kill()
    server.start()
    assert holds(everything(staff["coordinator"], event, name), PIECES) == []
    assert len(holds(everything(staff["head"], event, name), PIECES)) == len(PIECES)
    assert family.GetRegistration(name=name, view=FULL, management_token=token).registration.contact.email == EMAIL
    assert server.stop() == 0
    server.must_check()
    cluster = request.getfixturevalue("cluster") if kind == "postgres" else None
    server.start()
    backed_up(server.database, cluster, tmp_path / "backup")
    again = new_server(restored_from(tmp_path / "backup", new_database(), cluster))
    told = Api(again.address, key=staff["coordinator"].metadata[0][1].split()[1]).GetRegistration(name=name, view=FULL)
    assert told.registration.restrict_time == done.restrict_time and holds(str(told), PIECES) == []
    assert again.stop() == 0
    again.must_check()


def test_consents_of_a_sign_up_are_kept_changed_by_the_family_and_seen_on_the_sheet(house):
    server, world, event, made = house
    name, token = made.registration.name, made.management_token
    assert [(c.purpose, c.text_version) for c in made.registration.consents] == [(PHOTOS, "2031-1")]
    without = world.api.CreateRegistration(parent=event, registration=party()).registration
    assert without.state == CONFIRMED and not without.consents
    sheet = lambda: {e.registration: list(e.consents) for e in world.api.GetRoster(parent=event, session_id="s1").entries}
    assert sheet() == {name: [PHOTOS], without.name: []}
    family = Api(server.address, vouches=False)
    taken_back = [R.ConsentChoice(purpose=PHOTOS)]
    family.SetRegistrationConsents(name=name, management_token=token, choices=taken_back)
    assert sheet() == {name: [], without.name: []}
    with pytest.raises(Refused) as stranger:
        family.SetRegistrationConsents(name=without.name, management_token=token, choices=taken_back)
    assert stranger.value.reason == "TOKEN_INVALID"
    server.kill()
    server.start()
    text = family.ExportRegistration(name=name, management_token=token, language="en").text
    assert "Consent: photographs and films (2031-1)" in text and "; withdrawn " in text
    assert server.stop() == 0
    server.must_check()


def test_staff_enter_what_a_family_said_on_the_command_line(binary, house):
    server, world, event, made = house
    name = made.registration.name
    told = lambda *words: json.loads(eile(binary, server, "personal", *words, "--format", "json").stdout)
    said = told("consent", name, "--given", "news=2031-2", "--withdrawn", "photos", "--channel", "phone")
    assert (said["consents"], said["withdrawn"]) == ("news 2031-2", "photos 2031-1")
    kept = world.api.GetRegistration(name=name).registration.consents
    assert [(c.purpose, c.channel) for c in kept if not c.HasField("withdraw_time")] == [(NEWS, R.CHANNEL_PHONE)]
    tried = told("restrict", name, "--reason", "Ginčija adresą", "--dry-run")
    assert tried["restricted_since"] and not world.api.GetRegistration(name=name).registration.HasField("restrict_time")
    assert told("restrict", name, "--reason", "Ginčija adresą")["restricted_since"]
    rows = eile(binary, server, "roster", event, "--session", "s1", "--format", "json")
    assert [row["restricted"] for row in json.loads(rows.stdout)] == ["restricted"]
    assert not told("lift", name, "--reason", "Patikrinta").get("restricted_since")
    rows = eile(binary, server, "roster", event, "--session", "s1", "--format", "json")
    assert [row["consents"] for row in json.loads(rows.stdout)] == ["news"]
    notes = eile(binary, server, "personal", "export", name).stderr
    assert "Ginčija adresą" in notes and "Patikrinta" in notes
    assert eile(binary, server, "personal", "consent", name, "--given", "photos").returncode == 2
    assert eile(binary, server, "personal", "restrict", name).returncode == 2
