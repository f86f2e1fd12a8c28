"""Who may call what, written by hand from what the roles are for (admin.proto, Role). Nothing here is read from the
server: a new rpc without a row fails the matrix."""

import datetime
import zoneinfo

import grpc
from access_house import OFFICE, ROLES, STAFF
from eile.v1 import admin_pb2, attendance_pb2, changes_pb2, reports_pb2
from words import E, R, access_key, centre, mask, party, programme, session

A, C, P = attendance_pb2, changes_pb2, reports_pb2
ADMINISTRATOR = ("administrator",)
HEAD_AND_ADMINISTRATOR = ("head", "administrator")
# Whoever signs people up and looks after them; a leader meets those who came.
SIGN_UPS = (*OFFICE, "psychologist", "portal")
APPOINTMENTS = (*OFFICE, "psychologist")
STAFF_AND_PORTAL = (*STAFF, "portal")
FIGURES = (*OFFICE, "reporting", "national")
FEED = OFFICE
ALL_BUT_OPERATOR = ROLES[:-1]

CODES = grpc.StatusCode
KEY_REQUIRED = (CODES.UNAUTHENTICATED, "KEY_REQUIRED")
ROLE_NOT_ALLOWED = (CODES.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
CENTRE_REQUIRED = (CODES.PERMISSION_DENIED, "CENTRE_REQUIRED")
TOKEN_INVALID = (CODES.PERMISSION_DENIED, "TOKEN_INVALID")
INVALID_FIELDS = (CODES.INVALID_ARGUMENT, "INVALID_FIELDS")
MALFORMED_MESSAGE = (CODES.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
FILTER_INVALID = (CODES.INVALID_ARGUMENT, "FILTER_INVALID")


def not_found(what):
    return (CODES.NOT_FOUND, f"{what}_NOT_FOUND")


NO_EVENT, NO_REGISTRATION, NO_CENTRE = not_found("EVENT"), not_found("REGISTRATION"), not_found("CENTRE")
EMPTY = "empty"


class Allowed:
    """Any answer but one that denies the caller or the target; `also` are denials that are right here nonetheless."""

    def __init__(self, *also):
        self.also = set(also)


# Each kind of target says which labels it has, and what a caller whose role may call hears for each.


class Nothing:
    """Of no centre."""
    labels = ("own", EMPTY)

    def heard(self, caller, place):
        return Allowed()


class Named:
    """Something of the whole installation that every role with the right may name."""
    labels = ("own", "absent", "malformed", EMPTY)

    def __init__(self, missing, also=()):
        self.labels = (*self.labels, *also)
        self.missing = missing

    def heard(self, caller, place):
        refused = {"absent": {self.missing}, "malformed": {INVALID_FIELDS}}
        return refused.get(place.label, Allowed()) if place else Allowed()


class OfCentre:
    """A centre, and what is stored for one: out of reach is not there. `narrows`: left out, it means the only centre of
    the key. `unchecked`: whoever reaches all may name one that is not there."""
    labels = ("own", "there", "absent", "malformed", EMPTY)

    def __init__(self, missing=NO_CENTRE, narrows=False, unchecked=False):
        self.missing, self.unchecked = missing, unchecked
        self.labels = (*self.labels, "unnamed") if narrows else self.labels

    def heard(self, caller, place):
        if place is None:
            return Allowed(CENTRE_REQUIRED)
        if place.label == "unnamed":
            return {CENTRE_REQUIRED} if len(caller.centres or ()) > 1 else Allowed()
        if place.label == "malformed":
            return {INVALID_FIELDS}
        if place.label == "absent":
            return Allowed(self.missing) if self.unchecked and caller.centres is None else {self.missing}
        return Allowed() if caller.reaches_centre(place.centre) else {self.missing}


class OfEvent:
    """An event, or what belongs to one; `mixed` is a registration under the name of an event that it is not in."""
    labels = ("own", "beside", "there", "absent", "malformed", "disguised", EMPTY)

    def __init__(self, is_registration=False, by_token=False):
        self.by_token = by_token
        self.labels = (*self.labels, "mixed") if is_registration else self.labels

    def heard(self, caller, place):
        if place is None:
            # Where an event may be left out, all centres are meant.
            return Allowed(CENTRE_REQUIRED)
        if place.label == "malformed":
            return {INVALID_FIELDS}
        if place.label == "absent":
            return {NO_EVENT}
        if not caller.reaches(place):
            return {NO_EVENT, INVALID_FIELDS} if place.label == "disguised" else {NO_EVENT}
        if place.label == "mixed":
            refused = {TOKEN_INVALID} if self.by_token and caller.role == "portal" else {NO_REGISTRATION}
            return refused | {TOKEN_INVALID} if self.by_token and caller.token else refused
        shows_another = (caller.role == "portal" or caller.token) and not (caller.token == "own" and place.label == "own")
        if self.by_token and shows_another:
            return {TOKEN_INVALID, INVALID_FIELDS} if place.label == "disguised" else {TOKEN_INVALID}
        return Allowed(INVALID_FIELDS) if place.label == "disguised" else Allowed()

    def opened(self, caller, place):
        """Whether the token that the caller sends is that of the registration that the request names."""
        return caller.holds(place)

    def heard_by_bearer(self, caller, place):
        """Nobody with a key: a token opens its own registration, and tells nothing of others, not even what is there."""
        if place is None:
            return {KEY_REQUIRED}
        if caller.holds(place):
            return Allowed()
        return {
            "malformed": {INVALID_FIELDS}, "disguised": {TOKEN_INVALID, INVALID_FIELDS},
        }.get(place.label, {TOKEN_INVALID})


class ToEvent(OfEvent):
    """The event that a registration of the caller's own is moved to: a party may move wherever it is taken."""
    labels = ("beside", "there", "absent", "malformed", "disguised")

    def __init__(self):
        super().__init__(by_token=True)

    def heard(self, caller, place):
        heard = super().heard(caller, place)
        if caller.token == "own" and heard == {TOKEN_INVALID}:
            return Allowed()
        # Whether the token or the target's shape is looked at first tells nothing.
        is_late = (caller.role == "portal" or caller.token) and place.label in ("absent", "malformed", "disguised")
        return heard | {TOKEN_INVALID} if is_late and caller.token != "own" else heard

    def opened(self, caller, place):
        return caller.token == "own"

    def heard_by_bearer(self, caller, place):
        refused = {"malformed": {INVALID_FIELDS}, "absent": {NO_EVENT}}.get(place.label, set())
        if caller.token != "own":
            return {TOKEN_INVALID, INVALID_FIELDS} if place.label == "disguised" else {TOKEN_INVALID, *refused}
        return refused or Allowed(INVALID_FIELDS)


class Inside:
    """A registration that is named within an event of the caller's own: one of another event is not there."""
    labels = ("own", "there", "absent", "malformed")

    def heard(self, caller, place):
        return Allowed(NO_REGISTRATION, INVALID_FIELDS) if place.label != "own" else Allowed()


class Filtered:
    """A list under a filter by centre: there is nothing in it of one that is out of reach."""
    labels = ("own", "there", "absent", "malformed", EMPTY)

    def heard(self, caller, place):
        return {FILTER_INVALID} if place and place.label == "malformed" else Allowed()


class OfAll:
    """Persons are the same in all centres: the key must reach all of them."""
    labels = ("own", "malformed", EMPTY)

    def heard(self, caller, place):
        if caller.centres is not None:
            return {CENTRE_REQUIRED}
        return Allowed(INVALID_FIELDS) if place and place.label == "malformed" else Allowed()


class Anything:
    """A target whose every name is good for trying a row out."""

    def __getattr__(self, name):
        return f"{name}s/x"


class Row:
    """`ask` makes the fields of a request from the target, and from the caller's own place where it is about two."""

    def __init__(self, roles, about, ask):
        self.roles, self.about, self.ask = roles, about, ask

    def expected(self, caller, place):
        if caller.locked_out:
            return {KEY_REQUIRED}
        by_token = getattr(self.about, "by_token", False)
        if caller.role is None:
            return self.about.heard_by_bearer(caller, place) if by_token else {KEY_REQUIRED}
        # Whoever sends the token of what it names is that party where the key beside it lets it in to nothing.
        bears = by_token and place is not None and self.about.opened(caller, place)
        if caller.role not in self.roles:
            return self.about.heard_by_bearer(caller, place) if bears else {ROLE_NOT_ALLOWED}
        if bears and not self.reached(caller, place):
            return self.about.heard_by_bearer(caller, place)
        if caller.reaches_no_home and place and self.is_about_home():
            return {NO_EVENT, NO_CENTRE, INVALID_FIELDS}
        return self.about.heard(caller, place)

    def reached(self, caller, place):
        """Whether the key reaches all that the request names."""
        if caller.reaches_no_home and self.is_about_home():
            return False
        return place.label == "malformed" or place.label != "absent" and caller.reaches(place)

    def expected_unread(self, caller):
        """Of a message that cannot be read: whoever is not let in hears that, and not that it could not be read."""
        if caller.locked_out or caller.role is None:
            return {KEY_REQUIRED}
        return {MALFORMED_MESSAGE} if caller.role in self.roles else {ROLE_NOT_ALLOWED}

    def is_about_home(self):
        """Whether requests name something of the caller's own place beside the target."""
        class Home:
            named = False

            def __getattr__(self, name):
                Home.named = True
                return "events/x"

        self.ask(Anything(), Home())
        return Home.named


EVENT, REGISTRATION, BY_TOKEN = OfEvent(), OfEvent(is_registration=True), OfEvent(is_registration=True, by_token=True)
CENTRE, REPORT = OfCentre(), OfCentre(not_found("REPORT"))
NARROWED = OfCentre(narrows=True, unchecked=True)
NOBODY = "persons/11111111-1111-4111-8111-111111111111"
VILNIUS = zoneinfo.ZoneInfo("Europe/Vilnius")


def scope(p):
    """A month that is over."""
    return P.ReportScope(
        centre=p.centre, start_time=datetime.datetime(2025, 1, 1, tzinfo=VILNIUS),
        end_time=datetime.datetime(2025, 2, 1, tzinfo=VILNIUS))


def report(**query):
    return {"report": P.Report(title="Ketvirtis", query=P.ReportQuery(**query))}


def name(p, home):
    return {"name": p.event}


def parent(p, home):
    return {"parent": p.event}


def of_session(**fields):
    return lambda p, home: {"parent": p.event, "session_id": "s1", **fields}


def mine(**fields):
    return lambda p, home: {"name": p.mine, **fields}


def of_centre(p, home):
    return {"filter": f'centre = "{p.centre}"'}


def marks(registration):
    return [A.MarkEntry(registration=registration, member=1, mark=A.ATTENDANCE_MARK_PRESENT)]


def nothing(p, home):
    return {}


# The word before the first space is the rpc.
TABLE = {
    "CreateCentre": Row(ADMINISTRATOR, Nothing(), lambda p, home: {"centre": centre()}),
    # Whoever shows a key knows which centres and programmes there are.
    "GetCentre": Row(ALL_BUT_OPERATOR, Named(NO_CENTRE, also=["there"]), lambda p, home: {"name": p.centre}),
    "ListCentres": Row(ALL_BUT_OPERATOR, Nothing(), nothing),
    "UpdateCentre": Row(HEAD_AND_ADMINISTRATOR, CENTRE, lambda p, home: {
        "centre": admin_pb2.Centre(name=p.centre, languages=["lt"]), "update_mask": mask("languages")}),
    "CreateProgramme": Row(HEAD_AND_ADMINISTRATOR, Nothing(), lambda p, home: {"programme": programme()}),
    "GetProgramme": Row(ALL_BUT_OPERATOR, Named(not_found("PROGRAMME")), lambda p, home: {"name": p.programme}),
    "ListProgrammes": Row(ALL_BUT_OPERATOR, Nothing(), nothing),
    "UpdateProgramme": Row(ADMINISTRATOR, Named(not_found("PROGRAMME")), lambda p, home: {
        "programme": admin_pb2.Programme(name=p.programme, group_size_max=9), "update_mask": mask("group_size_max")}),
    "CreateAccessKey": Row(ADMINISTRATOR, CENTRE, lambda p, home: {"access_key": access_key("portal", p.centre)}),
    "ListAccessKeys": Row(ADMINISTRATOR, Nothing(), nothing),
    "RotateAccessKey": Row(ADMINISTRATOR, Named(not_found("ACCESS_KEY")), lambda p, home: {"name": p.key}),
    "RevokeAccessKey": Row(ADMINISTRATOR, Named(not_found("ACCESS_KEY")), lambda p, home: {"name": p.key}),
    "GetMetrics": Row(("operator",), Nothing(), nothing),

    "ListAccessEntries": Row(("head",), NARROWED, lambda p, home: {"centre": p.centre}),
    "ListAccessEntries of an event": Row(("head",), EVENT, lambda p, home: {"event": p.event}),

    "CreateEvent": Row(OFFICE, CENTRE, lambda p, home: {"event": E.Event(
        centre=p.centre, titles=[{"language": "lt", "text": "Naujas"}], kind="EVENT_KIND_COURSE", sessions=[session()],
        seat_pools=[E.SeatPool(pool_id="main", capacity=1)])}),
    "GetEvent": Row(STAFF_AND_PORTAL, EVENT, name),
    "ListEvents": Row((*OFFICE, "portal"), Nothing(), nothing),
    "ListEvents of a centre": Row((*OFFICE, "portal"), Filtered(), of_centre),
    "UpdateEvent": Row(OFFICE, EVENT, lambda p, home: {
        "event": E.Event(name=p.event, minimum_to_start=2), "update_mask": mask("minimum_to_start")}),
    "PublishEvent": Row(OFFICE, EVENT, name),
    "CancelEvent": Row(OFFICE, EVENT, lambda p, home: {"name": p.event, "reason": "nevyks"}),
    "CompleteEvent": Row(OFFICE, EVENT, name),
    "MoveSession": Row(APPOINTMENTS, EVENT, lambda p, home: {
        "name": p.event, "session_id": "s1", "start_local": "2031-01-07T10:00", "end_local": "2031-01-07T11:00"}),
    "CancelSession": Row(APPOINTMENTS, EVENT, lambda p, home: {
        "name": p.event, "session_id": "s1", "reason": "nevyks"}),
    "CopyEvent": Row(OFFICE, EVENT, name),
    "CopyEvent to a centre": Row(OFFICE, CENTRE, lambda p, home: {"name": home.event, "centre": p.centre}),

    "CreateRegistration": Row(SIGN_UPS, EVENT, lambda p, home: {"parent": p.event, "registration": party()}),
    "GetRegistration": Row(STAFF_AND_PORTAL, BY_TOKEN, mine(view="REGISTRATION_VIEW_FULL")),
    "ListRegistrations": Row(STAFF, EVENT, lambda p, home: {"parent": p.event, "view": "REGISTRATION_VIEW_FULL"}),
    "UpdateRegistration": Row(SIGN_UPS, BY_TOKEN, lambda p, home: {
        "registration": R.Registration(name=p.mine, language="pl"), "update_mask": mask("language")}),
    "CancelRegistration": Row(SIGN_UPS, BY_TOKEN, lambda p, home: {"name": p.spare}),
    "AcceptOffer": Row(SIGN_UPS, BY_TOKEN, mine()),
    "DeclineOffer": Row(SIGN_UPS, BY_TOKEN, mine()),
    "ApproveRegistration": Row(APPOINTMENTS, REGISTRATION, mine()),
    "RejectRegistration": Row(APPOINTMENTS, REGISTRATION, mine(reason="REJECT_REASON_OTHER")),
    "SetRegistrationClass": Row(OFFICE, REGISTRATION, mine(reason="pagal tvarką")),
    "PromoteRegistration": Row(OFFICE, REGISTRATION, lambda p, home: {"name": p.waiting, "reason": "pagal tvarką"}),
    "TransferRegistration": Row((*OFFICE, "portal"), BY_TOKEN, lambda p, home: {
        "name": p.mine, "target_event": home.past}),
    "TransferRegistration to an event": Row((*OFFICE, "portal"), ToEvent(), lambda p, home: {
        "name": home.mine, "target_event": p.event}),
    "ExplainRegistration": Row(SIGN_UPS, BY_TOKEN, mine()),
    "WatchRegistration": Row(SIGN_UPS, BY_TOKEN, mine()),
    "WatchEvent": Row(STAFF_AND_PORTAL, EVENT, name),

    "RecordAttendance": Row(STAFF, EVENT, lambda p, home: {
        "parent": p.event, "session_id": "s1", "marks": marks(p.mine)}),
    "RecordAttendance of another's": Row(STAFF, Inside(), lambda p, home: {
        "parent": home.event, "session_id": "s1", "marks": marks(p.mine)}),
    "ListAttendance": Row(STAFF, EVENT, parent),
    "ListAttendance of another's": Row(STAFF, Inside(), lambda p, home: {"parent": home.event, "registration": p.mine}),
    "CheckIn": Row(STAFF, EVENT, lambda p, home: {"parent": p.event, "check_in_code": p.code}),
    "CheckIn of another's": Row(STAFF, Inside(), lambda p, home: {"parent": home.event, "registration": p.mine}),
    "AddWalkIn": Row(STAFF, EVENT, of_session(registration=party())),
    "RecordHeadCount": Row(STAFF, EVENT, of_session(adults=2)),
    "GetRoster": Row(STAFF, EVENT, of_session()),
    "GetCompletion": Row(STAFF, EVENT, parent),

    "ListPossibleDuplicates": Row(OFFICE, OfCentre(unchecked=True), lambda p, home: {"centre": p.centre}),
    "MergePersons": Row(OFFICE, OfAll(), lambda p, home: {"person": p.person, "into": NOBODY}),
    "UndoMerge": Row(OFFICE, OfAll(), lambda p, home: {"number": 1}),
    "LinkFamily": Row(OFFICE, OfAll(), lambda p, home: {"persons": [p.person, NOBODY]}),
    "RecordForm": Row(OFFICE, OfAll(), lambda p, home: {
        "person": p.person, "project_code": "07-001", "received": True}),
    "ListPeopleEntries": Row(OFFICE, OfAll(), nothing),

    "ExportRegistration": Row(OFFICE, BY_TOKEN, mine()),
    "EraseRegistration": Row(OFFICE, BY_TOKEN, mine(validate_only=True)),
    "RestrictRegistration": Row(OFFICE, BY_TOKEN, mine(validate_only=True)),
    "LiftRegistrationRestriction": Row(("head",), BY_TOKEN, mine(validate_only=True)),
    "SetRegistrationConsents": Row(STAFF_AND_PORTAL, BY_TOKEN, mine(
        validate_only=True, choices=[R.ConsentChoice(purpose=R.CONSENT_PURPOSE_PHOTOS, given=True, text_version="1")])),
    "FindRegistrations": Row(OFFICE, Nothing(), lambda p, home: {"email": "niekas@example.org"}),
    "ListDueErasures": Row(("head",), NARROWED, lambda p, home: {"centre": p.centre}),
    "EraseDue": Row(("head",), NARROWED, lambda p, home: {"centre": p.centre}),

    "GetEventCounts": Row((*STAFF, "portal"), EVENT, lambda p, home: {"event": p.event}),
    "ListEventCounts": Row((*OFFICE, "portal"), Nothing(), nothing),
    "ListEventCounts of a centre": Row((*OFFICE, "portal"), Filtered(), of_centre),
    "GetDemand": Row(FIGURES, NARROWED, lambda p, home: {"scope": scope(p)}),
    "GetWaitlistFunnel": Row(FIGURES, NARROWED, lambda p, home: {"scope": scope(p)}),
    "GetWaitlistFunnel of an event": Row(FIGURES, EVENT, lambda p, home: {"event": p.event}),
    "GetImbalance": Row(FIGURES, NARROWED, lambda p, home: {"scope": scope(p)}),
    "GetParticipation": Row(FIGURES, NARROWED, lambda p, home: {"scope": scope(p)}),
    "GetAttendanceSummary": Row(STAFF, EVENT, lambda p, home: {"event": p.event}),
    "CreateReport": Row(OFFICE, NARROWED, lambda p, home: report(demand={"scope": scope(p)})),
    "CreateReport of waiting lines": Row(OFFICE, NARROWED, lambda p, home: report(waitlist_funnel={"scope": scope(p)})),
    "CreateReport of imbalance": Row(OFFICE, NARROWED, lambda p, home: report(imbalance={"scope": scope(p)})),
    "CreateReport of participation": Row(OFFICE, NARROWED, lambda p, home: report(participation={"scope": scope(p)})),
    "CreateReport of an event": Row(OFFICE, EVENT, lambda p, home: report(
        waitlist_funnel={"event": p.event, "scope": {"centre": home.centre}})),
    "GetReport": Row(OFFICE, REPORT, lambda p, home: {"name": p.report}),
    "ListReports": Row(OFFICE, Nothing(), nothing),
    "ListCorrections": Row(OFFICE, REPORT, lambda p, home: {"report": p.report}),

    "ListChanges": Row(FEED, NARROWED, lambda p, home: {"page_size": 500, "filter": C.ChangeFilter(centre=p.centre)}),
    "ListChanges of an event": Row(FEED, EVENT, lambda p, home: {"filter": C.ChangeFilter(event=p.event)}),
    "WatchChanges": Row(FEED, NARROWED, lambda p, home: {"filter": C.ChangeFilter(centre=p.centre)}),
    "WatchChanges of an event": Row(FEED, EVENT, lambda p, home: {"filter": C.ChangeFilter(event=p.event)}),
}
