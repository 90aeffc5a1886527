//! The same in a terminal: bars and intervals as one line of characters each.

/// A bar of at most `width` characters, in eighths of a character.
pub(crate) fn bar(value: f64, most: f64, width: usize) -> String {
    const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let eighths = ((value / most).min(1.0) * width as f64 * 8.0).round().max(1.0) as usize;
    let mut bar: String = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        bar.push(PARTS[part]);
    }
    bar
}

/// An interval on a line from `from` to `to`: `  ├──●───┤`.
pub(crate) fn interval((low, middle, high): (f64, f64, f64), (from, to): (f64, f64), width: usize) -> String {
    let last = width.saturating_sub(1) as f64;
    let span = if to > from { to - from } else { 1.0 };
    let place = |value: f64| (((value - from) / span).clamp(0.0, 1.0) * last).round() as usize;
    let (low, middle, high) = (place(low), place(middle), place(high));
    (0..=high)
        .map(|at| match at {
            at if at == middle => '●',
            at if at == low => '├',
            at if at == high => '┤',
            at if at > low => '─',
            _ => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_characters_keep_their_proportions() {
        assert_eq!(bar(5.0, 10.0, 8), "████");
        assert_eq!(bar(1.0, 16.0, 1), "▏");
        assert_eq!(bar(0.0, 10.0, 8), "");
        assert_eq!(interval((2.0, 4.0, 9.0), (0.0, 10.0), 11), "  ├─●────┤");
        assert_eq!(interval((3.0, 3.0, 3.0), (0.0, 10.0), 11), "   ●");
    }
}
