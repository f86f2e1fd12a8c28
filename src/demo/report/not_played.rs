//! What the file holds and the demo does not play, and why: told, so that nobody takes it for done.

use super::super::data::Year;
use super::super::player::Played;
use std::collections::BTreeMap;

pub fn list(played: &Played) -> String {
    let year = &played.stage.year;
    let mut table = super::table(&["In the file", "Why not"]);
    for (what, why) in later(year) {
        table.add_row(vec![what, why.to_owned()]);
    }
    table.add_row(wishes(played));
    for (what, why) in read_as() {
        table.add_row(vec![what.to_owned(), why.to_owned()]);
    }
    let mut skipped: BTreeMap<&str, i32> = BTreeMap::new();
    for (why, n) in played.runs.iter().flat_map(|r| &r.notes.skipped) {
        *skipped.entry(why).or_default() += n;
    }
    for (why, n) in skipped {
        let (what, why) = why.split_once(": ").unwrap_or((why, ""));
        table.add_row(vec![format!("{n} × {what}"), why.to_owned()]);
    }
    table.to_string()
}

/// What belongs to services that are not there yet, or that the demo does not use yet.
fn later(year: &Year) -> Vec<(String, &'static str)> {
    let of_kind = |kind: &str| year.other_requests.iter().filter(|r| r.kind == kind).count();
    vec![
        (
            format!("{} erasures", of_kind("erasure_request")),
            "in the service (`eile personal erase`), and not played yet",
        ),
        (
            format!(
                "{} copies of data, {} consents withdrawn",
                of_kind("access_request"),
                of_kind("consent_withdrawn")
            ),
            "in the service (`eile personal export` and `consent`), and not played yet",
        ),
        (
            "invitations from a line to a group next door (EL-06, KA-01, KA-03)".to_owned(),
            "an invitation that keeps the place at home is not in the service yet; played: staff move those who accept, one transaction each (KA-01, KA-03), or they sign up there too (EL-06)",
        ),
        (
            "the transfer offered to the three families of KA-02".to_owned(),
            "KA-03 opens five months later; played: they are among those who ask there in September",
        ),
        ("messages, reminders".to_owned(), "what is owed to whom is in the journal; sending is not in the service yet"),
    ]
}

/// Childcare and rides: what was asked for, of whom with a seat, and what the centres have.
fn wishes(played: &Played) -> Vec<String> {
    let (mut asked, mut seated, mut places) = ((0, 0), (0, 0), (0, 0));
    for (run, event) in played.runs.iter().zip(&played.events) {
        let taken = run.guests.iter().filter(|g| !g.name.is_empty());
        for wish in taken.filter_map(|g| g.words.services) {
            asked = (asked.0 + wish.childcare_children, asked.1 + wish.rides);
        }
        seated = (seated.0 + run.notes.wishes_seated.0, seated.1 + run.notes.wishes_seated.1);
        let offered = event.services_offered.unwrap_or_default();
        places = (places.0 + offered.childcare_places, places.1 + offered.rides);
    }
    let what = format!(
        "childcare for {} children asked, {} of parties with a seat, {} places; rides for {}, {} with a seat, {} places",
        asked.0, seated.0, places.0, asked.1, seated.1, places.1
    );
    vec![what, "wishes are recorded and shown, places are not booked yet".to_owned()]
}

/// Rules of the file that the service has no word for.
fn read_as() -> [(&'static str, &'static str); 6] {
    [
        (
            "at most 2 per organisation until 7 days before (ME-*)",
            "the policy counts live registrations by contact, not by employer; sign-ups stand in one line",
        ),
        ("by legal deadline (VG-10)", "classes are ranks, not dates; sign-ups stand by time"),
        (
            "residents first (POL-KOPA)",
            "played the other way round: staff mark who comes from next door, residents are everybody else",
        ),
        ("attendance at the contests (VG-01, VG-02)", "a contest has entries, and nobody who comes"),
        (
            "make-up sessions",
            "the file says how many count, not who made up for what; who is one short is in the table",
        ),
        ("guardians at open events", "the policy has no order of classes there, so nobody's role is asked"),
    ]
}
