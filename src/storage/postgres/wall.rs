//! The second wall: row-level security (docs/decisions/0024). Tables that belong to people or centres show nothing to whoever
//! does not say in the same transaction on whose behalf it reads; what a caller reads is read as a role that can do
//! nothing else, where the server has it.

use super::errors::failed;
use super::held::{Connections, Held};
use crate::model::access::Reach;
use crate::storage::StoreError;
use sqlx::{Executor, PgConnection};
use std::time::Duration;

/// How the service begins what it reads of walled tables for itself.
const AS_SERVICE: &str = "begin isolation level read committed, read only; set local eile.reach to 'service'";
const SNAPSHOT_AS_SERVICE: &str = "begin isolation level repeatable read, read only; set local eile.reach to 'service'";
const FOR_CALLER: &str = "begin isolation level read committed, read only";
const SNAPSHOT_FOR_CALLER: &str = "begin isolation level repeatable read, read only";

/// How long the end of a read may take, of which nothing depends.
const END: Duration = Duration::from_secs(2);

/// Connections that read what stands behind the wall.
#[derive(Clone)]
pub(super) struct Wall {
    readers: Connections,
    role: Role,
}

/// As whom callers' reads are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The role that may only read.
    Reader,
    /// The service's own: the owner, whom the policies bind too.
    Own,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Reader => "eile_reader",
            Role::Own => "none",
        }
    }
}

impl Wall {
    pub fn new(readers: &Connections, role: Role) -> Self {
        Self { readers: readers.clone(), role }
    }

    /// The connections of what stands before it.
    pub fn readers(&self) -> &Connections {
        &self.readers
    }

    /// A transaction in which nothing but what is reached can be read.
    pub async fn begin(&self, reach: &Reach) -> Result<Held, StoreError> {
        self.begin_with(reach, AS_SERVICE, FOR_CALLER).await
    }

    /// The same, where all statements see one moment.
    pub async fn snapshot(&self, reach: &Reach) -> Result<Held, StoreError> {
        self.begin_with(reach, SNAPSHOT_AS_SERVICE, SNAPSHOT_FOR_CALLER).await
    }

    async fn begin_with(
        &self,
        reach: &Reach,
        as_service: &'static str,
        for_caller: &'static str,
    ) -> Result<Held, StoreError> {
        let mut transaction = self.readers.hold().await?;
        if *reach == Reach::Service {
            transaction.begin(as_service).await?;
        } else {
            transaction.begin(for_caller).await?;
            self.state(&mut transaction, reach).await?;
        }
        Ok(transaction)
    }

    /// Says on whose behalf the transaction reads. All of it ends with the transaction.
    async fn state(&self, connection: &mut PgConnection, reach: &Reach) -> Result<(), StoreError> {
        let Stated { reach, centres, events, registration } = Stated::of(reach);
        let query = sqlx::query(
            "-- state_reach
            select
              set_config('eile.reach', $1, true),
              set_config('eile.centres', $2, true),
              set_config('eile.events', $3, true),
              set_config('eile.registration', $4, true),
              set_config('role', $5, true)",
        );
        let query = query.bind(reach).bind(centres).bind(events).bind(registration).bind(self.role.word());
        query.execute(connection).await.map_err(failed)?;
        Ok(())
    }
}

/// Ends a read whose answer is there. Nobody waits for it: a connection on which it fails is closed.
pub(super) fn let_go(transaction: Held) {
    tokio::spawn(tokio::time::timeout(END, transaction.roll_back()));
}

/// A reach in the words of the policies (migrations/postgres).
struct Stated {
    reach: &'static str,
    centres: String,
    events: String,
    registration: String,
}

impl Stated {
    /// What is not named is stated too: nothing of it is left to what a connection held before.
    fn of(reach: &Reach) -> Self {
        let nothing =
            |reach| Self { reach, centres: String::new(), events: String::new(), registration: String::new() };
        match reach {
            Reach::Service => nothing("service"),
            Reach::All => nothing("all"),
            Reach::Within(within) => Self {
                centres: list(within.centres.as_ref().map(|all| all.iter().map(|centre| centre.0.clone()))),
                events: list(within.events.as_ref().map(|all| all.iter().map(|event| event.0.to_string()))),
                ..nothing("within")
            },
            Reach::Registration(event, number) => {
                Self { registration: format!("{}/{number}", event.0), ..nothing("registration") }
            }
        }
    }
}

/// Ids with commas between them; an asterisk where all are meant. Nothing is none.
fn list(ids: Option<impl Iterator<Item = String>>) -> String {
    ids.map_or_else(|| "*".to_owned(), |ids| ids.collect::<Vec<_>>().join(","))
}

/// As whom callers' reads can be done here. What is missing is made where the service may make it.
pub(super) async fn find(connection: &mut PgConnection, make: bool) -> Result<Role, StoreError> {
    if make {
        make_reader(connection).await?;
    }
    if can_become_reader(connection).await? {
        return Ok(Role::Reader);
    }
    if passes_by(connection).await? {
        tracing::warn!(
            "the database user passes by row-level security, and there is no role eile_reader: the second wall does not \
             stand (docs/operations.md)"
        );
    }
    Ok(Role::Own)
}

/// Makes the role and lets it read. Several instances may do so at once, and most services may not: what comes of it
/// is looked at afterwards.
async fn make_reader(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (is_there, may_read, is_member): (bool, bool, bool) = sqlx::query_as(
        "-- look_at_reader
        select
          count(*) > 0,
          coalesce(bool_and(has_table_privilege(oid, 'parties', 'select')), false),
          coalesce(bool_and(pg_has_role(oid, 'member')), false)
        from pg_roles
        where rolname = 'eile_reader'",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let steps = [
        (is_there, "create role eile_reader nologin"),
        (may_read, GRANT),
        (is_member, "grant eile_reader to current_user"),
    ];
    for (is_done, statement) in steps {
        if !is_done && let Err(error) = connection.execute(statement).await {
            tracing::debug!(%error, statement, "the role for reading is not made ready here");
        }
    }
    Ok(())
}

/// Neither secrets nor access keys, nor anything to be written.
const GRANT: &str = "grant select on
      events, event_documents, registrations, parties, journal, requests, reasons, attendance, access_log, reports
    to eile_reader";

/// Tried rather than asked: membership, grants and the schema all count.
async fn can_become_reader(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let is_bound: Option<bool> = sqlx::query_scalar(
        "-- reader_is_bound
        select not (rolsuper or rolbypassrls)
        from pg_roles
        where rolname = 'eile_reader'",
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    if is_bound != Some(true) {
        return Ok(false);
    }
    connection.execute("begin").await.map_err(failed)?;
    let tried = connection.execute(TRY).await;
    connection.execute("rollback").await.map_err(failed)?;
    Ok(tried.is_ok())
}

const TRY: &str = "set local role eile_reader;
    select 1
    from
      events, event_documents, registrations, parties, journal, requests, reasons, attendance, access_log, reports
    where false";

async fn passes_by(connection: &mut PgConnection) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "-- passes_by
        select rolsuper or rolbypassrls
        from pg_roles
        where rolname = current_user",
    )
    .fetch_one(connection)
    .await
    .map_err(failed)
}
