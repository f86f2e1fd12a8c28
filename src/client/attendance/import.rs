//! `eile attendance import`: a list that was kept on paper. The whole list is one call, so it is stored whole or not
//! at all; and before anything is stored, every bad line is known: the file's own faults, and what the service says of
//! the others when it is asked to decide and change nothing.

use super::file::{self, Faults, List};
use super::{COLUMNS, Source, row};
use crate::api::proto;
use crate::client::failure::{Failure, Refused, Verdict};
use crate::client::options::{Call, When, event_name};
use crate::client::sheet::{self, Sheet};
use crate::client::wire::Wire;
use crate::client::words;
use std::io::Read;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  eile roster EVENT --session s1 --format csv --output list.csv
                          the form: fill in the column mark (PRESENT, ABSENT, EXCUSED, MADE_UP)
  eile attendance import EVENT --session s1 list.csv --dry-run
  eile attendance import EVENT --session s1 list.csv
  eile attendance import EVENT --session s1 - < list.csv

The first line names the columns registration, member, mark and, perhaps, minutes; those of eile roster may stand beside
them. The cells are parted by commas, semicolons or tabs. A line without a mark has nothing to enter: it is skipped, and
how many were is told. Every bad line is told at once, with its number, and exit code 3; then nothing was stored.";

/// Lines of one call. Only one call is all or nothing.
const LINES_MAX: usize = 500;

/// The largest file that is read: far more than so many lines fill.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// The session, such as s1.
    #[arg(long, value_name = "SESSION")]
    session: String,
    /// The list, as CSV; -: standard input.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// How it is known.
    #[arg(long, value_enum, default_value_t = Source::PaperList)]
    source: Source,
    /// When it happened [default: the start of the session].
    #[arg(long, value_name = "TIME")]
    happened: Option<When>,
    #[command(flatten)]
    call: Call,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let bytes = contents(&arguments.file)?;
    let wire = Wire::to(&arguments.call.reach)?;
    let event = wire.event(&arguments.event).await?;
    let List { marks, unmarked, faults } = file::read(&bytes, &arguments.event);
    if marks.len() > LINES_MAX {
        let count = marks.len();
        return Err(Failure::Lines(format!(
            "{count} lines, and only {LINES_MAX} go into one call, which is all or nothing: part the list"
        )));
    }
    if faults.is_empty() && unmarked > 0 {
        let lines = if unmarked == 1 { "1 line".to_owned() } else { format!("{unmarked} lines") };
        eprintln!("skipped, without a mark: {lines}");
    }
    let ask = proto::RecordAttendanceRequest {
        parent: arguments.event.clone(),
        session_id: arguments.session.clone(),
        source: arguments.source.wire().into(),
        happen_time: arguments.happened.map(|when| when.wire(&words::zone_of(&event))).transpose()?,
        marks: Vec::new(),
        request_id: arguments.call.once.id(),
        validate_only: false,
    };
    let mut refused = None;
    if faults.is_empty() && !arguments.call.once.dry_run {
        match wire.record_attendance(ask_with(&ask, &marks, false)).await {
            Err(failure) if faulty_lines(&failure).is_some() => refused = Some(failure),
            stored => return tell(&arguments, &event, &stored?),
        }
    }
    let answer = proven(&wire, &ask, marks, faults).await?;
    match refused {
        // Nothing was stored, whatever has changed since.
        Some(failure) => Err(failure),
        None => tell(&arguments, &event, &answer),
    }
}

fn tell(
    arguments: &Arguments,
    event: &proto::Event,
    answer: &proto::RecordAttendanceResponse,
) -> Result<Verdict, Failure> {
    let show = &arguments.call.show;
    let attendance = Sheet::card("attendance", words::text(&event.titles, &show.language), COLUMNS);
    sheet::card(show, &attendance, row(answer))
}

/// Asks the service to decide and change nothing, without the lines that it finds faulty, until it finds none more: a
/// refusal has room for some of them only. Then tells all of them.
async fn proven(
    wire: &Wire,
    ask: &proto::RecordAttendanceRequest,
    mut marks: Vec<(u64, proto::MarkEntry)>,
    mut faults: Faults,
) -> Result<proto::RecordAttendanceResponse, Failure> {
    let mut answer = proto::RecordAttendanceResponse::default();
    while !marks.is_empty() {
        match wire.record_attendance(ask_with(ask, &marks, true)).await {
            Ok(decided) => {
                answer = decided;
                break;
            }
            Err(failure) => {
                let Some(bad) = faulty_lines(&failure) else { return Err(failure) };
                for (index, why) in &bad {
                    if let Some((line, _)) = marks.get(*index) {
                        faults.add(*line, why);
                    }
                }
                let before = marks.len();
                let mut index = 0..;
                marks.retain(|_| !index.next().is_some_and(|n| bad.iter().any(|(bad, _)| *bad == n)));
                if marks.len() == before {
                    return Err(failure);
                }
            }
        }
    }
    if faults.is_empty() {
        return Ok(answer);
    }
    let bad = if faults.lines() == 1 { "1 line is".to_owned() } else { format!("{} lines are", faults.lines()) };
    Err(Failure::Lines(format!("{bad} bad, and nothing was stored:{faults}")))
}

fn ask_with(
    ask: &proto::RecordAttendanceRequest,
    marks: &[(u64, proto::MarkEntry)],
    validate_only: bool,
) -> proto::RecordAttendanceRequest {
    let marks = marks.iter().map(|(_, mark)| mark.clone()).collect();
    proto::RecordAttendanceRequest { marks, validate_only, ..ask.clone() }
}

/// The marks that a refusal names, by index, and why; `None` where it is about something else.
fn faulty_lines(failure: &Failure) -> Option<Vec<(usize, String)>> {
    let Failure::Service(refused) = failure else { return None };
    let lines = lines_of(refused);
    if lines.is_empty() { None } else { Some(lines) }
}

fn lines_of(refused: &Refused) -> Vec<(usize, String)> {
    let details = refused.details();
    let states = details.precondition_failure().map(|d| d.violations.as_slice()).unwrap_or_default();
    let states = states.iter().map(|v| (v.subject.as_str(), format!("{} [{}]", v.description, v.r#type)));
    let fields = details.bad_request().map(|d| d.field_violations.as_slice()).unwrap_or_default();
    let fields = fields.iter().map(|v| (v.field.as_str(), format!("{}: {}", v.field, v.description)));
    states.chain(fields).filter_map(|(path, why)| Some((index_of(path)?, why))).collect()
}

/// `marks[3]` and `marks[3].minutes` are about 3.
fn index_of(path: &str) -> Option<usize> {
    path.strip_prefix("marks[")?.split_once(']')?.0.parse().ok()
}

fn contents(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    } else {
        let file = std::fs::File::open(path).map_err(cannot)?;
        file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    }
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!("{} is larger than a list of {LINES_MAX} lines can be", path.display())));
    }
    Ok(bytes)
}
