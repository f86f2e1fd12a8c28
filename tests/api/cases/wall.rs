//! No rpc shows anything of a centre that the key does not reach. Two walls see to that, on PostgreSQL (docs/decisions/0024):
//! what is asked for is within reach (`rights`), and the database shows nothing else. Mutants break the first for each
//! rpc; with `EILE_TEST_WALL=off` the second is taken down, and then this test must see it.

use crate::cases::keys::{Town, key, with};
use crate::house::{House, no_of};
use crate::raw::Raw;
use crate::samples::*;
use eile::api::proto::*;
use eile::api::{FILE_DESCRIPTOR_SET, rights_table};
use eile::model::access;
use eile::model::access_log::AccessKind;
use eile::model::time::Span;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};
use std::collections::BTreeSet;
use std::time::Duration;
use tonic::Status;

/// In every name, contact and word of the other centre, and nowhere else.
const CANARY: &str = "zqxkanarele";

/// What the other centre has.
struct Other {
    town: Town,
    /// Heads of the own centre and of the other one.
    mine: String,
    theirs: String,
    event: String,
    centre: String,
    own_event: String,
    /// The one that is looked at, and one that is carried away.
    registration: String,
    movable: String,
    report: String,
}

impl Other {
    async fn of(h: House) -> Self {
        let mut town = Town::of(h).await;
        let ([own, centre], [own_event, event]) = (town.centres.clone(), town.events.clone());
        let mine = town.key(key(Role::Head, &[&own])).await.secret;
        let theirs = town.key(AccessKey { display_name: CANARY.into(), ..key(Role::Head, &[&centre]) }).await.secret;
        let mut other = Self {
            town,
            mine,
            theirs,
            event,
            centre,
            own_event,
            registration: String::new(),
            movable: String::new(),
            report: String::new(),
        };
        other.fill().await;
        other
    }

    /// Two families with a member of the same name, a word of staff about one, and a report.
    async fn fill(&mut self) {
        for n in [2, 1] {
            let given = Registration {
                contact: Some(Contact {
                    display_name: format!("{CANARY} {n}"),
                    email: format!("{CANARY}{n}@example.org"),
                    ..Default::default()
                }),
                members: vec![Member { display_name: format!("{CANARY} Rasa"), ..Default::default() }; 2],
                ..Default::default()
            };
            let ask = with(&self.theirs, sign_up(&self.event, given));
            let made = self.town.h.registrations.create_registration(ask).await.unwrap().into_inner();
            self.movable = std::mem::replace(&mut self.registration, made.registration.unwrap().name);
        }
        let class = SetRegistrationClassRequest {
            name: self.registration.clone(),
            reason: format!("{CANARY} waits for long"),
            request_id: id(),
            ..Default::default()
        };
        self.town.h.registrations.set_registration_class(with(&self.theirs, class)).await.unwrap();
        let query = ReportQuery { query: Some(report_query::Query::Demand(GetDemandRequest::default())) };
        let report = Report { title: CANARY.into(), query: Some(query), ..Report::default() };
        let ask = CreateReportRequest { request_id: id(), report: Some(report) };
        let made = self.town.h.reports.create_report(with(&self.theirs, ask)).await.unwrap().into_inner();
        self.report = made.report.unwrap().name;
        // The rows of the access log come behind.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }

    /// What the own centre's head asks about the other centre, each under the name of its rpc.
    fn questions(&self) -> Vec<(&'static str, Vec<u8>)> {
        let (event, name) = (self.event.clone(), self.registration.clone());
        let full = RegistrationView::Full.into();
        let mut asked = vec![
            (
                "GetRegistration",
                GetRegistrationRequest { name: name.clone(), view: full, ..Default::default() }.encode_to_vec(),
            ),
            (
                "ExplainRegistration",
                ExplainRegistrationRequest { name: name.clone(), ..Default::default() }.encode_to_vec(),
            ),
            (
                "WatchRegistration",
                WatchRegistrationRequest { name: name.clone(), ..Default::default() }.encode_to_vec(),
            ),
            (
                "ExportRegistration",
                ExportRegistrationRequest { name: name.clone(), ..Default::default() }.encode_to_vec(),
            ),
            ("ListAttendance", ListAttendanceRequest { parent: event.clone(), ..Default::default() }.encode_to_vec()),
            ("GetCompletion", GetCompletionRequest { parent: event.clone(), ..Default::default() }.encode_to_vec()),
            ("GetAttendanceSummary", GetAttendanceSummaryRequest { event: event.clone() }.encode_to_vec()),
            (
                "ListPossibleDuplicates",
                ListPossibleDuplicatesRequest { centre: self.centre.clone(), start_time: None }.encode_to_vec(),
            ),
            ("ListPeopleEntries", ListPeopleEntriesRequest::default().encode_to_vec()),
            (
                "ListDueErasures",
                ListDueErasuresRequest { centre: self.centre.clone(), ..Default::default() }.encode_to_vec(),
            ),
            (
                "ListAccessEntries",
                ListAccessEntriesRequest { event: event.clone(), ..Default::default() }.encode_to_vec(),
            ),
            (
                "ListAccessEntries",
                ListAccessEntriesRequest { centre: self.centre.clone(), ..Default::default() }.encode_to_vec(),
            ),
            ("GetReport", GetReportRequest { name: self.report.clone() }.encode_to_vec()),
            ("ListReports", ListReportsRequest::default().encode_to_vec()),
            ("ListCorrections", ListCorrectionsRequest { report: self.report.clone() }.encode_to_vec()),
        ];
        for order_by in ["line", "name"] {
            let ask = ListRegistrationsRequest {
                parent: event.clone(),
                view: full,
                order_by: order_by.into(),
                ..Default::default()
            };
            asked.push(("ListRegistrations", ask.encode_to_vec()));
        }
        let roster = GetRosterRequest { parent: event.clone(), session_id: "s1".into(), ..Default::default() };
        asked.push(("GetRoster", roster.encode_to_vec()));
        for n in 1..=2 {
            let found = FindRegistrationsRequest { email: format!("{CANARY}{n}@example.org"), ..Default::default() };
            asked.push(("FindRegistrations", found.encode_to_vec()));
        }
        let scan = CheckInRequest {
            parent: event.clone(),
            registration: name.clone(),
            members: vec![1],
            request_id: id(),
            ..Default::default()
        };
        let update = UpdateRegistrationRequest {
            registration: Some(Registration { name, municipality_code: "42".into(), ..Default::default() }),
            update_mask: mask(&["municipality_code"]),
            request_id: id(),
            ..Default::default()
        };
        asked.extend([("CheckIn", scan.encode_to_vec()), ("UpdateRegistration", update.encode_to_vec())]);
        asked
    }

    /// Carries a family of the other centre away, and looks whether it has come.
    fn abduction(&self) -> Vec<(&'static str, Vec<u8>)> {
        let transfer = TransferRegistrationRequest {
            name: self.movable.clone(),
            target_event: self.own_event.clone(),
            request_id: id(),
            ..Default::default()
        };
        let mine = ListRegistrationsRequest {
            parent: self.own_event.clone(),
            view: RegistrationView::Full.into(),
            ..Default::default()
        };
        vec![("TransferRegistration", transfer.encode_to_vec()), ("ListRegistrations", mine.encode_to_vec())]
    }

    /// A message of this type about the other centre, as far as it names anything of one.
    fn about(&self, set: &FileDescriptorSet, method: &str, kind: &str, within: &str) -> Vec<u8> {
        let files = || set.file.iter().filter(|file| file.package() == "eile.v1");
        let is_it = |m: &&DescriptorProto| kind.ends_with(&format!(".{}", m.name()));
        let message = files().flat_map(|file| &file.message_type).find(is_it).unwrap();
        let of_registration = method.contains("Registration") || method.ends_with("Offer");
        let mut bytes = Vec::new();
        for field in message.field.iter().filter(|field| field.label() != Label::Repeated) {
            let value = match (field.r#type(), field.name()) {
                (Type::String, "name") => match within {
                    "centre" => self.centre.clone(),
                    "registration" => self.registration.clone(),
                    "" if of_registration => self.registration.clone(),
                    _ => self.event.clone(),
                },
                (Type::String, "parent" | "event") => self.event.clone(),
                (Type::String, "centre") => self.centre.clone(),
                (Type::String, "registration") => self.registration.clone(),
                (Type::String, "target_event") => self.own_event.clone(),
                // Two rpcs look at these before they narrow what they are asked.
                (Type::String, "request_id") => id(),
                (Type::String, "title") => "Quarter".to_owned(),
                (
                    Type::Message,
                    name @ ("event" | "registration" | "centre" | "scope" | "filter" | "report" | "query" | "demand"),
                ) => {
                    prost::encoding::encode_key(
                        field.number() as u32,
                        prost::encoding::WireType::LengthDelimited,
                        &mut bytes,
                    );
                    let inner = self.about(set, method, field.type_name(), name);
                    prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
                    bytes.extend(inner);
                    continue;
                }
                _ => continue,
            };
            prost::encoding::string::encode(field.number() as u32, &value, &mut bytes);
        }
        bytes
    }

    async fn begun(
        &self,
        set: &FileDescriptorSet,
        name: &str,
        message: Vec<u8>,
    ) -> Result<tonic::Streaming<Vec<u8>>, Status> {
        let mut services = set.file.iter().filter(|f| f.package() == "eile.v1").flat_map(|f| &f.service);
        let service = services.find(|s| s.method.iter().any(|m| m.name() == name)).unwrap().name();
        let path = format!("/eile.v1.{service}/{name}").parse().unwrap();
        let mut client = tonic::client::Grpc::new(self.town.h.channel.clone());
        client.ready().await.unwrap();
        client.server_streaming(with(&self.mine, message), path, Raw).await.map(tonic::Response::into_inner)
    }

    /// All that an rpc answers, as it came.
    async fn heard(&self, set: &FileDescriptorSet, name: &str, message: Vec<u8>) -> Vec<u8> {
        let mut stream = match self.begun(set, name, message).await {
            Ok(stream) => stream,
            Err(no) => return [no.message().as_bytes(), no.details()].concat(),
        };
        let mut all = Vec::new();
        while let Ok(Ok(Some(message))) = tokio::time::timeout(Duration::from_secs(2), stream.message()).await {
            all.extend(message);
            if name.starts_with("Watch") {
                break;
            }
        }
        all
    }
}

/// Just before the session begins.
const TO_THE_SESSION: Span = Span::seconds(41 * 24 * 3600 + 7 * 3600 + 30 * 60);

pub async fn no_rpc_shows_anything_of_a_centre_that_the_key_does_not_reach(h: House) {
    let other = Other::of(h).await;
    if std::env::var("EILE_TEST_WALL").is_ok_and(|wall| wall == "off") {
        other.town.h.take_the_wall_down().await;
    }
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let questions = other.questions();
    let asked: BTreeSet<&str> = questions.iter().map(|(name, _)| *name).collect();
    let reads: BTreeSet<&str> =
        rights_table().filter(|(.., kind)| *kind == Some(AccessKind::Read)).map(|(method, ..)| method).collect();
    let missing: Vec<_> = reads.difference(&asked).collect();
    assert!(missing.is_empty(), "please ask here too what {missing:?} shows");
    // The access log tells who of theirs looked; a registration is told by its name.
    let of_theirs = [CANARY, &other.registration, &other.centre, "SetRegistrationClass"];
    let mut leaks = Vec::new();
    for (n, (name, message)) in other.abduction().into_iter().chain(questions).enumerate() {
        if n == 2 {
            other.town.h.pass(TO_THE_SESSION).await;
        }
        let heard = String::from_utf8_lossy(&other.heard(&set, name, message.clone()).await).into_owned();
        let sent = String::from_utf8_lossy(&message).into_owned();
        let told = of_theirs.iter().filter(|word| heard.contains(**word) && !sent.contains(**word));
        leaks.extend(told.map(|word| format!("{name} tells {word}")));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// What names nothing of a centre, or narrows its answer instead of refusing.
const NAMES_NOTHING: &[&str] = &[
    "CreateProgramme",
    "FindRegistrations",
    "GetCentre",
    "GetProgramme",
    "GetReport",
    "ListCentres",
    "ListCorrections",
    "ListEventCounts",
    "ListEvents",
    "ListProgrammes",
    "ListReports",
];

pub async fn what_another_centre_has_is_not_there_whatever_the_rpc(h: House) {
    let other = Other::of(h).await;
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let methods = set.file.iter().filter(|f| f.package() == "eile.v1").flat_map(|f| &f.service).flat_map(|s| &s.method);
    let heads: BTreeSet<&str> = rights_table()
        .filter(|(_, roles, ..)| roles.contains(&access::Role::Head))
        .map(|(method, ..)| method)
        .collect();
    let mut let_in = Vec::new();
    for method in methods.filter(|m| heads.contains(m.name()) && !NAMES_NOTHING.contains(&m.name())) {
        let message = other.about(&set, method.name(), method.input_type(), "");
        let mut heard = match other.begun(&set, method.name(), message).await {
            Ok(mut stream) => tokio::time::timeout(Duration::from_secs(2), stream.message()).await.map(|m| m.map(drop)),
            Err(no) => Ok(Err(no)),
        };
        let heard = match &mut heard {
            Ok(Err(no)) => no_of(no.clone()).reason,
            _ => "an answer".to_owned(),
        };
        if !["EVENT_NOT_FOUND", "CENTRE_NOT_FOUND", "CENTRE_REQUIRED"].contains(&heard.as_str()) {
            let_in.push(format!("{} hears {heard}", method.name()));
        }
    }
    assert!(let_in.is_empty(), "{let_in:#?}");
}
