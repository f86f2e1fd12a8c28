"""Events, centres and programmes: life, lists, masks, etags, copies, local times, search."""

import datetime

import pytest
from eile.v1 import admin_pb2, common_pb2
from words import (
    CONFIRMED, FULL, PERSONAL_CODE, R, E, World, after, centre, contact, day, lt, mask, party, pool, programme, session)

DRAFT, PUBLISHED, COMPLETED = E.EVENT_STATE_DRAFT, E.EVENT_STATE_PUBLISHED, E.EVENT_STATE_COMPLETED


@pytest.fixture(scope="module")
def own(server):
    """A centre whose lists no other test fills."""
    return World(server.address)


def test_an_event_goes_from_draft_to_published_to_completed(world):
    event = world.draft()
    assert (event.state, event.journal_number) == (DRAFT, 1)
    published = world.api.PublishEvent(name=event.name).event
    assert (published.state, published.journal_number) == (PUBLISHED, 2)
    world.make_over(event.name)
    assert world.api.CompleteEvent(name=event.name).event.state == COMPLETED


def test_an_event_comes_back_as_it_was_given(world):
    given = world.event(
        titles=lt("„Žydėjimas“", en="Blossom", pl="Kwitnienie", ru="Цветение", uk="Цвітіння"),
        descriptions=lt("Ąčęėįšųūž „kabutės“ – brūkšnys\nnauja eilutė"), project_code="VS-2.1_a",
        venue=E.Venue(display_name="Kultūros centras", address="Rungos g. 6", link="https://example.org/ž?a=1"),
        municipality_code="79", sessions=[session(note="Pasiimkite „pledą“"), session(37, start="23:00", end="23:30")],
        minimum_to_start=6, languages=["lt", "uk"], join_midway=True,
        attendance_rule=common_pb2.AttendanceRule(min_percent=80, makeup_sessions=1),
        questions=[E.Question(question_id="q", texts=lt("Kaip „rasite“?"), max_length=77)])
    made = world.api.CreateEvent(event=given).event
    got = world.api.GetEvent(name=made.name).event
    assert got == made
    for field in ("titles", "descriptions", "project_code", "venue", "municipality_code", "minimum_to_start",
                  "languages", "join_midway", "attendance_rule", "questions"):
        assert getattr(got, field) == getattr(given, field), field
    assert [s.session_id for s in got.sessions] == ["s1", "s2"] and got.sessions[0].note == "Pasiimkite „pledą“"


def test_half_past_five_stays_half_past_five_across_the_clock_change(world):
    sessions = [E.Session(start_local=f"2031-{d}T17:30", end_local=f"2031-{d}T19:00") for d in ("03-27", "04-03")]
    got = world.draft(sessions=sessions)
    hours = [s.start_time.ToDatetime().hour for s in got.sessions]
    assert hours == [15, 14] and [s.start_local[-5:] for s in got.sessions] == ["17:30", "17:30"]
    twice = E.Session(start_local="2031-10-26T03:30", end_local="2031-10-26T05:00")
    got = world.draft(sessions=[twice])
    assert got.sessions[0].start_time.ToJsonString() == "2031-10-26T00:30:00Z", "the first of the two"


def test_a_mask_changes_what_it_names_and_nothing_else(world):
    before = world.draft(descriptions=lt("Senas"), minimum_to_start=3)
    changed = E.Event(name=before.name, titles=lt("Naujas"), minimum_to_start=9, project_code="X")
    after_ = world.api.UpdateEvent(event=changed, update_mask=mask("titles", "descriptions")).event
    assert (after_.titles[0].text, list(after_.descriptions)) == ("Naujas", [])
    assert (after_.minimum_to_start, after_.project_code) == (3, before.project_code)
    assert after_.etag != before.etag


def test_a_changed_policy_has_a_new_version(world):
    event = world.open(seats=1)
    waits = world.crowd(event, 1, 1)[1]
    policy = E.WaitlistPolicy(promotion=E.PROMOTION_MANUAL)
    assert world.update(event, waitlist_policy=policy).waitlist_policy.version == 2
    assert world.api.ExplainRegistration(name=waits.name).policy_version == 2


def test_an_etag_guards_against_changes_in_between(world):
    event = world.draft()
    fresh = world.api.UpdateEvent(
        event=E.Event(name=event.name, etag=event.etag, titles=lt("A")), update_mask=mask("titles")).event
    stale = E.Event(name=event.name, etag=event.etag, titles=lt("B"))
    refused = world.api.refused("UpdateEvent", event=stale, update_mask=mask("titles"))
    assert (refused.reason, refused.metadata["etag"]) == ("ETAG_MISMATCH", fresh.etag)
    assert world.api.refused("PublishEvent", name=event.name, etag=event.etag).reason == "ETAG_MISMATCH"
    published = world.api.PublishEvent(name=event.name, etag=fresh.etag).event
    world.sign_up(event.name)
    assert world.api.GetEvent(name=event.name).event.etag == published.etag, "sign-ups do not touch the settings"
    name = world.api.CreateCentre(centre=centre()).centre.name
    stale = admin_pb2.Centre(name=name, etag='"999"', languages=["pl"])
    assert world.api.refused("UpdateCentre", centre=stale, update_mask=mask("languages")).reason == "ETAG_MISMATCH"


def test_a_copy_takes_the_settings_to_another_day_and_never_the_people(world):
    sessions = [session(30), session(37)]
    event = world.open(
        seats=3, sessions=sessions, waitlist_policy=E.WaitlistPolicy(class_order=["first"]),
        seat_pools=[pool("open", 3), pool("kept", 2, classes=["first"], release_time=after(days=20))])
    world.crowd(event, 3, 1)
    source = world.api.GetEvent(name=event).event
    other = world.api.CreateCentre(centre=centre(municipality_code="49")).centre.name
    copy = world.api.CopyEvent(name=event, centre=other, first_session_date=day(130)).event
    assert (copy.state, copy.centre, copy.counts.applied_parties) == (DRAFT, other, 0)
    assert [s.start_local for s in copy.sessions] == [f"{day(130)}T17:30", f"{day(137)}T17:30"]
    assert copy.titles == source.titles and copy.waitlist_policy == source.waitlist_policy
    assert [(p.pool_id, p.capacity) for p in copy.seat_pools] == [("open", 3), ("kept", 2)]
    moved = copy.seat_pools[1].release_time.seconds - source.seat_pools[1].release_time.seconds
    assert abs(moved - datetime.timedelta(days=100).total_seconds()) <= 3600, "local times kept"


def test_a_programme_gives_its_events_what_they_leave_out(world):
    rule = common_pb2.AttendanceRule(min_percent=75)
    name = world.api.CreateProgramme(
        programme=programme(kind=common_pb2.EVENT_KIND_OPEN_GROUP, project_code="PR-7", attendance_rule=rule)).programme.name
    event = world.event(programme=name)
    event.kind = 0
    got = world.api.CreateEvent(event=event).event
    assert (got.kind, got.project_code, got.attendance_rule) == (common_pb2.EVENT_KIND_OPEN_GROUP, "PR-7", rule)


def test_events_are_filtered_by_what_is_documented(own):
    course = own.api.CreateProgramme(programme=programme()).programme.name
    kept = own.open(seats=1, programme=course, municipality_code="62", sessions=[session(50)])
    own.sign_up(kept)
    draft = own.draft(kind=common_pb2.EVENT_KIND_CONTEST, sessions=[session(60)]).name
    free = own.open(seats=1, sessions=[session(70)])

    def found(*terms):
        terms = [f'centre = "{own.centre}"', *terms]
        return [e.name for e in own.list_all("ListEvents", "events", filter=" AND ".join(terms))]

    assert found() == [kept, draft, free], "in order of their first session"
    assert found("state = PUBLISHED") == [kept, free]
    assert found("state != PUBLISHED") == [draft]
    assert found("has_free_seats = false") == [kept]
    assert found("has_free_seats = true", "state = PUBLISHED") == [free]
    assert found("kind = CONTEST") == [draft]
    assert found(f'programme = "{course}"') == [kept]
    assert found("municipality = 62") == [kept] and found("municipality != 62") == [draft, free]
    assert found(f'start_time >= "{day(55)}T00:00:00Z"', f'start_time < "{day(65)}T00:00:00Z"') == [draft]


@pytest.mark.parametrize("text", [
    "state", "state =", "= DRAFT", "colour = red", "state = SLEEPING", "state > DRAFT", "state = DRAFT OR state = X",
    'centre = "centres/elk', "start_time >= yesterday", "has_free_seats = maybe", "(state = DRAFT)",
    " AND ".join(["state = DRAFT"] * 21), "state = DRAFT AND", "\"' or 1=1 --",
])
def test_filters_outside_the_grammar_are_refused_with_the_place(world, text):
    refused = world.api.refused("ListEvents", filter=text)
    assert refused.reason == "FILTER_INVALID", refused
    assert 0 <= int(refused.metadata["offset"]) <= len(text)


def test_pages_show_everything_once(own):
    for _ in range(7):
        own.draft()
    query = f'centre = "{own.centre}"'
    whole = [e.name for e in own.list_all("ListEvents", "events", filter=query)]
    for size in (1, 3, 500, 100_000):
        assert [e.name for e in own.list_all("ListEvents", "events", page_size=size, filter=query)] == whole
    assert len(whole) == len(set(whole)) >= 7
    event = own.open(seats=4)
    own.crowd(event, *[1] * 9)
    for order in ("", "line", "name", "time"):
        whole = [r.name for r in own.registrations(event, order_by=order)]
        assert len(set(whole)) == 9
        assert [r.name for r in own.registrations(event, page_size=2, order_by=order)] == whole, order


def test_a_page_token_belongs_to_its_query(own):
    for _ in range(3):
        own.draft()
    event = own.open(seats=4)
    own.crowd(event, 1, 1, 1)
    own.api.CreateCentre(centre=centre())
    events = own.api.ListEvents(page_size=1).next_page_token
    parties = own.api.ListRegistrations(parent=event, page_size=1).next_page_token
    for method, fields in [
        ("ListEvents", dict(page_token=events, filter="state = DRAFT")),
        ("ListEvents", dict(page_token=parties)),
        ("ListEvents", dict(page_token="nonsense")),
        ("ListEvents", dict(page_token=events[:-2] + "AA")),
        ("ListEvents", dict(page_token="x" * 4000)),
        ("ListCentres", dict(page_token=events)),
        ("ListProgrammes", dict(page_token=events)),
        ("ListRegistrations", dict(parent=event, page_token=events)),
        ("ListRegistrations", dict(parent=event, page_token=parties, order_by="name")),
        ("ListRegistrations", dict(parent=own.open(), page_token=parties)),
    ]:
        assert own.api.refused(method, **fields).reason == "PAGE_TOKEN_INVALID", (method, fields)


def test_people_are_found_without_case_and_diacritics(world):
    event = world.open(seats=3)
    names = ["Žymantė Kęsgailaitė", "Łucja Łańcuszkowska", "Їванна Щеглова", "Ona Petraitienė", "Zita Ąžuolienė"]
    for i, name in enumerate(names):
        world.sign_up(event, contact=R.Contact(display_name=name, email=f"p{i}@example.org", phone=f"8 612 3370{i}"))

    def found(filter_, **fields):
        listed = world.registrations(event, filter=filter_, view=FULL, **fields)
        return sorted(names.index(r.contact.display_name) for r in listed)

    for query, expected in [
        ("zymante", [0]), ("KESGAIL", [0]), ("lancuszkowska lucja", [1]), ("щеглова", [2]), ("ЇВАННА", [2]),
        ("azuol", [4]), ("p3@example.org", [3]), ("P3@EXAMPLE", [3]), ("ona zymante", []), ("niekas", []),
    ]:
        assert found(f'search : "{query}"') == expected, query
    assert found("state = WAITLISTED") == [3, 4]
    assert found('state = CONFIRMED AND search : "e"') == [0, 1, 2]
    by_name = [r.contact.display_name for r in world.registrations(event, order_by="name", view=FULL)]
    assert by_name[0].startswith("Łucja") and by_name[1].startswith("Ona"), by_name
    in_time = [r.accepted_number for r in world.registrations(event, order_by="time")]
    assert in_time == sorted(in_time)


def test_registrations_are_filtered_by_what_is_documented(world):
    event = world.open(seat_pools=[pool("a", 1), pool("b", 1)], waitlist_policy=E.WaitlistPolicy(class_order=["first"]))
    a = world.sign_up(event, channel=R.CHANNEL_PHONE, language="pl", municipality_code="42")
    b = world.sign_up(event, channel=R.CHANNEL_WEB, language="lt", municipality_code="49")
    c = world.sign_up(event, channel=R.CHANNEL_PHONE)
    world.api.SetRegistrationClass(name=c.name, **{"class": "first"}, reason="nes")
    everybody = {a.name: "a", b.name: "b", c.name: "c"}
    for query, expected in [
        ("channel = PHONE", "ac"), ("channel != PHONE", "b"), ("language = pl", "a"), ("municipality = 49", "b"),
        ("pool = b", "b"), ('pool = ""', "c"), ("class = first", "c"), ('class = ""', "ab"),
        ("state != WAITLISTED AND language != pl", "b"),
    ]:
        found = "".join(sorted(everybody[r.name] for r in world.registrations(event, filter=query)))
        assert found == expected, query
    assert world.api.refused("ListRegistrations", parent=event, filter="name = x").reason == "FILTER_INVALID"
    assert world.api.refused("ListRegistrations", parent=event, order_by="luck").reason == "FILTER_INVALID"


def test_numbers_that_are_no_personal_codes_are_welcome(world):
    almost = PERSONAL_CODE[:-1] + "6"
    a = world.create(world.open(), party(contact=contact(f"Byla {almost}, tel. +370 612 34567"))).registration
    assert a.state == CONFIRMED
