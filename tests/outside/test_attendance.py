"""Who came: figures computed anew from what was entered, repeats, and scans across a kill -9."""

import datetime
import random
import threading

from client import Api, Refused, build
from eile.v1 import attendance_pb2
from test_once import same_twice
from words import R, World, contact, mask, new_id, party

A = attendance_pb2
PRESENT, ABSENT, EXCUSED, MADE_UP = (
    A.ATTENDANCE_MARK_PRESENT, A.ATTENDANCE_MARK_ABSENT, A.ATTENDANCE_MARK_EXCUSED, A.ATTENDANCE_MARK_MADE_UP)
MINUTES = 90


def soon(hours=1):
    """A session of an hour and a half whose door is open now, in an event that keeps universal time."""
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    end = start + datetime.timedelta(minutes=MINUTES)
    return dict(start_local=start.strftime("%Y-%m-%dT%H:%M"), end_local=end.strftime("%Y-%m-%dT%H:%M"))


def opened(world, seats=200, **fields):
    from words import E
    fields.setdefault("sessions", [E.Session(**soon())])
    return world.open(seats=seats, time_zone="UTC", **fields)


def line(registration, member, mark, **fields):
    return A.MarkEntry(registration=registration.name, member=member, mark=mark, **fields)


def marks_of(world, event, **fields):
    return world.list_all("ListAttendance", "attendances", parent=event, **fields)


def test_counts_are_what_a_recount_of_the_lists_gives(world):
    event = opened(world)
    parties = world.crowd(event, *[1 + n % 3 for n in range(30)])
    dice, expected, before = random.Random(7), {}, {}
    for _ in range(12):
        chosen = dice.sample([(p, m) for p in parties for m in range(1, p.party_size + 1)], 15)
        lines = []
        for p, m in chosen:
            mark = dice.choice([PRESENT, PRESENT, ABSENT, EXCUSED, MADE_UP])
            minutes = dice.randint(0, MINUTES) if mark == PRESENT else 0
            lines.append(line(p, m, mark, **({"minutes": minutes} if mark == PRESENT else {})))
            key = (p.name, m)
            if key in expected and expected[key] != (mark, minutes):
                before.setdefault(key, []).insert(0, expected[key])
            expected[key] = (mark, minutes)
        world.api.RecordAttendance(parent=event, session_id="s1", marks=lines)
    told = marks_of(world, event, page_size=7, with_corrections=True)
    assert {(a.registration, a.member): (a.mark, a.minutes) for a in told} == expected
    corrected = {(a.registration, a.member): [(c.mark, c.minutes) for c in a.corrections] for a in told}
    assert {k: v for k, v in corrected.items() if v} == before, "nothing is overwritten without trace"
    assert all(a.happen_time.seconds > a.enter_time.seconds for a in told), "the session, not the entry"
    counts = world.api.ListAttendance(parent=event, session_id="s1").sessions[0]
    of = lambda mark: sum(1 for m, _ in expected.values() if m == mark)
    assert (counts.present, counts.absent, counts.excused, counts.made_up) == (
        of(PRESENT), of(ABSENT), of(EXCUSED), of(MADE_UP))
    assert counts.person_minutes == sum(minutes for mark, minutes in expected.values() if mark == PRESENT)


def test_everything_about_attendance_can_be_repeated(world):
    event = opened(world, seats=3)
    couple = world.create(event, party(2))
    a = couple.registration
    same_twice(world, "CheckIn", parent=event, check_in_code=couple.check_in_code)
    same_twice(world, "RecordAttendance", parent=event, session_id="s1", marks=[line(a, 1, ABSENT), line(a, 2, PRESENT)])
    same_twice(world, "RecordHeadCount", parent=event, session_id="s1", adults=7, children=4, estimated=True)
    walk_in = R.Registration(contact=R.Contact(display_name="Praeivė"), members=[R.Member()])
    same_twice(world, "AddWalkIn", parent=event, session_id="s1", registration=walk_in)
    assert len(marks_of(world, event)) == 3
    assert world.counts(event).confirmed_persons == 3


def test_the_same_id_with_another_body_is_refused_for_attendance_too(world):
    event = opened(world)
    a = world.create(event, party(2))
    walk_in = party(1)
    cases = [
        ("CheckIn", dict(check_in_code=a.check_in_code), dict(check_in_code=a.check_in_code, members=[1])),
        ("RecordAttendance", dict(session_id="s1", marks=[line(a.registration, 1, ABSENT)]),
         dict(session_id="s1", marks=[line(a.registration, 2, ABSENT)])),
        ("RecordHeadCount", dict(session_id="s1", adults=1), dict(session_id="s1", adults=2)),
        ("AddWalkIn", dict(session_id="s1", registration=walk_in),
         dict(session_id="s1", registration=party(2))),
    ]
    for method, fields, others in cases:
        request_id = new_id()
        world.api.call(method, parent=event, request_id=request_id, **fields)
        refused = world.api.refused(method, parent=event, request_id=request_id, **others)
        assert refused.reason == "REQUEST_ID_REUSED", method


def test_a_code_opens_its_own_door_only(world):
    here, there = opened(world), opened(world)
    codes = [world.create(here, party()).check_in_code for _ in range(20)]
    assert len(set(codes)) == 20 and all(len(c) == 10 for c in codes)
    for code in codes:
        verdict = world.api.CheckIn(parent=there, check_in_code=code).verdict
        assert verdict == A.DOOR_VERDICT_NOT_FOR_THIS_EVENT
        assert world.api.CheckIn(parent=here, check_in_code=f"EILE:{code}").verdict == A.DOOR_VERDICT_WELCOME
    assert marks_of(world, there) == []


class Scanner(threading.Thread):
    """A device that sends its scans until it is told to stop, and remembers each with its answer."""

    def __init__(self, address, event, codes):
        super().__init__(daemon=True)
        self.api, self.event, self.codes = Api(address, timeout=5), event, codes
        self.sent = []

    def run(self):
        for code in self.codes:
            request = build("CheckIn", parent=self.event, check_in_code=code)
            try:
                self.sent.append((request, self.api.call("CheckIn", request)))
            except Refused as refused:
                assert not refused.is_own() or refused.code.name == "UNAVAILABLE", refused
                self.sent.append((request, None))


def test_scans_survive_kill_9_and_count_once(new_server):
    server = new_server()
    world = World(server.address)
    event = opened(world, seats=400)
    codes = [world.create(event, party(2, contact=contact())).check_in_code for _ in range(160)]
    devices = [Scanner(server.address, event, codes[n::4]) for n in range(4)]
    for device in devices:
        device.start()
    while sum(len(d.sent) for d in devices) < 60:
        pass
    server.kill()
    for device in devices:
        device.join(60)
        device.api.close()
    server.start()
    sent = [s for device in devices for s in device.sent]
    assert any(answer is None for _, answer in sent), "the kill struck nobody"
    again = World.visiting(server.address)
    for request, answer in sent:
        repeated = again.api.call("CheckIn", request)
        assert answer is None or repeated == answer, "what was acknowledged is answered the same"
        assert repeated.verdict == A.DOOR_VERDICT_WELCOME and repeated.present == 2
    counts = again.api.ListAttendance(parent=event, session_id="s1").sessions[0]
    assert counts.present == 320 and counts.person_minutes == 320 * MINUTES
    assert all(not a.corrections for a in marks_of(again, event, with_corrections=True))
    assert server.stop() == 0, server.log_tail()
    server.must_check()


def test_a_smaller_party_keeps_whoever_came(world):
    event = opened(world)
    family = world.sign_up(event, 3)
    world.api.RecordAttendance(parent=event, session_id="s1", marks=[line(family, 2, PRESENT)])
    fewer = lambda n: dict(
        registration=R.Registration(name=family.name, members=[R.Member() for _ in range(n)]),
        update_mask=mask("members"))
    assert world.api.refused("UpdateRegistration", **fewer(1)).reason == "MEMBER_ATTENDED"
    assert world.api.UpdateRegistration(**fewer(2)).registration.party_size == 2
