//! How long a call may take: what the caller asks for in `grpc-timeout`, and never more than the maximum.
//! The handler's future is dropped at the deadline; a change that it handed in goes on in the desk's task.

use http::HeaderMap;
use std::time::Duration;
use tokio::time::Instant;

/// When a call must be answered. Handlers find it in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    pub at: Instant,
    /// The caller asked for it, so that it holds for the whole of a stream too, and not only for its start.
    pub asked: bool,
}

impl Deadline {
    pub fn of(headers: &HeaderMap, longest: Duration) -> Self {
        let asked = headers.get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
        let now = Instant::now();
        // The maximum bounds the wait for an answer; a watch may be asked for longer.
        Self { at: now + asked.map_or(longest, |asked| asked.min(longest)), asked: asked.is_some_and(|a| a <= longest) }
    }
}

/// `grpc-timeout`: at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit_and_anything_else_is_none() {
        let table = [
            ("1H", Some(3_600_000_000_000)),
            ("2M", Some(120_000_000_000)),
            ("3S", Some(3_000_000_000)),
            ("250m", Some(250_000_000)),
            ("99999999u", Some(99_999_999_000)),
            ("7n", Some(7)),
            ("0S", Some(0)),
            ("", None),
            ("S", None),
            ("10", None),
            ("-1S", None),
            ("100000000S", None),
            ("1 S", None),
            ("1ū", None),
        ];
        for (text, nanos) in table {
            assert_eq!(parse(text).map(|d| d.as_nanos()), nanos, "{text}");
        }
    }

    #[test]
    fn a_caller_may_ask_for_less_than_the_maximum_and_not_for_more() {
        let longest = Duration::from_secs(30);
        let within = |timeout: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(text) = timeout {
                headers.insert("grpc-timeout", http::HeaderValue::from_static(text));
            }
            let deadline = Deadline::of(&headers, longest);
            (deadline.at.duration_since(Instant::now()).as_secs_f64().round(), deadline.asked)
        };
        assert_eq!(within(None), (30.0, false));
        assert_eq!(within(Some("5S")), (5.0, true));
        assert_eq!(within(Some("2H")), (30.0, false));
    }
}
