//! Who may call what, and for what: the one table. Every rpc asks for its caller by the message that it takes, so an rpc
//! without a row here does not compile (docs/decisions/0017).

use super::proto::*;
use crate::model::access::Role;

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

/// Whoever runs the events of a centre.
const OFFICE: Roles = COORDINATOR.and(HEAD);
/// Whoever meets the people who come.
const STAFF: Roles = OFFICE.and(LEADER).and(PSYCHOLOGIST);
/// Whoever signs people up and looks after a registration.
const SIGN_UPS: Roles = OFFICE.and(PSYCHOLOGIST).and(PORTAL);
/// Whoever reads figures.
const FIGURES: Roles = OFFICE.and(REPORTING).and(NATIONAL);
const EVERYBODY: Roles = STAFF.and(PORTAL).and(REPORTING).and(NATIONAL).and(ADMINISTRATOR);

/// What a call is about: a key must reach it, or it is as if it were not there.
pub enum Target<'a> {
    /// "events/{id}", or what stands behind it, as in "events/{id}/registrations/{id}".
    Event(&'a str),
    /// "centres/{id}".
    Centre(&'a str),
    /// Nothing of one centre: the key must reach all.
    All,
}

/// A row of the table.
pub trait Rights {
    const METHOD: &'static str;
    const ROLES: Roles;

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

macro_rules! rights {
    ($($request:ident $method:literal: $roles:expr, $by_token:tt, $targets:expr;)*) => {
        $(impl Rights for $request {
            const METHOD: &'static str = $method;
            const ROLES: Roles = $roles;

            fn token(&self) -> Option<&str> {
                let message = self;
                token_of!(message, $by_token)
            }

            fn targets(&self) -> Vec<Target<'_>> {
                let targets: fn(&Self) -> Vec<Target<'_>> = $targets;
                targets(self)
            }
        })*

        /// Every row: method, roles, by token.
        #[cfg(test)]
        pub const TABLE: &[(&str, Roles, bool)] = &[$(($method, $roles, $by_token)),*];
    };
}

rights! {
    CreateCentreRequest "CreateCentre": ADMINISTRATOR, false, none;
    GetCentreRequest "GetCentre": EVERYBODY, false, none;
    ListCentresRequest "ListCentres": EVERYBODY, false, none;
    UpdateCentreRequest "UpdateCentre": HEAD.and(ADMINISTRATOR), false, |r| {
        vec![Target::Centre(r.centre.as_ref().map_or("", |centre| &centre.name))]
    };
    CreateProgrammeRequest "CreateProgramme": HEAD.and(ADMINISTRATOR), false, none;
    GetProgrammeRequest "GetProgramme": EVERYBODY, false, none;
    ListProgrammesRequest "ListProgrammes": EVERYBODY, false, none;
    UpdateProgrammeRequest "UpdateProgramme": ADMINISTRATOR, false, none;
    CreateAccessKeyRequest "CreateAccessKey": ADMINISTRATOR, false, none;
    ListAccessKeysRequest "ListAccessKeys": ADMINISTRATOR, false, none;
    RotateAccessKeyRequest "RotateAccessKey": ADMINISTRATOR, false, none;
    RevokeAccessKeyRequest "RevokeAccessKey": ADMINISTRATOR, false, none;

    CreateEventRequest "CreateEvent": OFFICE, false, |r| {
        vec![Target::Centre(r.event.as_ref().map_or("", |event| &event.centre))]
    };
    GetEventRequest "GetEvent": STAFF.and(PORTAL), false, |r| vec![Target::Event(&r.name)];
    ListEventsRequest "ListEvents": OFFICE.and(PORTAL), false, none;
    UpdateEventRequest "UpdateEvent": OFFICE, false, |r| {
        vec![Target::Event(r.event.as_ref().map_or("", |event| &event.name))]
    };
    PublishEventRequest "PublishEvent": OFFICE, false, |r| vec![Target::Event(&r.name)];
    CancelEventRequest "CancelEvent": OFFICE, false, |r| vec![Target::Event(&r.name)];
    CompleteEventRequest "CompleteEvent": OFFICE, false, |r| vec![Target::Event(&r.name)];
    MoveSessionRequest "MoveSession": OFFICE.and(PSYCHOLOGIST), false, |r| vec![Target::Event(&r.name)];
    CancelSessionRequest "CancelSession": OFFICE.and(PSYCHOLOGIST), false, |r| vec![Target::Event(&r.name)];
    CopyEventRequest "CopyEvent": OFFICE, false, |r| {
        let to = if r.centre.is_empty() { None } else { Some(Target::Centre(&r.centre)) };
        std::iter::once(Target::Event(&r.name)).chain(to).collect()
    };

    CreateRegistrationRequest "CreateRegistration": SIGN_UPS, false, |r| vec![Target::Event(&r.parent)];
    GetRegistrationRequest "GetRegistration": STAFF.and(PORTAL), true, |r| vec![Target::Event(&r.name)];
    ListRegistrationsRequest "ListRegistrations": STAFF, false, |r| vec![Target::Event(&r.parent)];
    UpdateRegistrationRequest "UpdateRegistration": SIGN_UPS, true, |r| {
        vec![Target::Event(r.registration.as_ref().map_or("", |registration| &registration.name))]
    };
    CancelRegistrationRequest "CancelRegistration": SIGN_UPS, true, |r| vec![Target::Event(&r.name)];
    AcceptOfferRequest "AcceptOffer": SIGN_UPS, true, |r| vec![Target::Event(&r.name)];
    DeclineOfferRequest "DeclineOffer": SIGN_UPS, true, |r| vec![Target::Event(&r.name)];
    ApproveRegistrationRequest "ApproveRegistration": OFFICE.and(PSYCHOLOGIST), false, |r| vec![Target::Event(&r.name)];
    RejectRegistrationRequest "RejectRegistration": OFFICE.and(PSYCHOLOGIST), false, |r| vec![Target::Event(&r.name)];
    SetRegistrationClassRequest "SetRegistrationClass": OFFICE, false, |r| vec![Target::Event(&r.name)];
    PromoteRegistrationRequest "PromoteRegistration": OFFICE, false, |r| vec![Target::Event(&r.name)];
    TransferRegistrationRequest "TransferRegistration": OFFICE.and(PORTAL), true, |r| {
        vec![Target::Event(&r.name), Target::Event(&r.target_event)]
    };
    ExplainRegistrationRequest "ExplainRegistration": SIGN_UPS, true, |r| vec![Target::Event(&r.name)];
    WatchRegistrationRequest "WatchRegistration": SIGN_UPS, true, |r| vec![Target::Event(&r.name)];
    WatchEventRequest "WatchEvent": STAFF.and(PORTAL), false, |r| vec![Target::Event(&r.name)];

    RecordAttendanceRequest "RecordAttendance": STAFF, false, |r| vec![Target::Event(&r.parent)];
    ListAttendanceRequest "ListAttendance": STAFF, false, |r| vec![Target::Event(&r.parent)];
    CheckInRequest "CheckIn": STAFF, false, |r| vec![Target::Event(&r.parent)];
    AddWalkInRequest "AddWalkIn": STAFF, false, |r| vec![Target::Event(&r.parent)];
    RecordHeadCountRequest "RecordHeadCount": STAFF, false, |r| vec![Target::Event(&r.parent)];
    GetRosterRequest "GetRoster": STAFF, false, |r| vec![Target::Event(&r.parent)];
    GetCompletionRequest "GetCompletion": STAFF, false, |r| vec![Target::Event(&r.parent)];

    // Persons are the same in all centres: whoever merges them must reach all that it touches.
    ListPossibleDuplicatesRequest "ListPossibleDuplicates": OFFICE, false, |r| vec![Target::Centre(&r.centre)];
    MergePersonsRequest "MergePersons": OFFICE, false, |_| vec![Target::All];
    UndoMergeRequest "UndoMerge": OFFICE, false, |_| vec![Target::All];
    LinkFamilyRequest "LinkFamily": OFFICE, false, |_| vec![Target::All];
    RecordFormRequest "RecordForm": OFFICE, false, |_| vec![Target::All];
    ListPeopleEntriesRequest "ListPeopleEntries": OFFICE, false, |_| vec![Target::All];

    // As they are, also where few are counted: not for those to whom small counts are not shown.
    GetEventCountsRequest "GetEventCounts": STAFF.and(PORTAL), false, |r| vec![Target::Event(&r.event)];
    ListEventCountsRequest "ListEventCounts": OFFICE.and(PORTAL), false, none;
    GetDemandRequest "GetDemand": FIGURES, false, none;
    GetWaitlistFunnelRequest "GetWaitlistFunnel": FIGURES, false, |r| event_if_named(&r.event);
    GetImbalanceRequest "GetImbalance": FIGURES, false, none;
    GetParticipationRequest "GetParticipation": FIGURES, false, none;
    GetAttendanceSummaryRequest "GetAttendanceSummary": STAFF, false, |r| vec![Target::Event(&r.event)];
    CreateReportRequest "CreateReport": OFFICE, false, |r| {
        match r.report.as_ref().and_then(|report| report.query.as_ref()).and_then(|query| query.query.as_ref()) {
            Some(report_query::Query::WaitlistFunnel(funnel)) => event_if_named(&funnel.event),
            _ => Vec::new(),
        }
    };
    GetReportRequest "GetReport": OFFICE, false, none;
    ListReportsRequest "ListReports": OFFICE, false, none;
    ListCorrectionsRequest "ListCorrections": OFFICE, false, none;

    ListChangesRequest "ListChanges": OFFICE, false, |r| {
        r.filter.as_ref().map(|filter| event_if_named(&filter.event)).unwrap_or_default()
    };
    WatchChangesRequest "WatchChanges": OFFICE, false, |r| {
        r.filter.as_ref().map(|filter| event_if_named(&filter.event)).unwrap_or_default()
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use prost::Message;
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
        for role in [Role::Administrator, Role::Reporting, Role::National] {
            for method in may(role) {
                assert!(about_people.iter().all(|word| !method.contains(word)), "{role:?} may call {method}");
            }
        }
        assert!(may(Role::Administrator).iter().all(|method| !method.contains("Event")));
    }

    #[test]
    fn only_what_is_about_one_registration_is_open_to_its_token() {
        for (method, ..) in TABLE.iter().filter(|row| row.2) {
            assert!(method.contains("Registration") || method.ends_with("Offer"), "{method}");
        }
    }
}
