//! Resource names, ids, request ids, etags and page sizes.

use super::{Fields, Path};
use crate::model::id::{CentreId, EventId, ProgrammeId, RegistrationId, is_slug};
use crate::model::person::PersonId;
use uuid::Uuid;

/// Pages hold this many where the caller does not say.
const PAGE_DEFAULT: u32 = 50;
/// Pages hold at most this many; more counts as this.
const PAGE_MAX: u32 = 500;

/// The name of a registration, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationName {
    pub event: EventId,
    pub id: RegistrationId,
}

/// Reads a UUID written the usual way: 36 characters with hyphens, in lower case.
pub fn uuid(text: &str) -> Option<Uuid> {
    let sound = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    if sound { Uuid::try_parse(text).ok() } else { None }
}

pub fn event(name: &str) -> Option<EventId> {
    name.strip_prefix("events/").and_then(uuid).map(EventId)
}

/// The ids in "events/{uuid}/registrations/{uuid}".
pub fn registration(name: &str) -> Option<RegistrationName> {
    let (event_name, id) = name.split_once("/registrations/")?;
    Some(RegistrationName { event: event(event_name)?, id: RegistrationId(uuid(id)?) })
}

fn slug<'n>(name: &'n str, collection: &str) -> Option<&'n str> {
    name.strip_prefix(collection).filter(|id| is_slug(id))
}

/// The id in "centres/{id}".
pub fn centre(name: &str) -> Option<CentreId> {
    slug(name, "centres/").map(|id| CentreId(id.to_owned()))
}

/// The id in "programmes/{id}".
pub fn programme(name: &str) -> Option<ProgrammeId> {
    slug(name, "programmes/").map(|id| ProgrammeId(id.to_owned()))
}

/// The id in "persons/{uuid}".
pub fn person(name: &str) -> Option<PersonId> {
    name.strip_prefix("persons/").and_then(uuid).map(PersonId)
}

/// How many rows a page of this size holds at most.
pub fn page_rows(size: i32) -> u32 {
    match u32::try_from(size) {
        Ok(0) | Err(_) => PAGE_DEFAULT,
        Ok(n) => n.min(PAGE_MAX),
    }
}

impl Fields {
    /// A person that need not be named.
    pub fn person_name(&mut self, at: Path<'_>, given: &str) -> Option<PersonId> {
        let person = person(given);
        if person.is_none() && !given.is_empty() {
            self.refuse(at, "must be persons/{uuid}");
        }
        person
    }

    /// A person that must be named.
    pub fn required_person(&mut self, at: Path<'_>, given: &str) -> PersonId {
        self.named(at, given, "must be persons/{uuid}", person(given)).unwrap_or(PersonId(Uuid::nil()))
    }

    /// The id of a stored report.
    pub fn report_name(&mut self, at: Path<'_>, given: &str) -> Uuid {
        let id = given.strip_prefix("reports/").and_then(uuid);
        self.named(at, given, "must be reports/{uuid}", id).unwrap_or_default()
    }

    fn named<T>(&mut self, at: Path<'_>, given: &str, shape: &'static str, parsed: Option<T>) -> Option<T> {
        if parsed.is_none() {
            self.refuse(at, if given.is_empty() { "is required" } else { shape });
        }
        parsed
    }

    pub fn event_name(&mut self, at: Path<'_>, given: &str) -> Option<EventId> {
        self.named(at, given, "must be events/{uuid}", event(given))
    }

    pub fn registration_name(&mut self, at: Path<'_>, given: &str) -> Option<RegistrationName> {
        self.named(at, given, "must be events/{uuid}/registrations/{uuid}", registration(given))
    }

    pub fn centre_name(&mut self, at: Path<'_>, given: &str) -> Option<CentreId> {
        self.named(at, given, "must be centres/{id}, id [a-z0-9-]{1,40}", centre(given))
    }

    pub fn programme_name(&mut self, at: Path<'_>, given: &str) -> Option<ProgrammeId> {
        self.named(at, given, "must be programmes/{id}, id [a-z0-9-]{1,40}", programme(given))
    }

    /// An id that the caller may choose; one is made where it does not.
    pub fn chosen_slug(&mut self, at: Path<'_>, given: String) -> String {
        if given.is_empty() {
            return Uuid::now_v7().as_hyphenated().to_string();
        }
        if !is_slug(&given) {
            self.refuse(at, "must be 1 to 40 characters of [a-z0-9-]");
        } else if given.len() >= 11 && crate::model::text::holds_personal_code(&given) {
            self.refuse_personal_code(at);
        }
        given
    }

    /// The id of an event, chosen or made.
    pub fn chosen_event_id(&mut self, at: Path<'_>, given: &str) -> EventId {
        let id = if given.is_empty() { Some(Uuid::now_v7()) } else { uuid(given) };
        EventId(id.unwrap_or_else(|| {
            self.refuse(at, "must be a UUID in lower case");
            Uuid::nil()
        }))
    }

    /// The id of the request: a UUID, required.
    pub fn request_id(&mut self, given: &str) -> Uuid {
        let parsed = if given.len() == 36 { Uuid::try_parse(given).ok() } else { None };
        self.named(Path::Top("request_id"), given, "must be a UUID", parsed).unwrap_or_default()
    }

    /// An etag, `"7"` with its quotes; empty: not checked. A text that is no etag of this service is one that
    /// is never current.
    pub fn etag(&mut self, at: Path<'_>, given: &str) -> Option<u64> {
        if given.is_empty() {
            return None;
        }
        if given.len() > 100 {
            self.refuse(at, "is longer than any etag");
        }
        let inner = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let digits = inner.filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        Some(digits.and_then(|d| d.parse().ok()).unwrap_or(0))
    }

    /// How many to answer.
    pub fn page_size(&mut self, given: i32) -> u32 {
        if given < 0 {
            self.refuse(Path::Top("page_size"), "must not be negative");
        }
        page_rows(given)
    }
}
