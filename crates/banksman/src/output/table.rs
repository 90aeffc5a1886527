//! Tables for people: no frame, a head in bold, columns as wide as they need to be, the last wide one cut to the terminal.

use anstyle::Style;

/// The few styles that the output uses.
pub(crate) mod style {
    use anstyle::{AnsiColor, Color, Style};

    const fn coloured(color: AnsiColor) -> Style {
        Style::new().fg_color(Some(Color::Ansi(color)))
    }
    /// Heads.
    pub(crate) const HEAD: Style = Style::new().bold();
    /// What ended well.
    pub(crate) const GOOD: Style = coloured(AnsiColor::Green);
    /// What needs attention.
    pub(crate) const WARN: Style = coloured(AnsiColor::Yellow);
    /// What went wrong.
    pub(crate) const BAD: Style = coloured(AnsiColor::Red).bold();
    /// What is moving.
    pub(crate) const BUSY: Style = coloured(AnsiColor::Cyan);
    /// What is less important.
    pub(crate) const DIM: Style = Style::new().dimmed();
    /// Plain.
    pub(crate) const PLAIN: Style = Style::new();
}

/// One cell: text that is clean already, and its style.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), style: style::PLAIN }
    }
}

impl Cell {
    /// A cell in a style.
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

/// A table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these heads; an empty list has none.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines of the table, at most `width` columns wide.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let head: Vec<Cell> = self.head.iter().map(|h| Cell::new(*h, style::HEAD)).collect();
        let rows: Vec<&Vec<Cell>> =
            (!head.is_empty()).then_some(&head).into_iter().chain(&self.rows).collect();
        let columns = rows.iter().map(|r| r.len()).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..columns)
            .map(|c| {
                rows.iter().filter_map(|r| r.get(c)).map(|cell| columns_of(&cell.text)).max().unwrap_or(0)
            })
            .collect();
        // The widest column gives way until the table fits.
        while widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1) > width {
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= 8 {
                break;
            }
            *widest -= 1;
        }
        rows.iter()
            .map(|row| {
                let mut line = String::new();
                for (c, cell) in row.iter().enumerate() {
                    let text = cut(&cell.text, widths[c]);
                    let pad = if c + 1 == row.len() { 0 } else { widths[c] - columns_of(&text) + 2 };
                    let style = if text.is_empty() { style::PLAIN } else { cell.style };
                    line.push_str(&format!("{style}{text}{style:#}{:pad$}", ""));
                }
                line.truncate(line.trim_end().len());
                line
            })
            .collect()
    }

    /// The table as text for the terminal's width.
    pub(crate) fn text(&self) -> String {
        self.lines(terminal_width()).into_iter().map(|line| line + "\n").collect()
    }
}

/// Columns of standard output's terminal; wide where it is none.
fn terminal_width() -> usize {
    terminal_size().0
}

/// Columns and lines of standard output's terminal.
pub(crate) fn terminal_size() -> (usize, usize) {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .filter(|size| size.ws_col > 0)
        .map_or((200, 60), |size| (usize::from(size.ws_col).max(40), usize::from(size.ws_row).max(8)))
}

/// Columns that a text takes; wide characters count twice.
fn columns_of(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}')
}

fn cut(text: &str, width: usize) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += if is_wide(c) { 2 } else { 1 };
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: &[String]) -> String {
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn columns_line_up_and_the_widest_gives_way() {
        let mut table = Table::new(&["issue", "title"]);
        table.row(["#1".into(), "a short one".into()]);
        table.row(["#1234567".into(), "数値数値数値数値数値数値".into()]);
        assert_eq!(
            plain(&table.lines(80)),
            "issue     title\n#1        a short one\n#1234567  数値数値数値数値数値数値"
        );
        assert_eq!(plain(&table.lines(21)), "issue     title\n#1        a short one\n#1234567  数値数値数…");
    }
}
