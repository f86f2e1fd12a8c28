"""The change feed: a job that keeps a cursor hears every change once, whatever dies in between."""

import threading
import time

import grpc
from client import Api, Refused
from crowd import Caller
from eile.v1 import changes_pb2, registrations_pb2
from words import CONFIRMED, R, World, after, party

C = changes_pb2


def start(cursor="", **fields):
    return C.ChangeStart(cursor=cursor, **fields)


def read_all(api, cursor="", size=100, **fields):
    """Everything behind a cursor, page by page; and the cursor behind that."""
    changes = []
    while True:
        page = api.ListChanges(start=start(cursor), page_size=size, **fields)
        changes += page.changes
        cursor = page.cursor
        if not page.more:
            return changes, cursor


def now(api):
    return api.ListChanges(start=C.ChangeStart(now=True)).cursor


def by_event(changes):
    journals = {}
    for change in changes:
        journals.setdefault(change.event, []).append(change.journal_number)
    return journals


def are_journals(world, changes):
    """Every event's numbers from 1 to its last one, in order, each once."""
    for event, numbers in by_event(changes).items():
        assert numbers == list(range(1, len(numbers) + 1)), event
        assert len(numbers) == world.journal(event), f"{event} goes on behind what was told"


class Job(threading.Thread):
    """A reporting job: follows the feed and keeps what it made of it together with the cursor. When the service goes, it
    goes on from its cursor when the service is back."""

    def __init__(self, address, cursor):
        super().__init__(daemon=True)
        self.address, self.cursor, self.heard, self.calls = address, cursor, [], 0
        self.stop_asked = threading.Event()
        self.fault = None

    def run(self):
        try:
            while not self.stop_asked.is_set():
                self.follow()
        except Exception as fault:  # the test looks at it
            self.fault = fault

    def follow(self):
        api = Api(self.address)
        self.calls += 1
        stream = api.watch("WatchChanges", seconds=3600, start=start(self.cursor))
        threading.Thread(target=lambda: (self.stop_asked.wait(), stream.cancel()), daemon=True).start()
        try:
            for message in stream:
                assert message.heartbeat == (not message.changes)
                # In one step, as a job would in one transaction of its own database.
                self.heard, self.cursor = self.heard + list(message.changes), message.cursor
        except grpc.RpcError as error:
            gone = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL,
                    grpc.StatusCode.UNKNOWN)
            assert error.code() in gone, error
            time.sleep(0.05)
        finally:
            api.channel.close()

    def until(self, count, seconds=30):
        deadline = time.monotonic() + seconds
        while len(self.heard) < count:
            assert self.fault is None, self.fault
            assert time.monotonic() < deadline, f"{len(self.heard)} of {count} changes were told"
            time.sleep(0.02)

    def end(self):
        self.stop_asked.set()
        self.join(10)
        assert self.fault is None, self.fault


def test_pages_tell_what_happened_and_go_on(world):
    cursor = now(world.api)
    event = world.open(seats=2)
    a, b = world.crowd(event, 2, 1)
    world.cancel(a)
    told, end = read_all(world.api, cursor, filter=C.ChangeFilter(event=event))
    kinds = [C.ChangeKind.Name(c.kind).removeprefix("CHANGE_KIND_") for c in told]
    assert kinds[:6] == ["EVENT_CREATED", "EVENT_PUBLISHED", "REGISTERED", "REGISTERED", "ENDED", "CONFIRMED"]
    assert [c.registration for c in told[2:6]] == [a.name, b.name, a.name, b.name]
    assert [c.seats for c in told[2:6]] == [2, 0, -2, 1]
    assert told[5].registration_state == CONFIRMED and told[5].actor_kind == R.ACTOR_KIND_SYSTEM
    are_journals(world, told)
    assert read_all(world.api, end, filter=C.ChangeFilter(event=event))[0] == []
    for size in (1, 2, 500):
        assert read_all(world.api, cursor, size, filter=C.ChangeFilter(event=event))[0] == told


def test_a_job_starts_at_a_time(world):
    event = world.open(seats=2)
    world.sign_up(event)
    time.sleep(0.01)
    at = after(seconds=0)
    time.sleep(0.01)
    b = world.sign_up(event)
    page = world.api.ListChanges(start=C.ChangeStart(time=at), page_size=500)
    mine = [c for c in page.changes if c.event == event]
    assert [c.registration for c in mine] == [b.name]
    page = world.api.ListChanges(start=C.ChangeStart(time=after(hours=1)))
    assert not page.changes and not page.more


def test_nothing_of_a_person_is_told(world):
    cursor = now(world.api)
    event = world.open(seats=1)
    for n in range(3):
        contact = registrations_pb2.Contact(display_name=f"Kanarėlė Paukštytė {n}", email=f"kanarele.{n}@example.org")
        answer = world.create(event, party(name="Kanarėlė", contact=contact))
        if n == 1:
            world.cancel(answer.registration)
    told, _ = read_all(world.api, cursor)
    text = "".join(str(c) for c in told).lower()
    assert told and "kanar" not in text and "@" not in text


def test_bad_cursors_are_refused(world):
    sound = now(world.api)
    flipped = sound[:-1] + ("A" if sound[-1] != "A" else "B")
    for bad in ["x", "AAAA", sound[:-4], sound + sound, flipped[:10] + "x" + flipped[11:], "ąčę", "A" * 5000]:
        refused = world.api.refused("ListChanges", start=start(bad))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID"), bad
    for wrong in [start(sound, now=True), C.ChangeStart(now=True, time=after(seconds=1))]:
        assert world.api.refused("ListChanges", start=wrong).fields() == ["start"]
    assert world.portal.refused("ListChanges").reason == "STAFF_ONLY"


def test_a_job_hears_every_change_once_through_kill_9(new_server):
    server = new_server()
    world = World(server.address)
    job = Job(server.address, "")
    job.start()
    events = [world.open(seats=9) for _ in range(4)]
    for cycle in range(3):
        callers = [Caller([server.address], events, 100 * cycle + n) for n in range(6)]
        for caller in callers:
            caller.start()
        job.until(len(job.heard) + 100)
        server.kill()
        for caller in callers:
            caller.stop_asked.set()
            caller.join(20)
        server.start()
    job.until(sum(world.journal(event) for event in events))
    job.end()
    are_journals(world, job.heard)
    assert set(by_event(job.heard)) == set(events) and job.calls > 3
    # Another, who was away all the time, hears the same.
    assert read_all(Api(server.address))[0] == job.heard
    assert server.stop() == 0, server.log_tail()
    server.must_check()


def test_two_instances_tell_one_feed(kind, new_server):
    """On PostgreSQL two instances write and both are followed; SQLite has one, followed twice."""
    one = new_server()
    other = new_server(one.database) if kind == "postgres" else one
    worlds = [World(one.address), World.visiting(other.address)]
    jobs = [Job(server.address, "") for server in (one, other)]
    for job in jobs:
        job.start()
    events = [worlds[0].open(seats=5) for _ in range(3)]
    callers = [Caller([server.address], events, n) for n, server in enumerate([one, other] * 3)]
    for caller in callers:
        caller.start()
    for job in jobs:
        job.until(300)
    for caller in callers:
        caller.stop_asked.set()
        caller.join(20)
    count = sum(worlds[0].journal(event) for event in events)
    for job in jobs:
        job.until(count)
        job.end()
        are_journals(worlds[0], job.heard)
    assert jobs[0].heard == jobs[1].heard
    assert not Refused.unsound, Refused.unsound[:5]
