//! Instants, spans, zones and local times.

use super::{Fields, Path};
use crate::model::time::{Span, Timestamp, Zone, format_local, parse_local};
use jiff::civil::DateTime;

/// The seconds of the years 1 to 9999, the range of google.protobuf.Timestamp.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Fields {
    /// An instant, cut to microseconds; absent stays absent.
    pub fn instant(&mut self, at: Path<'_>, given: Option<prost_types::Timestamp>) -> Option<Timestamp> {
        let given = given?;
        let sound = SECONDS.contains(&given.seconds) && (0..1_000_000_000).contains(&given.nanos);
        if !sound {
            self.refuse(at, "must be an instant of the years 1 to 9999 with 0 to 999999999 nanoseconds");
            return None;
        }
        Some(Timestamp(given.seconds * 1_000_000 + i64::from(given.nanos) / 1000))
    }

    /// A span of time from `min` to `max`; absent stays absent.
    pub fn span(&mut self, at: Path<'_>, given: Option<prost_types::Duration>, min: Span, max: Span) -> Option<Span> {
        let given = given?;
        let sound = given.nanos.unsigned_abs() < 1_000_000_000
            && (given.seconds == 0 || given.nanos == 0 || (given.seconds < 0) == (given.nanos < 0));
        let micros = given.seconds.saturating_mul(1_000_000).saturating_add(i64::from(given.nanos) / 1000);
        if sound && (min..=max).contains(&Span(micros)) {
            return Some(Span(micros));
        }
        self.refuse(at, format!("must be from {} s to {} s", min.0.div_euclid(1_000_000), max.0 / 1_000_000));
        None
    }

    /// A zone of the bundled table; `default` where none is given, or none that is known.
    pub fn zone(&mut self, at: Path<'_>, given: &str, default: &Zone) -> Zone {
        if given.is_empty() {
            return default.clone();
        }
        let zone = if given.len() <= 64 { Zone::named(given) } else { None };
        zone.unwrap_or_else(|| {
            self.refuse(at, "is not an IANA time zone");
            default.clone()
        })
    }

    /// A local time `YYYY-MM-DDTHH:MM` with its instant; the hour that a clock change skips is refused.
    pub fn local(&mut self, at: Path<'_>, given: &str, zone: &Zone) -> Option<(DateTime, Timestamp)> {
        if given.is_empty() {
            self.refuse(at, "is required");
            return None;
        }
        // Only the one way of writing it, or the same event could be two texts.
        let parsed = parse_local(given).filter(|local| format_local(*local) == given);
        let Some(local) = parsed.filter(|l| (1970..=9998).contains(&l.year())) else {
            self.refuse(at, "must be a local time YYYY-MM-DDTHH:MM");
            return None;
        };
        match zone.instant(local) {
            Ok(instant) => Some((local, instant)),
            Err(_) => {
                self.refuse(at, "does not exist: the clock change leaves this local time out");
                None
            }
        }
    }

    /// A time of day `HH:MM` in minutes after midnight.
    pub fn minute_of_day(&mut self, at: Path<'_>, given: &str) -> u16 {
        minute_of_day(given).unwrap_or_else(|| {
            self.refuse(at, if given.is_empty() { "is required" } else { "must be a time of day HH:MM" });
            0
        })
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
