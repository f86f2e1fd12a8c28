//! The decoders and parsers themselves, without a service behind them: as many cases as there is time for.

use crate::bytes::{Rng, damage};
use crate::messages::{Maker, Names};
use eile::api::FILE_DESCRIPTOR_SET;
use eile::api::proto::*;
use eile::keys::{Keys, read_secret};
use eile::model::id::EventId;
use eile::model::time::{Span, Timestamp, parse_local};
use eile::oidc::{Algorithm, Mapping, No, Options, Pace, Source, Users};
use prost::Message;
use prost_reflect::DescriptorPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Whether these bytes are a message; one that is must be the same when it is written and read again.
type Decoder = fn(&[u8]) -> bool;

fn decodes<M: Message + Default>(bytes: &[u8]) -> bool {
    let Ok(message) = M::decode(bytes) else { return false };
    let written = message.encode_to_vec();
    let again = M::decode(written.as_slice()).expect("what was written is read");
    assert_eq!(again.encode_to_vec(), written);
    true
}

macro_rules! decoders {
    ($($message:ident),* $(,)?) => {
        const DECODERS: &[(&str, Decoder)] = &[$((stringify!($message), decodes::<$message>)),*];
    };
}

decoders! {
    AcceptOfferRequest, AddWalkInRequest, ApproveRegistrationRequest, CancelEventRequest,
    CancelRegistrationRequest, CancelSessionRequest, CheckInRequest, CompleteEventRequest, CopyEventRequest,
    CreateAccessKeyRequest, CreateCentreRequest, CreateEventRequest, CreateProgrammeRequest,
    CreateRegistrationRequest, CreateReportRequest, DeclineOfferRequest, EraseDueRequest,
    EraseRegistrationRequest, ExplainRegistrationRequest, ExportRegistrationRequest, FindRegistrationsRequest,
    GetAttendanceSummaryRequest, GetCentreRequest, GetCompletionRequest, GetDemandRequest, GetEventCountsRequest,
    GetEventRequest, GetImbalanceRequest, GetMetricsRequest, GetParticipationRequest, GetProgrammeRequest, GetRegistrationRequest,
    GetReportRequest, GetRosterRequest, GetWaitlistFunnelRequest, LinkFamilyRequest, ListAccessEntriesRequest,
    ListAccessKeysRequest, ListAttendanceRequest, ListCentresRequest, ListChangesRequest, ListCorrectionsRequest,
    ListDueErasuresRequest, ListEventCountsRequest, ListEventsRequest, ListPeopleEntriesRequest,
    ListPossibleDuplicatesRequest, ListProgrammesRequest, ListRegistrationsRequest, ListReportsRequest,
    LiftRegistrationRestrictionRequest, RestrictRegistrationRequest, SetRegistrationConsentsRequest,
    MergePersonsRequest, MoveSessionRequest, PromoteRegistrationRequest, PublishEventRequest,
    RecordAttendanceRequest, RecordFormRequest, RecordHeadCountRequest, RejectRegistrationRequest,
    RevokeAccessKeyRequest, RotateAccessKeyRequest, SetRegistrationClassRequest, TransferRegistrationRequest,
    UndoMergeRequest, UpdateCentreRequest, UpdateEventRequest, UpdateProgrammeRequest, UpdateRegistrationRequest,
    WatchChangesRequest, WatchEventRequest, WatchRegistrationRequest,
}

#[test]
fn every_request_decodes_or_is_refused_whatever_its_bytes() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let own = pool.services().filter(|service| service.package_name() == "eile.v1");
    let inputs: BTreeSet<String> =
        own.flat_map(|service| service.methods().map(|m| m.input().name().to_owned()).collect::<Vec<_>>()).collect();
    assert_eq!(inputs, DECODERS.iter().map(|(name, _)| (*name).to_owned()).collect(), "please name the new ones here");
    let cases = crate::number("EILE_TEST_FUZZ_BYTES", 900_000) as usize;
    let mut maker = Maker::new(Rng::new(crate::number("EILE_TEST_FUZZ_SEED", 20_310_110)), Arc::new(Names::default()));
    let (mut read, mut refused) = (0, 0);
    for (name, decode) in DECODERS {
        let input = pool.get_message_by_name(&format!("eile.v1.{name}")).unwrap();
        let sound: Vec<_> = (0..64).map(|_| maker.message(&input, 0).encode_to_vec()).collect();
        assert!(sound.iter().all(|bytes| decode(bytes)), "{name}");
        for _ in 0..cases / DECODERS.len() {
            let mut bytes = maker.rng.pick(&sound).clone();
            bytes.truncate(400);
            damage(&mut maker.rng, &mut bytes);
            if decode(&bytes) { read += 1 } else { refused += 1 }
        }
    }
    println!("read {read}, refused {refused}");
    assert!(read * 20 > cases && refused * 20 > cases, "read {read}, refused {refused}");
}

#[tokio::test]
async fn no_text_that_is_shown_as_a_token_a_secret_or_a_code_does_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, r#"{"keys": []}"#).unwrap();
    let hour = Duration::from_secs(3_600);
    let options = Options {
        issuer: "https://login.example.org".into(),
        audience: "eile".into(),
        source: Source::File(file),
        algorithms: vec![Algorithm::ES256],
        skew: Span::seconds(60),
        pace: Pace { refresh: hour, keep: hour, pause: hour },
        mapping: Mapping::default(),
    };
    let keys = Keys::new([7; 32]);
    let users = Users::open(options, keys.clone()).await.unwrap();
    let mut rng = Rng::new(crate::number("EILE_TEST_FUZZ_SEED", 20_310_110));
    let event = EventId(uuid::Uuid::from_u128(7));
    let sound = [
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiI1ZjBjIn0.AAAA".to_owned(),
        keys.access_secret("0f1e2d3c4b5a6978", uuid::Uuid::from_u128(5)).text,
        keys.check_in_code(event, 5),
        "2031-02-20T17:30".to_owned(),
    ];
    for _ in 0..crate::number("EILE_TEST_FUZZ_TEXTS", 100_000) {
        let mut bytes = rng.pick(&sound).clone().into_bytes();
        damage(&mut rng, &mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(users.shown(&text, Timestamp(0)).await.err(), Some(No::Refused), "{text}");
        assert!(read_secret(&text).is_none_or(|(id, _)| id.len() == 16), "{text}");
        assert!(keys.read_check_in_code(event, &text).is_ok_and(|number| number == 5) || text != sound[2], "{text}");
        let _ = parse_local(&text);
    }
}
