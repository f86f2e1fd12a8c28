//! Instants, local times and zones. Inside, an instant is a count of microseconds since 1970 UTC: exact,
//! the same in both databases. Local times are turned into instants by the bundled zone table alone, so
//! that two instances never disagree about a clock change.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }
    /// A span of whole hours.
    pub const fn hours(n: i64) -> Self {
        Self::seconds(n.saturating_mul(3600))
    }
}

impl Timestamp {
    /// The instant `span` later, at the edge of time where it would pass it.
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
    /// The time from `earlier` to here; negative where `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// As jiff's instant, within the years that it knows.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// An IANA time zone that the bundled table knows, such as `Europe/Vilnius`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looks the zone up by its IANA name; `None` where the table has no such name.
    pub fn named(name: &str) -> Option<Self> {
        jiff::tz::TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }
    /// Universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }
    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
    /// The wall clock at `at`.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at.to_jiff())
    }
    /// How far the clock on the wall has come since midnight.
    pub fn time_of_day(&self, at: Timestamp) -> Span {
        let time = self.local(at).time();
        let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        Span(seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000)
    }
    /// The next instant after `at` at which the clocks change, if they ever do.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.0.following(at.to_jiff()).next().map(|change| Timestamp(change.timestamp().as_microsecond()))
    }
    /// The instant of a wall-clock time; refuses the hour that a clock change skips. In the hour that a
    /// clock change repeats it is the first of the two.
    pub fn instant(&self, local: DateTime) -> Result<Timestamp, NoSuchLocalTime> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
            return Err(NoSuchLocalTime);
        }
        ambiguous.earlier().map(|t| Timestamp(t.as_microsecond())).map_err(|_| NoSuchLocalTime)
    }
    /// The instant of a wall-clock time, shifted forward where a clock change skips it. For hours that
    /// nobody wrote down, such as the end of the quiet hours.
    pub fn instant_lenient(&self, local: DateTime) -> Timestamp {
        let t = self.0.to_ambiguous_timestamp(local).compatible();
        t.map_or(Timestamp(i64::MAX), |t| Timestamp(t.as_microsecond()))
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        Zone::named(&name).ok_or_else(|| serde::de::Error::custom("no such time zone"))
    }
}

/// The wall clock jumps over this local time, or it is beyond the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchLocalTime;

/// Reads `YYYY-MM-DDTHH:MM` (seconds allowed, no offset).
pub fn parse_local(text: &str) -> Option<DateTime> {
    if !(16..=19).contains(&text.len()) || text.contains(['Z', '+', '[']) {
        return None;
    }
    text.parse().ok()
}

/// Writes `YYYY-MM-DDTHH:MM`.
pub fn format_local(local: DateTime) -> String {
    local.strftime("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn vilnius(local: &str) -> Result<i64, NoSuchLocalTime> {
        Zone::named("Europe/Vilnius").unwrap().instant(parse_local(local).unwrap()).map(|t| t.0 / 1_000_000)
    }

    #[test]
    fn half_past_five_in_vilnius_stays_half_past_five_across_the_clock_change() {
        // 15:30Z before 30 March 2025, 14:30Z after it.
        assert_eq!(vilnius("2025-03-25T17:30"), Ok(1_742_916_600));
        assert_eq!(vilnius("2025-04-01T17:30"), Ok(1_743_517_800));
    }

    #[test]
    fn the_hour_that_the_clock_skips_is_refused_and_the_repeated_one_is_the_first() {
        assert_eq!(vilnius("2025-03-30T03:30"), Err(NoSuchLocalTime));
        assert_eq!(vilnius("2025-10-26T03:30"), Ok(1_761_438_600));
    }
}
