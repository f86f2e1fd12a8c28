//! The first minute of the busiest opening, second by second.

use super::super::player::Played;
use super::super::run::EventRun;
use crate::api::proto::RegistrationState;

const WHERE: &str = "EL-01";

pub fn timeline(played: &Played) -> String {
    let Some(run) = played.runs.iter().find(|r| r.event(&played.stage).id == WHERE) else {
        return String::new();
    };
    let Some(event) = played.events.iter().find(|e| e.name == run.name) else { return String::new() };
    let kept: i32 = event.seat_pools.iter().filter(|p| !p.classes.is_empty()).filter_map(|p| p.capacity).sum();
    let seats = run.notes.seats_at_opening.unwrap_or(0);
    let mut out = format!(
        "{seats} seats, {kept} of them kept for referrals, guardians and a mandated parent until seven days before the start\n"
    );
    let open = seats - kept;
    let (mut taken, mut parties, mut persons, mut last) = (0, 0, 0, 0);
    for second in 0..60 {
        let new: Vec<_> = arrivals(run, second).collect();
        if new.is_empty() {
            continue;
        }
        taken += new.iter().filter(|a| a.state == RegistrationState::Confirmed).map(|a| a.size).sum::<i32>();
        parties += new.len();
        persons += new.iter().map(|a| a.size).sum::<i32>();
        last = new.iter().map(|a| a.position).max().unwrap_or(0).max(last);
        let dots: String =
            new.iter().map(|a| if a.state == RegistrationState::Confirmed { '●' } else { '○' }).collect();
        let bar = "█".repeat(taken.max(0) as usize) + &"░".repeat((open - taken).max(0) as usize);
        out.push_str(&format!("09:00:{second:02}  {dots:<9} {bar} {taken} of {open} open seats   {last:>3} in line\n"));
    }
    let all = run.notes.arrivals.len();
    out.push_str(&format!(
        "● a seat at once   ○ a place in line      after one minute {parties} parties, {persons} persons; in all {all} parties"
    ));
    out
}

fn arrivals(run: &EventRun, second: i64) -> impl Iterator<Item = &super::super::run::Arrival> {
    let opens = run.opens;
    run.notes.arrivals.iter().filter(move |a| a.at.since(opens).0.div_euclid(1_000_000) == second)
}
