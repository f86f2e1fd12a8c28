//! Who may call what, for what, and what of it is written down: the one table. Every rpc asks for its caller by the message that it takes, so an rpc
//! without a row here does not compile (docs/decisions/0017).

use super::proto::*;
use crate::model::access::Role;
use crate::model::access_log::AccessKind;

/// Every rpc, who may call it, whether the party's token does, and what a call by staff leaves in the access log.
pub fn table() -> impl Iterator<Item = (&'static str, Vec<Role>, bool, Option<AccessKind>)> {
    let roles = |roles: Roles| Role::ALL.into_iter().filter(move |role| roles.has(*role)).collect();
    TABLE.iter().map(move |(method, held, by_token, kind)| (*method, roles(*held), *by_token, *kind))
}

/// The row of an rpc: its name and who may call it.
pub fn roles_of(method: &str) -> Option<(&'static str, Roles)> {
    TABLE.iter().find(|row| row.0 == method).map(|row| (row.0, row.1))
}

/// Roles as a set, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles(u16);

impl Roles {
    pub const fn of(role: Role) -> Roles {
        Roles(1 << role as u16)
    }

    const fn and(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }

    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u16) != 0
    }
}

const PORTAL: Roles = Roles::of(Role::Portal);
const LEADER: Roles = Roles::of(Role::Leader);
const PSYCHOLOGIST: Roles = Roles::of(Role::Psychologist);
const COORDINATOR: Roles = Roles::of(Role::Coordinator);
const HEAD: Roles = Roles::of(Role::Head);
const REPORTING: Roles = Roles::of(Role::Reporting);
const NATIONAL: Roles = Roles::of(Role::National);
const ADMINISTRATOR: Roles = Roles::of(Role::Administrator);
const OPERATOR: Roles = Roles::of(Role::Operator);

/// Whoever runs the events of a centre.
const OFFICE: Roles = COORDINATOR.and(HEAD);
/// Whoever meets the people who come.
const STAFF: Roles = OFFICE.and(LEADER).and(PSYCHOLOGIST);
/// Whoever signs people up and looks after a registration.
const SIGN_UPS: Roles = OFFICE.and(PSYCHOLOGIST).and(PORTAL);
/// Whoever reads figures.
const FIGURES: Roles = OFFICE.and(REPORTING).and(NATIONAL);
/// All but who watches the installation alone.
const EVERYBODY: Roles = STAFF.and(PORTAL).and(REPORTING).and(NATIONAL).and(ADMINISTRATOR);

/// Whoever is told the management token of a registration that it made or corrected, to hand it on to the family.
pub const GETS_TOKENS: Roles = SIGN_UPS;
/// Who reads why a registration has its class or was preferred: health and family, in the words of staff. Whoever wrote it does
/// not read it back.
pub const READS_REASONS: Roles = HEAD;
/// Who may be named to see the people of a sensitive event: whoever meets them, and the office.
pub const MAY_BE_NAMED: Roles = STAFF;

/// What a call is about: a key must reach it, or it is as if it were not there.
pub enum Target<'a> {
    /// "events/{id}", or what stands behind it, as in "events/{id}/registrations/{id}".
    Event(&'a str),
    /// "centres/{id}".
    Centre(&'a str),
    /// Nothing of one centre: the key must reach all.
    All,
}

/// What a message tells the access log, beside what it is about. None of it is taken as it comes (`Api::row`).
#[derive(Default)]
pub struct Told<'a> {
    /// The registration, where the targets do not name it.
    pub registration: &'a str,
    /// The centre, where it may be left out and so is no target.
    pub centre: &'a str,
    /// Of a list: as many rows as were asked for.
    pub page_size: Option<i32>,
    pub request_id: &'a str,
    /// The code of a reason.
    pub reason: &'static str,
    /// Left by whoever shows a staff key, not by portals nor where no key is asked for: the journal has the rest.
    pub by_key_only: bool,
}

/// A row of the table.
pub trait Rights {
    const METHOD: &'static str;
    const ROLES: Roles;
    /// What a call by staff leaves in the access log (docs/decisions/0021): a read of personal data, a decision, or nothing.
    const KIND: Option<AccessKind>;

    /// What else of the message stands in that row; nothing where this one leaves none.
    fn told(&self) -> Option<Told<'_>>;

    /// The management token, where whoever bears it may call without a key; it may be empty.
    fn token(&self) -> Option<&str>;

    fn targets(&self) -> Vec<Target<'_>>;
}

/// Nothing, or something that the handler itself narrows to what the key reaches (`Api::narrow`): lists, and figures of a
/// centre that may be left out by whoever reaches one alone.
fn none<'a, T>(_: &'a T) -> Vec<Target<'a>> {
    Vec::new()
}

fn event_if_named(name: &str) -> Vec<Target<'_>> {
    if name.is_empty() { Vec::new() } else { vec![Target::Event(name)] }
}

macro_rules! token_of {
    ($message:ident, true) => {
        Some($message.management_token.as_str())
    };
    ($message:ident, false) => {{
        let _: &Self = $message;
        None
    }};
}

macro_rules! kind_of {
    (nothing) => {
        None
    };
    (read) => {
        Some(AccessKind::Read)
    };
    (decision) => {
        Some(AccessKind::Decision)
    };
    (sign_up) => {
        Some(AccessKind::Decision)
    };
}

/// What a message tells of itself to the access log. Ids, codes and numbers: whoever adds words here tells on people.
macro_rules! told_by {
    ($message:ident, nothing) => {{
        let _: &Self = $message;
        None
    }};
    ($message:ident, read) => {{
        let _: &Self = $message;
        Some(Told::default())
    }};
    // Without the party's words it is a state and a place, which tools ask for all the time.
    ($message:ident, read, full) => {
        ($message.view == RegistrationView::Full as i32).then(Told::default)
    };
    ($message:ident, read, centre) => {
        Some(Told { centre: &$message.centre, ..Told::default() })
    };
    ($message:ident, read, page) => {
        Some(Told { page_size: Some($message.page_size), ..Told::default() })
    };
    ($message:ident, read, page_of) => {
        Some(Told { page_size: Some($message.page_size), registration: &$message.registration, ..Told::default() })
    };
    ($message:ident, decision) => {
        Some(Told { request_id: &$message.request_id, ..Told::default() })
    };
    ($message:ident, decision, centre) => {
        Some(Told { request_id: &$message.request_id, centre: &$message.centre, ..Told::default() })
    };
    ($message:ident, decision, of) => {
        Some(Told { request_id: &$message.request_id, registration: &$message.registration, ..Told::default() })
    };
    ($message:ident, decision, reason) => {{
        let reason = if $message.reason == 0 { "" } else { $message.reason().as_str_name() };
        Some(Told { request_id: &$message.request_id, reason, ..Told::default() })
    }};
    ($message:ident, sign_up) => {
        Some(Told { request_id: &$message.request_id, by_key_only: true, ..Told::default() })
    };
}

macro_rules! rights {
    ($($request:ident $method:literal: $roles:expr, $by_token:tt, $kind:ident $(($told:ident))?, $targets:expr;)*) => {
        $(impl Rights for $request {
            const METHOD: &'static str = $method;
            const ROLES: Roles = $roles;
            const KIND: Option<AccessKind> = kind_of!($kind);

            fn told(&self) -> Option<Told<'_>> {
                let message = self;
                told_by!(message, $kind $(, $told)?)
            }

            fn token(&self) -> Option<&str> {
                let message = self;
                token_of!(message, $by_token)
            }

            fn targets(&self) -> Vec<Target<'_>> {
                let targets: fn(&Self) -> Vec<Target<'_>> = $targets;
                targets(self)
            }
        })*

        /// Every row: method, roles, by token, what it leaves in the access log.
        pub const TABLE: &[(&str, Roles, bool, Option<AccessKind>)] =
            &[$(($method, $roles, $by_token, kind_of!($kind))),*];
    };
}

rights! {
    CreateCentreRequest "CreateCentre": ADMINISTRATOR, false, decision, none;
    GetCentreRequest "GetCentre": EVERYBODY, false, nothing, none;
    ListCentresRequest "ListCentres": EVERYBODY, false, nothing, none;
    UpdateCentreRequest "UpdateCentre": HEAD.and(ADMINISTRATOR), false, decision, |r| {
        vec![Target::Centre(r.centre.as_ref().map_or("", |centre| &centre.name))]
    };
    CreateProgrammeRequest "CreateProgramme": HEAD.and(ADMINISTRATOR), false, decision, none;
    GetProgrammeRequest "GetProgramme": EVERYBODY, false, nothing, none;
    ListProgrammesRequest "ListProgrammes": EVERYBODY, false, nothing, none;
    UpdateProgrammeRequest "UpdateProgramme": ADMINISTRATOR, false, decision, none;
    CreateAccessKeyRequest "CreateAccessKey": ADMINISTRATOR, false, decision, none;
    ListAccessKeysRequest "ListAccessKeys": ADMINISTRATOR, false, nothing, none;
    RotateAccessKeyRequest "RotateAccessKey": ADMINISTRATOR, false, decision, none;
    RevokeAccessKeyRequest "RevokeAccessKey": ADMINISTRATOR, false, decision, none;
    ListAccessEntriesRequest "ListAccessEntries": HEAD, false, read(page), |r| {
        let named = [&r.event, &r.registration];
        named.into_iter().filter(|name| !name.is_empty()).map(|name| Target::Event(name)).collect()
    };
    GetMetricsRequest "GetMetrics": OPERATOR, false, nothing, none;

    CreateEventRequest "CreateEvent": OFFICE, false, decision, |r| {
        vec![Target::Centre(r.event.as_ref().map_or("", |event| &event.centre))]
    };
    GetEventRequest "GetEvent": STAFF.and(PORTAL), false, nothing, |r| vec![Target::Event(&r.name)];
    ListEventsRequest "ListEvents": OFFICE.and(PORTAL), false, nothing, none;
    UpdateEventRequest "UpdateEvent": OFFICE, false, decision, |r| {
        vec![Target::Event(r.event.as_ref().map_or("", |event| &event.name))]
    };
    PublishEventRequest "PublishEvent": OFFICE, false, decision, |r| vec![Target::Event(&r.name)];
    CancelEventRequest "CancelEvent": OFFICE, false, decision, |r| vec![Target::Event(&r.name)];
    CompleteEventRequest "CompleteEvent": OFFICE, false, decision, |r| vec![Target::Event(&r.name)];
    MoveSessionRequest "MoveSession": OFFICE.and(PSYCHOLOGIST), false, decision, |r| vec![Target::Event(&r.name)];
    CancelSessionRequest "CancelSession": OFFICE.and(PSYCHOLOGIST), false, decision, |r| vec![Target::Event(&r.name)];
    CopyEventRequest "CopyEvent": OFFICE, false, decision, |r| {
        let to = if r.centre.is_empty() { None } else { Some(Target::Centre(&r.centre)) };
        std::iter::once(Target::Event(&r.name)).chain(to).collect()
    };

    CreateRegistrationRequest "CreateRegistration": SIGN_UPS, false, sign_up, |r| vec![Target::Event(&r.parent)];
    GetRegistrationRequest "GetRegistration": STAFF.and(PORTAL), true, read(full), |r| vec![Target::Event(&r.name)];
    ListRegistrationsRequest "ListRegistrations": STAFF, false, read(page), |r| vec![Target::Event(&r.parent)];
    UpdateRegistrationRequest "UpdateRegistration": SIGN_UPS, true, decision, |r| {
        vec![Target::Event(r.registration.as_ref().map_or("", |registration| &registration.name))]
    };
    CancelRegistrationRequest "CancelRegistration": SIGN_UPS, true, decision(reason), |r| vec![Target::Event(&r.name)];
    AcceptOfferRequest "AcceptOffer": SIGN_UPS, true, decision, |r| vec![Target::Event(&r.name)];
    DeclineOfferRequest "DeclineOffer": SIGN_UPS, true, decision(reason), |r| vec![Target::Event(&r.name)];
    ApproveRegistrationRequest "ApproveRegistration": OFFICE.and(PSYCHOLOGIST), false, decision, |r| {
        vec![Target::Event(&r.name)]
    };
    RejectRegistrationRequest "RejectRegistration": OFFICE.and(PSYCHOLOGIST), false, decision(reason), |r| {
        vec![Target::Event(&r.name)]
    };
    SetRegistrationClassRequest "SetRegistrationClass": OFFICE, false, decision, |r| vec![Target::Event(&r.name)];
    PromoteRegistrationRequest "PromoteRegistration": OFFICE, false, decision, |r| vec![Target::Event(&r.name)];
    TransferRegistrationRequest "TransferRegistration": OFFICE.and(PORTAL), true, decision, |r| {
        vec![Target::Event(&r.name), Target::Event(&r.target_event)]
    };
    ExplainRegistrationRequest "ExplainRegistration": SIGN_UPS, true, read, |r| vec![Target::Event(&r.name)];
    WatchRegistrationRequest "WatchRegistration": SIGN_UPS, true, read, |r| vec![Target::Event(&r.name)];
    WatchEventRequest "WatchEvent": STAFF.and(PORTAL), false, nothing, |r| vec![Target::Event(&r.name)];

    RecordAttendanceRequest "RecordAttendance": STAFF, false, decision, |r| vec![Target::Event(&r.parent)];
    ListAttendanceRequest "ListAttendance": STAFF, false, read(page_of), |r| vec![Target::Event(&r.parent)];
    CheckInRequest "CheckIn": STAFF, false, decision(of), |r| vec![Target::Event(&r.parent)];
    AddWalkInRequest "AddWalkIn": STAFF, false, decision, |r| vec![Target::Event(&r.parent)];
    RecordHeadCountRequest "RecordHeadCount": STAFF, false, decision, |r| vec![Target::Event(&r.parent)];
    GetRosterRequest "GetRoster": STAFF, false, read(page), |r| vec![Target::Event(&r.parent)];
    GetCompletionRequest "GetCompletion": STAFF, false, read(page), |r| vec![Target::Event(&r.parent)];

    // Persons are the same in all centres: whoever merges them must reach all that it touches.
    ListPossibleDuplicatesRequest "ListPossibleDuplicates": OFFICE, false, read, |r| vec![Target::Centre(&r.centre)];
    MergePersonsRequest "MergePersons": OFFICE, false, decision, |_| vec![Target::All];
    UndoMergeRequest "UndoMerge": OFFICE, false, decision, |_| vec![Target::All];
    LinkFamilyRequest "LinkFamily": OFFICE, false, decision, |_| vec![Target::All];
    RecordFormRequest "RecordForm": OFFICE, false, decision, |_| vec![Target::All];
    ListPeopleEntriesRequest "ListPeopleEntries": OFFICE, false, read(page), |_| vec![Target::All];

    ExportRegistrationRequest "ExportRegistration": OFFICE, true, read, |r| vec![Target::Event(&r.name)];
    EraseRegistrationRequest "EraseRegistration": OFFICE, true, decision, |r| vec![Target::Event(&r.name)];
    RestrictRegistrationRequest "RestrictRegistration": OFFICE, true, decision, |r| vec![Target::Event(&r.name)];
    // Who may not see the words decides nothing about showing them.
    LiftRegistrationRestrictionRequest "LiftRegistrationRestriction": HEAD, true, decision, |r| {
        vec![Target::Event(&r.name)]
    };
    SetRegistrationConsentsRequest "SetRegistrationConsents": STAFF.and(PORTAL), true, decision, |r| {
        vec![Target::Event(&r.name)]
    };
    FindRegistrationsRequest "FindRegistrations": OFFICE, false, read, none;
    ListDueErasuresRequest "ListDueErasures": HEAD, false, read(centre), none;
    EraseDueRequest "EraseDue": HEAD, false, decision(centre), none;

    // As they are, also where few are counted: not for those to whom small counts are not shown.
    GetEventCountsRequest "GetEventCounts": STAFF.and(PORTAL), false, nothing, |r| vec![Target::Event(&r.event)];
    ListEventCountsRequest "ListEventCounts": OFFICE.and(PORTAL), false, nothing, none;
    GetDemandRequest "GetDemand": FIGURES, false, nothing, none;
    GetWaitlistFunnelRequest "GetWaitlistFunnel": FIGURES, false, nothing, |r| event_if_named(&r.event);
    GetImbalanceRequest "GetImbalance": FIGURES, false, nothing, none;
    GetParticipationRequest "GetParticipation": FIGURES, false, nothing, none;
    GetAttendanceSummaryRequest "GetAttendanceSummary": STAFF, false, read, |r| vec![Target::Event(&r.event)];
    CreateReportRequest "CreateReport": OFFICE, false, decision, |r| {
        match r.report.as_ref().and_then(|report| report.query.as_ref()).and_then(|query| query.query.as_ref()) {
            Some(report_query::Query::WaitlistFunnel(funnel)) => event_if_named(&funnel.event),
            _ => Vec::new(),
        }
    };
    GetReportRequest "GetReport": OFFICE, false, nothing, none;
    ListReportsRequest "ListReports": OFFICE, false, nothing, none;
    ListCorrectionsRequest "ListCorrections": OFFICE, false, read, none;

    ListChangesRequest "ListChanges": OFFICE, false, nothing, |r| {
        r.filter.as_ref().map(|filter| event_if_named(&filter.event)).unwrap_or_default()
    };
    WatchChangesRequest "WatchChanges": OFFICE, false, nothing, |r| {
        r.filter.as_ref().map(|filter| event_if_named(&filter.event)).unwrap_or_default()
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use prost::Message;
    use prost_types::method_options::IdempotencyLevel;
    use std::collections::BTreeSet;

    #[test]
    fn every_rpc_has_one_row_and_every_row_an_rpc() {
        let set = prost_types::FileDescriptorSet::decode(crate::api::FILE_DESCRIPTOR_SET).unwrap();
        let services = set.file.iter().filter(|f| f.package() == "eile.v1").flat_map(|f| &f.service);
        let rpcs: BTreeSet<_> = services.flat_map(|s| &s.method).map(|m| m.name().to_owned()).collect();
        let rows: BTreeSet<_> = TABLE.iter().map(|(method, ..)| (*method).to_owned()).collect();
        assert_eq!(rows.len(), TABLE.len());
        assert_eq!(rows, rpcs);
    }

    #[test]
    fn an_administrator_sees_no_person_and_a_reporting_job_no_name() {
        let may = |role: Role| TABLE.iter().filter(move |row| row.1.has(role)).map(|row| row.0).collect::<Vec<_>>();
        let about_people = ["Registration", "Roster", "Attendance", "CheckIn", "WalkIn", "Person", "People", "Family"];
        for role in [Role::Administrator, Role::Reporting, Role::National, Role::Operator] {
            for method in may(role) {
                assert!(about_people.iter().all(|word| !method.contains(word)), "{role:?} may call {method}");
            }
        }
        assert!(may(Role::Administrator).iter().all(|method| !method.contains("Event")));
    }

    #[test]
    fn an_operator_reads_metrics_and_nothing_else() {
        let may: Vec<_> = TABLE.iter().filter(|row| row.1.has(Role::Operator)).map(|row| row.0).collect();
        assert_eq!(may, ["GetMetrics"]);
        let metrics = TABLE.iter().find(|row| row.0 == "GetMetrics").unwrap();
        let reads: Vec<_> = Role::ALL.into_iter().filter(|role| metrics.1.has(*role)).collect();
        assert_eq!(reads, [Role::Operator]);
    }

    #[test]
    fn every_change_is_a_decision_and_no_read_is_one() {
        let set = prost_types::FileDescriptorSet::decode(crate::api::FILE_DESCRIPTOR_SET).unwrap();
        let methods = set.file.iter().filter(|f| f.package() == "eile.v1").flat_map(|f| &f.service);
        for method in methods.flat_map(|s| &s.method) {
            let changes = method.options.as_ref().unwrap().idempotency_level() == IdempotencyLevel::Idempotent;
            let row = TABLE.iter().find(|row| row.0 == method.name()).unwrap();
            assert_eq!(row.3 == Some(AccessKind::Decision), changes, "{}", method.name());
        }
    }

    #[test]
    fn whatever_names_people_is_a_read_of_personal_data() {
        let people = ["Registration", "Roster", "Attendance", "Completion", "People", "PossibleDuplicates"];
        for (method, _, _, kind) in TABLE.iter().filter(|row| people.iter().any(|word| row.0.contains(word))) {
            assert!(kind.is_some(), "{method} leaves no row in the access log");
        }
    }

    #[test]
    fn only_what_is_about_one_registration_is_open_to_its_token() {
        for (method, ..) in TABLE.iter().filter(|row| row.2) {
            assert!(method.contains("Registration") || method.ends_with("Offer"), "{method}");
        }
    }
}
