//! Who came: per event for the table of events, and per programme. The figures are the service's counts.

use super::super::player::Played;
use super::number;
use crate::api::proto::{EventState, GetCompletionResponse, SessionAttendance};
use comfy_table::{Attribute, Cell};

/// What the service holds of an event at the end of the year.
#[derive(Clone, Debug, Default)]
pub struct Attended {
    pub sessions: Vec<SessionAttendance>,
    pub completion: Option<GetCompletionResponse>,
}

/// One session, beside the file.
pub struct Held {
    pub event: String,
    pub session_id: String,
    /// Named, or heads alone.
    pub named: bool,
    /// Persons with a seat, without those who came on no list.
    pub expected: i32,
    /// How many of them came.
    pub came: i32,
    /// The file's percentage of `expected`.
    pub file_pct: i32,
    pub adults: i32,
    pub children: i32,
}

/// Every session of which something was written down, in the order of events and sessions.
pub fn held(played: &Played) -> Vec<Held> {
    (0..played.runs.len()).flat_map(|index| held_of(played, index)).collect()
}

fn held_of(played: &Played, index: usize) -> Vec<Held> {
    let (run, attended) = (&played.runs[index], &played.attended[index]);
    let file = run.event(&played.stage);
    let named = file.counting.named_participants;
    let seats = played.events[index].counts.unwrap_or_default().confirmed_persons;
    let mut all = Vec::new();
    for (n, pct) in (1..).zip(&file.demand.attendance_by_session_pct) {
        let session_id = super::super::terms::session_id(n);
        let Some(counts) = attended.sessions.iter().find(|s| s.session_id == session_id) else { continue };
        let heads = counts.heads.unwrap_or_default();
        let walked_in: i32 = run.notes.walked_in.iter().filter(|(s, _)| *s == n).map(|(_, persons)| persons).sum();
        let listed = counts.present + counts.absent + counts.excused + counts.made_up;
        all.push(Held {
            event: file.id.clone(),
            session_id,
            named,
            expected: if named { listed - walked_in } else { seats },
            came: if named { counts.present } else { heads.adults + heads.children } - walked_in,
            file_pct: *pct,
            adults: heads.adults,
            children: heads.children,
        });
    }
    all
}

/// Sums over sessions.
#[derive(Clone, Copy, Default)]
pub struct Came {
    sessions: i32,
    attendances: i32,
    minutes: i64,
    excused: i32,
    expected: i32,
    expected_came: i32,
    heads: (i32, i32),
    certificates: i32,
    one_short: i32,
}

impl Came {
    pub fn of(played: &Played, index: usize) -> Self {
        let attended = &played.attended[index];
        let mut came = Self::default();
        for s in &attended.sessions {
            came.sessions += 1;
            came.attendances += s.present;
            came.minutes += s.person_minutes;
            came.excused += s.excused;
            let heads = s.heads.unwrap_or_default();
            came.heads.0 += heads.adults;
            came.heads.1 += heads.children;
        }
        for session in held_of(played, index) {
            came.expected += session.expected;
            came.expected_came += session.came;
        }
        if let Some(completion) = &attended.completion {
            came.certificates = completion.certificates_due;
            came.one_short = completion.one_makeup_short_members;
        }
        came
    }

    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.attendances += other.attendances;
        self.minutes += other.minutes;
        self.excused += other.excused;
        self.expected += other.expected;
        self.expected_came += other.expected_came;
        self.heads.0 += other.heads.0;
        self.heads.1 += other.heads.1;
        self.certificates += other.certificates;
        self.one_short += other.one_short;
    }

    /// Attendances, or heads with an h behind them.
    pub fn attendances(&self) -> String {
        match (self.attendances, self.heads.0 + self.heads.1) {
            (0, 0) => "·".to_owned(),
            (0, heads) => format!("{heads} h"),
            (attendances, _) => attendances.to_string(),
        }
    }

    pub fn hours(&self) -> String {
        if self.minutes == 0 { "·".to_owned() } else { ((self.minutes + 30) / 60).to_string() }
    }

    pub fn share(&self) -> String {
        match self.expected {
            0 => "·".to_owned(),
            expected => format!("{:.0} %", 100.0 * f64::from(self.expected_came) / f64::from(expected)),
        }
    }
}

pub fn table(played: &Played) -> String {
    let mut table = super::table(&[
        "Programme",
        "Events",
        "Sessions",
        "Came",
        "hours",
        "share",
        "Excused",
        "Adults",
        "children",
        "Certificates",
        "one short",
    ]);
    let mut all = (0, Came::default());
    for programme in &played.stage.year.programmes {
        let mut sum = (0, Came::default());
        for (index, event) in played.events.iter().enumerate() {
            let of_it = played.runs[index].event(&played.stage).programme == programme.id;
            if of_it && event.state() == EventState::Completed {
                sum.0 += 1;
                sum.1.add(&Came::of(played, index));
            }
        }
        if sum.1.sessions > 0 {
            all.0 += sum.0;
            all.1.add(&sum.1);
            table.add_row(row(&super::shortened(&programme.name_lt, 44), &sum));
        }
    }
    let bold = row("all", &all).into_iter().map(|cell| cell.add_attribute(Attribute::Bold));
    table.add_row(bold.collect::<Vec<_>>());
    format!(
        "{table}\nCame: attendances; hours: person-hours; share: of the persons with a seat, without those who came on no list. Adults, children: heads at open\nevents, where nobody is asked for a name. Certificates: due; one short: one more session made up for would do."
    )
}

fn row(name: &str, (events, came): &(i32, Came)) -> Vec<Cell> {
    let blank = |n: i32| if n == 0 { "·".to_owned() } else { n.to_string() };
    let figures = [
        blank(*events),
        blank(came.sessions),
        blank(came.attendances),
        came.hours(),
        came.share(),
        blank(came.excused),
        blank(came.heads.0),
        blank(came.heads.1),
        blank(came.certificates),
        blank(came.one_short),
    ];
    std::iter::once(Cell::new(name)).chain(figures.map(number)).collect()
}
