"""Names that are erased are gone: from every answer, from the raw files, from the log, and from a restored backup. The
service is killed in between, and asked the same again."""

import glob
import json
import pathlib
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest
from client import Api, Refused
from eile.v1 import privacy_pb2
from words import CANCELLED, CONFIRMED, R, World, access_key, new_id, party

P = privacy_pb2
NAME, EMAIL, PHONE, REASON = "Kanarėlė Žaliaplunksnė", "kanarele.zaliaplunksne@example.org", "+370 612 98761", "globoja kanarėlę"
# Pieces of them, as a file may hold them.
PIECES = ["Žaliaplunksn", "zaliaplunksn", "kanarele", "612 98761", "61298761", "kanarėl", "Kanarėl"]


def canary():
    return party(contact=R.Contact(display_name=NAME, email=EMAIL, phone=PHONE),
                 members=[R.Member(display_name=NAME, birth_year=1988)])


def everything_stored(database, cluster):
    """Every row of every table as text, on either kind of database."""
    if cluster:
        dump = cluster._tool("pg_dump", "--inserts", database)
        return subprocess.run(dump, check=True, capture_output=True, text=True, cwd=cluster.folder).stdout
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_schema where type = 'table'")]
        return "\n".join(str(row) for table in tables for row in db.execute(f"select * from {table}"))


def raw_files(database):
    """The bytes of the database's own files, which SQLite lets nobody else keep."""
    return b"".join(pathlib.Path(path).read_bytes() for path in sorted(glob.glob(f"{database}*")))


def holds(where, pieces=PIECES):
    where = where if isinstance(where, bytes) else where.encode()
    return [piece for piece in pieces if piece.encode() in where]


@pytest.fixture
def stored(kind, request):
    cluster = request.getfixturevalue("cluster") if kind == "postgres" else None
    return lambda database: everything_stored(database, cluster)


def signed_up(world):
    """An event with one seat, which the canary has; somebody waits. The registration, its token, and who waits."""
    event = world.open(seats=1)
    made = world.api.CreateRegistration(parent=event, registration=canary())
    world.api.SetRegistrationClass(name=made.registration.name, reason=REASON)
    world.api.UpdateRegistration(
        registration=R.Registration(name=made.registration.name, contact=R.Contact(
            display_name=f"{NAME} Antroji", email=EMAIL, phone=PHONE)),
        update_mask={"paths": ["contact"]})
    waits = world.api.CreateRegistration(parent=event, registration=party()).registration
    return event, made, waits


def test_an_erased_name_is_nowhere(new_server, stored):
    server = new_server()
    world = World(server.address)
    event, made, waits = signed_up(world)
    name, token = made.registration.name, made.management_token
    assert holds(stored(server.database)), "it was stored, or this shows nothing"
    family = Api(server.address, vouches=False)
    exported = family.ExportRegistration(name=name, management_token=token, language="lt")
    assert NAME in exported.text and EMAIL in exported.text and not exported.notes
    erased = family.EraseRegistration(name=name, management_token=token).erasure
    assert erased.extent == P.ERASURE_EXTENT_WHOLE and erased.journal_number > 0
    # At once, while the service runs.
    assert holds(stored(server.database)) == []
    if "://" not in server.database:
        assert holds(raw_files(server.database)) == [], "the files still have it"
    assert world.api.GetRegistration(name=waits.name).registration.state == CONFIRMED
    seen = [
        world.api.GetRegistration(name=name, view="REGISTRATION_VIEW_FULL"),
        world.api.ListRegistrations(parent=event, view="REGISTRATION_VIEW_FULL"),
        world.api.ExplainRegistration(name=name),
        world.api.ExportRegistration(name=name),
        world.api.ListChanges(page_size=500),
        world.api.GetRoster(parent=event, session_id="s1"),
    ]
    assert holds(str(seen)) == []
    assert family.GetRegistration(name=name, management_token=token).registration.state == CANCELLED
    assert family.EraseRegistration(name=name, management_token=token).erasure == erased
    assert world.api.EraseRegistration(name=name).erasure == erased
    with pytest.raises(Refused) as stranger:
        Api(server.address, vouches=False).EraseRegistration(name=waits.name, management_token=token)
    assert stranger.value.reason == "TOKEN_INVALID"
    assert server.stop() == 0
    server.must_check()
    assert holds(server.log_text()) == [], "the log tells of it"
    if "://" not in server.database:
        assert holds(raw_files(server.database)) == []


def test_an_erasure_that_was_answered_survives_kill_9_and_one_that_was_not_is_asked_again(new_server, stored):
    server = new_server()
    world = World(server.address)
    event = world.open(seats=400)
    names = [world.api.CreateRegistration(parent=event, registration=party()).registration.name for _ in range(40)]
    asked = {name: new_id() for name in names}
    answered, struck = {}, []

    def erase(some):
        api = Api(server.address)
        for name in some:
            try:
                answered[name] = api.EraseRegistration(name=name, request_id=asked[name]).erasure
            except Refused:
                struck.append(name)

    threads = [threading.Thread(target=erase, args=(names[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while len(answered) < 12 and time.monotonic() < deadline:
        time.sleep(0.005)
    server.kill()
    for thread in threads:
        thread.join(60)
    assert len(answered) >= 12 and struck, "the kill struck nobody"
    server.start()
    api = Api(server.address)
    for name in names:
        again = api.EraseRegistration(name=name, request_id=asked[name]).erasure
        assert again.extent == P.ERASURE_EXTENT_WHOLE
        assert answered.get(name, again) == again, "what was answered is answered again"
    counts = api.GetEvent(name=event).event.counts
    assert (counts.applied_parties, counts.confirmed_parties) == (40, 0)
    left = api.ListRegistrations(parent=event, view="REGISTRATION_VIEW_FULL", page_size=100).registrations
    assert all(r.contact.display_name == "" and r.contact.email == "" for r in left)
    assert server.stop() == 0
    server.must_check()


def test_a_restored_backup_forgets_again_what_it_had_forgotten(binary, kind, new_database, new_server, tmp_path, request):
    noted = tmp_path / "ledger.jsonl"
    database = new_database()
    server = new_server(database, f"privacy.ledger_file={noted}")
    world = World(server.address)
    event, made, _ = signed_up(world)
    stays = world.api.CreateRegistration(parent=event, registration=party()).registration.name
    backup = tmp_path / "backup"
    cluster = request.getfixturevalue("cluster") if kind == "postgres" else None
    backed_up(database, cluster, backup)
    erasure = world.api.EraseRegistration(name=made.registration.name).erasure
    assert holds(noted.read_text()) == [] and len(noted.read_text().splitlines()) == 1
    assert server.stop() == 0
    restored = restored_from(backup, new_database(), cluster)
    assert holds(everything_stored(restored, cluster)), "the backup has the name, or this shows nothing"
    again = new_server(restored, f"privacy.ledger_file={noted}")
    assert holds(everything_stored(restored, cluster)) == [], "before anybody is served"
    told = Api(again.address).ExportRegistration(name=made.registration.name)
    assert (told.registration.state, told.erasure.extent) == (CANCELLED, erasure.extent)
    whole = Api(again.address).GetRegistration(name=stays, view="REGISTRATION_VIEW_FULL").registration
    assert whole.contact.display_name != ""
    assert "they are erased again" in again.log_text()
    assert len(noted.read_text().splitlines()) in (1, 2)
    assert again.stop() == 0
    again.must_check()


def backed_up(database, cluster, backup):
    """Copies the database while the service runs."""
    if cluster:
        dump = cluster._tool("pg_dump", database)
        backup.write_bytes(subprocess.run(dump, check=True, capture_output=True, cwd=cluster.folder).stdout)
        return
    with sqlite3.connect(database) as live, sqlite3.connect(backup) as copy:
        live.backup(copy)


def restored_from(backup, database, cluster):
    if cluster:
        load = cluster._tool("psql", "-q", "-v", "ON_ERROR_STOP=1", database)
        subprocess.run(load, check=True, input=backup.read_bytes(), cwd=cluster.folder, stdout=subprocess.DEVNULL)
    else:
        shutil.copy(backup, database)
    return database


def lets_in(server, secret):
    try:
        Api(server.address, key=secret).ListEvents(page_size=1)
        return True
    except Refused as refused:
        assert refused.reason == "KEY_REQUIRED"
        return False


def test_a_key_that_was_revoked_since_a_backup_lets_nobody_in_after_the_restore(kind, new_database, new_server, tmp_path, request):
    noted = tmp_path / "ledger.jsonl"
    database = new_database()
    server = new_server(database, f"privacy.ledger_file={noted}")
    cluster = request.getfixturevalue("cluster") if kind == "postgres" else None
    administrator = Api(server.address).CreateAccessKey(access_key=access_key("administrator")).secret
    api = Api(server.address, key=administrator)
    revoked, before, kept = [api.CreateAccessKey(access_key=access_key("portal", all_centres=True)) for _ in range(3)]
    api.RevokeAccessKey(name=before.access_key.name)
    backup = tmp_path / "backup"
    backed_up(database, cluster, backup)
    later = api.CreateAccessKey(access_key=access_key("portal", all_centres=True))
    asked = new_id()
    told = api.RevokeAccessKey(name=revoked.access_key.name, request_id=asked).access_key
    assert api.RevokeAccessKey(name=revoked.access_key.name, request_id=asked).access_key == told
    api.RevokeAccessKey(name=revoked.access_key.name)
    api.RevokeAccessKey(name=later.access_key.name)
    refused = api.refused("RevokeAccessKey", name="accessKeys/0123456789abcdef")
    assert refused.reason == "ACCESS_KEY_NOT_FOUND"
    lines = [json.loads(line) for line in noted.read_text().splitlines()]
    names = [f"accessKeys/{line['key']}" for line in lines]
    assert names == [k.access_key.name for k in (before, revoked, later)], "each once, and none that is not there"
    assert all(set(line) == {"key", "revoked_at"} for line in lines)
    assert not lets_in(server, revoked.secret) and lets_in(server, kept.secret)
    assert server.stop() == 0
    # Without the ledger it lives again, or this shows nothing.
    unaware = new_server(restored_from(backup, new_database(), cluster))
    assert lets_in(unaware, revoked.secret)
    assert unaware.stop() == 0
    again = new_server(restored_from(backup, new_database(), cluster), f"privacy.ledger_file={noted}")
    assert [lets_in(again, k.secret) for k in (revoked, before, kept, later)] == [False, False, True, False]
    listed = Api(again.address, key=administrator).ListAccessKeys(page_size=100).access_keys
    assert next(k for k in listed if k.name == told.name).revoke_time == told.revoke_time
    assert "they are revoked again" in again.log_text()
    assert again.stop() == 0
    # Nothing is left to do at the next start.
    again.start()
    assert again.log_text().count("they are revoked again") == 1
    assert again.stop() == 0
    again.must_check()


def test_what_cannot_be_noted_is_not_erased_and_a_list_that_cannot_be_read_serves_nobody(binary, new_database, new_server, tmp_path):
    noted = tmp_path / "ledger.jsonl"
    noted.write_text("nonsense\n")
    with pytest.raises(AssertionError, match="ended"):
        new_server(new_database(), f"privacy.ledger_file={noted}")


def eile(binary, server, *words):
    done = subprocess.run([binary, *words, "--server", f"http://{server.address}"], capture_output=True, text=True, timeout=60)
    return done


def test_staff_find_export_and_erase_on_the_command_line(binary, new_server):
    server = new_server()
    world = World(server.address)
    event, made, _ = signed_up(world)
    name = made.registration.name
    found = eile(binary, server, "personal", "find", "--phone", "8 612 98761", "--format", "json")
    assert [row["registration"] for row in json.loads(found.stdout)] == [name]
    text = eile(binary, server, "personal", "export", name, "--text-language", "en")
    assert NAME in text.stdout and "What is kept" in text.stdout and REASON in text.stderr
    tried = eile(binary, server, "personal", "erase", name, "--dry-run", "--format", "json")
    assert tried.returncode == 0 and world.api.GetRegistration(name=name, view="REGISTRATION_VIEW_FULL").registration.contact.display_name
    erased = eile(binary, server, "personal", "erase", name, "--format", "json")
    assert json.loads(erased.stdout)["erased"] == "everything"
    assert holds(eile(binary, server, "personal", "export", name).stdout) == []
    due = eile(binary, server, "retention", "due", "--format", "json")
    assert (due.returncode, json.loads(due.stdout)) == (0, [])
    assert eile(binary, server, "retention", "apply").returncode == 0
    wrong = eile(binary, server, "personal", "erase", "nobody")
    assert wrong.returncode == 2
