//! ChangeService: the change feed, page by page and as a stream.

mod stream;

use super::caller::Caller;
use super::from_proto::{Fields, Path};
use super::proto::change_service_server::ChangeService;
use super::proto::*;
use super::to_proto::{self, time};
use super::{Api, cursor, status};
use crate::feed::{FeedError, IsWanted, Place, Slice, Wanted};
use crate::model::time::Timestamp;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Kinds in a filter.
const KINDS_MAX: usize = 50;

#[tonic::async_trait]
impl ChangeService for Api {
    async fn list_changes(
        &self,
        request: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        let (caller, mut r) = self.admit(request).await?;
        caller.staff_only("ListChanges")?;
        self.narrow_changes(caller, "ListChanges", &mut r.filter)?;
        let mut fields = Fields::default();
        let size = fields.page_size(r.page_size) as usize;
        let (start, wanted) = (start(&mut fields, r.start), wanted(&mut fields, r.filter));
        fields.finish(()).map_err(status::fields)?;
        let place = self.starting(start).await?;
        let page = self.feed.page(place, &wanted, size).await.map_err(|error| self.no_feed(error))?;
        let changes = page.slices.iter().flat_map(Slice::changes);
        let changes = changes.map(|(batch, entry)| to_proto::change::change(batch, entry)).collect();
        Ok(Response::new(ListChangesResponse {
            changes: self.unlinked(caller, changes).await?,
            cursor: self.cursor(page.place),
            more: page.more,
        }))
    }

    type WatchChangesStream = stream::Messages;

    async fn watch_changes(
        &self,
        request: Request<WatchChangesRequest>,
    ) -> Result<Response<Self::WatchChangesStream>, Status> {
        let (caller, mut r) = self.admit(request).await?;
        caller.staff_only("WatchChanges")?;
        self.narrow_changes(caller, "WatchChanges", &mut r.filter)?;
        let mut fields = Fields::default();
        let (start, wanted) = (start(&mut fields, r.start), wanted(&mut fields, r.filter));
        fields.finish(()).map_err(status::fields)?;
        let place = self.starting(start).await?;
        let messages = stream::open(self, caller, self.feed.follow(place, wanted));
        Ok(Response::new(self.while_let_in(caller, messages)))
    }
}

/// Where a caller wants to start.
enum Start {
    Beginning,
    Cursor(String),
    Time(Timestamp),
    Now,
}

fn start(fields: &mut Fields, given: Option<ChangeStart>) -> Start {
    let ChangeStart { cursor, time, now } = given.unwrap_or_default();
    let at = Path::Top("start");
    let named = usize::from(!cursor.is_empty()) + usize::from(time.is_some()) + usize::from(now);
    if named > 1 {
        fields.refuse(at, "names more than one of cursor, time and now");
    }
    match fields.instant(at.field("time"), time) {
        Some(time) => Start::Time(time),
        None if now => Start::Now,
        None if cursor.is_empty() => Start::Beginning,
        None => Start::Cursor(cursor),
    }
}

fn wanted(fields: &mut Fields, given: Option<ChangeFilter>) -> Wanted {
    let ChangeFilter { event, centre, programme, kinds } = given.unwrap_or_default();
    let at = Path::Top("filter");
    Wanted {
        event: if event.is_empty() { None } else { fields.event_name(at.field("event"), &event) },
        centre: if centre.is_empty() { None } else { fields.centre_name(at.field("centre"), &centre) },
        programme: if programme.is_empty() { None } else { fields.programme_name(at.field("programme"), &programme) },
        change: kinds_wanted(fields, at.field("kinds"), kinds),
    }
}

fn kinds_wanted(fields: &mut Fields, at: Path<'_>, given: Vec<i32>) -> Option<IsWanted> {
    if given.is_empty() {
        return None;
    }
    let given = fields.list(at, given, 0, KINDS_MAX);
    let mut kinds = Vec::with_capacity(given.len());
    for (i, kind) in given.into_iter().enumerate() {
        match fields.word::<ChangeKind>(at.item(i), kind) {
            None if kind == 0 => fields.refuse(at.item(i), "must be a kind"),
            None => {}
            Some(kind) if kinds.contains(&kind) => fields.refuse(at.item(i), "stands twice in the list"),
            Some(kind) => kinds.push(kind),
        }
    }
    Some(Arc::new(move |change| kinds.contains(&to_proto::change::kind(change))))
}

impl Api {
    fn narrow_changes(&self, caller: Caller, method: &str, filter: &mut Option<ChangeFilter>) -> Result<(), Status> {
        if filter.as_ref().is_some_and(|filter| !filter.event.is_empty()) {
            return Ok(());
        }
        let mut centre = filter.as_ref().map(|filter| filter.centre.clone()).unwrap_or_default();
        self.narrow(caller, method, &mut centre)?;
        if !centre.is_empty() {
            filter.get_or_insert_default().centre = centre;
        }
        Ok(())
    }

    async fn starting(&self, start: Start) -> Result<Place, Status> {
        let place = match start {
            Start::Beginning => self.feed.beginning().await,
            Start::Cursor(cursor) => self.feed.kept(cursor::read(self.desk.keys(), &cursor)?).await,
            Start::Time(at) => self.feed.before(at).await,
            Start::Now => self.feed.now().await,
        };
        place.map_err(|error| self.no_feed(error))
    }

    fn cursor(&self, place: Place) -> String {
        cursor::write(self.desk.keys(), place)
    }

    fn no_feed(&self, error: FeedError) -> Status {
        match error {
            FeedError::Expired { oldest, since } => status::cursor_expired(&self.cursor(oldest), &time::text(since)),
            FeedError::NoSuchPlace => status::cursor_invalid(),
            FeedError::Store(error) => status::storage(error),
        }
    }
}
