//! `eile changes`: what happened, to whoever keeps a cursor. The place is kept only after the changes before it are
//! written: a job that died tells some of them again rather than losing one.

mod cursor;
mod rows;

use super::failure::{Failure, Verdict};
use super::options::{Reach, Show, When, event_name, short, zone};
use super::sheet::{Output, Shape, Sheet};
use super::wire::{PAGE, Pauses, Wire, worth_another_try};
use crate::api::proto;
use crate::model::time::Zone;
use cursor::Cursor;
use rows::Rows;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

const EXAMPLES: &str = "\
Examples:
  eile changes --since 2025-01-13                     what happened since then, and then the end
  eile changes --follow --now                         what happens from now on, until Ctrl-C
  eile changes --follow --cursor-file feed.cursor --format json >> feed.jsonl
                          a job that goes on where it was, whatever was restarted
  eile changes --event EVENT --kind registered --kind ended --format csv --output event.csv

The cursor behind the last change is kept in --cursor-file, or told on standard error at the end.";

/// A stream that says nothing for so long is dead: a living one says so every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Go on and tell each change as it happens, over restarts of the service too, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Start behind this cursor.
    #[arg(long, conflicts_with_all = ["since", "now", "cursor_file"])]
    cursor: Option<String>,
    /// Start behind the cursor in this file, if it is there, and keep the last cursor in it.
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    /// Start at this time; with a file that holds a cursor already: go on from there.
    #[arg(long, value_name = "TIME", conflicts_with = "now")]
    since: Option<When>,
    /// Start behind all that has happened; with a file that holds a cursor already: go on from there.
    #[arg(long)]
    now: bool,
    /// Zone of --since where it names none.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Vilnius", value_parser = zone)]
    time_zone: Zone,
    /// End after so many changes; with --follow, after those that came together with the last of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only changes of this event.
    #[arg(long, value_name = "EVENT", value_parser = event_name)]
    event: Option<String>,
    /// Only changes of events of this centre: its id.
    #[arg(long, value_name = "ID")]
    centre: Option<String>,
    /// Only changes of events of this programme: its id.
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
    /// Only changes of this kind, such as registered; may be given several times.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<proto::ChangeKind>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

fn kind(text: &str) -> Result<proto::ChangeKind, String> {
    let name = format!("CHANGE_KIND_{}", text.to_uppercase().replace('-', "_"));
    let kind = proto::ChangeKind::from_str_name(&name).filter(|kind| *kind != proto::ChangeKind::Unspecified);
    kind.ok_or_else(|| "there is no such kind of change: see ChangeKind in changes.proto".to_owned())
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    if arguments.follow && arguments.show.output.is_some() {
        return Err(Failure::usage(
            "--follow has no end, and --output a file only at the end: write to standard output",
        ));
    }
    let wire = Wire::to(&arguments.reach)?;
    let shape = if arguments.follow { Shape::Feed } else { Shape::One };
    let cursor = Cursor::open(arguments.cursor.clone(), arguments.cursor_file.clone())?;
    let start = start(&arguments, &cursor)?;
    let mut output = Output::open(&arguments.show, shape)?;
    output.begin(&Sheet::rows("changes", "", rows::COLUMNS))?;
    let left = arguments.limit.unwrap_or(u64::MAX);
    let mut teller = Teller { rows: Rows::new(&wire), output, cursor, left, follow: arguments.follow };
    let work = async {
        if arguments.follow {
            let patience = Duration::from_secs(arguments.reach.patience);
            follow(&wire, start, filter(&arguments), &mut teller, patience).await
        } else {
            list(&wire, start, filter(&arguments), &mut teller).await
        }
    };
    tokio::select! {
        stopped = told_to_stop() => stopped?,
        done = work => done?,
    }
    let Teller { output, mut cursor, .. } = teller;
    output.close()?;
    cursor.keep()?;
    cursor.tell();
    Ok(Verdict::Done)
}

/// Ctrl-C, or the word of whoever runs jobs: a good end, with the cursor kept.
async fn told_to_stop() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Failure::Other(error.to_string()))?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| Failure::Other(error.to_string())),
        _ = terminate.recv() => Ok(()),
    }
}

fn start(arguments: &Arguments, cursor: &Cursor) -> Result<proto::ChangeStart, Failure> {
    if let Some(cursor) = cursor.last() {
        return Ok(behind(cursor));
    }
    let time = arguments.since.map(|since| since.wire(&arguments.time_zone)).transpose()?;
    Ok(proto::ChangeStart { cursor: String::new(), time, now: arguments.now })
}

fn behind(cursor: &str) -> proto::ChangeStart {
    proto::ChangeStart { cursor: cursor.to_owned(), ..Default::default() }
}

fn filter(arguments: &Arguments) -> proto::ChangeFilter {
    let named = |id: &Option<String>, collection: &str| {
        id.as_ref().map(|id| format!("{collection}/{}", short(id, collection))).unwrap_or_default()
    };
    proto::ChangeFilter {
        event: arguments.event.clone().unwrap_or_default(),
        centre: named(&arguments.centre, "centres"),
        programme: named(&arguments.programme, "programmes"),
        kinds: arguments.kind.iter().map(|kind| i32::from(*kind)).collect(),
    }
}

/// Page after page, to the end.
async fn list(
    wire: &Wire,
    mut start: proto::ChangeStart,
    filter: proto::ChangeFilter,
    teller: &mut Teller<'_>,
) -> Result<(), Failure> {
    loop {
        let page_size = i32::try_from(teller.left).unwrap_or(PAGE).min(PAGE);
        let ask = proto::ListChangesRequest { start: Some(start), page_size, filter: Some(filter.clone()) };
        let page = wire.list_changes(ask).await?;
        start = behind(&page.cursor);
        teller.tell(page.changes, page.cursor).await?;
        if !page.more || teller.left == 0 {
            return Ok(());
        }
    }
}

/// Change after change, over everything that ends a stream and does not forbid another. Only the first must be had
/// within the patience of the caller.
async fn follow(
    wire: &Wire,
    mut start: proto::ChangeStart,
    filter: proto::ChangeFilter,
    teller: &mut Teller<'_>,
    patience: Duration,
) -> Result<(), Failure> {
    if start.now {
        // "Now" is this moment, also for a stream that must be opened again before anything happened.
        let ask = proto::ListChangesRequest { start: Some(start), page_size: 1, filter: Some(filter.clone()) };
        let page = wire.list_changes(ask).await?;
        teller.tell(page.changes, page.cursor.clone()).await?;
        start = behind(&page.cursor);
    }
    let mut until = Some(Instant::now() + patience);
    let mut pauses = Pauses::default();
    while teller.left > 0 {
        let ask = proto::WatchChangesRequest { start: Some(start.clone()), filter: Some(filter.clone()) };
        let status = match wire.watch_changes(ask).await {
            Ok(stream) => {
                (until, pauses) = (None, Pauses::default());
                let Some(ended) = watch(stream, teller).await? else { return Ok(()) };
                ended
            }
            Err(status) => status,
        };
        let pause = pauses.next(&status);
        if !goes_on(&status) || until.is_some_and(|until| Instant::now() + pause > until) {
            return Err(status.into());
        }
        if let Some(cursor) = teller.cursor.last() {
            start = behind(cursor);
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Whether another stream may be opened after this end of one.
fn goes_on(status: &Status) -> bool {
    // Too slow a reader is cut, and goes on from the last cursor that it has.
    worth_another_try(status) || matches!(status.code(), Code::Aborted | Code::DeadlineExceeded | Code::Cancelled)
}

/// Tells what a stream brings, until enough is told (`None`) or it ends.
async fn watch(
    mut stream: Streaming<proto::WatchChangesResponse>,
    teller: &mut Teller<'_>,
) -> Result<Option<Status>, Failure> {
    while teller.left > 0 {
        match tokio::time::timeout(SILENCE, stream.message()).await {
            Ok(Ok(Some(message))) => match teller.tell(message.changes, message.cursor).await {
                Err(Failure::Service(refused)) => return Ok(Some(refused.status)),
                told => told?,
            },
            Ok(Ok(None)) => return Ok(Some(Status::unavailable("the stream ended"))),
            Ok(Err(status)) => return Ok(Some(status)),
            Err(_) => return Ok(Some(Status::unavailable("the service is silent"))),
        }
    }
    Ok(None)
}

/// Writes changes, and then keeps the place behind them.
struct Teller<'a> {
    rows: Rows<'a>,
    output: Output,
    cursor: Cursor,
    left: u64,
    follow: bool,
}

impl Teller<'_> {
    async fn tell(&mut self, changes: Vec<proto::Change>, cursor: String) -> Result<(), Failure> {
        self.rows.learn(&changes).await?;
        self.left = self.left.saturating_sub(changes.len() as u64);
        for change in &changes {
            self.output.row(self.rows.row(change))?;
        }
        self.cursor.moved_to(cursor);
        if self.follow {
            self.output.flush()?;
            self.cursor.keep()?;
        }
        Ok(())
    }
}
