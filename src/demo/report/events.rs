//! One row per event.

use super::super::player::Played;
use super::attendance::Came;
use super::{number, shortened};
use crate::api::proto::{EventCounts, EventState};
use comfy_table::{Attribute, Cell};

pub fn table(played: &Played) -> String {
    let head = [
        "Event",
        "Title",
        "Seats",
        "Asked",
        "Confirmed",
        "Waiting",
        "Offers",
        "Left",
        "Came",
        "hours",
        "share",
        "State",
    ];
    let mut table = super::table(&head);
    let mut centre = "";
    let mut sum = (Sum::default(), Came::default());
    for (index, (run, event)) in played.runs.iter().zip(&played.events).enumerate() {
        let file = run.event(&played.stage);
        if file.centre != centre {
            centre = &file.centre;
            let name = played.stage.year.centre(centre).map(|c| c.name_lt.clone()).unwrap_or_default();
            table.add_row(vec![Cell::new(""), Cell::new(shortened(&name, 36)).add_attribute(Attribute::Italic)]);
        }
        let counts = event.counts.unwrap_or_default();
        let came = Came::of(played, index);
        sum.0.add(&counts);
        sum.1.add(&came);
        let title = file.title.get("lt").map(String::as_str).unwrap_or_default();
        let state = match event.state() {
            EventState::Completed => "held",
            EventState::Cancelled => "cancelled",
            _ => "open",
        };
        table.add_row(vec![
            Cell::new(&file.id),
            Cell::new(shortened(title, 36)),
            number(counts.capacity.map_or("∞".to_owned(), |c| c.to_string())),
            number(pair(counts.applied_parties, counts.applied_persons)),
            number(pair(counts.confirmed_parties, counts.confirmed_persons)),
            number(pair(counts.waiting_parties, counts.waiting_persons)),
            number(offers(&[counts.offers_made, counts.offers_accepted, counts.offers_declined, counts.offers_missed])),
            number(blank(left(&counts))),
            number(came.attendances()),
            number(came.hours()),
            number(came.share()),
            Cell::new(state),
        ]);
    }
    let mut last = sum.0.row();
    let came = [sum.1.attendances(), sum.1.hours(), sum.1.share()];
    last.extend(came.map(|figure| number(figure).add_attribute(Attribute::Bold)));
    table.add_row(last);
    format!(
        "{table}\nPersons by the present size of their parties. Left: parties that cancelled, declined, let an offer run out for good, moved, or ended with their event.\nOffers: made, and how many of them were taken, declined, missed. Came: attendances (h: heads, at open events); hours: person-hours; share: of the persons with a seat."
    )
}

fn pair(parties: i32, persons: i32) -> String {
    if parties == 0 { "·".to_owned() } else { format!("{parties}/{persons}") }
}

/// Made, and then taken, declined, missed.
fn offers(n: &[i32]) -> String {
    match n {
        [made, taken, declined, missed] if *made > 0 => format!("{made}: {taken}/{declined}/{missed}"),
        _ => "·".to_owned(),
    }
}

fn blank(n: i32) -> String {
    if n == 0 { "·".to_owned() } else { n.to_string() }
}

fn left(c: &EventCounts) -> i32 {
    c.cancelled_parties
        + c.declined_parties
        + c.expired_parties
        + c.rejected_parties
        + c.transferred_parties
        + c.event_cancelled_parties
}

#[derive(Default)]
struct Sum([i32; 12]);

impl Sum {
    fn add(&mut self, c: &EventCounts) {
        let figures = [
            c.capacity.unwrap_or(0),
            c.applied_parties,
            c.applied_persons,
            c.confirmed_parties,
            c.confirmed_persons,
            c.waiting_parties,
            c.waiting_persons,
            c.offers_made,
            c.offers_accepted,
            c.offers_declined,
            c.offers_missed,
            left(c),
        ];
        self.0.iter_mut().zip(figures).for_each(|(sum, n)| *sum += n);
    }

    fn row(&self) -> Vec<Cell> {
        let n = &self.0;
        let bold = |cell: Cell| cell.add_attribute(Attribute::Bold);
        let pairs = [pair(n[1], n[2]), pair(n[3], n[4]), pair(n[5], n[6])];
        let mut row = vec![Cell::new(""), bold(Cell::new("all")), bold(number(n[0]))];
        row.extend(pairs.into_iter().map(|p| bold(number(p))));
        row.push(bold(number(offers(&n[7..11]))));
        row.push(bold(number(n[11])));
        row
    }
}
