"""Stories that take a minute, as the shortest window to answer an offer is one minute. They are begun before the
first test of a database; test_time.py waits for what is left of the minute and looks at how they ended."""

import time

from test_watch import Reader
from words import E, contact, offers, party, span

MINUTE = span(minutes=1)


class SlowStories:
    def __init__(self, world):
        self.world = world
        self.missed = {what: self._offer(what) for what in (
            E.MISSED_OFFER_LEAVE, E.MISSED_OFFER_KEEP_PLACE, E.MISSED_OFFER_TO_END)}
        self.twin = self._twin()
        self.quiet = Reader(world.api.watch("WatchEvent", seconds=600, name=world.open()))
        self.begun = time.monotonic()

    def _offer(self, what):
        """One seat, which is offered to the first of three who wait."""
        event = self.world.open(seats=1, waitlist_policy=offers(MINUTE, missed_offer=what))
        has, *waiting = self.world.crowd(event, 1, 1, 1, 1)
        self.world.cancel(has)
        return waiting

    def _twin(self):
        """A duplicate from a portal, to be dropped after a minute."""
        event = self.world.open(seats=5, waitlist_policy=E.WaitlistPolicy(duplicate_hold=MINUTE))
        who = contact()
        self.world.sign_up(event, contact=who)
        return self.world.portal.CreateRegistration(parent=event, registration=party(contact=who)).registration

    def wait(self):
        """Until the minute is over and the sweeper, which looks every second, has passed."""
        time.sleep(max(0.0, self.begun + 63 - time.monotonic()))
