"""The nouns of the tests: centres, events, parties, and a World that opens events for them."""

import datetime
import itertools
import uuid

from client import Api
from eile.v1 import admin_pb2, common_pb2, events_pb2, registrations_pb2
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

E, R = events_pb2, registrations_pb2
IN_REVIEW, WAITLISTED, OFFERED, CONFIRMED = (
    R.REGISTRATION_STATE_IN_REVIEW, R.REGISTRATION_STATE_WAITLISTED, R.REGISTRATION_STATE_OFFERED,
    R.REGISTRATION_STATE_CONFIRMED)
CANCELLED, DECLINED, EXPIRED, REJECTED = (
    R.REGISTRATION_STATE_CANCELLED, R.REGISTRATION_STATE_DECLINED, R.REGISTRATION_STATE_EXPIRED,
    R.REGISTRATION_STATE_REJECTED)
FULL = R.REGISTRATION_VIEW_FULL
# A personal code of nobody: eleven digits that pass the checksum.
PERSONAL_CODE = "38703181745"

counter = itertools.count(1)


def new_id():
    return str(uuid.uuid4())


def lt(text, **others):
    """A text in Lithuanian, and perhaps in other languages."""
    texts = {"lt": text, **others}
    return [common_pb2.LocalizedText(language=k, text=v) for k, v in texts.items()]


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


def after(**span):
    """A timestamp that much after now."""
    at = timestamp_pb2.Timestamp()
    at.FromDatetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span))
    return at


def span(**parts):
    out = duration_pb2.Duration()
    out.FromTimedelta(datetime.timedelta(**parts))
    return out


def day(days):
    """The local date that many days from now."""
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()


def session(days=30, start="17:30", end="19:00", **fields):
    return E.Session(start_local=f"{day(days)}T{start}", end_local=f"{day(days)}T{end}", **fields)


def pool(pool_id="main", capacity=12, **fields):
    return E.SeatPool(pool_id=pool_id, **({} if capacity is None else {"capacity": capacity}), **fields)


def offers(window=None, **fields):
    """A policy that offers freed seats; no quiet hours, so that tests run at night too."""
    rule = E.OfferRule(answer_window=window or span(hours=1))
    no_night = E.QuietHours(start_local="00:00", end_local="00:00")
    return E.WaitlistPolicy(promotion=E.PROMOTION_OFFER, offer_rules=[rule], quiet_hours=no_night, **fields)


def contact(name=None, **fields):
    n = next(counter)
    if not fields:
        # Letters only: digits may happen to be a personal code.
        word = uuid.uuid4().hex[:8].translate(str.maketrans("0123456789", "ghijklmnop"))
        fields = {"email": f"party{n}.{word}@example.org"}
    return R.Contact(display_name=name or f"Vardenė Pavardenė {n}", **fields)


def party(size=1, name=None, **fields):
    """A sign-up of so many persons, with a contact of its own."""
    fields.setdefault("contact", contact(name))
    if "head_count" not in fields:
        fields.setdefault("members", [R.Member() for _ in range(size)])
    return R.Registration(**fields)


def centre(**fields):
    fields.setdefault("display_names", lt("Šeimų centras „Eilė“"))
    fields.setdefault("municipality_code", "42")
    return admin_pb2.Centre(**fields)


def programme(**fields):
    fields.setdefault("titles", lt("Pozityvi tėvystė"))
    fields.setdefault("kind", common_pb2.EVENT_KIND_COURSE)
    return admin_pb2.Programme(**fields)


def access_key(role, *centres, **fields):
    """An access key of a role, such as "coordinator", for these centres."""
    fields.setdefault("display_name", f"raktas: {role}")
    return admin_pb2.AccessKey(role=f"ROLE_{role.upper()}", centres=centres, **fields)


class World:
    """A centre, and short ways to say what tests say all the time. `key` is shown with every call."""

    def __init__(self, address, own_centre=True, key=None, credentials=None):
        self.address = address
        self.api = Api(address, key=key, credentials=credentials)
        self.portal = Api(address, vouches=False, key=key, credentials=credentials)
        self.centre = self.api.CreateCentre(centre=centre()).centre.name if own_centre else ""
        # Events in which something falls due by itself while the tests run.
        self.moved_by_time = set()

    @classmethod
    def visiting(cls, address):
        """For those who open no events."""
        return cls(address, own_centre=False)

    def event(self, seats=12, **fields):
        """The message of an event of this centre."""
        fields.setdefault("titles", lt("Mokymai tėvams"))
        fields.setdefault("kind", common_pb2.EVENT_KIND_COURSE)
        fields.setdefault("sessions", [session()])
        fields.setdefault("seat_pools", [pool(capacity=seats)])
        fields.setdefault("centre", self.centre)
        return E.Event(**fields)

    def draft(self, *args, **fields):
        return self.api.CreateEvent(event=self.event(*args, **fields)).event

    def open(self, *args, **fields):
        """Creates and publishes an event; answers its name."""
        name = self.draft(*args, **fields).name
        self.api.PublishEvent(name=name)
        return name

    def sign_up(self, event, *args, **fields):
        """Signs a party up; answers the registration with its token."""
        return self.create(event, party(*args, **fields)).registration

    def create(self, event, registration, **fields):
        return self.api.CreateRegistration(parent=event, registration=registration, **fields)

    def crowd(self, event, *sizes):
        return [self.sign_up(event, size) for size in sizes]

    def get(self, registration, **fields):
        name = getattr(registration, "name", registration)
        return self.api.GetRegistration(name=name, **fields).registration

    def states(self, registrations):
        return [self.get(r).state for r in registrations]

    def counts(self, event):
        return self.api.GetEvent(name=event).event.counts

    def journal(self, event):
        return self.api.GetEvent(name=event).event.journal_number

    def cancel(self, registration):
        return self.api.CancelRegistration(name=registration.name).registration

    def update(self, event, *paths, **fields):
        """Changes fields of an event by its mask."""
        message = E.Event(name=event, **fields)
        return self.api.UpdateEvent(event=message, update_mask=mask(*(paths or fields))).event

    def list_all(self, method, field, page_size=500, **fields):
        """Every page of a list."""
        found, token = [], ""
        while True:
            page = self.api.call(method, page_size=page_size, page_token=token, **fields)
            found += getattr(page, field)
            token = page.next_page_token
            if not token:
                return found

    def registrations(self, event, **fields):
        return self.list_all("ListRegistrations", "registrations", parent=event, **fields)

    def make_over(self, event):
        """Moves an event into the past, so that it can be closed."""
        past = E.Session(start_local="2025-01-07T17:30", end_local="2025-01-07T19:00")
        return self.update(event, sessions=[past])

    def snapshot(self):
        """Everything that lists answer: equal before and after a refusal. Without the events in which time itself does
        something, whoever is refused meanwhile."""
        events = [e for e in self.list_all("ListEvents", "events") if e.name not in self.moved_by_time]
        return (
            self.list_all("ListCentres", "centres"),
            self.list_all("ListProgrammes", "programmes"),
            events,
            [e.journal_number for e in events],
        )
