//! An explanation as a plain sentence or two, in English and Lithuanian.

use crate::api::proto::{self, NeededReason as Reason, RegistrationState as State};

/// The sentences per language.
pub(super) fn texts(state: State, position: u32, needed: Option<&proto::Needed>) -> Vec<proto::LocalizedText> {
    let text = |language: &str, text: String| proto::LocalizedText { language: language.to_owned(), text };
    let (seats, before) = needed.map_or((0, 0), |n| (n.seats, i64::from(position.saturating_sub(1))));
    let reason = needed.map(|n| n.reason());
    vec![
        text("en", join(english_state(state, position), reason.map(|r| english_need(r, seats, before)))),
        text("lt", join(lithuanian_state(state, position), reason.map(|r| lithuanian_need(r, seats, before)))),
    ]
}

fn join(first: String, second: Option<String>) -> String {
    match second.filter(|s| !s.is_empty()) {
        Some(second) => format!("{first} {second}"),
        None => first,
    }
}

fn english_state(state: State, position: u32) -> String {
    match state {
        State::Unspecified => String::new(),
        State::InReview => "The sign-up waits for staff to look at it.".to_owned(),
        State::Waitlisted => format!("The party waits at position {position} in line."),
        State::Offered => "Seats are held for the party.".to_owned(),
        State::Confirmed => "The party has its seats.".to_owned(),
        State::Cancelled => "The registration was cancelled.".to_owned(),
        State::Declined => "The party declined the seats offered.".to_owned(),
        State::Expired => "The registration ended because its time ran out.".to_owned(),
        State::Rejected => "Staff did not accept the sign-up.".to_owned(),
        State::EventCancelled => "The event was cancelled.".to_owned(),
        State::Transferred => "The registration moved to another event.".to_owned(),
    }
}

fn english_need(reason: Reason, seats: i64, before: i64) -> String {
    let parties = count(before, "party", "parties");
    let free = count(seats, "seat", "seats");
    match reason {
        Reason::Unspecified | Reason::Nothing => String::new(),
        Reason::OfferAnswer => "It must answer in time to keep them.".to_owned(),
        Reason::Approval => "It joins the line when staff approve it.".to_owned(),
        Reason::PartiesBefore if seats == 0 => format!("{parties} before it must be served or leave first."),
        Reason::PartiesBefore => {
            format!("{parties} before it must be served or leave first; {free} must become free.")
        }
        Reason::Seats if seats == 0 => {
            "It is next. An offer was not answered: the seat is offered again with the next change, or staff give it."
                .to_owned()
        }
        Reason::Seats => format!("It is next; {free} must become free."),
        Reason::StaffChoice => "Staff choose who is next.".to_owned(),
        Reason::StaffCall => "The start is near, so staff will call when a seat becomes free.".to_owned(),
        Reason::OverCapacity => {
            "More people are in than there are seats now; the event must fit again first.".to_owned()
        }
        Reason::PoolRelease => "Free seats are kept for others for now.".to_owned(),
        Reason::Duplicate => "The same contact is registered already; that registration must end first.".to_owned(),
        Reason::LargerPool => "No seats that it accepts are enough for the whole party.".to_owned(),
        Reason::EventOver => "The event is over, and no seats are given any more.".to_owned(),
    }
}

fn count(n: i64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn lithuanian_state(state: State, position: u32) -> String {
    match state {
        State::Unspecified => String::new(),
        State::InReview => "Registraciją dar turi peržiūrėti darbuotojai.".to_owned(),
        State::Waitlisted => format!("Laukiama eilėje, vieta eilėje: {position}."),
        State::Offered => "Vietos laikinai rezervuotos.".to_owned(),
        State::Confirmed => "Vietos patvirtintos.".to_owned(),
        State::Cancelled => "Registracija atšaukta.".to_owned(),
        State::Declined => "Pasiūlytų vietų atsisakyta.".to_owned(),
        State::Expired => "Registracija baigėsi, nes praėjo jos laikas.".to_owned(),
        State::Rejected => "Darbuotojai registracijos nepriėmė.".to_owned(),
        State::EventCancelled => "Renginys atšauktas.".to_owned(),
        State::Transferred => "Registracija perkelta į kitą renginį.".to_owned(),
    }
}

fn lithuanian_need(reason: Reason, seats: i64, before: i64) -> String {
    match reason {
        Reason::Unspecified | Reason::Nothing => String::new(),
        Reason::OfferAnswer => "Kad jos liktų, reikia laiku atsakyti.".to_owned(),
        Reason::Approval => "Į eilę stojama, kai darbuotojai ją patvirtina.".to_owned(),
        Reason::PartiesBefore if seats == 0 => {
            format!("Priekyje dar {}.", plural(before, ["registracija", "registracijos", "registracijų"]))
        }
        Reason::PartiesBefore => format!(
            "Priekyje dar {}; turi atsilaisvinti {}.",
            plural(before, ["registracija", "registracijos", "registracijų"]),
            plural(seats, ["vieta", "vietos", "vietų"]),
        ),
        Reason::Seats if seats == 0 => {
            "Ši registracija – kita. Į pasiūlymą neatsakyta: vieta bus pasiūlyta vėl, kai kas nors pasikeis, arba ją \
             suteiks darbuotojai."
                .to_owned()
        }
        Reason::Seats => {
            format!("Ši registracija – kita; turi atsilaisvinti {}.", plural(seats, ["vieta", "vietos", "vietų"]))
        }
        Reason::StaffChoice => "Kas bus kitas, sprendžia darbuotojai.".to_owned(),
        Reason::StaffCall => "Iki pradžios liko nedaug, todėl atsilaisvinus vietai paskambins darbuotojai.".to_owned(),
        Reason::OverCapacity => "Dalyvių dabar daugiau, nei yra vietų; pirma jų turi sumažėti.".to_owned(),
        Reason::PoolRelease => "Laisvos vietos kol kas skirtos kitiems.".to_owned(),
        Reason::Duplicate => "Tuo pačiu kontaktu jau užsiregistruota; pirma turi baigtis ta registracija.".to_owned(),
        Reason::LargerPool => "Tinkamų vietų visai grupei neužtenka.".to_owned(),
        Reason::EventOver => "Renginys baigėsi, vietos nebeskiriamos.".to_owned(),
    }
}

/// A number with its noun: 1 vieta, 21 vieta; 2 vietos, 25 vietos; 0, 10 to 20, 30 vietų.
fn plural(n: i64, [one, few, other]: [&str; 3]) -> String {
    let (tens, units) = (n % 100, n % 10);
    let noun = match units {
        0 => other,
        _ if (11..=19).contains(&tens) => other,
        1 => one,
        _ => few,
    };
    format!("{n} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lithuanian_nouns_follow_their_numbers() {
        let noun = |n| plural(n, ["vieta", "vietos", "vietų"]);
        for (n, expected) in [
            (0, "0 vietų"),
            (1, "1 vieta"),
            (2, "2 vietos"),
            (9, "9 vietos"),
            (10, "10 vietų"),
            (11, "11 vietų"),
            (19, "19 vietų"),
            (20, "20 vietų"),
            (21, "21 vieta"),
            (25, "25 vietos"),
            (111, "111 vietų"),
            (121, "121 vieta"),
        ] {
            assert_eq!(noun(n), expected);
        }
    }

    #[test]
    fn a_waiting_party_reads_where_it_stands_and_what_must_happen() {
        let needed = proto::Needed { reason: Reason::PartiesBefore.into(), seats: 5, persons_before: 4 };
        let texts = texts(State::Waitlisted, 3, Some(&needed));
        assert_eq!(
            texts[0].text,
            "The party waits at position 3 in line. 2 parties before it must be served or leave first; 5 seats must become free."
        );
        assert_eq!(
            texts[1].text,
            "Laukiama eilėje, vieta eilėje: 3. Priekyje dar 2 registracijos; turi atsilaisvinti 5 vietos."
        );
    }
}
