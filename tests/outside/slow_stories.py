"""Stories that take a minute, as the shortest window to answer an offer is one minute. They are begun before the
first test of a database and looked at a minute later, beside the other tests; test_time.py says how they must have
ended. A minute after that the next offers would have run out too."""

import threading

from client import Refused
from test_watch import Reader
from words import E, R, contact, mask, offers, party, span

MINUTE = span(minutes=1)
# The sweeper looks every second.
LOOK_AFTER_SECONDS = 64


class SlowStories:
    def __init__(self, world):
        self.world = world
        self.waiting = {what: self._offer(what) for what in (
            E.MISSED_OFFER_LEAVE, E.MISSED_OFFER_KEEP_PLACE, E.MISSED_OFFER_TO_END)}
        self.twin = self._twin()
        self.corrected = self._corrected()
        self.quiet = Reader(world.api.watch("WatchEvent", seconds=600, name=world.open()))
        self.seen, self.late_answers, self.gone_twin, self.after_the_drop = {}, [], None, []
        self.looking = threading.Timer(LOOK_AFTER_SECONDS, self._look)
        self.looking.daemon = True
        self.looking.start()

    def _open(self, **fields):
        event = self.world.open(**fields)
        self.world.moved_by_time.add(event)
        return event

    def _offer(self, what):
        """One seat, which is offered to the first of three who wait."""
        event = self._open(seats=1, waitlist_policy=offers(MINUTE, missed_offer=what))
        has, *waiting = self.world.crowd(event, 1, 1, 1, 1)
        self.world.cancel(has)
        return waiting

    def _twin(self):
        """A duplicate from a portal, to be dropped after a minute."""
        event = self._open(seats=5, waitlist_policy=E.WaitlistPolicy(duplicate_hold=MINUTE))
        who = contact()
        self.world.sign_up(event, contact=who)
        return self.world.portal.CreateRegistration(parent=event, registration=party(contact=who)).registration

    def _corrected(self):
        """Somebody with a seat who corrects to a contact that is taken, and the next in line."""
        event = self._open(seats=2, waitlist_policy=E.WaitlistPolicy(duplicate_hold=MINUTE))
        who = contact()
        self.world.sign_up(event, contact=who)
        seated, waits = self.world.create(event, party()), self.world.sign_up(event)
        self.world.portal.UpdateRegistration(
            registration=R.Registration(name=seated.registration.name, contact=who),
            update_mask=mask("contact"), management_token=seated.management_token)
        return [seated.registration, waits]

    def _look(self):
        for what, waiting in self.waiting.items():
            self.seen[what] = [self.world.get(r) for r in waiting]
        self.gone_twin = self.world.get(self.twin)
        self.after_the_drop = [self.world.get(r) for r in self.corrected]
        for method in ("AcceptOffer", "DeclineOffer"):
            try:
                self.world.api.call(method, name=self.waiting[E.MISSED_OFFER_LEAVE][0].name)
            except Refused as refused:
                self.late_answers.append(refused)

    def ended(self, what):
        """The three who waited, as they stood after the first of them had missed the offer."""
        self.looking.join()
        return self.seen[what]
