"""A family with a browser: Chromium, a page with connect-web, and gRPC-Web without anything between it and the service."""

import json

import pytest
from chromium import Chromium
from client import Api
from web_house import Portal, Site, bundle
from words import CANCELLED, CONFIRMED, WAITLISTED, World, access_key

SERVICE = "/eile.v1.RegistrationService"
NAME, EMAIL = "Ąžuolė Šeimininkė", "seima@example.org"


@pytest.fixture(scope="session")
def script():
    return bundle()


@pytest.fixture(scope="session")
def chromium():
    chromium = Chromium()
    yield chromium
    chromium.close()


@pytest.fixture
def sites(script):
    """Two web sites with the same page; the service knows the first."""
    sites = Site(script), Site(script)
    yield sites
    for site in sites:
        site.close()


@pytest.fixture
def site(sites):
    return sites[0]


@pytest.fixture
def service(new_server, site):
    return new_server(None, f"web.cors_origins={site.origin}")


@pytest.fixture
def visit(chromium):
    """Opens the page of a site, each time as somebody else."""
    tabs = []

    def open_page(site):
        tabs.append(chromium.tab(f"{site.origin}/"))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.close()


class Centre:
    """A centre on a service that asks for keys, with an event, and the portal that signs families up for it."""

    def __init__(self, service, **event):
        world = World(service.address)
        self.event = world.open(**event)
        first = world.api.CreateAccessKey(access_key=access_key("administrator")).secret
        keys = Api(service.address, key=first)
        make = lambda role: keys.CreateAccessKey(access_key=access_key(role, world.centre)).secret
        self.staff, self.key = World(service.address, own_centre=False, key=make("coordinator")), make("portal")
        self.portal = Portal(service.address, self.key, self.event)


def fill_in(tab, name=NAME, email=EMAIL):
    tab.type("#name", name)
    tab.type("#email", email)
    tab.click("#sign-up")


def shows(tab, state, position=0):
    tab.shows("#state", state)
    tab.shows("#position", str(position))


def refused(tab, reason, code):
    """Waits for this no on the page, and answers the facts and the fields that are shown with it."""
    tab.shows("#reason", reason)
    tab.shows("#code", code)
    assert tab.text("#words").strip(), "a no without a word"
    return json.loads(tab.text("#facts")), tab.text("#fields")


def test_a_family_watches_its_place_come_nearer_in_its_browser_and_cancels(service, site, visit):
    centre = Centre(service, seats=1)
    first, second = centre.staff.crowd(centre.event, 1, 1)
    tab = visit(site.about(service.address, centre.event, centre.portal))
    fill_in(tab)
    shows(tab, "WAITLISTED", 2)
    [family] = [r for r in centre.staff.registrations(centre.event, view=2) if r.contact.email == EMAIL]
    assert (family.contact.display_name, family.state, family.position) == (NAME, WAITLISTED, 2)

    centre.staff.cancel(second)
    shows(tab, "WAITLISTED", 1)
    centre.staff.cancel(first)
    shows(tab, "CONFIRMED")
    assert tab.text("#refusal") == "", "nothing was refused so far"

    tab.click("#cancel")
    shows(tab, "CANCELLED")
    assert centre.staff.get(family).state == CANCELLED and centre.staff.counts(centre.event).free == 1
    tab.click("#cancel")
    facts, _ = refused(tab, "ILLEGAL_STATE", "FailedPrecondition")
    assert facts == {"state": "CANCELLED", "verb": "CancelRegistration"}

    # All this without a key in the browser, and the family's token stood in no address.
    sent, page = tab.sent(), tab.js("document.documentElement.outerHTML + document.scripts[1].src")
    assert f"{SERVICE}/WatchRegistration" in sent and f"{SERVICE}/CancelRegistration" in sent and EMAIL in sent
    assert f"{SERVICE}/CreateRegistration" not in sent and "authorization" not in sent.lower()
    assert centre.key not in sent + page + site.files["/page.js"].decode()
    [token] = centre.portal.tokens
    assert all(token not in e["request"]["url"] for e in tab.seen("Network.requestWillBeSent"))


def test_a_watch_in_a_browser_goes_on_after_the_service_was_away(service, site, visit):
    centre = Centre(service, seats=1)
    [first] = centre.staff.crowd(centre.event, 1)
    tab = visit(site.about(service.address, centre.event, centre.portal))
    fill_in(tab)
    shows(tab, "WAITLISTED", 1)
    assert service.stop() == 0, "a page that watches holds no drain up"
    service.start()
    centre.staff.cancel(first)
    shows(tab, "CONFIRMED")


def test_before_any_key_is_made_a_page_signs_up_by_itself_and_hears_why_not(service, site, visit):
    world = World(service.address)
    event = world.open(seats=1)
    tab = visit(site.about(service.address, event))
    fill_in(tab, email="this is none")
    facts, fields = refused(tab, "INVALID_FIELDS", "InvalidArgument")
    assert (facts["count"], facts["fields"], fields) == ("1", "registration.contact.email", "registration.contact.email")
    assert world.counts(event).applied_parties == 0

    fill_in(tab)
    shows(tab, "CONFIRMED")
    assert tab.text("#refusal") == ""
    # The page vouches for nobody: it is not told that the contact is there already.
    another = visit(site)
    fill_in(another)
    shows(another, "WAITLISTED", 1)
    assert [(r.state, r.possible_duplicate) for r in world.registrations(event)] == [(CONFIRMED, False), (WAITLISTED, True)]


def test_a_page_that_has_not_heard_the_answer_asks_again_and_signs_nobody_up_twice(service, site, visit):
    world = World(service.address)
    event = world.open(seats=5)
    tab = visit(site.about(service.address, event))
    tab.ask("Fetch.enable", patterns=[{"urlPattern": f"*{SERVICE}/CreateRegistration", "requestStage": "Response"}])
    fill_in(tab)
    preflight = tab.until_seen("Fetch.requestPaused", lambda e: e["request"]["method"] == "OPTIONS")
    tab.ask("Fetch.continueRequest", requestId=preflight["requestId"])
    # The service has answered, and the answer does not reach the page.
    answered = tab.until_seen("Fetch.requestPaused", lambda e: e["request"]["method"] == "POST")
    assert answered["responseStatusCode"] == 200 and world.counts(event).applied_parties == 1
    tab.ask("Fetch.failRequest", requestId=answered["requestId"], errorReason="ConnectionReset")
    refused(tab, "not known", "Unknown")
    tab.ask("Fetch.disable")
    tab.click("#sign-up")
    shows(tab, "CONFIRMED")
    assert [r.accepted_number for r in world.registrations(event)] == [1]


def test_a_page_without_a_key_signs_nobody_up_where_keys_are_asked_for(service, site, visit):
    centre = Centre(service)
    tab = visit(site.about(service.address, centre.event))
    fill_in(tab)
    refused(tab, "KEY_REQUIRED", "Unauthenticated")
    assert centre.staff.registrations(centre.event) == []


def test_a_page_of_another_site_gets_nothing_and_nothing_happens(service, sites, visit):
    named, other = sites
    world = World(service.address)
    event = world.open()
    before = world.snapshot()
    tab = visit(other.about(service.address, event))
    fill_in(tab)
    refused(tab, "not known", "Unknown")
    [failed] = [e for e in tab.seen("Network.loadingFailed") if "corsErrorStatus" in e]
    assert failed["corsErrorStatus"]["corsError"] == "PreflightMissingAllowOriginHeader"
    # What a browser sends without asking first is no call of gRPC.
    blind = f"fetch('http://{service.address}{SERVICE}/CreateRegistration', {{method: 'POST', mode: 'no-cors', body: 'x'}})"
    assert tab.js(f"{blind}.then(answer => answer.type)") == "opaque"
    tab.until_seen("Network.responseReceivedExtraInfo", lambda e: e["statusCode"] == 400)
    assert world.snapshot() == before

    # It was the name of the site alone: the same page is let in from the other.
    tab = visit(named.about(service.address, event))
    fill_in(tab)
    shows(tab, "CONFIRMED")
    assert world.counts(event).applied_parties == 1
