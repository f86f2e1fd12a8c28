"""Every refusal of errors.proto that a client can bring about, once: its code, its reason, its facts and details, and
that nothing changed. What only a fault of the service brings about is named in BEYOND_A_CLIENT."""

import datetime

import pytest
from client import CATALOGUE, Refused, message_class
from eile.v1 import attendance_pb2 as A, changes_pb2 as C
from words import (
    FULL, R, E, after, centre, contact, lt, mask, new_id, offers, party, pool, session)

NOBODY = "0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e11"
MANUAL = E.WaitlistPolicy(promotion=E.PROMOTION_MANUAL)

# Reason -> why no test here brings it about. The rest is provoked below or in the test that is named.
BEYOND_A_CLIENT = {
    "INTERNAL": "a fault of the service",
    "OUTCOME_UNKNOWN": "the database's connection must break inside a commit",
    "DEADLINE_EXCEEDED": "the client's own library tells it first",
    "FEED_LAGGED": "a follower must be slower than the buffers of two TCP stacks",
    "CURSOR_EXPIRED": "changes must be older than the days that the feed keeps them",
    "TOO_MANY_STREAMS": "it takes 10,000 streams; tests/server opens as many as a smaller limit allows",
    "TOO_MANY_CALLS": "calls are not counted by default; tests/server counts them",
    "WATCH_LAGGED": "a reader must be slower than the buffers of two TCP stacks",
    "ACCESS_KEYS_FULL": "it takes 1,000 keys",
    "REPORT_TOO_LARGE": "it takes more than 100,000 events",
    "STORAGE_UNAVAILABLE": "test_kill.py stops PostgreSQL for it; on SQLite nothing can be stopped",
}
ELSEWHERE = {
    "PERIOD_NOT_CLOSED", "STAFF_ONLY", "DRAINING", "OVERLOADED", "OFFER_EXPIRED",
    # test_access.py and test_keys.py shut the service for them.
    "KEY_REQUIRED", "ROLE_NOT_ALLOWED", "CENTRE_REQUIRED", "ACCESS_KEY_NOT_FOUND", "ACCESS_KEY_REVOKED",
    "FIRST_KEY_ADMINISTRATOR", "PEOPLE_NOT_SHOWN", "SENSITIVITY_KEPT",
    # test_oidc.py stops the issuer.
    "ISSUER_UNAVAILABLE",
}

provokers = {}


def provokes(reason):
    """Registers a function that sets the stage and answers the call that must be refused for this reason."""
    def keep(function):
        provokers[(reason, function.__name__)] = function
        return function
    return keep


def sign_up_to(event, *args, **fields):
    return "CreateRegistration", dict(parent=event, registration=party(*args, **fields))


@provokes("INVALID_FIELDS")
def fields_missing(w):
    return "CreateRegistration", dict(parent=w.open(), registration=R.Registration())


@provokes("PERSONAL_CODE_REFUSED")
def a_personal_code(w):
    return sign_up_to(w.open(), name="Ona 38703181745")


@provokes("REQUEST_ID_REUSED")
def another_body(w):
    event, request_id = w.open(), new_id()
    w.create(event, party(), request_id=request_id)
    method, fields = sign_up_to(event)
    return method, dict(fields, request_id=request_id)


@provokes("PAGE_TOKEN_INVALID")
def a_token_of_another_query(w):
    w.draft(), w.draft()
    token = w.api.ListEvents(page_size=1).next_page_token
    return "ListEvents", dict(page_size=1, page_token=token, filter="state = DRAFT")


@provokes("FILTER_INVALID")
def a_filter_without_a_value(w):
    return "ListEvents", dict(filter="state = ")


@provokes("REPORT_NOT_FOUND")
def a_report_that_nobody_stored(w):
    return "GetReport", dict(name=f"reports/{NOBODY}")


@provokes("PEOPLE_ENTRY_NOT_FOUND")
def a_merge_that_nobody_made(w):
    return "UndoMerge", dict(number=1_000_000)


def merged(w):
    two = [f"persons/{new_id()}" for _ in range(2)]
    return w.api.MergePersons(person=two[0], into=two[1]).entry


@provokes("PERSONS_ALREADY_ONE")
def two_who_are_one(w):
    person, into = merged(w).persons
    return "MergePersons", dict(person=into, into=person)


@provokes("MERGE_UNDONE")
def a_merge_taken_back_twice(w):
    entry = merged(w)
    w.api.UndoMerge(number=entry.number)
    return "UndoMerge", dict(number=entry.number)


@provokes("MERGE_REPORTED")
def a_merge_that_a_report_rests_on(w):
    entry = merged(w)
    w.api.CreateReport(report={"title": "KOPA", "query": {"participation": {}}})
    return "UndoMerge", dict(number=entry.number)


@provokes("SAME_EVENT")
def a_transfer_to_itself(w):
    event = w.open()
    return "TransferRegistration", dict(name=w.sign_up(event).name, target_event=event)


@provokes("EVENT_NOT_FOUND")
def no_such_event(w):
    return "GetEvent", dict(name=f"events/{NOBODY}")


@provokes("EVENT_NOT_FOUND")
def a_sign_up_to_nothing(w):
    return sign_up_to(f"events/{NOBODY}")


@provokes("EVENT_NOT_FOUND")
def a_transfer_to_nowhere(w):
    return "TransferRegistration", dict(name=w.sign_up(w.open()).name, target_event=f"events/{NOBODY}")


@provokes("REGISTRATION_NOT_FOUND")
def no_such_registration(w):
    return "CancelRegistration", dict(name=f"{w.open()}/registrations/{NOBODY}")


@provokes("REGISTRATION_NOT_FOUND")
def a_registration_of_another_event(w):
    own = w.sign_up(w.open()).name.split("/")[-1]
    return "GetRegistration", dict(name=f"{w.open()}/registrations/{own}", view=FULL)


@provokes("CENTRE_NOT_FOUND")
def no_such_centre(w):
    return "CreateEvent", dict(event=w.event(centre="centres/nera"))


@provokes("PROGRAMME_NOT_FOUND")
def no_such_programme(w):
    return "GetProgramme", dict(name="programmes/nera")


@provokes("PROGRAMME_NOT_FOUND")
def an_event_of_no_programme(w):
    return "CreateEvent", dict(event=w.event(programme="programmes/nera"))


@provokes("POOL_NOT_FOUND")
def no_such_pool(w):
    return sign_up_to(w.open(), acceptable_pools=["balcony"])


@provokes("POOL_NOT_FOUND")
def a_promotion_to_no_pool(w):
    event = w.open(seats=1, waitlist_policy=MANUAL)
    return "PromoteRegistration", dict(name=w.crowd(event, 1, 1)[1].name, pool_id="balcony")


@provokes("ALREADY_EXISTS")
def a_taken_centre(w):
    own = w.centre.removeprefix("centres/")
    return "CreateCentre", dict(centre=centre(), centre_id=own)


@provokes("ALREADY_EXISTS")
def a_taken_event(w):
    return "CreateEvent", dict(event=w.event(), event_id=w.draft().name.removeprefix("events/"))


@provokes("ALREADY_REGISTERED")
def a_known_contact(w):
    event, who = w.open(), contact()
    w.sign_up(event, contact=who)
    return sign_up_to(event, contact=who)


@provokes("ALREADY_REGISTERED")
def a_correction_to_a_known_contact(w):
    event, who = w.open(), contact()
    w.sign_up(event, contact=who)
    other = R.Registration(name=w.sign_up(event).name, contact=who)
    return "UpdateRegistration", dict(registration=other, update_mask=mask("contact"))


@provokes("EVENT_NOT_PUBLISHED")
def a_draft(w):
    return sign_up_to(w.draft().name)


@provokes("EVENT_NOT_PUBLISHED")
def a_draft_to_complete(w):
    return "CompleteEvent", dict(name=w.draft().name)


@provokes("EVENT_CANCELLED")
def a_cancelled_event(w):
    event = w.open()
    w.api.CancelEvent(name=event, reason="nevyks")
    return sign_up_to(event)


@provokes("EVENT_CANCELLED")
def a_cancelled_event_to_publish(w):
    event = w.draft().name
    w.api.CancelEvent(name=event, reason="nevyks")
    return "PublishEvent", dict(name=event)


@provokes("EVENT_COMPLETED")
def a_completed_event(w):
    event = w.open()
    w.make_over(event)
    w.api.CompleteEvent(name=event)
    return "UpdateEvent", dict(event=E.Event(name=event, titles=lt("Vėlu")), update_mask=mask("titles"))


@provokes("EVENT_NOT_OVER")
def an_event_that_is_still_to_come(w):
    return "CompleteEvent", dict(name=w.open())


@provokes("REGISTRATION_NOT_OPEN")
def before_the_window(w):
    return sign_up_to(w.open(registration_window=E.RegistrationWindow(open_time=after(hours=1))))


@provokes("REGISTRATION_CLOSED")
def after_the_window(w):
    return sign_up_to(w.open(registration_window=E.RegistrationWindow(close_time=after(hours=-1))))


@provokes("REGISTRATION_CLOSED")
def after_the_start(w):
    return sign_up_to(w.open(sessions=[session(days=-3)]))


@provokes("PARTY_TOO_SMALL")
def too_few(w):
    return sign_up_to(w.open(party_limits=E.PartyLimits(min_size=2)), 1)


@provokes("PARTY_TOO_LARGE")
def too_many(w):
    return sign_up_to(w.open(party_limits=E.PartyLimits(max_size=2)), 3)


@provokes("PARTY_LARGER_THAN_POOL")
def more_than_seats(w):
    return sign_up_to(w.open(seat_pools=[pool("a", 4), pool("b", 2)]), 5)


@provokes("ILLEGAL_STATE")
def a_second_end(w):
    gone = w.cancel(w.sign_up(w.open()))
    return "CancelRegistration", dict(name=gone.name)


@provokes("ILLEGAL_STATE")
def published_twice(w):
    return "PublishEvent", dict(name=w.open())


@provokes("ILLEGAL_STATE")
def approving_what_needs_none(w):
    return "ApproveRegistration", dict(name=w.sign_up(w.open()).name)


@provokes("NO_LIVE_OFFER")
def nothing_offered(w):
    return "AcceptOffer", dict(name=w.sign_up(w.open(waitlist_policy=offers())).name)


@provokes("SEATS_NOT_FREE")
def a_party_that_grows_too_far(w):
    larger = R.Registration(name=w.sign_up(w.open(seats=2), 1).name, members=[R.Member()] * 2)
    w.sign_up(larger.name.rsplit("/registrations/")[0], 1)
    return "UpdateRegistration", dict(registration=larger, update_mask=mask("members"))


@provokes("WAITING_PARTY_FIRST")
def a_party_that_grows_before_the_line(w):
    event = w.open(seats=2, waitlist_policy=MANUAL)
    a, b, _ = w.crowd(event, 1, 1, 1)
    w.cancel(b)
    larger = R.Registration(name=a.name, members=[R.Member()] * 2)
    return "UpdateRegistration", dict(registration=larger, update_mask=mask("members"))


@provokes("REASON_REQUIRED")
def out_of_order_without_a_reason(w):
    event = w.open(seats=1, waitlist_policy=MANUAL)
    a, _, c = w.crowd(event, 1, 1, 1)
    w.cancel(a)
    return "PromoteRegistration", dict(name=c.name)


@provokes("CLASS_UNKNOWN")
def a_class_of_nobody(w):
    event = w.open(waitlist_policy=E.WaitlistPolicy(class_order=["mandated"]))
    return "SetRegistrationClass", dict(name=w.sign_up(event).name, **{"class": "vip"}, reason="prašo")


@provokes("POOL_IN_USE")
def a_pool_with_people(w):
    event = w.open(seat_pools=[pool("a"), pool("b")])
    w.sign_up(event)
    return "UpdateEvent", dict(event=E.Event(name=event, seat_pools=[pool("b")]), update_mask=mask("seat_pools"))


@provokes("WAITLIST_FULL")
def no_waiting_line(w):
    event = w.open(seats=1, waitlist_policy=E.WaitlistPolicy(waitlist_limit=0))
    w.sign_up(event)
    return sign_up_to(event)


@provokes("MESSAGE_TOO_LARGE")
def a_body_over_the_limit(w):
    return sign_up_to(w.open(), name="x" * (1 << 21))


@provokes("TOKEN_INVALID")
def a_wrong_token(w):
    return "CancelRegistration", dict(name=w.sign_up(w.open()).name, management_token="A" * 43)


@provokes("ETAG_MISMATCH")
def a_stale_etag(w):
    stale = w.draft()
    w.update(stale.name, titles=lt("Pirmas"))
    event = E.Event(name=stale.name, etag=stale.etag, titles=lt("Antras"))
    return "UpdateEvent", dict(event=event, update_mask=mask("titles"))


STAFF = ["CreateCentre", "UpdateCentre", "CreateProgramme", "UpdateProgramme", "CreateEvent", "UpdateEvent",
         "PublishEvent", "CancelEvent", "CompleteEvent", "CopyEvent", "ListRegistrations", "ApproveRegistration",
         "RejectRegistration", "SetRegistrationClass", "PromoteRegistration"]


def test_what_is_for_staff_is_refused_to_a_portal_before_anything_is_looked_at(world):
    for method in STAFF:
        refused = world.portal.refused(method, message_class(method)())
        assert (refused.reason, refused.metadata.get("method")) == ("STAFF_ONLY", method), refused
    signed_up = world.create(world.open(), party())
    own = dict(name=signed_up.registration.name)
    assert world.portal.GetRegistration(**own, management_token=signed_up.management_token)
    for method in ("GetRegistration", "CancelRegistration", "ExplainRegistration"):
        assert world.portal.refused(method, **own).code.name == "PERMISSION_DENIED", "a party needs its token"


def held(w, hours=1, **fields):
    """An event that keeps universal time, with one session so many hours from now."""
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    times = [(start + datetime.timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M") for n in (0, 1)]
    return w.open(time_zone="UTC", sessions=[E.Session(start_local=times[0], end_local=times[1])], **fields)


def marked(event, registration, member=1, session_id="s1"):
    line = A.MarkEntry(registration=registration.name, member=member, mark=A.ATTENDANCE_MARK_PRESENT)
    return "RecordAttendance", dict(parent=event, session_id=session_id, marks=[line])


@provokes("SESSION_NOT_FOUND")
def another_evening(w):
    event = held(w)
    return marked(event, w.sign_up(event), session_id="s9")


@provokes("SESSION_CANCELLED")
def an_evening_that_was_called_off(w):
    event = held(w)
    w.api.CancelSession(name=event, session_id="s1", reason="Vadovė serga")
    return "RecordHeadCount", dict(parent=event, session_id="s1", adults=3)


@provokes("SESSION_NOT_BEGUN")
def an_evening_to_come(w):
    event = held(w, hours=48)
    return marked(event, w.sign_up(event))


@provokes("DOOR_SHUT")
def a_scan_two_days_early(w):
    event = held(w, hours=48)
    return "CheckIn", dict(parent=event, check_in_code=w.create(event, party()).check_in_code)


@provokes("MARKS_REFUSED")
def somebody_who_waits(w):
    event = held(w, seats=1)
    w.sign_up(event)
    return marked(event, w.sign_up(event))


@provokes("MEMBER_NOT_FOUND")
def a_fourth_of_three(w):
    event = held(w)
    code = w.create(event, party(3)).check_in_code
    return "CheckIn", dict(parent=event, check_in_code=code, members=[4])


@provokes("MEMBER_ATTENDED")
def a_party_without_whoever_came(w):
    event = held(w)
    couple = w.sign_up(event, 2)
    method, fields = marked(event, couple, member=2)
    w.api.call(method, **fields)
    smaller = R.Registration(name=couple.name, members=[R.Member()])
    return "UpdateRegistration", dict(registration=smaller, update_mask=mask("members"))


@provokes("WALK_INS_NOT_TAKEN")
def a_passer_by(w):
    event = held(w, waitlist_policy=E.WaitlistPolicy(walk_ins_taken=False))
    return "AddWalkIn", dict(parent=event, session_id="s1", registration=party())


@provokes("SESSION_IN_USE")
def an_evening_that_was_held(w):
    event = held(w)
    w.api.RecordHeadCount(parent=event, session_id="s1", adults=3)
    return "CancelSession", dict(name=event, session_id="s1", reason="Per vėlai")


@provokes("CURSOR_INVALID")
def no_cursor_of_the_feed(w):
    return "ListChanges", dict(start=C.ChangeStart(cursor="x"))


@provokes("MALFORMED_MESSAGE")
def text_that_is_not_utf8(w):
    return "CreateRegistration", b"\x0a\x04\xff\xfe\xfd\xfc"


@pytest.mark.parametrize("reason, how", provokers)
def test_each_reason_for_a_no(world, reason, how):
    method, request = provokers[(reason, how)](world)
    before = world.snapshot()
    if isinstance(request, bytes):
        with pytest.raises(Refused) as caught:
            world.api.raw(method, request)
        refused = caught.value
    else:
        refused = world.api.refused(method, **request)
    assert refused.reason == reason, refused
    assert refused.code.name == CATALOGUE[reason].code, refused
    assert world.snapshot() == before, "a refusal changed something"


def test_facts_of_a_refusal_are_the_true_ones(world):
    """Metadata is for programs: some of it, with its values."""
    opens = after(hours=1)
    event = world.open(
        seats=4, registration_window=E.RegistrationWindow(open_time=opens), party_limits=E.PartyLimits(min_size=2))
    refused = world.api.refused("CreateRegistration", parent=event, registration=party(1))
    assert refused.reason == "REGISTRATION_NOT_OPEN", "the window comes before the party's size"
    said = datetime.datetime.fromisoformat(refused.metadata["open_time"])
    assert abs(said.timestamp() - opens.seconds) < 1
    world.update(event, registration_window=E.RegistrationWindow())
    small = world.api.refused("CreateRegistration", parent=event, registration=party(1))
    assert (small.metadata["party_size"], small.metadata["min_size"]) == ("1", "2")
    large = world.api.refused("CreateRegistration", parent=event, registration=party(7))
    assert (large.metadata["party_size"], large.metadata["largest_pool"]) == ("7", "4")


def test_the_first_of_several_reasons_is_given_in_the_documented_order(world):
    """The ladder of CreateRegistration, walked down: each step has every later reason too."""
    who, bad = contact(), R.Registration(contact=R.Contact(display_name="x"))
    policy = E.WaitlistPolicy(waitlist_limit=0)
    event = world.draft(
        seats=2, waitlist_policy=policy, party_limits=E.PartyLimits(max_size=2),
        registration_window=E.RegistrationWindow(open_time=after(hours=1))).name

    def refused(size, parent=event, **fields):
        return world.api.refused("CreateRegistration", parent=parent, registration=party(size, **fields)).reason

    nowhere = f"events/{NOBODY}"
    assert world.api.refused("CreateRegistration", parent=nowhere, registration=bad).reason == "INVALID_FIELDS"
    assert refused(5, parent=nowhere) == "EVENT_NOT_FOUND"
    assert refused(5, acceptable_pools=["none"]) == "EVENT_NOT_PUBLISHED"
    world.api.PublishEvent(name=event)
    assert refused(5, acceptable_pools=["none"]) == "REGISTRATION_NOT_OPEN"
    world.update(event, registration_window=E.RegistrationWindow())
    assert refused(5, acceptable_pools=["none"]) == "PARTY_TOO_LARGE"
    world.sign_up(event, 2, contact=who)
    assert refused(2, acceptable_pools=["none"], contact=who) == "POOL_NOT_FOUND"
    assert refused(2, contact=who) == "ALREADY_REGISTERED"
    assert refused(2) == "WAITLIST_FULL"


def test_every_reason_of_the_catalogue_is_provoked_or_excused():
    named = {reason for reason, _ in provokers} | set(BEYOND_A_CLIENT) | ELSEWHERE
    assert named == set(CATALOGUE)
