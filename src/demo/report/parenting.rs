//! The imbalance that the whole service is about: parenting training next door to each other, one line
//! three streets long and the other room half empty.

use super::super::player::Played;
use super::number;
use comfy_table::{Attribute, Cell};

/// The programmes that are parenting training.
pub const PROGRAMMES: [&str; 2] = ["programmes/p01", "programmes/p02"];

/// The public groups of one municipality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub municipality: String,
    pub groups: usize,
    /// Seats when the groups were published, and at the end of the year.
    pub seats: i32,
    pub seats_now: i32,
    /// Persons who asked, as large as their parties were when the service took them, each where they first
    /// asked.
    pub asked: i32,
    /// The service's count at the end of the year: by the parties' present size, with those who came over.
    pub counted: i32,
    pub shrunk: i32,
    pub grown: i32,
    pub moved_in: i32,
    pub confirmed: i32,
}

/// Seats and people by municipality, as the service answers them. Groups by invitation only are not open to
/// the public and stand apart.
pub fn sides(played: &Played, by_invitation: bool) -> Vec<Side> {
    let mut sides: Vec<Side> = Vec::new();
    for (run, event) in played.runs.iter().zip(&played.events) {
        let invited = run.event(&played.stage).registration.invite_only;
        if !PROGRAMMES.contains(&event.programme.as_str()) || invited != by_invitation {
            continue;
        }
        let code = &event.municipality_code;
        let at = sides.iter().position(|s| s.municipality == *code).unwrap_or_else(|| {
            sides.push(Side { municipality: code.clone(), ..Default::default() });
            sides.len() - 1
        });
        let counts = event.counts.unwrap_or_default();
        let side = &mut sides[at];
        side.groups += 1;
        side.seats += run.notes.seats_at_opening.unwrap_or(0);
        side.seats_now += counts.capacity.unwrap_or(0);
        side.counted += counts.applied_persons;
        side.shrunk += run.notes.shrunk;
        side.grown += run.notes.grown;
        side.moved_in += run.notes.moved_in;
        side.confirmed += counts.confirmed_persons;
        side.asked = side.counted + side.shrunk - side.grown - side.moved_in;
    }
    sides
}

pub fn table(played: &Played) -> String {
    let mut table = super::table(&[
        "Municipality",
        "Public groups",
        "Seats : asking",
        "Asking per seat",
        "Seated at the end",
        "Counted at the end of the year",
    ]);
    let mut notes = Vec::new();
    for side in sides(played, false) {
        let name = played.stage.year.municipality(&side.municipality).to_owned();
        let per_seat = f64::from(side.asked) / f64::from(side.seats.max(1));
        table.add_row(vec![
            Cell::new(&name),
            number(side.groups),
            number(format!("{} : {}", side.seats, side.asked)).add_attribute(Attribute::Bold),
            number(format!("{per_seat:.1}")),
            number(side.confirmed),
            number(format!("{} : {}", side.seats_now, side.counted)),
        ]);
        notes.extend(footnote(&name, &side));
    }
    for side in sides(played, true) {
        let name = played.stage.year.municipality(&side.municipality);
        notes
            .push(format!("{name}: not counted above, one group by invitation only, {} : {}.", side.seats, side.asked));
    }
    let intro = "Seats as published; persons as large as their parties were when they signed up. Both are the service's figures.";
    format!("{table}\n{intro}\n{}", notes.join("\n"))
}

/// Why the figures at the end of the year differ from those at the beginning.
fn footnote(name: &str, side: &Side) -> Option<String> {
    let mut why = Vec::new();
    if side.seats_now != side.seats {
        why.push(format!("{} seats came when a group moved to a larger room", side.seats_now - side.seats));
    }
    if side.shrunk > 0 || side.grown > 0 {
        why.push(format!("parties became smaller by {} persons and larger by {}", side.shrunk, side.grown));
    }
    if side.moved_in > 0 {
        why.push(format!("{} persons came over from the line next door, where they had asked", side.moved_in));
    }
    (!why.is_empty()).then(|| format!("{name}: {}.", why.join("; ")))
}
