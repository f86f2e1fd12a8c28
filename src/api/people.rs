//! PeopleService: what staff enter about persons. Possible duplicates in `duplicates`.

mod duplicates;

use super::caller::Caller;
use super::from_proto::{Fields, Path};
use super::page_token::Pages;
use super::proto::*;
use super::repeat::again;
use super::request::{Asked, Change};
use super::to_proto::{int64, names, time};
use super::{Api, status};
use crate::model::access::Reach;
use crate::model::person::{self, PeopleChange, PersonId};
use crate::report::{NotEntered, People};
use crate::storage::Stored;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// How often an entry is made anew because somebody else's was first.
const TRIES: u32 = 32;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl super::proto::people_service_server::PeopleService for Api {
    async fn list_possible_duplicates(
        &self,
        request: Request<ListPossibleDuplicatesRequest>,
    ) -> Answer<ListPossibleDuplicatesResponse> {
        let (caller, r) = self.admit(request).await?;
        self.possible_duplicates(caller, r).await.map(Response::new)
    }

    async fn merge_persons(&self, request: Request<MergePersonsRequest>) -> Answer<MergePersonsResponse> {
        let (caller, r) = self.admit(request).await?;
        let entry = self.merge(caller, r).await?;
        Ok(Response::new(MergePersonsResponse { entry: Some(entry) }))
    }

    async fn undo_merge(&self, request: Request<UndoMergeRequest>) -> Answer<UndoMergeResponse> {
        let (caller, r) = self.admit(request).await?;
        let entry = self.part(caller, r).await?;
        Ok(Response::new(UndoMergeResponse { entry: Some(entry) }))
    }

    async fn link_family(&self, request: Request<LinkFamilyRequest>) -> Answer<LinkFamilyResponse> {
        let (caller, r) = self.admit(request).await?;
        let entry = self.link(caller, r).await?;
        Ok(Response::new(LinkFamilyResponse { entry: Some(entry) }))
    }

    async fn record_form(&self, request: Request<RecordFormRequest>) -> Answer<RecordFormResponse> {
        let (caller, r) = self.admit(request).await?;
        let entry = self.form(caller, r).await?;
        Ok(Response::new(RecordFormResponse { entry: Some(entry) }))
    }

    async fn list_people_entries(
        &self,
        request: Request<ListPeopleEntriesRequest>,
    ) -> Answer<ListPeopleEntriesResponse> {
        const METHOD: &str = "ListPeopleEntries";
        let (caller, r) = self.admit(request).await?;
        caller.staff_only(METHOD)?;
        let ListPeopleEntriesRequest { page_size, page_token } = r;
        let mut fields = Fields::default();
        let size = fields.page_size(page_size);
        fields.finish(()).map_err(status::fields)?;
        let pages = Pages::of(self.desk.keys(), METHOD, &[]);
        let after = pages.cursor(&page_token)?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
        let mut found = self.desk.store().people_entries(after, size + 1).await.map_err(status::storage)?;
        let last = super::admin::cut(&mut found, size).map(|entry| pages.token(&entry.number.to_be_bytes()));
        let entries = found.iter().map(entry).collect();
        Ok(Response::new(ListPeopleEntriesResponse { entries, next_page_token: last.unwrap_or_default() }))
    }
}

impl Api {
    async fn merge(&self, caller: Caller, mut r: MergePersonsRequest) -> Result<PeopleEntry, Status> {
        caller.staff_only(MergePersonsRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let person = fields.required_person(Path::Top("person"), &r.person);
        let into = fields.required_person(Path::Top("into"), &r.into);
        if person == into && fields.is_sound() {
            fields.refuse(Path::Top("into"), "must be another person");
        }
        fields.finish(()).map_err(status::fields)?;
        let already = |_| status::persons_already_one(&r.person, &r.into);
        self.enter(caller, &asked, |people| people.merge(person, into).map_err(already)).await
    }

    async fn part(&self, caller: Caller, mut r: UndoMergeRequest) -> Result<PeopleEntry, Status> {
        caller.staff_only(UndoMergeRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let number = u64::try_from(r.number).unwrap_or(0);
        if number == 0 {
            fields.refuse(Path::Top("number"), "must be the number of an entry");
        }
        fields.finish(()).map_err(status::fields)?;
        let reported = self.report_resting_on(number).await?;
        let part = |people: &People| match people.part(number) {
            Err(NotEntered::Undone) => Err(status::merge_undone(r.number)),
            Err(_) => Err(status::people_entry_not_found(r.number)),
            Ok(change) => match &reported {
                Some(report) => Err(status::merge_reported(r.number, report)),
                None => Ok(change),
            },
        };
        self.enter(caller, &asked, part).await
    }

    async fn link(&self, caller: Caller, mut r: LinkFamilyRequest) -> Result<PeopleEntry, Status> {
        caller.staff_only(LinkFamilyRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let at = Path::Top("persons");
        let given = fields.list(at, r.persons, 2, 50);
        fields.unique(at, "", given.iter().map(String::as_str));
        let persons: Vec<PersonId> =
            given.iter().enumerate().map(|(i, name)| fields.required_person(at.item(i), name)).collect();
        fields.finish(()).map_err(status::fields)?;
        self.enter(caller, &asked, |_| Ok(PeopleChange::FamilyLinked { persons: persons.clone() })).await
    }

    async fn form(&self, caller: Caller, mut r: RecordFormRequest) -> Result<PeopleEntry, Status> {
        caller.staff_only(RecordFormRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let person = fields.required_person(Path::Top("person"), &r.person);
        let project = fields.required_line(Path::Top("project_code"), r.project_code, 64);
        fields.finish(()).map_err(status::fields)?;
        let change = PeopleChange::Form { person, project, received: r.received };
        self.enter(caller, &asked, |_| Ok(change.clone())).await
    }

    /// Adds an entry behind all others. `change` is made anew where somebody else's entry was first.
    async fn enter(
        &self,
        caller: Caller,
        asked: &Asked,
        change: impl Fn(&People) -> Result<PeopleChange, Status> + Send,
    ) -> Result<PeopleEntry, Status> {
        for _ in 0..TRIES {
            let people = self.reports.people().await.map_err(status::storage)?;
            let change = match change(&people) {
                Ok(change) => change,
                Err(no) => {
                    let open = asked.open(caller, self.desk.keys(), &());
                    return self.unless_answered(asked, open, Err(no)).await;
                }
            };
            let new = person::PeopleEntry { number: people.number() + 1, at: self.desk.clock().now(), change };
            let answer = entry(&new);
            let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
            match self.write(async move { store.add_people_entry(&new, &open).await }).await? {
                Stored::Created => return Ok(answer),
                Stored::Replayed(first) => return again(&first),
                Stored::RequestIdReused => return Err(status::request_id_reused(asked.request_id)),
                Stored::Taken | Stored::VersionMismatch(_) | Stored::Missing => {}
            }
        }
        Err(status::overloaded())
    }

    /// The first stored report that rests on this entry about persons, if there is one.
    async fn report_resting_on(&self, number: u64) -> Result<Option<String>, Status> {
        let mut after = None;
        loop {
            let reports = self.desk.store().list_reports(&Reach::Service, after, 100).await.map_err(status::storage)?;
            if let Some(report) = reports.iter().find(|report| report.people_number >= number) {
                return Ok(Some(names::report(report.id)));
            }
            match reports.last() {
                Some(last) => after = Some(last.id),
                None => return Ok(None),
            }
        }
    }
}

/// An entry on the wire.
pub(super) fn entry(entry: &person::PeopleEntry) -> PeopleEntry {
    let told = |kind: &str, persons: Vec<PersonId>| PeopleEntry {
        number: int64(entry.number),
        time: Some(time::instant(entry.at)),
        kind: kind.to_owned(),
        persons: persons.into_iter().map(names::person).collect(),
        project_code: String::new(),
        undoes: 0,
    };
    match &entry.change {
        PeopleChange::Merged { person, into } => told("merged", vec![*person, *into]),
        PeopleChange::Parted { merge, person, into } => {
            PeopleEntry { undoes: int64(*merge), ..told("parted", vec![*person, *into]) }
        }
        PeopleChange::FamilyLinked { persons } => told("family_linked", persons.clone()),
        PeopleChange::Form { person, project, received } => {
            let kind = if *received { "form_received" } else { "form_revoked" };
            PeopleEntry { project_code: project.clone(), ..told(kind, vec![*person]) }
        }
    }
}
