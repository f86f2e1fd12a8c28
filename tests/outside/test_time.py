"""What time does by itself: windows open and close, kept seats are released, offers and duplicates run out."""

import time

from words import (
    CONFIRMED, EXPIRED, OFFERED, WAITLISTED, E, after, party, pool)


def eventually(condition, seconds=8):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def test_sign_ups_are_taken_from_the_opening_to_the_closing_instant(world):
    window = E.RegistrationWindow(open_time=after(seconds=1), close_time=after(seconds=3))
    event = world.open(registration_window=window)
    assert world.api.refused("CreateRegistration", parent=event, registration=party()).reason == "REGISTRATION_NOT_OPEN"
    time.sleep(1.1)
    a = world.sign_up(event)
    assert a.state == CONFIRMED
    time.sleep(2)
    assert world.api.refused("CreateRegistration", parent=event, registration=party()).reason == "REGISTRATION_CLOSED"
    assert world.cancel(a).state != CONFIRMED, "cancelling is possible outside the window"


def test_kept_seats_open_to_everybody_at_their_time(world):
    pools = [pool("open", 1), pool("kept", 1, classes=["referral"], release_time=after(seconds=2))]
    event = world.open(seat_pools=pools)
    a, b = world.crowd(event, 1, 1)
    assert [a.state, b.state] == [CONFIRMED, WAITLISTED]
    eventually(lambda: world.get(b).state == CONFIRMED)
    assert world.get(b).pool_id == "kept"
    assert world.api.GetEvent(name=event).event.seat_pools[1].released


def test_a_missed_offer_under_leave_ends_the_registration(slow):
    first, second, third = slow.ended(E.MISSED_OFFER_LEAVE)
    assert (first.state, first.end_reason) == (EXPIRED, "OFFER_MISSED")
    assert [second.state, third.state] == [OFFERED, WAITLISTED]
    assert [refused.reason for refused in slow.late_answers] == ["OFFER_EXPIRED"] * 2


def test_a_missed_offer_under_keep_place_passes_the_seat_on_and_keeps_the_place(slow):
    first, second, third = slow.ended(E.MISSED_OFFER_KEEP_PLACE)
    assert [r.state for r in (first, second, third)] == [WAITLISTED, OFFERED, WAITLISTED]
    assert [r.position for r in (first, third)] == [1, 2]


def test_a_missed_offer_under_to_end_goes_behind_everybody(slow):
    first, second, third = slow.ended(E.MISSED_OFFER_TO_END)
    assert [r.state for r in (first, second, third)] == [WAITLISTED, OFFERED, WAITLISTED]
    assert [r.position for r in (third, first)] == [1, 2]


def test_a_duplicate_is_dropped_after_its_time(slow):
    slow.looking.join()
    assert (slow.gone_twin.state, slow.gone_twin.end_reason) == (EXPIRED, "DUPLICATE_DROPPED")


def test_a_seat_under_a_contact_corrected_to_a_taken_one_moves_on_after_its_time(slow):
    slow.looking.join()
    gone, waited = slow.after_the_drop
    assert (gone.state, gone.end_reason) == (EXPIRED, "DUPLICATE_DROPPED")
    assert waited.state == CONFIRMED


def test_a_quiet_stream_tells_that_it_is_alive(slow):
    slow.looking.join()
    first, *others = slow.quiet.messages
    assert not first.heartbeat and len(others) >= 3, "every 15 seconds"
    for message in others:
        assert message.heartbeat and not message.HasField("counts") and not message.pools
        assert message.journal_number == first.journal_number
    slow.quiet.stream.cancel()
