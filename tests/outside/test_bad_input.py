"""Bad input: each is refused with its documented code and reason, names every violated field at once, and stores
nothing. No answer is INTERNAL or speaks of the inside (client.Refused.audit looks at all of them)."""

import pytest
from client import METHODS, Refused, build, message_class
from eile.v1 import admin_pb2, common_pb2
from words import (
    PERSONAL_CODE, R, E, centre, contact, day, lt, mask, new_id, party, pool, programme, session, span)

CODE = "INVALID_ARGUMENT"
CODED = f"kodas {PERSONAL_CODE[:3]} {PERSONAL_CODE[3:7]} {PERSONAL_CODE[7:]}"
GAP = E.Session(start_local="2031-03-30T03:30", end_local="2031-03-30T05:00")

# What is done to a good message, and the fields that must be named; a personal code where `coded`.
EVENTS = {
    "empty": (lambda e: e.Clear(), ["centre", "kind", "seat_pools", "sessions", "titles"]),
    "no Lithuanian title": (lambda e: put(e.titles, lt_only("en", "Talk")), ["titles"]),
    "a blank title": (lambda e: put(e.titles, lt("   ")), ["titles[0].text"]),
    "a title too long": (lambda e: put(e.titles, lt("a" * 201)), ["titles[0].text"]),
    "a language twice": (lambda e: put(e.titles, lt("a") + lt("b")), ["titles[1].language"]),
    "a language of digits": (lambda e: put(e.titles, lt("a", **{"12": "b"})), ["titles[1].language"]),
    "a description too long": (lambda e: put(e.descriptions, lt("a" * 5001)), ["descriptions[0].text"]),
    "a wrong centre": (lambda e: set_(e, centre="Centras Nr. 1"), ["centre"]),
    "a wrong programme": (lambda e: set_(e, programme="programmes/ABC"), ["programme"]),
    "an unknown kind": (lambda e: set_(e, kind=77), ["kind"]),
    "a wrong project code": (lambda e: set_(e, project_code="VEIKLA 1"), ["project_code"]),
    "a wrong zone": (lambda e: set_(e, time_zone="Europe/Kaunas"), ["time_zone"]),
    "capacity 0": (lambda e: put(e.seat_pools, [pool(capacity=0)]), ["seat_pools[0].capacity"]),
    "a negative capacity": (lambda e: put(e.seat_pools, [pool(capacity=-5)]), ["seat_pools[0].capacity"]),
    "a huge capacity": (lambda e: put(e.seat_pools, [pool(capacity=2**31 - 1)]), ["seat_pools[0].capacity"]),
    "a pool twice": (lambda e: put(e.seat_pools, [pool(), pool()]), ["seat_pools[1].pool_id"]),
    "a pool without id": (lambda e: put(e.seat_pools, [pool("")]), ["seat_pools[0].pool_id"]),
    "too many pools": (lambda e: put(e.seat_pools, [pool(f"p{i}") for i in range(201)]), ["seat_pools"]),
    "a pool of no session": (lambda e: put(e.seat_pools, [pool(session_id="s9")]), ["seat_pools[0].session_id"]),
    "a session that ends before it starts":
        (lambda e: put(e.sessions, [session(start="19:00", end="17:30")]), ["sessions[0].end_local"]),
    "a session of no length":
        (lambda e: put(e.sessions, [session(start="19:00", end="19:00")]), ["sessions[0].end_local"]),
    "a session longer than a day": (
        lambda e: put(e.sessions, [E.Session(start_local=f"{day(9)}T09:00", end_local=f"{day(10)}T09:01")]),
        ["sessions[0].end_local"]),
    "a session in the clock change's gap": (lambda e: put(e.sessions, [GAP]), ["sessions[0].start_local"]),
    "a day that is none": (
        lambda e: put(e.sessions, [E.Session(start_local="2031-02-30T10:00", end_local="2031-02-30T11:00")]),
        ["sessions[0].end_local", "sessions[0].start_local"]),
    "a time with a zone": (
        lambda e: put(e.sessions, [E.Session(start_local="2031-02-20T10:00Z", end_local="2031-02-20T11:00")]),
        ["sessions[0].start_local"]),
    "a window that closes before it opens": (
        lambda e: e.registration_window.CopyFrom(window(20, 10)), ["registration_window.close_time"]),
    "negative limits": (
        lambda e: e.party_limits.CopyFrom(E.PartyLimits(min_size=-1, max_size=-2)),
        ["party_limits.max_size", "party_limits.min_size"]),
    "limits the wrong way round": (
        lambda e: e.party_limits.CopyFrom(E.PartyLimits(min_size=5, max_size=4)), ["party_limits.max_size"]),
    "a negative minimum": (lambda e: set_(e, minimum_to_start=-1), ["minimum_to_start"]),
    "an unknown promotion": (lambda e: set_(e.waitlist_policy, promotion=9), ["waitlist_policy.promotion"]),
    "an unknown party fit": (lambda e: set_(e.waitlist_policy, party_fit=-3), ["waitlist_policy.party_fit"]),
    "an unknown missed offer": (lambda e: set_(e.waitlist_policy, missed_offer=44), ["waitlist_policy.missed_offer"]),
    "passed over 0 times": (lambda e: set_(e.waitlist_policy, max_passed_over=0), ["waitlist_policy.max_passed_over"]),
    "a negative line": (lambda e: set_(e.waitlist_policy, waitlist_limit=-1), ["waitlist_policy.waitlist_limit"]),
    "a window of seconds": (
        lambda e: put(e.waitlist_policy.offer_rules, [E.OfferRule(answer_window=span(seconds=5))]),
        ["waitlist_policy.offer_rules[0].answer_window"]),
    "a quarter past 25": (
        lambda e: e.waitlist_policy.quiet_hours.CopyFrom(E.QuietHours(start_local="25:15", end_local="08:00")),
        ["waitlist_policy.quiet_hours.start_local"]),
    "a class in capitals": (lambda e: put(e.waitlist_policy.class_order, ["VIP"]), ["waitlist_policy.class_order[0]"]),
    "a link that is no link": (lambda e: set_(e.venue, link="javascript:alert(1)"), ["venue.link"]),
    "a question without text": (
        lambda e: put(e.questions, [E.Question(question_id="q1")]), ["questions[0].texts"]),
    "personal codes in every free text": (
        lambda e: coded_event(e),
        ["descriptions[0].text", "questions[0].texts[0].text", "sessions[0].note", "titles[0].text", "venue.address",
         "venue.display_name"], "coded"),
    "many faults at once": (
        lambda e: (set_(e, kind=99, time_zone="Mars/Olympus", minimum_to_start=-7), put(e.titles, [])),
        ["kind", "minimum_to_start", "time_zone", "titles"]),
}
REGISTRATIONS = {
    "empty": (lambda r: r.Clear(), ["answers", "contact", "members"]),
    "a contact without a name": (lambda r: set_(r.contact, display_name=""), ["contact.display_name"]),
    "a contact without a way to reach it": (lambda r: set_(r.contact, email=""), ["contact"]),
    "a name too long": (lambda r: set_(r.contact, display_name="ė" * 201), ["contact.display_name"]),
    "an address that is none": (lambda r: set_(r.contact, email="ona at example"), ["contact.email"]),
    "an address too long": (lambda r: set_(r.contact, email="a" * 300 + "@example.org"), ["contact.email"]),
    "a telephone that is none": (lambda r: set_(r.contact, phone="8-VISI-GERAI"), ["contact.phone"]),
    "a party of 0": (lambda r: put(r.members, []), ["members"]),
    "a head-count of 0": (lambda r: (put(r.members, []), r.head_count.SetInParent()), ["head_count"]),
    "negative heads": (
        lambda r: (put(r.members, []), set_(r.head_count, adults=-3, children=5)), ["head_count.adults"]),
    "too many heads": (
        lambda r: (put(r.members, []), set_(r.head_count, adults=600, children=600)), ["head_count"]),
    "huge heads": (
        lambda r: (put(r.members, []), set_(r.head_count, adults=2**31 - 1, children=2**31 - 1)),
        ["head_count.adults", "head_count.children"]),
    "members and heads": (lambda r: set_(r.head_count, adults=1), ["head_count"]),
    "too many members": (lambda r: put(r.members, [R.Member()] * 51), ["members"]),
    "born tomorrow, or long ago": (
        lambda r: put(r.members, [R.Member(birth_year=2999), R.Member(birth_year=1899), R.Member(birth_year=-1)]),
        [f"members[{i}].birth_year" for i in range(3)]),
    "unknown words": (
        lambda r: (set_(r, channel=42, on_behalf_of=43), put(r.members, [R.Member(sex=44)])),
        ["channel", "members[0].sex", "on_behalf_of"]),
    "a language that is none": (lambda r: set_(r, language="lietuvių"), ["language"]),
    "a wrong municipality": (lambda r: set_(r, municipality_code="Elektrėnai"), ["municipality_code"]),
    "a wrong role": (lambda r: put(r.members, [R.Member(role="Mama!")]), ["members[0].role"]),
    "a reference too long": (lambda r: put(r.members, [R.Member(person_ref="x" * 65)]), ["members[0].person_ref"]),
    "a wish twice": (lambda r: put(r.acceptable_pools, ["main", "main"]), ["acceptable_pools[1]"]),
    "too many wishes": (lambda r: put(r.acceptable_pools, [f"p{i}" for i in range(51)]), ["acceptable_pools"]),
    "negative wishes": (
        lambda r: set_(r.services, childcare_children=-1, rides=-1), ["services.childcare_children", "services.rides"]),
    "an answer to no question": (
        lambda r: put(r.answers, [R.Answer(question_id="q9", text="taip"), R.Answer(question_id="q1", text="t")]),
        ["answers[0].question_id"]),
    "an answer too long": (
        lambda r: put(r.answers, [R.Answer(question_id="q1", text="x" * 31)]), ["answers[0].text"]),
    "a required answer left out": (lambda r: put(r.answers, []), ["answers"]),
    "a personal code as a name": (lambda r: set_(r.contact, display_name=PERSONAL_CODE), ["contact.display_name"], "coded"),
    "personal codes in every free text": (
        lambda r: coded_registration(r),
        ["answers[0].text", "contact.display_name", "members[0].display_name", "members[0].person_ref"], "coded"),
}


def set_(message, **fields):
    for name, value in fields.items():
        setattr(message, name, value)


def put(repeated, values):
    """Replaces a list."""
    values = list(values)
    del repeated[:]
    repeated.extend(values)


def lt_only(language, text):
    return [common_pb2.LocalizedText(language=language, text=text)]


def window(opens, closes):
    out = E.RegistrationWindow()
    out.open_time.FromJsonString(f"2031-01-{opens}T07:00:00Z")
    out.close_time.FromJsonString(f"2031-01-{closes}T07:00:00Z")
    return out


def coded_event(e):
    put(e.titles, lt(CODED))
    put(e.descriptions, lt(CODED))
    set_(e.venue, display_name=CODED, address=CODED)
    e.sessions[0].note = CODED
    put(e.questions, [E.Question(question_id="q1", texts=lt(CODED))])


def coded_registration(r):
    r.contact.display_name = CODED
    put(r.members, [R.Member(display_name=CODED, person_ref=PERSONAL_CODE)])
    put(r.answers, [R.Answer(question_id="q1", text=CODED[:30])])


@pytest.fixture(scope="module")
def asking(world):
    """An event that asks one short question which must be answered."""
    question = E.Question(question_id="q1", texts=lt("Kada?"), required=True, max_length=30)
    return world.open(questions=[question])


def good_party():
    return party(2, answers=[R.Answer(question_id="q1", text="vakare")])


def must_refuse(world, method, fields, expected, coded=()):
    before = world.snapshot()
    refused = world.api.refused(method, **fields)
    assert refused.reason == ("PERSONAL_CODE_REFUSED" if coded else "INVALID_FIELDS"), refused
    assert refused.code.name == CODE
    assert refused.fields() == sorted(expected), refused
    assert refused.metadata["count"] == str(len(refused.fields())), refused
    assert refused.metadata["fields"].split(",") and PERSONAL_CODE not in str(refused.details)
    assert world.snapshot() == before, "a refusal stored something"


@pytest.mark.parametrize("case", EVENTS)
def test_an_event_that_cannot_be(world, case):
    change, expected, *coded = EVENTS[case]
    event = world.event()
    change(event)
    must_refuse(world, "CreateEvent", dict(event=event), [f"event.{path}" for path in expected], coded)


@pytest.mark.parametrize("case", REGISTRATIONS)
def test_a_sign_up_that_cannot_be(world, asking, case):
    change, expected, *coded = REGISTRATIONS[case]
    registration = good_party()
    change(registration)
    paths = [f"registration.{path}" for path in expected]
    must_refuse(world, "CreateRegistration", dict(parent=asking, registration=registration), paths, coded)
    assert world.counts(asking).applied_parties == 0


def test_a_correction_is_held_to_the_same_bounds(world):
    a = world.sign_up(world.open())
    before = world.get(a, view=R.REGISTRATION_VIEW_FULL)
    changes = R.Registration(
        name=a.name, contact=R.Contact(display_name=CODED, email="nope"), language="??",
        head_count=R.HeadCount(adults=-1))
    refused = world.api.refused(
        "UpdateRegistration", registration=changes, update_mask=mask("contact", "language", "head_count"))
    assert refused.reason == "PERSONAL_CODE_REFUSED"
    assert refused.fields() == [f"registration.{p}" for p in (
        "contact.display_name", "contact.email", "head_count.adults", "language")]
    assert world.get(a, view=R.REGISTRATION_VIEW_FULL) == before


def test_masks_name_fields_that_may_change(world):
    event = world.draft()
    a = world.sign_up(world.open())
    for method, message, bad in [
        ("UpdateEvent", dict(event=E.Event(name=event.name)), ["", "centre", "kind", "nothing", "*", "titles.0"]),
        ("UpdateRegistration", dict(registration=R.Registration(name=a.name)), ["state", "channel", "contact.email.x"]),
        ("UpdateCentre", dict(centre=admin_pb2.Centre(name=world.centre)), ["name", "etag"]),
    ]:
        for path in bad:
            paths = mask(path) if path else mask()
            refused = world.api.refused(method, update_mask=paths, **message)
            assert refused.reason == "INVALID_FIELDS", (method, path)
            assert all(f.startswith("update_mask") for f in refused.fields()), refused
    assert world.api.GetEvent(name=event.name).event == event


def test_wrong_names_are_told_by_their_fields(world):
    for method, field, bad in [
        ("GetEvent", "name", ["", "events/", "events/7", "centres/x", "events/" + "a" * 3000, "events/../etc"]),
        ("GetCentre", "name", ["", "centres/", "centres/Didelis", "centres/" + "a" * 41, "x"]),
        ("GetRegistration", "name", ["", "events/7/registrations/8", f"events/{new_id()}", "registrations/1"]),
        ("CreateRegistration", "parent", ["", "events/'; drop table events; --", f"events/{new_id()}/x"]),
        ("WatchEvent", "name", ["", "events/7"]),
    ]:
        for name in bad:
            fields = {field: name}
            if method == "CreateRegistration":
                fields["registration"] = good_party()
            if METHODS[method][1].server_streaming:
                refused = refused_stream(world, method, **fields)
            else:
                refused = world.api.refused(method, **fields)
            assert (refused.reason, refused.fields()) == ("INVALID_FIELDS", [field]), (method, name, refused)


def refused_stream(world, method, **fields):
    import grpc
    try:
        answers = list(world.api.watch(method, seconds=5, **fields))
    except grpc.RpcError as error:
        return Refused(method, error).audit()
    raise AssertionError(f"{method} was not refused: {answers}")


def test_centres_and_programmes_have_bounds_too(world):
    bad = centre(display_names=lt("a" * 201), municipality_code="", time_zone="Lietuva", languages=["LT"])
    paths = ["display_names[0].text", "languages[0]", "municipality_code", "time_zone"]
    must_refuse(world, "CreateCentre", dict(centre=bad), [f"centre.{p}" for p in paths])
    must_refuse(world, "CreateCentre", dict(centre=centre(), centre_id="Ąžuolas"), ["centre_id"])
    worse = programme(titles=[], kind=0, usual_session_count=-1, group_size_min=9, group_size_max=3,
                      usual_session_duration=span(hours=25),
                      attendance_rule=common_pb2.AttendanceRule(min_percent=101, makeup_sessions=51))
    paths = ["attendance_rule.makeup_sessions", "attendance_rule.min_percent", "group_size_max", "kind", "titles",
             "usual_session_count", "usual_session_duration"]
    must_refuse(world, "CreateProgramme", dict(programme=worse), [f"programme.{p}" for p in paths])
    must_refuse(world, "CreateCentre", dict(centre=centre(display_names=lt(CODED))),
                ["centre.display_names[0].text"], "coded")


def test_reasons_and_words_of_staff_are_bounded(world):
    a = world.sign_up(world.open())
    for method, fields, expected in [
        ("CancelEvent", dict(name=world.draft().name), ["reason"]),
        ("CancelEvent", dict(name=world.draft().name, reason="x" * 501), ["reason"]),
        ("SetRegistrationClass", dict(name=a.name), ["reason"]),
        ("SetRegistrationClass", dict(name=a.name, **{"class": "A B"}, reason="x" * 501), ["class", "reason"]),
        ("PromoteRegistration", dict(name=a.name, reason="x" * 501), ["reason"]),
        ("RejectRegistration", dict(name=a.name), ["reason"]),
        ("RejectRegistration", dict(name=a.name, reason=99), ["reason"]),
        ("CancelRegistration", dict(name=a.name, reason=99), ["reason"]),
        ("CopyEvent", dict(name=world.draft().name, first_session_date="rytoj"), ["first_session_date"]),
        ("ListEvents", dict(page_size=-1), ["page_size"]),
        ("ListCentres", dict(page_size=-(2**31)), ["page_size"]),
        ("ListRegistrations", dict(parent=world.open(), page_size=-1, view=9), ["page_size", "view"]),
    ]:
        must_refuse(world, method, fields, expected)
    for method, fields in [
        ("CancelEvent", dict(name=world.draft().name, reason=CODED)),
        ("SetRegistrationClass", dict(name=a.name, reason=CODED)),
        ("PromoteRegistration", dict(name=a.name, reason=CODED)),
    ]:
        must_refuse(world, method, fields, ["reason"], "coded")


# Bodies that are no messages: text that is not UTF-8 inside otherwise good ones, cut ones, and noise.
def broken_bodies(world, event):
    good = build("CreateRegistration", parent=event, registration=good_party())
    bytes_ = good.SerializeToString()
    name = good.registration.contact.display_name.encode()
    yield "CreateRegistration", bytes_.replace(name, b"\xff" * len(name))
    yield "CreateRegistration", bytes_.replace(b"vakare", b"vak\xc0\xafe"[:6])
    yield "CreateRegistration", bytes_[:-3]
    yield "CreateEvent", b"\x00" * 40
    yield "GetEvent", b"\x0a\xff\xff\xff\xff\x0f"
    yield "ListEvents", b"\x1a\x02\xed\xa0"
    for method in METHODS:
        if not METHODS[method][1].server_streaming:
            yield method, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"


def test_bytes_that_are_no_message_are_malformed_and_store_nothing(world, asking):
    before = world.snapshot()
    for method, body in broken_bodies(world, asking):
        with pytest.raises(Refused) as caught:
            world.api.raw(method, body)
        assert (caught.value.reason, caught.value.code.name) == ("MALFORMED_MESSAGE", CODE), (method, body)
    assert world.snapshot() == before


# Reports over everything are asked for by an empty body.
# Whoever reaches all centres leaves the centre out. Metrics are of the service.
NEEDS_A_REQUEST_ID = {"EraseDue"}
NEEDS_NOTHING = {"GetDemand", "GetWaitlistFunnel", "GetImbalance", "GetParticipation", "GetMetrics"}


def test_every_change_with_an_empty_body_names_what_it_needs(world):
    before = world.snapshot()
    for method, (_, descriptor) in METHODS.items():
        if descriptor.server_streaming or method in NEEDS_NOTHING or (
                method.startswith("List") and method not in {"ListPossibleDuplicates", "ListCorrections"}):
            continue
        refused = world.api.refused(method, message_class(method)())
        assert refused.reason == "INVALID_FIELDS", method
        needs = set(refused.fields())
        if "request_id" in message_class(method).DESCRIPTOR.fields_by_name:
            assert "request_id" in needs, method
        assert needs - {"request_id"} or method in NEEDS_A_REQUEST_ID, method
    assert world.snapshot() == before


def test_hostile_texts_are_only_texts(world):
    """Quotes, SQL, markup, zero bytes of other sorts, right-to-left and very wide characters come back as they went."""
    event = world.open(seats=100)
    for text in ["Robert'); drop table registrations;--", "<script>alert(1)</script>", "O’Brien \\ \" ' % _ {}",
                 "مرحبا‎", "👨‍👩‍👧‍👦" * 8, "a\u0301 ė Ǆ", "ﬀ ß İ ı"]:
        a = world.sign_up(event, contact=contact(text))
        assert world.get(a, view=R.REGISTRATION_VIEW_FULL).contact.display_name == text
    assert world.counts(event).applied_parties == 7


def test_control_characters_are_refused_or_kept_but_never_break_the_service(world):
    event = world.open(seats=100)
    for text in ["nulis\x00viduje", "\x00", "a\x07b", "eilutė\nnauja", "\x7f", "\u202eatpakalis"]:
        try:
            a = world.create(event, party(contact=contact(text))).registration
        except Refused as refused:
            assert refused.fields() == ["registration.contact.display_name"], refused
        else:
            assert world.get(a, view=R.REGISTRATION_VIEW_FULL).contact.display_name == text
