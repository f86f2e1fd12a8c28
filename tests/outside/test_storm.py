"""Ten thousand calls of every sort whose callers go away in the middle: nothing stays behind."""

import collections
import random
import re
import time
import urllib.request

import grpc
import house
import pytest
from access_house import Place, Site
from access_table import TABLE
from client import METHODS, Api, build
from words import World

CANCELLED_CALLS, WINDOW = 10_000, 48
# So few of each that what a cancelled call kept would be missed soon.
SEATS, STREAMS = 64, 24
# What a service that did all this may have more of than before it.
MEMORY_KIB = 64 * 1024


@pytest.fixture
def stormy(binary, new_database):
    """A service with few seats, and where its figures are read."""
    figures = f"{house.LOOPBACK}:{house.free_port()}"
    limits = [f"limits.concurrency_max={SEATS}", f"limits.streams_max={STREAMS}", f"metrics.listen={figures}"]
    server = house.Server(binary, new_database(), *limits).start()
    server.figures = f"http://{figures}/metrics"
    yield server
    server.remove()


def figure(server, name):
    """The sum of a figure over its labels."""
    text = urllib.request.urlopen(server.figures, timeout=10).read().decode()
    return sum(float(n) for n in re.findall(rf"^{name}(?:{{[^\n]*}})? (\S+)$", text, re.M))


def noticed(server):
    """Calls whose callers went away before they were answered, as the service counts them."""
    text = urllib.request.urlopen(server.figures, timeout=10).read().decode()
    return sum(int(n) for n in re.findall(r'^grpc_server_handled_total{[^\n]*grpc_code="Canceled"} (\d+)$', text, re.M))


# What ends an event, or what there is to ask about it, is done to the one beside.
ENDING = ("CancelEvent", "CompleteEvent", "CancelSession", "MoveSession", "UpdateEvent")


class Storm:
    """Calls of all rows of the table in turn, each left after a moment, whatever has become of it by then."""

    def __init__(self, server, rows, place, beside):
        self.server = server
        self.api, self.rows = Api(server.address), rows
        self.place, self.beside = place, beside
        self.ended = collections.Counter()
        self.cut = collections.Counter()

    def blow(self, cancelled, seconds):
        due, deadline = collections.deque(), time.monotonic() + seconds
        while noticed(self.server) < cancelled:
            assert time.monotonic() < deadline, f"only {self.ended} in {seconds} s"
            for _ in range(500):
                due.append(self.begin())
                while len(due) >= WINDOW or due and due[0][0] <= time.monotonic():
                    self.leave(*due.popleft())
        while due:
            self.leave(*due.popleft())

    def begin(self):
        title, row = random.choice(self.rows)
        method = title.split()[0]
        place = self.beside if method in ENDING else self.place
        request = build(method, **row.ask(place, self.beside))
        call, is_stream = self.api._callable(method), METHODS[method][1].server_streaming
        running = (call if is_stream else call.future)(request, timeout=30)
        return time.monotonic() + random.choice((0, 0.001, 0.005, 0.02)) * random.random(), method, running

    def leave(self, at, method, running):
        time.sleep(max(0, at - time.monotonic()))
        running.cancel()
        code = running.code()
        self.ended[code] += 1
        self.cut[method] += code is grpc.StatusCode.CANCELLED


def nothing_is_open(server, kind, cluster_rows):
    """No call in work, no stream, nobody at the desk, and no transaction: within some seconds."""
    deadline = time.monotonic() + 10
    while True:
        # The health of the service is watched by nobody here.
        open_now = {
            "calls": figure(server, "grpc_server_started_total") - figure(server, "grpc_server_handled_total"),
            "streams": figure(server, "eile_streams"), "waiting": figure(server, "eile_desk_waiting"),
        }
        if kind == "postgres":
            name = server.database.rsplit("/", 1)[1]
            [idle] = cluster_rows(
                server.database, "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
                f" and datname = '{name}' and (state like 'idle in transaction%' or xact_start < now() - interval '1 s')")
            open_now["transactions"] = int(idle)
        if not any(open_now.values()):
            return
        assert time.monotonic() < deadline, f"after the storm there are {open_now}"
        time.sleep(0.2)


def test_ten_thousand_callers_who_go_away_leave_nothing_behind(stormy, kind, request):
    rows = request.getfixturevalue("cluster").rows if kind == "postgres" else None
    site = Site(stormy.address, "storm")
    # No key is made here: the door stays open.
    site.programme, site.key = "programmes/none", "accessKeys/0000000000000000"
    sorts = [(title, row) for title, row in TABLE.items() if title != "CreateAccessKey"]
    storm = Storm(stormy, sorts, Place.of("own", site, site.event), Place.of("own", site, site.beside))
    storm.blow(CANCELLED_CALLS // 5, 120)
    nothing_is_open(stormy, kind, rows)
    before = stormy.memory_kib()
    begun = time.monotonic()
    storm.blow(CANCELLED_CALLS, 300)
    seconds = time.monotonic() - begun
    nothing_is_open(stormy, kind, rows)

    # The next who writes is served at once, as often as there are seats, and every stream has its own.
    world = World(stormy.address)
    begun = time.monotonic()
    event = world.open(seats=SEATS)
    world.sign_up(event)
    assert time.monotonic() - begun < 2, "somebody holds the writer"
    for method, fields, seats in (("GetEvent", {"name": event}, SEATS // 2), ("WatchEvent", {"name": event}, STREAMS)):
        held = [world.api.begin(method, build(method, **fields)) for _ in range(seats)]
        assert {end().code for end in held} == {grpc.StatusCode.OK}, f"seats of {method} are missing"
    grown = stormy.memory_kib() - before
    assert grown < MEMORY_KIB, f"{grown} KiB more than before"
    print(f"\n{kind}: {noticed(stormy)} calls of {len(storm.cut)} sorts cut, the last 8,000 in {seconds:.1f} s; the client's "
          f"{storm.ended.total()} calls ended {[(c.name, n) for c, n in storm.ended.items()]}; memory {grown:+} KiB")
    assert all(storm.cut[title.split()[0]] for title, _ in storm.rows), storm.cut
    assert stormy.stop() == 0, stormy.log_tail()
    stormy.must_check()
