//! What the year left, in tables that a person reads at once. The figures of seats and people are the
//! service's answers, not the file's.

pub mod attendance;
mod events;
mod minute;
mod not_played;
pub mod parenting;
pub mod reports;

use super::player::Played;
use super::run::EventRun;
use super::terms::{unstamp, wall};
use super::{data, terms};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// Lines around the table and under its head, none between rows.
const DRESS: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// How wide a table may be where nobody looks at a terminal.
const WIDTH: u16 = 150;

/// A table in the house's dress.
fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(DRESS).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    let bold = |word: &&str| Cell::new(word).add_attribute(Attribute::Bold);
    if !head.is_empty() {
        table.set_header(head.iter().map(bold).collect::<Vec<_>>());
    }
    table
}

fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// A number, to the right.
fn number(n: impl std::fmt::Display) -> Cell {
    Cell::new(n).set_alignment(CellAlignment::Right)
}

fn title(out: &mut String, words: &str) {
    out.push_str(&format!("\n\n{words}\n"));
}

/// The whole report but for `eile check`, which needs the database.
pub fn report(played: &Played) -> String {
    let mut out = String::new();
    title(&mut out, "THE YEAR, EVENT BY EVENT (parties/persons)");
    out.push_str(&events::table(played));
    title(&mut out, "PARENTING TRAINING BY MUNICIPALITY: SEATS AGAINST PERSONS ASKING");
    out.push_str(&parenting::table(played));
    title(&mut out, "WHO CAME, BY PROGRAMME");
    out.push_str(&attendance::table(played));
    reports::write(played, &mut out);
    title(&mut out, "EL-01: THE FIRST MINUTE");
    out.push_str(&minute::timeline(played));
    title(&mut out, "OUT OF THE ORDINARY");
    out.push_str(&lines(played));
    title(&mut out, "WHAT WAS HEARD");
    out.push_str(&heard(played));
    title(&mut out, "NOT PLAYED, AND WHY");
    out.push_str(&not_played::list(played));
    out
}

fn lines(played: &Played) -> String {
    let mut table = table(&["When", "Event", "What", "What came of it"]);
    let mut all: Vec<_> = played.runs.iter().flat_map(|r| &r.notes.lines).collect();
    all.sort_by_key(|line| line.at);
    for line in all {
        table.add_row(vec![
            wall(&played.stage.zone, line.at),
            line.event.clone(),
            line.what.clone(),
            line.outcome.clone(),
        ]);
    }
    table.to_string()
}

fn heard(played: &Played) -> String {
    let sum = |of: fn(&EventRun) -> usize| played.runs.iter().map(of).sum::<usize>();
    let answered: u64 = played.tally.answered.values().sum();
    let refused: u64 = played.tally.refused.values().sum();
    let sessions = session_times(played);
    let mut table = table(&[]);
    let mut row = |what: &str, figure: String| {
        table.add_row(vec![Cell::new(what), Cell::new(figure)]);
    };
    row(
        "calls",
        format!("{} answered, {refused} refused as they should be, {} failures", answered, played.tally.failures.len()),
    );
    row("parties signed up", sum(|r| r.notes.arrivals.len()).to_string());
    row(
        "the same request sent again",
        format!("{}, of which {} got the same answer and token", sum(|r| r.notes.resent), sum(|r| r.notes.resent_same)),
    );
    row(
        "the same household once more",
        format!(
            "{} refused to staff (ALREADY_REGISTERED), {} taken from the public page and kept back, of which {} were dropped after a day",
            sum(|r| r.notes.doubles_refused),
            sum(|r| r.notes.doubles_kept_back.len()),
            sum(|r| r.notes.doubles_dropped)
        ),
    );
    row("incomplete forms", format!("{} refused with every violated field", sum(|r| r.notes.incomplete)));
    row(
        "parties changed",
        format!(
            "{} changes made, {} refused because others wait or no seat is free",
            sum(|r| r.notes.changes),
            sum(|r| r.notes.changes_refused)
        ),
    );
    row(
        "staff telephone down the line on the last day",
        format!("{} calls; persons seated: {}", sum(|r| r.notes.called), sum(|r| r.notes.called_seated)),
    );
    row("people on no list", walk_ins(played));
    row("sessions at their local hour across both clock changes", format!("{} of {}", sessions.0, sessions.1));
    let reasons: Vec<String> =
        played.tally.refused.iter().map(|((code, reason), n)| format!("{n} × {code} {reason}")).collect();
    row("refusals", reasons.join("\n"));
    let odd: Vec<&String> =
        played.runs.iter().flat_map(|r| &r.notes.unexpected).chain(&played.tally.failures).collect();
    let shown = odd.iter().take(12).map(|s| s.as_str()).collect::<Vec<_>>().join("\n");
    row("unexpected answers", if odd.is_empty() { "none".to_owned() } else { format!("{}\n{shown}", odd.len()) });
    table.to_string()
}

fn walk_ins(played: &Played) -> String {
    let mut persons = [0, 0];
    for run in &played.runs {
        let named = run.event(&played.stage).counting.named_participants;
        persons[usize::from(named)] += run.notes.walked_in.iter().map(|(_, persons)| persons).sum::<i32>();
    }
    format!("{} registered at the door of open groups, {} among the heads of open events", persons[1], persons[0])
}

/// How many sessions the service holds at the very instants that the file says, and how many there are. The
/// one that was moved and the contests' long ones are left out.
fn session_times(played: &Played) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for (run, event) in played.runs.iter().zip(&played.events) {
        let file = run.event(&played.stage);
        if terms::kind(&file.kind) == crate::api::proto::EventKind::Contest {
            continue;
        }
        let moved: Vec<u32> = file.scripted_actions.iter().filter_map(|a| a.session).collect();
        for (session, given) in file.sessions.iter().zip(&event.sessions) {
            if moved.contains(&session.n) {
                continue;
            }
            all += 1;
            let (from, to) = (data::utc(&session.starts.utc).ok(), data::utc(&session.ends.utc).ok());
            let same = given.start_time.as_ref().map(unstamp) == from && given.end_time.as_ref().map(unstamp) == to;
            right += usize::from(same && given.start_local == session.starts.local);
        }
    }
    (right, all)
}

/// Where the service's counts and its own answers over the year do not agree: nowhere, it is hoped.
pub fn disagreements(played: &Played) -> Vec<String> {
    let mut out = Vec::new();
    for (run, event) in played.runs.iter().zip(&played.events) {
        let counts = event.counts.unwrap_or_default();
        let asked: i32 = run.notes.arrivals.iter().map(|a| a.size).sum();
        let named = run.event(&played.stage).counting.named_participants;
        let walked_in: i32 = run.notes.walked_in.iter().filter(|_| named).map(|(_, persons)| persons).sum();
        let by_counts = counts.applied_persons + run.notes.shrunk
            - run.notes.grown
            - run.notes.moved_in
            - run.notes.typed_twice
            - walked_in;
        if asked != by_counts {
            let id = &run.event(&played.stage).id;
            out.push(format!("{id}: {asked} persons were taken, the counts say {by_counts}"));
        }
    }
    out
}
