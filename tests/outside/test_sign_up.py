"""Signing up: what is asked, what is answered, what comes back unchanged."""

import pytest
from words import (
    CANCELLED, CONFIRMED, FULL, IN_REVIEW, R, REJECTED, WAITLISTED, E, contact, lt, mask, party, pool,
    session)


def test_a_party_gets_its_seats_and_hears_so(world):
    event = world.open(seats=12)
    answer = world.create(event, party(3))
    got = answer.registration
    assert (got.state, got.accepted_number, got.position, got.party_size) == (CONFIRMED, 1, 0, 3)
    assert got.event == event and got.name.startswith(f"{event}/registrations/")
    assert got.pool_id == "main" and got.journal_number == world.journal(event)
    assert len(answer.management_token) >= 32
    counts = world.counts(event)
    assert (counts.confirmed_persons, counts.confirmed_parties, counts.free) == (3, 1, 9)
    assert (counts.applied_parties, counts.applied_persons) == (1, 3)


def test_a_full_event_is_not_an_error_but_a_position(world):
    event = world.open(seats=2)
    states = [(r.state, r.position) for r in world.crowd(event, 2, 1, 2, 1)]
    assert states == [(CONFIRMED, 0), (WAITLISTED, 1), (WAITLISTED, 2), (WAITLISTED, 3)]
    counts = world.counts(event)
    assert (counts.waiting_parties, counts.waiting_persons, counts.free) == (3, 4, 0)


def test_a_newcomer_does_not_overtake_a_larger_party_that_waits(world):
    event = world.open(seats=3)
    first, second, third = world.crowd(event, 2, 2, 1)
    assert [first.state, second.state, third.state] == [CONFIRMED, WAITLISTED, WAITLISTED]
    assert world.counts(event).free == 1


def test_where_skipping_is_the_policy_the_first_that_fits_goes(world):
    policy = E.WaitlistPolicy(party_fit=E.PARTY_FIT_SKIP, max_passed_over=1)
    event = world.open(seats=3, waitlist_policy=policy)
    two, waits, fits = world.crowd(event, 2, 2, 1)
    assert [two.state, waits.state, fits.state] == [CONFIRMED, WAITLISTED, CONFIRMED]
    world.cancel(fits)
    assert world.sign_up(event, 1).state == WAITLISTED, "passed over once already: now the line holds"


def test_heads_are_counted_as_well_as_members(world):
    event = world.open(seats=40)
    got = world.sign_up(event, head_count=R.HeadCount(adults=4, children=30))
    assert (got.state, got.party_size) == (CONFIRMED, 34)


def test_everything_that_was_given_comes_back_unchanged(world):
    questions = [
        E.Question(question_id="diet", texts=lt("Ar yra „mitybos“ ypatumų?", en="Any diet?"), required=True),
        E.Question(question_id="bus", texts=lt("Iš kur važiuosite?")),
    ]
    event = world.open(
        seats=5, questions=questions, services_offered=E.ServicesOffered(childcare_places=5, rides=5),
        seat_pools=[pool("a", 5), pool("b", 5)])
    given = R.Registration(
        contact=R.Contact(display_name="Žymantė Kęsgailaitė-Łańcuszkowska", email=" Zyma@Example.org",
                          phone="8 612 34567"),
        language="uk", channel=R.CHANNEL_PHONE, on_behalf_of=R.ON_BEHALF_OF_WARD,
        members=[
            R.Member(display_name="Їванна Щеглова", birth_year=1987, sex=R.SEX_FEMALE, role="parent",
                     municipality_code="49", eldership_code="49-02", person_ref="kl-0017"),
            R.Member(display_name="Ėjus „Mažius“ O’Brien", birth_year=2019, sex=R.SEX_MALE, role="child"),
        ],
        acceptable_pools=["b", "a"], willing_elsewhere=True, municipality_code="79", eldership_code="79-11",
        services=R.ServiceWishes(childcare_children=1, rides=2),
        answers=[R.Answer(question_id="diet", text="Be riešutų – „labai“ svarbu: 🥜✗")])
    name = world.create(event, given).registration.name
    got = world.get(name, view=FULL)
    assert got.pool_id == "b" and got.create_time.seconds > 0
    for field in given.DESCRIPTOR.fields:
        value = getattr(given, field.name)
        if field.name in {f.name for f, _ in given.ListFields()}:
            if field.name == "members":
                assert all(member.person.startswith("persons/") for member in got.members)
                for member in got.members:
                    member.ClearField("person")
            assert getattr(got, field.name) == value, field.name
    basic = world.get(name)
    assert not basic.HasField("contact") and not basic.members and not basic.answers


def test_defaults_are_filled_in(world):
    event = world.open()
    got = world.get(world.sign_up(event), view=FULL)
    assert got.language == "lt"
    assert got.channel in (R.CHANNEL_WEB, R.CHANNEL_UNSPECIFIED)
    full = world.api.GetEvent(name=event).event
    assert full.time_zone == "Europe/Vilnius" and full.municipality_code == "42" and list(full.languages) == ["lt"]
    policy = full.waitlist_policy
    assert policy.version == 1 and policy.promotion == E.PROMOTION_AUTOMATIC and policy.party_fit == E.PARTY_FIT_HOLD
    assert policy.missed_offer == E.MISSED_OFFER_LEAVE and policy.registrations_per_contact == 1
    assert (policy.quiet_hours.start_local, policy.quiet_hours.end_local) == ("21:00", "08:00")
    assert [r.answer_window.seconds for r in policy.offer_rules if r.HasField("answer_window")] != []
    assert (full.party_limits.min_size, full.party_limits.max_size) == (1, 1000)


def test_staff_review_where_approval_is_required(world):
    event = world.open(seats=1, approval_required=True)
    a, b, c = world.crowd(event, 1, 1, 1)
    assert [r.state for r in (a, b, c)] == [IN_REVIEW] * 3
    assert world.counts(event).in_review_parties == 3
    assert world.api.ApproveRegistration(name=b.name).registration.state == CONFIRMED
    assert world.api.ApproveRegistration(name=a.name).registration.state == WAITLISTED
    rejected = world.api.RejectRegistration(name=c.name, reason=R.REJECT_REASON_OUTSIDE_AREA).registration
    assert (rejected.state, rejected.end_reason) == (REJECTED, "OUTSIDE_AREA")


def test_one_contact_has_one_place_however_it_is_written(world):
    event = world.open(seats=1)
    first = world.sign_up(event, contact=contact(email="Ona.Eile@Example.org", phone="8 612 00001"))
    again = [contact(email=" ona.eile@example.ORG "), contact(phone="+370 (612) 00-001")]
    for twin in again:
        refused = world.api.refused("CreateRegistration", parent=event, registration=party(contact=twin))
        assert refused.reason == "ALREADY_REGISTERED"
        assert refused.metadata["registration"] == first.name
    world.cancel(first)
    assert world.sign_up(event, contact=again[0]).state == CONFIRMED


def test_a_contest_takes_as_many_entries_of_a_contact_as_it_says(world):
    policy = E.WaitlistPolicy(registrations_per_contact=2)
    event = world.open(waitlist_policy=policy, seat_pools=[pool(capacity=None)])
    who = contact()
    assert [world.sign_up(event, contact=who).state for _ in range(2)] == [CONFIRMED] * 2
    assert world.api.refused("CreateRegistration", parent=event, registration=party(contact=who)).reason \
        == "ALREADY_REGISTERED"
    assert not world.counts(event).HasField("free")


def test_a_public_portal_never_learns_who_is_registered(world):
    event = world.open(seats=2)
    who = contact()
    twin_of = world.sign_up(event, contact=who)
    seated, first, second = [
        world.portal.CreateRegistration(parent=event, registration=party(contact=who)).registration for _ in range(3)]
    told = [(r.state, r.position, r.possible_duplicate) for r in (seated, first, second)]
    assert told == [(CONFIRMED, 0, False), (WAITLISTED, 1, False), (WAITLISTED, 2, False)], "as any newcomer"
    assert world.sign_up(event).position == 3 and world.counts(event).waiting_parties == 3
    assert all(world.get(r).possible_duplicate for r in (seated, first, second)), "staff see it"
    assert world.api.refused("PromoteRegistration", name=first.name).reason == "ILLEGAL_STATE"
    numbers = [world.journal(event)]
    world.cancel(twin_of)
    numbers.append(world.journal(event))
    assert not world.get(seated).possible_duplicate and world.get(first).possible_duplicate, "one has the contact now"
    assert [world.get(r).state for r in (first, second)] == [WAITLISTED] * 2, "the seat went past them"
    assert numbers[1] - numbers[0] == 2, "the end, and the seat: a mark goes without an entry of its own"


@pytest.mark.parametrize("seats, state", [(5, CONFIRMED), (1, WAITLISTED)])
def test_a_party_that_corrects_its_contact_to_a_taken_one_is_not_told(world, seats, state):
    event = world.open(seats=seats)
    who = contact()
    world.sign_up(event, contact=who)
    answers = []
    for corrected in (contact(), who):
        other = world.create(event, party())
        answer = world.portal.UpdateRegistration(
            registration=R.Registration(name=other.registration.name, contact=corrected),
            update_mask=mask("contact"), management_token=other.management_token).registration
        assert (answer.state, answer.possible_duplicate, answer.pool_id) == (state, False, other.registration.pool_id)
        assert answer.journal_number == other.registration.journal_number + 1
        answers.append(answer)
    assert [world.get(r).possible_duplicate for r in answers] == [False, True], "staff are told"
    # Staff who correct for somebody are told at once, and nothing changes.
    other = world.sign_up(event)
    refused = world.api.refused("UpdateRegistration", registration=R.Registration(name=other.name, contact=who),
                                update_mask=mask("contact"))
    assert refused.reason == "ALREADY_REGISTERED"
    assert not world.get(other).possible_duplicate


def test_the_party_acts_by_its_token_and_nobody_else_by_theirs(world):
    event = world.open()
    mine, other = world.create(event, party()), world.create(event, party())
    name = mine.registration.name
    assert world.get(name, management_token=mine.management_token).state == CONFIRMED
    for token in (other.management_token, "x" * 43, "-"):
        for method in ("GetRegistration", "ExplainRegistration", "CancelRegistration"):
            refused = world.api.refused(method, name=name, management_token=token)
            assert refused.reason == "TOKEN_INVALID", method
    gone = world.api.CancelRegistration(name=name, management_token=mine.management_token).registration
    assert gone.state == CANCELLED


@pytest.mark.parametrize("wished, got", [(["late"], "late"), (["late", "early"], "late"), ([], "early")])
def test_appointments_are_given_by_wish(world, wished, got):
    sessions = [session(session_id="s-early"), session(session_id="s-late", start="20:00", end="20:50")]
    pools = [pool("early", 1, session_id="s-early"), pool("late", 1, session_id="s-late")]
    event = world.open(sessions=sessions, seat_pools=pools)
    assert world.sign_up(event, acceptable_pools=wished).pool_id == got
