"""Streams: the present state first, then what changes."""

import threading
import time

from words import CANCELLED, CONFIRMED, OFFERED, WAITLISTED, E, offers


class Reader:
    """Reads a stream in a thread of its own."""

    def __init__(self, stream):
        self.stream, self.messages, self.error, self.ended = stream, [], None, threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for message in self.stream:
                self.messages.append(message)
        except Exception as error:  # the test looks at it
            self.error = error
        self.ended.set()

    def until(self, condition, seconds=10):
        """Waits for a message that fulfils the condition."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := [m for m in self.messages if condition(m)]:
                return found[0]
            assert not self.ended.is_set(), f"the stream ended early: {self.error}"
            time.sleep(0.01)
        raise AssertionError(f"nothing fitting among {self.messages}")


def test_a_registration_is_watched_from_the_line_to_its_end(world):
    event = world.open(seats=1, waitlist_policy=offers())
    a, b, c = world.crowd(event, 1, 1, 1)
    reader = Reader(world.api.watch("WatchRegistration", name=c.name))
    first = reader.until(lambda m: True)
    assert (first.registration.state, first.registration.position, first.heartbeat) == (WAITLISTED, 2, False)
    world.cancel(b)
    reader.until(lambda m: m.registration.position == 1)
    world.cancel(a)
    reader.until(lambda m: m.registration.state == OFFERED)
    world.api.AcceptOffer(name=c.name)
    reader.until(lambda m: m.registration.state == CONFIRMED)
    world.cancel(c)
    reader.until(lambda m: m.registration.state == CANCELLED)
    assert reader.ended.wait(5) and reader.error is None, "the stream ends well with the registration"
    numbers = [m.journal_number for m in reader.messages]
    assert numbers == sorted(numbers)


def test_the_counts_of_an_event_are_watched(world):
    event = world.open(seats=2)
    reader = Reader(world.api.watch("WatchEvent", name=event))
    first = reader.until(lambda m: True)
    assert (first.state, first.counts.free, [p.pool_id for p in first.pools]) == (E.EVENT_STATE_PUBLISHED, 2, ["main"])
    world.crowd(event, 2, 1)
    seen = reader.until(lambda m: m.counts.waiting_parties == 1)
    assert (seen.counts.confirmed_persons, seen.counts.free, seen.pools[0].confirmed_persons) == (2, 0, 2)
    world.api.CancelEvent(name=event, reason="nevyks")
    reader.until(lambda m: m.state == E.EVENT_STATE_CANCELLED)
    numbers = [m.journal_number for m in reader.messages]
    assert numbers == sorted(numbers)
    reader.stream.cancel()


def test_many_watchers_see_the_same_end(world):
    event = world.open(seats=3)
    readers = [Reader(world.api.watch("WatchEvent", name=event)) for _ in range(20)]
    for reader in readers:
        reader.until(lambda m: True)
    world.crowd(event, *[1] * 10)
    number = world.journal(event)
    for reader in readers:
        assert reader.until(lambda m: m.journal_number >= number).counts.applied_parties == 10
        reader.stream.cancel()


def test_a_watch_that_is_left_does_not_hold_the_service_up(world):
    event = world.open(seats=1)
    for _ in range(100):
        stream = world.api.watch("WatchEvent", name=event)
        next(stream)
        stream.cancel()
    assert world.sign_up(event).state == CONFIRMED
