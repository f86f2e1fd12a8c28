"""One request id, one effect, one answer; and trying out without any effect."""

import concurrent.futures

import pytest
from client import build
from eile.v1 import admin_pb2
from words import (
    CONFIRMED, R, WAITLISTED, E, centre, contact, lt, mask, new_id, offers, party, programme)


def same_twice(world, method, **fields):
    """Makes the same call twice and answers it; the two must be equal to the byte."""
    request = build(method, **fields)
    first, second = world.api.call(method, request), world.api.call(method, request)
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True), method
    return first


def test_a_repeated_sign_up_gets_the_first_answer_and_the_same_token(world):
    event = world.open(seats=1)
    first = same_twice(world, "CreateRegistration", parent=event, registration=party())
    request = build("CreateRegistration", parent=event, registration=party())
    waiting = world.api.call("CreateRegistration", request)
    assert waiting.registration.state == WAITLISTED and waiting.management_token
    world.cancel(first.registration)
    assert world.get(waiting.registration).state == CONFIRMED
    later = world.api.call("CreateRegistration", request)
    assert later == waiting, "the answer stays as first given, whatever happened since"
    assert world.counts(event).applied_parties == 2


def test_a_repeated_request_is_answered_as_first_whatever_changed_since(world):
    event = world.open(seats=3, waitlist_policy=E.WaitlistPolicy(class_order=["first"]))
    who = contact()
    requests = [build("CreateRegistration", parent=event, registration=party(n)) for n in (3, 2)]
    first = [world.api.call("CreateRegistration", r) for r in requests]
    holds, waits = (a.registration for a in first)
    assert (holds.state, waits.state, waits.position) == (CONFIRMED, WAITLISTED, 1)
    small = R.Registration(name=waits.name, members=[R.Member()], contact=who)
    for method, fields in [
        ("UpdateRegistration", dict(registration=small, update_mask=mask("members", "contact"))),
        ("SetRegistrationClass", dict(name=waits.name, **{"class": "first"}, reason="nes")),
        ("CancelRegistration", dict(name=holds.name)),
        ("SetRegistrationClass", dict(name=waits.name, reason="nebe")),
        ("CancelRegistration", dict(name=waits.name, reason=R.CANCEL_REASON_FOUND_ELSEWHERE)),
    ]:
        requests.append(build(method, **fields))
        first.append(world.api.call(method, requests[-1]))
    for request, answer in zip(requests, first):
        method = type(request).__name__.removesuffix("Request")
        assert world.api.call(method, request) == answer, method


def test_a_repeated_change_of_an_event_is_answered_as_first_and_has_no_second_effect(world):
    name = world.open(seats=1)
    request = build("UpdateEvent", event=E.Event(name=name, titles=lt("Pirmas")), update_mask=mask("titles"))
    first = world.api.call("UpdateEvent", request)
    now = world.update(name, titles=lt("Antras"))
    world.sign_up(name)
    assert world.api.call("UpdateEvent", request) == first, "title, etag and counts of that moment"
    assert world.api.GetEvent(name=name).event.titles == now.titles


def test_every_change_of_an_event_can_be_repeated(world):
    name = same_twice(world, "CreateEvent", event=world.event(seats=2, waitlist_policy=offers())).event.name
    same_twice(world, "PublishEvent", name=name)
    same_twice(world, "UpdateEvent", event=E.Event(name=name, titles=lt("Kitas")), update_mask=mask("titles"))
    a, b, c, d = world.crowd(name, 1, 1, 1, 1)
    same_twice(world, "CancelRegistration", name=a.name)
    same_twice(world, "AcceptOffer", name=c.name)
    same_twice(world, "CancelRegistration", name=b.name)
    same_twice(world, "DeclineOffer", name=d.name)
    e = world.sign_up(name)
    same_twice(world, "UpdateRegistration",
               registration=R.Registration(name=e.name, members=[R.Member()], language="pl"),
               update_mask=mask("members", "language"))
    copy = same_twice(world, "CopyEvent", name=name).event.name
    same_twice(world, "CancelEvent", name=copy, reason="neprireikė")
    world.make_over(name)
    same_twice(world, "CompleteEvent", name=name)


def test_staff_decisions_can_be_repeated(world):
    event = world.open(seats=1, approval_required=True, waitlist_policy=E.WaitlistPolicy(class_order=["first"]))
    a, b, c = world.crowd(event, 1, 1, 1)
    same_twice(world, "ApproveRegistration", name=a.name)
    same_twice(world, "RejectRegistration", name=b.name, reason=R.REJECT_REASON_INCOMPLETE)
    same_twice(world, "SetRegistrationClass", name=c.name, **{"class": "first"}, reason="nes")
    same_twice(world, "ApproveRegistration", name=c.name)
    world.update(event, waitlist_policy=E.WaitlistPolicy(promotion=E.PROMOTION_MANUAL, class_order=["first"]))
    world.cancel(a)
    same_twice(world, "PromoteRegistration", name=c.name)
    assert world.counts(event).confirmed_parties == 1


def test_centres_and_programmes_can_be_repeated(world):
    name = same_twice(world, "CreateCentre", centre=centre()).centre.name
    changed = admin_pb2.Centre(name=name, display_names=lt("Kitas centras"))
    same_twice(world, "UpdateCentre", centre=changed, update_mask=mask("display_names"))
    name = same_twice(world, "CreateProgramme", programme=programme()).programme.name
    changed = admin_pb2.Programme(name=name, group_size_max=14)
    same_twice(world, "UpdateProgramme", programme=changed, update_mask=mask("group_size_max"))


def test_the_same_id_with_another_body_is_refused_everywhere(world):
    event, other = world.open(), world.draft()
    a = world.sign_up(event)
    cases = [
        ("CreateCentre", dict(centre=centre()), dict(centre=centre(municipality_code="49"))),
        ("CreateProgramme", dict(programme=programme()), dict(programme=programme(titles=lt("Kita")))),
        ("CreateEvent", dict(event=world.event()), dict(event=world.event(seats=13))),
        ("CopyEvent", dict(name=event), dict(name=event, first_session_date="2031-05-05")),
        ("CreateRegistration", dict(parent=event, registration=party()), dict(parent=event, registration=party())),
        ("CancelRegistration", dict(name=a.name), dict(name=a.name, reason=R.CANCEL_REASON_DUPLICATE)),
        ("PublishEvent", dict(name=other.name), dict(name=other.name, etag=other.etag)),
    ]
    for method, first, second in cases:
        request_id = new_id()
        world.api.call(method, request_id=request_id, **first)
        refused = world.api.refused(method, request_id=request_id, **second)
        assert (refused.reason, refused.metadata["request_id"]) == ("REQUEST_ID_REUSED", request_id), method
    # Another verb under an id of the same event is another body too.
    request_id = new_id()
    b = world.create(event, party(), request_id=request_id).registration
    assert world.api.refused("CancelRegistration", name=b.name, request_id=request_id).reason == "REQUEST_ID_REUSED"


def test_a_refusal_does_not_use_up_its_request_id(world):
    event = world.draft().name
    request = build("CreateRegistration", parent=event, registration=party())
    assert world.api.refused("CreateRegistration", request).reason == "EVENT_NOT_PUBLISHED"
    world.api.PublishEvent(name=event)
    assert world.api.call("CreateRegistration", request).registration.state == CONFIRMED


def test_a_storm_of_the_same_request_has_one_effect_and_one_answer(world):
    event = world.open(seats=3)
    request = build("CreateRegistration", parent=event, registration=party(2))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: world.api.call("CreateRegistration", request), range(64)))
    assert len({a.SerializeToString(deterministic=True) for a in answers}) == 1
    counts = world.counts(event)
    assert (counts.applied_parties, counts.confirmed_persons) == (1, 2)


def trials(world):
    """Calls with validate_only, and what to compare of their answer with the real one."""
    event = world.open(seats=1, waitlist_policy=E.WaitlistPolicy(class_order=["first"]))
    draft, spare = world.draft().name, world.open()
    a, b, c = world.crowd(event, 1, 1, 1)
    existing = world.api.CreateCentre(centre=centre()).centre.name
    course = world.api.CreateProgramme(programme=programme()).programme.name
    return [
        ("CreateCentre", dict(centre=centre())),
        ("UpdateCentre", dict(centre=admin_pb2.Centre(name=existing, languages=["lt", "pl"]),
                              update_mask=mask("languages"))),
        ("CreateProgramme", dict(programme=programme())),
        ("UpdateProgramme", dict(programme=admin_pb2.Programme(name=course, project_code="P-1"),
                                 update_mask=mask("project_code"))),
        ("CreateEvent", dict(event=world.event())),
        ("PublishEvent", dict(name=draft)),
        ("CancelEvent", dict(name=draft, reason="bandymas")),
        ("CreateRegistration", dict(parent=event, registration=party())),
        ("UpdateRegistration", dict(registration=R.Registration(name=a.name, contact=contact()),
                                    update_mask=mask("contact"))),
        ("SetRegistrationClass", dict(name=c.name, **{"class": "first"}, reason="nes")),
        ("TransferRegistration", dict(name=b.name, target_event=spare)),
        ("UpdateEvent", dict(event=E.Event(name=event, seat_pools=[E.SeatPool(pool_id="main", capacity=2)]),
                             update_mask=mask("seat_pools"))),
    ]


def test_trying_out_answers_as_the_real_call_would_and_changes_nothing(world):
    for method, fields in trials(world):
        request = build(method, validate_only=True, **fields)
        before = world.snapshot()
        tried = world.api.call(method, request)
        assert world.snapshot() == before, f"{method} changed something"
        request.validate_only = False
        real = world.api.call(method, request)
        assert world.snapshot() != before, f"{method} changed nothing"
        assert outcome(tried) == outcome(real), method


def outcome(answer):
    """What does not depend on names and numbers: states, positions, counts."""
    if hasattr(answer, "registration"):
        r = answer.registration
        return r.state, r.position, r.party_size, r.pool_id
    if hasattr(answer, "event"):
        return answer.event.state, str(answer.event.counts)
    return None


def test_trying_out_is_refused_as_the_real_call_would_be(world):
    event = world.open(seats=1)
    a, b = world.crowd(event, 1, 1)
    for method, fields, reason in [
        ("CreateRegistration", dict(parent=event, registration=party(2)), "PARTY_LARGER_THAN_POOL"),
        ("PromoteRegistration", dict(name=b.name), "SEATS_NOT_FREE"),
        ("SetRegistrationClass", dict(name=b.name, **{"class": "vip"}, reason="x"), "CLASS_UNKNOWN"),
        ("TransferRegistration", dict(name=a.name, target_event=event), "SAME_EVENT"),
        ("PublishEvent", dict(name=event), "ILLEGAL_STATE"),
        ("CreateRegistration", dict(parent=event, registration=R.Registration()), "INVALID_FIELDS"),
    ]:
        assert world.api.refused(method, validate_only=True, **fields).reason == reason, method


@pytest.mark.parametrize("bad", ["", "7", "not-a-uuid", "0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e1", "{}"])
def test_a_change_without_a_proper_request_id_is_refused(world, bad):
    event = world.open()
    for method, fields in [
        ("CreateRegistration", dict(parent=event, registration=party())),
        ("CreateEvent", dict(event=world.event())),
        ("CreateCentre", dict(centre=centre())),
        ("PublishEvent", dict(name=event)),
    ]:
        assert world.api.refused(method, request_id=bad, **fields).fields() == ["request_id"], method
