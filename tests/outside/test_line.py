"""The waiting line: freed seats, promotions, offers, classes, transfers, and why somebody stands where."""

from words import (
    CANCELLED, CONFIRMED, DECLINED, OFFERED, R, WAITLISTED, E, contact, lt, mask, offers, pool)

TRANSFERRED, EVENT_CANCELLED = R.REGISTRATION_STATE_TRANSFERRED, R.REGISTRATION_STATE_EVENT_CANCELLED
MANUAL = E.WaitlistPolicy(promotion=E.PROMOTION_MANUAL)


def test_a_cancelled_seat_goes_to_the_first_in_line_at_once(world):
    event = world.open(seats=2)
    a, b, c, d = world.crowd(event, 2, 2, 1, 1)
    gone = world.api.CancelRegistration(name=a.name, reason=R.CANCEL_REASON_CANNOT_COME).registration
    assert (gone.state, gone.end_reason, gone.position) == (CANCELLED, "CANNOT_COME", 0)
    assert world.states([b, c, d]) == [CONFIRMED, WAITLISTED, WAITLISTED]
    assert [world.get(r).position for r in (c, d)] == [1, 2]


def test_the_first_in_line_holds_until_the_whole_party_fits(world):
    event = world.open(seats=3)
    a, b, c, large, small = world.crowd(event, 1, 1, 1, 2, 1)
    world.cancel(a)
    assert world.states([large, small]) == [WAITLISTED, WAITLISTED]
    world.cancel(b)
    assert world.states([large, small]) == [CONFIRMED, WAITLISTED]
    assert world.states([c]) == [CONFIRMED]


def test_raised_capacity_and_shrunk_parties_move_the_line_in_the_same_call(world):
    event = world.open(seats=2)
    pair, one, two = world.crowd(event, 2, 1, 1)
    raised = world.update(event, seat_pools=[pool(capacity=3)])
    assert (raised.counts.confirmed_persons, raised.counts.waiting_parties) == (3, 1)
    smaller = R.Registration(name=pair.name, members=[R.Member()])
    assert world.api.UpdateRegistration(registration=smaller, update_mask=mask("members")).registration.party_size == 1
    assert world.states([pair, one, two]) == [CONFIRMED] * 3


def test_a_cut_throws_nobody_out_and_lets_nobody_in(world):
    event = world.open(seats=3)
    a, b, c, d = world.crowd(event, 1, 1, 1, 1)
    cut = world.update(event, seat_pools=[pool(capacity=1)])
    assert (cut.counts.over_capacity, cut.counts.free, cut.counts.confirmed_persons) == (2, 0, 3)
    world.cancel(a)
    world.cancel(b)
    assert world.states([c, d]) == [CONFIRMED, WAITLISTED]
    world.cancel(c)
    assert world.states([d]) == [CONFIRMED]


def test_a_larger_party_gets_free_seats_unless_somebody_has_a_right_to_them(world):
    event = world.open(seats=4)
    a = world.sign_up(event, 1)
    larger = R.Registration(name=a.name, members=[R.Member()] * 3)
    grown = world.api.UpdateRegistration(registration=larger, update_mask=mask("members")).registration
    assert (grown.state, grown.party_size, grown.accepted_number) == (CONFIRMED, 3, a.accepted_number)
    assert world.counts(event).free == 1


def test_a_correction_keeps_the_place(world):
    event = world.open(seats=1)
    _, a, b = world.crowd(event, 1, 1, 1)
    new = R.Registration(name=a.name, contact=contact("Nauja Pavardė", phone="+48 601 234 567"), language="pl")
    kept = world.api.UpdateRegistration(registration=new, update_mask=mask("contact", "language")).registration
    assert (kept.position, kept.accepted_number) == (1, a.accepted_number)
    full = world.get(a, view=R.REGISTRATION_VIEW_FULL)
    assert (full.contact.phone, full.language, full.contact.email) == ("+48 601 234 567", "pl", "")
    assert world.get(b).position == 2


def test_staff_choose_by_hand_and_say_why_when_out_of_order(world):
    event = world.open(seats=1, waitlist_policy=MANUAL)
    a, b, c = world.crowd(event, 1, 1, 1)
    world.cancel(a)
    assert world.states([b, c]) == [WAITLISTED, WAITLISTED]
    assert world.sign_up(event).state == WAITLISTED, "a free seat of a line is not a newcomer's"
    assert world.api.refused("PromoteRegistration", name=c.name).reason == "REASON_REQUIRED"
    chosen = world.api.PromoteRegistration(name=c.name, reason="skubus atvejis").registration
    assert (chosen.state, chosen.pool_id) == (CONFIRMED, "main")
    assert world.api.refused("PromoteRegistration", name=b.name).reason == "SEATS_NOT_FREE"


def test_an_offer_is_accepted_or_declined_and_moves_on(world):
    event = world.open(seats=1, waitlist_policy=offers())
    a, b, c, d = world.crowd(event, 1, 1, 1, 1)
    world.cancel(a)
    offered = world.get(b)
    assert offered.state == OFFERED and offered.offer_expire_time.seconds > 0 and offered.pool_id == "main"
    counts = world.counts(event)
    assert (counts.offered_parties, counts.offered_persons, counts.free) == (1, 1, 0)
    declined = world.api.DeclineOffer(name=b.name, reason=R.CANCEL_REASON_FOUND_ELSEWHERE).registration
    assert (declined.state, declined.end_reason) == (DECLINED, "FOUND_ELSEWHERE")
    assert world.states([c, d]) == [OFFERED, WAITLISTED]
    accepted = world.api.AcceptOffer(name=c.name).registration
    assert accepted.state == CONFIRMED and not accepted.HasField("offer_expire_time")
    assert world.api.refused("AcceptOffer", name=d.name).reason == "NO_LIVE_OFFER"


def test_a_class_goes_before_and_its_reason_is_never_answered(world):
    secret = "teismo įpareigojimas"
    event = world.open(seats=1, waitlist_policy=E.WaitlistPolicy(class_order=["mandated", "any"]))
    a, b, c = world.crowd(event, 1, 1, 1)
    moved = world.api.SetRegistrationClass(name=c.name, **{"class": "mandated"}, reason=secret).registration
    assert (moved.position, getattr(moved, "class")) == (1, "mandated")
    assert world.get(b).position == 2
    explained = world.api.ExplainRegistration(name=b.name)
    assert secret not in str(explained) and "mandated" not in str(explained)
    assert [p.accepted_number for p in explained.ahead] == [c.accepted_number]
    world.cancel(a)
    assert world.states([b, c]) == [WAITLISTED, CONFIRMED]


def test_kept_seats_are_for_their_class(world):
    pools = [pool("open", 1), pool("kept", 1, classes=["referral"])]
    event = world.open(seat_pools=pools)
    a, b = world.crowd(event, 1, 1)
    assert [a.state, b.state] == [CONFIRMED, WAITLISTED]
    assert world.counts(event).free == 1
    seated = world.api.SetRegistrationClass(name=b.name, **{"class": "referral"}, reason="siuntimas").registration
    assert (seated.state, seated.pool_id) == (CONFIRMED, "kept")


def test_a_transfer_moves_a_party_between_events_and_frees_its_seats(world):
    here, there = world.open(seats=1), world.open(seats=1)
    a, waits = world.crowd(here, 1, 1)
    preview = world.api.TransferRegistration(name=a.name, target_event=there, validate_only=True)
    assert preview.registration.state == CONFIRMED
    assert world.states([a, waits]) == [CONFIRMED, WAITLISTED]
    request = dict(name=a.name, target_event=there, request_id="11111111-2222-4333-8444-555555555555")
    moved = world.api.TransferRegistration(**request)
    assert (moved.registration.state, moved.source.state) == (CONFIRMED, TRANSFERRED)
    assert moved.registration.event == there and moved.source.transferred_to == moved.registration.name
    assert world.states([waits]) == [CONFIRMED]
    assert world.api.TransferRegistration(**request).SerializeToString() == moved.SerializeToString()
    full = world.get(moved.registration, view=R.REGISTRATION_VIEW_FULL)
    assert full.contact.email.endswith("@example.org")
    mine = world.get(moved.registration, management_token=moved.management_token)
    assert mine.name == moved.registration.name
    assert world.counts(there).confirmed_parties == 1 and world.counts(here).transferred_parties == 1


def test_a_transfer_that_the_target_refuses_leaves_both_as_they_were(world):
    here, there = world.open(seats=2), world.open(seats=1)
    pair = world.sign_up(here, 2)
    before = world.journal(here), world.journal(there)
    refused = world.api.refused("TransferRegistration", name=pair.name, target_event=there)
    assert refused.reason == "PARTY_LARGER_THAN_POOL"
    assert (world.journal(here), world.journal(there)) == before and world.states([pair]) == [CONFIRMED]


def test_a_place_in_line_is_explained_by_numbers_only(world):
    event = world.open(seats=2)
    pair = world.sign_up(event, 2, name="Slapta Slaptaitė")
    big = world.sign_up(event, 2, name="Kita Kitaitė")
    last = world.sign_up(event, 1)
    said = world.api.ExplainRegistration(name=last.name)
    assert (said.state, said.position, said.parties_before) == (WAITLISTED, 2, 1)
    assert [(p.accepted_number, p.party_size) for p in said.ahead] == [(big.accepted_number, 2)]
    assert said.accepted_number == last.accepted_number and said.policy_version == 1
    assert said.journal_number == world.journal(event)
    assert [s.kind for s in said.steps] == [R.STEP_KIND_RECEIVED, R.STEP_KIND_WAITLISTED] and said.steps[1].because
    assert said.needed.reason in (R.NEEDED_REASON_PARTIES_BEFORE, R.NEEDED_REASON_SEATS)
    assert said.needed.persons_before == 2
    assert {t.language for t in said.text} >= {"lt", "en"}
    assert "Slap" not in str(said) and "Kita" not in str(said)
    world.cancel(pair)
    world.cancel(big)
    after = world.api.ExplainRegistration(name=last.name)
    kinds = [s.kind for s in after.steps]
    assert kinds[-1] == R.STEP_KIND_CONFIRMED and after.needed.reason == R.NEEDED_REASON_NOTHING
    numbers = [s.journal_number for s in after.steps]
    assert numbers == sorted(numbers) and after.steps[-1].seats == 1


def test_a_cancelled_event_ends_every_live_registration(world):
    event = world.open(seats=1)
    parties = world.crowd(event, 1, 1, 1)
    gone = world.cancel(parties[0])
    called_off = world.api.CancelEvent(name=event, reason="Lektorius „susirgo“").event
    assert called_off.state == E.EVENT_STATE_CANCELLED and called_off.cancel_reason == "Lektorius „susirgo“"
    assert called_off.counts.event_cancelled_parties == 2
    assert world.states(parties) == [CANCELLED, EVENT_CANCELLED, EVENT_CANCELLED]
    assert gone.state == CANCELLED


def test_journal_numbers_are_dense_over_everything_that_happens_to_an_event(world):
    event = world.open(seats=1)
    start = world.journal(event)
    a, b = world.crowd(event, 1, 1)
    c = world.cancel(a)
    d = world.api.UpdateEvent(
        event=E.Event(name=event, titles=lt("Naujas pavadinimas")), update_mask=mask("titles")).event
    numbers = [a.journal_number, b.journal_number, c.journal_number, d.journal_number]
    assert numbers == sorted(set(numbers)) and numbers[0] > start
    assert numbers[-1] == world.journal(event)
