"""Figures of the demo's year, counted once more from raw rows: lists of registrations, attendance, and the change feed.
Nothing here asks a report for anything but the figure that is compared. SQLite only: the demo's year is one file, and that
both databases give the same figures is shown by the tests in Rust."""

import collections
import datetime
import shutil
import subprocess
import tempfile
import zoneinfo

import pytest

import house
from client import Api

VILNIUS = zoneinfo.ZoneInfo("Europe/Vilnius")
NOT_MEANT = {"DUPLICATE", "ENTERED_BY_MISTAKE"}


@pytest.fixture(scope="module")
def year(binary):
    """The demo's year, played and then served by a process of its own."""
    folder = tempfile.mkdtemp(prefix="eile-year-")
    command = [binary, "demo", "--exit", "--data", folder, "--listen", f"{house.LOOPBACK}:{house.free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    # The year is long past: its changes must still be told.
    server = house.Server(binary, f"{folder}/eile.db", "feed.keep_days=36500").start()
    yield Year(Api(server.address))
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


def pages(call, field, **asked):
    token = ""
    while True:
        page = call(page_size=500, page_token=token, **asked)
        yield from getattr(page, field)
        token = page.next_page_token
        if not token:
            return


class Year:
    """All raw rows."""

    def __init__(self, api):
        self.api = api
        self.events = {e.name: e for e in pages(api.ListEvents, "events") if e.state != 1}
        self.parties, self.marks = {}, {}
        for name in self.events:
            self.parties[name] = {r.name: r for r in pages(api.ListRegistrations, "registrations", parent=name, view=2)}
            self.marks[name] = list(pages(api.ListAttendance, "attendances", parent=name))
        self.seats = self.follow()
        entries = api.ListPeopleEntries(page_size=500).entries
        self.merged = {e.persons[0]: e.persons[1] for e in entries if e.kind == "merged"}

    def follow(self):
        """For each registration the times from which and until which it had confirmed seats, and whether it was offered."""
        seats = collections.defaultdict(lambda: {"from": None, "spans": [], "offered": False})
        cursor = ""
        while True:
            page = self.api.ListChanges(page_size=500, start={"cursor": cursor} if cursor else None)
            for change in page.changes:
                one, at = seats[change.registration], change.time.ToDatetime(datetime.timezone.utc)
                kind, state = change.kind, change.registration_state
                if kind == 23:
                    one["offered"] = True
                if state == 4 and one["from"] is None:
                    one["from"] = at
                if kind == 26 and one["from"] is not None:
                    one["spans"].append((one["from"], at))
                    one["from"] = None
            cursor = page.cursor
            if not page.more:
                return seats

    def asked(self, event):
        """Those who count as having asked."""
        for party in self.parties[event].values():
            gone = party.state in (8, 10) or party.end_reason in NOT_MEANT or party.end_reason == "DUPLICATE_DROPPED"
            if not gone and not party.possible_duplicate:
                yield party

    def admitted(self, event, party):
        start = min((s.start_time.ToDatetime(datetime.timezone.utc) for s in self.events[event].sessions), default=None)
        seats = self.seats[party.name]
        return seats["from"] is not None or any(start and until > start for _, until in seats["spans"])

    def refused(self, party):
        seats = self.seats[party.name]
        return not seats["offered"] and seats["from"] is None and not seats["spans"]


def local(stamp):
    return stamp.ToDatetime(datetime.timezone.utc).astimezone(VILNIUS)


def start_of(year, month):
    return datetime.datetime(year, month, 1, tzinfo=VILNIUS)


def test_demand_and_refused_demand_by_programme_and_municipality(year):
    counted = collections.defaultdict(lambda: [0, 0, 0, 0])
    for name, event in year.events.items():
        if event.kind == 3:
            continue
        line = counted[(event.programme, event.municipality_code)]
        for party in year.asked(name):
            admitted, refused = year.admitted(name, party), year.refused(party)
            line[0] += party.party_size
            line[1] += party.party_size if admitted else 0
            line[2] += party.party_size if refused and not admitted else 0
            line[3] += 1
    told = collections.defaultdict(lambda: [0, 0, 0, 0])
    for row in year.api.GetDemand().rows:
        keys = {key.dimension: key.value for key in row.keys}
        line = told[(keys["programme"], keys["municipality"])]
        figures = row.figures
        line[0] += figures.applicants.persons
        line[1] += figures.admitted.persons
        line[2] += figures.refused.persons
        line[3] += figures.applicants.parties
    assert dict(told) == dict(counted)


def test_unique_persons_attendances_and_hours_of_the_project_by_quarter(year):
    code = next(e.project_code for e in year.events.values() if e.project_code.startswith("07-007"))
    first, attended = {}, []
    for name, event in year.events.items():
        if event.project_code != code or event.kind == 3:
            continue
        starts = {s.session_id: local(s.start_time) for s in event.sessions}
        for mark in year.marks[name]:
            members = year.parties[name][mark.registration].members
            if mark.mark != 1:
                continue
            at = starts[mark.session_id]
            person = one(year, members[mark.member - 1].person) if members else None
            attended.append((at, mark.minutes, person))
            if person:
                first[person] = min(first.get(person, at), at)
    for quarter in range(4):
        begin, end = start_of(2025, 3 * quarter + 1), start_of(2026, 1) if quarter == 3 else start_of(2025, 3 * quarter + 4)
        scope = {"project_code": code, "start_time": begin, "end_time": end}
        told = year.api.GetParticipation(scope=scope)
        inside = [(minutes, person) for at, minutes, person in attended if begin <= at < end]
        assert told.total.attendances == len(inside)
        assert told.total.minutes == sum(minutes for minutes, _ in inside)
        assert told.unique_participants == sum(begin <= at < end for at in first.values())
        assert told.cumulative_participants == sum(at < end for at in first.values())
        assert sum(row.persons for row in told.rows) == told.unique_participants


def one(year, person):
    """The person that this one is counted as, by the entries about persons."""
    return year.merged.get(person, person)


def test_heads_of_open_events_are_counted_apart(year):
    adults = children = 0
    for name, event in year.events.items():
        if event.kind == 3:
            for session in year.api.ListAttendance(parent=name, page_size=1).sessions:
                adults, children = adults + session.heads.adults, children + session.heads.children
    told = year.api.GetParticipation()
    assert (told.heads_adults, told.heads_children) == (adults, children) and adults > 96


def test_public_counts_are_those_of_the_event(year):
    for counts in pages(year.api.ListEventCounts, "counts"):
        event = year.events.get(counts.event)
        if event:
            assert (counts.waiting_parties, counts.confirmed_persons) == (
                event.counts.waiting_parties, event.counts.confirmed_persons)
            assert counts.full == (event.counts.HasField("free") and event.counts.free == 0)


def test_a_reporting_job_cannot_read_a_small_count_from_any_table(year):
    job = Api(year.api.address)
    job.metadata = (("eile-role", "reporting"),)
    scope = {"start_time": start_of(2025, 1), "end_time": start_of(2026, 1)}
    told = job.GetDemand(scope=scope)
    shown = [row for row in [*told.rows, *told.breakdowns, told.total] if not row.suppressed]
    assert shown and any(row.suppressed for row in told.rows)
    for row in shown:
        for tally in (row.figures.applicants, row.figures.admitted, row.figures.refused, row.figures.withdrawn):
            for count in (tally.parties, tally.persons, tally.families):
                assert count == 0 or (count >= 5 and count % 5 == 0), row
    for row in job.GetImbalance(scope=scope).rows:
        assert row.suppressed or row.waiting.persons == 0 or row.waiting.persons >= 5
    refused = job.refused("GetAttendanceSummary", event=next(iter(year.events)))
    assert refused.reason == "STAFF_ONLY"
    open_period = {"start_time": start_of(2025, 1), "end_time": datetime.datetime(2025, 2, 2, tzinfo=VILNIUS)}
    assert job.refused("GetDemand", scope=open_period).reason == "PERIOD_NOT_CLOSED"
