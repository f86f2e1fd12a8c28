//! Tables of what is refused, and of what is taken as it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::text::Alphabet;
use super::*;
use crate::model::time::{Span, Zone};

const AT: Path<'static> = Path::Top("field");

/// What a parser refused, as "field why", and the value that it gave.
fn read<T>(f: impl FnOnce(&mut Fields) -> T) -> (Vec<String>, T) {
    let mut fields = Fields::default();
    let value = f(&mut fields);
    (fields.list.iter().map(|v| format!("{} {}", v.field, v.why)).collect(), value)
}

fn sound<T>(f: impl FnOnce(&mut Fields) -> T) -> bool {
    read(f).0.is_empty()
}

#[test]
fn a_path_reads_as_the_field_stands_in_its_message() {
    let (members, third) = (AT.field("members"), 2);
    let member = members.item(third);
    assert_eq!(member.field("display_name").to_string(), "field.members[2].display_name");
}

#[test]
fn text_in_every_script_goes_in_and_comes_out_unchanged() {
    for text in [
        "Ąžuolas „Žąsis“ – ė",
        "Łańcuszkowska",
        "Їванна Щеглова",
        "🙂",
        "O'Neill; drop table x --",
        "ė".repeat(200).as_str(),
    ] {
        let (refused, out) = read(|f| f.required_line(AT, text.to_owned(), 200));
        assert_eq!((refused, out.as_str()), (vec![], text));
    }
    assert!(sound(|f| f.paragraph(AT, "dvi\neilutės\tir daugiau".to_owned(), 100)));
}

#[test]
fn text_that_is_missing_blank_long_or_armed_is_refused() {
    let line = |text: &str| sound(|f| f.required_line(AT, text.to_owned(), 20));
    for bad in
        ["", "   ", "\u{a0}", "a\nb", "a\u{0}b", "a\u{202e}b", "a\u{2028}b", "aaaaaaaaaaaaaaaaaaaaa", "38703181745"]
    {
        assert!(!line(bad), "{bad:?}");
    }
    assert!(sound(|f| f.line(AT, String::new(), 20)), "what is not required may be empty");
    let (_, personal) = {
        let mut fields = Fields::default();
        fields.paragraph(AT, "mano kodas 387-03181745.".to_owned(), 100);
        fields.line(AT.field("other"), "\u{1}".to_owned(), 100);
        let violations = fields.finish(()).unwrap_err();
        (violations.list.len(), violations.personal_code)
    };
    assert!(personal);
}

#[test]
fn codes_have_their_alphabet_and_length() {
    for (alphabet, good, bad) in [
        (Alphabet::Slug, "a-9", "a_9"),
        (Alphabet::Word, "a_9-", "A"),
        (Alphabet::Mixed, "LT-42", "ą"),
        (Alphabet::Project, "ESF.09_4-3", "a b"),
    ] {
        assert!(sound(|f| f.required_code(AT, good.to_owned(), alphabet, 10)), "{good}");
        assert!(!sound(|f| f.required_code(AT, bad.to_owned(), alphabet, 10)), "{bad}");
        assert!(!sound(|f| f.required_code(AT, "a".repeat(11), alphabet, 10)));
    }
    assert!(!sound(|f| f.codes(AT, vec!["a".into(), "a".into()], 9, Alphabet::Slug, 9)));
}

#[test]
fn numbers_enums_and_lists_have_bounds() {
    for bad in [i32::MIN, -1, 0, 11, i32::MAX] {
        assert!(!sound(|f| f.number(AT, bad, 1, 10)), "{bad}");
    }
    assert_eq!(read(|f| f.number_or(AT, 0, 7, 1, 10)), (vec![], 7));
    assert!(!sound(|f| f.number_or(AT, -3, 7, 1, 10)));
    for bad in [-1, 7, 99, i32::MAX] {
        assert!(!sound(|f| f.event_kind(AT, bad)), "{bad}");
    }
    assert!(sound(|f| f.event_kind(AT, 0)), "the zero word is for the caller to judge");
    let (refused, kept) = read(|f| f.list(AT, vec![(); 1000], 1, 20));
    assert_eq!((refused.len(), kept.len()), (1, 20), "one violation, and no more work than allowed");
}

#[test]
fn names_and_ids_are_exact() {
    let id = "0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e11";
    let registration = format!("events/{id}/registrations/0000002a-6d1e-8c3a-9f00-2b6f5d1c7e11");
    assert!(sound(|f| f.event_name(AT, &format!("events/{id}"))));
    let (_, name) = read(|f| f.registration_name(AT, &registration));
    assert_eq!(name.unwrap().id.number(), 42);
    let upper = format!("events/{}", id.to_uppercase());
    let plain = format!("events/{}", id.replace('-', ""));
    let braced = format!("events/{{{id}}}");
    for bad in ["", "events/", "events/7", id, "event/x", &upper, &plain, &braced, &registration, "events/../x"] {
        assert!(!sound(|f| f.event_name(AT, bad)), "{bad}");
        assert!(!sound(|f| f.registration_name(AT, bad)) || bad == registration, "{bad}");
    }
    for bad in [
        "",
        "centres/",
        "centres/A",
        "centres/a/b",
        "centres/ą",
        "programmes/a",
        &format!("centres/{}", "a".repeat(41)),
    ] {
        assert!(!sound(|f| f.centre_name(AT, bad)), "{bad}");
    }
    for bad in ["", "7", "not-a-uuid", &format!("{{{id}}}"), &format!("{id} ")] {
        assert!(!sound(|f| f.request_id(bad)), "{bad}");
    }
}

#[test]
fn an_etag_that_is_none_is_never_current() {
    assert_eq!(read(|f| f.etag(AT, "")), (vec![], None));
    assert_eq!(read(|f| f.etag(AT, "\"7\"")), (vec![], Some(7)));
    for other in ["7", "\"x\"", "W/\"7\"", "\"\"", "\"-1\"", "\"99999999999999999999999\""] {
        assert_eq!(read(|f| f.etag(AT, other)), (vec![], Some(0)), "{other}");
    }
}

#[test]
fn a_page_is_never_negative_and_never_huge() {
    for (given, size) in [(0, 50), (1, 1), (500, 500), (501, 500), (i32::MAX, 500)] {
        assert_eq!(read(|f| f.page_size(given)), (vec![], size));
    }
    assert!(!sound(|f| f.page_size(-1)));
}

#[test]
fn a_mask_names_known_fields_and_at_least_one() {
    let mask = |paths: &[&str]| {
        let paths = paths.iter().map(|p| (*p).to_owned()).collect();
        read(|f| f.mask(Some(prost_types::FieldMask { paths }), &["titles", "venue"]))
    };
    assert_eq!(mask(&["venue", "titles", "venue"]), (vec![], vec!["venue", "titles"]));
    for bad in [&["*"][..], &[], &["titles.text"], &["Titles"], &["titles", "state"]] {
        assert_eq!(mask(bad).0.len(), 1, "{bad:?}");
    }
    assert!(!sound(|f| f.mask(None, &["titles"])));
}

#[test]
fn local_times_that_the_clock_leaves_out_are_refused() {
    let vilnius = Zone::named("Europe/Vilnius").unwrap();
    for good in ["2031-02-20T17:30", "2031-10-26T03:30", "2032-02-29T00:00"] {
        assert!(sound(|f| f.local(AT, good, &vilnius)), "{good}");
    }
    for bad in [
        "",
        "2031-03-30T03:30",
        "2031-02-29T10:00",
        "2031-13-01T10:00",
        "2031-02-20T24:00",
        "2031-02-20 17:30",
        "2031-02-20T17:30:00",
        "2031-02-20T17:30Z",
        "20310220T17:30",
        "17:30",
        "0001-01-01T00:00",
    ] {
        assert!(!sound(|f| f.local(AT, bad, &vilnius)), "{bad}");
    }
    for bad in ["24:00", "7:30", "07:60", "0730", "", "07:30:00", "-1:00"] {
        assert!(!sound(|f| f.minute_of_day(AT, bad)), "{bad}");
    }
    for bad in ["Europe/Kaunas", "Lietuva", "+02:00", &"x".repeat(65)] {
        assert!(!sound(|f| f.zone(AT, bad, &vilnius)), "{bad}");
    }
}

#[test]
fn instants_and_spans_stay_within_the_calendar() {
    let instant = |seconds, nanos| read(|f| f.instant(AT, Some(prost_types::Timestamp { seconds, nanos })));
    assert_eq!(instant(1, 999_999_999).1.unwrap().0, 1_999_999, "cut to microseconds");
    assert_eq!(instant(-1, 1000).1.unwrap().0, -999_999);
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (253_402_300_800, 0)] {
        assert!(!instant(seconds, nanos).0.is_empty(), "{seconds} {nanos}");
    }
    let span = |seconds, nanos| {
        sound(|f| f.span(AT, Some(prost_types::Duration { seconds, nanos }), Span::seconds(60), Span::hours(24)))
    };
    assert!(span(60, 0) && span(86_400, 0));
    for (seconds, nanos) in
        [(59, 999_999_999), (86_400, 1000), (-60, 0), (i64::MAX, 0), (i64::MIN, 0), (60, -1), (0, 0)]
    {
        assert!(!span(seconds, nanos), "{seconds} {nanos}");
    }
}

#[test]
fn digits_of_an_address_are_a_personal_code_only_in_one_piece() {
    for address in ["38703181745@example.org", "ona.38703181745@example.org"] {
        assert!(!sound(|f| f.address(AT, address.into(), 254)), "{address}");
    }
    for address in ["party3870.3181745@example.org", "ona-387.0318.1745@example.org"] {
        assert!(sound(|f| f.address(AT, address.into(), 254)), "{address}");
        assert!(!sound(|f| f.line(AT, address.into(), 254)), "in other texts it is one: {address}");
    }
}
