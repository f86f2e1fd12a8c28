//! What a batch writes, as statements with their arguments and the number of rows that each must write.

use super::errors::failed;
use super::write::expect;
use crate::storage::StoreError;
use futures_util::TryStreamExt;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, SqliteConnection, Type};

/// Arguments, as they are bound.
#[derive(Default)]
pub(super) struct Bound {
    arguments: SqliteArguments,
    wrong: Option<String>,
}

impl Bound {
    pub fn bind<T: Encode<'static, Sqlite> + Type<Sqlite>>(mut self, value: T) -> Self {
        if let Err(error) = self.arguments.add(value) {
            self.wrong.get_or_insert(error.to_string());
        }
        self
    }

    fn finish(self) -> Result<SqliteArguments, StoreError> {
        match self.wrong {
            None => Ok(self.arguments),
            Some(error) => Err(StoreError::Failed(format!("a value cannot be bound: {error}"))),
        }
    }
}

/// Statements in order.
pub(super) struct Script {
    steps: Vec<Step>,
    /// All in one text, after `begin immediate`.
    at_once: Option<(String, Bound)>,
}

struct Step {
    sql: &'static str,
    rows: usize,
    table: &'static str,
    bound: Bound,
}

impl Script {
    /// Statements over many rows, run one by one in a transaction that is open.
    pub fn of_many() -> Self {
        Self { steps: Vec::new(), at_once: None }
    }

    /// Statements over one row each, run as one text that begins the transaction.
    pub fn of_one() -> Self {
        Self { steps: Vec::new(), at_once: Some(("begin immediate".to_owned(), Bound::default())) }
    }

    /// Runs everything. A row that is not written was not what the cache believed.
    pub async fn run(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        match self.at_once {
            None => one_by_one(self.steps, connection).await,
            Some((text, bound)) => at_once(&self.steps, text, bound, connection).await,
        }
    }
}

async fn one_by_one(steps: Vec<Step>, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for step in steps {
        let query = sqlx::query_with(step.sql, step.bound.finish()?);
        let done = query.execute(&mut *connection).await.map_err(failed)?;
        expect(done.rows_affected(), step.rows, step.table)?;
    }
    Ok(())
}

async fn at_once(
    steps: &[Step],
    text: String,
    bound: Bound,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    // The text is put together from statements of this room alone.
    let query = sqlx::query_with(AssertSqlSafe(text), bound.finish()?);
    let mut results = connection.fetch_many(query);
    // What `begin` reports is of the statement before it.
    let mut written = 0;
    while let Some(result) = results.try_next().await.map_err(failed)? {
        let Either::Left(done) = result else { continue };
        if written > 0 {
            let step = steps.get(written - 1).ok_or_else(|| StoreError::Failed("more results than steps".into()))?;
            expect(done.rows_affected(), step.rows, step.table)?;
        }
        written += 1;
    }
    if written == steps.len() + 1 { Ok(()) } else { Err(StoreError::Failed("fewer results than steps".into())) }
}

/// A statement over many rows, in five sizes.
pub(super) struct Many {
    sizes: [(usize, String); 5],
}

impl Many {
    /// The rows stand between `head` and `tail`.
    pub fn new(columns: usize, head: &str, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        let sizes = [256, 64, 16, 4, 1];
        Self { sizes: sizes.map(|n| (n, format!("{head}{}{tail}", vec![row.as_str(); n].join(",")))) }
    }

    /// Adds the statements that write all rows.
    pub fn add<T>(
        &'static self,
        script: &mut Script,
        rows: Vec<T>,
        bind: impl Fn(Bound, T) -> Bound,
        table: &'static str,
    ) {
        let mut rows = rows.into_iter();
        for (size, sql) in &self.sizes {
            while rows.len() >= *size {
                let some = rows.by_ref().take(*size);
                let bound = match &mut script.at_once {
                    None => some.fold(Bound::default(), &bind),
                    Some((text, bound)) => {
                        text.push_str(";\n");
                        text.push_str(sql);
                        *bound = some.fold(std::mem::take(bound), &bind);
                        Bound::default()
                    }
                };
                script.steps.push(Step { sql, rows: *size, table, bound });
            }
        }
    }
}
