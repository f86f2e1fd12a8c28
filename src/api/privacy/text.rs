//! What is kept of a registration as a text for the person whom it is about, in five languages.

use crate::api::proto::{AttendanceMark, ConsentPurpose, ExportRegistrationResponse, StepKind};
use crate::model::time::{Timestamp, Zone};
use std::fmt::Write;

/// The languages, in the order of every list below.
const LANGUAGES: [&str; 5] = ["lt", "en", "pl", "ru", "uk"];

type Words = [&'static str; 5];

const HEAD: Words = [
    "Ką saugome apie šią registraciją",
    "What is kept of this registration",
    "Co przechowujemy o tym zgłoszeniu",
    "Что мы храним об этой записи",
    "Що ми зберігаємо про цей запис",
];
const EVENT: Words = ["Renginys", "Event", "Wydarzenie", "Мероприятие", "Подія"];
const NUMBER: Words =
    ["Registracijos numeris", "Registration number", "Numer zgłoszenia", "Номер записи", "Номер запису"];
const CONTACT: Words = ["Kontaktinis asmuo", "Contact", "Osoba kontaktowa", "Контактное лицо", "Контактна особа"];
const EMAIL: Words = ["El. paštas", "E-mail", "E-mail", "Эл. почта", "Ел. пошта"];
const PHONE: Words = ["Telefonas", "Telephone", "Telefon", "Телефон", "Телефон"];
const LANGUAGE: Words = ["Kalba", "Language", "Język", "Язык", "Мова"];
const MEMBER: Words = ["Dalyvis", "Member", "Uczestnik", "Участник", "Учасник"];
const BORN: Words = ["gimimo metai", "born in", "rok urodzenia", "год рождения", "рік народження"];
const PERSONS: Words = ["Asmenų", "Persons", "Liczba osób", "Человек", "Осіб"];
const PLACE: Words = ["Savivaldybė", "Municipality", "Gmina", "Самоуправление", "Громада"];
const ANSWER: Words = ["Atsakymas", "Answer", "Odpowiedź", "Ответ", "Відповідь"];
const HISTORY: Words = ["Kas vyko", "What happened", "Co się wydarzyło", "Что происходило", "Що відбувалося"];
const PRESENCE: Words = ["Dalyvavimas", "Attendance", "Obecność", "Посещение", "Відвідування"];
const KEPT_CONTACT: Words = [
    "Kontaktus ir atsakymus saugome iki",
    "Contact and answers are kept until",
    "Kontakt i odpowiedzi przechowujemy do",
    "Контакты и ответы храним до",
    "Контакти та відповіді зберігаємо до",
];
const KEPT_NAMES: Words = [
    "Vardus saugome iki",
    "Names are kept until",
    "Imiona i nazwiska przechowujemy do",
    "Имена храним до",
    "Імена зберігаємо до",
];
const RESTRICTED: Words = [
    "Tvarkymas apribotas nuo",
    "Use is restricted since",
    "Przetwarzanie ograniczone od",
    "Обработка ограничена с",
    "Обробку обмежено з",
];
const CONSENT: Words = ["Sutikimas", "Consent", "Zgoda", "Согласие", "Згода"];
const WITHDRAWN: Words = ["atšauktas", "withdrawn", "wycofana", "отозвано", "відкликано"];
const ERASED: Words = ["Ištrinta", "Erased", "Usunięto", "Удалено", "Видалено"];

const STEPS: [(StepKind, Words); 21] = [
    (StepKind::Received, ["gauta", "received", "przyjęto", "получена", "отримано"]),
    (StepKind::Approved, ["patvirtinta darbuotojų", "approved by staff", "zatwierdzone", "одобрена", "схвалено"]),
    (StepKind::Rejected, ["nepriimta", "not accepted", "odrzucone", "отклонена", "відхилено"]),
    (StepKind::Waitlisted, ["laukia eilėje", "waits in line", "czeka w kolejce", "ждёт в очереди", "чекає в черзі"]),
    (
        StepKind::Offered,
        ["pasiūlyta vieta", "a seat was offered", "zaproponowano miejsce", "предложено место", "запропоновано місце"],
    ),
    (
        StepKind::Confirmed,
        ["vieta gauta", "the seat is yours", "miejsce przyznane", "место получено", "місце отримано"],
    ),
    (
        StepKind::Declined,
        ["pasiūlymas atmestas", "offer declined", "oferta odrzucona", "предложение отклонено", "пропозицію відхилено"],
    ),
    (
        StepKind::OfferExpired,
        [
            "pasiūlymo laikas baigėsi",
            "the offer ran out",
            "oferta wygasła",
            "срок предложения истёк",
            "термін пропозиції минув",
        ],
    ),
    (
        StepKind::PassedOver,
        [
            "praleista: netilpo visi",
            "passed over: not all fitted",
            "pominięte: nie wszyscy się zmieścili",
            "пропущена: не все помещались",
            "пропущено: не всі вміщалися",
        ],
    ),
    (
        StepKind::ClassChanged,
        ["pakeista grupė", "class changed", "zmieniono grupę", "изменена группа", "змінено групу"],
    ),
    (
        StepKind::PartyChanged,
        [
            "pakeistas asmenų skaičius",
            "number of persons changed",
            "zmieniono liczbę osób",
            "изменено число человек",
            "змінено кількість осіб",
        ],
    ),
    (
        StepKind::DetailsChanged,
        ["duomenys pataisyti", "details corrected", "poprawiono dane", "данные исправлены", "дані виправлено"],
    ),
    (StepKind::Cancelled, ["atšaukta", "cancelled", "odwołane", "отменена", "скасовано"]),
    (
        StepKind::Transferred,
        ["perkelta į kitą renginį", "moved to another event", "przeniesione", "перенесена", "перенесено"],
    ),
    (
        StepKind::EventCancelled,
        [
            "renginys atšauktas",
            "the event was cancelled",
            "wydarzenie odwołane",
            "мероприятие отменено",
            "подію скасовано",
        ],
    ),
    (
        StepKind::DuplicateChanged,
        [
            "tikrinta, ar nesikartoja",
            "looked at as a duplicate",
            "sprawdzono duplikat",
            "проверен повтор",
            "перевірено повтор",
        ],
    ),
    (
        StepKind::DuplicateDropped,
        [
            "uždaryta kaip pasikartojanti",
            "closed as a duplicate",
            "zamknięte jako duplikat",
            "закрыта как повтор",
            "закрито як повтор",
        ],
    ),
    (
        StepKind::Erased,
        [
            "asmens duomenys ištrinti",
            "personal data erased",
            "dane osobowe usunięto",
            "личные данные удалены",
            "особисті дані видалено",
        ],
    ),
    (
        StepKind::Restricted,
        [
            "duomenų tvarkymas apribotas",
            "use of the data restricted",
            "ograniczono przetwarzanie danych",
            "обработка данных ограничена",
            "обробку даних обмежено",
        ],
    ),
    (
        StepKind::Unrestricted,
        [
            "duomenų tvarkymo apribojimas panaikintas",
            "the restriction was lifted",
            "zniesiono ograniczenie przetwarzania",
            "ограничение обработки снято",
            "обмеження обробки знято",
        ],
    ),
    (
        StepKind::ConsentsChanged,
        ["pakeisti sutikimai", "consents changed", "zmieniono zgody", "согласия изменены", "згоди змінено"],
    ),
];

const CONSENTS: [(ConsentPurpose, Words); 4] = [
    (
        ConsentPurpose::Photos,
        ["fotografuoti ir filmuoti", "photographs and films", "zdjęcia i filmy", "фото и видео", "фото та відео"],
    ),
    (
        ConsentPurpose::News,
        [
            "naujienos apie kitus renginius",
            "news of later events",
            "wiadomości o kolejnych wydarzeniach",
            "новости о следующих мероприятиях",
            "новини про наступні події",
        ],
    ),
    (
        ConsentPurpose::Sharing,
        [
            "perduoti kitam centrui",
            "sharing with another centre",
            "przekazanie innemu ośrodkowi",
            "передача другому центру",
            "передача іншому центру",
        ],
    ),
    (
        ConsentPurpose::NextSeason,
        [
            "saugoti kontaktą kitam sezonui",
            "keeping the contact for the next season",
            "zachowanie kontaktu na następny sezon",
            "хранить контакт до следующего сезона",
            "зберігати контакт до наступного сезону",
        ],
    ),
];

const MARKS: [(AttendanceMark, Words); 4] = [
    (AttendanceMark::Present, ["dalyvavo", "present", "obecny", "присутствовал", "присутній"]),
    (AttendanceMark::Absent, ["nedalyvavo", "absent", "nieobecny", "отсутствовал", "відсутній"]),
    (
        AttendanceMark::Excused,
        ["pateisinta", "excused", "usprawiedliwiony", "по уважительной причине", "з поважної причини"],
    ),
    (AttendanceMark::MadeUp, ["atidirbta kitur", "made up elsewhere", "odrobione", "отработано", "відпрацьовано"]),
];

/// A language that there are words in: this one, or Lithuanian.
pub(super) fn known(language: &str) -> &'static str {
    LANGUAGES.into_iter().find(|known| *known == language).unwrap_or("lt")
}

/// The lines of a text.
struct Lines {
    text: String,
    language: usize,
    zone: Zone,
}

impl Lines {
    fn word(&self, words: &Words) -> &'static str {
        words[self.language]
    }

    /// A label and what stands behind it; nothing where that is nothing.
    fn line(&mut self, label: &Words, value: &str) {
        if !value.is_empty() {
            let label = self.word(label);
            // Writing to a text cannot fail.
            let _ = writeln!(self.text, "{label}: {value}");
        }
    }

    fn item(&mut self, text: &str) {
        let _ = writeln!(self.text, "  {text}");
    }

    fn at(&self, at: Option<&prost_types::Timestamp>) -> String {
        let Some(at) = at else { return String::new() };
        let at = Timestamp(at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000);
        let local = self.zone.local(at);
        format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute())
    }
}

/// The whole text.
pub(super) fn of(export: &ExportRegistrationResponse, language: &str, title: &str, zone: &Zone) -> String {
    let language = LANGUAGES.iter().position(|known| *known == language).unwrap_or(0);
    let mut lines = Lines { text: String::new(), language, zone: zone.clone() };
    lines.text.push_str(HEAD[language]);
    lines.text.push('\n');
    lines.line(&EVENT, title);
    who(&mut lines, export);
    history(&mut lines, export);
    let erased = export.erasure.as_ref().map(|e| lines.at(e.erase_time.as_ref())).unwrap_or_default();
    lines.line(&ERASED, &erased);
    said(&mut lines, export);
    let contact = lines.at(export.contact_kept_until.as_ref());
    lines.line(&KEPT_CONTACT, &contact);
    let names = lines.at(export.names_kept_until.as_ref());
    lines.line(&KEPT_NAMES, &names);
    lines.text
}

fn who(lines: &mut Lines, export: &ExportRegistrationResponse) {
    let Some(r) = &export.registration else { return };
    lines.line(&NUMBER, &r.accepted_number.to_string());
    if let Some(contact) = &r.contact {
        lines.line(&CONTACT, &contact.display_name);
        lines.line(&EMAIL, &contact.email);
        lines.line(&PHONE, &contact.phone);
    }
    lines.line(&LANGUAGE, &r.language);
    lines.line(&PERSONS, &r.party_size.to_string());
    for member in &r.members {
        let born = member.birth_year.map(|year| format!(", {} {year}", lines.word(&BORN))).unwrap_or_default();
        lines.line(&MEMBER, format!("{}{born}", member.display_name).trim_start_matches(", "));
    }
    lines.line(&PLACE, &r.municipality_code);
    for answer in &r.answers {
        lines.line(&ANSWER, &format!("{}: {}", answer.question_id, answer.text));
    }
}

/// What the party said about its data.
fn said(lines: &mut Lines, export: &ExportRegistrationResponse) {
    let Some(r) = &export.registration else { return };
    let restricted = lines.at(r.restrict_time.as_ref());
    lines.line(&RESTRICTED, &restricted);
    for consent in &r.consents {
        let to = CONSENTS.iter().find(|(purpose, _)| *purpose == consent.purpose());
        let to = to.map_or("", |(_, words)| lines.word(words));
        let mut line = format!("{to} ({}), {}", consent.text_version, lines.at(consent.give_time.as_ref()));
        if consent.withdraw_time.is_some() {
            line = format!("{line}; {} {}", lines.word(&WITHDRAWN), lines.at(consent.withdraw_time.as_ref()));
        }
        lines.line(&CONSENT, &line);
    }
}

fn history(lines: &mut Lines, export: &ExportRegistrationResponse) {
    lines.text.push_str(lines.word(&HISTORY));
    lines.text.push_str(":\n");
    for step in &export.steps {
        let kind = STEPS.iter().find(|(kind, _)| *kind == step.kind());
        let what = kind.map_or(step.because.as_str(), |(_, words)| lines.word(words));
        let line = format!("{} {what}", lines.at(step.time.as_ref()));
        lines.item(&line);
    }
    if export.attendances.is_empty() {
        return;
    }
    lines.text.push_str(lines.word(&PRESENCE));
    lines.text.push_str(":\n");
    for a in &export.attendances {
        let mark = MARKS.iter().find(|(mark, _)| *mark == a.mark());
        let mark = mark.map_or("", |(_, words)| lines.word(words));
        let line = format!("{} {} {}: {mark}", lines.at(a.happen_time.as_ref()), lines.word(&MEMBER), a.member);
        lines.item(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_and_mark_has_words() {
        for kind in (1..).map_while(|n| StepKind::try_from(n).ok()) {
            assert!(STEPS.iter().any(|(known, _)| *known == kind), "{kind:?}");
        }
        for purpose in (1..).map_while(|n| ConsentPurpose::try_from(n).ok()) {
            assert!(CONSENTS.iter().any(|(known, _)| *known == purpose), "{purpose:?}");
        }
        for mark in (1..).map_while(|n| AttendanceMark::try_from(n).ok()) {
            assert!(MARKS.iter().any(|(known, _)| *known == mark), "{mark:?}");
        }
    }

    #[test]
    fn a_language_without_words_is_answered_in_lithuanian() {
        assert_eq!((known("pl"), known("de"), known("")), ("pl", "lt", "lt"));
    }
}
