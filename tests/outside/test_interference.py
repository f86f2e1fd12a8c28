"""Two services that differ only in who the other families are answer a public portal alike, to the byte.

All else is the same: how many there are, in which order, of what size. What is put aside before bytes are compared: ids and
tokens, which are random in every installation, and moments, which are those of the clock. Ids are replaced by their numbers
in the order of appearance, so that who is named twice is still named twice.

Then the harder one: in one of the two, the other families have the very addresses that the portal signs up. That shows
nowhere either: no answer, code, place, count or journal number differs. Left out is what P3 says must differ, and SECURITY.md
says so: no seat is given back here that would go to whoever is marked as a possible duplicate, and the day after which they are
dropped does not pass.
"""

import collections
import random
import re
import time

import house
import pytest
from client import Api, build
from google.protobuf import timestamp_pb2
from words import FULL, R, access_key, lt, mask, new_id, offers, party, pool, session
from words import World as Nouns

REQUESTS_MAX, SECONDS = 10_000, 30
UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def address(word, n):
    return f"{word}{n}@example.org"


class Service:
    """One of the two. `word` stands in the addresses of the other families."""

    def __init__(self, server, word):
        self.server = server
        nouns = Nouns(server.address)
        # On days of their own, so that lists have them in one order.
        terms = [{}, {"waitlist_policy": offers()}, {"seat_pools": [pool("a", 2), pool("b", 1)]}]
        self.full = [nouns.open(seats=3, titles=lt(f"Pilna {n}"), sessions=[session(30 + n)], **more)
                     for n, more in enumerate(terms)]
        self.free = nouns.open(seats=100_000, titles=lt("Laisva"), sessions=[session(40)])
        # Some seats, so that a party may be too large for those that are left, and holds them.
        self.tight = nouns.open(seats=6, titles=lt("Ankšta"), sessions=[session(42)])
        self.draft = nouns.draft(titles=lt("Juodraštis"), sessions=[session(41)]).name
        for event in self.full:
            for n in range(12):
                self.family(nouns, event, n, word)
        for n in range(20):
            self.family(nouns, self.free, n, word)
        self.family(nouns, self.tight, 0, word)
        secret = nouns.api.CreateAccessKey(access_key=access_key("administrator")).secret
        key = access_key("portal", nouns.centre)
        made = Api(server.address, key=secret).CreateAccessKey(access_key=key)
        self.portal, self.party = Api(server.address, key=made.secret), Api(server.address)
        self.centre = nouns.centre
        self.made, self.ids = [], {}

    def family(self, nouns, event, n, word):
        """Of the same length and size in both, so that no sum betrays it."""
        contact = R.Contact(display_name=f"{word:6} {n:02}", email=address(word, n))
        nouns.create(event, party(1 + n % 2, contact=contact))

    def event(self, which):
        return {"free": self.free, "draft": self.draft, "tight": self.tight}.get(which) or self.full[which]

    def told(self, outcome):
        """What was told, with all that differs for good reason put aside."""
        for answer in outcome.answers:
            self.put_aside(answer)
        told = outcome.bytes() if outcome.answers else self.no(outcome)
        return UUID.sub(self.number, told)

    @staticmethod
    def no(outcome):
        """A refusal. Its facts are a map, which has no order on the wire."""
        refused = outcome.refused
        others = [d for d in refused.details if d is not refused.info]
        sent = [pair for pair in outcome.sent_along if pair[0] != "grpc-status-details-bin"]
        facts = [outcome.code.name, refused.message, refused.reason, sorted(refused.metadata.items()), sent]
        return b"\n".join([repr(facts).encode(), *(d.SerializeToString(deterministic=True) for d in others)])

    def number(self, found):
        return b"#%035d" % self.ids.setdefault(found[0], len(self.ids))

    def put_aside(self, message):
        for field, value in message.ListFields():
            if field.name in ("management_token", "check_in_code", "next_page_token") and value:
                setattr(message, field.name, "*" * len(value))
            elif field.message_type and field.message_type is timestamp_pb2.Timestamp.DESCRIPTOR:
                self.at(value)
            elif field.message_type and not field.message_type.GetOptions().map_entry:
                for each in value if field.is_repeated else [value]:
                    self.put_aside(each)

    @staticmethod
    def at(moment):
        """Those of the last minutes and the next hours are the clock's; others are the event's."""
        if abs(moment.seconds - time.time()) < 7200:
            moment.seconds, moment.nanos = 1, 0


class Player:
    """Asks both the same, and keeps what came of it."""

    def __init__(self, services):
        self.services = services
        self.asked, self.heard = collections.Counter(), collections.Counter()
        # The events of its registrations, in the order in which they were made.
        self.made = []

    def play(self):
        begun = time.monotonic()
        while self.asked.total() < REQUESTS_MAX and time.monotonic() - begun < SECONDS:
            method, api, ask = random.choice(MOVES)(self)
            requests = [build(method, **ask(service)) for service in self.services]
            fields = requests[0].DESCRIPTOR.fields_by_name
            if "request_id" in fields:
                requests[1].request_id = requests[0].request_id
            calls = [getattr(s, api).begin(method, r) for s, r in zip(self.services, requests)]
            outcomes = [call() for call in calls]
            if method == "CreateRegistration" and not requests[0].validate_only and outcomes[0].answers:
                self.keep(requests, outcomes)
            if method == "UpdateRegistration" and outcomes[0].answers:
                self.keep_tokens(outcomes)
            one, other = (service.told(outcome) for service, outcome in zip(self.services, outcomes))
            self.asked[method] += 1
            self.heard[outcomes[0].reason or "OK"] += 1
            assert one == other, f"{requests[0]}\n{outcomes[0]}\n{outcomes[1]}\n{one}\n{other}"

    def keep(self, requests, outcomes):
        for service, outcome in zip(self.services, outcomes):
            answer = outcome.answers[0]
            service.made.append((answer.registration.name, answer.management_token))
        first = self.services[0]
        named = {first.free: "free", first.tight: "tight"}
        self.made.append(named.get(requests[0].parent) or first.full.index(requests[0].parent))

    def keep_tokens(self, outcomes):
        """Another contact ended the tokens before."""
        for service, outcome in zip(self.services, outcomes):
            name, token = outcome.answers[0].registration.name, outcome.answers[0].management_token
            service.made = [(n, token if token and n == name else t) for n, t in service.made]

    # Whom and what it asks about.

    def any_event(self):
        return random.choice((0, 0, 1, 2, "free", "tight", "draft"))

    @staticmethod
    def contact():
        """An address of the portal's users, often such as other families have in one of the two."""
        return "portal", random.randrange(30)

    def sign_up(self):
        which, size, tried = self.any_event(), random.randint(1, 3), random.random() < 0.2
        word, n = self.contact()
        contact = {"display_name": f"Vardenė {n}", "email": address(word, n)}
        ask = lambda s: dict(parent=s.event(which), registration=party(size, contact=R.Contact(**contact)), validate_only=tried)
        return "CreateRegistration", "portal", ask

    def of_its_own(self, method, change=None, to=None, stays=False, **more):
        mine = [i for i, where in enumerate(self.made) if not (stays and where == "tight")]
        if not mine:
            return self.sign_up()
        i, api, honest = random.choice(mine), random.choice(("portal", "party")), random.random() < 0.8
        changed = change(self.made[i]) if change else None

        def ask(service):
            name, token = service.made[i]
            token = token if honest else "A" * len(token)
            named = {"registration": R.Registration(name=name, **changed)} if changed else {"name": name}
            target = {} if to is None else {"target_event": service.event(to)}
            return {**named, "management_token": token, **target, **more}

        return method, api, ask

    def look(self):
        return self.of_its_own("GetRegistration", view=random.choice((0, FULL)))

    def explain(self):
        return self.of_its_own("ExplainRegistration")

    def watch(self):
        return self.of_its_own("WatchRegistration")

    def accept(self):
        return self.of_its_own(random.choice(("AcceptOffer", "DeclineOffer")))

    def correct(self):
        if random.random() < 0.5:
            said = random.choice(("lt", "pl"))
            return self.of_its_own("UpdateRegistration", lambda _: {"language": said}, update_mask=mask("language"))
        return self.of_its_own("UpdateRegistration", self.another_contact, update_mask=mask("contact"))

    def another_contact(self, _):
        word, n = self.contact()
        return {"contact": R.Contact(display_name=f"Vardenė {n}", email=address(word, n))}

    def leave(self):
        """Nobody leaves where a party that is too large holds seats: they would go to those behind it."""
        return self.of_its_own("CancelRegistration", stays=True) if random.random() < 0.3 else self.look()

    def move(self):
        return self.of_its_own("TransferRegistration", to=self.any_event(), stays=True) if random.random() < 0.3 else self.look()

    def guess(self):
        """A registration of nobody, in an event that is there."""
        which, name = self.any_event(), f"/registrations/{new_id()}"
        return "GetRegistration", "portal", lambda s: {"name": s.event(which) + name, "management_token": "A" * 43}

    def event(self):
        which, method = self.any_event(), random.choice(("GetEvent", "WatchEvent", "GetEventCounts"))
        field = "event" if method == "GetEventCounts" else "name"
        return method, "portal", lambda s: {field: s.event(which)}

    def listed(self):
        method, size = random.choice(("ListEvents", "ListEventCounts", "ListCentres")), random.randint(1, 5)
        return method, "portal", lambda s: {"page_size": size}

    def forbidden(self):
        which, method = self.any_event(), random.choice(("ListRegistrations", "GetRoster", "GetCompletion"))
        return method, "portal", lambda s: {"parent": s.event(which)}


MOVES = [
    *[Player.sign_up] * 5, *[Player.look] * 4, Player.explain, Player.watch, Player.accept, Player.correct, Player.leave,
    Player.move, Player.guess, *[Player.event] * 2, Player.listed, Player.forbidden,
]


@pytest.fixture
def two_servers(binary, new_database):
    servers = [house.Server(binary, new_database()).start() for _ in range(2)]
    yield servers
    for server in servers:
        server.remove()


def played(services, kind):
    random.seed(4)
    player = Player(services)
    player.play()
    print(f"\n{kind}: {player.asked.total()} requests answered alike: {dict(player.asked)}; {dict(player.heard)}")
    assert player.asked.total() > 500 and player.heard["OK"] > 200
    assert {"TOKEN_INVALID", "ROLE_NOT_ALLOWED"} <= set(player.heard)


def test_a_public_portal_is_told_the_same_whoever_the_other_families_are(two_servers, kind):
    played([Service(server, word) for server, word in zip(two_servers, ("one", "two"))], kind)


def test_an_address_that_is_taken_makes_no_difference(two_servers, kind):
    services = [Service(server, word) for server, word in zip(two_servers, ("portal", "other"))]
    played(services, kind)


def test_the_comparison_would_see_a_difference(two_servers):
    """One family more, in one of the two."""
    one, other = services = [Service(server, "same") for server in two_servers]
    [seen] = {s.told(s.portal.attempt("GetEvent", build("GetEvent", name=s.event(0)))) for s in services}
    signed = build("CreateRegistration", parent=one.event(0), registration=party())
    assert one.portal.attempt("CreateRegistration", signed).answers
    assert one.told(one.portal.attempt("GetEvent", build("GetEvent", name=one.event(0)))) != seen
