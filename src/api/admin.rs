//! AdminService: centres and programmes.

use super::caller::Caller;
use super::from_proto::admin::{CENTRE_FIELDS, PROGRAMME_FIELDS, overlay_centre, overlay_programme};
use super::from_proto::{Fields, Path};
use super::page_token::{Pages, Room};
use super::proto::*;
use super::repeat::again;
use super::request::{Asked, Change};
use super::to_proto::{self, names};
use super::{Api, status};
use crate::model::centre;
use crate::model::id::{CentreId, ProgrammeId};
use crate::storage::Stored;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// How often an update without an etag is laid over what others wrote in between.
const UPDATE_TRIES: u32 = 5;

type Answer<T> = Result<Response<T>, Status>;

/// An update of a centre or programme, read.
struct Update<T> {
    asked: Asked,
    given: T,
    mask: Vec<&'static str>,
    etag: Option<u64>,
}

#[tonic::async_trait]
impl super::proto::admin_service_server::AdminService for Api {
    async fn create_centre(&self, request: Request<CreateCentreRequest>) -> Answer<CreateCentreResponse> {
        let (caller, r) = self.admit(request).await?;
        let centre = self.open_centre(caller, r).await?;
        Ok(Response::new(CreateCentreResponse { centre: Some(centre) }))
    }

    async fn get_centre(&self, request: Request<GetCentreRequest>) -> Answer<GetCentreResponse> {
        let (_, r) = self.admit(request).await?;
        let mut fields = Fields::default();
        let id = fields.centre_name(Path::Top("name"), &r.name);
        let centre = self.centre(fields.finish(id).map_err(status::fields)?).await?;
        Ok(Response::new(GetCentreResponse { centre: Some(to_proto::admin::centre(&centre)) }))
    }

    async fn list_centres(&self, request: Request<ListCentresRequest>) -> Answer<ListCentresResponse> {
        let (_, r) = self.admit(request).await?;
        let ListCentresRequest { page_size, page_token } = r;
        let (size, after) = self.slug_page("ListCentres", page_size, &page_token)?;
        let after = after.map(CentreId);
        let found = self.desk.store().list_centres(after.as_ref(), size + 1).await.map_err(status::storage)?;
        let (centres, last) = page_of(&found, size, to_proto::admin::centre);
        let next_page_token = self.slug_token("ListCentres", last.map(|c| c.id.0.as_str()));
        Ok(Response::new(ListCentresResponse { centres, next_page_token }))
    }

    async fn update_centre(&self, request: Request<UpdateCentreRequest>) -> Answer<UpdateCentreResponse> {
        let (caller, r) = self.admit(request).await?;
        let centre = self.change_centre(caller, r).await?;
        Ok(Response::new(UpdateCentreResponse { centre: Some(centre) }))
    }

    async fn create_programme(&self, request: Request<CreateProgrammeRequest>) -> Answer<CreateProgrammeResponse> {
        let (caller, r) = self.admit(request).await?;
        let programme = self.add_programme(caller, r).await?;
        Ok(Response::new(CreateProgrammeResponse { programme: Some(programme) }))
    }

    async fn get_programme(&self, request: Request<GetProgrammeRequest>) -> Answer<GetProgrammeResponse> {
        let (_, r) = self.admit(request).await?;
        let mut fields = Fields::default();
        let id = fields.programme_name(Path::Top("name"), &r.name);
        let programme = self.programme(fields.finish(id).map_err(status::fields)?).await?;
        Ok(Response::new(GetProgrammeResponse { programme: Some(to_proto::admin::programme(&programme)) }))
    }

    async fn list_programmes(&self, request: Request<ListProgrammesRequest>) -> Answer<ListProgrammesResponse> {
        let (_, r) = self.admit(request).await?;
        let ListProgrammesRequest { page_size, page_token } = r;
        let (size, after) = self.slug_page("ListProgrammes", page_size, &page_token)?;
        let after = after.map(ProgrammeId);
        let found = self.desk.store().list_programmes(after.as_ref(), size + 1).await.map_err(status::storage)?;
        let (programmes, last) = page_of(&found, size, to_proto::admin::programme);
        let next_page_token = self.slug_token("ListProgrammes", last.map(|p| p.id.0.as_str()));
        Ok(Response::new(ListProgrammesResponse { programmes, next_page_token }))
    }

    async fn update_programme(&self, request: Request<UpdateProgrammeRequest>) -> Answer<UpdateProgrammeResponse> {
        let (caller, r) = self.admit(request).await?;
        let programme = self.change_programme(caller, r).await?;
        Ok(Response::new(UpdateProgrammeResponse { programme: Some(programme) }))
    }

    async fn create_access_key(&self, request: Request<CreateAccessKeyRequest>) -> Answer<CreateAccessKeyResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.staff_only("CreateAccessKey")?;
        self.make_key(caller, r).await.map(Response::new)
    }

    async fn list_access_keys(&self, request: Request<ListAccessKeysRequest>) -> Answer<ListAccessKeysResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.staff_only("ListAccessKeys")?;
        self.list_keys(r).await.map(Response::new)
    }

    async fn rotate_access_key(&self, request: Request<RotateAccessKeyRequest>) -> Answer<RotateAccessKeyResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.staff_only("RotateAccessKey")?;
        self.rotate_key(caller, r).await.map(Response::new)
    }

    async fn revoke_access_key(&self, request: Request<RevokeAccessKeyRequest>) -> Answer<RevokeAccessKeyResponse> {
        let (caller, r) = self.admit(request).await?;
        caller.staff_only("RevokeAccessKey")?;
        self.revoke_key(caller, r).await.map(Response::new)
    }

    async fn get_metrics(&self, request: Request<GetMetricsRequest>) -> Answer<GetMetricsResponse> {
        let (caller, _) = self.admit(request).await?;
        caller.staff_only("GetMetrics")?;
        Ok(Response::new(GetMetricsResponse { text: self.metrics.text().map_err(status::internal)? }))
    }

    async fn list_access_entries(
        &self,
        request: Request<ListAccessEntriesRequest>,
    ) -> Answer<ListAccessEntriesResponse> {
        let (caller, r) = self.admit(request).await?;
        self.list_access(caller, r).await.map(Response::new)
    }
}

/// Cuts a page that was read with one item more; the last of the page where more follow.
pub(super) fn cut<T>(found: &mut Vec<T>, size: u32) -> Option<&T> {
    let size = size as usize;
    if found.len() <= size {
        return None;
    }
    found.truncate(size);
    found.last()
}

/// The page of what was read with one item more; and its last item, where more follow.
pub(super) fn page_of<T, M: prost::Message>(found: &[T], size: u32, render: impl Fn(&T) -> M) -> (Vec<M>, Option<&T>) {
    let mut room = Room::default();
    let rendered = found.iter().take(size as usize).map(render);
    let page: Vec<M> = rendered.take_while(|message| room.takes(message)).collect();
    let last = page.len().checked_sub(1).and_then(|i| found.get(i));
    let last = last.filter(|_| page.len() < found.len());
    (page, last)
}

impl Api {
    async fn open_centre(&self, caller: Caller, mut r: CreateCentreRequest) -> Result<Centre, Status> {
        caller.staff_only(CreateCentreRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = CentreId(fields.chosen_slug(Path::Top("centre_id"), r.centre_id));
        let given = fields.message(Path::Top("centre"), r.centre);
        let mut centre = fields.centre(given, id.clone());
        centre.created_at = self.desk.clock().now();
        centre.updated_at = centre.created_at;
        let centre = fields.finish(centre).map_err(status::fields)?;
        let answer = to_proto::admin::centre(&centre);
        if asked.validate_only {
            return match self.desk.store().centre(&id).await.map_err(status::storage)? {
                Some(_) => Err(status::already_exists("centre", &names::centre(&id))),
                None => Ok(answer),
            };
        }
        let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
        match self.write(async move { store.create_centre(&centre, &open).await }).await? {
            Stored::Created => Ok(answer),
            Stored::Replayed(first) => again(&first),
            other => Err(not_stored(other, "centre", &names::centre(&id), &asked)),
        }
    }

    async fn change_centre(&self, caller: Caller, mut r: UpdateCentreRequest) -> Result<Centre, Status> {
        caller.staff_only(UpdateCentreRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let mask = fields.mask(r.update_mask, CENTRE_FIELDS);
        let given = fields.message(Path::Top("centre"), r.centre);
        let id = fields.centre_name(Path::Top("centre.name"), &given.name);
        let etag = fields.etag(Path::Top("centre.etag"), &given.etag);
        let id = fields.finish(id).map_err(status::fields)?;
        let update = Update { asked, given, mask, etag };
        let answer = self.lay_over_centre(caller, &update, id).await;
        self.unless_answered(&asked, asked.open(caller, self.desk.keys(), &()), answer).await
    }

    async fn lay_over_centre(
        &self,
        caller: Caller,
        update: &Update<Centre>,
        id: Option<CentreId>,
    ) -> Result<Centre, Status> {
        let Update { asked, given, mask, etag } = update;
        for _ in 0..UPDATE_TRIES {
            let stored = self.centre(id.clone()).await?;
            let mut whole = to_proto::admin::centre(&stored);
            overlay_centre(&mut whole, given.clone(), mask);
            let mut fields = Fields::default();
            let mut new = fields.centre(whole, stored.id.clone());
            let name = names::centre(&stored.id);
            new.created_at = stored.created_at;
            new.updated_at = self.desk.clock().now();
            new.version = etag.unwrap_or(stored.version) + 1;
            let new = fields.finish(new).map_err(status::fields)?;
            let answer = to_proto::admin::centre(&new);
            if asked.validate_only {
                return match etag.filter(|v| *v != stored.version) {
                    Some(_) => Err(status::etag_mismatch(&name, stored.version)),
                    None => Ok(answer),
                };
            }
            let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
            match self.write(async move { store.update_centre(&new, &open).await }).await? {
                Stored::Created => return Ok(answer),
                Stored::Replayed(first) => return again(&first),
                Stored::VersionMismatch(_) if etag.is_none() => {}
                other => return Err(not_stored(other, "centre", &name, asked)),
            }
        }
        Err(status::overloaded())
    }

    async fn add_programme(&self, caller: Caller, mut r: CreateProgrammeRequest) -> Result<Programme, Status> {
        caller.staff_only(CreateProgrammeRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let id = ProgrammeId(fields.chosen_slug(Path::Top("programme_id"), r.programme_id));
        let given = fields.message(Path::Top("programme"), r.programme);
        let mut programme = fields.programme(given, id.clone());
        programme.created_at = self.desk.clock().now();
        programme.updated_at = programme.created_at;
        let programme = fields.finish(programme).map_err(status::fields)?;
        let answer = to_proto::admin::programme(&programme);
        if asked.validate_only {
            return match self.desk.store().programme(&id).await.map_err(status::storage)? {
                Some(_) => Err(status::already_exists("programme", &names::programme(&id))),
                None => Ok(answer),
            };
        }
        let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
        match self.write(async move { store.create_programme(&programme, &open).await }).await? {
            Stored::Created => Ok(answer),
            Stored::Replayed(first) => again(&first),
            other => Err(not_stored(other, "programme", &names::programme(&id), &asked)),
        }
    }

    async fn change_programme(&self, caller: Caller, mut r: UpdateProgrammeRequest) -> Result<Programme, Status> {
        caller.staff_only(UpdateProgrammeRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let mask = fields.mask(r.update_mask, PROGRAMME_FIELDS);
        let given = fields.message(Path::Top("programme"), r.programme);
        let id = fields.programme_name(Path::Top("programme.name"), &given.name);
        let etag = fields.etag(Path::Top("programme.etag"), &given.etag);
        let id = fields.finish(id).map_err(status::fields)?;
        let update = Update { asked, given, mask, etag };
        let answer = self.lay_over_programme(caller, &update, id).await;
        self.unless_answered(&asked, asked.open(caller, self.desk.keys(), &()), answer).await
    }

    async fn lay_over_programme(
        &self,
        caller: Caller,
        update: &Update<Programme>,
        id: Option<ProgrammeId>,
    ) -> Result<Programme, Status> {
        let Update { asked, given, mask, etag } = update;
        for _ in 0..UPDATE_TRIES {
            let stored = self.programme(id.clone()).await?;
            let mut whole = to_proto::admin::programme(&stored);
            overlay_programme(&mut whole, given.clone(), mask);
            let mut fields = Fields::default();
            let mut new = fields.programme(whole, stored.id.clone());
            let name = names::programme(&stored.id);
            new.created_at = stored.created_at;
            new.updated_at = self.desk.clock().now();
            new.version = etag.unwrap_or(stored.version) + 1;
            let new = fields.finish(new).map_err(status::fields)?;
            let answer = to_proto::admin::programme(&new);
            if asked.validate_only {
                return match etag.filter(|v| *v != stored.version) {
                    Some(_) => Err(status::etag_mismatch(&name, stored.version)),
                    None => Ok(answer),
                };
            }
            let (store, open) = (Arc::clone(self.desk.store()), asked.open(caller, self.desk.keys(), &answer));
            match self.write(async move { store.update_programme(&new, &open).await }).await? {
                Stored::Created => return Ok(answer),
                Stored::Replayed(first) => return again(&first),
                Stored::VersionMismatch(_) if etag.is_none() => {}
                other => return Err(not_stored(other, "programme", &name, asked)),
            }
        }
        Err(status::overloaded())
    }

    /// The centre of that id; `None` names none.
    pub(super) async fn centre(&self, id: Option<CentreId>) -> Result<centre::Centre, Status> {
        let id = id.unwrap_or(CentreId(String::new()));
        let found = self.desk.store().centre(&id).await.map_err(status::storage)?;
        found.ok_or_else(|| status::centre_not_found(&names::centre(&id)))
    }

    /// The programme of that id; `None` names none.
    pub(super) async fn programme(&self, id: Option<ProgrammeId>) -> Result<centre::Programme, Status> {
        let id = id.unwrap_or(ProgrammeId(String::new()));
        let found = self.desk.store().programme(&id).await.map_err(status::storage)?;
        found.ok_or_else(|| status::programme_not_found(&names::programme(&id)))
    }

    /// Page size and cursor of a list in the order of ids.
    pub(super) fn slug_page(
        &self,
        method: &'static str,
        size: i32,
        token: &str,
    ) -> Result<(u32, Option<String>), Status> {
        let mut fields = Fields::default();
        let size = fields.page_size(size);
        let size = fields.finish(size).map_err(status::fields)?;
        let cursor = Pages::of(self.desk.keys(), method, &[]).cursor(token)?;
        Ok((size, cursor.and_then(|bytes| String::from_utf8(bytes).ok())))
    }

    pub(super) fn slug_token(&self, method: &'static str, last: Option<&str>) -> String {
        last.map(|id| Pages::of(self.desk.keys(), method, &[]).token(id.as_bytes())).unwrap_or_default()
    }
}

/// Why something was not stored.
pub(super) fn not_stored(stored: Stored, kind: &str, name: &str, asked: &Asked) -> Status {
    match stored {
        Stored::RequestIdReused => status::request_id_reused(asked.request_id),
        Stored::Taken => status::already_exists(kind, name),
        Stored::VersionMismatch(current) => status::etag_mismatch(name, current),
        Stored::Missing if kind == "programme" => status::programme_not_found(name),
        Stored::Missing => status::centre_not_found(name),
        Stored::Created | Stored::Replayed(_) => status::internal("stored, and yet not"),
    }
}
