"""kill -9 while people sign up. What was acknowledged is there, to the byte; what was not is wholly there or wholly
absent, and its request id settles it; `eile check` finds nothing to say."""

import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import house
import pytest
from client import Api, Refused
from crowd import Caller, line_is_lawful, real_time_order_holds
from grpc_health.v1.health_pb2 import HealthCheckResponse
from words import World, offers, party

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING

CYCLES, CALLERS, SEATS = 3, 12, 12
# So many must have been acknowledged in each cycle before the kill, or it showed nothing.
ACKNOWLEDGED_AT_LEAST = 150


def opened(server):
    """The event that everybody wants, and four others, two of which offer their seats."""
    world = World(server.address)
    policies = [None, None, None, offers(), offers()]
    return world, [world.open(seats=SEATS, waitlist_policy=policy) for policy in policies]


def under_load(addresses, events, seed, strike):
    """Lets everybody sign up, strikes when enough was acknowledged, and answers all that was asked."""
    callers = [Caller(addresses, events, seed * 1000 + i) for i in range(CALLERS)]
    for caller in callers:
        caller.start()

    def acknowledged():
        return sum(1 for c in callers for a in list(c.asked) if a.answer)

    deadline = time.monotonic() + 60
    while acknowledged() < ACKNOWLEDGED_AT_LEAST and time.monotonic() < deadline:
        time.sleep(0.01)
    strike()
    so_far = acknowledged()
    if len(addresses) > 1:
        time.sleep(0.5)
    for caller in callers:
        caller.stop_asked.set()
    for caller in callers:
        caller.join(20)
        assert not caller.is_alive(), "a caller was never answered"
        caller.close()
    assert not Refused.unsound, Refused.unsound[:5]
    assert so_far >= ACKNOWLEDGED_AT_LEAST, f"only {so_far} were acknowledged before the kill"
    return [a for caller in callers for a in caller.asked]


def settle(api, asked):
    """Sends every unknown request again as it was, until it is known."""
    unknown = [a for a in asked if a.is_unknown()]
    for a in unknown:
        a.send(api)
        assert not a.is_unknown(), f"still not known: {a.refusal}"
        assert a.answer or a.method != "CreateRegistration", f"a sign-up cannot be refused here: {a.refusal}"
    return len(unknown)


def is_kept(api, asked):
    """Every acknowledged answer comes again to the byte, token included."""
    for a in asked:
        if a.answer:
            assert api.call(a.method, a.request) == a.answer, a.request


def is_there(world, asked):
    """Every sign-up that was answered is listed with its number."""
    listed = {}
    for a in asked:
        if not (a.answer and a.method == "CreateRegistration"):
            continue
        event = a.request.parent
        if event not in listed:
            listed[event] = {r.name: r for r in world.registrations(event)}
        said = a.answer.registration
        assert listed[event][said.name].accepted_number == said.accepted_number


def in_order(asked, events):
    """Within each event, what was answered before another was asked has the smaller numbers."""
    for event in events:
        name = f"{event}/"
        of_event = [a for a in asked if a.answer and f"{a.answer.registration.name}".startswith(name)]
        real_time_order_holds(of_event)


def test_what_was_acknowledged_survives_kill_9(new_server):
    server = new_server()
    world, events = opened(server)
    everything, unknown = [], 0
    for cycle in range(CYCLES):
        asked = under_load([server.address], events, cycle, server.kill)
        in_order(asked, events)
        server.start()
        with_connection = Api(server.address)
        unknown += settle(with_connection, asked)
        everything += asked
        is_kept(with_connection, asked)
        is_there(world, everything)
        for event in events:
            line_is_lawful(world, event, SEATS)
    is_kept(with_connection, everything)
    assert unknown >= CYCLES, "the kills struck nobody in the middle of a call"
    assert server.stop() == 0, server.log_tail()
    server.must_check()


# SQLite has one service by design: test_meta.py sees a second one refused.
only_postgres = pytest.mark.parametrize("kind", ["postgres"], indirect=True)


@only_postgres
def test_two_instances_share_an_event_while_one_of_them_is_killed(new_server):
    staying = new_server()
    dying = new_server(staying.database)
    world, events = opened(staying)
    everything = []
    for cycle in range(CYCLES):
        addresses = [staying.address, dying.address]
        asked = under_load(addresses, events, 100 + cycle, dying.kill)
        in_order(asked, events)
        assert len({a.request.request_id for a in asked}) == len(asked)
        settle(world.api, asked)
        everything += asked
        is_kept(world.api, asked)
        dying.start()
        is_kept(Api(dying.address), asked)
        for seen_by in (world, World.visiting(dying.address)):
            is_there(seen_by, everything)
            for event in events:
                line_is_lawful(seen_by, event, SEATS)
    assert staying.stop() == 0 and dying.stop() == 0
    staying.must_check()


@pytest.fixture
def own_cluster():
    """A PostgreSQL that a test may do anything to."""
    cluster = house.Cluster()
    yield cluster
    cluster.remove()


@only_postgres
def test_a_database_that_crashes_under_load_loses_nothing(new_server, own_cluster):
    cluster = own_cluster
    server = new_server(cluster.new_database())
    away = []

    def crash():
        away.append(time.monotonic())
        cluster.stop(signal.SIGQUIT)
        cluster.start()
        away.append(time.monotonic())

    world, events = opened(server)
    # Two connections to the one instance: who does not know asks again over the other.
    asked = under_load([server.address] * 2, events, 200, crash)
    in_order(asked, events)
    settle(world.api, asked)
    is_kept(world.api, asked)
    is_there(world, asked)
    for event in events:
        line_is_lawful(world, event, SEATS)
    # The service may well do again what the crash broke off, so that nobody hears of it.
    struck = [a for a in asked if a.called < away[0] and a.returned > away[1]]
    assert struck, "the crash struck nobody in the middle of a call"
    assert server.stop() == 0, server.log_tail()
    server.must_check()


@only_postgres
def test_a_database_that_goes_away_is_told_and_forgiven(new_server, own_cluster):
    cluster = own_cluster
    server = new_server(cluster.new_database())
    world, events = opened(server)
    before = world.create(events[0], party())
    request = dict(parent=events[0], registration=party(), request_id="7d1f0e5c-4b6a-4c39-8f7e-0a1b2c3d4e5f")
    cluster.stop()
    try:
        refused = world.api.refused("CreateRegistration", **request)
        assert refused.code.name == "UNAVAILABLE", refused
        assert refused.reason in ("STORAGE_UNAVAILABLE", "OUTCOME_UNKNOWN"), refused
        server.await_health(NOT_SERVING, 15)
    finally:
        cluster.start()
    server.await_health(SERVING, 15)
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = world.api.CreateRegistration(**request)
            break
        except Refused as refused:
            assert refused.code.name == "UNAVAILABLE" and time.monotonic() < deadline, refused
            time.sleep(0.1)
    assert answer.registration.accepted_number > before.registration.accepted_number
    assert world.api.CreateRegistration(**request) == answer
    line_is_lawful(world, events[0], SEATS)


@only_postgres
def test_a_database_that_falls_silent_holds_nobody_for_long_and_is_forgiven(new_server, own_cluster):
    cluster = own_cluster
    server = new_server(cluster.new_database(), "pool.patience_seconds=2")
    world, events = opened(server)
    world.create(events[0], party())
    requests = [dict(parent=events[n % 5], registration=party(), request_id=str(uuid.uuid4())) for n in range(12)]
    cluster.freeze()
    began = time.monotonic()
    try:
        with ThreadPoolExecutor(12) as pool:
            seen = list(pool.map(lambda r: world.api.refused("CreateRegistration", **r), requests))
        # Each was told, and none waited until its own deadline.
        assert all(refused.code.name == "UNAVAILABLE" for refused in seen), seen
        assert time.monotonic() - began < 25, "the desk waited too long"
        server.await_health(NOT_SERVING, 15)
    finally:
        cluster.thaw()
    server.await_health(SERVING, 15)
    for request in requests:
        answer = world.api.CreateRegistration(**request)
        assert world.api.CreateRegistration(**request) == answer
    line_is_lawful(world, events[0], SEATS)
    assert server.stop() == 0, server.log_tail()
    server.must_check()
