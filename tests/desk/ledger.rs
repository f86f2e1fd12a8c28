//! What the ledger says after an erasure that was refused, and after one of which nobody knows.

use super::faulty::Fault;
use super::house::{FIRST_EVENING, House, papers};
use eile::admission::{GivenMark, MarkList, Request, Verb, WhichRegistration};
use eile::desk::{DeskError, Papers};
use eile::model::attendance::{Mark, Source};
use eile::model::id::{EventId, RegistrationId};
use eile::model::policy::Policy;
use eile::model::registration::ActorKind;
use eile::model::retention::Rules;
use eile::model::time::Timestamp;
use eile::privacy::{Asking, Ledger, Noted, Privacy, PrivacyError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A party as it is stored.
const PARTY: &str = r#"{"contact":{"name":"Ona"},"language":"lt","channel":"web","on_behalf_of":"oneself",
    "who":{"members":[{"name":"Ona"}]},"willing_elsewhere":false}"#;

/// A desk with a ledger beside it, and one party with a seat.
pub struct Noting {
    house: House,
    privacy: Privacy,
    path: PathBuf,
    event: EventId,
    id: RegistrationId,
    _folder: tempfile::TempDir,
}

impl Noting {
    pub async fn over(house: House) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let ledger = Arc::new(Ledger::open(&path).unwrap());
        let privacy = Privacy::new(house.desk.clone(), Rules::default()).with_ledger(ledger);
        let event = house.event(2, Policy::usual()).await;
        let mut job = house.sign_up_job(event, 1, Uuid::new_v4());
        if let Papers::SignUp(sign_up) = &mut job.papers {
            sign_up.party = papers(PARTY);
        }
        let id = house.desk.submit(job).await.unwrap().standing.unwrap().id;
        Self { house, privacy, path, event, id, _folder: folder }
    }

    fn asking(&self, request: Uuid) -> Asking {
        let request: Request = self.house.request(self.event, request);
        Asking { actor: ActorKind::Staff, request: Some(request), borne: None, validate_only: false }
    }

    async fn erase(&self, request: Uuid) -> Result<bool, PrivacyError> {
        self.privacy.erase(self.event, self.id, self.asking(request)).await.map(|erasure| erasure.erased.kept)
    }

    async fn is_erased(&self) -> bool {
        let number = self.id.number();
        self.house.desk.read(self.event, |v| v.roster.standing(number).unwrap().erased.is_some()).await.unwrap()
    }

    /// How many lines there are, and which erasures the next start does again: of names too, or not.
    fn noted(&self) -> (usize, Vec<bool>) {
        let lines = std::fs::read_to_string(&self.path).unwrap();
        let copy = self.path.with_extension("copy");
        std::fs::write(&copy, &lines).unwrap();
        let kept = |noted: &Noted| matches!(noted, Noted::Erasure { kept: true, .. });
        (lines.lines().count(), Ledger::open(&copy).unwrap().noted().iter().map(kept).collect())
    }

    async fn mark(&self, mark: Mark) {
        let who = WhichRegistration { number: self.id.number(), id: Some(self.id) };
        let marks = vec![GivenMark { who, member: 1, mark, minutes: None }];
        let list = MarkList { session: "s1".into(), source: Source::PaperList, happened_at: None, marks };
        self.house.ask(self.event, Verb::RecordAttendance(Box::new(list))).await.unwrap();
    }
}

/// What is refused is not done again after a restore.
pub async fn refused(house: House) {
    let noting = Noting::over(house).await;
    let used = Uuid::new_v4();
    let mut job = noting.house.sign_up_job(noting.event, 1, used);
    job.command.request = Some(Request { fingerprint: 8, ..noting.house.request(noting.event, used) });
    noting.house.desk.submit(job).await.unwrap();
    let reused = noting.erase(used).await;
    assert!(matches!(reused, Err(PrivacyError::Desk(DeskError::Refused(..)))), "{reused:?}");
    assert_eq!(noting.noted(), (0, vec![]), "tried out first");
    noting.house.store.next(&[Fault::FailBeforeCommit]);
    let failed = noting.erase(Uuid::new_v4()).await;
    assert!(matches!(failed, Err(PrivacyError::Desk(DeskError::Unavailable))), "{failed:?}");
    assert!(!noting.is_erased().await);
    assert_eq!(noting.noted(), (2, vec![]), "noted, and taken back");
    assert!(!noting.erase(Uuid::new_v4()).await.unwrap());
    assert_eq!(noting.noted(), (3, vec![false]), "what was done is noted");
    noting.erase(Uuid::new_v4()).await.unwrap();
    assert_eq!(noting.noted(), (3, vec![false]), "once");
    noting.house.check(noting.event).await;
}

/// Somebody who turns out to have come while the erasure was on its way: names are kept, and the ledger says so alone.
pub async fn turned(house: House) {
    let noting = Arc::new(Noting::over(house).await);
    noting.house.clock.move_to(Timestamp(FIRST_EVENING.0 + 3_600_000_000));
    noting.mark(Mark::Absent).await;
    let permits = noting.house.store.words.available_permits();
    noting.house.store.words.forget_permits(permits);
    let asked = Arc::clone(&noting);
    let erasing = tokio::spawn(async move { asked.erase(Uuid::new_v4()).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    noting.mark(Mark::Present).await;
    noting.house.store.words.add_permits(10);
    assert!(erasing.await.unwrap().unwrap(), "names stay");
    assert_eq!(noting.noted(), (3, vec![true]));
}

/// An answer that was lost: where another try tells, it was done; where none does, the note stays.
pub async fn unknown(house: House) {
    let noting = Noting::over(house).await;
    noting.house.store.next(&[Fault::LoseAnswer]);
    let told = noting.erase(Uuid::new_v4()).await;
    let is_known = !noting.house.desk.fatal().is_cancelled();
    assert!(if is_known { told.is_ok() } else { told.is_err() }, "{told:?}");
    assert_eq!(noting.noted(), (1, vec![false]));
}
