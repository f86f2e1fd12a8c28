"""Two centres whose every record carries words found nowhere else, and all the callers of the isolation matrix."""

import random
import string
import time
import uuid

from client import Api
from test_attendance import opened
from words import FULL, E, R, World, access_key, after, centre, lt, new_id, party, pool, programme

ROLES = ("portal", "leader", "psychologist", "coordinator", "head", "reporting", "national", "administrator", "operator")
# Those who may see the people of what they reach.
STAFF = ("leader", "psychologist", "coordinator", "head")
OFFICE = ("coordinator", "head")
REGISTRATIONS = ("mine", "spare", "waiting")


def canary():
    """A word that stands in one record and nowhere else."""
    return "zqx" + "".join(random.choices(string.ascii_lowercase, k=12))


class Party:
    """A registration with canaries in all that it says of people. `words` are for those who may see the party, `ids`
    are also told to jobs that follow the feed."""

    def __init__(self, world, event):
        name, email, member, said = (canary() for _ in range(4))
        sign_up = party(
            contact=R.Contact(display_name=name, email=f"{email}@example.org"),
            members=[R.Member(display_name=member)], answers=[R.Answer(question_id="q1", text=said)])
        made = world.create(event, sign_up)
        self.name, self.token, self.code = made.registration.name, made.management_token, made.check_in_code
        self.person = world.get(self.name, view=FULL).members[0].person
        self.ids = {self.name.split("/")[-1]}
        self.words = {name, email, member, said, self.person.split("/")[-1]}


class Event:
    """An event with three seats and four parties, one of whom waits."""

    def __init__(self, world):
        words = [canary() for _ in range(6)]
        title, text, place, address, question, seats = words
        self.name = opened(
            world, titles=lt(title), descriptions=lt(text), venue=E.Venue(display_name=place, address=address),
            questions=[E.Question(question_id="q1", texts=lt(question))], seat_pools=[pool(seats, 3)])
        self.ids, self.pool, self.words = {self.name.split("/")[-1]}, {seats}, set(words)
        self.parties = [Party(world, self.name) for _ in range(4)]
        self.mine, self.neighbour, self.spare, self.waiting = self.parties


class Site:
    """A centre with two events, one of last year for the figures, and a stored report."""

    def __init__(self, address, label):
        world = World(address, own_centre=False)
        chosen = f"{label}-{uuid.uuid4().hex[:8]}"
        self.centre = world.centre = world.api.CreateCentre(centre=centre(), centre_id=chosen).centre.name
        self.event, self.beside = Event(world), Event(world)
        self.past = world.open()
        world.crowd(self.past, 1, 2)
        world.make_over(self.past)
        title = canary()
        query = {"demand": {"scope": {"centre": self.centre}}}
        self.report = world.api.CreateReport(report={"title": title, "query": query}).report.name
        self.report_words = {title, self.report.split("/")[-1]}
        # Entered after the report was stored, so that it is among its corrections.
        world.api.LinkFamily(persons=[p.person for p in self.event.parties[:2]])
        self.programme, self.key = None, None

    def events(self):
        return (self.event, self.beside)


def damaged(token):
    """The same but for one letter."""
    return token[:20] + ("A" if token[20] != "A" else "B") + token[21:]


class Place:
    """What a request is about: the names that go into it."""

    def __init__(self, label, **names):
        self.label, self.names = label, names

    def __getattr__(self, name):
        return self.names[name]

    def but(self, label, **others):
        return Place(label, **{**self.names, **others})

    @classmethod
    def of(cls, label, site, event):
        return cls(
            label, centre=site.centre, event=event.name, past=site.past, mine=event.mine.name, spare=event.spare.name,
            waiting=event.waiting.name, code=event.mine.code, person=event.mine.person, report=site.report,
            programme=site.programme, key=site.key)

    def absent(self):
        """Names of the same shape and length that nothing has."""
        event = f"events/{new_id()}"
        names = {n: f"{event}/registrations/{new_id()}" for n in REGISTRATIONS}
        nowhere = "centres/" + "n" * len(self.centre.removeprefix("centres/"))
        return self.but(
            "absent", centre=nowhere, event=event, past=event, person=f"persons/{new_id()}",
            report=f"reports/{new_id()}", programme="programmes/nothing", key=f"accessKeys/{uuid.uuid4().hex[:16]}",
            **names)

    def malformed(self):
        names = {n: "events/../registrations/1" for n in REGISTRATIONS}
        return self.but(
            "malformed", centre="centres/NOT ONE", event="events/..", past="events/..", code="?", person="persons/0",
            report="reports/x", programme="programmes/?!", key="accessKeys/x", **names)

    def disguised(self):
        """The same event, written another way."""
        loud = lambda name: "/".join(part.upper() if len(part) == 36 else part for part in name.split("/"))
        return self.but("disguised", **{n: loud(self.names[n]) for n in ("event", *REGISTRATIONS)})

    def mixed(self, other):
        """The registration of another event under the name of this one."""
        name = f"{self.event}/registrations/{other.mine.split('/')[-1]}"
        return self.but("mixed", **{n: name for n in REGISTRATIONS})


class Caller:
    """Who calls. `role` is that of its key; `centres` and `events` are what it reaches, None being all of them; `token`
    says whose management token it sends, "own" or "neighbour's". Without role and token nobody lets it in."""

    def __init__(self, name, api, role=None, centres=(), events=None, token=None, locked_out=False):
        self.name, self.api, self.role, self.token, self.locked_out = name, api, role, token, locked_out
        self.centres, self.events = centres, events
        self.metadata = api.metadata

    def reaches_centre(self, centre):
        return self.centres is None or centre in self.centres

    @property
    def reaches_no_home(self):
        """Its key is sound, and reaches nothing of what the matrix asks about."""
        return self.name.endswith("of a third centre")

    def holds(self, place):
        """Whether it sends the token of the registration there."""
        return (self.token, place.label) in (("own", "own"), ("of here", "there"))

    def reaches(self, place):
        return self.reaches_centre(place.centre) and (self.events is None or place.event in self.events)


class House:
    """The service with both centres and every caller. It is open while it is furnished, and closed then."""

    def __init__(self, server):
        self.server = server
        self.here, self.there = Site(server.address, "here"), Site(server.address, "away")
        self.third = World(server.address).centre
        self._programmes()
        self.secrets, self.key_words = [], set()
        self.administrator = Api(server.address, key=self._first_key())
        for site in (self.here, self.there):
            site.key = self._key("portal", site.centre)[1]
        self.callers = [*self._without_a_key(), *self._with_a_key()]

    def _programmes(self):
        name = Api(self.server.address).CreateProgramme(programme=programme()).programme.name
        self.here.programme = self.there.programme = name

    def _first_key(self):
        made = Api(self.server.address).CreateAccessKey(access_key=self._worded("administrator"))
        self.secrets.append(made.secret)
        return made.secret

    def _worded(self, role, *centres, **fields):
        word = canary()
        self.key_words.add(word)
        return access_key(role, *centres, display_name=word, **fields)

    def _key(self, role, *centres, **fields):
        made = self.administrator.CreateAccessKey(access_key=self._worded(role, *centres, **fields))
        self.secrets.append(made.secret)
        return made.secret, made.access_key.name

    def _api(self, secret=None, metadata=()):
        return Api(self.server.address, key=secret, metadata=metadata)

    def _without_a_key(self):
        """Those who show none that counts, and those who show a token in its place."""
        sound, _ = self._key("coordinator", self.here.centre)
        forged = [
            ("eile-vouches", "yes"), ("eile-role", "staff"), ("x-centre", self.here.centre), ("eile-centre", self.here.centre),
            ("eile-key", "0" * 16), ("eile-person", new_id()), ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"), ("x-api-key", sound), ("cookie", f"authorization=Bearer {sound}"),
            ("proxy-authorization", f"Bearer {sound}"), ("authorization-bin", f"Bearer {sound}".encode()),
            ("x-forwarded-client-cert", "Hash=" + "0" * 64),
        ]
        revoked, name = self._key("coordinator", self.here.centre)
        self.administrator.RevokeAccessKey(name=name)
        unknown = f"eile_{'0' * 16}_{'A' * 43}"
        another = sound[:22] + unknown[22:]
        expired = self._expired()
        out = {
            "nobody": self._api(), "nobody, who says to be staff": self._api(metadata=forged),
            "an unknown key": self._api(unknown), "a key with another secret": self._api(another),
            "no key at all": self._api("x"),
            "a secret without a word before it": self._api(metadata=[("authorization", sound)]),
            "a revoked key": self._api(revoked), "an expired key": expired,
            "two keys": self._api(sound, [("authorization", f"Bearer {sound}")]),
        }
        for name, api in out.items():
            yield Caller(name, api, locked_out=True)
        yield Caller("the party beside an unknown key", self._api(unknown), token="own", locked_out=True)
        yield Caller("the party beside a revoked key", self._api(revoked), token="own", locked_out=True)
        yield Caller("the party beside an expired key", expired, token="own", locked_out=True)
        yield Caller("the party", self._api(), token="own")
        yield Caller("another party", self._api(), token="neighbour's")
        yield Caller("a party of another event", self._api(), token="of another event")
        yield Caller("a party of another centre", self._api(), token="of another centre")
        yield Caller("a party whose token is damaged", self._api(), token="damaged")

    def _expired(self):
        secret, _ = self._key("coordinator", self.here.centre, expire_time=after(seconds=1.5))
        api = self._api(secret)
        api.ListEvents(page_size=1)
        time.sleep(1.6)
        return api

    def _with_a_key(self):
        for site, label in ((self.here, "here"), (self.there, "there")):
            for role in ROLES[:-3]:
                yield self._of_site(role, site, f"{role} {label}")
        forged = [("eile-vouches", "yes"), ("eile-role", "staff"), ("x-centre", self.there.centre)]
        for role in ("portal", "reporting"):
            yield self._of_site(role, self.here, f"{role} here, that says to be staff", metadata=forged)
        yield self._of_site("portal", self.here, "portal here, for the party", token="own")
        yield self._of_site("portal", self.there, "portal there, for a party here", token="of here")
        yield self._of_site("coordinator", self.here, "coordinator here, with another's token", token="neighbour's")
        for role in ("portal", "coordinator", "head", "reporting"):
            yield Caller(f"{role} of a third centre", self._api(self._key(role, self.third)[0]), role, {self.third})
        for role in ("coordinator", "reporting"):
            secret, _ = self._key(role, self.here.centre, self.third)
            yield Caller(f"{role} of two centres", self._api(secret), role, {self.here.centre, self.third})
        for role in ("portal", "coordinator", "head", "reporting"):
            secret, _ = self._key(role, all_centres=True)
            yield Caller(f"{role} of all", self._api(secret), role, None)
        for role in ROLES[-3:]:
            yield Caller(role, self._api(self._key(role)[0]), role, None)

    def _of_site(self, role, site, name, token=None, metadata=()):
        events = [site.event.name] if role in ("leader", "psychologist") else []
        secret, _ = self._key(role, site.centre, events=events)
        return Caller(name, self._api(secret, metadata), role, {site.centre}, set(events) or None, token)

    def caller(self, name):
        return next(c for c in self.callers if c.name == name)

    def places(self, caller):
        """The targets of a caller by their labels."""
        home, away = (self.there, self.here) if caller.centres == {self.there.centre} else (self.here, self.there)
        own, beside = (Place.of(label, home, event) for label, event in zip(("own", "beside"), home.events()))
        there = Place.of("there", away, away.event)
        places = [own, beside, there, there.absent(), there.malformed(), there.disguised(), own.mixed(there),
                  own.but("unnamed", centre="")]
        return {place.label: place for place in places}

    def token(self, caller, registration):
        """The token that a caller sends for a registration: never one that it does not have."""
        event = self.here.event
        if caller.token is None:
            return ""
        elsewhere = {
            "neighbour's": event.neighbour.token, "of another event": self.here.beside.neighbour.token,
            "of another centre": self.there.event.neighbour.token, "damaged": damaged(event.mine.token),
        }
        if caller.token in elsewhere:
            return elsewhere[caller.token]
        return next((p.token for p in event.parties if p.name == registration), event.mine.token)

    def hidden_from(self, caller):
        """Every canary that this caller must never be told."""
        return self._all_words() - self._shown_to(caller)

    def _all_words(self):
        words = set(self.key_words)
        for site in (self.here, self.there):
            words |= site.report_words
            for event in site.events():
                words |= event.words | event.ids
                words = words.union(*(p.words | p.ids for p in event.parties))
        return words

    def _shown_to(self, caller):
        if caller.role == "administrator":
            # Keys of leaders name their events.
            return self.key_words | self.here.event.ids | self.there.event.ids
        if caller.role == "operator":
            return set()
        shown = self._own_of_the_party() if caller.token in ("own", "of here") and not caller.locked_out else set()
        for site in (self.here, self.there):
            if caller.role in OFFICE and caller.reaches_centre(site.centre):
                shown |= site.report_words
            for event in site.events():
                place = Place.of("", site, event)
                if caller.role and caller.reaches(place):
                    shown |= shown_of(event, caller.role)
        return shown

    def _own_of_the_party(self):
        event = self.here.event
        words = event.words | event.ids
        # With its tokens "the party" holds all registrations that the matrix asks about.
        return words.union(*(p.words | p.ids for p in (event.mine, event.spare, event.waiting)))


def shown_of(event, role):
    """What a role may see of an event that it reaches."""
    if role in STAFF:
        return (event.words | event.ids).union(*(p.words | p.ids for p in event.parties))
    if role == "portal":
        return event.words | event.ids
    if role == "reporting":
        # The feed names registrations and pools, and nobody.
        return (event.pool | event.ids).union(*(p.ids for p in event.parties))
    return event.ids
