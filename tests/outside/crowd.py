"""Many callers at once, each on a connection of its own, who write down what they asked and what they heard."""

import random
import threading
import time

from client import Api, Refused, build
from words import CONFIRMED, OFFERED, WAITLISTED, R, mask, party

# A definite no: the change did not happen. Everything else that is not an answer is not known.
UNKNOWN = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN", "ABORTED"}


class Asked:
    """One request with its id, when it went out, when the answer came, and the answer."""

    def __init__(self, method, request):
        self.method, self.request = method, request
        self.called = self.returned = None
        self.answer = self.refusal = None
        self.refused_once = False

    def send(self, api):
        """Also again, as it was: what it does is ordered by its first call."""
        self.called = self.called or time.monotonic()
        self.refusal = None
        try:
            self.answer = api.call(self.method, self.request)
        except Refused as refused:
            self.refusal, self.refused_once = refused, True
        self.returned = time.monotonic()
        return self

    def is_unknown(self):
        return self.answer is None and (self.refusal is None or self.refusal.code.name in UNKNOWN)


def real_time_order_holds(asked):
    """What returned before another was asked has the smaller numbers: accepted number and journal number."""
    signed_up = [a for a in asked if a.answer and a.method == "CreateRegistration"]
    for number, calls in [
        (lambda a: a.answer.registration.accepted_number, signed_up),
        (lambda a: a.answer.registration.journal_number, [a for a in asked if a.answer]),
    ]:
        moments = [(a.returned, 1, a) for a in calls] + [(a.called, 0, a) for a in calls]
        highest = 0
        for _, is_return, a in sorted(moments, key=lambda m: m[:2]):
            if is_return:
                highest = max(highest, number(a))
            else:
                assert number(a) > highest, f"{a.method} has {number(a)} after {highest} had been answered"
        numbers = [number(a) for a in calls]
        assert len(set(numbers)) == len(numbers), "a number was given twice"


class Caller(threading.Thread):
    """Signs parties up, and now and then cancels or shrinks one of its own or answers its offer, until it is told to stop.
    Where it knows another way in, it sends there again what it does not know the outcome of."""

    def __init__(self, addresses, events, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.apis = [Api(address, timeout=5) for address in addresses]
        self.events, self.asked, self.own = events, [], []
        self.stop_asked = threading.Event()

    def run(self):
        while not self.stop_asked.is_set():
            asked = self._next()
            self.asked.append(asked)
            asked.send(self.random.choice(self.apis))
            if asked.is_unknown() and len(self.apis) == 1:
                return
            while asked.is_unknown() and not self.stop_asked.wait(0.02):
                asked.send(self.random.choice(self.apis))
            if asked.answer and asked.method == "CreateRegistration":
                self.own.append(asked.answer.registration)

    def _next(self):
        dice = self.random.random()
        if self.own and dice < 0.1:
            # Few hold an offer; the others hear so, which is an answer too.
            verb = self.random.choice(["AcceptOffer", "AcceptOffer", "DeclineOffer"])
            return Asked(verb, build(verb, name=self.random.choice(self.own).name))
        if self.own and dice < 0.2:
            gone = self.own.pop(self.random.randrange(len(self.own)))
            return Asked("CancelRegistration", build("CancelRegistration", name=gone.name))
        if self.own and dice < 0.3:
            small = R.Registration(name=self.random.choice(self.own).name, members=[R.Member()])
            return Asked("UpdateRegistration", build(
                "UpdateRegistration", registration=small, update_mask=mask("members")))
        # Most of them want the same event.
        event = self.events[0] if self.random.random() < 0.7 else self.random.choice(self.events)
        return Asked("CreateRegistration", build(
            "CreateRegistration", parent=event, registration=party(self.random.randint(1, 3))))

    def close(self):
        for api in self.apis:
            api.close()


def line_is_lawful(world, event, seats):
    """Whole parties, in order, never over capacity; nobody who waits was overtaken, nobody waits for nothing."""
    everybody = world.registrations(event)
    numbers = [r.accepted_number for r in everybody]
    assert len(set(numbers)) == len(numbers), "an accepted number was given twice"
    seated = [r for r in everybody if r.state in (CONFIRMED, OFFERED)]
    waiting = sorted((r for r in everybody if r.state == WAITLISTED), key=lambda r: r.position)
    held = sum(r.party_size for r in seated)
    counts = world.counts(event)
    assert held <= seats
    assert (counts.confirmed_persons + counts.offered_persons, counts.free) == (held, seats - held)
    assert (counts.waiting_parties, counts.applied_parties) == (len(waiting), len(everybody))
    assert [r.position for r in waiting] == list(range(1, len(waiting) + 1))
    line = [r.accepted_number for r in waiting]
    assert line == sorted(line), "the line is not in the order of the accepted numbers"
    if waiting:
        assert max((r.accepted_number for r in seated), default=0) < line[0], "somebody was overtaken"
        assert waiting[0].party_size > seats - held, "the first in line fits and waits"
    return everybody
