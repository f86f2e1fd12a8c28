//! W3C trace context: who calls may send `traceparent`; the log carries its trace id, and the answer names
//! our span in it. Without one, or with a broken one, a trace begins here.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that a call belongs to, and our span in it. Handlers find it in the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// Goes on with the caller's trace, or begins one.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(TRACEPARENT).and_then(|value| parse(value.to_str().ok()?));
        let (trace, flags) = given.unwrap_or_else(|| (u128::from(fresh()) << 64 | u128::from(fresh()), 0));
        Self { trace, span: fresh(), flags }
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> TraceId {
        TraceId(self.trace)
    }

    /// A word by which a fault is found in the log: eight digits of our span.
    pub fn incident(&self) -> String {
        format!("{:08x}", self.span >> 32)
    }

    pub fn to_header(self) -> HeaderValue {
        let mut text = String::with_capacity(55);
        let _ = write!(text, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags);
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// Writes itself only where somebody reads it.
#[derive(Clone, Copy)]
pub struct TraceId(u128);

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Ids that nobody repeats: a counter under a key that the process made at random. Never 0.
fn fresh() -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)).max(1)
}

/// Version, trace id, span id and flags; later versions may say more behind them.
fn parse(text: &str) -> Option<(u128, u8)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let version = hex(version, 2)?;
    let sound = version != 0xff && (version != 0 || !more);
    let (trace, span, flags) = (hex(trace, 32)?, hex(span, 16)?, hex(flags, 2)?);
    (sound && trace != 0 && span != 0).then_some((trace, (flags & 0xff) as u8))
}

/// Lower-case hexadecimal of exactly this many digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let sound = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if sound { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn of(text: &str) -> TraceContext {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_str(text).unwrap());
        TraceContext::of(&headers)
    }

    #[test]
    fn a_trace_goes_on_under_its_id_with_a_span_of_ours() {
        let trace = of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let answer = trace.to_header();
        let answer = answer.to_str().unwrap();
        assert!(answer.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{answer}");
        assert!(answer.ends_with("-01") && !answer.contains("00f067aa0ba902b7"), "{answer}");
        assert_eq!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn a_broken_trace_is_replaced_by_one_of_its_own() {
        let valid = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        let broken = [
            String::new(),
            format!("ff-{valid}-01"),
            format!("00-{valid}-01-more"),
            format!("00-{valid}"),
            format!("00-{}-01", valid.to_uppercase()),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
        ];
        for text in broken {
            let trace = of(&text);
            assert_ne!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736", "{text}");
            assert_eq!(trace.to_header().len(), 55);
        }
        // A later version may say more.
        assert_eq!(of(&format!("01-{valid}-01-more")).trace_id().to_string(), &valid[..32]);
        assert_ne!(of("").trace_id().to_string(), of("").trace_id().to_string());
    }
}
