"""The isolation matrix: every caller x every rpc x every target, by a table that is written by hand (access_table.py).
What a caller does not reach is as if it were not there, to the byte, and no canary of it is ever told."""

import collections
import concurrent.futures
import importlib
import re
import time

import grpc
import house
import pytest
from access_house import House
from access_table import EMPTY, KEY_REQUIRED, ROLE_NOT_ALLOWED, TABLE, Allowed, Inside, scope
from client import METHODS, ROOT, Bytes, build, message_class
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from words import FULL, World, mask

# Calls that are on their way together.
WINDOW = 16
# What nobody may hear who may call, and whose target is there.
DENIALS = {"KEY_REQUIRED", "ROLE_NOT_ALLOWED", "CENTRE_REQUIRED", "TOKEN_INVALID", "STAFF_ONLY"}
FAULTS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED}

# What canaries and ids look like.
WORDS = re.compile(rb"zqx[a-z]{12}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Fault = collections.namedtuple("Fault", "title what where example")
Cell = collections.namedtuple("Cell", "caller title row label place home expected")


@pytest.fixture(scope="module")
def closed(binary, new_database):
    """A service with two centres, which asks for keys."""
    server = house.Server(binary, new_database()).start()
    try:
        yield House(server)
        assert server.stop() == 0, server.log_tail()
        server.must_check()
    finally:
        server.remove()


# Shades of a target that are looked at where a target makes a difference, and once where none does.
SHADES, SHUT_OUT = {"beside", "disguised", "mixed", "unnamed"}, {KEY_REQUIRED}


def every_rpc():
    """From the descriptors of all proto files, also of one that the client does not know yet."""
    stems = [path.stem for path in (ROOT / "proto/eile/v1").glob("*.proto")]
    files = [importlib.import_module(f"eile.v1.{stem}_pb2").DESCRIPTOR for stem in stems]
    return {m.name for f in files for s in f.services_by_name.values() for m in s.methods}


def reflected(address):
    """The rpcs that the running service tells of itself."""
    with grpc.insecure_channel(address) as channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        answer = lambda **what: next(ask(iter([reflection_pb2.ServerReflectionRequest(**what)]), timeout=10))
        for service in answer(list_services="").list_services_response.service:
            if not service.name.startswith("eile."):
                continue
            files = answer(file_containing_symbol=service.name).file_descriptor_response.file_descriptor_proto
            for file in map(descriptor_pb2.FileDescriptorProto.FromString, files):
                yield from (m.name for s in file.service for m in s.method if f"{file.package}.{s.name}" == service.name)


# No message of any rpc: a length that goes on without end, in front of a canary.
NOISE = Bytes(b"\xff" * 11 + b"zqxnoisenoisenoi")


def cells(closed):
    for caller in closed.callers:
        places = closed.places(caller)
        for title, row in TABLE.items():
            if " " not in title:
                yield Cell(caller, title, row, "unread", None, places["own"], row.expected_unread(caller))
            for label in row.about.labels:
                place = None if label == EMPTY else places[label]
                expected = row.expected(caller, place)
                if label in SHADES and expected in (SHUT_OUT, {ROLE_NOT_ALLOWED}) and caller.name != "nobody":
                    continue
                yield Cell(caller, title, row, label, place, places["own"], expected)


def asked(closed, cell, may_change):
    """The request of a cell. Where the caller may, it is only tried out, so that the next find everything in place."""
    method = cell.title.split()[0]
    if cell.label == "unread":
        return NOISE
    if cell.place is None:
        return message_class(method)()
    request = build(method, **cell.row.ask(cell.place, cell.home))
    fields = request.DESCRIPTOR.fields_by_name
    if "management_token" in fields:
        registration = request.registration.name if "registration" in fields else request.name
        request.management_token = closed.token(cell.caller, registration)
    if "validate_only" in fields:
        request.validate_only = not may_change
    return request


def went_wrong(cell, outcome):
    """What a cell answered that it must not; nothing if all is well."""
    heard = (outcome.code, outcome.reason)
    if outcome.code in FAULTS:
        return "is a fault"
    if not isinstance(cell.expected, Allowed):
        return None if heard in cell.expected else f"expected {sorted(r for _, r in cell.expected)}"
    denied = outcome.reason in DENIALS or outcome.code is grpc.StatusCode.NOT_FOUND and "_NOT_FOUND" in outcome.reason
    denied = denied and outcome.reason not in NOT_OF_REACH and heard not in cell.expected.also
    return "should be allowed" if denied else None


# These are about what is named beside the target.
NOT_OF_REACH = {"PEOPLE_ENTRY_NOT_FOUND", "SESSION_NOT_FOUND", "POOL_NOT_FOUND", "MEMBER_NOT_FOUND"}


def told_of_others(closed, cell, request, outcome):
    """Canaries in an answer that its caller must not see, beside those that it sent itself."""
    told = set(WORDS.findall(outcome.bytes())) - set(WORDS.findall(request.SerializeToString()))
    return sorted(closed.hidden[cell.caller.name] & {word.decode() for word in told})


def without_names(outcome, place):
    """What was told, without the names of the target."""
    told = outcome.bytes()
    for name in sorted(place.names.values(), key=len, reverse=True):
        told = told.replace(name.encode(), b"*")
    return told


def is_out_of_reach(cell):
    caller, label = cell.caller, cell.label
    if caller.role not in cell.row.roles or label not in ("own", "beside", "there"):
        return False
    if caller.reaches_no_home and cell.row.is_about_home():
        return False
    if getattr(cell.row.about, "by_token", False) and cell.row.about.opened(caller, cell.place):
        return False
    about_event = "beside" in cell.row.about.labels
    return not (caller.reaches(cell.place) if about_event else caller.reaches_centre(cell.place.centre))


class Round:
    """Makes the calls of some cells, and gathers what went wrong."""

    def __init__(self, closed, chosen, may_change):
        self.closed, self.may_change, self.faults, self.outcomes = closed, may_change, [], {}
        running = collections.deque()
        for cell in chosen:
            running.append(self._begin(cell))
            if len(running) == WINDOW:
                self._end(*running.popleft())
        while running:
            self._end(*running.popleft())
        self.count = len(self.outcomes)

    def _begin(self, cell):
        request = asked(self.closed, cell, self.may_change)
        # The feed of a centre that is not there, for whoever reaches all, is one without an end and without a word.
        seconds = 1 if cell.label == "absent" and isinstance(cell.expected, Allowed) else 30
        return cell, request, cell.caller.api.begin(cell.title.split()[0], request, seconds)

    def _end(self, cell, request, outcome):
        try:
            self._look_at(cell, request, outcome())
        except AssertionError as unsound:
            self._fault(cell, "is unsound", unsound)

    def _look_at(self, cell, request, outcome):
        self.outcomes[cell.caller.name, cell.title, cell.label] = (cell, outcome)
        if fault := went_wrong(cell, outcome):
            self._fault(cell, f"{fault} and heard {outcome.reason or outcome.code.name}", outcome)
        if words := told_of_others(self.closed, cell, request, outcome):
            self._fault(cell, "is told of others", f"{words} in {outcome}")

    def _fault(self, cell, what, example):
        self.faults.append(Fault(cell.title, what, f"{cell.caller.name}: {cell.label}", str(example)))

    def differences(self):
        """Where what is out of reach is not the same as what is not there. Within an event others write meanwhile."""
        self.compared = 0
        for (name, title, _), (cell, outcome) in self.outcomes.items():
            absent = self.outcomes.get((name, title, "absent"))
            if absent and is_out_of_reach(cell) and not isinstance(cell.row.about, Inside):
                a, b = without_names(outcome, cell.place), without_names(absent[1], absent[0].place)
                self.compared += 1
                if a != b:
                    yield Fault(title, "is not as if absent", f"{name}: {cell.label}", f"{a}\n  absent: {b}")


def everything(closed):
    """All that is stored of both centres, as it is listed to those who reach it."""
    world = World.visiting(closed.server.address)
    world.api = closed.caller("head of all").api
    events = world.list_all("ListEvents", "events")
    people = [r for e in events for r in world.registrations(e.name, view=FULL)]
    marks = [m for e in events for m in world.list_all("ListAttendance", "attendances", parent=e.name)]
    lists = [world.list_all(method, field) for method, field in (
        ("ListCentres", "centres"), ("ListProgrammes", "programmes"), ("ListReports", "reports"),
        ("ListPeopleEntries", "entries"))]
    world.api = closed.administrator
    keys = world.list_all("ListAccessKeys", "access_keys")
    for key in keys:
        # That a key is used is no change of it.
        key.ClearField("last_used_time")
    return dict(zip(("events", "people", "marks", "centres", "programmes", "reports", "entries", "keys"),
                    (events, people, marks, *lists, keys)))


def shown(faults):
    """What went wrong in the same way for the same callers and targets, once."""
    by_title = collections.defaultdict(list)
    for fault in faults:
        by_title[fault.what, fault.title].append(fault)
    alike = collections.defaultdict(list)
    for (what, title), those in by_title.items():
        alike[what, "; ".join(f.where for f in those)].append((title, those[0].example))
    lines = [f"{what}: {', '.join(title for title, _ in those)}\n  for {where}\n  such as {those[0][1]}"
             for (what, where), those in alike.items()]
    return f"{len(faults)} cells are wrong:\n" + "\n".join(lines)


def test_every_rpc_has_a_row(closed):
    assert {title.split()[0] for title in TABLE} == every_rpc() == set(METHODS) == set(reflected(closed.server.address))


def test_every_caller_hears_what_the_table_says_and_no_word_of_others(closed, kind):
    begun = time.monotonic()
    closed.hidden = {caller.name: closed.hidden_from(caller) for caller in closed.callers}
    every = list(cells(closed))
    is_tried = lambda cell: isinstance(cell.expected, Allowed)
    before = everything(closed)
    denied = Round(closed, [c for c in every if not is_tried(c)], may_change=True)
    after = everything(closed)
    allowed = Round(closed, [c for c in every if is_tried(c)], may_change=False)
    faults = denied.faults + [*denied.differences()] + allowed.faults + [*allowed.differences()]
    print(f"\n{kind}: {len(every)} cells, {len(closed.callers)} callers x {len(TABLE)} rows x targets; "
          f"{denied.count} denied, {allowed.count} allowed, {denied.compared + allowed.compared} compared to the byte, "
          f"in {time.monotonic() - begun:.1f} s")
    changed = [what for what in before if before[what] != after[what]]
    assert not faults and not changed, f"calls that are denied changed {changed}; {shown(faults)}"
    assert denied.count + allowed.count == len(every) and denied.compared > 450


def test_the_matrix_would_see_a_leak(closed):
    """Each kind of caller that is let in sees canaries of its own; else their absence would say nothing."""
    hidden = {c.name: closed.hidden_from(c) for c in closed.callers}
    event = closed.here.event
    sheet = closed.caller("leader here").api.GetRoster(parent=event.name, session_id="s1")
    assert event.mine.words & words_in(sheet) and not hidden["leader here"] & words_in(sheet)
    full = closed.caller("coordinator here").api.ListRegistrations(parent=event.name, view=FULL)
    assert all(len(p.words & words_in(full)) == len(p.words) for p in event.parties)
    assert all(p.words <= hidden["coordinator there"] and p.words <= hidden["national"] for p in event.parties)
    own = closed.caller("the party").api.GetRegistration(
        name=event.mine.name, view=FULL, management_token=event.mine.token)
    assert event.mine.words <= words_in(own) and event.neighbour.words <= hidden["the party"]


def test_the_access_log_names_nobody(closed, stored_rows):
    """After all that the matrix asked: the rows are there, those of the table and those that heads are told."""
    world = World.visiting(closed.server.address)
    world.api = closed.caller("head of all").api
    told = world.list_all("ListAccessEntries", "entries")
    stored = stored_rows(closed.server.database, "access_log")
    assert len(told) > 1000 and len(stored) > 1000
    assert {e.outcome for e in told} >= {"OK", "PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT"}
    for text in ("\n".join(map(str, told)), "\n".join(stored)):
        assert not (found := re.search(r".*(zqx[a-z]{12}|@example).*", text)), found[0]
    # What is about one centre is told to its own head alone.
    there = closed.there
    world.api = closed.caller("head here").api
    for entry in world.list_all("ListAccessEntries", "entries"):
        assert entry.centre == closed.here.centre
        assert not any(event.name in str(entry) for event in there.events()), entry


def words_in(message):
    """The canaries and ids of a message."""
    return {word.decode() for word in WORDS.findall(message.SerializeToString())}


def test_lists_hold_what_is_reached_and_nothing_else(closed):
    here, there = closed.here, closed.there
    own = {here.event.name, here.beside.name, here.past}
    away = {there.event.name, there.beside.name, there.past}
    for name, reached in [
        ("coordinator here", own), ("coordinator there", away), ("head here", own), ("portal here", own),
        ("portal here, that says to be staff", own), ("coordinator of two centres", own),
        ("coordinator of all", own | away), ("portal of all", own | away),
    ]:
        world = World.visiting(closed.server.address)
        world.api = closed.caller(name).api
        for method, field, named in (("ListEvents", "events", "name"), ("ListEventCounts", "counts", "event")):
            for size in (1, 500):
                listed = {getattr(e, named) for e in world.list_all(method, field, page_size=size)}
                # Copies that the matrix made are beside them.
                assert listed & (own | away) == reached, f"{method} for {name}"
    reports = lambda name: {r.name for r in closed.caller(name).api.ListReports().reports} & {here.report, there.report}
    assert reports("head here") == {here.report} and reports("head there") == {there.report}
    assert reports("head of all") == {here.report, there.report}


def test_figures_of_whoever_reaches_one_centre_are_those_of_that_centre(closed):
    """Left out, the centre is the only one of the key; and all of them for whoever reaches all."""
    of = lambda name, **scope: closed.caller(name).api.GetDemand(scope=scope).total.figures.applicants.parties
    here, there = of("head of all", centre=closed.here.centre), of("head of all", centre=closed.there.centre)
    assert here and there and of("head of all") >= here + there
    assert of("coordinator here") == here and of("coordinator there") == there
    assert of("coordinator of two centres", centre=closed.here.centre) == here
    events = lambda name: {c.event for c in closed.caller(name).api.ListChanges(page_size=500).changes}
    own, away = closed.here.event.name, closed.there.event.name
    assert own in events("coordinator here") and away in events("coordinator there")
    assert away not in events("coordinator here") and own not in events("coordinator there")


def test_streams_tell_nothing_of_others_while_they_write(closed):
    """Beyond their first message, which the matrix looks at."""
    here, there, everybody = closed.here.event, closed.there.event, closed.caller("head of all").api
    hidden = {caller.name: closed.hidden_from(caller) for caller in closed.callers}
    opened = [(name, method, closed.caller(name).api.watch(method, seconds=6, **fields)) for name, method, fields in (
        ("the party", "WatchRegistration", {"name": here.mine.name, "management_token": here.mine.token}),
        ("coordinator here", "WatchRegistration", {"name": here.mine.name}), ("portal here", "WatchEvent", {"name": here.name}),
        ("leader here", "WatchEvent", {"name": here.name}), ("head there", "WatchEvent", {"name": there.name}),
        ("coordinator there", "WatchChanges", {"start": {"now": True}}), ("head here", "WatchChanges", {"start": {"now": True}}))]
    # Read all at once: what nobody has read when a stream ends is lost.
    with concurrent.futures.ThreadPoolExecutor(len(opened)) as pool:
        reading = [pool.submit(read_to_the_end, stream) for _, _, stream in opened]
        time.sleep(1)
        for event in (here, closed.here.beside, there, closed.there.beside):
            everybody.UpdateEvent(event={"name": event.name, "minimum_to_start": 1}, update_mask=mask("minimum_to_start"))
            for registration in (event.mine, event.neighbour):
                changed = {"name": registration.name, "language": "en"}
                everybody.UpdateRegistration(registration=changed, update_mask=mask("language"))
        ended = [reader.result() for reader in reading]
    for (name, method, _), (heard, code) in zip(opened, ended):
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED, (name, method)
        # Who watches places and counts hears nothing of words that change.
        assert len(heard) > 1 or method != "WatchChanges", f"{name} heard nothing by {method}"
        told = set().union(*map(words_in, heard))
        assert told and not told & hidden[name], f"{name} heard by {method} of {told & hidden[name]}"


def read_to_the_end(stream):
    heard = []
    try:
        for message in stream:
            heard.append(message)
    except grpc.RpcError as ended:
        return heard, ended.code()
    return heard, grpc.StatusCode.OK


def test_reporting_and_national_see_protected_figures_only(closed):
    """The event of last January had three people in two parties: too few to be told to them."""
    place = closed.places(closed.caller("coordinator here"))["own"]
    exact = closed.caller("coordinator here").api.GetDemand(scope=scope(place)).total
    assert (exact.suppressed, exact.figures.applicants.persons) == (False, 3)
    for name in ("reporting here", "reporting here, that says to be staff", "reporting of two centres", "national"):
        told = closed.caller(name).api.GetDemand(scope=scope(place))
        rows = [told.total, *told.rows, *told.breakdowns]
        assert rows and all(r.suppressed and not r.HasField("figures") for r in rows), f"{name}: {told}"
        open_month = closed.caller(name).api.refused("GetDemand", scope={"centre": place.centre})
        assert open_month.reason == "PERIOD_NOT_CLOSED"


def test_a_followed_feed_tells_nothing_of_other_centres(closed):
    """Those who reach one centre hear its changes live, and of the others nothing in between."""
    api = closed.caller("coordinator here").api
    stream = api.watch("WatchChanges", seconds=20, start={"now": True})
    everybody = closed.caller("coordinator of all").api
    time.sleep(0.3)
    for event in (closed.there.event, closed.here.event):
        changed = {"name": event.name, "minimum_to_start": 3}
        everybody.UpdateEvent(event=changed, update_mask=mask("minimum_to_start"))
    heard = next(m for m in stream if m.changes)
    stream.cancel()
    assert {c.event for c in heard.changes} == {closed.here.event.name}


def test_the_secrets_of_the_keys_are_nowhere_in_the_log(closed):
    log = closed.server.log_text()
    assert closed.secrets and all(secret[-43:] not in log for secret in closed.secrets)
