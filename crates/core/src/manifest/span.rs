//! Durations as people write them: `90s`, `45m`, `3h`, `1h30m`, `7d`.

use jiff::SignedDuration;

/// A text that is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a duration (write 90s, 45m, 3h or 1h30m)")]
pub struct BadSpan;

const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a duration: numbers with the units `d`, `h`, `m`, `s`, each at most once and in this order.
pub fn parse_span(text: &str) -> Result<SignedDuration, BadSpan> {
    let (mut rest, mut seconds, mut units) = (text, 0i64, UNITS.iter());
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        // More digits than any duration has would only overflow.
        let number: i64 =
            if digits <= 12 { number.parse().map_err(|_| BadSpan)? } else { return Err(BadSpan) };
        let unit = tail.chars().next().ok_or(BadSpan)?;
        let (_, size) = units.find(|(name, _)| *name == unit).ok_or(BadSpan)?;
        seconds = number.checked_mul(*size).and_then(|n| seconds.checked_add(n)).ok_or(BadSpan)?;
        rest = tail.get(1..).ok_or(BadSpan)?;
    }
    if text.is_empty() { Err(BadSpan) } else { Ok(SignedDuration::from_secs(seconds)) }
}

/// Writes a duration that is not negative; parts of a second are left out.
pub fn print_span(span: SignedDuration) -> String {
    let mut rest = span.as_secs();
    let mut text = String::new();
    for (unit, size) in UNITS {
        // Hours up to two days, days beyond: `36h` reads better than `1d12h`.
        if unit == 'd' && rest < 2 * size {
            continue;
        }
        if rest / size > 0 {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
