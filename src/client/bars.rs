//! Pictures of numbers, in blocks of text.

use super::sheet::{Tone, Value};

/// Seats as a bar: taken, offered, free. `None`: without limit, and therefore without a picture.
pub fn fill(seats: Option<i32>, taken: i32, offered: i32, waiting: i32, width: usize) -> Value {
    let Some(seats) = seats.filter(|seats| *seats > 0) else { return Value::Picture("∞".to_owned(), Tone::Faint) };
    let held = taken.max(0).saturating_add(offered.max(0));
    let full = cells(taken, seats.max(held), width);
    let promised = cells(held, seats.max(held), width) - full;
    let empty = width - full - promised;
    let tone = match (held >= seats, waiting > 0) {
        (true, true) => Tone::Bad,
        (true, false) | (false, true) => Tone::Heed,
        (false, false) => Tone::Good,
    };
    Value::Picture("█".repeat(full) + &"▒".repeat(promised) + &"░".repeat(empty), tone)
}

/// Two numbers side by side, as long as their share of the largest sum.
pub fn two(first: u64, second: u64, largest: u64, width: usize) -> Value {
    let scaled = |n: u64| {
        let exact = n.saturating_mul(width as u64).div_ceil(largest.max(1));
        usize::try_from(exact).unwrap_or(width).min(width)
    };
    let all = scaled(first + second);
    let firsts = scaled(first).min(all);
    Value::Picture("█".repeat(firsts) + &"░".repeat(all - firsts), Tone::Plain)
}

/// A part of a number, as long as the number's share of the largest.
pub fn shares(part: i64, whole: i64, largest: i64, width: usize) -> Value {
    let size = |n: i64| u64::try_from(n).unwrap_or(0);
    let part = size(part).min(size(whole));
    two(part, size(whole) - part, size(largest), width)
}

/// What is empty to the left of a line, who waits to the right of it.
pub fn balance(empty: i64, waiting: i64, largest: i64, width: usize) -> Value {
    let scaled = |n: i64| {
        let exact = i128::from(n.max(0)) * width as i128;
        let cells = (exact + i128::from(largest.max(1)) - 1) / i128::from(largest.max(1));
        usize::try_from(cells).unwrap_or(width).min(width)
    };
    let (left, right) = (scaled(empty), scaled(waiting));
    let tone = match (empty > 0, waiting > 0) {
        (true, true) => Tone::Heed,
        (false, true) => Tone::Bad,
        (true, false) => Tone::Good,
        (false, false) => Tone::Faint,
    };
    Value::Picture(" ".repeat(width - left) + &"░".repeat(left) + "│" + &"█".repeat(right), tone)
}

/// How many of `width` cells `n` of `all` fill; something is never nothing.
fn cells(n: i32, all: i32, width: usize) -> usize {
    let exact = i64::from(n.max(0)) * width as i64 / i64::from(all.max(1));
    let least = i64::from(n > 0);
    usize::try_from(exact.max(least)).unwrap_or(0).min(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: Value) -> (String, Tone) {
        match value {
            Value::Picture(text, tone) => (text, tone),
            _ => (String::new(), Tone::Plain),
        }
    }

    #[test]
    fn a_bar_shows_taken_offered_and_free_seats_and_never_grows() {
        assert_eq!(picture(fill(Some(10), 5, 2, 0, 10)), ("█████▒▒░░░".to_owned(), Tone::Good));
        assert_eq!(picture(fill(Some(1_000), 1, 0, 0, 4)), ("█░░░".to_owned(), Tone::Good));
        assert_eq!(picture(fill(Some(10), 14, 0, 3, 10)), ("██████████".to_owned(), Tone::Bad));
        assert_eq!(picture(fill(None, 14, 0, 3, 10)), ("∞".to_owned(), Tone::Faint));
    }

    #[test]
    fn what_came_in_a_minute_is_drawn_to_the_scale_of_the_busiest() {
        assert_eq!(picture(two(2, 2, 8, 8)).0, "██░░");
        assert_eq!(picture(two(0, 0, 8, 8)).0, "");
        assert_eq!(picture(two(1, 0, 1_000, 8)).0, "█");
        assert_eq!(picture(shares(3, 4, 4, 8)).0, "██████░░");
        assert_eq!(picture(shares(9, 4, 4, 4)).0, "████");
    }

    #[test]
    fn empty_seats_stand_to_the_left_and_those_who_wait_to_the_right() {
        assert_eq!(picture(balance(2, 4, 4, 4)), ("  ░░│████".to_owned(), Tone::Heed));
        assert_eq!(picture(balance(0, 1, 400, 4)), ("    │█".to_owned(), Tone::Bad));
        assert_eq!(picture(balance(4, 0, 4, 4)), ("░░░░│".to_owned(), Tone::Good));
    }
}
